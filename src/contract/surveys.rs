//! Operations on surveys. Their pages for those who are asked are no part of the API.

use serde_json::{Map, Value, json};

use super::operation::Operation;
use super::records::{id_of, name};
use super::small::{moment, object, text};
use crate::schema::catalog::{Catalog, Entity};

const JSON: &[&str] = &["application/json"];
const TAG: &str = "surveys";

/// What can be asked about records of an entity.
pub(super) fn of_entity(catalog: &Catalog, entity: &Entity, base: &str, paths: &mut Map<String, Value>) {
    let ids: Vec<&str> = catalog.surveys.iter().filter(|survey| survey.entity == entity.ix).map(|survey| survey.id.as_str()).collect();
    if ids.is_empty() || !entity.may.update {
        return;
    }
    let body = json!({
        "type": "object",
        "required": ["survey"],
        "properties": { "survey": { "type": "string", "enum": ids } },
        "additionalProperties": false,
    });
    let answer = object(&[
        ("answer", json!({ "type": "string", "description": "the record that waits for the answer" })),
        ("link", json!({ "type": "string", "description": "the page on which it is answered, without signing in" })),
        ("expires_at", moment()),
    ]);
    let operation = Operation::new(
        &format!("ask_about_{}", entity.slug),
        &entity.slug,
        &format!("Make an invitation to answer a survey about {}", name(entity)),
    );
    let operation = id_of(operation, entity)
        .describe("Nothing is sent: who has the link answers.")
        .body(JSON, body, ids.first().map(|id| json!({ "survey": id })))
        .answers("201", "the invitation", answer)
        .fails(&["409"])
        .build();
    paths.insert(format!("{base}/{{id}}/surveys"), json!({ "post": operation }));
}

pub(super) fn add(paths: &mut Map<String, Value>) {
    paths.insert("/api/v1/surveys".into(), json!({ "get": list() }));
    paths.insert("/api/v1/surveys/{survey}".into(), json!({ "get": results() }));
}

fn facts() -> Vec<(&'static str, Value)> {
    vec![
        ("id", text()),
        ("label", json!({ "type": "string", "description": "in your language" })),
        ("entity", json!({ "type": "string", "description": "what it asks about" })),
        ("answers", json!({ "type": "string", "description": "the entity whose records are its answers" })),
    ]
}

fn count() -> Value {
    json!({ "type": "integer", "minimum": 0 })
}

fn list() -> Value {
    Operation::new("list_surveys", TAG, "Surveys whose answers you may read")
        .answers("200", "the surveys", object(&[("data", json!({ "type": "array", "items": object(&facts()) }))]))
        .fails(&["422"])
        .build()
}

fn results() -> Value {
    let value = object(&[("value", json!({ "type": ["integer", "string", "boolean"] })), ("count", count())]);
    let figure = json!({
        "type": ["object", "null"],
        "properties": { "name": { "type": "string", "enum": ["nps", "csat", "mean"] }, "value": { "type": "string" } },
        "required": ["name", "value"],
        "additionalProperties": false,
        "description": "`nps`: -100 to 100; `csat`: per cent who gave 4 or 5; `mean`: with one decimal",
    });
    let question = object(&[
        ("field", text()),
        ("kind", text()),
        ("label", text()),
        ("answers", count()),
        ("spread", json!({ "type": "array", "items": value })),
        ("figure", figure),
    ]);
    let mut all = facts();
    all.extend([("asked", count()), ("answered", count()), ("questions", json!({ "type": "array", "items": question }))]);
    Operation::new("get_survey_results", TAG, "What came back of a survey")
        .describe("Of questions whose answers you may read; texts are read as records.")
        .path("survey", json!({ "type": "string" }), "the survey's id")
        .query("days", json!({ "type": "integer", "minimum": 1, "maximum": 36500 }), "only of who was asked in so many days up to now")
        .answers("200", "the results", object(&all))
        .fails(&["404", "422"])
        .build()
}
