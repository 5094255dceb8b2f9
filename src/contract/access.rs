//! Operations that explain who may what.

use serde_json::{Map, Value, json};

use super::operation::Operation;
use super::small::{object, text};

const TAG: &str = "access";

pub(super) fn add(paths: &mut Map<String, Value>) {
    paths.insert("/api/v1/access/why".into(), json!({ "get": why() }));
    paths.insert("/api/v1/access/who".into(), json!({ "get": who() }));
    paths.insert("/api/v1/access/as".into(), json!({ "get": seen() }));
}

fn texts() -> Value {
    json!({ "type": "array", "items": { "type": "string" } })
}

fn list(item: Value) -> Value {
    object(&[("data", json!({ "type": "array", "items": item }))])
}

fn why() -> Value {
    let reason = object(&[
        ("role", text()),
        ("rule", json!({ "type": "string", "description": "as the role's document says it; for administrators" })),
        ("holds", json!({ "type": "boolean", "description": "whether it holds for this record" })),
    ]);
    let action =
        object(&[("action", text()), ("allowed", json!({ "type": "boolean" })), ("roles", json!({ "type": "array", "items": reason }))]);
    let share = object(&[
        ("with", json!({ "type": "string", "enum": ["person", "team", "role"] })),
        ("who", text()),
        ("may", json!({ "type": "string", "enum": ["read", "edit"] })),
        ("until", json!({ "type": ["string", "null"], "format": "date-time" })),
    ]);
    let answer = object(&[
        ("roles", texts()),
        ("everything", json!({ "type": "boolean", "description": "nothing is kept from these roles" })),
        ("actions", json!({ "type": "array", "items": action })),
        ("shares", json!({ "type": "array", "items": share })),
        ("hidden", texts()),
    ]);
    Operation::new("access_why", TAG, "Why somebody may, or may not, do what with a record")
        .describe("About oneself anybody may ask; about others administrators, and those whose role says `admin` for the entity, of people they read.")
        .query("record", text(), "the record's id")
        .query("person", text(), "the person's id; oneself when it is left out")
        .answers("200", "each action with what each role says of it", answer)
        .build()
}

fn who() -> Value {
    let item = object(&[("role", text()), ("rule", text()), ("people", texts())]);
    Operation::new("access_who", TAG, "Who reads an entity or a field")
        .query("of", json!({ "type": "string", "examples": ["deal.amount"] }), "an entity, or a field of it")
        .answers("200", "the roles that show it, with what they say and the people who have them", list(item))
        .build()
}

fn seen() -> Value {
    let item = object(&[
        ("entity", text()),
        (
            "records",
            json!({ "type": ["integer", "null"], "description": "how many may be read; null where it depends on who has the role" }),
        ),
        ("more", json!({ "type": "boolean", "description": "there are more than `records`" })),
        ("actions", texts()),
        ("hidden", texts()),
        ("in_some", json!({ "type": "array", "items": { "type": "string" }, "description": "fields that are read in some records only" })),
    ]);
    Operation::new("access_as", TAG, "What a person, or a role, sees")
        .describe("Oneself when neither is named; others and roles are for administrators.")
        .query("person", text(), "the person's id")
        .query("role", text(), "a role's name")
        .answers("200", "entity by entity", list(item))
        .build()
}
