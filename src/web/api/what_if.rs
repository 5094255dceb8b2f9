//! What an automation would have done: asked by administrators, answered from a copy.

use std::time::Duration;

use axum::body::Body;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Map, Value};

use super::answer;
use super::head::Head;
use super::identity::{bad, read_object};
use crate::proof::what_if::{MOST_DAYS, Question, USUAL_EVENTS, USUAL_LINES, what_if};
use crate::web::Problem;

/// How long one request may take: the answer is about the time up to which it came.
pub(in crate::web) const LONGEST: Duration = Duration::from_secs(45);
/// Changes and runs of an answer.
const MOST_LINES: u64 = 1_000;

/// `POST /what-if`
pub(super) async fn ask(head: Head, body: Body) -> Result<Response, Problem> {
    head.administrator()?;
    let asked = read_object(&head, body, &["automation", "definition", "days", "with_others", "limit", "events"]).await?;
    let question = read(&asked)?;
    let answer = what_if(&head.state.records, &head.state.automation, &question).await?;
    Ok(answer::json(StatusCode::OK, &answer.to_json()))
}

fn read(asked: &Map<String, Value>) -> Result<Question, Problem> {
    let text = |name: &str| match asked.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(bad(&format!("/{name}"), "must be a text")),
    };
    let number = |name: &str, usual: u64, most: u64| match asked.get(name) {
        None | Some(Value::Null) => Ok(usual),
        Some(value) => value
            .as_u64()
            .filter(|number| (1..=most).contains(number))
            .ok_or_else(|| bad(&format!("/{name}"), &format!("must be a whole number from 1 to {most}"))),
    };
    let with_others = match asked.get("with_others") {
        None | Some(Value::Null) => false,
        Some(value) => value.as_bool().ok_or_else(|| bad("/with_others", "must be true or false"))?,
    };
    let (automation, definition) = (text("automation")?, text("definition")?);
    if automation.is_none() && definition.is_none() {
        return Err(bad("/automation", "name an automation in force, or give the `definition` of one"));
    }
    let days = u32::try_from(number("days", 30, u64::from(MOST_DAYS))?).unwrap_or(MOST_DAYS);
    Ok(Question {
        automation,
        definition: definition.map(|text| ("what-if.yaml".to_owned(), text)),
        with_others,
        lines: usize::try_from(number("limit", USUAL_LINES as u64, MOST_LINES)?).unwrap_or(USUAL_LINES),
        most_events: u32::try_from(number("events", u64::from(USUAL_EVENTS), u64::from(USUAL_EVENTS))?).unwrap_or(USUAL_EVENTS),
        longest: Some(LONGEST),
        ..Question::of(days)
    })
}
