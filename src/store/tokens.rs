//! API tokens, by the hash of their secret.

use super::audit::{self, Entry};
use super::read::{self, AT, INT, TEXT};
use super::sessions::PERSON;
use super::sql::{at, int, text};
use super::{Sql, Store, StoreError, Tx};
use crate::base::DateTime;

/// One token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    pub id: i64,
    /// Hex hash of the whole token.
    pub hash: String,
    pub user_id: i64,
    pub name: String,
    /// First characters, to recognise it by.
    pub hint: String,
    /// JSON array.
    pub scopes_json: String,
    pub created_at: DateTime,
    pub expires_at: Option<DateTime>,
    pub used_at: Option<DateTime>,
    pub revoked_at: Option<DateTime>,
    /// Addresses it may be used from, with commas; empty means everywhere.
    pub networks: String,
}

const COLUMNS: [crate::schema::catalog::ColumnKind; 11] = [INT, TEXT, INT, TEXT, TEXT, TEXT, AT, AT, AT, AT, TEXT];

pub async fn create(tx: &mut Tx, token: &Token) -> Result<(), StoreError> {
    tx.run(Sql::template(
        "INSERT INTO sys_token (id, hash, user_id, name, hint, scopes, networks, created_at, expires_at) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            int(token.id),
            text(token.hash.as_str()),
            int(token.user_id),
            text(token.name.as_str()),
            text(token.hint.as_str()),
            text(token.scopes_json.as_str()),
            text(token.networks.as_str()),
            at(token.created_at),
            at(token.expires_at),
        ],
    ))
    .await?;
    let entry = Entry::new("token.create").on(PERSON, token.user_id).fact("token", token.id).fact("scopes", token.scopes_json.as_str());
    audit::append(tx, entry).await?;
    Ok(())
}

/// The token with this hash, if it is neither revoked nor over.
pub async fn find(store: &Store, hash: &str, now: DateTime) -> Result<Option<Token>, StoreError> {
    let sql = Sql::template(
        "SELECT id, hash, user_id, name, hint, scopes, created_at, expires_at, used_at, revoked_at, networks FROM sys_token \
         WHERE hash = ? AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?)",
        [text(hash), at(now)],
    );
    Ok(store.rows(sql, &COLUMNS).await?.first().map(token))
}

/// Whether a token with this hash was made, although it is revoked or over by now.
pub async fn is_ended(store: &Store, hash: &str) -> Result<bool, StoreError> {
    let sql = Sql::template("SELECT id FROM sys_token WHERE hash = ?", [text(hash)]);
    Ok(store.rows(sql, &[INT]).await?.one_int().is_some())
}

/// Tokens of a user, or of all users, newest first.
pub async fn list(store: &Store, user_id: Option<i64>) -> Result<Vec<Token>, StoreError> {
    let mut sql =
        Sql::new("SELECT id, hash, user_id, name, hint, scopes, created_at, expires_at, used_at, revoked_at, networks FROM sys_token");
    if let Some(user_id) = user_id {
        sql.append(Sql::template(" WHERE user_id = ?", [int(user_id)]));
    }
    sql.push(" ORDER BY id DESC");
    Ok(store.rows(sql, &COLUMNS).await?.iter().map(token).collect())
}

/// Notes that it was used; callers do so at most once a minute.
pub async fn touch(tx: &mut Tx, id: i64) -> Result<(), StoreError> {
    let now = tx.now();
    tx.run(Sql::template("UPDATE sys_token SET used_at = ? WHERE id = ?", [at(now), int(id)])).await?;
    Ok(())
}

/// Ends a token; `false` when there is none that is live.
pub async fn revoke(tx: &mut Tx, id: i64) -> Result<bool, StoreError> {
    tx.identity_changed().await?;
    let now = tx.now();
    let sql =
        Sql::template("UPDATE sys_token SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL RETURNING user_id", [at(now), int(id)]);
    let Some(user_id) = tx.rows(sql, &[INT]).await?.one_int() else { return Ok(false) };
    audit::append(tx, Entry::new("token.revoke").on(PERSON, user_id).fact("token", id)).await?;
    Ok(true)
}

fn token(row: &[crate::base::Cell]) -> Token {
    Token {
        id: read::int(row, 0),
        hash: read::text(row, 1),
        user_id: read::int(row, 2),
        name: read::text(row, 3),
        hint: read::text(row, 4),
        scopes_json: read::text(row, 5),
        created_at: read::at(row, 6),
        expires_at: read::opt_at(row, 7),
        used_at: read::opt_at(row, 8),
        revoked_at: read::opt_at(row, 9),
        networks: read::text(row, 10),
    }
}
