//! A number that says whether what a process remembers of people, sessions and tokens still holds.
//!
//! It is raised in the transaction of whatever changes them. On SQLite one process owns the database, so that its own
//! commits tell it. On PostgreSQL it is read for each request; requests that wait at the same time share one reading, which
//! began after the last of them came, so that a change that was acknowledged anywhere holds for the next request everywhere.

use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::Mutex;

use super::read::INT;
use super::{Dialect, Sql, Store, StoreError, Tx};

/// The readings of one process.
#[derive(Debug, Default)]
pub(super) struct Readings {
    /// Requests that came so far.
    came: AtomicU64,
    last: Mutex<Reading>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Reading {
    /// It began after so many requests had come.
    covers: u64,
    epoch: i64,
}

impl Tx {
    /// Notes that people, their rights or their means of signing in change with this unit.
    pub async fn identity_changed(&mut self) -> Result<(), StoreError> {
        if self.after_commit.identity {
            return Ok(());
        }
        self.run(Sql::new("UPDATE sys_identity SET epoch = epoch + 1")).await?;
        self.after_commit.identity = true;
        Ok(())
    }
}

impl Store {
    /// The number as it is now: what was learnt under another one must be looked up again. Ask before looking up.
    ///
    /// # Errors
    /// The database.
    pub async fn identity_epoch(&self) -> Result<i64, StoreError> {
        if self.dialect() == Dialect::Sqlite {
            return Ok(self.signals_of().identity());
        }
        let readings = self.identity_readings();
        let ticket = readings.came.fetch_add(1, Ordering::AcqRel) + 1;
        let mut last = readings.last.lock().await;
        if last.covers >= ticket {
            return Ok(last.epoch);
        }
        let covers = readings.came.load(Ordering::Acquire);
        let rows = self.rows(Sql::new("SELECT epoch FROM sys_identity"), &[INT]).await?;
        *last = Reading { covers, epoch: rows.one_int().unwrap_or(0) };
        Ok(last.epoch)
    }
}
