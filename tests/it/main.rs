//! The one integration binary: one link, every behaviour.

mod definitions;
mod architecture;
mod expressions;
mod filters;
mod page_samples;
mod scripts;
mod store;
mod templates;
