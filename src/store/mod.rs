//! The database. The only room that knows SQL, sqlx (PostgreSQL) and rusqlite (SQLite).
//!
//! A [`Store`] reads with [`Store::query`] and writes with [`Store::write`]: a unit of work over [`Tx`], all of it or
//! nothing. The modules below hold one system table each, as plain functions over a `Tx`. No rule of the business
//! lives here.

mod dialect;
mod error;
mod options;
mod statement;
mod store;
mod tx;

pub mod catalog;
pub mod compile;
pub mod ddl;
pub mod sql;

pub use dialect::Dialect;
pub use error::StoreError;
pub use options::{Durability, OpenOptions, Target};
pub use sql::Sql;
pub use statement::{Rows, Statement};
pub use store::Store;
pub use tx::{BoxFuture, Tx};
