//! What changed in a record: one row a save.

use super::read::{self, AT, INT, TEXT};
use super::sql::{at, int, text};
use super::statement::Fixed;
use super::{Dialect, Sql, Statement, Store, StoreError, Tx};
use crate::base::{DateTime, RecordId};

/// One save. `changes` is `{"<field uid>": [old, new], …}` in the JSON forms of the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub record: RecordId,
    /// Version of the record after the save.
    pub version: i64,
    /// Entity's uid.
    pub entity_uid: String,
    /// `create`, `update`, `delete`, `restore` or `purge`.
    pub action: String,
    pub at: DateTime,
    /// User on whose behalf, 0 for none.
    pub actor: i64,
    /// `person`, `token`, `automation`, `script`, `system`.
    pub actor_kind: String,
    pub changes_json: String,
}

static APPEND: Fixed =
    Fixed::new("INSERT INTO sys_history (record, version, entity, action, at, actor, actor_kind, changes) VALUES (?, ?, ?, ?, ?, ?, ?, ?)");

/// The statement that writes an entry.
pub fn insert(dialect: Dialect, entry: &Entry) -> Statement {
    let binds = vec![
        int(entry.record.0),
        int(entry.version),
        text(entry.entity_uid.as_str()),
        text(entry.action.as_str()),
        at(entry.at),
        int(entry.actor),
        text(entry.actor_kind.as_str()),
        text(entry.changes_json.as_str()),
    ];
    APPEND.statement(dialect, binds)
}

/// Writes one entry.
pub async fn append(tx: &mut Tx, entry: &Entry) -> Result<(), StoreError> {
    let insert = insert(tx.dialect(), entry);
    tx.execute(&insert).await?;
    Ok(())
}

/// Entries of a record, newest first, below version `before` if given.
pub async fn list(store: &Store, record: RecordId, before: Option<i64>, limit: u32) -> Result<Vec<Entry>, StoreError> {
    let sql = Sql::template(
        "SELECT record, version, entity, action, at, actor, actor_kind, changes FROM sys_history \
         WHERE record = ? AND version < ? ORDER BY version DESC LIMIT ?",
        [int(record.0), int(before.unwrap_or(i64::MAX)), int(i64::from(limit))],
    );
    let rows = store.rows(sql, &[INT, INT, TEXT, TEXT, AT, INT, TEXT, TEXT]).await?;
    Ok(rows.iter().map(entry).collect())
}

/// Entries of a record after version `since`, oldest first: what a stale client has missed.
pub async fn since(tx: &mut Tx, record: RecordId, since: i64) -> Result<Vec<Entry>, StoreError> {
    let sql = Sql::template(
        "SELECT record, version, entity, action, at, actor, actor_kind, changes FROM sys_history \
         WHERE record = ? AND version > ? ORDER BY version LIMIT 500",
        [int(record.0), int(since)],
    );
    let rows = tx.rows(sql, &[INT, INT, TEXT, TEXT, AT, INT, TEXT, TEXT]).await?;
    Ok(rows.iter().map(entry).collect())
}

/// Entries of some records between two moments (both included), the newest of each first.
pub async fn between(store: &Store, records: &[i64], from: DateTime, to: DateTime) -> Result<Vec<Entry>, StoreError> {
    let mut sql = Sql::new("SELECT record, version, entity, action, at, actor, actor_kind, changes FROM sys_history WHERE record IN ");
    sql.bind_long_list(store.dialect(), records);
    sql.append(Sql::template(" AND at >= ? AND at <= ? ORDER BY record, version DESC", [at(from), at(to)]));
    let rows = store.rows(sql, &[INT, INT, TEXT, TEXT, AT, INT, TEXT, TEXT]).await?;
    Ok(rows.iter().map(entry).collect())
}

/// Forgets a record's past, when it is purged.
pub async fn forget(tx: &mut Tx, record: RecordId) -> Result<u64, StoreError> {
    tx.run(Sql::template("DELETE FROM sys_history WHERE record = ?", [int(record.0)])).await
}

/// Whether anything is told of this record of an entity.
pub async fn is_known(tx: &mut Tx, entity_uid: &str, record: RecordId) -> Result<bool, StoreError> {
    let sql = Sql::template("SELECT record FROM sys_history WHERE record = ? AND entity = ? LIMIT 1", [int(record.0), text(entity_uid)]);
    Ok(!tx.rows(sql, &[INT]).await?.is_empty())
}

/// Changes what the entries of a record tell; `change` gives the new text, or `None` where it stays.
pub async fn rewrite(tx: &mut Tx, record: RecordId, mut change: impl FnMut(&str) -> Option<String> + Send) -> Result<(), StoreError> {
    let mut after = i64::MIN;
    loop {
        let sql = Sql::template(
            "SELECT version, changes FROM sys_history WHERE record = ? AND version > ? ORDER BY version LIMIT 500",
            [int(record.0), int(after)],
        );
        let rows = tx.rows(sql, &[INT, TEXT]).await?;
        let Some(last) = rows.iter().last() else { return Ok(()) };
        after = read::int(last, 0);
        for row in rows.iter() {
            if let Some(changed) = change(&read::text(row, 1)) {
                tx.run(Sql::template(
                    "UPDATE sys_history SET changes = ? WHERE record = ? AND version = ?",
                    [text(changed.as_str()), int(record.0), int(read::int(row, 0))],
                ))
                .await?;
            }
        }
    }
}

fn entry(row: &[crate::base::Cell]) -> Entry {
    Entry {
        record: RecordId(read::int(row, 0)),
        version: read::int(row, 1),
        entity_uid: read::text(row, 2),
        action: read::text(row, 3),
        at: read::at(row, 4),
        actor: read::int(row, 5),
        actor_kind: read::text(row, 6),
        changes_json: read::text(row, 7),
    }
}
