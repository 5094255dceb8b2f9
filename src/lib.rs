//! Relata: a CRM that you describe. The map of the rooms is in `docs/architecture.md`.

#![forbid(unsafe_code)]

pub mod access;
pub mod app;
pub mod auth;
pub mod automation;
pub mod base;
pub mod cli;
pub mod contract;
pub mod deploy;
pub mod expr;
pub mod jobs;
pub mod outbound;
pub mod proof;
pub mod query;
pub mod record;
pub mod render;
pub mod schema;
pub mod script;
pub mod store;
pub mod transfer;
pub mod web;
