//! Reading cells of our own system tables, whose shape is known.

use crate::base::{Cell, DateTime};
use crate::schema::catalog::ColumnKind;

pub(super) use ColumnKind::{Bool as BOOL, Date as DATE, DateTime as AT, Int as INT, Text as TEXT};

/// The integer at `position`, 0 when null.
pub(super) fn int(row: &[Cell], position: usize) -> i64 {
    opt_int(row, position).unwrap_or(0)
}

pub(super) fn opt_int(row: &[Cell], position: usize) -> Option<i64> {
    row.get(position).and_then(Cell::as_int)
}

/// The text at `position`, empty when null.
pub(super) fn text(row: &[Cell], position: usize) -> String {
    opt_text(row, position).unwrap_or_default()
}

pub(super) fn opt_text(row: &[Cell], position: usize) -> Option<String> {
    row.get(position).and_then(Cell::as_text).map(str::to_owned)
}

pub(super) fn at(row: &[Cell], position: usize) -> DateTime {
    DateTime(int(row, position))
}

pub(super) fn opt_at(row: &[Cell], position: usize) -> Option<DateTime> {
    opt_int(row, position).map(DateTime)
}

pub(super) fn flag(row: &[Cell], position: usize) -> bool {
    matches!(row.get(position), Some(Cell::Bool(true)))
}
