//! Brings the system tables up to date: embedded files, applied in order, each in the transaction that records it.

use rust_embed::RustEmbed;
use sha2::{Digest, Sha256};

use super::files::hex;
use super::{Dialect, StoreError};

#[derive(RustEmbed)]
#[folder = "migrations"]
struct Embedded;

/// One migration of one dialect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Migration {
    /// `0001_system`.
    pub name: String,
    pub number: i64,
    pub text: String,
    pub checksum: String,
}

/// The table of applied migrations; the same text for both dialects.
pub(super) const TABLE: &str =
    "CREATE TABLE IF NOT EXISTS sys_migration (number bigint PRIMARY KEY, name text NOT NULL, checksum text NOT NULL)";
/// The same for SQLite, which has its own words for types.
pub(super) const TABLE_SQLITE: &str =
    "CREATE TABLE IF NOT EXISTS sys_migration (number integer PRIMARY KEY, name text NOT NULL, checksum text NOT NULL) STRICT";

/// All migrations of a dialect in order.
pub(super) fn list(dialect: Dialect) -> Vec<Migration> {
    let mut names: Vec<String> = Embedded::iter().map(|name| name.into_owned()).collect();
    names.sort_unstable();
    names
        .iter()
        .filter_map(|path| {
            let name = path.strip_prefix(dialect.name())?.strip_prefix('/')?.strip_suffix(".sql")?;
            let number = name.split('_').next()?.parse().ok()?;
            let text = String::from_utf8(Embedded::get(path)?.data.into_owned()).ok()?;
            let checksum = hex(&Sha256::digest(text.as_bytes()));
            Some(Migration { name: name.to_owned(), number, text, checksum })
        })
        .collect()
}

/// The migrations still to be applied, given those the database has (number, name, checksum).
///
/// # Errors
/// [`StoreError::NewerDatabase`] when it has one this program does not know, [`StoreError::ChangedMigration`] when a
/// text differs.
pub(super) fn pending(dialect: Dialect, applied: &[(i64, String, String)]) -> Result<Vec<Migration>, StoreError> {
    let known = list(dialect);
    let newest = known.last().map_or(0, |migration| migration.number);
    for (number, name, checksum) in applied {
        match known.iter().find(|migration| migration.number == *number) {
            None => return Err(StoreError::NewerDatabase { found: *number, known: newest }),
            Some(migration) if migration.checksum != *checksum => return Err(StoreError::ChangedMigration { name: name.clone() }),
            Some(_) => {}
        }
    }
    Ok(known.into_iter().filter(|migration| applied.iter().all(|(number, ..)| *number != migration.number)).collect())
}
