//! The one integration binary: one link, every behaviour.

mod architecture;
mod page_samples;
mod store;
mod templates;
