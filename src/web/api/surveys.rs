//! Surveys over the API: asking about a record, and what came back.

use axum::body::Body;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};

use super::answer;
use super::approvals::{bad, object};
use super::body::JSON;
use super::head::{EntityHead, Head};
use crate::record::{Among, Figure, Source, SurveyResults, readable_surveys, survey_token};
use crate::schema::catalog::Survey;
use crate::web::Problem;

/// Most days one can look back.
const MOST_DAYS: u64 = 36_500;

/// `POST /records/{entity}/{id}/surveys`: `{"survey": "service.satisfaction"}`. The link is told once.
pub(super) async fn ask(head: EntityHead, body: Body) -> Result<Response, Problem> {
    let id = head.id()?;
    head.params(&[])?;
    head.requester.may_write(head.entity())?;
    let asked = object(head.json(body, JSON).await?, &["survey"])?;
    let name = asked.get("survey").and_then(Value::as_str).ok_or_else(|| bad("/survey", "must be the id of a survey"))?;
    let survey = head.catalog.surveys.iter().find(|survey| survey.entity == head.entity().ix && survey.id == name);
    let survey = survey.ok_or_else(|| bad("/survey", "there is no such survey about these records"))?;
    let made = head.state.records.invite_about(&head.actor, &survey.id, id, Source::Api).await?;
    let whole = head.catalog.whole();
    let token = survey_token(&whole, made.answer).unwrap_or_default();
    let told = json!({
        "answer": made.answer.display(&whole.entity(survey.answers).prefix),
        "link": head.state.config.public_url.join(&format!("/survey/{token}")),
        "expires_at": made.expires_at.to_string(),
    });
    let mut response = answer::json(StatusCode::CREATED, &told);
    response.headers_mut().insert(axum::http::header::CACHE_CONTROL, axum::http::HeaderValue::from_static("no-store"));
    Ok(response)
}

/// `GET /surveys`
pub(super) async fn list(head: Head) -> Result<Response, Problem> {
    head.signed_in()?;
    let data: Vec<Value> = readable(&head).map(|survey| facts(&head, survey)).collect();
    Ok(answer::json(StatusCode::OK, &json!({ "data": data })))
}

/// `GET /surveys/{survey}?days=90`
pub(super) async fn results(head: Head) -> Result<Response, Problem> {
    head.requester.identity()?;
    let params = head.params(&["days"])?;
    let survey = readable(&head).find(|survey| survey.id == head.part("survey")).ok_or_else(Problem::not_found)?;
    let days = match params.get("days") {
        None => None,
        Some(text) => {
            let days = text.parse::<u64>().ok().filter(|days| (1..=MOST_DAYS).contains(days)).and_then(|days| u32::try_from(days).ok());
            Some(days.ok_or_else(|| super::paging::bad_parameter("days", &format!("must be a number from 1 to {MOST_DAYS}")))?)
        }
    };
    let found = head.state.records.survey_results(&head.actor, &head.catalog, survey, Among { about: None, days }).await?;
    let found = found.ok_or_else(Problem::not_found)?;
    let mut told = facts(&head, survey);
    told["asked"] = found.asked.into();
    told["answered"] = found.answered.into();
    told["questions"] = questions(&head, survey, &found);
    Ok(answer::json(StatusCode::OK, &told))
}

/// As far as a token's scopes reach.
fn readable(head: &Head) -> impl Iterator<Item = &Survey> {
    readable_surveys(&head.catalog).filter(|survey| head.requester.may_read(&head.catalog, [survey.entity, survey.answers]).is_ok())
}

fn facts(head: &Head, survey: &Survey) -> Value {
    let whole = head.catalog.whole();
    json!({
        "id": survey.id, "label": survey.label.get(head.actor.locale),
        "entity": whole.entity(survey.entity).slug, "answers": whole.entity(survey.answers).slug,
    })
}

fn questions(head: &Head, survey: &Survey, found: &SurveyResults) -> Value {
    let answers = head.catalog.entity(survey.answers);
    let one = |one: &crate::record::QuestionResults| {
        let question = &survey.questions[one.question];
        let spread: Vec<Value> = one.spread.iter().map(|(value, count)| json!({ "value": value, "count": count })).collect();
        json!({
            "field": answers.field(question.field).name, "kind": question.kind.word(), "label": question.label.get(head.actor.locale),
            "answers": one.answers, "spread": spread, "figure": one.figure.map(figure),
        })
    };
    found.questions.iter().map(one).collect()
}

/// Its name and number: a mean with its decimal as a text.
fn figure(figure: Figure) -> Value {
    match figure {
        Figure::Nps(score) => json!({ "name": "nps", "value": score.to_string() }),
        Figure::Csat(percent) => json!({ "name": "csat", "value": percent.to_string() }),
        Figure::Mean(_) => json!({ "name": "mean", "value": figure.text() }),
    }
}
