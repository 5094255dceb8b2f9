//! What a job is and who does it.

use std::time::Duration;

use serde_json::Value as Json;

use crate::base::DateTime;
use crate::store::jobs::Priority;
use crate::store::{BoxFuture, Store, StoreError, Tx, jobs};

/// One piece of work, claimed by this process.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    pub id: i64,
    pub kind: String,
    pub payload: Json,
    /// 1 for the first try.
    pub attempt: u32,
    /// When it was due.
    pub due: DateTime,
    /// Proves that this process holds it.
    pub(super) claim: jobs::Job,
}

impl Job {
    /// When it fails once more, it is a dead letter.
    pub fn is_last_try(&self) -> bool {
        self.attempt >= self.claim.max_attempts
    }

    /// It was begun as often as it may be, and each time its process ended before it was done.
    pub(super) fn is_abandoned(&self) -> bool {
        self.attempt > self.claim.max_attempts
    }

    /// A job as the queue gave it.
    pub fn claimed(claim: jobs::Job) -> Self {
        let payload = serde_json::from_str(&claim.payload_json).unwrap_or(Json::Null);
        Self { id: claim.id, kind: claim.handler.clone(), payload, attempt: claim.attempt, due: claim.run_at, claim }
    }
}

/// Work to be queued.
#[derive(Debug, Clone, PartialEq)]
pub struct NewJob {
    pub kind: String,
    pub payload: Json,
    /// Jobs of one group run one after the other, in the order they were queued.
    pub group: Option<String>,
    /// At most one job that is not done may have this key: a second one is dropped.
    pub key: Option<String>,
    pub due: DateTime,
    pub max_attempts: u32,
    pub priority: Priority,
}

impl NewJob {
    /// Due at `now`, eight attempts, in no group, of the usual priority.
    pub fn new(kind: &str, payload: Json, now: DateTime) -> Self {
        Self { kind: kind.to_owned(), payload, group: None, key: None, due: now, max_attempts: 8, priority: Priority::Usual }
    }
}

/// Queues a job with the transaction; `false` when one with its key waits already.
pub async fn enqueue(tx: &mut Tx, job: &NewJob) -> Result<bool, StoreError> {
    let new = jobs::NewJob {
        handler: job.kind.clone(),
        payload_json: job.payload.to_string(),
        run_at: Some(job.due),
        key: job.key.clone(),
        lane: job.group.clone(),
        max_attempts: job.max_attempts,
        priority: job.priority,
    };
    Ok(jobs::enqueue(tx, &new).await?.is_some())
}

/// How a handler ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The runner marks the job done.
    Done,
    /// The handler marked it done in its own transaction ([`JobContext::finish`]).
    Finished,
}

/// Why a job failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JobError {
    /// It may succeed later: tried again after a growing pause.
    #[error("{0}")]
    Retry(String),
    /// It never will: kept as dead, to be looked at and replayed by a person.
    #[error("{0}")]
    Fatal(String),
}

impl From<StoreError> for JobError {
    fn from(error: StoreError) -> Self {
        JobError::Retry(error.to_string())
    }
}

/// What a handler may use.
#[derive(Clone)]
pub struct JobContext {
    pub store: Store,
}

impl JobContext {
    /// Proves inside the handler's transaction that this process still has the job, and keeps it for `lease` more: what a
    /// job does in several transactions is fenced in each of them.
    ///
    /// # Errors
    /// When the lease ran out and another process has the job now, or it was cancelled: the transaction must be undone.
    pub async fn hold(&self, tx: &mut Tx, job: &Job, lease: Duration) -> Result<(), StoreError> {
        if jobs::extend(tx, &job.claim, lease).await? {
            return Ok(());
        }
        Err(StoreError::TransactionLost("the job belongs to another process by now".to_owned()))
    }

    /// Puts the job back until a moment, in the transaction of what it did so far; the handler ends with
    /// [`Outcome::Finished`].
    ///
    /// # Errors
    /// As [`JobContext::finish`].
    pub async fn put_back(&self, tx: &mut Tx, job: &Job, until: DateTime) -> Result<(), StoreError> {
        if jobs::put_back(tx, &job.claim, until).await? {
            return Ok(());
        }
        Err(StoreError::TransactionLost("the job belongs to another process by now".to_owned()))
    }

    /// Marks the job done inside the handler's transaction, so that its effects and its end are committed together.
    ///
    /// # Errors
    /// When the lease ran out and another process has the job now: the transaction must be undone.
    pub async fn finish(&self, tx: &mut Tx, job: &Job) -> Result<(), StoreError> {
        if jobs::complete(tx, &job.claim).await? {
            return Ok(());
        }
        Err(StoreError::TransactionLost("the job belongs to another process by now".to_owned()))
    }
}

/// Does jobs of some kinds.
pub trait JobHandler: Send + Sync {
    /// The kinds it does; each kind has one handler.
    fn kinds(&self) -> &[&'static str];

    /// Does one job. Network calls belong outside transactions.
    fn run<'a>(&'a self, context: &'a JobContext, job: &'a Job) -> BoxFuture<'a, Result<Outcome, JobError>>;

    /// Is told of a job that is not done again, since its process ended each time it was: it becomes a dead letter behind this.
    fn abandoned<'a>(&'a self, _context: &'a JobContext, _job: &'a Job) -> BoxFuture<'a, Result<(), JobError>> {
        Box::pin(async { Ok(()) })
    }
}
