//! Scripts that run as jobs: after the commit, on a schedule, and those that others queue.

use std::sync::Arc;

use jiff::tz::TimeZone;
use serde_json::{Value as Json, json};

use super::begin::{BEGIN, RUN};
use super::bridge::{Automation, Stopped};
use super::hooks::{applies, sound};
use super::run;
use super::translate::{data_of, refusal};
use crate::access::{Actor, ActorKind};
use crate::base::{DateTime, Explain, RecordId, Value};
use crate::jobs::{Job, JobContext, JobError, JobHandler, NewJob, Outcome, SCHEDULE};
use crate::record::{Cause, DELIVER, Delivery, RECALCULATE, Record, RecordError, RecordTx, Records, Source};
use crate::schema::catalog::{Catalog, Entity, Script};
use crate::schema::field_type;
use crate::script::Input;
use crate::store::BoxFuture as StoreFuture;
use crate::store::notifications::TELL;

/// The kind of job that runs a script another script queued.
pub const SCRIPT: &str = "script";

/// Does the jobs of scripts. Effects and the job's end are committed together, so each job takes effect once.
pub struct ScriptJobs {
    pub(super) automation: Arc<Automation>,
    pub(super) records: Records,
}

/// What one job shall do.
#[derive(Clone)]
enum Task {
    Deliver(Arc<Delivery>),
    Run { payload: Json },
}

/// A job's script and circumstances, shared by the tries of its unit of work.
#[derive(Clone)]
struct Work {
    script: String,
    task: Task,
    event: String,
    user: i64,
    chain: Vec<(String, String, i64)>,
}

impl ScriptJobs {
    pub fn new(automation: Arc<Automation>, records: Records) -> Self {
        Self { automation, records }
    }
}

/// The job for `enqueue` of a script.
pub(super) fn script_job(
    catalog: &Catalog,
    script: &str,
    payload: Json,
    delay_s: i64,
    now: DateTime,
    actor: &Actor,
    chain: &[Cause],
) -> NewJob {
    let chain: Vec<Json> = chain.iter().map(|cause| json!([cause.handler, catalog.entity(cause.entity).slug, cause.id.0])).collect();
    let payload = json!({"script": script, "payload": payload, "by": actor.user_id(), "chain": chain});
    let mut job = NewJob::new(SCRIPT, payload, now);
    job.due = DateTime(now.0.saturating_add(delay_s.saturating_mul(1_000_000)));
    job
}

impl JobHandler for ScriptJobs {
    fn kinds(&self) -> &[&'static str] {
        &[DELIVER, SCHEDULE, SCRIPT, RECALCULATE, TELL]
    }

    fn abandoned<'a>(&'a self, context: &'a JobContext, job: &'a Job) -> StoreFuture<'a, Result<(), JobError>> {
        Box::pin(async move {
            let delivery = Delivery::from_json(&job.payload).filter(|_| job.kind == DELIVER);
            match delivery.is_some_and(|delivery| delivery.handler == RUN) {
                true => run::fail(context, job, format!("crash:{}", job.attempt.saturating_sub(1))).await,
                false => Ok(()),
            }
        })
    }

    fn run<'a>(&'a self, context: &'a JobContext, job: &'a Job) -> StoreFuture<'a, Result<Outcome, JobError>> {
        Box::pin(async move {
            if job.kind == RECALCULATE {
                // Computing the same value twice changes nothing, so it needs no transaction with the job's end in it.
                let computed = self.records.recalculate(&job.payload).await;
                return computed.map(|_| Outcome::Done).map_err(|error| JobError::Retry(told(&error)));
            }
            if job.kind == TELL {
                return self.tell(context, job).await;
            }
            if let Some(delivery) = Delivery::from_json(&job.payload).filter(|_| job.kind == DELIVER) {
                match delivery.handler.as_str() {
                    BEGIN => return self.begin(context, job, delivery).await,
                    RUN => return self.go(context, job, delivery).await,
                    _ => {}
                }
            }
            if let Some(name) = job.payload.get("automation").and_then(Json::as_str).filter(|_| job.kind == SCHEDULE) {
                return self.begin_timed(context, job, name).await;
            }
            let work = read(job).ok_or_else(|| JobError::Fatal("the job's payload cannot be read".to_owned()))?;
            if !self.automation.rate.allows(&work.script, job.due.max(context.store.clock().now())) {
                return Err(JobError::Retry(format!("the script `{}` ran too often and pauses", work.script)));
            }
            self.unit(context, job, work).await
        })
    }
}

/// What a job's payload asks for.
fn read(job: &Job) -> Option<Work> {
    let text = |name: &str| job.payload.get(name)?.as_str().map(str::to_owned);
    match job.kind.as_str() {
        DELIVER => {
            let delivery = Delivery::from_json(&job.payload)?;
            Some(Work {
                script: delivery.handler.clone(),
                event: delivery.kind.as_str().to_owned(),
                user: delivery.by,
                chain: delivery.chain.clone(),
                task: Task::Deliver(Arc::new(delivery)),
            })
        }
        SCHEDULE => Some(Work {
            script: text("script")?,
            event: "schedule".to_owned(),
            user: 0,
            chain: Vec::new(),
            task: Task::Run { payload: Json::Null },
        }),
        _ => {
            let chain = job.payload.get("chain")?.as_array()?.iter();
            let chain = chain.filter_map(|cause| {
                Some((cause.get(0)?.as_str()?.to_owned(), cause.get(1)?.as_str()?.to_owned(), cause.get(2)?.as_i64()?))
            });
            Some(Work {
                script: text("script")?,
                event: "queued".to_owned(),
                user: job.payload.get("by").and_then(Json::as_i64).unwrap_or(0),
                chain: chain.collect(),
                task: Task::Run { payload: job.payload.get("payload").cloned().unwrap_or_default() },
            })
        }
    }
}

impl ScriptJobs {
    /// An actor as work for a job has it.
    pub(super) fn automatic(&self, somebody: Actor, job: &Job) -> Actor {
        let locale = self.records.catalog().settings.locale;
        Actor { kind: ActorKind::Automation, locale, time_zone: TimeZone::UTC, request_id: format!("job {}", job.id), ..somebody }
    }

    /// One unit of work with the job's end in it.
    async fn unit(&self, context: &JobContext, job: &Job, work: Work) -> Result<Outcome, JobError> {
        let catalog = self.records.catalog();
        let actor = self.caller(work.user, job).await?;
        let chain = causes(&catalog, &work.chain);
        let shared = Arc::new((Arc::clone(&self.automation), context.clone(), job.clone(), work));
        let end = self.records.unit(&actor, Source::Automation, chain, move |tx| {
            let shared = Arc::clone(&shared);
            Box::pin(async move {
                let (automation, context, job, work) = shared.as_ref();
                automation.work(tx, work).await?;
                Ok(context.finish(tx.store(), job).await?)
            })
        });
        match end.await {
            Ok(()) => Ok(Outcome::Finished),
            Err(error) => Err(JobError::Retry(told(&error))),
        }
    }
}

/// The line that stands beside a job that failed.
pub(super) fn told(error: &RecordError) -> String {
    match error {
        RecordError::Hook { script, file, line: Some(line), message } => format!("script `{script}` failed at {file}:{line}: {message}"),
        other => format!("{other} [{}]", other.code()),
    }
}

pub(super) fn causes(catalog: &Catalog, chain: &[(String, String, i64)]) -> Vec<Cause> {
    let cause = |(handler, entity, id): &(String, String, i64)| {
        Some(Cause { handler: handler.clone(), entity: catalog.find_entity(entity)?.ix, id: RecordId(*id) })
    };
    chain.iter().filter_map(cause).collect()
}

impl Automation {
    async fn work(&self, tx: &mut RecordTx<'_>, work: &Work) -> Result<(), RecordError> {
        let catalog = tx.catalog().clone();
        let Some((at, script)) = catalog.scripts.iter().enumerate().find(|(_, script)| script.id == work.script) else {
            tracing::info!(script = %work.script, "the script is gone: its job is dropped");
            return Ok(());
        };
        let compiled = self.cache.scripts(&catalog);
        let ready = sound(&compiled[at])?;
        let Some(subject) = self.subject(tx, script, work).await? else { return Ok(()) };
        if let Some(record) = &subject.record
            && !tx.enter(Cause { handler: script.id.clone(), entity: record.entity, id: record.id })
        {
            tracing::info!(script = %script.id, record.id = record.id.0, "skipped: the script already ran for this record in this chain");
            return Ok(());
        }
        let payload = match &work.task {
            Task::Run { payload } => payload.clone(),
            Task::Deliver(_) => Json::Null,
        };
        let is_entered = subject.record.is_some();
        let input = Input {
            catalog: catalog.clone(),
            record: subject.record.map(data_of),
            old: subject.old.map(data_of),
            context: self.context(tx, &work.event, payload),
        };
        let result = self.run_script(tx, ready, input, None).await;
        if is_entered {
            tx.leave();
        }
        match result {
            Ok(_) => Ok(()),
            Err(stopped @ (Stopped::Script(_) | Stopped::Busy)) => Err(refusal(ready, &stopped)),
        }
    }

    /// The records the script runs on; `None` when there is nothing to do any more.
    async fn subject(&self, tx: &mut RecordTx<'_>, script: &Script, work: &Work) -> Result<Option<Subject>, RecordError> {
        let catalog = tx.catalog().clone();
        let Some(entity) = script.entity.map(|ix| catalog.entity(ix)) else {
            return Ok(Some(Subject { record: None, old: None }));
        };
        let subject = match &work.task {
            Task::Deliver(delivery) => {
                let mut delivery = Delivery::clone(delivery);
                tx.open_values(entity, &mut delivery.old).await?;
                tx.open_values(entity, &mut delivery.values).await?;
                let former = |of: &Record| overlaid(&catalog, entity, of, &delivery.old);
                match tx.get_whole(entity.ix, delivery.id).await? {
                    Some(record) => {
                        let old = (delivery.kind != crate::record::EventKind::Create).then(|| former(&record));
                        Subject { record: Some(record), old }
                    }
                    // Deleted meanwhile, or by this very event: as it was told.
                    None => {
                        let empty = Record {
                            entity: entity.ix,
                            id: delivery.id,
                            version: delivery.version,
                            values: vec![Value::Null; entity.fields.len()],
                        };
                        let record = overlaid(&catalog, entity, &empty, &delivery.values);
                        let old = Some(former(&record));
                        Subject { record: Some(record), old }
                    }
                }
            }
            Task::Run { payload } => {
                let id = payload.get("id").and_then(Json::as_str).and_then(|text| crate::record::parse_id(&catalog, entity.ix, text));
                let Some(id) = id else {
                    let message = "a queued script of an entity needs the record's id in its payload: `#{id: rec.id}`".to_owned();
                    return Err(RecordError::Hook { script: script.id.clone(), file: script.file.clone(), line: None, message });
                };
                let Some(record) = tx.get_whole(entity.ix, id).await? else { return Ok(None) };
                Subject { old: Some(record.clone()), record: Some(record) }
            }
        };
        if let Some(record) = &subject.record
            && !applies(tx, script, record, subject.old.as_ref()).await?
        {
            return Ok(None);
        }
        Ok(Some(subject))
    }
}

struct Subject {
    record: Option<Record>,
    old: Option<Record>,
}

/// A record with values of a delivery laid over it. Fields that are gone by now are left out.
pub(super) fn overlaid(catalog: &Catalog, entity: &Entity, record: &Record, values: &serde_json::Map<String, Json>) -> Record {
    let mut changed = record.clone();
    for (name, json) in values {
        let Some(field) = entity.find_field(name) else { continue };
        if let (Ok(value), Some(place)) = (field_type::parse_kept_json(catalog, field, json), changed.values.get_mut(field.ix.0 as usize)) {
            *place = value;
        }
    }
    changed
}
