//! The one integration binary: one link, every behaviour.

mod architecture;
