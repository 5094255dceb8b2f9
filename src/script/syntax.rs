//! Syntax errors in plain words.

use super::check::Found;

pub(super) fn explain(_: &rhai::ParseError, _: &str) -> Found {
    unimplemented!("explain")
}
