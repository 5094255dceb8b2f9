//! A statement ready to run and the rows it gives.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use super::{Dialect, Sql};
use crate::base::{Cell, DateTime};
use crate::schema::catalog::ColumnKind;

/// SQL text of one dialect with its bound values. `columns` says how each column of the answer is read; the text
/// is the key of the prepared-statement cache, so equal shapes should have equal texts.
#[derive(Debug, Clone)]
pub struct Statement {
    pub sql: Arc<str>,
    pub binds: Vec<(ColumnKind, Cell)>,
    pub columns: Arc<[ColumnKind]>,
}

/// Stands for the moment in statements that are kept: outside of what a date-time may be.
pub(super) const MOMENT: DateTime = DateTime(i64::MIN + 1);

/// Stands for the lowest id in statements that are kept: no record has it.
pub(super) const LOWEST: i64 = i64::MIN + 1;

impl Statement {
    /// With this moment where [`MOMENT`] stands for one.
    pub(super) fn at(&self, now: DateTime) -> Cow<'_, Self> {
        let stands_for = |bind: &(ColumnKind, Cell)| matches!(bind, (ColumnKind::DateTime, Cell::Int(at)) if *at == MOMENT.0);
        if !self.binds.iter().any(stands_for) {
            return Cow::Borrowed(self);
        }
        let mut statement = self.clone();
        for bind in statement.binds.iter_mut().filter(|bind| stands_for(bind)) {
            bind.1 = Cell::Int(now.0);
        }
        Cow::Owned(statement)
    }

    /// With this id where [`LOWEST`] stands for one.
    pub(super) fn from(&self, lowest: i64) -> Self {
        let mut statement = self.clone();
        for bind in statement.binds.iter_mut().filter(|bind| matches!(bind, (ColumnKind::Int, Cell::Int(LOWEST)))) {
            bind.1 = Cell::Int(lowest);
        }
        statement
    }
}

/// An insert that runs often: its text is made once.
#[derive(Debug)]
pub(super) struct Fixed {
    text: &'static str,
    made: [OnceLock<Arc<str>>; 2],
}

impl Fixed {
    /// Each `?` of the text takes a value.
    pub const fn new(text: &'static str) -> Self {
        Self { text, made: [const { OnceLock::new() }; 2] }
    }

    pub fn statement(&self, dialect: Dialect, binds: Vec<(ColumnKind, Cell)>) -> Statement {
        let made = &self.made[dialect as usize];
        let sql = match made.get() {
            Some(sql) => sql.clone(),
            None => {
                let slots: Vec<_> = binds.iter().map(|(kind, _)| (*kind, Cell::Null)).collect();
                let text = Sql::template(self.text, slots).statement(dialect, &[]).sql;
                made.get_or_init(|| text).clone()
            }
        };
        Statement { sql, binds, columns: Arc::default() }
    }
}

/// The answer: `width` cells a row, row after row.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rows {
    pub width: usize,
    pub cells: Vec<Cell>,
}

impl Rows {
    /// Number of rows.
    pub fn len(&self) -> usize {
        self.cells.len().checked_div(self.width).unwrap_or(0)
    }

    pub fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    /// Puts the rows in the order of a column of integers. Rows that are in it are only looked at.
    pub fn sort_by_int(&mut self, column: usize, descending: bool) {
        let key = |row: &[Cell]| row.get(column).and_then(Cell::as_int).unwrap_or(0);
        let in_order = |one: &i64, next: &i64| if descending { one >= next } else { one <= next };
        if self.iter().map(key).is_sorted_by(in_order) {
            return;
        }
        let mut rows: Vec<&[Cell]> = self.iter().collect();
        rows.sort_by_key(|row| key(row));
        if descending {
            rows.reverse();
        }
        let cells = rows.concat();
        self.cells = cells;
    }

    /// Leaves one of those rows that follow each other with the same integer in a column.
    pub fn dedup_by_int(&mut self, column: usize) {
        let key = |row: &[Cell]| row.get(column).and_then(Cell::as_int);
        if self.iter().is_sorted_by(|one, next| key(one) != key(next)) {
            return;
        }
        let mut rows: Vec<&[Cell]> = self.iter().collect();
        rows.dedup_by_key(|row| key(row));
        let cells = rows.concat();
        self.cells = cells;
    }

    /// The rows as slices of `width` cells.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[Cell]> {
        self.cells.chunks_exact(self.width.max(1))
    }

    pub fn first(&self) -> Option<&[Cell]> {
        self.iter().next()
    }

    /// The rows as owned vectors.
    pub fn into_rows(self) -> impl Iterator<Item = Vec<Cell>> {
        let width = self.width.max(1);
        let mut cells = self.cells.into_iter();
        std::iter::from_fn(move || {
            let row: Vec<Cell> = cells.by_ref().take(width).collect();
            (row.len() == width).then_some(row)
        })
    }

    /// The first cell of the first row as an integer: for counts and `RETURNING id`.
    pub fn one_int(&self) -> Option<i64> {
        self.cells.first().and_then(Cell::as_int)
    }
}

#[cfg(test)]
mod tests {
    use super::Rows;
    use crate::base::Cell;

    fn rows(ids: &[i64]) -> Rows {
        Rows { width: 2, cells: ids.iter().flat_map(|id| [Cell::from("a"), Cell::Int(*id)]).collect() }
    }

    #[test]
    fn rows_that_are_there_twice_are_there_once() {
        for (given, wanted) in [(&[3, 3, 2, 1, 1][..], &[3, 2, 1][..]), (&[3, 2], &[3, 2]), (&[4, 4], &[4]), (&[], &[])] {
            let mut found = rows(given);
            found.dedup_by_int(1);
            assert_eq!(found.cells, rows(wanted).cells);
        }
    }

    #[test]
    fn rows_are_put_in_the_order_of_a_column() {
        for (given, descending, wanted) in
            [(&[3, 1, 2][..], true, &[3, 2, 1][..]), (&[3, 1, 2], false, &[1, 2, 3]), (&[3, 2, 1], true, &[3, 2, 1]), (&[], true, &[])]
        {
            let mut found = rows(given);
            found.sort_by_int(1, descending);
            assert_eq!(found.cells, rows(wanted).cells);
        }
    }
}
