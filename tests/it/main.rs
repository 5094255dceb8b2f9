//! The one integration binary: one link, every behaviour.

mod definitions;
mod field_types;
mod architecture;
mod expressions;
mod filters;
mod jobs;
mod page_samples;
mod records;
mod plugins;
mod script_docs;
mod script_faults;
mod scripts;
mod store;
mod templates;
