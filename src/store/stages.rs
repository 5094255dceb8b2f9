//! Through which stages records went: one row a move, written with the save that made it.

use std::collections::HashMap;

use super::read::{self, AT, INT, TEXT};
use super::sql::{at, int, text};
use super::statement::Fixed;
use super::{Sql, Store, StoreError, Tx};
use crate::base::{Cell, DateTime, RecordId};

/// More moves of one record than this are not read.
const MOST: i64 = 500;

/// One move.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub record: RecordId,
    /// Version of the record after the save.
    pub version: i64,
    /// Uid of the field that holds the stage.
    pub field_uid: String,
    pub pipeline: String,
    /// None for a record that had none.
    pub from: Option<String>,
    pub to: Option<String>,
    pub at: DateTime,
    /// User on whose behalf, 0 for none.
    pub actor: i64,
    /// Why, as whoever moved it said.
    pub reason: Option<String>,
}

static APPEND: Fixed = Fixed::new(
    "INSERT INTO sys_stage (record, version, field, pipeline, from_stage, to_stage, at, actor, reason) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
);

/// Writes one move.
pub async fn append(tx: &mut Tx, entry: &Entry) -> Result<(), StoreError> {
    let binds = vec![
        int(entry.record.0),
        int(entry.version),
        text(entry.field_uid.as_str()),
        text(entry.pipeline.as_str()),
        text(entry.from.as_deref()),
        text(entry.to.as_deref()),
        at(entry.at),
        int(entry.actor),
        text(entry.reason.as_deref()),
    ];
    let insert = APPEND.statement(tx.dialect(), binds);
    tx.execute(&insert).await?;
    Ok(())
}

/// The moves of a record, oldest first.
pub async fn list(store: &Store, record: RecordId) -> Result<Vec<Entry>, StoreError> {
    let sql = Sql::template(
        "SELECT record, version, field, pipeline, from_stage, to_stage, at, actor, reason FROM sys_stage \
         WHERE record = ? ORDER BY version LIMIT ?",
        [int(record.0), int(MOST)],
    );
    let rows = store.rows(sql, &[INT, INT, TEXT, TEXT, TEXT, TEXT, AT, INT, TEXT]).await?;
    Ok(rows.iter().map(entry).collect())
}

/// When each of these records came into the stage it is in, by the field that holds it; whichever pipeline it followed since.
pub async fn since(store: &Store, field_uid: &str, records: &[RecordId]) -> Result<HashMap<RecordId, DateTime>, StoreError> {
    if records.is_empty() {
        return Ok(HashMap::new());
    }
    let ids: Vec<i64> = records.iter().map(|id| id.0).collect();
    let mut sql = Sql::new("SELECT record, max(at) FROM sys_stage WHERE field = ");
    sql.bind(TEXT, field_uid).push(" AND record IN ").bind_long_list(store.dialect(), &ids);
    sql.push(" AND (from_stage IS NULL OR to_stage IS NULL OR from_stage <> to_stage) GROUP BY record");
    let rows = store.rows(sql, &[INT, AT]).await?;
    Ok(rows.iter().map(|row| (RecordId(read::int(row, 0)), read::at(row, 1))).collect())
}

/// Forgets a record's moves, when it is gone for good.
pub async fn forget(tx: &mut Tx, record: RecordId) -> Result<u64, StoreError> {
    tx.run(Sql::template("DELETE FROM sys_stage WHERE record = ?", [int(record.0)])).await
}

/// Empties the reasons, which people wrote freely.
pub async fn empty_reasons(tx: &mut Tx, record: RecordId) -> Result<u64, StoreError> {
    tx.run(Sql::template("UPDATE sys_stage SET reason = NULL WHERE record = ?", [int(record.0)])).await
}

fn entry(row: &[Cell]) -> Entry {
    let opt = |at: usize| read::opt_text(row, at);
    Entry {
        record: RecordId(read::int(row, 0)),
        version: read::int(row, 1),
        field_uid: read::text(row, 2),
        pipeline: read::text(row, 3),
        from: opt(4),
        to: opt(5),
        at: read::at(row, 6),
        actor: read::int(row, 7),
        reason: opt(8),
    }
}
