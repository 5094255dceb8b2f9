//! The only maker of SQL text: `'static` pieces, checked and quoted identifiers, bound values.
//!
//! A text is the same for both dialects until [`Sql::statement`] writes the placeholders, so pieces can be appended
//! to one another in any order.

use std::sync::Arc;

use super::{Dialect, Statement};
use crate::base::{Cell, DateTime};
use crate::schema::catalog::ColumnKind;

/// Stands for a bound value until the dialect is known. No static piece and no identifier contains it.
const SLOT: char = '\u{1}';

/// A value to bind with the type it is bound as.
pub type Bind = (ColumnKind, Cell);

/// SQL text being built.
#[derive(Debug, Clone, Default)]
pub struct Sql {
    text: String,
    binds: Vec<Bind>,
}

impl Sql {
    pub fn new(text: &'static str) -> Self {
        Self { text: text.to_owned(), binds: Vec::new() }
    }

    /// A text in which each `?` takes the next of `binds`.
    pub fn template(text: &'static str, binds: impl Into<Vec<Bind>>) -> Self {
        let binds = binds.into();
        debug_assert_eq!(text.matches('?').count(), binds.len(), "placeholders and values of: {text}");
        Self { text: swapped(text.to_owned(), b'?', SLOT as u8), binds }
    }

    pub fn push(&mut self, text: &'static str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    /// Appends a name, always quoted. Control characters are left out: no catalog name has any.
    pub fn ident(&mut self, name: &str) -> &mut Self {
        self.text.push('"');
        if !name.bytes().any(|byte| byte == b'"' || !(0x20..0x7f).contains(&byte)) {
            self.text.push_str(name);
            self.text.push('"');
            return self;
        }
        for c in name.chars().filter(|c| !c.is_control()) {
            if c == '"' {
                self.text.push('"');
            }
            self.text.push(c);
        }
        self.text.push('"');
        self
    }

    /// Appends a placeholder and binds the value to it.
    pub fn bind(&mut self, kind: ColumnKind, cell: impl Into<Cell>) -> &mut Self {
        self.text.push(SLOT);
        self.binds.push((kind, cell.into()));
        self
    }

    /// Numbers in parentheses as one bound value, for lists longer than a database binds values.
    pub fn bind_long_list(&mut self, dialect: Dialect, numbers: &[i64]) -> &mut Self {
        let list = format!("[{}]", numbers.iter().map(i64::to_string).collect::<Vec<_>>().join(","));
        match dialect {
            Dialect::Sqlite => self.push("(SELECT value FROM json_each(").bind(ColumnKind::Json, Cell::Text(list)).push("))"),
            Dialect::Postgres => self
                .push("(SELECT CAST(value AS bigint) FROM jsonb_array_elements_text(CAST(")
                .bind(ColumnKind::Text, Cell::Text(list))
                .push(" AS jsonb)))"),
        }
    }

    /// Appends `(?, ?, …)` for an `in`. The last value is repeated up to a power of two, so that lists of different
    /// lengths share few statement texts. An empty list gives `(NULL)`, which matches nothing.
    pub fn bind_list(&mut self, kind: ColumnKind, cells: impl IntoIterator<Item = Cell>) -> &mut Self {
        let mut cells: Vec<Cell> = cells.into_iter().collect();
        let Some(last) = cells.last().cloned() else {
            return self.push("(NULL)");
        };
        cells.resize(cells.len().next_power_of_two(), last);
        self.push("(");
        for (position, cell) in cells.into_iter().enumerate() {
            if position > 0 {
                self.push(", ");
            }
            self.bind(kind, cell);
        }
        self.push(")")
    }

    /// Appends an integer literal (limits, positions): numbers need no binding.
    pub fn number(&mut self, number: i64) -> &mut Self {
        self.text.push_str(&number.to_string());
        self
    }

    pub fn append(&mut self, other: Sql) -> &mut Self {
        self.text.push_str(&other.text);
        self.binds.extend(other.binds);
        self
    }

    /// Appends the parts with `separator` between them.
    pub fn join(&mut self, separator: &'static str, parts: impl IntoIterator<Item = Sql>) -> &mut Self {
        for (position, part) in parts.into_iter().enumerate() {
            if position > 0 {
                self.push(separator);
            }
            self.append(part);
        }
        self
    }

    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Number of bound values so far.
    pub fn bound(&self) -> usize {
        self.binds.len()
    }

    /// The text with the dialect's placeholders (`?` or `$1`), for plans and golden files.
    pub fn text(&self, dialect: Dialect) -> String {
        let mut out = String::with_capacity(self.text.len() + 8);
        let mut number = 0;
        for c in self.text.chars() {
            if c != SLOT {
                out.push(c);
                continue;
            }
            number += 1;
            match dialect {
                Dialect::Sqlite => out.push('?'),
                Dialect::Postgres => {
                    out.push('$');
                    out.push_str(&number.to_string());
                }
            }
        }
        out
    }

    /// The same with the bound values written out as literals, for DDL, which takes no bound values.
    pub fn with_literals(&self) -> Sql {
        let mut out = String::with_capacity(self.text.len() + 16);
        let mut binds = self.binds.iter();
        for c in self.text.chars() {
            match (c, c == SLOT) {
                (_, true) => out.push_str(&binds.next().map_or_else(|| "NULL".to_owned(), literal)),
                (c, false) => out.push(c),
            }
        }
        Sql { text: out, binds: Vec::new() }
    }

    /// The same with columns of `alias` written without it: indexes take bare names only.
    pub(super) fn without_alias(mut self, alias: &str) -> Sql {
        self.text = self.text.replace(&format!("\"{alias}\"."), "");
        self
    }

    /// The values bound so far, in order.
    pub fn binds(&self) -> &[Bind] {
        &self.binds
    }

    /// Ready to run. `columns` are the kinds of the answer's columns (empty for a statement without an answer).
    pub fn statement(self, dialect: Dialect, columns: &[ColumnKind]) -> Statement {
        let text = match dialect {
            // One byte for one byte: no new text.
            Dialect::Sqlite => swapped(self.text, SLOT as u8, b'?'),
            Dialect::Postgres => self.text(dialect),
        };
        Statement { sql: text.into(), binds: self.binds, columns: Arc::from(columns) }
    }

    /// The same for a statement whose way is right whatever the values are. SQLite looks at the values of plain placeholders to
    /// estimate how many records have them, and therefore plans such a statement anew each time it runs; it does not look
    /// into an expression.
    pub fn statement_planned_once(self, dialect: Dialect, columns: &[ColumnKind]) -> Statement {
        if dialect == Dialect::Postgres {
            return self.statement(dialect, columns);
        }
        let mut out = String::with_capacity(self.text.len() + 8 * self.binds.len());
        let mut binds = self.binds.iter();
        for piece in self.text.split_inclusive(SLOT) {
            let Some(before) = piece.strip_suffix(SLOT) else {
                out.push_str(piece);
                continue;
            };
            out.push_str(before);
            out.push_str(match binds.next() {
                Some((ColumnKind::Date, Cell::Int(_)) | (_, Cell::Text(_))) => "(? || '')",
                Some((_, Cell::Int(_))) => "(? + 0)",
                _ => "?",
            });
        }
        Statement { sql: out.into(), binds: self.binds, columns: Arc::from(columns) }
    }
}

/// The text with one ASCII character in the place of another.
fn swapped(text: String, from: u8, to: u8) -> String {
    let mut bytes = text.into_bytes();
    for byte in bytes.iter_mut().filter(|byte| **byte == from) {
        *byte = to;
    }
    // Both are ASCII, so that the text stays one.
    String::from_utf8(bytes).unwrap_or_default()
}

/// A value as both dialects read it. Control characters are left out: PostgreSQL refuses a zero byte.
fn literal(bind: &Bind) -> String {
    match bind {
        (_, Cell::Null) => "NULL".to_owned(),
        (ColumnKind::Date, Cell::Int(days)) => {
            format!("'{}'", crate::base::Date(i32::try_from(*days).unwrap_or_default()))
        }
        (_, Cell::Bool(flag)) => if *flag { "TRUE" } else { "FALSE" }.to_owned(),
        (_, Cell::Int(number)) => number.to_string(),
        (_, Cell::Text(text)) => {
            let clean: String = text.chars().filter(|c| !c.is_control()).collect();
            format!("'{}'", clean.replace('\'', "''"))
        }
    }
}

/// Binds an integer.
pub fn int(number: impl Into<Option<i64>>) -> Bind {
    (ColumnKind::Int, number.into().map_or(Cell::Null, Cell::Int))
}

/// Binds a text.
pub fn text<'a>(text: impl Into<Option<&'a str>>) -> Bind {
    (ColumnKind::Text, text.into().map_or(Cell::Null, Cell::from))
}

/// Binds JSON text.
pub fn json<'a>(text: impl Into<Option<&'a str>>) -> Bind {
    (ColumnKind::Json, text.into().map_or(Cell::Null, Cell::from))
}

/// Binds a moment.
pub fn at(moment: impl Into<Option<DateTime>>) -> Bind {
    (ColumnKind::DateTime, moment.into().map_or(Cell::Null, |at| Cell::Int(at.0)))
}

/// Binds yes or no.
pub fn flag(flag: bool) -> Bind {
    (ColumnKind::Bool, Cell::Bool(flag))
}
