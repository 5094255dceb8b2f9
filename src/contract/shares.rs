//! Operations on the shares of a record.

use serde_json::{Map, Value, json};

use super::operation::{Operation, schema_ref};
use super::records::{id_of, name};
use super::small::object;
use crate::schema::catalog::Entity;

const JSON: &[&str] = &["application/json"];
const PATCH: &[&str] = &["application/merge-patch+json", "application/json"];

/// Whoever looks after the shares of others sees and ends them; making and changing them is for those who share.
pub(super) fn add(entity: &Entity, base: &str, paths: &mut Map<String, Value>) {
    let (mut all, mut one) = (json!({ "get": list(entity) }), json!({ "delete": end(entity) }));
    if entity.may.share {
        all["post"] = share(entity);
        one["patch"] = change(entity);
    }
    paths.insert(format!("{base}/{{id}}/shares"), all);
    paths.insert(format!("{base}/{{id}}/shares/{{share}}"), one);
}

/// With whom, how far, until when.
pub(super) fn schema() -> Value {
    let id_or_null = || json!({ "type": ["string", "null"] });
    object(&[
        ("id", json!({ "type": "string" })),
        ("person", id_or_null()),
        ("team", json!({ "type": ["string", "null"], "description": "with all teams below it" })),
        ("role", id_or_null()),
        ("may", may()),
        ("until", json!({ "type": ["string", "null"], "format": "date-time" })),
        ("created_at", json!({ "type": "string", "format": "date-time" })),
        ("created_by", id_or_null()),
    ])
}

fn may() -> Value {
    json!({ "type": "string", "enum": ["read", "edit"] })
}

fn until() -> Value {
    json!({ "type": ["string", "null"], "format": "date-time", "description": "from then on it is no share any more; null is without an end" })
}

fn operation(verb: &str, entity: &Entity, summary: &str) -> Operation {
    id_of(Operation::new(&format!("{verb}_{}", entity.slug), &entity.slug, &format!("{summary} {}", name(entity))), entity)
}

fn one(operation: Operation) -> Operation {
    operation.path("share", json!({ "type": "string", "pattern": "^share_[0-9a-hjkmnp-tv-z]{13}$" }), "the share's id")
}

fn list(entity: &Entity) -> Value {
    let answer = object(&[("data", json!({ "type": "array", "items": schema_ref("Share") }))]);
    operation("list_shares_of", entity, "Whom is shared one").answers("200", "the shares that have not ended, oldest first", answer).build()
}

fn share(entity: &Entity) -> Value {
    let body = json!({
        "type": "object",
        "properties": {
            "person": { "type": ["string", "null"] },
            "team": { "type": ["string", "null"], "description": "with all teams below it" },
            "role": { "type": ["string", "null"] },
            "may": may(),
            "until": until(),
        },
        "additionalProperties": false,
    });
    operation("share", entity, "Share one")
        .describe(
            "With one person, team or role, to read (unless told otherwise) or to edit; in place of what was shared with the same before.",
        )
        .shared("Prefer")
        .body(JSON, body, Some(json!({ "role": "user", "may": "read" })))
        .answers_with("201", "shared", schema_ref("Share"), &["Location"])
        .answers("200", "it was shared with the same before, and is now shared like this", schema_ref("Share"))
        .build()
}

fn change(entity: &Entity) -> Value {
    let body = json!({ "type": "object", "properties": { "may": may(), "until": until() }, "additionalProperties": false });
    one(operation("change_share_of", entity, "Change a share of one"))
        .shared("Prefer")
        .body(PATCH, body, None)
        .answers("200", "the share as it is now", schema_ref("Share"))
        .build()
}

fn end(entity: &Entity) -> Value {
    one(operation("end_share_of", entity, "End a share of one")).shared("Prefer").answers_empty("204", "it has ended", &[]).build()
}
