//! Counting what a plan touches. Every function is one statement.

use super::{Sql, Store, StoreError, Tx};
use crate::base::{Cell, RecordId};
use crate::schema::catalog::{ColumnKind, Entity, Field, FieldType, Unique};

/// Values that occur more than once among live records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Duplicates {
    /// Number of values.
    pub groups: i64,
    /// Number of records that carry them.
    pub records: i64,
}

/// Number of rows of a table, deleted ones included.
pub async fn rows(store: &Store, table: &str) -> Result<i64, StoreError> {
    let mut sql = Sql::new("SELECT count(*) FROM ");
    sql.ident(table);
    one(store, sql).await
}

/// Number of rows in which a column holds a value.
pub async fn filled(store: &Store, table: &str, column: &str) -> Result<i64, StoreError> {
    let mut sql = Sql::new("SELECT count(");
    sql.ident(column).push(") FROM ").ident(table);
    one(store, sql).await
}

/// Number of records that carry an option of a select or multi_select.
pub async fn option_uses(store: &Store, entity: &Entity, field: &Field, key: &str) -> Result<i64, StoreError> {
    let mut sql = Sql::new("SELECT count(*) FROM ");
    match (&field.ty, &field.side_table, field.columns.first()) {
        (FieldType::Select(_), _, Some(column)) => {
            sql.ident(&entity.table).push(" WHERE ").ident(&column.name).push(" = ");
        }
        (_, Some(side), _) => {
            sql.ident(side).push(" WHERE \"opt\" = ");
        }
        _ => return Ok(0),
    }
    sql.bind(ColumnKind::Text, Cell::from(key));
    one(store, sql).await
}

/// What stands in the way of a unique index. Texts count folded, as the index does; nulls never clash.
pub async fn duplicates(store: &Store, entity: &Entity, unique: &Unique) -> Result<Duplicates, StoreError> {
    let columns: Vec<&str> = unique
        .fields
        .iter()
        .filter_map(|ix| {
            let field = entity.field(*ix);
            field.fold_column.as_deref().or_else(|| field.columns.first().map(|column| column.name.as_str()))
        })
        .collect();
    if columns.is_empty() {
        return Ok(Duplicates::default());
    }
    let mut sql = Sql::new("SELECT count(*), coalesce(sum(n), 0) FROM (SELECT count(*) AS n FROM ");
    sql.ident(&entity.table).push(" WHERE ");
    if entity.features.soft_delete {
        sql.push("\"deleted_at\" IS NULL AND ");
    }
    for (position, column) in columns.iter().enumerate() {
        if position > 0 {
            sql.push(" AND ");
        }
        sql.ident(column).push(" IS NOT NULL");
    }
    sql.push(" GROUP BY ");
    for (position, column) in columns.iter().enumerate() {
        if position > 0 {
            sql.push(", ");
        }
        sql.ident(column);
    }
    sql.push(" HAVING count(*) > 1) AS d");
    let found = store.rows(sql, &[ColumnKind::Int, ColumnKind::Int]).await?;
    let cell = |position: usize| found.cells.get(position).and_then(Cell::as_int).unwrap_or(0);
    Ok(Duplicates { groups: cell(0), records: cell(1) })
}

async fn one(store: &Store, sql: Sql) -> Result<i64, StoreError> {
    Ok(store.rows(sql, &[ColumnKind::Int]).await?.one_int().unwrap_or(0))
}

/// Whether the database answers.
///
/// # Errors
/// It does not.
pub async fn alive(store: &Store) -> Result<(), StoreError> {
    store.rows(Sql::new("SELECT 1"), &[ColumnKind::Int]).await?;
    Ok(())
}

/// Ids of a table after one, in their order, for work in chunks.
///
/// # Errors
/// The database.
pub async fn ids_after(tx: &mut Tx, table: &str, after: i64, limit: u32) -> Result<Vec<RecordId>, StoreError> {
    let rows = tx.rows(behind(table, after, limit), &[ColumnKind::Int]).await?;
    Ok(rows.cells.iter().filter_map(Cell::as_int).map(RecordId).collect())
}

/// [`ids_after`] outside of units of work.
///
/// # Errors
/// The database.
pub async fn ids_behind(store: &Store, table: &str, after: i64, limit: u32) -> Result<Vec<RecordId>, StoreError> {
    let rows = store.rows(behind(table, after, limit), &[ColumnKind::Int]).await?;
    Ok(rows.cells.iter().filter_map(Cell::as_int).map(RecordId).collect())
}

fn behind(table: &str, after: i64, limit: u32) -> Sql {
    let mut sql = Sql::new("SELECT \"id\" FROM ");
    sql.ident(table).push(" WHERE \"id\" > ").bind(ColumnKind::Int, after).push(" ORDER BY \"id\" LIMIT ").number(i64::from(limit));
    sql
}
