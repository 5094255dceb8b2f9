//! Copying and verifying database files.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};
use sha2::{Digest, Sha256};

use super::fault::translate;
use crate::store::StoreError;
use crate::store::files::hex;

/// Pages copied between two looks at the clock (4 MB).
const PAGES: i32 = 1024;

/// Copies the live database beside its writers. A read transaction is held, so that the copy is of one moment and need
/// not start anew when someone writes.
pub(in crate::store) fn copy(from: &Path, to: &Path) -> Result<(), StoreError> {
    copy_unsynced(from, to)?;
    std::fs::File::open(to).and_then(|file| file.sync_all()).map_err(|error| StoreError::file(to, &error))
}

/// The same for a copy that need not outlive the power.
pub(super) fn copy_unsynced(from: &Path, to: &Path) -> Result<(), StoreError> {
    let source =
        Connection::open_with_flags(from, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX).map_err(translate)?;
    let mut target = Connection::open(to).map_err(translate)?;
    target.pragma_update(None, "synchronous", "off").map_err(translate)?;
    source.execute_batch("BEGIN; SELECT count(*) FROM sqlite_schema").map_err(translate)?;
    {
        let backup = Backup::new(&source, &mut target).map_err(translate)?;
        loop {
            match backup.step(PAGES).map_err(translate)? {
                StepResult::Done => break,
                StepResult::More | StepResult::Busy | StepResult::Locked => std::thread::yield_now(),
                _ => return Err(StoreError::BadBackup("unknown state of the copy".to_owned())),
            }
        }
    }
    source.execute_batch("COMMIT").map_err(translate)?;
    // One file, readable without a log beside it.
    target.pragma_update(None, "journal_mode", "delete").map_err(translate)?;
    target.close().map_err(|(_, error)| translate(error))
}

/// What a verified database file holds.
#[derive(Debug)]
pub(in crate::store) struct Facts {
    pub migration: i64,
    pub catalog_version: i64,
    /// Rows of each ordinary table.
    pub rows: BTreeMap<String, i64>,
    /// Hashes of the contents of live files.
    pub contents: Vec<String>,
}

/// Checks pages, indexes and references, and counts the rows.
pub(in crate::store) fn verify(path: &Path) -> Result<Facts, StoreError> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(translate)?;
    crate::store::functions::register(&connection).map_err(translate)?;
    let report: String = connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0)).map_err(translate)?;
    if report != "ok" {
        return Err(StoreError::BadBackup(format!("integrity check: {report}")));
    }
    let mut references = connection.prepare("PRAGMA foreign_key_check").map_err(translate)?;
    let broken = references.query_map([], |row| row.get::<_, String>(0)).map_err(translate)?.next().transpose().map_err(translate)?;
    if let Some(table) = broken {
        return Err(StoreError::BadBackup(format!("a reference of table {table} points to nothing")));
    }
    drop(references);
    let one = |text: &str| connection.query_row(text, [], |row| row.get::<_, i64>(0)).map_err(translate);
    let migration = one("SELECT max(number) FROM sys_migration")?;
    let catalog_version = one("SELECT version FROM sys_schema")?;
    let names = column(
        &connection,
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'sys_search%' ORDER BY name",
    )?;
    let mut rows = BTreeMap::new();
    for name in names {
        let count = one(&format!("SELECT count(*) FROM \"{}\"", name.replace('"', "\"\"")))?;
        rows.insert(name, count);
    }
    let contents = column(&connection, "SELECT DISTINCT sha256 FROM sys_file WHERE deleted_at IS NULL")?;
    Ok(Facts { migration, catalog_version, rows, contents })
}

fn column(connection: &Connection, text: &str) -> Result<Vec<String>, StoreError> {
    let mut statement = connection.prepare(text).map_err(translate)?;
    let rows = statement.query_map([], |row| row.get(0)).map_err(translate)?;
    rows.collect::<rusqlite::Result<_>>().map_err(translate)
}

/// Ends all sessions in a restored database: what was revoked since must not come back.
pub(in crate::store) fn end_sessions(path: &Path) -> Result<(), StoreError> {
    let connection = Connection::open(path).map_err(translate)?;
    connection
        .execute_batch("DELETE FROM sys_session; UPDATE sys_credential SET epoch = epoch + 1; DELETE FROM sys_setup")
        .map_err(translate)
}

/// SHA-256 of a file, lower-case hex.
pub(in crate::store) fn hash_file(path: &Path) -> Result<String, StoreError> {
    let fault = |error: std::io::Error| StoreError::file(path, &error);
    let mut file = std::fs::File::open(path).map_err(fault)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 256 * 1024];
    loop {
        let read = file.read(&mut buffer).map_err(fault)?;
        if read == 0 {
            return Ok(hex(&hash.finalize()));
        }
        hash.update(&buffer[..read]);
    }
}
