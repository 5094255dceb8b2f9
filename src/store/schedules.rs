//! When each schedule runs next.

use super::read::{self, AT, TEXT};
use super::sql::{at, text};
use super::{Dialect, Sql, Store, StoreError, Tx};
use crate::base::DateTime;

/// One schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// Uid of the script or automation.
    pub id: String,
    /// Cron text and zone as the definition has them: a change of it means that `next_at` is computed anew.
    pub spec: String,
    pub next_at: DateTime,
    pub last_at: Option<DateTime>,
    pub last_error: Option<String>,
}

/// All schedules, by id.
pub async fn list(store: &Store) -> Result<Vec<Schedule>, StoreError> {
    let sql = Sql::new("SELECT id, spec, next_at, last_at, last_error FROM sys_schedule ORDER BY id");
    let rows = store.rows(sql, &[TEXT, TEXT, AT, AT, TEXT]).await?;
    Ok(rows.iter().map(schedule).collect())
}

/// Schedules due at `now`; on PostgreSQL locked, and without those another process is about to run.
pub async fn due(tx: &mut Tx, now: DateTime) -> Result<Vec<Schedule>, StoreError> {
    let mut sql =
        Sql::template("SELECT id, spec, next_at, last_at, last_error FROM sys_schedule WHERE next_at <= ? ORDER BY next_at, id", [at(now)]);
    if tx.dialect() == Dialect::Postgres {
        sql.push(" FOR UPDATE SKIP LOCKED");
    }
    let rows = tx.rows(sql, &[TEXT, TEXT, AT, AT, TEXT]).await?;
    Ok(rows.iter().map(schedule).collect())
}

/// Writes a schedule anew.
pub async fn save(tx: &mut Tx, schedule: &Schedule) -> Result<(), StoreError> {
    tx.run(Sql::template(
        "INSERT INTO sys_schedule (id, spec, next_at, last_at, last_error) VALUES (?, ?, ?, ?, ?) \
         ON CONFLICT (id) DO UPDATE SET spec = excluded.spec, next_at = excluded.next_at, last_at = excluded.last_at, \
         last_error = excluded.last_error",
        [
            text(schedule.id.as_str()),
            text(schedule.spec.as_str()),
            at(schedule.next_at),
            at(schedule.last_at),
            text(schedule.last_error.as_deref()),
        ],
    ))
    .await?;
    Ok(())
}

/// Deletes a schedule whose definition is gone.
pub async fn delete(tx: &mut Tx, id: &str) -> Result<(), StoreError> {
    tx.run(Sql::template("DELETE FROM sys_schedule WHERE id = ?", [text(id)])).await?;
    Ok(())
}

fn schedule(row: &[crate::base::Cell]) -> Schedule {
    Schedule {
        id: read::text(row, 0),
        spec: read::text(row, 1),
        next_at: read::at(row, 2),
        last_at: read::opt_at(row, 3),
        last_error: read::opt_text(row, 4),
    }
}
