//! The database. The only room that knows SQL, sqlx (PostgreSQL) and rusqlite (SQLite).
//!
//! A [`Store`] reads with [`Store::query`] and writes with [`Store::write`]: a unit of work over [`Tx`], all of it or
//! nothing. The modules below hold one system table each, as plain functions over a `Tx`. No rule of the business
//! lives here.

mod dialect;
mod error;
mod migrate;
mod open;
mod options;
mod postgres;
mod read;
mod signals;
mod sqlite;
mod statement;
mod tx;
mod unit;

pub mod alike;
pub mod approvals;
pub mod audit;
pub mod backup;
pub mod catalog;
pub mod challenges;
pub mod compile;
pub mod conversions;
pub mod credentials;
pub mod ddl;
pub mod doctor;
pub mod duplicate;
pub mod erasures;
pub mod factors;
pub mod files;
pub mod functions;
pub mod grow;
pub mod history;
pub mod holds;
pub mod idempotency;
pub mod identity;
pub mod imports;
pub mod jobs;
pub mod keys;
pub mod locks;
pub mod mails;
pub mod matches;
pub mod measure;
pub mod merges;
pub mod nodes;
pub mod notifications;
pub mod outbox;
pub mod passkeys;
pub mod people;
pub mod rates;
pub mod recalc;
pub mod registrations;
pub mod runs;
pub mod schedules;
pub mod search;
pub mod secret;
pub mod seeds;
pub mod sequences;
pub mod sessions;
pub mod settings;
pub mod setup;
pub mod shares;
pub mod sql;
pub mod sso;
pub mod stages;
pub mod statistics;
pub mod throttle;
pub mod tokens;
pub mod vault;
pub mod webhooks;

pub use dialect::Dialect;
pub use error::StoreError;
pub use open::Store;
pub use options::{Durability, OpenOptions, Target};
pub use sql::Sql;
pub use statement::{Rows, Statement};
pub use tx::{BoxFuture, Tx};
