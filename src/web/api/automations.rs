//! Automations over the API, for administrators: which there are, which are paused, their runs with every step.

use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};

use super::answer;
use super::head::Head;
use super::paging::{MOST, Paging, bad_parameter};
use crate::automation::overview;
use crate::base::RecordId;
use crate::record::RecordError;
use crate::schema::catalog::RunAs;
use crate::store::StoreError;
use crate::store::runs::{self, Filter, Run, STATES, StepLine};
use crate::web::Problem;

/// `GET /automations`
pub(super) async fn list(head: Head) -> Result<Response, Problem> {
    head.administrator()?;
    let store = head.state.records.store();
    let paused = runs::paused(store).await.map_err(failed)?;
    let counts = runs::counts(store).await.map_err(failed)?;
    let whole = head.catalog.whole();
    let data: Vec<Value> = whole
        .automations
        .all
        .iter()
        .map(|one| {
            let breaker = paused.iter().find(|breaker| breaker.uid == one.uid);
            let counted: serde_json::Map<String, Value> =
                counts.iter().filter(|(name, ..)| *name == one.id).map(|(_, state, number)| (state.clone(), (*number).into())).collect();
            json!({
                "id": one.id, "label": one.label.get(head.requester.locale), "entity": whole.entity(one.entity).slug,
                "run_as": match &one.run_as { RunAs::Caller => Value::Null, RunAs::Roles(roles) => json!(roles) },
                "runs": counted, "paused_at": breaker.and_then(|breaker| breaker.paused_at).map(|at| at.to_string()),
                "paused_why": breaker.and_then(|breaker| breaker.reason.clone()), "passed": breaker.map_or(0, |breaker| breaker.passed),
            })
        })
        .collect();
    Ok(answer::json(StatusCode::OK, &json!({ "data": data })))
}

/// `POST /automations/{id}/pause`
pub(super) async fn pause(head: Head) -> Result<Response, Problem> {
    act(head, true).await
}

/// `POST /automations/{id}/resume`
pub(super) async fn resume(head: Head) -> Result<Response, Problem> {
    act(head, false).await
}

async fn act(head: Head, is_pause: bool) -> Result<Response, Problem> {
    head.administrator()?;
    let whole = head.catalog.whole();
    let automation = whole.automations.find(head.part("id")).ok_or_else(Problem::not_found)?;
    let store = head.state.records.store();
    let done = if is_pause { overview::pause(store, automation).await } else { overview::resume(store, automation).await };
    done.map_err(failed)?;
    head.state.automation.note_paused(store).await.map_err(failed)?;
    Ok(answer::empty(StatusCode::NO_CONTENT))
}

/// `GET /runs`
pub(super) async fn runs_list(head: Head) -> Result<Response, Problem> {
    head.requester.administrator()?;
    let params = head.params(&["automation", "state", "record", "before", "limit"])?;
    let state = params.get("state");
    if state.is_some_and(|state| !STATES.contains(&state)) {
        return Err(bad_parameter("state", &format!("must be one of {}", STATES.join(", "))));
    }
    let record = match params.get("record") {
        None => None,
        Some(text) => Some(RecordId::parse(text).ok_or_else(|| bad_parameter("record", "must be the id of a record"))?.1.0),
    };
    let paging = Paging::read(&params, "a run", MOST)?;
    let filter =
        Filter { name: params.get("automation").map(str::to_owned), state: state.map(str::to_owned), record, before: paging.before };
    let mut found = runs::list(head.state.records.store(), &filter, paging.wanted()).await.map_err(failed)?;
    let next = paging.cut(&mut found, |run| run.id);
    let data: Vec<Value> = found.iter().map(|run| to_json(&head, run)).collect();
    Ok(answer::json(StatusCode::OK, &json!({ "data": data, "next": next })))
}

/// `GET /runs/{id}`
pub(super) async fn run(head: Head) -> Result<Response, Problem> {
    head.administrator()?;
    let id: i64 = head.part("id").parse().map_err(|_| Problem::not_found())?;
    let store = head.state.records.store();
    let run = runs::get(store, id).await.map_err(failed)?.ok_or_else(Problem::not_found)?;
    let steps = runs::steps(store, id).await.map_err(failed)?;
    let mut told = to_json(&head, &run);
    told["steps"] = steps.iter().map(step_json).collect();
    Ok(answer::json(StatusCode::OK, &told))
}

fn to_json(head: &Head, run: &Run) -> Value {
    let prefix = |slug: &str| head.catalog.find_entity(slug).map(|entity| entity.prefix.as_str());
    let chain: Vec<(String, String, i64)> = serde_json::from_str(&run.chain).unwrap_or_default();
    let chain: Vec<Value> = chain
        .iter()
        .map(|(handler, slug, id)| json!({ "automation": handler, "record": prefix(slug).map(|prefix| RecordId(*id).display(prefix)) }))
        .collect();
    json!({
        "id": run.id.to_string(), "automation": run.name, "record": prefix(&run.entity).map(|prefix| RecordId(run.record).display(prefix)),
        "event": run.event, "state": run.state, "reason": run.reason, "next_step": run.step.as_ref().filter(|_| matches!(run.state.as_str(), "running" | "waiting" | "failed")), "chain": chain,
        "by": prefix("user").filter(|_| run.actor != 0).map(|prefix| RecordId(run.actor).display(prefix)),
        "began_at": run.began_at.to_string(), "ended_at": run.ended_at.map(|at| at.to_string()), "waits_until": run.waits_until().map(|at| at.to_string()),
    })
}

fn step_json(line: &StepLine) -> Value {
    let parsed = |text: &str| serde_json::from_str(text).unwrap_or(Value::Null);
    json!({
        "step": line.step, "do": line.act, "state": line.state, "input": parsed(&line.input), "output": parsed(&line.output),
        "reason": line.reason, "at": line.at.to_string(),
    })
}

fn failed(error: StoreError) -> Problem {
    RecordError::from(error).into()
}
