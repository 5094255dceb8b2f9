//! Operations that put records together and take them apart.

use serde_json::{Map, Value, json};

use super::fields::{ID_DIGITS, id_schema};
use super::operation::Operation;
use super::records::{id_of, name};
use super::small::object;
use crate::schema::catalog::Entity;

/// As the record service has it (`record::MOST_MERGED`).
const MOST_MERGED: u32 = 9;

pub(super) fn add(entity: &Entity, base: &str, paths: &mut Map<String, Value>) {
    if entity.may.update && entity.may.delete {
        paths.insert(format!("{base}/{{id}}/merge"), json!({ "post": merge(entity) }));
        paths.insert(format!("{base}/{{id}}/merges/{{merge}}/undo"), json!({ "post": undo(entity) }));
    }
    paths.insert(format!("{base}/{{id}}/merges"), json!({ "get": list(entity) }));
}

fn merge_id() -> Value {
    json!({ "type": "string", "pattern": format!("^merge_{ID_DIGITS}$") })
}

fn count() -> Value {
    json!({ "type": "integer", "minimum": 0 })
}

fn merge(entity: &Entity) -> Value {
    let list = |item: Value| json!({ "type": "array", "items": item });
    let body = json!({
        "type": "object",
        "properties": {
            "from": { "type": "array", "items": id_schema(entity), "minItems": 1, "maxItems": MOST_MERGED },
            "take": { "type": "object", "additionalProperties": id_schema(entity) },
        },
        "required": ["from"],
        "additionalProperties": false,
    });
    let part = object(&[("id", merge_id()), ("from", id_schema(entity)), ("moved", count())]);
    let answer =
        object(&[("id", id_schema(entity)), ("version", count()), ("merges", list(part)), ("dry_run", json!({ "type": "boolean" }))]);
    let summary = format!("Merge others into one {}", name(entity));
    id_of(Operation::new(&format!("merge_{}", entity.slug), &entity.slug, &summary), entity)
        .describe("What leads to the others leads to this one; `take` names fields whose value comes from one of them. The others go to the recycle bin.")
        .shared("IfMatch")
        .shared("Prefer")
        .body(&["application/json"], body, None)
        .answers_with("200", "merged, or what a dry run would do", answer, &["ETag"])
        .fails(&["409", "412", "428"])
        .build()
}

fn undo(entity: &Entity) -> Value {
    let names = json!({ "type": "array", "items": { "type": "string" } });
    let answer = object(&[
        ("id", id_schema(entity)),
        ("from", id_schema(entity)),
        ("moved", count()),
        ("kept_fields", names),
        ("kept_links", count()),
        ("dry_run", json!({ "type": "boolean" })),
    ]);
    let summary = format!("Take a merge of one {} apart", name(entity));
    id_of(Operation::new(&format!("undo_merge_of_{}", entity.slug), &entity.slug, &summary), entity)
        .path("merge", merge_id(), "the merge")
        .shared("IfMatch")
        .shared("Prefer")
        .answers("200", "taken apart, or what a dry run would do; what was changed since is kept and told", answer)
        .fails(&["409", "412", "422", "428"])
        .build()
}

fn list(entity: &Entity) -> Value {
    let text = |nullable: bool| if nullable { json!({ "type": ["string", "null"] }) } else { json!({ "type": "string" }) };
    let one =
        object(&[("id", merge_id()), ("from", id_schema(entity)), ("at", text(false)), ("by", text(true)), ("undone_at", text(true))]);
    let answer = object(&[("data", json!({ "type": "array", "items": one }))]);
    let summary = format!("What was merged into one {}", name(entity));
    id_of(Operation::new(&format!("list_merges_of_{}", entity.slug), &entity.slug, &summary), entity)
        .answers("200", "the merges, newest first", answer)
        .build()
}
