//! The key that signs cursors: made once for a workspace, the same on all its nodes.
//!
//! It protects no data: who knows it could only make up a page's position. Keys that protect data never lie in the database.

use super::sql::text;
use super::{Sql, Store, StoreError, settings};
use crate::base::Random;
use crate::base::text::{from_hex, hex};

const KEY: &str = "cursor_key";

/// Reads the key; the first node that asks makes it.
///
/// # Errors
/// The database.
pub async fn cursor_key(store: &Store, random: &dyn Random) -> Result<[u8; 32], StoreError> {
    if let Some(key) = read(store).await? {
        return Ok(key);
    }
    let mut fresh = [0; 32];
    random.fill(&mut fresh);
    let shown = hex(&fresh);
    // Two nodes may start at once: the first one's key stays.
    store
        .write(move |tx| {
            Box::pin(async move {
                let sql = Sql::template(
                    "INSERT INTO sys_setting (key, value) VALUES (?, ?) ON CONFLICT (key) DO NOTHING",
                    [text(KEY), text(shown.as_str())],
                );
                tx.run(sql).await?;
                Ok::<(), StoreError>(())
            })
        })
        .await?;
    Ok(read(store).await?.unwrap_or(fresh))
}

async fn read(store: &Store) -> Result<Option<[u8; 32]>, StoreError> {
    let text = settings::get(store, KEY).await?;
    Ok(text.and_then(|text| from_hex(&text)).and_then(|bytes| bytes.try_into().ok()))
}
