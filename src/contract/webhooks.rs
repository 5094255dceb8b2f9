//! Operations of administrators on webhooks.

use serde_json::{Map, Value, json};

use super::operation::Operation;
use super::small::{moment_or_null, number_or_null, object, plain_id, text, text_or_null};

const TAG: &str = "workspace";
const WHO: &str = "For administrators.";
const JSON: &[&str] = &["application/json"];

pub(super) fn add(paths: &mut Map<String, Value>) {
    paths.insert("/api/v1/webhooks".into(), json!({ "get": list(), "post": make() }));
    paths.insert("/api/v1/webhooks/{id}".into(), json!({ "get": get(), "patch": change(), "delete": delete() }));
    paths.insert("/api/v1/webhooks/{id}/rotate".into(), json!({ "post": rotate() }));
    paths.insert("/api/v1/webhooks/{id}/test".into(), json!({ "post": test() }));
    paths.insert("/api/v1/webhooks/{id}/deliveries".into(), json!({ "get": deliveries() }));
    paths.insert("/api/v1/webhooks/{id}/deliveries/{delivery}/send".into(), json!({ "post": send_again() }));
}

fn events() -> Value {
    json!({ "type": "array", "maxItems": 100, "items": { "type": "string" }, "description": "`deal.created`, `deal.*`, `*.deleted`, `*`" })
}

fn fields() -> Vec<(&'static str, Value)> {
    vec![
        ("id", plain_id()),
        ("name", text()),
        ("url", text()),
        ("events", events()),
        ("active", json!({ "type": "boolean" })),
        (
            "stopped_why",
            json!({ "type": ["string", "null"], "description": "`person`, `gone` (it answered 410), `failing` (for five days)" }),
        ),
        ("failures", json!({ "type": "integer", "description": "attempts that failed one after the other" })),
        ("failing_since", moment_or_null()),
        (
            "former_until",
            json!({ "type": ["string", "null"], "format": "date-time", "description": "until when the former secret signs too" }),
        ),
        ("made_by", text_or_null()),
        ("made_at", json!({ "type": "string", "format": "date-time" })),
    ]
}

fn written(required: bool) -> Value {
    let mut schema = json!({
        "type": "object",
        "properties": {
            "name": { "type": "string", "minLength": 1, "maxLength": 60, "pattern": "^[a-z0-9_-]+$", "description": "automations call it by this name" },
            "url": { "type": "string", "maxLength": 2000, "pattern": "^https?://" },
            "events": events(),
            "active": { "type": "boolean" },
        },
        "additionalProperties": false,
    });
    if required {
        schema["required"] = json!(["name", "url"]);
    }
    schema
}

fn list() -> Value {
    Operation::new("list_webhooks", TAG, "Who is told over HTTP what happens to records")
        .describe(WHO)
        .answers("200", "by name; secrets are not told", object(&[("data", json!({ "type": "array", "items": object(&fields()) }))]))
        .build()
}

fn get() -> Value {
    Operation::new("get_webhook", TAG, "One endpoint")
        .describe(WHO)
        .path("id", plain_id(), "the endpoint's id")
        .answers("200", "the endpoint", object(&fields()))
        .build()
}

fn make() -> Value {
    let mut fields = fields();
    fields.push((
        "secret",
        json!({ "type": "string", "pattern": "^whsec_", "description": "what messages are signed with; told this once" }),
    ));
    Operation::new("create_webhook", TAG, "Tell an endpoint what happens to records")
        .describe("For administrators. Messages follow the Standard Webhooks specification.")
        .body(JSON, written(true), Some(json!({ "name": "billing", "url": "https://example.com/hook", "events": ["*"] })))
        .answers("201", "the endpoint with its secret", object(&fields))
        .fails(&["409"])
        .build()
}

fn change() -> Value {
    Operation::new("change_webhook", TAG, "Change an endpoint")
        .describe(WHO)
        .path("id", plain_id(), "the endpoint's id")
        .body(JSON, written(false), Some(json!({ "active": false })))
        .answers("200", "the endpoint", object(&fields()))
        .build()
}

fn delete() -> Value {
    Operation::new("delete_webhook", TAG, "Remove an endpoint with all that was sent to it")
        .describe(WHO)
        .path("id", plain_id(), "the endpoint's id")
        .answers_empty("204", "it is gone", &[])
        .build()
}

fn rotate() -> Value {
    Operation::new("rotate_webhook_secret", TAG, "Give an endpoint another secret")
        .describe("For administrators. For a day messages are signed with the former one too.")
        .path("id", plain_id(), "the endpoint's id")
        .answers("200", "the new secret, told this once", object(&[("secret", text()), ("former_until", moment_or_null())]))
        .build()
}

fn test() -> Value {
    Operation::new("test_webhook", TAG, "Send a message that says nothing")
        .describe(WHO)
        .path("id", plain_id(), "the endpoint's id")
        .answers("202", "it is on its way", object(&[("delivery", plain_id()), ("message", text())]))
        .build()
}

fn deliveries() -> Value {
    let item = object(&[
        ("id", plain_id()),
        ("message", json!({ "type": "string", "description": "the `webhook-id` of the message, the same in each attempt" })),
        ("type", text()),
        ("body", text()),
        ("state", json!({ "type": "string", "enum": ["waiting", "delivered", "failed"] })),
        ("attempts", json!({ "type": "integer" })),
        ("status", json!({ "type": ["integer", "null"], "description": "of the last answer" })),
        ("error", text_or_null()),
        ("took_ms", number_or_null()),
        ("run", json!({ "type": ["string", "null"], "description": "the run of the automation that sends it" })),
        ("made_at", json!({ "type": "string", "format": "date-time" })),
        ("sent_at", moment_or_null()),
    ]);
    let answer = object(&[
        ("data", json!({ "type": "array", "items": item })),
        ("next", json!({ "type": ["string", "null"], "description": "the `before` of the next page" })),
    ]);
    Operation::new("list_deliveries", TAG, "What was sent to an endpoint")
        .describe(WHO)
        .path("id", plain_id(), "the endpoint's id")
        .query("state", json!({ "type": "string", "enum": ["waiting", "delivered", "failed"] }), "only messages in this state")
        .query("before", plain_id(), "only messages older than this one")
        .query("limit", json!({ "type": "integer", "minimum": 1, "maximum": 200, "default": 50 }), "messages of an answer")
        .answers("200", "newest first", answer)
        .fails(&["422"])
        .build()
}

fn send_again() -> Value {
    Operation::new("send_again", TAG, "Send a message once more, with the same id")
        .describe(WHO)
        .path("id", plain_id(), "the endpoint's id")
        .path("delivery", plain_id(), "the message's id")
        .answers_empty("202", "it is on its way", &[])
        .build()
}
