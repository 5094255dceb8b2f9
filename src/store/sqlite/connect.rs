//! Opening connections with the settings everything here relies on.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::fault::translate;
use crate::store::{Durability, StoreError, functions};

/// Older ones have the bug that a restart of the log can damage the database (3.7.0 to 3.51.2).
const OLDEST: i32 = 3_051_003;

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) enum Purpose {
    Write,
    Read,
    Checkpoint,
}

/// The database file in a data folder.
pub(in crate::store) fn database_path(folder: &Path) -> PathBuf {
    folder.join("relata.db")
}

/// Opens one connection.
pub(in crate::store) fn open(path: &Path, purpose: Purpose, durability: Durability) -> Result<Connection, StoreError> {
    if rusqlite::version_number() < OLDEST {
        return Err(StoreError::OldVersion { found: format!("SQLite {}", rusqlite::version()), needed: "SQLite 3.51.3".to_owned() });
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let flags = if purpose == Purpose::Write { flags | OpenFlags::SQLITE_OPEN_CREATE } else { flags };
    let connection = Connection::open_with_flags(path, flags).map_err(translate)?;
    set_up(&connection, purpose, durability).map_err(translate)?;
    functions::register(&connection).map_err(translate)?;
    Ok(connection)
}

/// Lets rows refer to others that are not there.
pub(in crate::store) fn loosen(connection: &Connection) -> Result<(), StoreError> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY, false).map(|_| ()).map_err(translate)
}

fn set_up(connection: &Connection, purpose: Purpose, durability: Durability) -> rusqlite::Result<()> {
    connection.busy_timeout(Duration::from_secs(5))?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DDL, false)?;
    connection.set_prepared_statement_cache_capacity(256);
    let pragma = |name: &str, value: &dyn rusqlite::ToSql| connection.pragma_update(None, name, value);
    pragma("mmap_size", &0)?;
    pragma("temp_store", &"memory")?;
    match purpose {
        Purpose::Write => {
            pragma("journal_mode", &"wal")?;
            pragma("cache_size", &-16_384)?;
            pragma("journal_size_limit", &100_663_296)?;
        }
        Purpose::Read => {
            pragma("cache_size", &-4_096)?;
            pragma("query_only", &true)?;
        }
        Purpose::Checkpoint => pragma("cache_size", &-1_024)?,
    }
    // The checkpointer does this, so that no request pays for it.
    pragma("wal_autocheckpoint", &0)?;
    pragma("synchronous", &if durability == Durability::Full { "full" } else { "off" })
}
