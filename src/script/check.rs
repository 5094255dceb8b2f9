//! Checks a parsed script against the catalog.

use rhai::AST;

use super::compile::ScriptSource;
use crate::schema::catalog::Catalog;

pub(super) struct Found {
    pub line: u32,
    pub column: u32,
    pub code: &'static str,
    pub message: String,
    pub hint: Option<String>,
}

pub(super) fn check(_: &AST, _: &ScriptSource<'_>, _: &Catalog) -> Vec<Found> {
    unimplemented!("check")
}
