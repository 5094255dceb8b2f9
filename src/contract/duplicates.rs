//! The operations that look for duplicates, and what is told of them.

use serde_json::{Map, Value, json};

use super::fields::id_schema;
use super::operation::{Operation, schema_ref};
use super::records::name;
use super::small::{moment, moment_or_null, number_or_null, object, text};
use crate::schema::catalog::Entity;

pub(super) fn add(entity: &Entity, base: &str, paths: &mut Map<String, Value>) {
    let mut operations = json!({ "post": look(entity) });
    if entity.may.read {
        operations["get"] = list(entity);
    }
    paths.insert(format!("{base}/duplicates"), operations);
    if entity.may.read && entity.may.update {
        paths.insert(format!("{base}/duplicates/look"), json!({ "post": begin(entity) }));
        paths.insert(format!("{base}/duplicates/apart"), json!({ "post": apart(entity) }));
    }
}

fn list(entity: &Entity) -> Value {
    let list = |item: Value| json!({ "type": "array", "items": item });
    let record = object(&[("id", id_schema(entity)), ("title", text())]);
    let group = object(&[
        ("records", list(record)),
        ("likeness", json!({ "type": "integer", "minimum": 1, "maximum": 100 })),
        ("rules", list(text())),
    ]);
    let mut last = object(&[
        ("state", json!({ "type": "string", "enum": ["running", "done"] })),
        ("begun_at", moment()),
        ("ended_at", moment_or_null()),
    ]);
    last["type"] = json!(["object", "null"]);
    let answer = object(&[("data", list(group)), ("next_offset", number_or_null()), ("look", last)]);
    Operation::new(
        &format!("list_duplicates_of_{}", entity.slug),
        &entity.slug,
        &format!("Which records are there twice: {}", name(entity)),
    )
    .describe(
        "Groups that the last look found and that are alike still, likest first. Records the asker may not read have no part in them.",
    )
    .query("limit", json!({ "type": "integer", "minimum": 1, "maximum": 100, "default": 20 }), "groups of one page")
    .query("offset", json!({ "type": "integer", "minimum": 0, "maximum": 10_000, "default": 0 }), "`next_offset` of the page before")
    .answers("200", "the groups", answer)
    .fails(&["400"])
    .build()
}

fn begin(entity: &Entity) -> Value {
    Operation::new(&format!("look_for_duplicates_of_{}", entity.slug), &entity.slug, &format!("Look through all records: {}", name(entity)))
        .describe("A job finds records that are alike. One look goes on at a time.")
        .answers("202", "it goes on; `begun` is false where it did already", object(&[("begun", json!({ "type": "boolean" }))]))
        .build()
}

fn apart(entity: &Entity) -> Value {
    let body = json!({
        "type": "object",
        "properties": {
            "records": { "type": "array", "items": id_schema(entity), "minItems": 2, "maxItems": 20, "uniqueItems": true },
            "apart": { "type": "boolean", "default": true },
        },
        "required": ["records"],
        "additionalProperties": false,
    });
    Operation::new(&format!("tell_{}_apart", entity.slug), &entity.slug, &format!("Say that records are not the same: {}", name(entity)))
        .describe("They are listed and asked about no more; rules that refuse still refuse. `apart: false` takes it back. All of them must be yours to change.")
        .body(&["application/json"], body, None)
        .answers("200", "remembered", object(&[("apart", json!({ "type": "boolean" }))]))
        .fails(&["422"])
        .build()
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
