//! PostgreSQL 15 or newer through sqlx: a pool, one schema for a workspace, units of work side by side.

pub(super) mod cells;
pub(super) mod connect;
pub(super) mod fault;
pub(super) mod link;
pub(super) mod migrate;
mod slow;
pub(super) mod watch;
