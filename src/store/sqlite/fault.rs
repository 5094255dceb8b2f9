//! SQLite's errors as ours.

use rusqlite::{Connection, Error, ffi};

use crate::store::StoreError;

/// Translates an error, naming the index or column where SQLite tells it.
pub(in crate::store) fn translate(error: Error) -> StoreError {
    let Error::SqliteFailure(cause, message) = &error else {
        return StoreError::Database { state: "sqlite".to_owned(), message: error.to_string() };
    };
    let message = message.clone().unwrap_or_default();
    match (cause.extended_code, cause.extended_code & 0xff) {
        (ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY | ffi::SQLITE_CONSTRAINT_ROWID, _) => {
            StoreError::UniqueViolation { index: unique_target(&message) }
        }
        (ffi::SQLITE_CONSTRAINT_FOREIGNKEY, _) => StoreError::ForeignKey { table: String::new() },
        (ffi::SQLITE_CONSTRAINT_NOTNULL, _) => StoreError::NotNull { column: after_colon(&message) },
        (_, ffi::SQLITE_BUSY | ffi::SQLITE_LOCKED) => StoreError::Busy,
        (_, ffi::SQLITE_INTERRUPT) => StoreError::Timeout,
        (_, ffi::SQLITE_FULL) => StoreError::DiskFull,
        (_, ffi::SQLITE_CORRUPT | ffi::SQLITE_NOTADB) => StoreError::Corrupt(message),
        (code, _) => {
            StoreError::Database { state: code.to_string(), message: if message.is_empty() { error.to_string() } else { message } }
        }
    }
}

/// The name of the unique index over the columns that SQLite names instead (`e_deal.account, e_deal.name_k`).
pub(in crate::store) fn name_index(connection: &Connection, error: StoreError) -> StoreError {
    let StoreError::UniqueViolation { index } = &error else { return error };
    let Some((table, _)) = index.split_once('.') else { return error };
    let columns: Vec<&str> = index.split(", ").filter_map(|column| column.split_once('.').map(|(_, name)| name)).collect();
    let found = connection.query_row(
        "SELECT il.name FROM pragma_index_list(?1) AS il WHERE il.\"unique\" = 1 AND il.origin = 'c' \
         AND (SELECT group_concat(ii.name, ',') FROM pragma_index_info(il.name) AS ii) = ?2",
        [table, columns.join(",").as_str()],
        |row| row.get(0),
    );
    match found {
        Ok(index) => StoreError::UniqueViolation { index },
        Err(_) => error,
    }
}

/// `UNIQUE constraint failed: index 'ux_1'` or `…: e_deal.account, e_deal.name_k`: the index if it is named, else the columns.
fn unique_target(message: &str) -> String {
    match message.split_once("index '") {
        Some((_, rest)) => rest.trim_end_matches('\'').to_owned(),
        None => after_colon(message),
    }
}

fn after_colon(message: &str) -> String {
    message.split_once(": ").map_or(message, |(_, rest)| rest).to_owned()
}
