//! The small schemas that operations are put together from.

use serde_json::{Map, Value, json};

/// The id of what the workspace keeps beside its records: a run, a job, an endpoint.
pub(super) fn plain_id() -> Value {
    json!({ "type": "string", "pattern": "^[0-9]{1,19}$" })
}

pub(super) fn text() -> Value {
    json!({ "type": "string" })
}

pub(super) fn text_or_null() -> Value {
    json!({ "type": ["string", "null"] })
}

pub(super) fn moment() -> Value {
    json!({ "type": "string", "format": "date-time" })
}

pub(super) fn moment_or_null() -> Value {
    json!({ "type": ["string", "null"], "format": "date-time" })
}

pub(super) fn number_or_null() -> Value {
    json!({ "type": ["integer", "null"] })
}

/// An object with exactly these members.
pub(super) fn object(members: &[(&str, Value)]) -> Value {
    let properties: Map<String, Value> = members.iter().map(|(name, schema)| ((*name).to_owned(), schema.clone())).collect();
    let required: Vec<&str> = members.iter().map(|(name, _)| *name).collect();
    json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
}
