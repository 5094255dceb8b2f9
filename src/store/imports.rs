//! Runs of imports: what came, what became of it.

use super::read::{self, AT, INT, TEXT};
use super::sql::{at, int, text};
use super::{Sql, Store, StoreError, Tx};
use crate::base::DateTime;

/// One run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ImportRun {
    pub id: i64,
    pub entity_uid: String,
    /// Name of the file.
    pub name: String,
    /// Hash of the file.
    pub digest: String,
    /// `running`, `done`, `failed` or `cancelled`.
    pub state: String,
    pub total: i64,
    pub created: i64,
    pub updated: i64,
    pub unchanged: i64,
    pub failed: i64,
    pub started_at: Option<DateTime>,
    pub finished_at: Option<DateTime>,
    pub by_user: i64,
}

/// Writes the run, new or with its progress.
pub async fn save(tx: &mut Tx, run: &ImportRun) -> Result<(), StoreError> {
    let now = tx.now();
    tx.run(Sql::template(
        "INSERT INTO sys_import (id, entity, name, digest, state, total, created, updated, unchanged, failed, started_at, finished_at, by_user) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) \
         ON CONFLICT (id) DO UPDATE SET state = excluded.state, total = excluded.total, created = excluded.created, \
         updated = excluded.updated, unchanged = excluded.unchanged, failed = excluded.failed, finished_at = excluded.finished_at",
        [
            int(run.id),
            text(run.entity_uid.as_str()),
            text(run.name.as_str()),
            text(run.digest.as_str()),
            text(run.state.as_str()),
            int(run.total),
            int(run.created),
            int(run.updated),
            int(run.unchanged),
            int(run.failed),
            at(run.started_at.unwrap_or(now)),
            at(run.finished_at),
            int(run.by_user),
        ],
    ))
    .await?;
    Ok(())
}

/// Runs, newest first.
pub async fn list(store: &Store, limit: u32) -> Result<Vec<ImportRun>, StoreError> {
    let sql = Sql::template(
        "SELECT id, entity, name, digest, state, total, created, updated, unchanged, failed, started_at, finished_at, by_user \
         FROM sys_import ORDER BY id DESC LIMIT ?",
        [int(i64::from(limit))],
    );
    let rows = store.rows(sql, &[INT, TEXT, TEXT, TEXT, TEXT, INT, INT, INT, INT, INT, AT, AT, INT]).await?;
    Ok(rows
        .iter()
        .map(|row| ImportRun {
            id: read::int(row, 0),
            entity_uid: read::text(row, 1),
            name: read::text(row, 2),
            digest: read::text(row, 3),
            state: read::text(row, 4),
            total: read::int(row, 5),
            created: read::int(row, 6),
            updated: read::int(row, 7),
            unchanged: read::int(row, 8),
            failed: read::int(row, 9),
            started_at: read::opt_at(row, 10),
            finished_at: read::opt_at(row, 11),
            by_user: read::int(row, 12),
        })
        .collect())
}
