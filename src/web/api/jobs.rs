//! The queue of jobs over the API, for administrators: what waits, runs and failed; trying again, cancelling.

use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};

use super::answer;
use super::head::Head;
use super::paging::{MOST, Paging, bad_parameter};
use crate::base::RecordId;
use crate::jobs::overview;
use crate::record::RecordError;
use crate::store::StoreError;
use crate::store::jobs::{self, JobLine, STATES};
use crate::web::Problem;

/// `GET /jobs`
pub(super) async fn list(head: Head) -> Result<Response, Problem> {
    head.requester.administrator()?;
    let params = head.params(&["state", "before", "limit"])?;
    let state = params.get("state");
    if let Some(state) = state
        && !STATES.contains(&state)
    {
        return Err(bad_parameter("state", &format!("must be one of {}", STATES.join(", "))));
    }
    let paging = Paging::read(&params, "a job", MOST)?;
    let store = head.state.records.store();
    let mut lines = jobs::list_before(store, state, paging.before.unwrap_or(i64::MAX), paging.wanted()).await.map_err(failed)?;
    let next = paging.cut(&mut lines, |line| line.job.id);
    let counts: serde_json::Map<String, Value> =
        jobs::counts(store).await.map_err(failed)?.into_iter().map(|(state, number)| (state, number.into())).collect();
    let data: Vec<Value> = lines.iter().map(|line| to_json(&head, line)).collect();
    Ok(answer::json(StatusCode::OK, &json!({ "data": data, "next": next, "counts": counts })))
}

/// `GET /jobs/{id}`
pub(super) async fn get(head: Head) -> Result<Response, Problem> {
    head.administrator()?;
    let line = jobs::get(head.state.records.store(), id(&head)?).await.map_err(failed)?.ok_or_else(Problem::not_found)?;
    Ok(answer::json(StatusCode::OK, &to_json(&head, &line)))
}

/// `POST /jobs/{id}/retry`
pub(super) async fn retry(head: Head) -> Result<Response, Problem> {
    head.administrator()?;
    let (store, id) = (head.state.records.store(), id(&head)?);
    if overview::retry(store, id).await.map_err(failed)? {
        return Ok(answer::empty(StatusCode::NO_CONTENT));
    }
    match jobs::get(store, id).await.map_err(failed)? {
        None => Err(Problem::not_found()),
        Some(_) => Err(RecordError::State { message: "the job is running now".to_owned() }.into()),
    }
}

/// `POST /jobs/{id}/cancel`
pub(super) async fn cancel(head: Head) -> Result<Response, Problem> {
    head.administrator()?;
    if overview::cancel(head.state.records.store(), id(&head)?).await.map_err(failed)? {
        return Ok(answer::empty(StatusCode::NO_CONTENT));
    }
    Err(Problem::not_found())
}

/// A job as it is told: its payload, which may hold values of records, is not.
fn to_json(head: &Head, line: &JobLine) -> Value {
    let (job, about) = (&line.job, overview::about(line));
    let record = about.record.as_ref().and_then(|(entity, id)| Some(RecordId(*id).display(&head.catalog.find_entity(entity)?.prefix)));
    json!({
        "id": job.id.to_string(), "kind": job.handler, "handler": about.handler, "record": record, "state": line.state,
        "priority": job.priority.number(), "attempt": job.attempt, "max_attempts": job.max_attempts, "due_at": job.run_at.to_string(),
        "created_at": job.created_at.to_string(), "held_until": line.lease_until.map(|at| at.to_string()), "last_error": line.last_error,
    })
}

fn id(head: &Head) -> Result<i64, Problem> {
    head.part("id").parse().map_err(|_| Problem::not_found())
}

fn failed(error: StoreError) -> Problem {
    RecordError::from(error).into()
}
