//! To come.

pub(super) fn register(_: &mut rhai::Engine) {}
