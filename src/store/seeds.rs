//! Which record a package's seed or sample row became, and what it looked like when written.

use super::read::{self, BOOL, INT, TEXT};
use super::sql::{flag, int, text};
use super::{Sql, Store, StoreError, Tx};
use crate::base::RecordId;

/// One seeded record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seed {
    pub package: String,
    /// Stable key inside the package.
    pub key: String,
    pub entity_uid: String,
    pub record: RecordId,
    /// Hash of the values when written: another hash now means that someone changed the record.
    pub hash: String,
    pub is_sample: bool,
}

/// All seeds of a package, by key.
pub async fn list(store: &Store, package: &str) -> Result<Vec<Seed>, StoreError> {
    let sql =
        Sql::template("SELECT package, key, entity, record, hash, is_sample FROM sys_seed WHERE package = ? ORDER BY key", [text(package)]);
    let rows = store.rows(sql, &[TEXT, TEXT, TEXT, INT, TEXT, BOOL]).await?;
    Ok(rows
        .iter()
        .map(|row| Seed {
            package: read::text(row, 0),
            key: read::text(row, 1),
            entity_uid: read::text(row, 2),
            record: RecordId(read::int(row, 3)),
            hash: read::text(row, 4),
            is_sample: read::flag(row, 5),
        })
        .collect())
}

/// The record of a key, as the transaction sees it.
pub async fn find(tx: &mut Tx, package: &str, key: &str) -> Result<Option<RecordId>, StoreError> {
    let sql = Sql::template("SELECT record FROM sys_seed WHERE package = ? AND key = ?", [text(package), text(key)]);
    Ok(tx.rows(sql, &[INT]).await?.one_int().map(RecordId))
}

/// Remembers a record under its key. False: another one was remembered meanwhile, by another process.
pub async fn add(tx: &mut Tx, seed: &Seed) -> Result<bool, StoreError> {
    let added = tx.run(Sql::template(
        "INSERT INTO sys_seed (package, key, entity, record, hash, is_sample) VALUES (?, ?, ?, ?, ?, ?) \
         ON CONFLICT (package, key) DO NOTHING",
        [
            text(seed.package.as_str()),
            text(seed.key.as_str()),
            text(seed.entity_uid.as_str()),
            int(seed.record.0),
            text(seed.hash.as_str()),
            flag(seed.is_sample),
        ],
    ));
    Ok(added.await? > 0)
}

pub async fn delete(tx: &mut Tx, package: &str, key: &str) -> Result<(), StoreError> {
    tx.run(Sql::template("DELETE FROM sys_seed WHERE package = ? AND key = ?", [text(package), text(key)])).await?;
    Ok(())
}
