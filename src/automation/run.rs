//! The job of a run: one step after the other, each in one transaction together with what it did and how far the run has
//! come. A process that dies leaves the run where its last step was committed; one that lost the job commits nothing more.

use std::sync::Arc;
use std::time::Duration;

use super::assign::candidates;
use super::begin::{Subject, refused, subject};
use super::bridge::Automation;
use super::email::{self, Addressee, Letters, Writing, addressees};
use super::jobs::{ScriptJobs, causes, told};
use super::steps::About;
use crate::access::Actor;
use crate::base::{DateTime, RecordId};
use crate::expr::needs;
use crate::jobs::{Job, JobContext, JobError, Outcome};
use crate::record::{ApprovalFor, Ask, Cause, Delivery, EventKind, Record, RecordError, RecordTx, Source};
use crate::schema::catalog::{Act, Entity, FieldType, RunAs, Step};
use crate::store::StoreError;
use crate::store::notifications::Telling;
use crate::store::runs::{self, Run, StepLine};

/// How long a step may take before another process may claim the job.
const LEASE: Duration = Duration::from_secs(60);
/// Ten years.
const FOREVER_US: i64 = 3_650 * 86_400 * 1_000_000;
/// Steps of one run.
const MOST_STEPS: usize = 1_000;

/// How often a run looks whether what it waits for has come about, where no change of its record would tell.
const LOOK_US: i64 = 600_000_000;

/// What was looked up for a step before it is done.
enum Ready {
    Letters(Letters),
    People { step: String, people: Vec<RecordId> },
}

impl Ready {
    fn letters(&self, of: &Step) -> Option<&Letters> {
        match self {
            Self::Letters(letters) => Some(letters).filter(|letters| letters.are_of(of)),
            Self::People { .. } => None,
        }
    }

    fn people(&self, of: &Step) -> Option<&[RecordId]> {
        match self {
            Self::People { step, people } if *step == of.id => Some(people),
            _ => None,
        }
    }
}

/// How a step left its run.
enum Went {
    On,
    End,
    /// It waits until then.
    Later(DateTime),
    /// Its step is gone from the definitions.
    Lost,
    /// A decision about the record is to be asked for, outside of the transaction of a step.
    Ask(String),
    /// So is what it says to these people, and who they are.
    Write(Writing, Vec<Addressee>),
    /// And who they are of whom this step chooses one.
    Choose(String, Telling),
}

impl ScriptJobs {
    pub(super) async fn go(&self, context: &JobContext, job: &Job, delivery: Delivery) -> Result<Outcome, JobError> {
        let name = job.payload.get("automation").and_then(serde_json::Value::as_str).unwrap_or_default().to_owned();
        let catalog = self.records.catalog();
        let actor = match catalog.automations.find(&name).map(|automation| &automation.run_as) {
            Some(RunAs::Roles(roles)) => self.automatic(self.records.actor_with(roles), job),
            _ => self.caller(delivery.by, job).await?,
        };
        let delivery = Arc::new(delivery);
        let mut ready: Option<Arc<Ready>> = None;
        for _ in 0..MOST_STEPS {
            match self.step(context, job, &delivery, &name, &actor, ready.take()).await {
                Ok(Went::On) => {}
                Ok(Went::End | Went::Later(_)) => return Ok(Outcome::Finished),
                Ok(Went::Lost) => {
                    fail(context, job, "definition:".to_owned()).await?;
                    return Err(JobError::Fatal("the step of the run is no longer in the definitions".to_owned()));
                }
                Ok(Went::Ask(approval)) => match self.ask(job, &delivery, &actor, approval).await {
                    Ok(()) => {}
                    Err(error) => return self.over(context, job, &error).await,
                },
                Ok(Went::Write(what, to)) => match self.letters(&actor, &delivery, &name, what, to).await {
                    Ok(written) => ready = Some(Arc::new(Ready::Letters(written))),
                    Err(error) => return self.over(context, job, &error).await,
                },
                Ok(Went::Choose(step, asked)) => match self.people_of(&asked).await {
                    Ok(people) => ready = Some(Arc::new(Ready::People { step, people })),
                    Err(error) => return self.over(context, job, &error).await,
                },
                Err(error) => return self.over(context, job, &error).await,
            }
        }
        let why = format!("steps:{MOST_STEPS}");
        fail(context, job, why).await?;
        Err(JobError::Fatal(format!("the run took more than {MOST_STEPS} steps")))
    }

    /// What becomes of the job of a run that cannot go on: tried again where that may help, else ended where it stands.
    async fn over(&self, context: &JobContext, job: &Job, error: &RecordError) -> Result<Outcome, JobError> {
        if is_passing(error) && !job.is_last_try() {
            return Err(JobError::Retry(told(error)));
        }
        fail(context, job, refused(error)).await?;
        Err(JobError::Fatal(told(error)))
    }

    /// Who decides is found out outside of transactions. A process that dies behind it finds the request when it comes back.
    async fn ask(&self, job: &Job, delivery: &Delivery, actor: &Actor, approval: String) -> Result<(), RecordError> {
        let catalog = self.records.catalog();
        let unknown = || RecordError::UnknownEntity { name: delivery.entity.clone(), near: None };
        let entity = catalog.find_entity(&delivery.entity).ok_or_else(unknown)?.ix;
        let ask = Ask { approval, comment: String::new(), run: Some(job.id) };
        self.records.ask_approval(actor, &catalog, entity, delivery.id, ask, Source::Automation).await.map(|_| ())
    }

    async fn step(
        &self,
        context: &JobContext,
        job: &Job,
        delivery: &Arc<Delivery>,
        name: &str,
        actor: &Actor,
        ready: Option<Arc<Ready>>,
    ) -> Result<Went, RecordError> {
        let chain = causes(&self.records.catalog(), &delivery.chain);
        let shared = Arc::new((Arc::clone(&self.automation), context.clone(), job.clone(), Arc::clone(delivery), name.to_owned(), ready));
        let unit = self.records.unit(actor, Source::Automation, chain, move |tx| {
            let shared = Arc::clone(&shared);
            Box::pin(async move {
                let (automation, context, job, delivery, name, ready) = shared.as_ref();
                context.hold(tx.store(), job, LEASE).await?;
                let went = automation.step(tx, job.id, delivery, name, ready.as_deref()).await?;
                match went {
                    Went::On | Went::Lost | Went::Ask(_) | Went::Write(..) | Went::Choose(..) => {}
                    Went::End => context.finish(tx.store(), job).await?,
                    Went::Later(until) => context.put_back(tx.store(), job, until).await?,
                }
                Ok(went)
            })
        });
        unit.await
    }
}

/// It may go better later.
pub(super) fn is_passing(error: &RecordError) -> bool {
    matches!(error, RecordError::Busy | RecordError::TooLong | RecordError::Store(_) | RecordError::KeyBusy | RecordError::StaleCatalog)
}

/// Ends the run where it stands; its job stays as a dead letter, and trying that again goes on with the step that failed.
pub(super) async fn fail(context: &JobContext, job: &Job, reason: String) -> Result<(), JobError> {
    let (held, job) = (context.clone(), job.clone());
    let end = context.store.write(move |tx| {
        Box::pin(async move {
            held.hold(tx, &job, LEASE).await?;
            let step = runs::load(tx, job.id).await?.and_then(|run| run.step).unwrap_or_default();
            let line = StepLine {
                seq: 0,
                step,
                act: String::new(),
                state: "failed".to_owned(),
                input: "{}".to_owned(),
                output: "{}".to_owned(),
                reason: Some(reason.clone()),
                at: tx.now(),
            };
            runs::note(tx, job.id, &line).await?;
            runs::end(tx, job.id, "failed", Some(&reason)).await
        })
    });
    end.await.map_err(|error: StoreError| JobError::Retry(error.to_string()))
}

impl Automation {
    /// The next step of a run.
    async fn step(
        &self,
        tx: &mut RecordTx<'_>,
        run: i64,
        delivery: &Delivery,
        name: &str,
        ready: Option<&Ready>,
    ) -> Result<Went, RecordError> {
        let catalog = tx.catalog().clone();
        let Some(found) = runs::load(tx.store(), run).await? else { return Ok(Went::End) };
        match found.state.as_str() {
            "running" | "waiting" => {}
            // Somebody has its job tried again.
            "failed" => runs::reopen(tx.store(), run).await?,
            _ => return Ok(Went::End),
        }
        let automation = catalog.automations.find(name);
        let entity = catalog.find_entity(&delivery.entity);
        let wanted = found.step.as_deref();
        let at = automation.and_then(|automation| automation.steps.iter().position(|step| Some(step.id.as_str()) == wanted));
        // Who takes an automation away means its runs too; a step that is gone may be a slip.
        let (Some(automation), Some(entity)) = (automation, entity) else {
            runs::end(tx.store(), run, "cancelled", Some("definition:")).await?;
            return Ok(Went::End);
        };
        let Some(at) = at else { return Ok(Went::Lost) };
        let step = &automation.steps[at];
        let Subject { record, old, is_gone } = subject(tx, entity, delivery, false).await?;
        if is_gone && delivery.kind != EventKind::Delete && matches!(step.act, Act::Wait(_) | Act::WaitFor { .. } | Act::Approval { .. }) {
            runs::end(tx.store(), run, "cancelled", Some("gone:")).await?;
            return Ok(Went::End);
        }
        if !tx.enter(Cause { handler: automation.id.clone(), entity: entity.ix, id: delivery.id }) {
            runs::end(tx.store(), run, "skipped", Some("loop:")).await?;
            return Ok(Went::End);
        }
        if let Some(until) = still_waits(tx, &found, step, &record, old.as_ref()).await? {
            tx.leave();
            runs::wait(tx.store(), run, until).await?;
            let look = DateTime(tx.now().0.saturating_add(LOOK_US));
            return Ok(Went::Later(if is_heard_of(entity, step) { until } else { until.min(look) }));
        }
        if let Act::Approval { approval, .. } = &step.act {
            match tx.approval_for(&record, approval, found.began_at).await? {
                ApprovalFor::Missing => {
                    tx.leave();
                    return Ok(Went::Ask(approval.clone()));
                }
                ApprovalFor::Running => {
                    tx.leave();
                    // Whoever ends it wakes the run.
                    let (until, look) = (tx.now().0.saturating_add(FOREVER_US), tx.now().0.saturating_add(LOOK_US));
                    runs::wait(tx.store(), run, DateTime(until)).await?;
                    return Ok(Went::Later(DateTime(look)));
                }
                ApprovalFor::Ended(_) => {}
            }
        }
        let (letters, people) = (ready.and_then(|ready| ready.letters(step)), ready.and_then(|ready| ready.people(step)));
        let about = About {
            began_at: found.began_at,
            delivery,
            record: &record,
            old: old.as_ref(),
            waited: found.wake_at,
            is_gone,
            run,
            name,
            letters,
            people,
        };
        if let (Act::Assign { to, .. }, None) = (&step.act, people) {
            let asked = candidates(tx, to, &about).await;
            tx.leave();
            return Ok(Went::Choose(step.id.clone(), asked?));
        }
        let asks = match (&step.act, letters) {
            (Act::Survey { survey, .. }, None) => email::may_ask(tx, survey, &about).await,
            _ => Ok(true),
        };
        let asks = match asks {
            Ok(asks) => asks,
            Err(error) => {
                tx.leave();
                return Err(error);
            }
        };
        if let (true, Act::Email { to, template, language } | Act::Survey { to, template, language, .. }, None) = (asks, &step.act, letters)
        {
            let to = addressees(tx, to, language, &about).await;
            tx.leave();
            let survey = if let Act::Survey { survey, .. } = &step.act { Some(survey.clone()) } else { None };
            return Ok(Went::Write(Writing { step: step.id.clone(), template: template.clone(), survey }, to?));
        }
        let done = self.act(tx, step, &about).await;
        tx.leave();
        let did = done?;
        let line = StepLine {
            seq: 0,
            step: step.id.clone(),
            act: step.act.word().to_owned(),
            state: "done".to_owned(),
            input: did.input.to_string(),
            output: did.output.to_string(),
            reason: None,
            at: tx.now(),
        };
        runs::note(tx.store(), run, &line).await?;
        match did.next.map(|next| &automation.steps[next]) {
            Some(next) => {
                runs::go_on(tx.store(), run, &next.id).await?;
                Ok(Went::On)
            }
            None => {
                runs::end(tx.store(), run, "done", None).await?;
                Ok(Went::End)
            }
        }
    }
}

/// Until when the run waits at this step; `None` when it goes on now.
async fn still_waits(
    tx: &mut RecordTx<'_>,
    run: &Run,
    step: &Step,
    record: &Record,
    old: Option<&Record>,
) -> Result<Option<DateTime>, RecordError> {
    let (seconds, condition) = match &step.act {
        Act::Wait(seconds) => (*seconds, None),
        Act::WaitFor { condition, seconds, .. } => (*seconds, Some(condition)),
        _ => return Ok(None),
    };
    let until = run.wake_at.unwrap_or(DateTime(tx.now().0.saturating_add(seconds.saturating_mul(1_000_000))));
    if until <= tx.now() {
        return Ok(None);
    }
    match condition {
        Some(condition) if tx.holds(condition, record, old).await? => Ok(None),
        _ => Ok(Some(until)),
    }
}

/// Whether a change of the record tells of everything that the run waits for: not of other records, of the time, and of what
/// is computed whenever it is read.
fn is_heard_of(entity: &Entity, step: &Step) -> bool {
    let Act::WaitFor { condition, .. } = &step.act else { return true };
    let needs = needs(condition);
    let is_stored = |field: &crate::base::FieldIx| {
        !matches!(
            entity.field(*field).ty,
            FieldType::Formula { stored: false, .. } | FieldType::Rollup { stored: false, .. } | FieldType::Lookup { .. }
        )
    };
    !needs.uses_now && needs.paths.is_empty() && needs.children.is_empty() && needs.fields.iter().all(is_stored)
}
