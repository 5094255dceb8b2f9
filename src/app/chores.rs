//! What the program does by itself: sweeping what is over, and cleaning the database's files after an erasure.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::sync::watch;

use super::Workspace;
use crate::auth::Auth;
use crate::jobs::{CLOCKS, Job, JobContext, JobError, JobHandler, NewJob, Outcome, enqueue};
use crate::record::{APPROVAL, ClaimsDone, FORGET, LOOK as LOOK_FOR_TWINS, POOLS, PoolsDone, Records, Retained, SCRUB};
use crate::store::{BoxFuture, Store, StoreError, settings};

/// Sessions, challenges and counters that are over.
const SWEEP: &str = "sweep";
/// What retention rules say is due.
const RETAIN: &str = "retain";
/// The day on which they were last followed.
const RETAINED: &str = "retained_on";
/// How often chores are queued.
const EACH: Duration = Duration::from_secs(3600);
/// How often it is looked what other processes paused.
const LOOK: Duration = Duration::from_secs(30);

/// Does the chores.
pub(super) struct Chores {
    auth: Arc<Auth>,
    records: Records,
}

impl Chores {
    pub fn new(auth: Arc<Auth>, records: Records) -> Self {
        Self { auth, records }
    }

    /// Once a day is enough: a rule without an index reads the whole table.
    async fn retain(&self, store: &Store) -> Result<(), JobError> {
        let catalog = self.records.catalog();
        let today = store.clock().now().date_in(&catalog.settings.time_zone).to_string();
        if catalog.entities.iter().all(|entity| entity.retention.is_empty())
            || settings::get(store, RETAINED).await?.is_some_and(|last| last == today)
        {
            return Ok(());
        }
        let done = self.records.retain().await.map_err(|error| JobError::Retry(error.to_string()))?;
        if done != Retained::default() {
            tracing::info!(erased = done.erased, deleted = done.deleted, refused = done.refused, "retention rules were followed");
        }
        Ok(store.write(move |tx| Box::pin(async move { settings::set(tx, RETAINED, &today).await })).await?)
    }

    async fn look_after_pools(&self) -> Result<(), JobError> {
        let done = self.records.look_after_pools().await.map_err(|error| JobError::Retry(error.to_string()))?;
        let claims = self.records.look_after_claims().await.map_err(|error| JobError::Retry(error.to_string()))?;
        if claims != ClaimsDone::default() {
            tracing::info!(expired = claims.expired, warned = claims.warned, "registrations were looked after");
        }
        if done != PoolsDone::default() {
            let PoolsDone { settled, reclaimed, refused, warned, handed_out } = done;
            tracing::info!(settled, reclaimed, refused, warned, handed_out, "pools were looked after");
        }
        Ok(())
    }
}

impl JobHandler for Chores {
    fn kinds(&self) -> &[&'static str] {
        &[SCRUB, SWEEP, RETAIN, FORGET, APPROVAL, LOOK_FOR_TWINS, POOLS, CLOCKS]
    }

    fn run<'a>(&'a self, context: &'a JobContext, job: &'a Job) -> BoxFuture<'a, Result<Outcome, JobError>> {
        Box::pin(async move {
            match job.kind.as_str() {
                SCRUB => context.store.scrub().await?,
                RETAIN => self.retain(&context.store).await?,
                // What is done already is over: doing it twice changes nothing.
                APPROVAL => {
                    let looked = self.records.look_after_approvals(&job.payload).await;
                    looked.map(|_| ()).map_err(|error| JobError::Retry(error.to_string()))?;
                }
                // What went back is due no more: doing it twice changes nothing.
                POOLS => self.look_after_pools().await?,
                // A clock that ran out is found no more: doing it twice changes nothing.
                CLOCKS => self.records.look_at_clocks().await.map(|_| ()).map_err(|error| JobError::Retry(error.to_string()))?,
                // What is forgotten already is found no more: doing it twice changes nothing.
                FORGET => self.records.forget(&job.payload).await.map(|_| ()).map_err(|error| JobError::Retry(error.to_string()))?,
                // What is noted already is noted once more.
                LOOK_FOR_TWINS => self.records.find_twins(&job.payload).await.map_err(|error| JobError::Retry(error.to_string()))?,
                _ => self.auth.prune().await.map_err(|error| JobError::Retry(error.to_string()))?,
            }
            Ok(Outcome::Done)
        })
    }
}

impl Workspace {
    /// Queues what is to be done now and then; what waits already is not queued twice.
    ///
    /// # Errors
    /// The database.
    pub async fn queue_chores(&self) -> Result<(), StoreError> {
        let now = self.clock.now();
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    for kind in [SWEEP, RETAIN, APPROVAL, POOLS] {
                        enqueue(tx, &NewJob { key: Some(kind.to_owned()), ..NewJob::new(kind, json!({}), now) }).await?;
                    }
                    Ok(())
                })
            })
            .await
    }

    /// Learns of automations that another process paused, until the server stops.
    pub(super) async fn look_at_pauses(self, mut stopped: watch::Receiver<bool>) {
        loop {
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                _ = stopped.changed() => return,
            }
            if let Err(error) = self.automation.note_paused(&self.store).await {
                tracing::warn!(error = %error, "paused automations could not be looked up");
            }
        }
    }

    /// Queues them each hour until the server stops.
    pub(super) async fn queue_chores_hourly(self, mut stopped: watch::Receiver<bool>) {
        loop {
            if let Err(error) = self.queue_chores().await {
                tracing::warn!(error = %error, "chores could not be queued");
            }
            tokio::select! {
                () = tokio::time::sleep(EACH) => {}
                _ = stopped.changed() => return,
            }
        }
    }
}
