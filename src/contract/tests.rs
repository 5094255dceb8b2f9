//! Schemas that need no catalog.

use serde_json::json;

use super::fields::nullable;

#[test]
fn null_is_added_to_types_enums_and_alternatives() {
    assert_eq!(nullable(json!({ "type": "string" })), json!({ "type": ["string", "null"] }));
    assert_eq!(nullable(json!({ "type": ["string", "number"] })), json!({ "type": ["string", "number", "null"] }));
    assert_eq!(nullable(json!({ "type": "string", "enum": ["a"] })), json!({ "type": ["string", "null"], "enum": ["a", null] }));
    assert_eq!(nullable(json!({ "anyOf": [{ "type": "string" }] })), json!({ "anyOf": [{ "type": "string" }, { "type": "null" }] }));
}
