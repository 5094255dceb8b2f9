//! System migrations on SQLite.

use rusqlite::{Connection, params};

use super::fault::translate;
use crate::store::{Dialect, StoreError, migrate};

/// Applies what is missing, all in one transaction.
pub(in crate::store) fn run(connection: &Connection) -> Result<(), StoreError> {
    let applied = applied(connection)?;
    let pending = migrate::pending(Dialect::Sqlite, &applied)?;
    if pending.is_empty() {
        return Ok(());
    }
    connection.execute_batch("BEGIN IMMEDIATE").map_err(translate)?;
    let outcome = pending.iter().try_for_each(|migration| {
        connection.execute_batch(&migration.text)?;
        connection
            .execute(
                "INSERT INTO sys_migration (number, name, checksum) VALUES (?, ?, ?)",
                params![migration.number, migration.name, migration.checksum],
            )
            .map(|_| ())
    });
    let end = if outcome.is_ok() { "COMMIT" } else { "ROLLBACK" };
    let ended = connection.execute_batch(end);
    outcome.and(ended).map_err(translate)
}

fn applied(connection: &Connection) -> Result<Vec<(i64, String, String)>, StoreError> {
    connection.execute_batch(migrate::TABLE_SQLITE).map_err(translate)?;
    let mut statement = connection.prepare("SELECT number, name, checksum FROM sys_migration ORDER BY number").map_err(translate)?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).map_err(translate)?;
    rows.collect::<rusqlite::Result<_>>().map_err(translate)
}
