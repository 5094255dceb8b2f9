//! The operation that looks for duplicates of a record, and what is told of them.

use serde_json::{Map, Value, json};

use super::operation::{Operation, schema_ref};
use super::records::name;
use super::small::object;
use crate::schema::catalog::Entity;

pub(super) fn add(entity: &Entity, base: &str, paths: &mut Map<String, Value>) {
    paths.insert(format!("{base}/duplicates"), json!({ "post": look(entity) }));
}

fn look(entity: &Entity) -> Value {
    let list = |item: Value| json!({ "type": "array", "items": item });
    let answer = object(&[("duplicates", list(found(entity))), ("may_save", json!({ "type": "boolean" }))]);
    Operation::new(&format!("find_duplicates_of_{}", entity.slug), &entity.slug, &format!("Is there such a {} already?", name(entity)))
        .describe("The values of a record that is not there yet; nothing is written. Records the asker may not read are not named.")
        .body(&["application/json"], schema_ref(&format!("{}.patch", entity.slug)), None)
        .answers("200", "what each rule found", answer)
        .fails(&["409"])
        .build()
}

/// What one rule found.
fn found(entity: &Entity) -> Value {
    let text = || json!({ "type": "string" });
    let list = |item: Value| json!({ "type": "array", "items": item });
    let record = object(&[("id", text()), ("title", text()), ("likeness", json!({ "type": "integer", "minimum": 1, "maximum": 100 }))]);
    let rules: Vec<&str> = entity.duplicates.iter().map(|rule| rule.id.as_str()).collect();
    object(&[
        ("rule", json!({ "type": "string", "examples": rules })),
        ("label", text()),
        ("message", text()),
        ("action", json!({ "type": "string", "enum": ["warn", "refuse"] })),
        ("fields", list(text())),
        ("records", list(record)),
        ("has_hidden", json!({ "type": "boolean" })),
    ])
}
