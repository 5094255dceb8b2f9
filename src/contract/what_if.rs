//! Asking what an automation would have done.

use serde_json::{Map, Value, json};

use super::operation::Operation;
use super::small::{moment, object, text, text_or_null};

const JSON: &[&str] = &["application/json"];

pub(super) fn add(paths: &mut Map<String, Value>) {
    paths.insert("/api/v1/what-if".into(), json!({ "post": ask() }));
}

fn count() -> Value {
    json!({ "type": "integer", "minimum": 0 })
}

fn list(item: Value) -> Value {
    json!({ "type": "array", "items": item })
}

/// Something counted, and by what.
fn counted(by: &'static str) -> Value {
    list(object(&[(by, text()), ("count", count())]))
}

fn sent(by: &'static str) -> Value {
    object(&[("count", count()), ("by", counted(by))])
}

/// The first of a list, and how many there are.
fn first(item: Value) -> Value {
    object(&[("count", count()), ("data", list(item))])
}

fn asked() -> Value {
    json!({
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "automation": { "type": ["string", "null"], "pattern": "^[a-z0-9_.]{1,90}$", "description": "the full id of an automation in force" },
            "definition": {
                "type": ["string", "null"],
                "description": "documents of `kind: automation`, YAML or JSON: new, or in the place of those of the same id",
            },
            "days": { "type": "integer", "minimum": 1, "maximum": 366, "default": 30, "description": "how many of the last days are played again" },
            "with_others": { "type": "boolean", "default": false, "description": "all other automations run once more too" },
            "limit": { "type": "integer", "minimum": 1, "maximum": 1000, "default": 100, "description": "changes and runs that are listed; all are counted" },
            "events": { "type": "integer", "minimum": 1, "maximum": 20000, "default": 20000, "description": "events that are played again at most: of more, the latest" },
        },
    })
}

fn answer() -> Value {
    let state = json!({ "type": "string", "enum": ["running", "waiting", "done", "failed", "cancelled", "skipped"] });
    let tried = object(&[
        ("id", text()),
        ("named", json!({ "type": "boolean", "description": "it was asked for; else a step begins it" })),
        ("fired", count()),
        (
            "states",
            json!({ "type": "object", "additionalProperties": count(), "description": "runs by state; `skipped` ones did not begin" }),
        ),
        ("reasons", counted("reason")),
    ]);
    let effect = object(&[
        ("at", moment()),
        ("automation", text()),
        ("entity", text()),
        ("record", text()),
        ("version", json!({ "type": "integer", "minimum": 0, "description": "of the record in the copy, behind the change" })),
        ("kind", json!({ "type": "string", "enum": ["create", "update", "delete", "restore"] })),
        ("field", json!({ "type": ["string", "null"], "description": "null where no field is told" })),
        ("before", json!({})),
        ("after", json!({})),
    ]);
    let run = object(&[
        ("at", moment()),
        ("automation", text()),
        ("entity", text()),
        ("record", text_or_null()),
        ("event", text()),
        ("state", state),
        ("reason", json!({ "type": ["string", "null"], "description": "a word, and behind a colon what it is about" })),
    ]);
    let passed = object(&[
        ("why", json!({ "type": "string", "enum": ["refused", "gone", "no_history"] })),
        ("detail", json!({ "type": "string", "description": "the refusal, or the entity" })),
        ("count", count()),
        ("example", json!({ "type": "string", "description": "one of the records" })),
    ]);
    let events = object(&[
        ("count", count()),
        ("replayed", json!({ "type": "integer", "minimum": 0, "description": "written once more" })),
        (
            "made_again",
            json!({ "type": "integer", "minimum": 0, "description": "came about by themselves, or were the former effect of what is tried" }),
        ),
        ("passed_over", list(passed)),
    ]);
    object(&[
        ("days", count()),
        ("from", moment()),
        ("to", moment()),
        (
            "shorter",
            json!({
                "type": ["string", "null"], "enum": ["kept", "many", "time", null],
                "description": "why it is less than was asked for: older events are not kept, there are too many, it took too long",
            }),
        ),
        ("with_others", json!({ "type": "boolean" })),
        ("automations", list(tried)),
        ("fired", json!({ "type": "integer", "minimum": 0, "description": "runs that began" })),
        ("changed", counted("entity")),
        ("created", counted("entity")),
        ("deleted", counted("entity")),
        ("mails", sent("template")),
        ("messages", sent("endpoint")),
        ("notifications", sent("automation")),
        ("effects", first(effect)),
        ("runs", first(run)),
        ("events", events),
        ("records", json!({ "type": "integer", "minimum": 0, "description": "records in the copy when it began" })),
        ("took_ms", count()),
    ])
}

fn ask() -> Value {
    Operation::new("what_if", "workspace", "What an automation would have done over the last days")
        .describe("For administrators. It is played in a copy: nothing is changed, nothing is sent. A request takes 45 seconds at most.")
        .body(JSON, asked(), Some(json!({ "automation": "crm.welcome", "days": 30 })))
        .answers("200", "what would have come of it", answer())
        .fails(&["404", "422", "503"])
        .build()
}
