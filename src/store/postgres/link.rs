//! A unit's connection on PostgreSQL, and reads outside of units.

use sqlx::postgres::{PgConnection, PgPool, PgRow, Postgres};
use sqlx::{AssertSqlSafe, Connection, Executor, Row};
use std::sync::Arc;

use super::cells;
use super::fault::{STALE_PLAN, translate};
use super::slow::Watch;
use crate::store::{Rows, Statement, StoreError};

/// Connections from before a restart of the server that are given up before the caller hears of it.
const MOST_STALE: u32 = 16;

/// A connection in a transaction. Dropped before [`PostgresLink::end`], it is closed and not given back.
#[derive(Debug)]
pub(in crate::store) struct PostgresLink {
    connection: Option<sqlx::pool::PoolConnection<Postgres>>,
    /// The schema's advisory lock.
    pub lock: i64,
}

impl PostgresLink {
    /// Begins a transaction that holds the schema's advisory lock (shared, or exclusive for an apply), and reads the
    /// version of the definitions after it has the lock: one round trip.
    pub async fn begin(pool: &PgPool, lock: i64, is_exclusive: bool) -> Result<(Self, i64), StoreError> {
        // An apply may build an index for minutes; waiting for its lock is bounded by `lock_timeout` all the same.
        let text = match is_exclusive {
            true => format!("BEGIN; SELECT pg_advisory_xact_lock({lock}); SET LOCAL statement_timeout = 0; SELECT version FROM sys_schema"),
            false => format!("BEGIN; SELECT pg_advisory_xact_lock_shared({lock}); SELECT version FROM sys_schema"),
        };
        let mut tries = 0;
        loop {
            let connection = pool.acquire().await.map_err(translate)?;
            let mut link = Self { connection: Some(connection), lock };
            match link.connection()?.fetch_all(sqlx::raw_sql(AssertSqlSafe(text.clone()))).await.map_err(translate) {
                Ok(rows) => {
                    let version = rows.last().and_then(|row| row.try_get_unchecked::<i64, _>(0).ok()).unwrap_or(0);
                    return Ok((link, version));
                }
                // The pool kept a connection from before a restart of the server; nothing was done on it yet.
                Err(StoreError::Unreachable(_)) if tries < MOST_STALE => tries += 1,
                Err(error) => return Err(error),
            }
        }
    }

    pub async fn query(&mut self, statement: &Statement) -> Result<Rows, StoreError> {
        let connection = self.connection()?;
        let outcome = fetch(connection, statement).await;
        let rows = forget_stale_plan(connection, outcome).await?;
        read_rows(&rows, statement)
    }

    pub async fn execute(&mut self, statement: &Statement) -> Result<u64, StoreError> {
        let connection = self.connection()?;
        let query = sqlx::query_with(AssertSqlSafe(Arc::clone(&statement.sql)), cells::arguments(statement)?);
        let watch = Watch::start();
        let outcome = connection.execute(query).await.map(|done| done.rows_affected());
        watch.end(&statement.sql);
        forget_stale_plan(connection, outcome).await
    }

    /// Runs inserts of one text (`INSERT … VALUES (…)`), several rows a statement.
    pub async fn insert_rows(&mut self, inserts: &[&Statement]) -> Result<(), StoreError> {
        let mut rest = inserts;
        while let Some(first) = rest.first() {
            // Sizes are powers of two, so that few texts are prepared; a statement takes 65,535 values.
            let most = MOST_ROWS.min(MOST_VALUES / first.binds.len().max(1)).min(rest.len());
            let count = if most < 2 { 1 } else { 1 << most.ilog2() };
            let (now, later) = rest.split_at(count);
            rest = later;
            match repeated(now) {
                Some(statement) => self.execute(&statement).await?,
                None => self.execute(first).await?,
            };
        }
        Ok(())
    }

    /// Runs a fixed statement such as `SAVEPOINT part`.
    pub async fn command(&mut self, text: &'static str) -> Result<(), StoreError> {
        self.connection()?.execute(sqlx::raw_sql(text)).await.map_err(translate)?;
        Ok(())
    }

    /// Ends the transaction; the connection goes back to the pool unless ending failed.
    pub async fn end(&mut self, keep: bool) -> Result<(), StoreError> {
        self.command(if keep { "COMMIT" } else { "ROLLBACK" }).await?;
        self.connection = None;
        Ok(())
    }

    fn connection(&mut self) -> Result<&mut PgConnection, StoreError> {
        self.connection.as_deref_mut().ok_or(StoreError::Closed)
    }
}

/// Rows of one insert at most.
const MOST_ROWS: usize = 256;
/// Values one statement takes.
const MOST_VALUES: usize = 32_767;

/// One insert of all rows; `None` for a single one.
fn repeated(inserts: &[&Statement]) -> Option<Statement> {
    let first = inserts.first().filter(|_| inserts.len() > 1)?;
    let head = first.sql.rfind("VALUES (")? + "VALUES ".len();
    let mut text = String::with_capacity(head + inserts.len() * (first.binds.len() * 6 + 4));
    text.push_str(first.sql.get(..head)?);
    let mut number = 0;
    for row in 0..inserts.len() {
        text.push_str(if row == 0 { "(" } else { ", (" });
        for value in 0..first.binds.len() {
            number += 1;
            text.push_str(if value == 0 { "$" } else { ", $" });
            text.push_str(&number.to_string());
        }
        text.push(')');
    }
    let binds = inserts.iter().flat_map(|insert| insert.binds.iter().cloned()).collect();
    Some(Statement { sql: text.into(), binds, columns: Arc::default() })
}

impl Drop for PostgresLink {
    fn drop(&mut self) {
        if let Some(connection) = &mut self.connection {
            connection.close_on_drop();
        }
    }
}

/// Runs a reading statement outside of units. A plan that no longer fits is prepared anew, once; a connection that the
/// server has closed is replaced.
pub(in crate::store) async fn query(pool: &PgPool, statement: &Statement) -> Result<Rows, StoreError> {
    let mut tries = 0;
    loop {
        let mut connection = pool.acquire().await.map_err(translate)?;
        let mut outcome = fetch(&mut connection, statement).await;
        if is_stale_plan(&outcome) {
            connection.clear_cached_statements().await.map_err(translate)?;
            outcome = fetch(&mut connection, statement).await;
        }
        match outcome.map_err(translate) {
            Ok(rows) => return read_rows(&rows, statement),
            Err(StoreError::Unreachable(_)) if tries < MOST_STALE => {
                connection.close_on_drop();
                tries += 1;
            }
            Err(error) => return Err(error),
        }
    }
}

async fn fetch(connection: &mut PgConnection, statement: &Statement) -> Result<Vec<PgRow>, sqlx::Error> {
    let arguments = cells::arguments(statement).map_err(|error| sqlx::Error::Encode(Box::new(error)))?;
    let query = sqlx::query_with(AssertSqlSafe(Arc::clone(&statement.sql)), arguments);
    let watch = Watch::start();
    let outcome = connection.fetch_all(query).await;
    watch.end(&statement.sql);
    outcome
}

fn read_rows(rows: &[PgRow], statement: &Statement) -> Result<Rows, StoreError> {
    let kinds = &statement.columns;
    let mut answer = Rows { width: kinds.len(), cells: Vec::with_capacity(kinds.len() * rows.len()) };
    for row in rows {
        cells::read_row(row, kinds, &mut answer.cells)?;
    }
    Ok(answer)
}

fn is_stale_plan<T>(outcome: &Result<T, sqlx::Error>) -> bool {
    matches!(outcome, Err(sqlx::Error::Database(cause)) if cause.code().as_deref() == Some(STALE_PLAN))
}

/// A stale plan has aborted the transaction: forget the plans, so that the unit's next try succeeds.
async fn forget_stale_plan<T>(connection: &mut PgConnection, outcome: Result<T, sqlx::Error>) -> Result<T, StoreError> {
    if is_stale_plan(&outcome) {
        connection.clear_cached_statements().await.map_err(translate)?;
    }
    outcome.map_err(translate)
}
