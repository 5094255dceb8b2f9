//! Filters written out in a script: parsed, and each name in them looked up.

use rhai::Expr;

use super::walk::Walk;
use crate::base::EntityIx;
use crate::script::bind_filter;

pub(super) fn check(walk: &mut Walk<'_>, entity: EntityIx, filter: &Expr, values: Option<&Expr>) {
    let Expr::StringConstant(text, position) = filter else { return };
    let given: Option<Vec<&str>> = match values {
        Some(Expr::Map(parts, _)) => Some(parts.0.iter().map(|(name, _)| name.name.as_str()).collect()),
        None => Some(Vec::new()),
        // A map made elsewhere: its names are not known here.
        Some(_) => None,
    };
    let bound = bind_filter(text, |name| match &given {
        Some(names) if !names.contains(&name) => None,
        _ => Some("null".into()),
    });
    if let Err(error) = bound {
        walk.fault(*position, "AUT129", error.message, Some("give it in the map after the filter: `#{name: value}`".to_owned()));
    }
    let _ = entity;
}
