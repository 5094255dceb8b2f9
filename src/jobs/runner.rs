//! Claims jobs and has them done.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::sync::watch;

use super::handler::JobHandler;
use crate::base::{Clock, Random};
use crate::schema::catalog::Catalog;
use crate::store::{Store, StoreError};

#[derive(Debug, Clone)]
pub struct RunnerOptions {
    /// Jobs at work at the same time in this process.
    pub workers: usize,
    /// Pause between looks into an empty queue.
    pub poll: Duration,
    /// How long a job belongs to its claimer without a sign of life.
    pub lease: Duration,
}

impl Default for RunnerOptions {
    fn default() -> Self {
        Self { workers: 4, poll: Duration::from_millis(500), lease: Duration::from_secs(60) }
    }
}

/// The worker of one process.
pub struct Runner {}

impl Runner {
    pub fn new(
        _store: Store,
        _catalog: Arc<ArcSwap<Catalog>>,
        _handlers: Vec<Arc<dyn JobHandler>>,
        _clock: Arc<dyn Clock>,
        _random: Arc<dyn Random>,
        _options: RunnerOptions,
    ) -> Self {
        Self {}
    }

    /// Works until `shutdown` turns true, then finishes what is at work and returns.
    pub async fn run(&self, _shutdown: watch::Receiver<bool>) {
        unimplemented!("jobs")
    }

    /// Does everything that is due, until nothing is; gives the number of jobs done. For tests and one-off commands.
    ///
    /// # Errors
    /// When the queue itself cannot be read.
    pub async fn run_until_idle(&self) -> Result<usize, StoreError> {
        unimplemented!("jobs")
    }
}
