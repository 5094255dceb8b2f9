//! Operations of administrators on people: inviting, deactivating, reactivating.

use serde_json::{Map, Value, json};

use super::fields::id_schema;
use super::operation::Operation;
use super::small::{moment_or_null, object};
use crate::schema::catalog::Catalog;

const JSON: &[&str] = &["application/json"];
const TAG: &str = "people";
const FRESH: &str = "For administrators. In a session the password must have been given within the last ten minutes \
    (`POST /api/v1/session/confirm`).";

pub(super) fn add(catalog: &Catalog, paths: &mut Map<String, Value>) {
    let id = catalog.find_entity("core.user").map_or_else(|| json!({ "type": "string" }), id_schema);
    paths.insert("/api/v1/people".into(), json!({ "get": people(&id) }));
    paths.insert("/api/v1/people/invite".into(), json!({ "post": invite(&id) }));
    paths.insert("/api/v1/people/{id}/invite".into(), json!({ "post": invite_again(&id) }));
    paths.insert("/api/v1/people/{id}/records".into(), json!({ "get": held(&id) }));
    paths.insert("/api/v1/people/{id}/deactivate".into(), json!({ "post": deactivate(&id) }));
    paths.insert("/api/v1/people/{id}/reactivate".into(), json!({ "post": reactivate(&id) }));
    paths.insert("/api/v1/people/{id}/sessions".into(), json!({ "delete": end_sessions(&id) }));
}

fn of_person(operation: Operation, id: &Value) -> Operation {
    operation.path("id", id.clone(), "the person's id")
}

fn list_of(item: Value) -> Value {
    object(&[("data", json!({ "type": "array", "items": item }))])
}

fn people(id: &Value) -> Value {
    let item = object(&[
        ("id", id.clone()),
        ("name", json!({ "type": "string" })),
        ("email", json!({ "type": "string" })),
        ("roles", json!({ "type": "array", "items": { "type": "string" } })),
        ("active", json!({ "type": "boolean" })),
        ("has_password", json!({ "type": "boolean" })),
        ("invited_until", moment_or_null()),
        ("second_factor", json!({ "type": "boolean" })),
        ("sessions", json!({ "type": "integer" })),
        ("last_seen_at", moment_or_null()),
    ]);
    Operation::new("list_people", TAG, "Who can sign in, and how")
        .describe("For administrators.")
        .answers("200", "by name", list_of(item))
        .build()
}

fn link(id: &Value) -> Value {
    object(&[
        ("id", id.clone()),
        ("link", json!({ "type": "string", "description": "shown this once; holds for seven days" })),
        ("mailed", json!({ "type": "boolean", "description": "it was sent to them too: a mail server is named" })),
    ])
}

fn invite(id: &Value) -> Value {
    let body = json!({
        "type": "object",
        "properties": {
            "email": { "type": "string", "minLength": 1, "maxLength": 254 },
            "name": { "type": ["string", "null"], "maxLength": 120, "description": "without it the part of the address before the @" },
            "roles": { "type": ["array", "null"], "items": { "type": "string" }, "description": "without it `user`" },
        },
        "required": ["email"],
        "additionalProperties": false,
    });
    Operation::new("invite_person", TAG, "Make a person with their roles, and the link by which they choose a password")
        .describe(FRESH)
        .body(JSON, body, Some(json!({ "email": "new.colleague@example.com", "name": "New Colleague", "roles": ["user"] })))
        .answers("201", "the person and the link; who is there already and has no password gets a new one", link(id))
        .fails(&["409"])
        .build()
}

fn invite_again(id: &Value) -> Value {
    of_person(Operation::new("invite_person_again", TAG, "A new link for someone who has no password yet; the one before ends"), id)
        .describe(FRESH)
        .answers("200", "the link", link(id))
        .fails(&["422"])
        .build()
}

fn held(id: &Value) -> Value {
    let item =
        object(&[("entity", json!({ "type": "string" })), ("field", json!({ "type": "string" })), ("count", json!({ "type": "integer" }))]);
    of_person(Operation::new("list_records_of_person", TAG, "How many records name a person, by entity and field"), id)
        .describe("For administrators: what would be handed over when they leave.")
        .answers("200", "entities and fields with at least one", list_of(item))
        .build()
}

fn deactivate(id: &Value) -> Value {
    let body = json!({
        "type": "object",
        "properties": { "heir": { "type": ["string", "null"], "description": "the id of an active person who takes over what names them" } },
        "additionalProperties": false,
    });
    let answer = object(&[
        ("moved", json!({ "type": "integer", "description": "records handed over" })),
        ("left", json!({ "type": "integer", "description": "records that rules or scripts refused to change" })),
    ]);
    of_person(Operation::new("deactivate_person", TAG, "Shut a person out at once, on every node, and hand their records over"), id)
        .describe(FRESH)
        .body(JSON, body, Some(json!({ "heir": null })))
        .answers("200", "they are out", answer)
        .fails(&["409"])
        .build()
}

fn reactivate(id: &Value) -> Value {
    of_person(Operation::new("reactivate_person", TAG, "Let a person in again; sessions from before stay ended"), id)
        .describe(FRESH)
        .answers_empty("204", "they can sign in again", &[])
        .fails(&["409", "422"])
        .build()
}

fn end_sessions(id: &Value) -> Value {
    of_person(Operation::new("end_sessions_of_person", TAG, "End all sessions of a person, at once and on every node"), id)
        .describe(FRESH)
        .answers_empty("204", "they have ended", &[])
        .build()
}
