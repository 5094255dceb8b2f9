//! The one integration binary: one link, every behaviour.

mod access;
mod api;
mod architecture;
mod auth;
mod definitions;
mod deploy;
mod expressions;
mod field_types;
mod filters;
mod forms;
mod fuzz;
mod hostile;
mod identity;
mod jobs;
mod page_samples;
mod plugins;
mod records;
mod script_docs;
mod script_faults;
mod scripts;
mod server;
mod store;
mod support;
mod templates;
mod transfer;
