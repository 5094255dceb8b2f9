//! What PostgreSQL knows of the number of rows and of the values in them. It looks by itself once a minute; until then
//! a list of a table that was just filled is sorted instead of read from an index.

use super::{Dialect, Sql, Store, StoreError};

/// Looks at tables that have many new rows, and at the search index. SQLite plans without such knowledge.
///
/// # Errors
/// Only the database's.
pub async fn refresh(store: &Store, tables: &[&str]) -> Result<(), StoreError> {
    if store.dialect() != Dialect::Postgres || tables.is_empty() {
        return Ok(());
    }
    let mut sql = Sql::new("ANALYZE sys_search");
    for table in tables {
        sql.push(", ").ident(table);
    }
    store
        .write::<_, StoreError>(move |tx| {
            Box::pin(async move {
                tx.run(sql).await?;
                Ok(())
            })
        })
        .await
}
