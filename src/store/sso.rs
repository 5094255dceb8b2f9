//! Accounts of other servers that people have proved to be theirs.

use super::audit::{self, Entry};
use super::read::INT;
use super::sessions::PERSON;
use super::sql::{int, text};
use super::{Sql, Store, StoreError, Tx};

/// The user of an account, by the server that vouches for it and the name it has there.
pub async fn find(store: &Store, issuer: &str, subject: &str) -> Result<Option<i64>, StoreError> {
    let sql = Sql::template("SELECT user_id FROM sys_sso_link WHERE issuer = ? AND subject = ?", [text(issuer), text(subject)]);
    Ok(store.rows(sql, &[INT]).await?.one_int())
}

/// Writes a link; an account that is someone's stays theirs.
pub async fn create(tx: &mut Tx, issuer: &str, subject: &str, user_id: i64) -> Result<bool, StoreError> {
    let sql = Sql::template(
        "INSERT INTO sys_sso_link (issuer, subject, user_id) VALUES (?, ?, ?) ON CONFLICT (issuer, subject) DO NOTHING",
        [text(issuer), text(subject), int(user_id)],
    );
    let is_new = tx.run(sql).await? == 1;
    if is_new {
        audit::append(tx, Entry::new("factor.set").on(PERSON, user_id).fact("kind", "sso")).await?;
    }
    Ok(is_new)
}

/// Takes the links of a user away; gives how many there were.
pub async fn remove_all(tx: &mut Tx, user_id: i64) -> Result<u64, StoreError> {
    tx.run(Sql::template("DELETE FROM sys_sso_link WHERE user_id = ?", [int(user_id)])).await
}
