//! Operations on public pools.

use serde_json::{Map, Value, json};

use super::MOST_CLAIMED;
use super::operation::{Operation, schema_ref};
use super::records::{id_of, name};
use super::small::{moment, moment_or_null, object, text, text_or_null};
use crate::schema::catalog::Entity;

const JSON: &[&str] = &["application/json"];
const TAG: &str = "pools";

/// Whether anything has a pool.
pub(super) fn is_used<'e>(mut entities: impl Iterator<Item = &'e Entity>) -> bool {
    entities.any(|entity| !entity.pools.is_empty())
}

pub(super) fn add(paths: &mut Map<String, Value>) {
    paths.insert("/api/v1/pools".into(), json!({ "get": list() }));
}

/// The operations of an entity that has pools.
pub(super) fn of_entity(entity: &Entity, base: &str, paths: &mut Map<String, Value>) {
    let pool = format!("/api/v1/pools/{}/{{pool}}", entity.slug);
    paths.insert(pool.clone(), json!({ "get": in_pool(entity) }));
    paths.insert(format!("{pool}/held"), json!({ "get": held(entity) }));
    paths.insert(format!("{pool}/claim"), json!({ "post": claim(entity) }));
    paths.insert(format!("{pool}/hand-out"), json!({ "post": hand_out(entity) }));
    paths.insert(format!("{base}/{{id}}/holding"), json!({ "get": holding(entity) }));
    paths.insert(format!("{base}/{{id}}/return"), json!({ "post": give_back(entity) }));
}

/// What the schema of an entity tells of its pools.
pub(super) fn facts(entity: &Entity) -> Value {
    entity.pools.iter().map(|pool| json!({ "id": pool.id, "label": pool.label.0 })).collect()
}

fn count() -> Value {
    json!({ "type": "integer", "minimum": 0 })
}

fn list() -> Value {
    let pool = object(&[
        ("entity", text()),
        ("pool", text()),
        ("label", json!({ "type": "string", "description": "in your language" })),
        ("held", json!({ "type": "integer", "minimum": 0, "description": "records of it that you hold" })),
        ("cap", json!({ "type": ["integer", "null"], "description": "how many you may hold; null is no limit" })),
        ("claimed_today", count()),
        ("claims_per_day", json!({ "type": ["integer", "null"] })),
        ("may_manage", json!({ "type": "boolean", "description": "you hand out and take back" })),
    ]);
    Operation::new("list_pools", TAG, "The public pools you may claim from")
        .answers("200", "the pools", object(&[("data", json!({ "type": "array", "items": pool }))]))
        .fails(&["422"])
        .build()
}

fn of_pool(verb: &str, entity: &Entity, summary: &str) -> Operation {
    let ids: Vec<&str> = entity.pools.iter().map(|pool| pool.id.as_str()).collect();
    Operation::new(&format!("{verb}_{}", entity.slug), &entity.slug, summary).path(
        "pool",
        json!({ "type": "string", "enum": ids }),
        "the pool's id",
    )
}

fn in_pool(entity: &Entity) -> Value {
    let row = json!({ "type": "object", "description": "the fields that the pool shows", "additionalProperties": true });
    let total = object(&[("value", count()), ("exact", json!({ "type": "boolean" }))]);
    let page = json!({
        "type": "object",
        "properties": {
            "data": { "type": "array", "items": row },
            "next_cursor": text_or_null(),
            "total": total,
        },
        "required": ["data", "next_cursor"],
        "additionalProperties": false,
    });
    of_pool("list_pool_of", entity, &format!("{} that nobody holds", entity.label_plural.get(crate::base::Locale::En)))
        .describe("Of each record only what the pool shows, which is also all that `filter` and `sort` know.")
        .query("filter", json!({ "type": "string", "maxLength": 8192 }), "a condition over the fields that are shown")
        .query("sort", json!({ "type": "string", "maxLength": 1024 }), "fields that are shown, `-` before one for descending")
        .query("cursor", json!({ "type": "string", "maxLength": 16384 }), "`next_cursor` of the page before")
        .query("limit", json!({ "type": "integer", "minimum": 1, "maximum": 500, "default": 50 }), "records of a page")
        .query("count", json!({ "type": "string", "enum": ["none", "estimated", "exact"], "default": "none" }), "whether `total` is told")
        .answers("200", "a page", page)
        .fails(&["422"])
        .build()
}

fn hold() -> Vec<(&'static str, Value)> {
    vec![
        ("record", text()),
        ("since", moment()),
        ("active_at", json!({ "type": "string", "format": "date-time", "description": "when the holder last did something that counts" })),
        ("kept_until", json!({ "type": "string", "format": "date-time", "description": "until then nobody takes it away" })),
        ("due", json!({ "type": ["string", "null"], "format": "date-time", "description": "when it goes back unless something is done" })),
    ]
}

fn held(entity: &Entity) -> Value {
    let answer = object(&[("data", json!({ "type": "array", "items": object(&hold()) }))]);
    of_pool("list_held_of", entity, "What you hold of a pool, that which goes back first before the others")
        .answers("200", "what you hold", answer)
        .fails(&["422"])
        .build()
}

fn claim(entity: &Entity) -> Value {
    let body = json!({
        "type": "object",
        "required": ["records"],
        "properties": { "records": { "type": "array", "items": { "type": "string" }, "minItems": 1, "maxItems": MOST_CLAIMED } },
        "additionalProperties": false,
    });
    let result = object(&[
        ("record", text()),
        ("claimed", json!({ "type": "boolean" })),
        ("error", json!({ "anyOf": [schema_ref("Problem"), { "type": "null" }], "description": "why it was not claimed" })),
    ]);
    of_pool("claim", entity, "Claim records of a pool")
        .describe(
            "Each on its own: of several people who claim one, one gets it. One that is not in the pool (any more) is told by `pool_gone`.",
        )
        .body(JSON, body, None)
        .answers(
            "200",
            "how each of them went, in the order of their ids",
            object(&[("data", json!({ "type": "array", "items": result }))]),
        )
        .build()
}

fn hand_out(entity: &Entity) -> Value {
    let body = json!({
        "type": "object",
        "required": ["most"],
        "properties": { "most": { "type": "integer", "minimum": 1, "maximum": 1000 } },
        "additionalProperties": false,
    });
    of_pool("hand_out", entity, "Hand out records of a pool to people who may claim them, for its managers")
        .body(JSON, body, Some(json!({ "most": 50 })))
        .answers("200", "how many were", object(&[("handed_out", count())]))
        .build()
}

fn of_record(verb: &str, entity: &Entity, summary: &str) -> Operation {
    id_of(Operation::new(&format!("{verb}_{}", entity.slug), &entity.slug, &format!("{summary} {}", name(entity))), entity)
}

fn holding(entity: &Entity) -> Value {
    let mut members = hold();
    members.extend([("pool", text()), ("person", text())]);
    let mut now = object(&members);
    now["type"] = json!(["object", "null"]);
    let past = object(&[
        ("pool", text()),
        ("person", text()),
        ("from", moment()),
        ("got", json!({ "type": "string", "enum": ["claimed", "handed_out", "assigned", "made", "restored", "came"] })),
        ("got_by", text_or_null()),
        ("until", moment_or_null()),
        (
            "lost",
            json!({ "type": ["string", "null"], "enum": ["returned", "reclaimed", "taken_back", "handed_over", "left", "deleted", null] }),
        ),
        ("lost_by", text_or_null()),
        ("reason", text_or_null()),
    ]);
    let answer = object(&[
        ("now", now),
        ("may_return", json!({ "type": "boolean" })),
        ("past", json!({ "type": "array", "items": past, "description": "newest first" })),
    ]);
    of_record("get_holding_of", entity, "Who holds for a pool, and held,").answers("200", "the holders", answer).fails(&["422"]).build()
}

fn give_back(entity: &Entity) -> Value {
    let body = json!({
        "type": "object",
        "required": ["reason"],
        "properties": { "reason": { "type": ["string", "null"], "maxLength": 1000 } },
        "additionalProperties": false,
    });
    of_record("return", entity, "Give back to its pool")
        .body(JSON, body, Some(json!({ "reason": "Does not answer" })))
        .answers_empty("204", "it is in the pool again", &[])
        .build()
}
