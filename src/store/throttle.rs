//! Counting failures by key (`ip:…`, `account:…`), shared by all nodes.

use std::time::Duration;

use super::read::{self, AT, INT};
use super::sql::{at, text};
use super::{Sql, Store, StoreError, Tx};
use crate::base::DateTime;

/// When a key is blocked.
#[derive(Debug, Clone, Copy)]
pub struct Policy {
    /// Failures that are free.
    pub allowed: i64,
    /// The count starts anew after this time without a failure.
    pub window: Duration,
    /// First block; doubles with each further failure.
    pub block: Duration,
    pub longest_block: Duration,
}

impl Policy {
    /// Three strikes, then 5 s, 10 s, 20 s, … at most 15 minutes; forgotten after an hour.
    pub const SIGN_IN: Policy =
        Policy { allowed: 3, window: Duration::from_secs(3600), block: Duration::from_secs(5), longest_block: Duration::from_secs(900) };
}

/// Until when the key is blocked, `None` when it is free.
pub async fn blocked_until(store: &Store, key: &str) -> Result<Option<DateTime>, StoreError> {
    let now = store.clock().now();
    let sql = Sql::template("SELECT blocked_until FROM sys_throttle WHERE key = ? AND blocked_until > ?", [text(key), at(now)]);
    Ok(store.rows(sql, &[AT]).await?.one_int().map(DateTime))
}

/// Counts a failure; gives the end of the block it leads to.
pub async fn note_failure(tx: &mut Tx, key: &str, policy: Policy) -> Result<Option<DateTime>, StoreError> {
    let now = tx.now();
    let window_start = DateTime(now.0 - micros(policy.window));
    let sql = Sql::template(
        "INSERT INTO sys_throttle (key, failures, since) VALUES (?, 1, ?) \
         ON CONFLICT (key) DO UPDATE SET failures = CASE WHEN sys_throttle.since < ? THEN 1 ELSE sys_throttle.failures + 1 END, \
         since = excluded.since RETURNING failures",
        [text(key), at(now), at(window_start)],
    );
    let rows = tx.rows(sql, &[INT]).await?;
    let failures = rows.first().map_or(1, |row| read::int(row, 0));
    let excess = failures - policy.allowed;
    let blocked_until = (excess >= 0).then(|| {
        let doubled = micros(policy.block).saturating_mul(1_i64 << excess.min(30));
        DateTime(now.0.saturating_add(doubled.min(micros(policy.longest_block))))
    });
    tx.run(Sql::template("UPDATE sys_throttle SET blocked_until = ? WHERE key = ?", [at(blocked_until), text(key)])).await?;
    Ok(blocked_until)
}

/// Forgets the failures of a key, after a success.
pub async fn clear(tx: &mut Tx, key: &str) -> Result<(), StoreError> {
    tx.run(Sql::template("DELETE FROM sys_throttle WHERE key = ?", [text(key)])).await?;
    Ok(())
}

/// Begins the keys of marks.
pub const USUAL: &str = "usual:";

/// Remembers a key (of [`USUAL`]) from now on.
pub async fn mark(tx: &mut Tx, key: &str) -> Result<(), StoreError> {
    let sql = "INSERT INTO sys_throttle (key, failures, since) VALUES (?, 0, ?) ON CONFLICT (key) DO UPDATE SET since = excluded.since";
    let now = tx.now();
    tx.run(Sql::template(sql, [text(key), at(now)])).await.map(|_| ())
}

/// Whether a key was marked after `since`.
pub async fn is_marked(store: &Store, key: &str, since: DateTime) -> Result<bool, StoreError> {
    let sql = Sql::template("SELECT since FROM sys_throttle WHERE key = ? AND since > ?", [text(key), at(since)]);
    Ok(store.rows(sql, &[AT]).await?.one_int().is_some())
}

/// Deletes counters that were not touched since `before`, and marks since `marked_before`.
pub async fn prune(tx: &mut Tx, before: DateTime, marked_before: DateTime) -> Result<u64, StoreError> {
    let sql = "DELETE FROM sys_throttle WHERE since < ? AND (since < ? OR key NOT LIKE 'usual:%')";
    tx.run(Sql::template(sql, [at(before), at(marked_before)])).await
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}
