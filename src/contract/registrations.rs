//! Operations on registrations: those of a record, and those of the people who file and decide.

use serde_json::{Map, Value, json};

use super::operation::{Operation, schema_ref};
use super::records::{id_of, name};
use super::small::{moment, moment_or_null, object, plain_id, text, text_or_null};
use crate::schema::catalog::Entity;

const JSON: &[&str] = &["application/json"];
const TAG: &str = "registrations";

/// Whether anything can be registered.
pub(super) fn is_used<'e>(mut entities: impl Iterator<Item = &'e Entity>) -> bool {
    entities.any(|entity| !entity.registrations.is_empty())
}

pub(super) fn of_entity(entity: &Entity, base: &str, paths: &mut Map<String, Value>) {
    let mut all = json!({ "get": of_record(entity) });
    if entity.may.update {
        all["post"] = file(entity);
    }
    paths.insert(format!("{base}/{{id}}/registrations"), all);
}

pub(super) fn add(paths: &mut Map<String, Value>) {
    paths.insert("/api/v1/registrations".into(), json!({ "get": list() }));
    paths.insert("/api/v1/registrations/{claim}".into(), json!({ "get": get() }));
    paths.insert("/api/v1/registrations/{claim}/decide".into(), json!({ "post": decide() }));
    paths.insert("/api/v1/registrations/{claim}/extend".into(), json!({ "post": extend() }));
    paths.insert("/api/v1/registrations/{claim}/withdraw".into(), json!({ "post": withdraw() }));
}

/// What the schema of an entity tells of its registrations.
pub(super) fn facts(entity: &Entity) -> Value {
    entity.registrations.iter().map(|one| json!({ "id": one.id, "label": one.label.0 })).collect()
}

/// The schema of a claim.
pub(super) fn schema() -> Value {
    let rival = object(&[
        ("record", json!({ "type": ["string", "null"], "description": "null where you may not read it" })),
        ("filer", json!({ "type": ["string", "null"], "description": "for those who decide, and where the definitions say so" })),
        ("until", moment_or_null()),
    ]);
    let may = object(&[
        ("decide", json!({ "type": "boolean" })),
        ("extend", json!({ "type": "boolean" })),
        ("withdraw", json!({ "type": "boolean" })),
    ]);
    object(&[
        ("id", plain_id()),
        ("registration", text()),
        ("label", json!({ "type": "string", "description": "in your language" })),
        ("entity", text()),
        ("record", text()),
        ("filer", text()),
        (
            "state",
            json!({ "type": "string", "enum": ["protected", "contested", "refused", "expired", "withdrawn", "lost", "deleted", "void"],
                "description": "`contested`: somebody decides; `lost`: it went to another claim, or was taken away" }),
        ),
        ("filed_at", moment()),
        ("until", json!({ "type": ["string", "null"], "format": "date-time", "description": "until when it is protected, or was" })),
        ("extended", json!({ "type": "integer", "minimum": 0, "description": "how often" })),
        ("comment", text_or_null()),
        ("rivals", json!({ "type": "array", "items": rival, "description": "claims it met when it was filed" })),
        ("ended_at", moment_or_null()),
        ("ended_by", text_or_null()),
        ("reason", text_or_null()),
        ("may", may),
    ])
}

fn operation(verb: &str, entity: &Entity, summary: &str) -> Operation {
    id_of(Operation::new(&format!("{verb}_{}", entity.slug), &entity.slug, &format!("{summary} {}", name(entity))), entity)
}

fn claims() -> Value {
    json!({ "type": "array", "items": schema_ref("Claim") })
}

fn of_record(entity: &Entity) -> Value {
    let offered = object(&[("registration", text()), ("label", text())]);
    let answer = object(&[("data", claims()), ("offered", json!({ "type": "array", "items": offered }))]);
    operation("list_registrations_of", entity, "Claims on one, and what can be filed:")
        .answers("200", "newest first", answer)
        .fails(&["422"])
        .build()
}

fn file(entity: &Entity) -> Value {
    let ids: Vec<&str> = entity.registrations.iter().map(|one| one.id.as_str()).collect();
    let body = json!({
        "type": "object",
        "required": ["registration"],
        "properties": { "registration": { "type": "string", "enum": ids }, "comment": { "type": ["string", "null"], "maxLength": 1000 } },
        "additionalProperties": false,
    });
    operation("register", entity, "File a claim on one")
        .describe("Its `state` says what became of it: `protected`, `contested` where somebody decides, or `refused`.")
        .body(JSON, body, ids.first().map(|id| json!({ "registration": id, "comment": "Met at the fair" })))
        .answers_with("201", "filed", schema_ref("Claim"), &["Location"])
        .build()
}

fn list() -> Value {
    let answer =
        object(&[("data", claims()), ("next", json!({ "type": ["string", "null"], "description": "the `before` of the next page" }))]);
    Operation::new("list_registrations", TAG, "What you filed, or are to decide")
        .query("show", json!({ "type": "string", "enum": ["filed", "contested"], "default": "filed" }), "which of them")
        .query("before", plain_id(), "only claims older than this one")
        .query("limit", json!({ "type": "integer", "minimum": 1, "maximum": 100, "default": 50 }), "claims of an answer")
        .answers("200", "newest first", answer)
        .fails(&["422"])
        .build()
}

fn one(id: &'static str, summary: &'static str) -> Operation {
    Operation::new(id, TAG, summary).path("claim", plain_id(), "the claim's id")
}

fn get() -> Value {
    one("get_registration", "One claim").answers("200", "the claim", schema_ref("Claim")).build()
}

fn decide() -> Value {
    let body = json!({
        "type": "object",
        "required": ["decision", "reason"],
        "properties": { "decision": { "type": "string", "enum": ["grant", "refuse"] }, "reason": { "type": ["string", "null"], "maxLength": 1000 } },
        "additionalProperties": false,
    });
    one("decide_registration", "Grant or refuse a claim that met another one")
        .describe("Granted, it is protected, and those it met are lost.")
        .body(JSON, body, Some(json!({ "decision": "grant", "reason": "Was there first" })))
        .answers("200", "the claim as it is now", schema_ref("Claim"))
        .build()
}

fn extend() -> Value {
    one("extend_registration", "Protect a claim for longer")
        .answers("200", "the claim as it is now", schema_ref("Claim"))
        .fails(&["422"])
        .build()
}

fn withdraw() -> Value {
    let body = json!({
        "type": "object",
        "properties": { "reason": { "type": ["string", "null"], "maxLength": 1000, "description": "needed to take somebody else's away" } },
        "additionalProperties": false,
    });
    one("withdraw_registration", "Give a claim up, or take it away")
        .body(JSON, body, Some(json!({ "reason": null })))
        .answers("200", "the claim as it is now", schema_ref("Claim"))
        .build()
}
