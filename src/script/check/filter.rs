//! Filters written out in a script: parsed, and each name in them looked up.

use rhai::Expr;

use super::walk::Walk;
use crate::base::{EntityIx, Explain};
use crate::query::{CursorKey, parse_list_json};
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
    let bound = match bound {
        Ok(bound) => bound,
        Err(error) => {
            walk.fault(*position, "AUT129", error.message, Some("give it in the map after the filter: `#{name: value}`".to_owned()));
            return;
        }
    };
    if bound.trim().is_empty() {
        return;
    }
    let body = serde_json::json!({ "filter": bound });
    let key = CursorKey::from_secret(b"no cursor is read");
    let Err(faults) = parse_list_json(walk.catalog, &key, entity, &body) else { return };
    let has_values = bound != text.as_str();
    let told = faults.iter().find(|fault| !has_values || !depends_on_values(fault.code()));
    if let Some(fault) = told {
        let hint = fault.hint().or_else(|| fault.near.as_ref().map(|near| format!("did you mean `{near}`?")));
        walk.fault(*position, "AUT130", format!("the filter is at fault: {fault}"), hint);
    }
}

/// Faults that come of the `null` that stands for a value which is known only when the script runs.
fn depends_on_values(code: &str) -> bool {
    matches!(code, "EXP105" | "EXP106" | "EXP112" | "EXP117" | "EXP118")
}
