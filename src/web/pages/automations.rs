//! Automations, for administrators: which there are, which are paused, what they did and what they did not do.

use std::collections::BTreeMap;

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::Value as Json;

use super::entry::unkept;
use super::page::{Page, address};
use super::post::Post;
use crate::automation::overview;
use crate::automation::received::{new_secret, received};
use crate::base::RecordId;
use crate::record::RecordError;
use crate::render::Arg;
use crate::render::context::{AutomationRow, AutomationsPage, Choice, Crumb, RunPage, RunRow, RunStep, Stamp};
use crate::schema::catalog::{Automation, RunAs, Start};
use crate::store::StoreError;
use crate::store::jobs;
use crate::store::runs::{self, Breaker, Filter, Run, STATES, StepLine};
use crate::web::Problem;

const SHOWN: u32 = 50;

/// `GET /automations`
pub(super) async fn automations(page: Page) -> Result<Response, Problem> {
    page.requester.administrator()?;
    shown(&page, StatusCode::OK, None, None).await
}

async fn shown(page: &Page, status: StatusCode, secret: Option<(String, String)>, error: Option<String>) -> Result<Response, Problem> {
    let store = page.state.records.store();
    let given = |name: &str| page.params.get(name).filter(|value| !value.is_empty() && value.len() <= 100);
    let filter = Filter {
        name: given("automation").map(str::to_owned),
        state: given("state").filter(|state| STATES.contains(state)).map(str::to_owned),
        record: None,
        before: given("before").and_then(|text| text.parse().ok()),
    };
    let mut found = runs::list(store, &filter, SHOWN + 1).await.map_err(failed)?;
    let has_more = found.len() > SHOWN as usize;
    found.truncate(SHOWN as usize);
    let rows = run_rows(page, &found).await?;
    let paused = runs::paused(store).await.map_err(failed)?;
    let counts = runs::counts(store).await.map_err(failed)?;
    let whole = page.catalog.whole();
    let all = &whole.automations.all;
    let choice = |value: &str, label: String, chosen: Option<&str>| Choice {
        value: value.to_owned(),
        label,
        selected: chosen.unwrap_or("") == value,
        ..Choice::default()
    };
    let name = filter.name.as_deref();
    let state = filter.state.as_deref();
    let mut older: Vec<(String, String)> = Vec::new();
    older.extend(filter.name.clone().map(|name| ("automation".to_owned(), name)));
    older.extend(filter.state.clone().map(|state| ("state".to_owned(), state)));
    older.extend(found.last().map(|run| ("before".to_owned(), run.id.to_string())));
    let context = AutomationsPage {
        shell: page.shell(&page.say("automations-title", &[]), ":automations", Vec::new()),
        automations: all.iter().map(|one| automation_row(page, one, &paused, &counts)).collect(),
        names: std::iter::once(choice("", page.say("run-all", &[]), name))
            .chain(all.iter().map(|one| choice(&one.id, one.label.get(page.ui.locale).to_owned(), name)))
            .collect(),
        states: std::iter::once(choice("", page.say("run-all", &[]), state))
            .chain(STATES.iter().map(|one| choice(one, say_state(page, one), state)))
            .collect(),
        runs: rows,
        older_href: has_more.then(|| address("/automations", &older)),
        must_confirm: !page.requester.is_fresh,
        secret,
        error,
    };
    let has_secret = context.secret.is_some();
    let response = page.html(status, "page/automations", &context)?;
    Ok(if has_secret { unkept(response) } else { response })
}

/// `POST /automations/{id}/pause`, `POST /automations/{id}/resume` and `POST /automations/{id}/secret`
pub(super) async fn act(mut page: Page, Path((id, act)): Path<(String, String)>, post: Post) -> Result<Response, Problem> {
    page.requester.administrator()?;
    let whole = page.catalog.whole();
    let automation = whole.automations.find(&id).ok_or_else(Problem::not_found)?;
    let store = page.state.records.store();
    if act == "secret" && received(automation).is_some() {
        if let Some(error) = page.confirm(&post).await? {
            return shown(&page, StatusCode::UNPROCESSABLE_ENTITY, None, Some(error)).await;
        }
        let made = new_secret(page.state.records.store(), &whole, automation).await.map_err(failed)?.ok_or_else(Problem::not_found)?;
        let url = page.state.config.public_url.join(&format!("/api/v1/received/{}", automation.id));
        return shown(&page, StatusCode::OK, Some((url, made.secret)), None).await;
    }
    let to = match act.as_str() {
        "pause" => {
            overview::pause(store, automation).await.map_err(failed)?;
            "/automations?done=automation-paused"
        }
        "resume" => {
            overview::resume(store, automation).await.map_err(failed)?;
            "/automations?done=automation-resumed"
        }
        _ => return Err(Problem::not_found()),
    };
    page.state.automation.note_paused(store).await.map_err(failed)?;
    Ok(page.go(to))
}

/// `GET /automations/runs/{id}`
pub(super) async fn run(page: Page, Path(id): Path<String>) -> Result<Response, Problem> {
    page.requester.administrator()?;
    let id: i64 = id.parse().map_err(|_| Problem::not_found())?;
    let store = page.state.records.store();
    let run = runs::get(store, id).await.map_err(failed)?.ok_or_else(Problem::not_found)?;
    let steps = runs::steps(store, id).await.map_err(failed)?;
    let job = jobs::get(store, id).await.map_err(failed)?;
    let chain: Vec<(String, String, i64)> = serde_json::from_str(&run.chain).unwrap_or_default();
    let who = match (run.actor, page.catalog.find_entity("core.user")) {
        (0, _) => page.say("audit-by-system", &[]),
        (actor, Some(entity)) => {
            let id = RecordId(actor).display(&entity.prefix);
            page.titles(std::iter::once(id.as_str())).await?.get(&id).cloned().unwrap_or(id)
        }
        (actor, None) => actor.to_string(),
    };
    let mut row = run_rows(&page, std::slice::from_ref(&run)).await?.pop().unwrap_or_default();
    if let Some(automation) = page.catalog.automations.find(&run.name) {
        row.name = automation.label.get(page.ui.locale).to_owned();
    }
    let crumb = Crumb { label: page.say("automations-title", &[]), href: Some("/automations".to_owned()) };
    let context = RunPage {
        shell: page.shell(&row.name, ":automations", vec![crumb]),
        automation: run.name.clone(),
        chain: chain.into_iter().map(|(handler, ..)| handler).collect(),
        who,
        waits_until: run.waits_until().map(|at| Stamp::new(at, &page.ui, page.messages())),
        ended: run.ended_at.map(|at| Stamp::new(at, &page.ui, page.messages())),
        next_step: run.step.clone().filter(|_| matches!(run.state.as_str(), "running" | "waiting" | "failed")).unwrap_or_default(),
        steps: steps.iter().map(|line| step_row(&page, line)).collect(),
        can_retry: job.as_ref().is_some_and(|line| line.state != "running"),
        job: job.map(|line| line.job.id.to_string()),
        run: row,
    };
    page.html(StatusCode::OK, "page/run", &context)
}

fn automation_row(page: &Page, automation: &Automation, paused: &[Breaker], counts: &[(String, String, i64)]) -> AutomationRow {
    let entity = page.catalog.whole();
    let entity = entity.entity(automation.entity);
    let breaker = paused.iter().find(|one| one.uid == automation.uid);
    let counted: BTreeMap<&str, i64> =
        counts.iter().filter(|(name, ..)| *name == automation.id).map(|(_, state, number)| (state.as_str(), *number)).collect();
    let counts: Vec<String> =
        STATES.iter().filter_map(|state| Some(format!("{}: {}", say_state(page, state), counted.get(state)?))).collect();
    let why = breaker.and_then(|one| one.reason.as_deref()).map(overview::reason);
    AutomationRow {
        id: automation.id.clone(),
        label: automation.label.get(page.ui.locale).to_owned(),
        entity: entity.label.get(page.ui.locale).to_owned(),
        event: say_event(page, event_of(&automation.start)),
        when: automation.when_text.clone(),
        rights: match &automation.run_as {
            RunAs::Caller => page.say("automation-caller", &[]),
            RunAs::Roles(roles) => roles.join(", "),
        },
        counts: counts.join(", "),
        receives: received(automation).is_some(),
        is_paused: breaker.is_some(),
        paused_since: breaker.and_then(|one| one.paused_at).map(|at| Stamp::new(at, &page.ui, page.messages())),
        paused_why: match why {
            Some(("rate", detail)) => page.say("automation-paused-rate", &[("detail", Arg::Text(detail))]),
            _ => page.say("automation-paused-person", &[]),
        },
    }
}

fn event_of(start: &Start) -> &'static str {
    match start {
        Start::Created => "created",
        Start::Updated { .. } => "updated",
        Start::Deleted => "deleted",
        Start::Stage { .. } => "stage",
        Start::Schedule { .. } => "schedule",
        Start::Due { .. } => "due",
        Start::Clock { .. } => "clock",
        Start::Answered(_) => "answered",
        Start::Received(_) => "received",
        Start::Called => "called",
    }
}

async fn run_rows(page: &Page, found: &[Run]) -> Result<Vec<RunRow>, Problem> {
    let id_of = |run: &Run| Some(RecordId(run.record).display(&page.catalog.find_entity(&run.entity)?.prefix));
    let ids: Vec<Option<String>> = found.iter().map(id_of).collect();
    let titles = page.titles(ids.iter().flatten().map(String::as_str)).await?;
    let row = |(run, id): (&Run, &Option<String>)| RunRow {
        href: format!("/automations/runs/{}", run.id),
        name: run.name.clone(),
        record: id.as_ref().map(|id| titles.get(id).cloned().unwrap_or_else(|| id.clone())).unwrap_or_default(),
        record_href: id.as_ref().filter(|id| titles.contains_key(id.as_str())).map(|id| format!("/records/{}/{id}", run.entity)),
        event: say_event(page, &run.event),
        state: run.state.clone(),
        state_text: say_state(page, &run.state),
        reason: run.reason.as_deref().map(|reason| say_reason(page, reason)).unwrap_or_default(),
        began: Stamp::new(run.began_at, &page.ui, page.messages()),
    };
    Ok(found.iter().zip(&ids).map(row).collect())
}

fn step_row(page: &Page, line: &StepLine) -> RunStep {
    let shown = |text: &str| match serde_json::from_str::<Json>(text) {
        Ok(Json::Object(map)) if map.is_empty() => String::new(),
        _ => text.to_owned(),
    };
    RunStep {
        step: line.step.clone(),
        act: line.act.clone(),
        state: line.state.clone(),
        state_text: say_state(page, &line.state),
        input: shown(&line.input),
        output: shown(&line.output),
        reason: line.reason.as_deref().map(|reason| say_reason(page, reason)).unwrap_or_default(),
        at: Stamp::new(line.at, &page.ui, page.messages()),
    }
}

pub(super) fn say_event(page: &Page, event: &str) -> String {
    let key = match event {
        "created" => "automation-event-created",
        "deleted" => "automation-event-deleted",
        "stage" => "automation-event-stage",
        "schedule" => "automation-event-schedule",
        "due" => "automation-event-due",
        "clock" => "automation-event-clock",
        "answered" => "automation-event-answered",
        "received" => "automation-event-received",
        "called" => "automation-event-called",
        _ => "automation-event-updated",
    };
    page.say(key, &[])
}

pub(super) fn say_state(page: &Page, state: &str) -> String {
    let key = match state {
        "done" => "run-state-done",
        "waiting" => "run-state-waiting",
        "failed" => "run-state-failed",
        "cancelled" => "run-state-cancelled",
        "skipped" => "run-state-skipped",
        _ => "run-state-running",
    };
    page.say(key, &[])
}

pub(super) fn say_reason(page: &Page, text: &str) -> String {
    let (word, detail) = overview::reason(text);
    let key = match word {
        "condition" => "run-reason-condition",
        "loop" => "run-reason-loop",
        "rate" => "run-reason-rate",
        "limit" => "run-reason-limit",
        "definition" => "run-reason-definition",
        "steps" => "run-reason-steps",
        "gone" => "run-reason-gone",
        "crash" => "run-reason-crash",
        _ => "run-reason-refused",
    };
    page.say(key, &[("detail", Arg::Text(detail))])
}

fn failed(error: StoreError) -> Problem {
    RecordError::from(error).into()
}
