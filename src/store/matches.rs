//! Keys by which duplicates are found. A key is a number that begins with its rule's; records with a key in common may be
//! alike, which whoever asks finds out from their values.

use super::read::{self, INT};
use super::sql::int;
use super::{Dialect, Sql, StoreError, Tx};
use crate::base::{Cell, RecordId};

/// First number of the advisory locks of keys on PostgreSQL.
const LOCKS: i64 = 7_203;
/// Keys written in one statement.
const AT_ONCE: usize = 200;

/// Replaces the keys of a record. `is_new` spares looking for former ones.
pub async fn put(tx: &mut Tx, record: RecordId, keys: &[i64], is_new: bool) -> Result<(), StoreError> {
    if !is_new {
        forget(tx, record).await?;
    }
    for part in keys.chunks(AT_ONCE) {
        let mut sql = Sql::new("INSERT INTO sys_match (key, record) VALUES ");
        sql.join(", ", part.iter().map(|key| Sql::template("(?, ?)", [int(*key), int(record.0)])));
        sql.push(" ON CONFLICT DO NOTHING");
        tx.run(sql).await?;
    }
    Ok(())
}

/// Removes the keys of a record.
pub async fn forget(tx: &mut Tx, record: RecordId) -> Result<(), StoreError> {
    tx.run(Sql::template("DELETE FROM sys_match WHERE record = ?", [int(record.0)])).await?;
    Ok(())
}

/// Up to `limit` rows of others that have one of these keys: records, some of them several times.
pub async fn find(tx: &mut Tx, keys: &[i64], but: RecordId, limit: u32) -> Result<Vec<RecordId>, StoreError> {
    let mut sql = Sql::new("SELECT record FROM sys_match WHERE key IN ");
    sql.bind_long_list(tx.dialect(), keys).push(" AND record <> ").bind(INT, Cell::Int(but.0)).push(" LIMIT ");
    sql.number(i64::from(limit));
    let rows = tx.rows(sql, &[INT]).await?;
    let mut found: Vec<RecordId> = rows.iter().map(|row| RecordId(read::int(row, 0))).collect();
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

/// Lets nobody else look for these keys until this unit ends, so that two who save at once do not both find nothing. On SQLite
/// one unit writes at a time anyway.
pub async fn hold(tx: &mut Tx, keys: &[i64]) -> Result<(), StoreError> {
    if tx.dialect() == Dialect::Sqlite || keys.is_empty() {
        return Ok(());
    }
    // A lock for each key would fill the table of locks during an import.
    let mut buckets: Vec<i64> = keys.iter().map(|key| (((key >> 40) & 0xff_ffff) << 6) | (key & 63)).collect();
    buckets.sort_unstable();
    buckets.dedup();
    let mut sql = Sql::new("SELECT count(*) FROM (SELECT pg_advisory_xact_lock(CAST(");
    sql.number(LOCKS)
        .push(" AS int), CAST(bucket AS int)) FROM (SELECT CAST(value AS bigint) AS bucket FROM jsonb_array_elements_text(CAST(");
    let list = format!("[{}]", buckets.iter().map(i64::to_string).collect::<Vec<_>>().join(","));
    sql.bind(read::TEXT, Cell::Text(list)).push(" AS jsonb)) ORDER BY 1 OFFSET 0) AS wanted OFFSET 0) AS held");
    tx.rows(sql, &[INT]).await?;
    Ok(())
}
