//! `children`: the records of another entity whose link points here. Written as a list of objects, kept as JSON
//! until `record` saves each one.

use serde_json::Value as Json;

use super::FieldFault;
use super::common::{at_most, list_of, wrong_type, wrong_value};
use crate::base::Value;

/// The most children one write can hold.
pub const MAX: u32 = 1000;

pub fn from_json(json: &Json) -> Result<Value, FieldFault> {
    let items = list_of(json, "a list of records")?;
    at_most(items.len(), MAX)?;
    match items.iter().position(|item| !item.is_object()) {
        Some(position) => Err(wrong_type("an object", &items[position]).under(position)),
        None => Ok(Value::Json(json.clone())),
    }
}

/// Text holds no children.
pub fn from_text() -> Result<Value, FieldFault> {
    Err(FieldFault::new("not_in_text", "children cannot be written as text; import them as records of their own"))
}

pub fn check(value: &Value) -> Result<(), FieldFault> {
    match value {
        Value::Json(Json::Array(_)) => Ok(()),
        _ => Err(wrong_value("a list of records")),
    }
}
