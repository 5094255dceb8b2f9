//! The store itself: open, read, write, close.

use std::sync::Arc;

use tokio::sync::watch;

use super::{BoxFuture, Dialect, OpenOptions, Rows, Sql, Statement, StoreError, Tx};
use crate::base::{Clock, IdMint};
use crate::schema::catalog::ColumnKind;

/// One open database. Cloning is cheap: all clones share it.
#[derive(Debug, Clone)]
pub struct Store {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    dialect: Dialect,
    clock: Arc<dyn Clock>,
    mint: Arc<IdMint>,
    catalog: watch::Receiver<i64>,
}

impl Store {
    /// Opens the database, brings its system tables up to date and leases a node number. Needs a tokio runtime.
    ///
    /// # Errors
    /// [`StoreError::Locked`], [`StoreError::NewerDatabase`], [`StoreError::Unreachable`] and kin.
    pub async fn open(_options: OpenOptions) -> Result<Self, StoreError> {
        unimplemented!("store")
    }

    pub fn dialect(&self) -> Dialect {
        self.shared.dialect
    }

    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.shared.clock
    }

    /// Mints ids with this process's leased node number.
    pub fn mint(&self) -> &Arc<IdMint> {
        &self.shared.mint
    }

    /// Runs a reading statement outside any transaction.
    pub async fn query(&self, _statement: &Statement) -> Result<Rows, StoreError> {
        unimplemented!("store")
    }

    /// [`Store::query`] for SQL just built.
    pub async fn rows(&self, sql: Sql, columns: &[ColumnKind]) -> Result<Rows, StoreError> {
        self.query(&sql.statement(self.dialect(), columns)).await
    }

    /// Runs one unit of work: all of it is kept, and on disk when this returns `Ok`; on `Err` nothing of it is.
    /// On SQLite the units that wait are committed together, each undone on its own when it fails.
    pub async fn write<T, E>(
        &self,
        _unit: impl for<'a> FnOnce(&'a mut Tx) -> BoxFuture<'a, Result<T, E>> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        unimplemented!("store")
    }

    /// A unit that changes tables or definitions: no other unit runs beside it on any node.
    pub async fn apply<T, E>(
        &self,
        _unit: impl for<'a> FnOnce(&'a mut Tx) -> BoxFuture<'a, Result<T, E>> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        unimplemented!("store")
    }

    /// Runs a unit and undoes it whatever it returns: for measuring a plan and what-if.
    pub async fn rehearse<T, E>(
        &self,
        _unit: impl for<'a> FnOnce(&'a mut Tx) -> BoxFuture<'a, Result<T, E>> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        unimplemented!("store")
    }

    /// The version of the definitions in the database, changing when this or another process applies.
    pub fn catalog_changes(&self) -> watch::Receiver<i64> {
        self.shared.catalog.clone()
    }

    /// Ends background work, finishes waiting units and gives the node number and the lock back.
    pub async fn close(&self) -> Result<(), StoreError> {
        unimplemented!("store")
    }
}
