//! The queue of jobs, for administrators: what waits, runs and failed; trying again, cancelling.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;

use super::page::{Page, address};
use crate::base::RecordId;
use crate::jobs::overview::{self, About};
use crate::record::RecordError;
use crate::render::Arg;
use crate::render::context::{Choice, JobRow, JobsPage, ScheduleRow, Stamp};
use crate::store::jobs::{self, JobLine, STATES};
use crate::store::{StoreError, schedules};
use crate::web::Problem;

const SHOWN: u32 = 50;

/// `GET /jobs`
pub(super) async fn jobs(page: Page) -> Result<Response, Problem> {
    page.requester.administrator()?;
    jobs_page(&page, StatusCode::OK, None).await
}

/// `POST /jobs/{id}/retry` and `POST /jobs/{id}/cancel`
pub(super) async fn act(page: Page, Path((id, act)): Path<(String, String)>) -> Result<Response, Problem> {
    page.requester.administrator()?;
    let id: i64 = id.parse().map_err(|_| Problem::not_found())?;
    let store = page.state.records.store();
    let done = match act.as_str() {
        "retry" => overview::retry(store, id).await,
        "cancel" => overview::cancel(store, id).await,
        _ => return Err(Problem::not_found()),
    };
    if done.map_err(failed)? {
        return Ok(page.go(if act == "retry" { "/jobs?done=job-retried" } else { "/jobs?done=job-cancelled" }));
    }
    let is_there = jobs::get(store, id).await.map_err(failed)?.is_some();
    let told = page.say(if is_there { "jobs-busy" } else { "jobs-gone" }, &[]);
    jobs_page(&page, StatusCode::CONFLICT, Some(told)).await
}

async fn jobs_page(page: &Page, status: StatusCode, error: Option<String>) -> Result<Response, Problem> {
    let store = page.state.records.store();
    let state = page.params.get("state").filter(|state| STATES.contains(state));
    let before = page.params.get("before").and_then(|text| text.parse().ok()).unwrap_or(i64::MAX);
    let mut lines = jobs::list_before(store, state, before, SHOWN + 1).await.map_err(failed)?;
    let has_more = lines.len() > SHOWN as usize;
    lines.truncate(SHOWN as usize);
    let abouts: Vec<About> = lines.iter().map(overview::about).collect();
    let ids: Vec<Option<String>> = abouts.iter().map(|about| record_of(page, about)).collect();
    let titles = page.titles(ids.iter().flatten().map(String::as_str)).await?;
    let rows = lines
        .iter()
        .zip(abouts)
        .zip(&ids)
        .map(|((line, about), id)| JobRow {
            record: id.as_ref().map(|id| titles.get(id).cloned().unwrap_or_else(|| id.clone())).unwrap_or_default(),
            record_href: id.as_ref().zip(about.record.as_ref()).map(|(id, (entity, _))| format!("/records/{entity}/{id}")),
            ..row(page, line, about)
        })
        .collect();
    let counts = jobs::counts(store).await.map_err(failed)?;
    let count = |wanted: Option<&str>| counts.iter().filter(|(state, _)| wanted.is_none_or(|wanted| wanted == state)).map(|(_, n)| n).sum();
    let choice = |value: Option<&str>| {
        let word = value.map_or_else(|| page.say("jobs-all", &[]), |value| say_state(page, value));
        let number = page.say("jobs-count", &[("count", Arg::Count(count(value)))]);
        Choice { value: value.unwrap_or("").to_owned(), label: format!("{word} ({number})"), selected: state == value, ..Choice::default() }
    };
    let mut older: Vec<(String, String)> = state.map(|state| ("state".to_owned(), state.to_owned())).into_iter().collect();
    older.extend(lines.last().map(|line| ("before".to_owned(), line.job.id.to_string())));
    let context = JobsPage {
        shell: page.shell(&page.say("jobs-title", &[]), ":jobs", Vec::new()),
        states: std::iter::once(choice(None)).chain(STATES.iter().map(|state| choice(Some(state)))).collect(),
        rows,
        older_href: has_more.then(|| address("/jobs", &older)),
        schedules: schedule_rows(page).await?,
        error,
    };
    page.html(status, "page/jobs", &context)
}

fn row(page: &Page, line: &JobLine, about: About) -> JobRow {
    let job = &line.job;
    let most = job.max_attempts.to_string();
    let attempt = job.attempt.to_string();
    JobRow {
        id: job.id.to_string(),
        kind: job.handler.clone(),
        handler: about.handler,
        state: line.state.clone(),
        state_text: say_state(page, &line.state),
        due: Stamp::new(job.run_at, &page.ui, page.messages()),
        attempt: page.say("jobs-of", &[("attempt", Arg::Text(&attempt)), ("most", Arg::Text(&most))]),
        error: line.last_error.clone().unwrap_or_default(),
        can_retry: line.state != "running",
        ..JobRow::default()
    }
}

async fn schedule_rows(page: &Page) -> Result<Vec<ScheduleRow>, Problem> {
    let known = schedules::list(page.state.records.store()).await.map_err(failed)?;
    let stamp = |at| Stamp::new(at, &page.ui, page.messages());
    let name = |uid: &str| {
        let script = page.catalog.scripts.iter().find(|script| script.uid == uid);
        script.map_or(uid.strip_prefix("automation/").unwrap_or(uid), |script| &script.id).to_owned()
    };
    let row = |schedule: &schedules::Schedule| ScheduleRow {
        name: name(&schedule.id),
        spec: schedule.spec.clone(),
        next: stamp(schedule.next_at),
        last: schedule.last_at.map(stamp),
    };
    Ok(known.iter().map(row).collect())
}

/// The record of a job as it is shown, when its entity is still there.
fn record_of(page: &Page, about: &About) -> Option<String> {
    let (entity, id) = about.record.as_ref()?;
    Some(RecordId(*id).display(&page.catalog.find_entity(entity)?.prefix))
}

fn say_state(page: &Page, state: &str) -> String {
    let key = match state {
        "running" => "jobs-state-running",
        "dead" => "jobs-state-dead",
        _ => "jobs-state-ready",
    };
    page.say(key, &[])
}

fn failed(error: StoreError) -> Problem {
    RecordError::from(error).into()
}
