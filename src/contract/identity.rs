//! Operations on a person's own sessions and API tokens.

use serde_json::{Map, Value, json};

use super::operation::Operation;
use super::small::{moment, moment_or_null, object};

const JSON: &[&str] = &["application/json"];
const TAG: &str = "identity";

pub(super) fn add(paths: &mut Map<String, Value>) {
    paths.insert("/api/v1/sessions".into(), json!({ "get": sessions() }));
    paths.insert("/api/v1/sessions/{id}".into(), json!({ "delete": end_session() }));
    paths.insert("/api/v1/session/confirm".into(), json!({ "post": confirm() }));
    paths.insert("/api/v1/tokens".into(), json!({ "get": tokens(), "post": create_token() }));
    paths.insert("/api/v1/tokens/{id}".into(), json!({ "delete": revoke_token() }));
}

fn list_of(item: Value) -> Value {
    object(&[("data", json!({ "type": "array", "items": item }))])
}

fn texts() -> Value {
    json!({ "type": "array", "items": { "type": "string" } })
}

fn sessions() -> Value {
    let item = object(&[
        ("id", json!({ "type": "string" })),
        ("address", json!({ "type": "string" })),
        ("agent", json!({ "type": "string" })),
        ("began_at", moment()),
        ("last_used_at", moment()),
        ("own", json!({ "type": "boolean", "description": "the session that asks" })),
    ]);
    Operation::new("list_sessions", TAG, "One's own sessions").answers("200", "the one used last first", list_of(item)).build()
}

fn end_session() -> Value {
    Operation::new("end_session", TAG, "End one of one's own sessions, at once and on every node")
        .path(
            "id",
            json!({ "type": "string", "pattern": "^([0-9a-f]{16}|others)$" }),
            "the session's id; `others` ends all but the one that asks",
        )
        .answers_empty("204", "it has ended", &[])
        .build()
}

fn confirm() -> Value {
    let body = json!({
        "type": "object", "properties": { "password": { "type": "string", "maxLength": 256 } }, "required": ["password"],
        "additionalProperties": false,
    });
    Operation::new("confirm_session", TAG, "Prove again who one is; dangerous acts are open for ten minutes")
        .body(JSON, body, Some(json!({ "password": "correct horse battery" })))
        .answers_empty("204", "the session goes on under a new cookie", &[])
        .build()
}

fn tokens() -> Value {
    let item = object(&[
        ("id", json!({ "type": "string" })),
        ("name", json!({ "type": "string" })),
        ("hint", json!({ "type": "string", "description": "its first characters" })),
        ("scopes", texts()),
        ("networks", texts()),
        ("created_at", moment()),
        ("expires_at", moment_or_null()),
        ("last_used_at", moment_or_null()),
        ("revoked_at", moment_or_null()),
    ]);
    Operation::new("list_tokens", TAG, "One's own API tokens, never their secret").answers("200", "newest first", list_of(item)).build()
}

fn create_token() -> Value {
    let scope =
        json!({ "type": "string", "description": "`admin`, `erase` (with `admin`), `read`, `write`, `read:crm.deal`, `write:crm.deal`" });
    let body = json!({
        "type": "object",
        "properties": {
            "name": { "type": "string", "minLength": 1, "maxLength": 100 },
            "scopes": { "type": ["array", "null"], "items": scope, "minItems": 1, "description": "without it `write`" },
            "days": { "type": ["integer", "null"], "minimum": 0, "maximum": 3650, "description": "90 when it is left out; 0 never ends" },
            "networks": { "type": ["array", "null"], "items": { "type": "string" }, "description": "addresses it may be used from" },
        },
        "required": ["name"],
        "additionalProperties": false,
    });
    let answer = object(&[
        ("id", json!({ "type": "string" })),
        ("token", json!({ "type": "string", "description": "shown this once" })),
        ("scopes", texts()),
        ("expires_at", moment_or_null()),
    ]);
    Operation::new("create_token", TAG, "Make an API token")
        .describe("In a session the password must have been given within the last ten minutes (`POST /api/v1/session/confirm`).")
        .body(JSON, body, Some(json!({ "name": "nightly import", "scopes": ["write:crm.lead"], "days": 30 })))
        .answers("201", "the token", answer)
        .build()
}

fn revoke_token() -> Value {
    Operation::new("revoke_token", TAG, "End one of one's own API tokens")
        .path("id", json!({ "type": "string", "pattern": "^[0-9]{1,19}$" }), "the token's id")
        .answers_empty("204", "it has ended", &[])
        .build()
}
