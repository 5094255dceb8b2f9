//! What the log of a run keeps of values: nothing that says something of a person, and nothing that is long.

use serde_json::{Value as Json, json};

use crate::base::{EntityIx, Value};
use crate::schema::catalog::{Catalog, Given, GivenValue};
use crate::schema::field_type;

/// Longest value in the log, in bytes of its JSON.
const LONGEST: usize = 2_000;

/// A value that a step gives to a field of the first entity; expressions are about a record of the second.
pub(super) fn value(catalog: &Catalog, (to, from): (EntityIx, EntityIx), given: &Given, value: &Value) -> Json {
    let field = catalog.entity(to).field(given.field);
    let is_read = match &given.value {
        GivenValue::Plain(_) => false,
        GivenValue::Expr(expr) => catalog.reads_personal(from, expr),
    };
    if is_read || catalog.is_personal(to, field) {
        return Json::from("(personal)");
    }
    short(field_type::to_json(catalog, field, value))
}

/// The value itself, or how long it is.
pub(super) fn short(value: Json) -> Json {
    let length = value.to_string().len();
    if length > LONGEST { json!({ "bytes": length }) } else { value }
}
