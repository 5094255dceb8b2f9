//! `rollup`: an aggregate over children or links, kept up to date when they change.

pub use super::formula::read_only;
