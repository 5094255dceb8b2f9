//! Operations that convert a record into others.

use serde_json::{Map, Value, json};

use super::fields::id_schema;
use super::operation::{Operation, schema_ref};
use super::records::{id_of, name};
use super::small::{moment, object, text, text_or_null};
use crate::base::Locale;
use crate::schema::catalog::{Catalog, Entity};

pub(super) fn add(catalog: &Catalog, entity: &Entity, base: &str, paths: &mut Map<String, Value>) {
    let mut operations = json!({ "get": list(entity) });
    if entity.may.update {
        operations["post"] = convert(catalog, entity);
    }
    paths.insert(format!("{base}/{{id}}/convert"), operations);
}

fn list_of(item: Value) -> Value {
    json!({ "type": "array", "items": item })
}

fn ids(entity: &Entity) -> Vec<&str> {
    entity.conversions.iter().map(|conversion| conversion.id.as_str()).collect()
}

/// A record that another became.
fn target() -> Value {
    object(&[
        ("target", text()),
        ("entity", text()),
        ("record", text()),
        ("made", json!({ "type": "boolean", "description": "false: it was there already" })),
        (
            "filled",
            json!({ "type": "array", "items": { "type": "string" }, "description": "fields that were filled in, of one that was there" }),
        ),
    ])
}

fn list(entity: &Entity) -> Value {
    let fault = object(&[("path", text()), ("code", text()), ("message", text()), ("params", json!({ "type": "object" }))]);
    let offered = object(&[
        ("target", text()),
        ("label", text()),
        ("entity", text()),
        ("optional", json!({ "type": "boolean" })),
        ("existing", json!({ "type": "string", "enum": ["ask", "use", "never"] })),
        ("fills", json!({ "type": "boolean" })),
        ("may_create", json!({ "type": "boolean" })),
        ("values", json!({ "type": "object", "description": "what it would be made with" })),
        (
            "rows",
            json!({ "type": "object", "additionalProperties": { "type": "integer" }, "description": "how many records would be made below it, by field" }),
        ),
        (
            "similar",
            json!({ "type": "array", "items": { "type": "object" }, "description": "records that look the same, as for duplicates" }),
        ),
    ]);
    let offer = object(&[
        ("conversion", text()),
        ("label", text()),
        ("targets", list_of(offered)),
        ("faults", json!({ "type": "array", "items": fault, "description": "what stands in the way where nothing else is said" })),
    ]);
    let mut converted = object(&[
        ("conversion", text()),
        ("at", moment()),
        ("by", text_or_null()),
        ("targets", list_of(target())),
        ("may_edit", json!({ "type": "boolean" })),
    ]);
    converted["type"] = json!(["object", "null"]);
    let answer = object(&[("data", list_of(offer)), ("converted", converted)]);
    let summary = format!("What one {} can be converted into", name(entity));
    id_of(Operation::new(&format!("list_conversions_of_{}", entity.slug), &entity.slug, &summary), entity)
        .describe("What would be made, with which values, what is there already and what stands in the way; `converted` once it is.")
        .answers("200", "the conversions that can be made now", answer)
        .build()
}

fn convert(catalog: &Catalog, entity: &Entity) -> Value {
    let mut properties = Map::new();
    for target in entity.conversions.iter().flat_map(|conversion| &conversion.targets) {
        let of = catalog.entity(target.entity);
        if !of.may.is_any() {
            continue;
        }
        let mut choices = vec![json!({ "type": "null" })];
        let one = |name: &str, schema: Value| object(&[(name, schema)]);
        choices.push(one("use", id_schema(of)));
        choices.push(one("values", schema_ref(&format!("{}.patch", of.slug))));
        properties.insert(target.id.clone(), json!({ "anyOf": choices }));
    }
    let mut body = json!({
        "type": "object",
        "properties": {
            "conversion": { "type": "string", "enum": ids(entity) },
            "targets": { "type": "object", "properties": properties, "additionalProperties": false },
        },
        "additionalProperties": false,
    });
    if entity.conversions.len() > 1 {
        body["required"] = json!(["conversion"]);
    }
    let answer = object(&[
        ("id", id_schema(entity)),
        ("version", json!({ "type": "integer", "minimum": 0 })),
        ("conversion", text()),
        ("targets", list_of(target())),
        ("carried", json!({ "type": "integer", "minimum": 0 })),
        ("warnings", list_of(text())),
        ("dry_run", json!({ "type": "boolean" })),
    ]);
    let labels: Vec<&str> = entity.conversions.iter().map(|conversion| conversion.label.get(Locale::En)).collect();
    let summary = format!("Convert one {} ({})", name(entity), labels.join(", "));
    id_of(Operation::new(&format!("convert_{}", entity.slug), &entity.slug, &summary), entity)
        .describe("All of it or nothing. `targets` says which records that are there are used (`use`), which values go before those of the definition (`values`), and what is left out (null).")
        .shared("IfMatch")
        .shared("IdempotencyKey")
        .shared("Prefer")
        .body(&["application/json"], body, None)
        .answers_with("200", "converted, or what a dry run would do", answer, &["ETag"])
        .fails(&["409", "412", "422", "428"])
        .build()
}
