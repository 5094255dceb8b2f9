//! Idempotency keys: the answer of a request is kept with its effects, so that a repeat gets the same answer.

use super::read::{self, INT, TEXT};
use super::sql::{at, int, text};
use super::{Sql, StoreError, Tx};
use crate::base::DateTime;

/// What a key says about the request at hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// Never seen: do the work, then [`finish`] in the same unit.
    New,
    /// Done before: answer with this.
    Done { status: u16, body: String },
    /// The key was used for another request.
    Mismatch,
}

/// Takes the key for this unit. `digest` is a hash of method, path and body. A concurrent request with the same key
/// waits for this one.
pub async fn begin(tx: &mut Tx, actor: i64, key: &str, digest: &str) -> Result<Seen, StoreError> {
    let now = tx.now();
    let taken = tx
        .run(Sql::template(
            "INSERT INTO sys_idempotency (actor, key, digest, at) VALUES (?, ?, ?, ?) ON CONFLICT (actor, key) DO NOTHING",
            [int(actor), text(key), text(digest), at(now)],
        ))
        .await?;
    if taken == 1 {
        return Ok(Seen::New);
    }
    let sql = Sql::template("SELECT digest, status, body FROM sys_idempotency WHERE actor = ? AND key = ?", [int(actor), text(key)]);
    let rows = tx.rows(sql, &[TEXT, INT, TEXT]).await?;
    let Some(row) = rows.first() else { return Ok(Seen::New) };
    if read::text(row, 0) != digest {
        return Ok(Seen::Mismatch);
    }
    match read::opt_int(row, 1) {
        Some(status) => Ok(Seen::Done { status: u16::try_from(status).unwrap_or(500), body: read::text(row, 2) }),
        None => Ok(Seen::New),
    }
}

/// Keeps the answer.
pub async fn finish(tx: &mut Tx, actor: i64, key: &str, status: u16, body: &str) -> Result<(), StoreError> {
    tx.run(Sql::template(
        "UPDATE sys_idempotency SET status = ?, body = ? WHERE actor = ? AND key = ?",
        [int(i64::from(status)), text(body), int(actor), text(key)],
    ))
    .await?;
    Ok(())
}

/// Forgets keys older than `before` (they are kept for a day).
pub async fn prune(tx: &mut Tx, before: DateTime) -> Result<u64, StoreError> {
    tx.run(Sql::template("DELETE FROM sys_idempotency WHERE at < ?", [at(before)])).await
}
