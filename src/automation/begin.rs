//! After the commit: looks at the conditions of the automations that an event starts, and writes down which run and which do
//! not, with the reason. One transaction with the end of the job, so each event begins each automation once.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::jobs::{ScriptJobs, causes, overlaid, told};
use super::starts::{is_awaited, started};
use crate::access::{ADMINISTRATOR, Actor, Rights};
use crate::base::{Explain, FieldIx, RecordId, Value};
use crate::jobs::{Job, JobContext, JobError, Outcome};
use crate::record::unit::MAX_CHAIN;
use crate::record::{DELIVER, Delivery, EventKind, Record, RecordError, RecordTx, Source};
use crate::schema::catalog::{Automation, Catalog, Entity, Start};
use crate::store::audit::{self, Entry};
use crate::store::notifications::{self, PROGRAM, Said, Telling};
use crate::store::runs::{self, NewRun};
use crate::store::{StoreError, jobs};

/// The handler of the job that begins automations, and of the one that does a run. No script has such an id.
pub(super) const BEGIN: &str = ":automations";
pub(super) const RUN: &str = ":run";

/// The record of an event, as the event left it, and what it was before.
pub(super) struct Subject {
    pub record: Record,
    pub old: Option<Record>,
    /// It is there no more.
    pub is_gone: bool,
}

/// What a delivery tells of its record. `as_told`: with the values of the event; else as it stands now.
pub(super) async fn subject(tx: &mut RecordTx<'_>, entity: &Entity, delivery: &Delivery, as_told: bool) -> Result<Subject, RecordError> {
    let catalog = tx.catalog().clone();
    let mut delivery = delivery.clone();
    tx.open_values(entity, &mut delivery.old).await?;
    tx.open_values(entity, &mut delivery.values).await?;
    // What is in the recycle bin still says what it was.
    let found = tx.get_kept(entity.ix, delivery.id).await?;
    let is_gone = found.as_ref().is_none_or(|record| record.is_deleted(entity));
    let record = match found {
        Some(found) if !as_told => found,
        found => {
            let empty =
                || Record { entity: entity.ix, id: delivery.id, version: delivery.version, values: vec![Value::Null; entity.fields.len()] };
            overlaid(&catalog, entity, &found.unwrap_or_else(empty), &delivery.values)
        }
    };
    let old = (delivery.kind != EventKind::Create).then(|| overlaid(&catalog, entity, &record, &delivery.old));
    Ok(Subject { record, old, is_gone })
}

impl ScriptJobs {
    /// Whoever caused something, with the rights they have now; somebody who may no longer sign in has none left.
    pub(super) async fn caller(&self, by: i64, job: &Job) -> Result<Actor, JobError> {
        let somebody = match by {
            0 => Actor::system(),
            user => {
                let found = self.records.actor_of(RecordId(user)).await.map_err(|error| JobError::Retry(told(&error)))?;
                found.unwrap_or(Actor { user: Some(RecordId(user)), rights: Rights::none(), ..Actor::system() })
            }
        };
        Ok(self.automatic(somebody, job))
    }

    pub(super) async fn begin(&self, context: &JobContext, job: &Job, delivery: Delivery) -> Result<Outcome, JobError> {
        let actor = self.caller(delivery.by, job).await?;
        let chain = causes(&self.records.catalog(), &delivery.chain);
        let shared = Arc::new((context.clone(), job.clone(), delivery));
        let end = self.records.unit(&actor, Source::Automation, chain, move |tx| {
            let shared = Arc::clone(&shared);
            Box::pin(async move {
                let (context, job, delivery) = shared.as_ref();
                let has_paused = begin_all(tx, delivery).await?;
                context.finish(tx.store(), job).await?;
                Ok(has_paused)
            })
        });
        match end.await {
            Ok(has_paused) => {
                if has_paused {
                    self.automation.note_paused(&context.store).await?;
                }
                Ok(Outcome::Finished)
            }
            Err(error) => Err(JobError::Retry(told(&error))),
        }
    }
}

/// Whether an automation was paused just now.
async fn begin_all(tx: &mut RecordTx<'_>, delivery: &Delivery) -> Result<bool, RecordError> {
    let catalog = tx.catalog().clone();
    let mut has_paused = false;
    let Some(entity) = catalog.find_entity(&delivery.entity) else { return Ok(has_paused) };
    let subject = subject(tx, entity, delivery, true).await?;
    let changed: Vec<FieldIx> = delivery.changed.iter().filter_map(|name| Some(entity.find_field(name)?.ix)).collect();
    for at in started(&catalog, entity.ix, delivery.kind, &changed, subject.old.as_ref(), &subject.record) {
        let automation = &catalog.automations.all[at];
        // What starts it may be a record about the one that it is for.
        let Some((entity, delivery)) = aimed(&catalog, automation, &subject.record, (entity, delivery)) else { continue };
        let delivery = delivery.as_ref();
        if runs::passes(tx.store(), &automation.uid).await? {
            continue;
        }
        if let Some(reason) = circle(automation, entity, delivery) {
            note(tx, automation, delivery, "skipped", Some(reason)).await?;
            continue;
        }
        if let Some(when) = &automation.when
            && !tx.holds(when, &subject.record, subject.old.as_ref()).await?
        {
            note(tx, automation, delivery, "skipped", Some(format!("condition:{}", automation.when_text))).await?;
            continue;
        }
        if is_too_often(tx, automation).await? {
            note(tx, automation, delivery, "skipped", Some(rate(automation))).await?;
            has_paused = true;
            continue;
        }
        note(tx, automation, delivery, "running", None).await?;
    }
    if is_awaited(&catalog, entity.ix, delivery.kind, &changed) {
        // What they wait for, they look at themselves.
        for run in runs::waiting(tx.store(), delivery.id.0).await? {
            jobs::rouse(tx.store(), run).await?;
        }
    }
    Ok(has_paused)
}

/// What a run is about: the record of the event, or the one that an answer is about.
fn aimed<'a>(
    catalog: &'a Catalog,
    automation: &Automation,
    record: &Record,
    (entity, delivery): (&'a Entity, &'a Delivery),
) -> Option<(&'a Entity, Cow<'a, Delivery>)> {
    let Start::Answered(answered) = &automation.start else { return Some((entity, Cow::Borrowed(delivery))) };
    let Value::Link(about) = record.get(answered.about) else { return None };
    let entity = catalog.entity(automation.entity);
    let told = Delivery { by: delivery.by, chain: delivery.chain.clone(), ..Delivery::about(&entity.slug, *about) };
    Some((entity, Cow::Owned(told)))
}

/// Begins what a step of another automation names; gives the run's id, or why there is none.
pub(super) async fn call(tx: &mut RecordTx<'_>, delivery: &Delivery, name: &str) -> Result<Result<i64, String>, RecordError> {
    let catalog = tx.catalog().clone();
    let (Some(automation), Some(entity)) = (catalog.automations.find(name), catalog.find_entity(&delivery.entity)) else {
        return Ok(Err("definition:".to_owned()));
    };
    let chain = tx.chain().iter().map(|cause| (cause.handler.clone(), catalog.entity(cause.entity).slug.clone(), cause.id.0)).collect();
    let delivery = Delivery { chain, ..delivery.clone() };
    if runs::passes(tx.store(), &automation.uid).await? {
        return Ok(Err("paused:".to_owned()));
    }
    let mut reason = circle(automation, entity, &delivery);
    if let (None, Some(when)) = (&reason, &automation.when) {
        let subject = subject(tx, entity, &delivery, false).await?;
        let holds = tx.holds(when, &subject.record, subject.old.as_ref()).await?;
        reason = (!holds).then(|| format!("condition:{}", automation.when_text));
    }
    if reason.is_none() && is_too_often(tx, automation).await? {
        reason = Some(rate(automation));
    }
    let Some(reason) = reason else { return Ok(Ok(note(tx, automation, &delivery, "running", None).await?)) };
    note(tx, automation, &delivery, "skipped", Some(reason.clone())).await?;
    Ok(Err(reason))
}

fn rate(automation: &Automation) -> String {
    format!("rate:{}", automation.most_per_minute)
}

/// Counts an automation that begins; with more of them in a minute than it may, it is paused. Audited.
async fn is_too_often(tx: &mut RecordTx<'_>, automation: &Automation) -> Result<bool, RecordError> {
    if runs::count(tx.store(), &automation.uid).await? <= i64::from(automation.most_per_minute) {
        return Ok(false);
    }
    if runs::pause(tx.store(), &automation.uid, &rate(automation)).await? {
        let facts = vec![("name".to_owned(), automation.id.clone()), ("detail".to_owned(), automation.most_per_minute.to_string())];
        let telling = Telling {
            people: Vec::new(),
            teams: Vec::new(),
            roles: vec![ADMINISTRATOR.to_owned()],
            source: PROGRAM.to_owned(),
            said: Said::Message { key: "notification-automation-paused".to_owned(), facts },
            about: None,
            step: None,
        };
        notifications::tell(tx.store(), &telling).await?;
        audit::append(tx.store(), Entry::new("automation.pause").by(0, "system").fact("automation", automation.id.as_str())).await?;
        tracing::error!(automation = %automation.id, "the automation began too often within a minute and is paused");
    }
    Ok(true)
}

/// Why it must not begin: it is among the causes of this event already, or there are too many of them.
fn circle(automation: &Automation, entity: &Entity, delivery: &Delivery) -> Option<String> {
    let is_in = delivery.chain.iter().any(|(handler, slug, id)| *handler == automation.id && *slug == entity.slug && *id == delivery.id.0);
    if !is_in && delivery.chain.len() < MAX_CHAIN {
        return None;
    }
    let causes: Vec<&str> = delivery.chain.iter().map(|(handler, ..)| handler.as_str()).chain([automation.id.as_str()]).collect();
    Some(format!("loop:{}", causes.join(" → ")))
}

/// Writes down that an automation begins, with the job that does it, or that it does not.
pub(super) async fn note(
    tx: &mut RecordTx<'_>,
    automation: &Automation,
    delivery: &Delivery,
    state: &'static str,
    reason: Option<String>,
) -> Result<i64, RecordError> {
    let chain: Vec<Json> = delivery.chain.iter().map(|(handler, slug, id)| json!([handler, slug, id])).collect();
    let event = match (&automation.start, delivery.kind) {
        (Start::Stage { .. }, _) => "stage",
        (Start::Schedule { .. }, _) => "schedule",
        (Start::Due { .. }, _) => "due",
        (Start::Clock { .. }, _) => "clock",
        (Start::Answered(_), _) => "answered",
        (Start::Received(_), _) => "received",
        (Start::Called, _) => "called",
        (_, EventKind::Create) => "created",
        (_, EventKind::Delete) => "deleted",
        _ => "updated",
    };
    let first = automation.steps.first().filter(|_| state == "running");
    let new = NewRun {
        automation: automation.uid.clone(),
        name: automation.id.clone(),
        entity: delivery.entity.clone(),
        record: delivery.id.0,
        event: event.to_owned(),
        state,
        reason,
        step: first.map(|step| step.id.clone()),
        chain: Json::Array(chain).to_string(),
        actor: delivery.by,
    };
    let job = if state == "running" { Some(queue(tx, automation, delivery).await?) } else { None };
    Ok(runs::begin(tx.store(), job, &new).await?)
}

/// The job of a run. What it needs of the event is in its payload, where erasing finds it.
async fn queue(tx: &mut RecordTx<'_>, automation: &Automation, delivery: &Delivery) -> Result<i64, RecordError> {
    let mut payload = Delivery { handler: RUN.to_owned(), ..delivery.clone() }.to_json();
    payload["automation"] = automation.id.as_str().into();
    let new = jobs::NewJob {
        handler: DELIVER.to_owned(),
        payload_json: payload.to_string(),
        // Runs of one automation on one record follow one another, unless they may be under way for long.
        lane: (!automation.waits()).then(|| format!("{}:{}", automation.uid, delivery.id.0)),
        ..jobs::NewJob::default()
    };
    let queued = jobs::enqueue(tx.store(), &new).await?;
    Ok(queued.ok_or_else(|| StoreError::TransactionLost("a job without a key was not queued".to_owned()))?)
}

/// A refusal as the log of a run keeps it.
pub(super) fn refused(error: &RecordError) -> String {
    let faults: Vec<String> = error.faults().iter().map(|fault| format!("{}: {}", fault.path, fault.message)).collect();
    let more = if faults.is_empty() { String::new() } else { format!(" ({})", faults.join(", ")) };
    format!("refused:{error}{more} [{}]", error.code())
}
