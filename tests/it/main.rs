//! The one integration binary: one link, every behaviour.

// The release profile looks deeper into futures of futures.
#![recursion_limit = "256"]

mod access;
mod api;
mod approvals;
mod architecture;
mod audit;
mod auth;
mod automations;
mod clocks;
mod conversions;
mod definitions;
mod deploy;
mod duplicates;
mod expressions;
mod field_types;
mod filters;
mod forms;
mod fuzz;
mod hostile;
mod identity;
mod jobs;
mod logs;
mod mutants;
mod page_samples;
mod pipelines;
mod plugins;
mod pools;
mod privacy;
mod records;
mod registrations;
mod script_docs;
mod script_faults;
mod scripts;
mod server;
mod store;
mod subject;
mod support;
mod surveys;
mod templates;
mod transfer;
mod what_if;
