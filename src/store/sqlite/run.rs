//! Running a statement on one connection: bind, step, read cells.

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, Connection};

use super::fault::translate;
use crate::base::{Cell, Date};
use crate::schema::catalog::ColumnKind;
use crate::store::{Rows, Statement, StoreError};

/// Runs a statement and reads all its rows.
pub(in crate::store) fn query(connection: &Connection, statement: &Statement) -> Result<Rows, StoreError> {
    let mut prepared = prepare(connection, statement)?;
    let kinds: &[ColumnKind] = &statement.columns;
    let mut answer = Rows { width: kinds.len(), cells: Vec::with_capacity(kinds.len()) };
    let mut rows = prepared.raw_query();
    while let Some(row) = rows.next().map_err(translate)? {
        for (position, kind) in kinds.iter().enumerate() {
            let value = row.get_ref(position).map_err(translate)?;
            answer.cells.push(cell(*kind, value).ok_or(StoreError::BadCell { column: position })?);
        }
    }
    Ok(answer)
}

/// Runs a statement; gives the number of rows it touched (0 for DDL).
pub(in crate::store) fn execute(connection: &Connection, statement: &Statement) -> Result<u64, StoreError> {
    let mut prepared = prepare(connection, statement)?;
    // `raw_execute` refuses statements that give rows; those of a RETURNING are stepped over.
    if prepared.column_count() > 0 {
        let mut rows = prepared.raw_query();
        while rows.next().map_err(translate)?.is_some() {}
        return Ok(connection.changes());
    }
    let touched = prepared.raw_execute().map_err(translate)?;
    Ok(touched as u64)
}

/// Runs statements that have the text of the first one and give no rows.
pub(in crate::store) fn execute_each(connection: &Connection, statements: &[&Statement]) -> Result<(), StoreError> {
    let Some(first) = statements.first() else { return Ok(()) };
    let mut prepared = connection.prepare_cached(&first.sql).map_err(translate)?;
    for statement in statements {
        bind(&mut prepared, statement)?;
        prepared.raw_execute().map_err(translate)?;
    }
    Ok(())
}

fn bind(prepared: &mut CachedStatement<'_>, statement: &Statement) -> Result<(), StoreError> {
    for (position, (kind, cell)) in statement.binds.iter().enumerate() {
        prepared.raw_bind_parameter(position + 1, Bound(*kind, cell)).map_err(translate)?;
    }
    Ok(())
}

fn prepare<'c>(connection: &'c Connection, statement: &Statement) -> Result<CachedStatement<'c>, StoreError> {
    let mut prepared = connection.prepare_cached(&statement.sql).map_err(translate)?;
    bind(&mut prepared, statement)?;
    Ok(prepared)
}

struct Bound<'a>(ColumnKind, &'a Cell);

impl rusqlite::ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match (self.0, self.1) {
            (_, Cell::Null) => ToSqlOutput::Borrowed(ValueRef::Null),
            (_, Cell::Bool(flag)) => ToSqlOutput::Borrowed(ValueRef::Integer(i64::from(*flag))),
            (ColumnKind::Date, Cell::Int(days)) => {
                let date = Date(i32::try_from(*days).unwrap_or(i32::MAX));
                ToSqlOutput::Owned(rusqlite::types::Value::Text(date.to_string()))
            }
            (_, Cell::Int(number)) => ToSqlOutput::Borrowed(ValueRef::Integer(*number)),
            (_, Cell::Text(text)) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
        })
    }
}

/// `None` when the value is not of the kind.
fn cell(kind: ColumnKind, value: ValueRef<'_>) -> Option<Cell> {
    Some(match (kind, value) {
        (_, ValueRef::Null) => Cell::Null,
        (ColumnKind::Int | ColumnKind::DateTime, ValueRef::Integer(number)) => Cell::Int(number),
        (ColumnKind::Bool, ValueRef::Integer(number)) => Cell::Bool(number != 0),
        (ColumnKind::Text | ColumnKind::Json, ValueRef::Text(bytes)) => Cell::Text(String::from_utf8(bytes.to_vec()).ok()?),
        (ColumnKind::Date, ValueRef::Text(bytes)) => Cell::Int(i64::from(Date::parse(std::str::from_utf8(bytes).ok()?)?.0)),
        _ => return None,
    })
}
