//! Computed values that are stale and wait for their computation.

use super::read::{self, INT, TEXT};
use super::sql::{int, text};
use super::{Dialect, Sql, StoreError, Tx};
use crate::base::RecordId;

/// Marks a computed field of a record as stale. Wakes [`super::Store::signals`] after the commit.
pub async fn mark(tx: &mut Tx, field_uid: &str, record: RecordId) -> Result<(), StoreError> {
    tx.run(Sql::template(
        "INSERT INTO sys_recalc (field, record) VALUES (?, ?) ON CONFLICT (field, record) DO NOTHING",
        [text(field_uid), int(record.0)],
    ))
    .await?;
    tx.wake();
    Ok(())
}

/// Takes up to `limit` marks off; they come back when the unit is undone.
pub async fn take(tx: &mut Tx, limit: u32) -> Result<Vec<(String, RecordId)>, StoreError> {
    let mut sql =
        Sql::new("DELETE FROM sys_recalc WHERE (field, record) IN (SELECT field, record FROM sys_recalc ORDER BY field, record LIMIT ");
    sql.number(i64::from(limit));
    if tx.dialect() == Dialect::Postgres {
        sql.push(" FOR UPDATE SKIP LOCKED");
    }
    sql.push(") RETURNING field, record");
    let rows = tx.rows(sql, &[TEXT, INT]).await?;
    Ok(rows.iter().map(|row| (read::text(row, 0), RecordId(read::int(row, 1)))).collect())
}
