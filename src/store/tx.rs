//! A unit of work in progress.

use std::future::Future;
use std::pin::Pin;

use super::{Dialect, Rows, Sql, Statement, StoreError};
use crate::base::DateTime;
use crate::schema::catalog::ColumnKind;

/// What a unit of work returns.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The transaction handed to a unit of work. On SQLite it runs on the writer's thread and statements run inline; on
/// PostgreSQL it holds its own connection.
#[derive(Debug)]
pub struct Tx {
    dialect: Dialect,
    now: DateTime,
}

impl Tx {
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// The moment the unit began, by the store's clock: the same for all it writes.
    pub fn now(&self) -> DateTime {
        self.now
    }

    /// Runs a statement that gives rows.
    pub async fn query(&mut self, _statement: &Statement) -> Result<Rows, StoreError> {
        unimplemented!("store")
    }

    /// Runs a statement; gives the number of rows it touched.
    pub async fn execute(&mut self, _statement: &Statement) -> Result<u64, StoreError> {
        unimplemented!("store")
    }

    /// Runs statements in order (on PostgreSQL with fewer round trips than one by one); stops at the first fault.
    pub async fn execute_many(&mut self, _statements: &[Statement]) -> Result<u64, StoreError> {
        unimplemented!("store")
    }

    /// [`Tx::query`] for SQL just built.
    pub async fn rows(&mut self, sql: Sql, columns: &[ColumnKind]) -> Result<Rows, StoreError> {
        self.query(&sql.statement(self.dialect, columns)).await
    }

    /// [`Tx::execute`] for SQL just built.
    pub async fn run(&mut self, sql: Sql) -> Result<u64, StoreError> {
        self.execute(&sql.statement(self.dialect, &[])).await
    }

    /// The version of the definitions in the database, as this transaction sees it.
    pub async fn catalog_version(&mut self) -> Result<i64, StoreError> {
        unimplemented!("store")
    }

    /// # Errors
    /// [`StoreError::StaleCatalog`] unless the database's definitions have this version.
    pub async fn expect_catalog(&mut self, expected: i64) -> Result<(), StoreError> {
        let actual = self.catalog_version().await?;
        if actual == expected { Ok(()) } else { Err(StoreError::StaleCatalog { expected, actual }) }
    }

    /// Opens a part that can be undone on its own ([`Tx::rollback_part`]); parts nest.
    pub async fn begin_part(&mut self) -> Result<(), StoreError> {
        unimplemented!("store")
    }

    /// Keeps the innermost part.
    pub async fn keep_part(&mut self) -> Result<(), StoreError> {
        unimplemented!("store")
    }

    /// Undoes the innermost part; the transaction goes on.
    pub async fn rollback_part(&mut self) -> Result<(), StoreError> {
        unimplemented!("store")
    }

    /// Runs `part`; an error undoes only what it wrote.
    pub async fn part<T, E>(&mut self, part: impl for<'a> FnOnce(&'a mut Tx) -> BoxFuture<'a, Result<T, E>> + Send) -> Result<T, E>
    where
        T: Send,
        E: From<StoreError> + Send,
    {
        self.begin_part().await?;
        match part(self).await {
            Ok(value) => {
                self.keep_part().await?;
                Ok(value)
            }
            Err(error) => {
                self.rollback_part().await?;
                Err(error)
            }
        }
    }
}
