//! What someone is in the middle of proving, by the hash of its secret: the same for all nodes.

use super::read::{self, INT, TEXT};
use super::sql::{at, int, text};
use super::{Sql, Store, StoreError, Tx};
use crate::base::DateTime;

/// One step of signing in that waits for the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    pub hash: String,
    /// What it is for; a challenge of another purpose is none.
    pub purpose: String,
    /// 0 while nobody is known.
    pub user_id: i64,
    /// JSON text.
    pub data: String,
    pub expires_at: DateTime,
}

pub async fn create(tx: &mut Tx, challenge: &Challenge) -> Result<(), StoreError> {
    tx.run(Sql::template(
        "INSERT INTO sys_challenge (hash, purpose, user_id, data, expires_at) VALUES (?, ?, ?, ?, ?)",
        [
            text(challenge.hash.as_str()),
            text(challenge.purpose.as_str()),
            int(challenge.user_id),
            text(challenge.data.as_str()),
            at(challenge.expires_at),
        ],
    ))
    .await?;
    Ok(())
}

/// The challenge with this hash and purpose, if it is not over.
pub async fn find(store: &Store, hash: &str, purpose: &str, now: DateTime) -> Result<Option<Challenge>, StoreError> {
    let sql = Sql::template(
        "SELECT user_id, data FROM sys_challenge WHERE hash = ? AND purpose = ? AND expires_at > ?",
        [text(hash), text(purpose), at(now)],
    );
    let rows = store.rows(sql, &[INT, TEXT]).await?;
    Ok(rows.first().map(|row| Challenge {
        hash: hash.to_owned(),
        purpose: purpose.to_owned(),
        user_id: read::int(row, 0),
        data: read::text(row, 1),
        expires_at: now,
    }))
}

/// Uses it up, in the unit that does what it is for; `false` when someone else was first.
pub async fn consume(tx: &mut Tx, hash: &str) -> Result<bool, StoreError> {
    Ok(tx.run(Sql::template("DELETE FROM sys_challenge WHERE hash = ?", [text(hash)])).await? == 1)
}

/// Deletes those that are over.
pub async fn prune(tx: &mut Tx) -> Result<u64, StoreError> {
    let now = tx.now();
    tx.run(Sql::template("DELETE FROM sys_challenge WHERE expires_at <= ?", [at(now)])).await
}
