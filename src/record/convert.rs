//! Between the texts and JSON of the doors and values: `schema::field_type` with the faults of this room.

use serde_json::{Map, Value as Json};

use super::error::FieldFault;
use crate::base::{RecordId, Value};
use crate::schema::catalog::{Catalog, Field, FieldType};
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

/// What a request wrote of a value that is merged part by part (RFC 7396): composite values, and money, which keeps its
/// currency when only an amount is given.
pub(super) fn partial(ty: &FieldType, json: &Json) -> Option<Json> {
    match (ty, json) {
        (FieldType::Money { .. } | FieldType::Address | FieldType::PersonName | FieldType::Geo, Json::Object(_)) => Some(json.clone()),
        (FieldType::Money { .. }, Json::Number(_) | Json::String(_)) => Some(serde_json::json!({ "amount": json })),
        _ => None,
    }
}

/// The stored value with the written parts laid over it.
pub(super) fn merged(catalog: &Catalog, field: &Field, stored: &Value, written: &Json) -> Result<Value, FieldFault> {
    let mut whole = field_type::to_json(catalog, field, stored);
    if let (Json::Object(whole), Json::Object(written)) = (&mut whole, written) {
        whole.shift_remove("base");
        for (part, value) in written {
            whole.insert(part.clone(), value.clone());
        }
    } else {
        whole = written.clone();
    }
    from_json(catalog, field, &whole)
}

/// Whether two values of a field are stored alike.
pub(super) fn same(catalog: &Catalog, field: &Field, left: &Value, right: &Value) -> bool {
    if left == right || (left.is_empty() && right.is_empty()) {
        return true;
    }
    if field.columns.is_empty() {
        return false;
    }
    let (mut one, mut other) = (Vec::new(), Vec::new());
    field_type::to_cells(catalog, field, left, &mut one);
    field_type::to_cells(catalog, field, right, &mut other);
    one == other
}

/// The id a value points to: a link's, or an any_link's text.
pub(super) fn link_id(value: &Value) -> Option<RecordId> {
    match value {
        Value::Link(id) => Some(*id),
        Value::Text(text) => RecordId::parse(text).map(|(_, id)| id),
        _ => None,
    }
}
