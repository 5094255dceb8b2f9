//! The first page of somebody under an access rule, looked for among the newest records alone (SQLite).
//!
//! Putting the records of many owners together in order costs more than reading them: here all that the asker sees from one record
//! on is read as an index gives it, and put in order afterwards. From which record on the page that was found last tells.

use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};

use crate::access::Authorised;
use crate::base::{Cell, DateTime};
use crate::expr::EvalContext;
use crate::query::{ListRequest, Paging};
use crate::schema::catalog::{Catalog, ColumnKind, Entity};
use crate::store::statement::LOWEST;
use crate::store::{Dialect, Rows, Statement};

use super::branches::{branches_of_rule, ids_from};
use super::columns::Columns;
use super::expr::ExprSql;
use super::select::{Take, bin, is_in_order, one_by_one, where_all};

/// A statement for a first page and what it knows about where that page ends.
#[derive(Debug)]
pub struct Window {
    /// Has [`LOWEST`] where the lowest id stands.
    page: Statement,
    /// Place of the id in its rows.
    id: usize,
    /// Rows of a page, with the one that tells that there are more.
    fills: usize,
    lowest: AtomicI64,
    /// How often in a row it did not hold the page.
    missed: AtomicU32,
}

impl Window {
    /// Nothing is known of the page yet.
    const UNKNOWN: i64 = i64::MAX;
    /// All records there are.
    const ALL: i64 = i64::MIN;
    /// The window is made smaller when it holds so many pages.
    const WIDE: usize = 2;
    /// So many pages are read at most.
    const WIDEST: usize = 3;
    /// A window that missed so often in a row (where records come many times, as each was shared with many) is looked through no more.
    const MOST_MISSED: u32 = 5;

    /// What to run; `None` where nothing is known of the page.
    pub(super) fn next(&self, now: DateTime) -> Option<(Statement, i64)> {
        let lowest = self.lowest.load(Ordering::Relaxed);
        if self.missed.load(Ordering::Relaxed) >= Self::MOST_MISSED {
            return None;
        }
        (lowest != Self::UNKNOWN).then(|| (self.page.from(lowest).at(now).into_owned(), lowest))
    }

    /// The page, if the rows found from a record on hold it. Each row is there once, the newest first.
    pub(super) fn take(&self, mut rows: Rows, lowest: i64) -> Option<Rows> {
        let read = rows.len();
        rows.sort_by_int(self.id, true);
        rows.dedup_by_int(self.id);
        if read >= self.fills * Self::WIDEST || (rows.len() < self.fills && lowest != Self::ALL) {
            self.missed.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        self.missed.store(0, Ordering::Relaxed);
        if rows.len() >= self.fills * Self::WIDE {
            self.learn(&rows);
        }
        Some(rows)
    }

    /// Remembers where the page ends.
    pub(super) fn learn(&self, rows: &Rows) {
        let last = rows.iter().nth(self.fills - 1);
        let lowest = last.map_or(Some(Self::ALL), |row| row.get(self.id).and_then(Cell::as_int));
        self.lowest.store(lowest.unwrap_or(Self::UNKNOWN), Ordering::Relaxed);
    }
}

/// The window of a list, where it can have one: its first page, in the order of ids, unfiltered, under a rule that indexes answer.
pub(super) fn window<T: AsRef<ListRequest>>(catalog: &Catalog, request: &Authorised<T>, context: &EvalContext<'_>) -> Option<Window> {
    let asked = request.request().as_ref();
    if !is_in_order(asked) || asked.filter.is_some() || !matches!(asked.paging, Paging::First) {
        return None;
    }
    let with = ExprSql { catalog, dialect: Dialect::Sqlite, entity: asked.entity, rows: request.rows(), context };
    let entity: &Entity = catalog.entity(asked.entity);
    let branches = branches_of_rule(with, entity, asked)?;
    let fills = asked.limit as usize + 1;
    let mut parts = Vec::new();
    let mut columns = Columns::new(with, &mut parts, None);
    let shape = columns.shape("t", &asked.select, None);
    let live = bin(entity, asked.deleted);
    let mut sql = one_by_one(entity, ids_from(entity, &branches, &live, LOWEST), &columns);
    where_all(&mut sql, "\nWHERE ", live);
    sql.push("\n");
    Take { rows: i64::from(asked.limit).saturating_add(1) * Window::WIDEST as i64, skip: 0 }.write(&mut sql);
    let page = sql.statement_planned_once(Dialect::Sqlite, &columns.kinds());
    // A constant of a rule or formula that looks the same would be taken for it.
    let is_lowest = |bind: &&(ColumnKind, Cell)| matches!(bind, (ColumnKind::Int, Cell::Int(LOWEST)));
    if page.binds.iter().filter(is_lowest).count() != branches.lowest_ids() {
        return None;
    }
    Some(Window { page, id: shape.id, fills, lowest: AtomicI64::new(Window::UNKNOWN), missed: AtomicU32::new(0) })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A window for pages of two records.
    fn of_two() -> Window {
        let page = Statement { sql: "".into(), binds: Vec::new(), columns: [].into() };
        Window { page, id: 0, fills: 3, lowest: AtomicI64::new(Window::UNKNOWN), missed: AtomicU32::new(0) }
    }

    fn rows(ids: &[i64]) -> Rows {
        Rows { width: 1, cells: ids.iter().copied().map(Cell::Int).collect() }
    }

    fn ids(rows: Option<Rows>) -> Option<Vec<i64>> {
        Some(rows?.cells.iter().filter_map(Cell::as_int).collect())
    }

    #[test]
    fn a_page_is_taken_only_where_it_is_whole() {
        let window = of_two();
        // Fewer than fill it: others may be before the window.
        assert_eq!(ids(window.take(rows(&[9, 8]), 8)), None);
        assert_eq!(ids(window.take(rows(&[8, 9, 8]), 8)), None, "what was shared twice counts once");
        assert_eq!(ids(window.take(rows(&[7, 9, 8, 9]), 7)), Some(vec![9, 8, 7]));
        // There is nothing before all there is.
        assert_eq!(ids(window.take(rows(&[8, 9]), Window::ALL)), Some(vec![9, 8]));
        // The statement may have left some out.
        assert_eq!(ids(window.take(rows(&(1..=9).collect::<Vec<_>>()), Window::ALL)), None);
    }

    #[test]
    fn a_window_that_never_holds_the_page_is_left() {
        let window = of_two();
        window.learn(&rows(&[9, 8, 7]));
        for _ in 0..Window::MOST_MISSED - 1 {
            assert!(window.take(rows(&[9, 9, 9, 8, 8, 8, 7, 7, 7]), 7).is_none());
        }
        assert!(window.next(DateTime(0)).is_some() && window.take(rows(&[9, 8, 7]), 7).is_some(), "one that holds it counts anew");
        for _ in 0..Window::MOST_MISSED {
            assert!(window.next(DateTime(0)).is_some());
            window.take(rows(&[9]), 7);
        }
        assert!(window.next(DateTime(0)).is_none());
    }

    #[test]
    fn a_window_follows_the_page() {
        let window = of_two();
        assert!(window.next(DateTime(0)).is_none(), "nothing is known");
        let lowest = |window: &Window| window.next(DateTime(0)).map(|(_, lowest)| lowest);
        window.learn(&rows(&[9, 8]));
        assert_eq!(lowest(&window), Some(Window::ALL), "the page holds all there is");
        window.learn(&rows(&[9, 8, 7]));
        assert_eq!(lowest(&window), Some(7));
        window.take(rows(&[7, 8, 9, 10, 11]), 7);
        assert_eq!(lowest(&window), Some(7), "a few more do no harm");
        window.take(rows(&[7, 8, 9, 10, 11, 12]), 7);
        assert_eq!(lowest(&window), Some(10));
    }
}
