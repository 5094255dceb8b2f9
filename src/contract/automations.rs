//! Operations of administrators on automations and their runs.

use serde_json::{Map, Value, json};

use super::operation::Operation;
use super::small::{moment_or_null, object, plain_id, text, text_or_null};

const TAG: &str = "workspace";
const WHO: &str = "For administrators.";

pub(super) fn add(paths: &mut Map<String, Value>) {
    paths.insert("/api/v1/automations".into(), json!({ "get": list() }));
    paths.insert("/api/v1/automations/{id}/pause".into(), json!({ "post": act("pause_automation", "Let an automation begin no more") }));
    paths.insert(
        "/api/v1/automations/{id}/resume".into(),
        json!({ "post": act("resume_automation", "Let an automation begin again with the next event") }),
    );
    paths.insert("/api/v1/automations/{id}/secret".into(), json!({ "post": secret() }));
    paths.insert("/api/v1/received/{automation}".into(), json!({ "post": receive() }));
    paths.insert("/api/v1/runs".into(), json!({ "get": runs() }));
    paths.insert("/api/v1/runs/{id}".into(), json!({ "get": run() }));
}

fn list() -> Value {
    let item = object(&[
        ("id", text()),
        ("label", text()),
        ("entity", text()),
        (
            "run_as",
            json!({ "type": ["array", "null"], "items": { "type": "string" }, "description": "roles; null is whoever made the change" }),
        ),
        (
            "runs",
            json!({ "type": "object", "additionalProperties": { "type": "integer" }, "description": "how many there are in the log, by state" }),
        ),
        ("paused_at", moment_or_null()),
        ("paused_why", text_or_null()),
        ("passed", json!({ "type": "integer", "description": "events that passed while it was paused" })),
    ]);
    Operation::new("list_automations", TAG, "The automations there are")
        .describe(WHO)
        .answers("200", "in the order of the definitions", object(&[("data", json!({ "type": "array", "items": item }))]))
        .build()
}

fn act(name: &'static str, summary: &'static str) -> Value {
    Operation::new(name, TAG, summary)
        .describe(WHO)
        .path("id", json!({ "type": "string", "pattern": "^[a-z0-9_.]{1,90}$" }), "the automation's full id")
        .answers_empty("204", "it is so now", &[])
        .build()
}

fn run_fields() -> Vec<(&'static str, Value)> {
    let cause = object(&[("automation", text()), ("record", text_or_null())]);
    vec![
        ("id", json!({ "type": "string", "pattern": "^[0-9]{1,19}$", "description": "of a run that began also the id of its job" })),
        ("automation", text()),
        ("record", text_or_null()),
        ("event", text()),
        ("state", json!({ "type": "string", "enum": ["running", "waiting", "done", "failed", "cancelled", "skipped"] })),
        ("reason", json!({ "type": ["string", "null"], "description": "a word, and behind a colon what it is about" })),
        ("next_step", text_or_null()),
        ("chain", json!({ "type": "array", "items": cause, "description": "what led here, first cause first" })),
        ("by", text_or_null()),
        ("began_at", json!({ "type": "string", "format": "date-time" })),
        ("ended_at", moment_or_null()),
        ("waits_until", moment_or_null()),
    ]
}

fn runs() -> Value {
    let answer = object(&[
        ("data", json!({ "type": "array", "items": object(&run_fields()) })),
        ("next", json!({ "type": ["string", "null"], "description": "the `before` of the next page" })),
    ]);
    Operation::new("list_runs", TAG, "What automations did, and what they did not do")
        .describe(WHO)
        .query("automation", text(), "only runs of this one")
        .query(
            "state",
            json!({ "type": "string", "enum": ["running", "waiting", "done", "failed", "cancelled", "skipped"] }),
            "only runs in this state",
        )
        .query("record", json!({ "type": "string", "pattern": "^[a-z0-9]+_[0-9a-hjkmnp-tv-z]{13}$" }), "only runs on this record")
        .query("before", plain_id(), "only runs older than this one")
        .query("limit", json!({ "type": "integer", "minimum": 1, "maximum": 200, "default": 50 }), "runs of an answer")
        .answers("200", "newest first", answer)
        .fails(&["422"])
        .build()
}

fn run() -> Value {
    let step = object(&[
        ("step", text()),
        ("do", text()),
        ("state", json!({ "type": "string", "enum": ["done", "failed"] })),
        ("input", json!({})),
        ("output", json!({})),
        ("reason", text_or_null()),
        ("at", json!({ "type": "string", "format": "date-time" })),
    ]);
    let mut fields = run_fields();
    fields.push(("steps", json!({ "type": "array", "items": step })));
    Operation::new("get_run", TAG, "One run with each of its steps")
        .describe(WHO)
        .path("id", plain_id(), "the run's id")
        .answers("200", "the run", object(&fields))
        .build()
}

fn secret() -> Value {
    let answer = object(&[
        ("url", json!({ "type": "string", "description": "where messages are sent" })),
        ("secret", json!({ "type": "string", "description": "`whsec_…`, told this once" })),
        ("former_until", moment_or_null()),
    ]);
    Operation::new("make_automation_secret", TAG, "Give an automation that takes messages another secret")
        .describe(WHO)
        .path("id", json!({ "type": "string", "pattern": "^[a-z0-9_.]{1,90}$" }), "the automation's full id")
        .answers("200", "the secret", answer)
        .build()
}

fn receive() -> Value {
    let answer = object(&[
        ("record", json!({ "type": "string", "description": "that was made or changed" })),
        ("created", json!({ "type": "boolean" })),
        ("run", text_or_null()),
        ("not_run", json!({ "type": ["string", "null"], "description": "why the automation does not begin" })),
    ]);
    Operation::new("receive_message", TAG, "Send a message that an automation takes")
        .describe("Signed after the Standard Webhooks specification (`webhook-id`, `webhook-timestamp`, `webhook-signature`), without a token. The same `webhook-id` counts once a day.")
        .path("automation", json!({ "type": "string", "pattern": "^[a-z0-9_.]{1,90}$" }), "the automation's full id")
        .body(&["application/json"], json!({}), Some(json!({ "order": { "id": "A-1" } })))
        .answers("202", "taken", answer)
        .build()
}
