//! Operations on approvals: those of a record, and those of the people who decide.

use serde_json::{Map, Value, json};

use super::operation::{Operation, schema_ref};
use super::records::{id_of, name};
use super::small::{moment, moment_or_null, object, text, text_or_null};
use crate::schema::catalog::Entity;

const JSON: &[&str] = &["application/json"];
const TAG: &str = "approvals";

/// Whether anything can be approved.
pub(super) fn is_used<'e>(mut entities: impl Iterator<Item = &'e Entity>) -> bool {
    entities.any(|entity| !entity.approvals.is_empty())
}

/// What can be asked about records of an entity.
pub(super) fn of_entity(entity: &Entity, base: &str, paths: &mut Map<String, Value>) {
    let mut all = json!({ "get": of_record(entity) });
    if entity.may.update {
        all["post"] = ask(entity);
    }
    paths.insert(format!("{base}/{{id}}/approvals"), all);
}

pub(super) fn add(paths: &mut Map<String, Value>) {
    paths.insert("/api/v1/approvals".into(), json!({ "get": list() }));
    paths.insert("/api/v1/approvals/{request}".into(), json!({ "get": get() }));
    paths.insert("/api/v1/approvals/{request}/decide".into(), json!({ "post": decide() }));
    paths.insert("/api/v1/approvals/{request}/hand-on".into(), json!({ "post": hand_on() }));
    paths.insert("/api/v1/approvals/{request}/withdraw".into(), json!({ "post": withdraw() }));
    paths.insert("/api/v1/stand-ins".into(), json!({ "get": stand_ins(), "post": add_stand_in() }));
    paths.insert("/api/v1/stand-ins/{id}".into(), json!({ "delete": end_stand_in() }));
}

fn number() -> Value {
    json!({ "type": "string", "pattern": "^[0-9]{1,19}$" })
}

fn comment() -> Value {
    json!({ "type": ["string", "null"], "maxLength": 1000 })
}

/// The schema of a request.
pub(super) fn schema() -> Value {
    let person = object(&[
        ("person", text_or_null()),
        (
            "state",
            json!({ "type": "string", "enum": ["waiting", "approved", "rejected", "handed_on", "late", "gone", "over"],
                "description": "`late`: the time was over; `gone`: may not decide (any more); `over`: others have decided" }),
        ),
        (
            "why",
            json!({ "type": "string", "enum": ["named", "handed_on", "escalated", "nobody"], "description": "`nobody`: nobody else was there who may decide" }),
        ),
        ("from", json!({ "type": ["string", "null"], "description": "who handed it on" })),
        ("decided_by", json!({ "type": ["string", "null"], "description": "the person, or who stands in for them" })),
        ("comment", text_or_null()),
        ("asked_at", moment()),
        ("decided_at", moment_or_null()),
    ]);
    let step = object(&[
        ("step", text()),
        ("label", text()),
        (
            "need",
            json!({ "anyOf": [{ "type": "string", "enum": ["any", "all"] }, { "type": "integer" }], "description": "how many must approve" }),
        ),
        ("needed", json!({ "type": ["integer", "null"], "description": "the same as a number, for the step it is in" })),
        ("current", json!({ "type": "boolean" })),
        ("people", json!({ "type": "array", "items": person })),
    ]);
    let value = object(&[
        ("value", json!({ "description": "as the record held it when it was asked for" })),
        ("unchanged", json!({ "type": "boolean", "description": "the record holds it still" })),
    ]);
    let may = object(&[
        ("decide_for", json!({ "type": "array", "items": text(), "description": "oneself, and those one stands in for" })),
        ("hand_on", json!({ "type": "array", "items": text() })),
        ("withdraw", json!({ "type": "boolean" })),
    ]);
    object(&[
        ("id", number()),
        ("approval", text()),
        ("label", json!({ "type": "string", "description": "in your language" })),
        ("entity", text()),
        ("record", text()),
        ("state", json!({ "type": "string", "enum": ["running", "approved", "rejected", "withdrawn", "void"] })),
        (
            "reason",
            json!({ "type": ["string", "null"], "description": "why nobody decided it so: `values`, `deleted`, `time`, `definition`, `nobody`" }),
        ),
        ("step", text_or_null()),
        ("steps", json!({ "type": "array", "items": step })),
        ("values", json!({ "type": "object", "additionalProperties": value, "description": "what is decided on, by field" })),
        ("hidden_values", json!({ "type": "boolean", "description": "there are values you may not see" })),
        ("asked_by", text_or_null()),
        ("asked_at", moment()),
        ("comment", text_or_null()),
        ("due_at", moment_or_null()),
        ("ended_at", moment_or_null()),
        ("ended_by", text_or_null()),
        ("counts", json!({ "type": "boolean", "description": "approved, and the record holds what was approved" })),
        ("may", may),
    ])
}

fn requests() -> Value {
    json!({ "type": "array", "items": schema_ref("Approval") })
}

fn operation(verb: &str, entity: &Entity, summary: &str) -> Operation {
    id_of(Operation::new(&format!("{verb}_{}", entity.slug), &entity.slug, &format!("{summary} {}", name(entity))), entity)
}

fn of_record(entity: &Entity) -> Value {
    let offered = object(&[
        ("approval", text()),
        ("label", text()),
        ("state", json!({ "type": "string", "enum": ["not_needed", "missing", "running", "rejected", "void", "approved"] })),
        ("may_ask", json!({ "type": "boolean" })),
        ("fields", json!({ "type": "array", "items": text(), "description": "locked while it is decided" })),
    ]);
    let answer = object(&[("data", requests()), ("offered", json!({ "type": "array", "items": offered }))]);
    operation("list_approvals_of", entity, "What was asked about one, and what can be asked:")
        .answers("200", "newest first", answer)
        .build()
}

fn ask(entity: &Entity) -> Value {
    let ids: Vec<&str> = entity.approvals.iter().map(|approval| approval.id.as_str()).collect();
    let body = json!({
        "type": "object",
        "required": ["approval"],
        "properties": { "approval": { "type": "string", "enum": ids }, "comment": comment() },
        "additionalProperties": false,
    });
    operation("ask_approval_of", entity, "Ask for a decision about one")
        .describe("Its fields are locked until it is decided.")
        .body(JSON, body, ids.first().map(|id| json!({ "approval": id, "comment": "A good customer" })))
        .answers_with("201", "asked", schema_ref("Approval"), &["Location"])
        .build()
}

fn list() -> Value {
    let answer =
        object(&[("data", requests()), ("next", json!({ "type": ["string", "null"], "description": "the `before` of the next page" }))]);
    Operation::new("list_approvals", TAG, "What you are to decide, have asked for or have decided")
        .query("show", json!({ "type": "string", "enum": ["waiting", "asked", "decided"], "default": "waiting" }), "which of them")
        .query("before", number(), "only requests older than this one")
        .query("limit", json!({ "type": "integer", "minimum": 1, "maximum": 100, "default": 50 }), "requests of an answer")
        .answers("200", "newest first", answer)
        .fails(&["422"])
        .build()
}

fn one(id: &'static str, summary: &'static str) -> Operation {
    Operation::new(id, TAG, summary).path("request", number(), "the request's id")
}

fn get() -> Value {
    one("get_approval", "One request with everybody who was asked").answers("200", "the request", schema_ref("Approval")).build()
}

fn decide() -> Value {
    let body = json!({
        "type": "object",
        "required": ["decision"],
        "properties": {
            "decision": { "type": "string", "enum": ["approve", "reject"] },
            "comment": { "type": ["string", "null"], "maxLength": 1000, "description": "needed to reject" },
            "for": { "type": ["string", "null"], "description": "the person you stand in for; yourself where you are asked" },
        },
        "additionalProperties": false,
    });
    one("decide_approval", "Approve or reject")
        .body(JSON, body, Some(json!({ "decision": "reject", "comment": "Too much for this customer" })))
        .answers("200", "the request as it is now", schema_ref("Approval"))
        .fails(&["409"])
        .build()
}

fn hand_on() -> Value {
    let body = json!({
        "type": "object",
        "required": ["to"],
        "properties": {
            "to": { "type": "string" },
            "from": { "type": ["string", "null"], "description": "whose part it is, for administrators and those who stand in" },
            "comment": comment(),
        },
        "additionalProperties": false,
    });
    one("hand_on_approval", "Let somebody else decide in your place")
        .body(JSON, body, None)
        .answers("200", "the request as it is now", schema_ref("Approval"))
        .fails(&["409"])
        .build()
}

fn withdraw() -> Value {
    one("withdraw_approval", "Take back what you asked for")
        .describe("For whoever asked, and for administrators.")
        .answers("200", "the request as it is now", schema_ref("Approval"))
        .fails(&["409", "422"])
        .build()
}

fn stand_in() -> Value {
    object(&[("id", number()), ("person", text()), ("stand_in", text()), ("from", moment()), ("until", moment())])
}

fn stand_ins() -> Value {
    Operation::new("list_stand_ins", TAG, "Who decides for you, and for whom you do")
        .query("person", text(), "somebody else's, for administrators")
        .answers("200", "those that are not over", object(&[("data", json!({ "type": "array", "items": stand_in() }))]))
        .fails(&["422"])
        .build()
}

fn add_stand_in() -> Value {
    let body = json!({
        "type": "object",
        "required": ["stand_in", "until"],
        "properties": {
            "person": { "type": ["string", "null"], "description": "somebody else, for administrators" },
            "stand_in": { "type": "string" },
            "from": { "type": ["string", "null"], "format": "date-time", "description": "from now on when left out" },
            "until": { "type": "string", "format": "date-time" },
        },
        "additionalProperties": false,
    });
    Operation::new("add_stand_in", TAG, "Let somebody decide for you for some time")
        .body(JSON, body, None)
        .answers("201", "it is so", stand_in())
        .build()
}

fn end_stand_in() -> Value {
    Operation::new("end_stand_in", TAG, "Decide yourself again")
        .path("id", number(), "as it is listed")
        .answers_empty("204", "it has ended", &[])
        .build()
}

/// The approvals of an entity, for its schema.
pub(super) fn facts(entity: &Entity) -> Value {
    entity
        .approvals
        .iter()
        .map(|approval| {
            json!({
                "id": approval.id, "label": approval.label.0, "ask": approval.askers, "own": approval.may_own,
                "fields": approval.fields.iter().map(|field| entity.field(*field).name.as_str()).collect::<Vec<_>>(),
                "steps": approval.steps.iter().map(|step| json!({ "id": step.id, "label": step.label.0 })).collect::<Vec<_>>(),
            })
        })
        .collect()
}
