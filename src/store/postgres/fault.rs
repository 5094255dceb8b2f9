//! PostgreSQL's errors as ours, by SQLSTATE (texts are in the server's language).

use sqlx::Error;
use sqlx::postgres::PgDatabaseError;

use crate::store::StoreError;

/// A cached plan no longer fits the tables: prepare anew and try again.
pub(in crate::store) const STALE_PLAN: &str = "0A000";

/// Translates an error, naming the index or table.
pub(in crate::store) fn translate(error: Error) -> StoreError {
    match &error {
        Error::Database(cause) => match cause.try_downcast_ref::<PgDatabaseError>() {
            Some(cause) => by_state(cause),
            None => StoreError::Database { state: String::new(), message: error.to_string() },
        },
        Error::PoolTimedOut => StoreError::Busy,
        Error::PoolClosed => StoreError::Closed,
        Error::Io(_) | Error::Tls(_) | Error::Configuration(_) => StoreError::Unreachable(error.to_string()),
        _ => StoreError::Database { state: String::new(), message: error.to_string() },
    }
}

fn by_state(cause: &PgDatabaseError) -> StoreError {
    match cause.code() {
        "23505" => StoreError::UniqueViolation { index: cause.constraint().unwrap_or_default().to_owned() },
        "23503" => StoreError::ForeignKey { table: cause.table().unwrap_or_default().to_owned() },
        "23502" => StoreError::NotNull { column: cause.column().unwrap_or_default().to_owned() },
        // Serialisation failure, deadlock, lock not to be had, stale plan.
        "40001" | "40P01" | "55P03" | STALE_PLAN => StoreError::Busy,
        "57014" => StoreError::Timeout,
        "53100" => StoreError::DiskFull,
        // The server goes down or refuses connections; the role, its password or the database is not right.
        "28000" | "28P01" | "3D000" | "57P01" | "57P02" | "57P03" | "53300" => StoreError::Unreachable(cause.message().to_owned()),
        "XX001" | "XX002" => StoreError::Corrupt(cause.message().to_owned()),
        state => StoreError::Database { state: state.to_owned(), message: cause.message().to_owned() },
    }
}
