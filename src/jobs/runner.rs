//! Claims jobs and has them done.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::handler::{Job, JobContext, JobError, JobHandler, Outcome};
use super::{schedule, webhooks};
use crate::base::{Clock, DateTime, Random, Stopwatch};
use crate::schema::catalog::Catalog;
use crate::store::{Store, StoreError, idempotency, jobs, notifications, outbox, runs};

/// Idempotency keys are kept this long.
const KEYS_KEPT_US: i64 = 24 * 3600 * 1_000_000;
/// What people were told is kept this long, read or not.
const TOLD_KEPT_US: i64 = 90 * 24 * 3600 * 1_000_000;
/// How often old keys are swept away.
const SWEEP_EVERY_US: i64 = 600 * 1_000_000;
/// Events deleted in one unit, and units in one sweep.
const SWEPT_AT_ONCE: u32 = 1_000;
const MOST_SWEEPS: u32 = 100;
/// Longest text of an error that is kept with a job.
const MAX_ERROR: usize = 2_000;

#[derive(Debug, Clone)]
pub struct RunnerOptions {
    /// Jobs at work at the same time in this process.
    pub workers: usize,
    /// Pause between looks into an empty queue.
    pub poll: Duration,
    /// How long a job belongs to its claimer without a sign of life.
    pub lease: Duration,
    /// Events of the outbox are kept this long, and longer until every named reader has passed them; so is the log of runs.
    pub events_kept: Duration,
    /// Nothing is ever swept away: for a copy whose clock runs through months in minutes.
    pub keeps_all: bool,
}

impl Default for RunnerOptions {
    fn default() -> Self {
        Self {
            workers: 4,
            poll: Duration::from_millis(1_000),
            lease: Duration::from_secs(60),
            events_kept: Duration::from_secs(30 * 86_400),
            keeps_all: false,
        }
    }
}

/// The worker of one process.
#[derive(Clone)]
pub struct Runner {
    shared: Arc<Shared>,
}

struct Shared {
    store: Store,
    catalog: Arc<ArcSwap<Catalog>>,
    handlers: HashMap<&'static str, Arc<dyn JobHandler>>,
    clock: Arc<dyn Clock>,
    options: RunnerOptions,
}

/// Deletes old events in small units, so that no writer waits long.
async fn sweep_events(store: &Store, before: DateTime) -> Result<(), StoreError> {
    for _ in 0..MOST_SWEEPS {
        let gone = store.write(move |tx| Box::pin(async move { outbox::prune(tx, before, SWEPT_AT_ONCE).await })).await?;
        if gone < u64::from(SWEPT_AT_ONCE) {
            break;
        }
    }
    Ok(())
}

/// Deletes the log of runs that ended long ago.
async fn sweep_runs(store: &Store, before: DateTime) -> Result<(), StoreError> {
    for _ in 0..MOST_SWEEPS {
        let gone = store.write(move |tx| Box::pin(async move { runs::prune(tx, before, SWEPT_AT_ONCE).await })).await?;
        if gone < u64::from(SWEPT_AT_ONCE) {
            break;
        }
    }
    Ok(())
}

/// Deletes messages to endpoints that were sent, or given up, long ago.
async fn sweep_deliveries(store: &Store, before: DateTime) -> Result<(), StoreError> {
    for _ in 0..MOST_SWEEPS {
        let gone = store.write(move |tx| Box::pin(async move { crate::store::webhooks::prune(tx, before, SWEPT_AT_ONCE).await })).await?;
        if gone < u64::from(SWEPT_AT_ONCE) {
            break;
        }
    }
    Ok(())
}

/// Deletes e-mail that was sent, or given up, long ago.
async fn sweep_mails(store: &Store, before: DateTime) -> Result<(), StoreError> {
    for _ in 0..MOST_SWEEPS {
        let gone = store.write(move |tx| Box::pin(async move { crate::store::mails::prune(tx, before, SWEPT_AT_ONCE).await })).await?;
        if gone < u64::from(SWEPT_AT_ONCE) {
            break;
        }
    }
    Ok(())
}

/// Deletes what people were told long ago.
async fn sweep_notifications(store: &Store, before: DateTime) -> Result<(), StoreError> {
    for _ in 0..MOST_SWEEPS {
        let gone = store.write(move |tx| Box::pin(async move { notifications::prune(tx, before, SWEPT_AT_ONCE).await })).await?;
        if gone < u64::from(SWEPT_AT_ONCE) {
            break;
        }
    }
    Ok(())
}

impl Runner {
    pub fn new(
        store: Store,
        catalog: Arc<ArcSwap<Catalog>>,
        handlers: Vec<Arc<dyn JobHandler>>,
        clock: Arc<dyn Clock>,
        _random: Arc<dyn Random>,
        options: RunnerOptions,
    ) -> Self {
        let mut by_kind = HashMap::new();
        for handler in handlers {
            for kind in handler.kinds() {
                by_kind.insert(*kind, handler.clone());
            }
        }
        Self { shared: Arc::new(Shared { store, catalog, handlers: by_kind, clock, options }) }
    }

    /// Works until `shutdown` turns true, then finishes what is at work and returns. Faults of the queue are logged and
    /// tried again after a pause.
    pub async fn run(&self, mut shutdown: watch::Receiver<bool>) {
        let mut signals = self.shared.store.signals();
        if let Err(error) = jobs::take_over(&self.shared.store).await {
            // Their leases run out.
            tracing::warn!(error = %error, "the jobs of the former process could not be taken over");
        }
        let mut at_work: JoinSet<()> = JoinSet::new();
        let mut swept = DateTime(0);
        // Commits come thousands a second; the next moment of a schedule does not depend on them.
        let mut schedules_seen: Option<Stopwatch> = None;
        while !*shutdown.borrow() {
            let with_schedules = schedules_seen.is_none_or(|seen| seen.elapsed() >= self.shared.options.poll);
            if with_schedules {
                schedules_seen = Some(Stopwatch::start());
            }
            let claimed = match self.look(with_schedules, &mut swept, self.shared.options.workers.saturating_sub(at_work.len())).await {
                Ok(jobs) => jobs,
                Err(StoreError::Closed) => break,
                Err(error) => {
                    tracing::warn!(error = %error, "the job queue cannot be read");
                    Vec::new()
                }
            };
            let found_some = !claimed.is_empty();
            for job in claimed {
                let runner = self.clone();
                at_work.spawn(async move { runner.settle(job).await });
            }
            if found_some && at_work.len() < self.shared.options.workers {
                continue;
            }
            tokio::select! {
                _ = shutdown.changed() => {}
                _ = signals.changed() => {}
                Some(_) = at_work.join_next() => {}
                () = tokio::time::sleep(self.shared.options.poll) => {}
            }
            while at_work.try_join_next().is_some() {}
        }
        while at_work.join_next().await.is_some() {}
    }

    /// Does everything that is due, until nothing is; gives the number of jobs done, failed ones included. For tests and
    /// one-off commands.
    ///
    /// # Errors
    /// When the queue itself cannot be read.
    pub async fn run_until_idle(&self) -> Result<usize, StoreError> {
        let mut done = 0;
        let mut swept = DateTime(0);
        loop {
            let claimed = self.look(true, &mut swept, 16).await?;
            if claimed.is_empty() {
                return Ok(done);
            }
            for job in claimed {
                self.settle(job).await;
                done += 1;
            }
        }
    }

    /// Turns due schedules into jobs (where asked), sweeps, and claims up to `limit` jobs.
    async fn look(&self, with_schedules: bool, swept: &mut DateTime, limit: usize) -> Result<Vec<jobs::Job>, StoreError> {
        let shared = &self.shared;
        let catalog = shared.catalog.load_full();
        if with_schedules {
            schedule::follow(&shared.store, &catalog).await?;
            schedule::fire(&shared.store, &catalog).await?;
            webhooks::feed(&shared.store, &catalog).await?;
        }
        let now = shared.clock.now();
        if !shared.options.keeps_all && now.0.saturating_sub(swept.0) > SWEEP_EVERY_US {
            *swept = now;
            let before = DateTime(now.0.saturating_sub(KEYS_KEPT_US));
            shared.store.write(move |tx| Box::pin(async move { idempotency::prune(tx, before).await })).await?;
            let kept_us = i64::try_from(shared.options.events_kept.as_micros()).unwrap_or(i64::MAX);
            let old = DateTime(now.0.saturating_sub(kept_us));
            sweep_events(&shared.store, old).await?;
            sweep_runs(&shared.store, old).await?;
            sweep_deliveries(&shared.store, old).await?;
            sweep_mails(&shared.store, old).await?;
            sweep_notifications(&shared.store, DateTime(now.0.saturating_sub(TOLD_KEPT_US))).await?;
        }
        if limit == 0 {
            return Ok(Vec::new());
        }
        jobs::claim(&shared.store, u32::try_from(limit).unwrap_or(u32::MAX), shared.options.lease).await
    }

    /// Has a job done and marks how it ended.
    async fn settle(&self, claim: jobs::Job) {
        let job = Job::claimed(claim);
        let context = JobContext { store: self.shared.store.clone() };
        let outcome = match self.shared.handlers.get(job.kind.as_str()) {
            Some(handler) if job.is_abandoned() => match handler.abandoned(&context, &job).await {
                Ok(()) => Err(JobError::Fatal(format!("the process ended each of the {} times that this was begun", job.attempt - 1))),
                Err(error) => Err(error),
            },
            Some(handler) => self.attend(handler.as_ref(), &context, &job).await,
            None => Err(JobError::Fatal(format!("nobody here does jobs of the kind `{}`", job.kind))),
        };
        let marked = match outcome {
            Ok(Outcome::Finished) => Ok(()),
            Ok(Outcome::Done) => {
                let claim = job.claim.clone();
                self.shared.store.write(move |tx| Box::pin(async move { jobs::complete(tx, &claim).await.map(|_| ()) })).await
            }
            Err(error) => self.fail(&job, error).await,
        };
        if let Err(error) = marked {
            // Its lease runs out and it is done again.
            tracing::warn!(job.id = job.id, job.kind = %job.kind, error = %error, "a job could not be marked");
        }
    }

    /// Runs the handler and keeps the lease alive meanwhile; a panic is a failure like any other.
    async fn attend(&self, handler: &dyn JobHandler, context: &JobContext, job: &Job) -> Result<Outcome, JobError> {
        let mut work = Box::pin(Guarded(AssertUnwindSafe(handler.run(context, job))));
        let lease = self.shared.options.lease;
        loop {
            match tokio::time::timeout(lease / 3, &mut work).await {
                Ok(outcome) => return outcome,
                Err(_) => {
                    let claim = job.claim.clone();
                    let held = context.store.write(move |tx| Box::pin(async move { jobs::extend(tx, &claim, lease).await })).await;
                    if held == Ok(false) {
                        return Err(JobError::Retry("the lease was lost".to_owned()));
                    }
                }
            }
        }
    }

    async fn fail(&self, job: &Job, error: JobError) -> Result<(), StoreError> {
        let mut claim = job.claim.clone();
        if matches!(error, JobError::Fatal(_)) {
            claim.max_attempts = claim.attempt;
        }
        let text: String = error.to_string().chars().take(MAX_ERROR).collect();
        let (id, kind) = (job.id, job.kind.clone());
        let after = self.shared.store.write(move |tx| Box::pin(async move { jobs::fail(tx, &claim, &text).await })).await?;
        match after {
            jobs::AfterFailure::Dead => tracing::error!(job.id = id, job.kind = %kind, error = %error, "a job failed for good"),
            jobs::AfterFailure::Retry { at } => {
                tracing::warn!(job.id = id, job.kind = %kind, retry_at = %at, error = %error, "a job failed")
            }
            jobs::AfterFailure::Lost => {}
        }
        Ok(())
    }
}

/// A handler's future whose panic is an error.
struct Guarded<'a>(AssertUnwindSafe<crate::store::BoxFuture<'a, Result<Outcome, JobError>>>);

impl std::future::Future for Guarded<'_> {
    type Output = Result<Outcome, JobError>;

    fn poll(mut self: std::pin::Pin<&mut Self>, context: &mut std::task::Context<'_>) -> std::task::Poll<Self::Output> {
        let polled = std::panic::catch_unwind(AssertUnwindSafe(|| self.0.0.as_mut().poll(context)));
        polled.unwrap_or_else(|_| std::task::Poll::Ready(Err(JobError::Retry("the handler panicked".to_owned()))))
    }
}
