//! Operations of a person on what they were told.

use serde_json::{Map, Value, json};

use super::operation::Operation;
use super::small::{object, plain_id};

const TAG: &str = "workspace";

pub(super) fn add(paths: &mut Map<String, Value>) {
    paths.insert("/api/v1/notifications".into(), json!({ "get": list() }));
    let all = Operation::new("read_notifications", TAG, "Mark everything as read").answers_empty("204", "it is so now", &[]);
    paths.insert("/api/v1/notifications/read".into(), json!({ "post": all.build() }));
    paths.insert("/api/v1/notifications/{id}/read".into(), json!({ "post": mark("read_notification", "Mark as read") }));
    paths.insert("/api/v1/notifications/{id}/unread".into(), json!({ "post": mark("unread_notification", "Mark as unread") }));
}

fn mark(name: &'static str, summary: &'static str) -> Value {
    Operation::new(name, TAG, summary).path("id", plain_id(), "the notification's id").answers_empty("204", "it is so now", &[]).build()
}

fn list() -> Value {
    let text_or_null = json!({ "type": ["string", "null"] });
    let moment = json!({ "type": "string", "format": "date-time" });
    let item = object(&[
        ("id", plain_id()),
        ("text", json!({ "type": "string", "description": "in the reader's language, with what they may read of the record" })),
        ("record", text_or_null.clone()),
        ("title", text_or_null),
        ("source", json!({ "type": "string", "description": "the automation that tells it; `relata` for the program itself" })),
        ("at", moment),
        ("read_at", json!({ "type": ["string", "null"], "format": "date-time" })),
    ]);
    let answer = object(&[
        ("data", json!({ "type": "array", "items": item })),
        ("next", json!({ "type": ["string", "null"], "description": "the `before` of the next page" })),
        ("unread", json!({ "type": "integer", "minimum": 0, "maximum": 100, "description": "counted up to 100" })),
    ]);
    Operation::new("list_notifications", TAG, "What one was told")
        .describe("What is about a record that one may not read any more, or that is gone, is left out.")
        .query("unread", json!({ "type": "boolean" }), "only what is not read")
        .query("before", plain_id(), "only what was told before this")
        .query("limit", json!({ "type": "integer", "minimum": 1, "maximum": 200, "default": 50 }), "lines of an answer")
        .answers("200", "newest first", answer)
        .fails(&["422"])
        .build()
}
