//! Second factors: the secret of an authenticator app, and recovery codes by their hashes.

use super::audit::{self, Entry};
use super::read::{self, AT, INT, TEXT};
use super::sessions::PERSON;
use super::sql::{at, int, text};
use super::{Sql, Store, StoreError, Tx};

/// An authenticator app of a user.
#[derive(Clone, PartialEq, Eq)]
pub struct Totp {
    /// Base32 without padding.
    pub secret: String,
    /// The user has shown that the app works.
    pub is_confirmed: bool,
    /// Codes of this step of time and before are used up.
    pub last_step: i64,
}

impl std::fmt::Debug for Totp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Totp(confirmed {}, step {})", self.is_confirmed, self.last_step)
    }
}

pub async fn totp(store: &Store, user_id: i64) -> Result<Option<Totp>, StoreError> {
    let sql = Sql::template("SELECT secret, confirmed_at, last_step FROM sys_totp WHERE user_id = ?", [int(user_id)]);
    let rows = store.rows(sql, &[TEXT, AT, INT]).await?;
    Ok(rows.first().map(|row| Totp {
        secret: read::text(row, 0),
        is_confirmed: read::opt_at(row, 1).is_some(),
        last_step: read::int(row, 2),
    }))
}

/// Writes a secret that is to be confirmed; a confirmed one stays, and the answer is `false`.
pub async fn propose_totp(tx: &mut Tx, user_id: i64, secret: &str) -> Result<bool, StoreError> {
    let sql = Sql::template(
        "INSERT INTO sys_totp (user_id, secret, last_step) VALUES (?, ?, 0) \
         ON CONFLICT (user_id) DO UPDATE SET secret = excluded.secret WHERE sys_totp.confirmed_at IS NULL",
        [int(user_id), text(secret)],
    );
    Ok(tx.run(sql).await? == 1)
}

/// Notes that a code of this step of time was given; `false` when it, or a later one, was given before.
pub async fn use_step(tx: &mut Tx, user_id: i64, step: i64) -> Result<bool, StoreError> {
    let now = tx.now();
    let sql = Sql::template(
        "UPDATE sys_totp SET last_step = ?, confirmed_at = COALESCE(confirmed_at, ?) WHERE user_id = ? AND last_step < ?",
        [int(step), at(now), int(user_id), int(step)],
    );
    Ok(tx.run(sql).await? == 1)
}

/// Replaces the recovery codes of a user.
pub async fn set_recovery_codes(tx: &mut Tx, user_id: i64, hashes: &[String]) -> Result<(), StoreError> {
    tx.run(Sql::template("DELETE FROM sys_recovery_code WHERE user_id = ?", [int(user_id)])).await?;
    for hash in hashes {
        let sql = Sql::template("INSERT INTO sys_recovery_code (hash, user_id) VALUES (?, ?)", [text(hash.as_str()), int(user_id)]);
        tx.run(sql).await?;
    }
    audit::append(tx, Entry::new("factor.set").on(PERSON, user_id).fact("kind", "codes")).await?;
    Ok(())
}

/// Uses a recovery code up; `false` when the user has no such code.
pub async fn use_recovery_code(tx: &mut Tx, user_id: i64, hash: &str) -> Result<bool, StoreError> {
    let sql = Sql::template("DELETE FROM sys_recovery_code WHERE hash = ? AND user_id = ?", [text(hash), int(user_id)]);
    let is_used = tx.run(sql).await? == 1;
    if is_used {
        audit::append(tx, Entry::new("factor.recover").on(PERSON, user_id)).await?;
    }
    Ok(is_used)
}

pub async fn recovery_codes_left(store: &Store, user_id: i64) -> Result<i64, StoreError> {
    let sql = Sql::template("SELECT count(*) FROM sys_recovery_code WHERE user_id = ?", [int(user_id)]);
    Ok(store.rows(sql, &[INT]).await?.one_int().unwrap_or(0))
}

/// Users who have shown that their app works.
pub async fn users_with_totp(store: &Store) -> Result<Vec<i64>, StoreError> {
    let sql = Sql::new("SELECT user_id FROM sys_totp WHERE confirmed_at IS NOT NULL ORDER BY user_id");
    Ok(store.rows(sql, &[INT]).await?.iter().map(|row| read::int(row, 0)).collect())
}

/// Takes all second factors of a user away.
pub async fn remove(tx: &mut Tx, user_id: i64) -> Result<(), StoreError> {
    tx.run(Sql::template("DELETE FROM sys_totp WHERE user_id = ?", [int(user_id)])).await?;
    tx.run(Sql::template("DELETE FROM sys_recovery_code WHERE user_id = ?", [int(user_id)])).await?;
    audit::append(tx, Entry::new("factor.remove").on(PERSON, user_id)).await?;
    Ok(())
}
