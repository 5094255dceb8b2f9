//! One-time links: first setup, signing in once, invitations.

use super::audit::{self, Entry};
use super::read::{self, AT, INT, TEXT};
use super::sessions::PERSON;
use super::sql::{at, int, text};
use super::{Sql, Store, StoreError, Tx};
use crate::base::DateTime;

/// A one-time link, by the hash of its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetupLink {
    pub hash: String,
    /// `setup`, `sign-in` or `invite`.
    pub purpose: String,
    pub user_id: Option<i64>,
    pub created_at: DateTime,
    pub expires_at: DateTime,
}

/// Writes a link; unused ones of the same purpose and user end.
pub async fn create(tx: &mut Tx, link: &SetupLink) -> Result<(), StoreError> {
    tx.run(Sql::template(
        "DELETE FROM sys_setup WHERE purpose = ? AND COALESCE(user_id, 0) = ? AND used_at IS NULL",
        [text(link.purpose.as_str()), int(link.user_id.unwrap_or(0))],
    ))
    .await?;
    tx.run(Sql::template(
        "INSERT INTO sys_setup (hash, purpose, user_id, created_at, expires_at) VALUES (?, ?, ?, ?, ?)",
        [text(link.hash.as_str()), text(link.purpose.as_str()), int(link.user_id), at(link.created_at), at(link.expires_at)],
    ))
    .await?;
    audit::append(tx, about("link.create", link.user_id).fact("purpose", link.purpose.as_str())).await?;
    Ok(())
}

/// The link with this hash, if it was not used and is not over.
pub async fn find(store: &Store, hash: &str, now: DateTime) -> Result<Option<SetupLink>, StoreError> {
    let sql = Sql::template(
        "SELECT hash, purpose, user_id, created_at, expires_at FROM sys_setup WHERE hash = ? AND used_at IS NULL AND expires_at > ?",
        [text(hash), at(now)],
    );
    let rows = store.rows(sql, &[TEXT, TEXT, INT, AT, AT]).await?;
    Ok(rows.first().map(|row| SetupLink {
        hash: read::text(row, 0),
        purpose: read::text(row, 1),
        user_id: read::opt_int(row, 2),
        created_at: read::at(row, 3),
        expires_at: read::at(row, 4),
    }))
}

/// Uses the link up, in the unit that does what it is for; `false` when someone else was first or it is over.
pub async fn consume(tx: &mut Tx, hash: &str) -> Result<bool, StoreError> {
    let now = tx.now();
    let sql = Sql::template(
        "UPDATE sys_setup SET used_at = ? WHERE hash = ? AND used_at IS NULL AND expires_at > ? RETURNING purpose, user_id",
        [at(now), text(hash), at(now)],
    );
    let rows = tx.rows(sql, &[TEXT, INT]).await?;
    let Some(row) = rows.first() else { return Ok(false) };
    audit::append(tx, about("link.use", read::opt_int(row, 1)).fact("purpose", read::text(row, 0))).await?;
    Ok(true)
}

/// An entry about a link, and its person if it is for one.
fn about(action: &'static str, user: Option<i64>) -> Entry {
    match user {
        Some(user) => Entry::new(action).on(PERSON, user),
        None => Entry::new(action),
    }
}

/// Users with an unused link of this purpose, and until when it holds.
pub async fn pending(store: &Store, purpose: &str, now: DateTime) -> Result<Vec<(i64, DateTime)>, StoreError> {
    let sql = Sql::template(
        "SELECT user_id, expires_at FROM sys_setup WHERE purpose = ? AND used_at IS NULL AND expires_at > ? AND user_id IS NOT NULL \
         ORDER BY user_id",
        [text(purpose), at(now)],
    );
    Ok(store.rows(sql, &[INT, AT]).await?.iter().map(|row| (read::int(row, 0), read::at(row, 1))).collect())
}

/// Ends all links of a user that were not used.
pub async fn end_links_of(tx: &mut Tx, user_id: i64) -> Result<(), StoreError> {
    tx.run(Sql::template("DELETE FROM sys_setup WHERE user_id = ? AND used_at IS NULL", [int(user_id)])).await?;
    Ok(())
}
