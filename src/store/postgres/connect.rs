//! The pool and its settings.

use std::str::FromStr;
use std::time::Duration;

use sha2::{Digest, Sha256};
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, Row};

use super::fault::translate;
use crate::store::{Durability, OpenOptions, StoreError};

/// A connected workspace.
#[derive(Debug)]
pub(in crate::store) struct Pool {
    pub pool: PgPool,
    /// Advisory lock of the schema: shared by units, exclusive for an apply and for migrations.
    pub lock: i64,
}

/// Connects, makes the schema if it is absent and checks the server's version.
pub(in crate::store) async fn open(url: &str, schema: Option<&str>, options: &OpenOptions) -> Result<Pool, StoreError> {
    let schema = schema.unwrap_or("public").to_owned();
    if schema.is_empty() || !schema.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_') {
        return Err(StoreError::Unreachable(format!("`{schema}` is no name for a schema: use a-z, 0-9 and _")));
    }
    let base = PgConnectOptions::from_str(url).map_err(translate)?.application_name("relata").statement_cache_capacity(256);
    // sqlx would log the text of slow statements, which names what an admin has defined; [`super::slow`] does without.
    let base = base.disable_statement_logging();
    prepare_schema(&base, &schema).await?;
    let read_ms = options.read_timeout.as_millis().to_string();
    let connect = base.options([
        ("search_path", schema.as_str()),
        ("statement_timeout", read_ms.as_str()),
        ("lock_timeout", "5000"),
        ("idle_in_transaction_session_timeout", "60000"),
        ("client_min_messages", "warning"),
        ("timezone", "UTC"),
        ("jit", "off"),
        ("synchronous_commit", if options.durability == Durability::Full { "on" } else { "off" }),
    ]);
    let pool = PgPoolOptions::new()
        .max_connections(options.max_connections.max(2))
        .acquire_timeout(Duration::from_secs(10))
        .idle_timeout(Duration::from_secs(600))
        // A round trip before each use costs more than a retry after a server restart.
        .test_before_acquire(false)
        .connect_with(connect)
        .await
        .map_err(translate)?;
    Ok(Pool { pool, lock: lock_number(&schema) })
}

async fn prepare_schema(connect: &PgConnectOptions, schema: &str) -> Result<(), StoreError> {
    let mut connection = connect.connect().await.map_err(translate)?;
    let row = connection.fetch_one("SELECT current_setting('server_version_num')::bigint, current_setting('server_version')").await;
    let row = row.map_err(translate)?;
    let (number, found): (i64, String) = (row.try_get(0).map_err(translate)?, row.try_get(1).map_err(translate)?);
    if number < 150_000 {
        return Err(StoreError::OldVersion { found: format!("PostgreSQL {found}"), needed: "PostgreSQL 15".to_owned() });
    }
    let row = connection.fetch_one("SELECT current_setting('server_encoding')").await.map_err(translate)?;
    let encoding: String = row.try_get(0).map_err(translate)?;
    if encoding != "UTF8" {
        return Err(StoreError::OldVersion { found: format!("a database in {encoding}"), needed: "a database in UTF8".to_owned() });
    }
    if schema != "public" {
        // Two processes may start at once; `IF NOT EXISTS` alone is not safe against that.
        let text =
            format!("BEGIN; SELECT pg_advisory_xact_lock({}); CREATE SCHEMA IF NOT EXISTS \"{schema}\"; COMMIT", lock_number(schema));
        connection.execute(sqlx::raw_sql(AssertSqlSafe(text))).await.map_err(translate)?;
    }
    connection.close().await.map_err(translate)
}

/// Advisory locks are numbers of the whole database: a hash of the schema's name.
fn lock_number(schema: &str) -> i64 {
    let digest = Sha256::digest(format!("relata schema {schema}").as_bytes());
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&digest[..8]);
    i64::from_be_bytes(bytes)
}
