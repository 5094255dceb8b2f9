//! Erasures: whose personal values were removed. The table goes into backups as it was when they were taken; the same is
//! noted in a file beside the keys, which no backup holds, so that an older backup that is put back is erased again.
//!
//! A line of the file is `relata-erasure/1 <uid of the entity> <number of the record> <when>`: it says nothing of a person.

use std::collections::BTreeSet;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::read::{self, AT, INT, TEXT};
use super::sql::{at, int, text};
use super::{Sql, Store, StoreError, Tx};
use crate::base::DateTime;

/// Name of the file in the folder of keys.
pub const LEDGER: &str = "erasures.log";
const FORMAT: &str = "relata-erasure/1";

/// One record whose personal values were removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erasure {
    pub entity_uid: String,
    pub record: i64,
    pub at: DateTime,
}

impl Erasure {
    fn parse(line: &str) -> Option<Self> {
        let mut words = line.split_whitespace();
        if words.next()? != FORMAT {
            return None;
        }
        Some(Self { entity_uid: words.next()?.to_owned(), record: words.next()?.parse().ok()?, at: DateTime::parse(words.next()?)? })
    }
}

impl std::fmt::Display for Erasure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{FORMAT} {} {} {}", self.entity_uid, self.record, self.at)
    }
}

/// Notes an erasure with what it removes.
pub async fn note(tx: &mut Tx, entity_uid: &str, record: i64) -> Result<(), StoreError> {
    let now = tx.now();
    tx.run(Sql::template(
        "INSERT INTO sys_erasure (record, entity, at) VALUES (?, ?, ?) ON CONFLICT (record) DO UPDATE SET at = excluded.at",
        [int(record), text(entity_uid), at(now)],
    ))
    .await?;
    Ok(())
}

async fn all(store: &Store) -> Result<Vec<Erasure>, StoreError> {
    let rows = store.rows(Sql::new("SELECT record, entity, at FROM sys_erasure ORDER BY at, record"), &[INT, TEXT, AT]).await?;
    let one = |row: &[crate::base::Cell]| Erasure { record: read::int(row, 0), entity_uid: read::text(row, 1), at: read::at(row, 2) };
    Ok(rows.iter().map(one).collect())
}

/// Erasures that the file tells of and the database does not: it is older than they are.
///
/// # Errors
/// The database, or a file that cannot be read.
pub async fn forgotten(store: &Store) -> Result<Vec<Erasure>, StoreError> {
    let Some(path) = ledger(store) else { return Ok(Vec::new()) };
    let mut told = read_file(&path)?;
    if told.is_empty() {
        return Ok(told);
    }
    let known: BTreeSet<i64> = all(store).await?.into_iter().map(|erasure| erasure.record).collect();
    let mut seen = BTreeSet::new();
    told.retain(|erasure| !known.contains(&erasure.record) && seen.insert(erasure.record));
    Ok(told)
}

/// Writes what the database knows and the file does not into the file.
///
/// # Errors
/// The database, or a file that cannot be written.
pub async fn tell(store: &Store) -> Result<(), StoreError> {
    let Some(path) = ledger(store) else { return Ok(()) };
    let known = all(store).await?;
    if known.is_empty() {
        return Ok(());
    }
    let told: BTreeSet<i64> = read_file(&path)?.into_iter().map(|erasure| erasure.record).collect();
    let lines: String = known.iter().filter(|erasure| !told.contains(&erasure.record)).map(|erasure| format!("{erasure}\n")).collect();
    if lines.is_empty() {
        return Ok(());
    }
    let fault = |error: std::io::Error| StoreError::file(&path, &error);
    let mut file = std::fs::OpenOptions::new().append(true).create(true).mode(0o600).open(&path).map_err(fault)?;
    file.write_all(lines.as_bytes()).and_then(|()| file.sync_all()).map_err(fault)
}

fn ledger(store: &Store) -> Option<PathBuf> {
    store.vault().map(|vault| vault.folder().join(LEDGER))
}

fn read_file(path: &Path) -> Result<Vec<Erasure>, StoreError> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(text.lines().filter_map(Erasure::parse).collect()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(StoreError::file(path, &error)),
    }
}

/// Removes jobs and kept answers that tell of a record: by its number and by its id as the API shows it.
pub async fn forget_copies(tx: &mut Tx, record: i64, shown: &str) -> Result<(), StoreError> {
    for pattern in [format!("%:{record},%"), format!("%:{record}}}%"), format!("%\"{shown}\"%")] {
        tx.run(Sql::template("DELETE FROM sys_job WHERE payload LIKE ?", [text(pattern.as_str())])).await?;
        tx.run(Sql::template("DELETE FROM sys_idempotency WHERE body LIKE ?", [text(pattern.as_str())])).await?;
    }
    Ok(())
}

/// Takes away everything by which somebody could sign in.
pub async fn forget_credentials(tx: &mut Tx, user: i64) -> Result<(), StoreError> {
    for sql in [
        "DELETE FROM sys_session WHERE user_id = ?",
        "DELETE FROM sys_credential WHERE user_id = ?",
        "DELETE FROM sys_token WHERE user_id = ?",
        "DELETE FROM sys_setup WHERE user_id = ?",
        "DELETE FROM sys_challenge WHERE user_id = ?",
        "DELETE FROM sys_totp WHERE user_id = ?",
        "DELETE FROM sys_recovery_code WHERE user_id = ?",
        "DELETE FROM sys_passkey WHERE user_id = ?",
        "DELETE FROM sys_sso_link WHERE user_id = ?",
    ] {
        tx.run(Sql::template(sql, [int(user)])).await?;
    }
    tx.identity_changed().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_file_is_read_as_it_was_written() {
        for odd in ["", "relata-erasure/2 a 1 2026-11-21T08:00:00Z", "relata-erasure/1 a x 2026-11-21T08:00:00Z", "relata-erasure/1 a 1"] {
            assert_eq!(Erasure::parse(odd), None, "{odd}");
        }
        let erasure =
            Erasure { entity_uid: "crm.contact".into(), record: 42, at: DateTime::parse("2026-11-21T08:00:00Z").expect("a moment") };
        assert_eq!(Erasure::parse(&erasure.to_string()), Some(erasure));
    }
}
