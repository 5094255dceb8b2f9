//! Named locks across processes, with a lease and a fence: one runner of a periodic task.

use std::time::Duration;

use super::read::INT;
use super::sql::{at, int, text};
use super::{Sql, StoreError, Tx};
use crate::base::DateTime;

/// Takes or prolongs the lock; gives its fence (growing with each new holder), `None` while another holds it.
pub async fn acquire(tx: &mut Tx, name: &str, holder: &str, lease: Duration) -> Result<Option<i64>, StoreError> {
    let now = tx.now();
    let until = DateTime(now.0.saturating_add(i64::try_from(lease.as_micros()).unwrap_or(i64::MAX)));
    let sql = Sql::template(
        "INSERT INTO sys_lock (name, holder, fence, leased_until) VALUES (?, ?, 1, ?) \
         ON CONFLICT (name) DO UPDATE SET fence = sys_lock.fence + CASE WHEN sys_lock.holder = excluded.holder THEN 0 ELSE 1 END, \
         holder = excluded.holder, leased_until = excluded.leased_until \
         WHERE sys_lock.holder = excluded.holder OR sys_lock.leased_until <= ? RETURNING fence",
        [text(name), text(holder), at(until), at(now)],
    );
    Ok(tx.rows(sql, &[INT]).await?.one_int())
}

/// Gives the lock back.
pub async fn release(tx: &mut Tx, name: &str, holder: &str, fence: i64) -> Result<(), StoreError> {
    let now = tx.now();
    tx.run(Sql::template(
        "UPDATE sys_lock SET leased_until = ? WHERE name = ? AND holder = ? AND fence = ?",
        [at(now), text(name), text(holder), int(fence)],
    ))
    .await?;
    Ok(())
}
