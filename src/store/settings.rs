//! Small facts of the installation (its id, when it was made). Never a secret.

use super::read::{self, TEXT};
use super::sql::text;
use super::{Sql, Store, StoreError, Tx};

pub async fn get(store: &Store, key: &str) -> Result<Option<String>, StoreError> {
    let rows = store.rows(Sql::template("SELECT value FROM sys_setting WHERE key = ?", [text(key)]), &[TEXT]).await?;
    Ok(rows.first().map(|row| read::text(row, 0)))
}

/// Sets what nobody has set yet: of two who set it at once the first one's stays.
pub async fn set_first(tx: &mut Tx, key: &str, value: &str) -> Result<(), StoreError> {
    tx.run(Sql::template("INSERT INTO sys_setting (key, value) VALUES (?, ?) ON CONFLICT (key) DO NOTHING", [text(key), text(value)]))
        .await?;
    Ok(())
}

pub async fn set(tx: &mut Tx, key: &str, value: &str) -> Result<(), StoreError> {
    tx.run(Sql::template(
        "INSERT INTO sys_setting (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        [text(key), text(value)],
    ))
    .await?;
    Ok(())
}
