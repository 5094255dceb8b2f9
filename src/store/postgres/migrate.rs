//! System migrations on PostgreSQL.

use sqlx::{AssertSqlSafe, Executor, Row};

use super::connect::Pool;
use super::fault::translate;
use crate::store::{Dialect, StoreError, migrate};

/// Applies what is missing, all in one transaction under the schema's exclusive lock.
pub(in crate::store) async fn run(pool: &Pool) -> Result<(), StoreError> {
    let mut tx = pool.pool.begin().await.map_err(translate)?;
    let lock = format!("SET LOCAL lock_timeout = 60000; SET LOCAL statement_timeout = 0; SELECT pg_advisory_xact_lock({})", pool.lock);
    tx.execute(sqlx::raw_sql(AssertSqlSafe(lock))).await.map_err(translate)?;
    tx.execute(sqlx::raw_sql(migrate::TABLE)).await.map_err(translate)?;
    let rows = tx.fetch_all("SELECT number, name, checksum FROM sys_migration ORDER BY number").await.map_err(translate)?;
    let mut applied: Vec<(i64, String, String)> = Vec::new();
    for row in &rows {
        let get = |position: usize| row.try_get::<String, _>(position).map_err(translate);
        applied.push((row.try_get(0).map_err(translate)?, get(1)?, get(2)?));
    }
    for migration in migrate::pending(Dialect::Postgres, &applied)? {
        tx.execute(sqlx::raw_sql(AssertSqlSafe(migration.text))).await.map_err(translate)?;
        let record = sqlx::query("INSERT INTO sys_migration (number, name, checksum) VALUES ($1, $2, $3)")
            .bind(migration.number)
            .bind(migration.name)
            .bind(migration.checksum);
        tx.execute(record).await.map_err(translate)?;
    }
    tx.commit().await.map_err(translate)
}
