//! Between the texts and JSON of the doors and values: `schema::field_type` with the faults of this room.

use serde_json::{Map, Value as Json};

use super::error::FieldFault;
use crate::base::Value;
use crate::schema::catalog::{Catalog, Field};
use crate::schema::field_type;

impl From<field_type::FieldFault> for FieldFault {
    fn from(fault: field_type::FieldFault) -> Self {
        let params = match fault.params {
            Json::Object(map) => map,
            _ => Map::new(),
        };
        Self { path: fault.path, code: fault.code.to_owned(), message: fault.message, params }
    }
}

/// Reads a JSON value; the fault's path starts inside the value.
pub(super) fn from_json(catalog: &Catalog, field: &Field, json: &Json) -> Result<Value, FieldFault> {
    Ok(field_type::parse_json(catalog, field, json)?)
}

/// Reads a text; the fault's path starts inside the value.
pub(super) fn from_text(catalog: &Catalog, field: &Field, text: &str, zone: &jiff::tz::TimeZone) -> Result<Value, FieldFault> {
    Ok(field_type::parse_text(catalog, field, text, zone)?)
}

/// The parts a JSON object names, for composite values that are merged part by part.
pub(super) fn named_parts(json: &Json) -> Vec<String> {
    match json {
        Json::Object(map) => map.keys().cloned().collect(),
        Json::Null => Vec::new(),
        _ => vec!["amount".to_owned()],
    }
}
