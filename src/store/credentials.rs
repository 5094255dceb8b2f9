//! Password hashes and the epoch of each user: raising it ends all sessions at once, on every node.

use super::audit::{self, Entry};
use super::read::{self, AT, INT, TEXT};
use super::sessions::PERSON;
use super::sql::{at, int, text};
use super::{Sql, Store, StoreError, Tx};
use crate::base::DateTime;

/// What is known of a user's means of signing in.
#[derive(Clone, PartialEq, Eq)]
pub struct Credential {
    pub user_id: i64,
    /// PHC string; `None` while no password was set.
    pub password_hash: Option<String>,
    pub epoch: i64,
    pub changed_at: DateTime,
}

impl std::fmt::Debug for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Credential(user {}, epoch {})", self.user_id, self.epoch)
    }
}

pub async fn load(store: &Store, user_id: i64) -> Result<Option<Credential>, StoreError> {
    let sql = Sql::template("SELECT user_id, password_hash, epoch, changed_at FROM sys_credential WHERE user_id = ?", [int(user_id)]);
    let rows = store.rows(sql, &[INT, TEXT, INT, AT]).await?;
    Ok(rows.first().map(|row| Credential {
        user_id: read::int(row, 0),
        password_hash: read::opt_text(row, 1),
        epoch: read::int(row, 2),
        changed_at: read::at(row, 3),
    }))
}

/// Sets a password hash and raises the epoch: every session of the user ends.
pub async fn set_password(tx: &mut Tx, user_id: i64, password_hash: &str) -> Result<(), StoreError> {
    tx.identity_changed().await?;
    let now = tx.now();
    tx.run(Sql::template(
        "INSERT INTO sys_credential (user_id, password_hash, epoch, changed_at) VALUES (?, ?, 1, ?) \
         ON CONFLICT (user_id) DO UPDATE SET password_hash = excluded.password_hash, epoch = sys_credential.epoch + 1, \
         changed_at = excluded.changed_at",
        [int(user_id), text(password_hash), at(now)],
    ))
    .await?;
    audit::append(tx, Entry::new("password.set").on(PERSON, user_id)).await?;
    Ok(())
}

/// Replaces the hash by a stronger one of the same password; sessions go on.
pub async fn rehash(tx: &mut Tx, user_id: i64, password_hash: &str) -> Result<(), StoreError> {
    tx.run(Sql::template("UPDATE sys_credential SET password_hash = ? WHERE user_id = ?", [text(password_hash), int(user_id)])).await?;
    Ok(())
}

/// Ends all sessions of a user (disabled, roles changed); gives the new epoch.
pub async fn raise_epoch(tx: &mut Tx, user_id: i64) -> Result<i64, StoreError> {
    tx.identity_changed().await?;
    let now = tx.now();
    let sql = Sql::template(
        "INSERT INTO sys_credential (user_id, epoch, changed_at) VALUES (?, 1, ?) \
         ON CONFLICT (user_id) DO UPDATE SET epoch = sys_credential.epoch + 1, changed_at = excluded.changed_at RETURNING epoch",
        [int(user_id), at(now)],
    );
    Ok(tx.rows(sql, &[INT]).await?.one_int().unwrap_or(1))
}

/// Users who can sign in by a password.
pub async fn users_with_password(store: &Store) -> Result<Vec<i64>, StoreError> {
    let sql = Sql::new("SELECT user_id FROM sys_credential WHERE password_hash IS NOT NULL ORDER BY user_id");
    Ok(store.rows(sql, &[INT]).await?.iter().map(|row| read::int(row, 0)).collect())
}

/// Whether anyone can sign in yet.
pub async fn is_any_set(store: &Store) -> Result<bool, StoreError> {
    let sql = Sql::new("SELECT count(*) FROM (SELECT 1 AS one FROM sys_credential WHERE password_hash IS NOT NULL LIMIT 1) AS found");
    Ok(store.rows(sql, &[INT]).await?.one_int() == Some(1))
}
