//! Passkeys: public keys of devices, by the name each device gave its key.

use super::audit::{self, Entry};
use super::read::{self, AT, INT, TEXT};
use super::sessions::PERSON;
use super::sql::{at, int, text};
use super::{Sql, Store, StoreError, Tx};
use crate::base::DateTime;

/// One passkey.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passkey {
    /// The credential id, base64url.
    pub id: String,
    pub user_id: i64,
    pub name: String,
    /// SubjectPublicKeyInfo, base64url.
    pub public_key: String,
    /// How often it was used, as it says itself; 0 where it does not count.
    pub counter: i64,
    pub created_at: DateTime,
    pub used_at: Option<DateTime>,
}

const COLUMNS: [crate::schema::catalog::ColumnKind; 7] = [TEXT, INT, TEXT, TEXT, INT, AT, AT];

/// Writes a passkey; `false` when the id is taken.
pub async fn create(tx: &mut Tx, passkey: &Passkey) -> Result<bool, StoreError> {
    let sql = Sql::template(
        "INSERT INTO sys_passkey (id, user_id, name, public_key, counter, created_at) VALUES (?, ?, ?, ?, ?, ?) \
         ON CONFLICT (id) DO NOTHING",
        [
            text(passkey.id.as_str()),
            int(passkey.user_id),
            text(passkey.name.as_str()),
            text(passkey.public_key.as_str()),
            int(passkey.counter),
            at(passkey.created_at),
        ],
    );
    let is_new = tx.run(sql).await? == 1;
    if is_new {
        audit::append(tx, Entry::new("factor.set").on(PERSON, passkey.user_id).fact("kind", "passkey")).await?;
    }
    Ok(is_new)
}

pub async fn find(store: &Store, id: &str) -> Result<Option<Passkey>, StoreError> {
    let sql = Sql::template("SELECT id, user_id, name, public_key, counter, created_at, used_at FROM sys_passkey WHERE id = ?", [text(id)]);
    Ok(store.rows(sql, &COLUMNS).await?.first().map(passkey))
}

/// Passkeys of a user, oldest first.
pub async fn list(store: &Store, user_id: i64) -> Result<Vec<Passkey>, StoreError> {
    let sql = Sql::template(
        "SELECT id, user_id, name, public_key, counter, created_at, used_at FROM sys_passkey WHERE user_id = ? ORDER BY created_at, id",
        [int(user_id)],
    );
    Ok(store.rows(sql, &COLUMNS).await?.iter().map(passkey).collect())
}

/// Notes a use; `false` when the counter went back meanwhile: two devices hold the same key.
pub async fn used(tx: &mut Tx, id: &str, counter: i64) -> Result<bool, StoreError> {
    let now = tx.now();
    let sql = Sql::template(
        "UPDATE sys_passkey SET counter = ?, used_at = ? WHERE id = ? AND (counter < ? OR (counter = 0 AND ? = 0))",
        [int(counter), at(now), text(id), int(counter), int(counter)],
    );
    Ok(tx.run(sql).await? == 1)
}

/// Takes a passkey of a user away; `false` when they have no such one.
pub async fn remove(tx: &mut Tx, user_id: i64, id: &str) -> Result<bool, StoreError> {
    let is_gone = tx.run(Sql::template("DELETE FROM sys_passkey WHERE id = ? AND user_id = ?", [text(id), int(user_id)])).await? == 1;
    if is_gone {
        audit::append(tx, Entry::new("factor.remove").on(PERSON, user_id).fact("kind", "passkey")).await?;
    }
    Ok(is_gone)
}

/// Takes all passkeys of a user away.
pub async fn remove_all(tx: &mut Tx, user_id: i64) -> Result<u64, StoreError> {
    tx.run(Sql::template("DELETE FROM sys_passkey WHERE user_id = ?", [int(user_id)])).await
}

fn passkey(row: &[crate::base::Cell]) -> Passkey {
    Passkey {
        id: read::text(row, 0),
        user_id: read::int(row, 1),
        name: read::text(row, 2),
        public_key: read::text(row, 3),
        counter: read::int(row, 4),
        created_at: read::at(row, 5),
        used_at: read::opt_at(row, 6),
    }
}
