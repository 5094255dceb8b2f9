//! Operations of administrators on the queue of jobs.

use serde_json::{Map, Value, json};

use super::operation::Operation;
use super::small::{object, plain_id};

const TAG: &str = "workspace";
const WHO: &str = "For administrators.";

pub(super) fn add(paths: &mut Map<String, Value>) {
    paths.insert("/api/v1/jobs".into(), json!({ "get": list() }));
    paths.insert("/api/v1/jobs/{id}".into(), json!({ "get": get() }));
    paths.insert("/api/v1/jobs/{id}/retry".into(), json!({ "post": retry() }));
    paths.insert("/api/v1/jobs/{id}/cancel".into(), json!({ "post": cancel() }));
}

fn job() -> Value {
    let text = || json!({ "type": "string" });
    let moment = || json!({ "type": "string", "format": "date-time" });
    let or_null = |format: Option<&str>| match format {
        Some(format) => json!({ "type": ["string", "null"], "format": format }),
        None => json!({ "type": ["string", "null"] }),
    };
    object(&[
        ("id", plain_id()),
        ("kind", text()),
        ("handler", json!({ "type": "string", "description": "the script or automation it runs; empty for work of the program itself" })),
        ("record", or_null(None)),
        ("state", json!({ "type": "string", "enum": ["ready", "running", "dead"] })),
        ("priority", json!({ "type": "integer", "enum": [-1, 0, 1], "description": "of what is due, higher ones are done first" })),
        ("attempt", json!({ "type": "integer" })),
        ("max_attempts", json!({ "type": "integer" })),
        ("due_at", moment()),
        ("created_at", moment()),
        ("held_until", or_null(Some("date-time"))),
        ("last_error", or_null(None)),
    ])
}

fn of_job(operation: Operation) -> Operation {
    operation.path("id", plain_id(), "the job's id").describe(WHO)
}

fn list() -> Value {
    let answer = object(&[
        ("data", json!({ "type": "array", "items": job() })),
        ("next", json!({ "type": ["string", "null"], "description": "the `before` of the next page" })),
        (
            "counts",
            json!({ "type": "object", "additionalProperties": { "type": "integer" }, "description": "how many there are, by state" }),
        ),
    ]);
    Operation::new("list_jobs", TAG, "Work that waits, runs or has failed for good")
        .describe(WHO)
        .query("state", json!({ "type": "string", "enum": ["ready", "running", "dead"] }), "only jobs in this state")
        .query("before", plain_id(), "only jobs older than this one")
        .query("limit", json!({ "type": "integer", "minimum": 1, "maximum": 200, "default": 50 }), "jobs of an answer")
        .answers("200", "newest first", answer)
        .fails(&["422"])
        .build()
}

fn get() -> Value {
    of_job(Operation::new("get_job", TAG, "One job")).answers("200", "the job; one that is done is gone", job()).build()
}

fn retry() -> Value {
    of_job(Operation::new("retry_job", TAG, "Try a job again at once, with all its attempts"))
        .answers_empty("204", "it is tried again", &[])
        .fails(&["409"])
        .build()
}

fn cancel() -> Value {
    of_job(Operation::new("cancel_job", TAG, "Throw a job away; what a running one has not committed is undone"))
        .answers_empty("204", "it is gone", &[])
        .build()
}
