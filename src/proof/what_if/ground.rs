//! The copy: a temporary embedded database, whatever the live one is, with the records as they were. A copy is better than a
//! transaction that is rolled back: it locks no row and holds back no vacuum however long it takes, it works in the same way on
//! both databases (an expression says the same in each), and what is not in it cannot be harmed by it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;

use super::candidate::Candidate;
use super::{WhatIfError, refused};
use crate::automation::{Automation, SCRIPT, ScriptJobs};
use crate::base::{DateTime, FixedClock, IdMint, Stopwatch};
use crate::deploy;
use crate::jobs::{Job, JobContext, JobError, JobHandler, Look, Outcome, Runner, RunnerOptions, looks};
use crate::proof::hours::Hours;
use crate::record::{FORGET, LOOK as LOOK_FOR_TWINS, NoHooks, POOLS, Records, SCRUB};
use crate::schema::catalog::{Catalog, Trigger};
use crate::store::{BoxFuture, Durability, OpenOptions, Store, Target, duplicate, mails, webhooks};

/// Records that are read at once.
const AT_ONCE: u32 = 500;
/// Ids that the copy gives bear the last node number: none of them is that of a record of the live workspace.
const NODE: u16 = 1023;

/// A copy of a workspace, with its own time.
pub(super) struct Ground {
    /// The live workspace, to read the past.
    pub past: Records,
    pub store: Store,
    pub records: Records,
    pub catalog: Arc<Catalog>,
    /// The automations that are tried, and those that their steps begin.
    pub tried: BTreeSet<String>,
    pub named: Vec<String>,
    pub records_copied: u64,
    pub clock: Arc<FixedClock>,
    pub runner: Runner,
    /// Schedules that only look.
    pub looks: Vec<Look>,
    /// How long the answer takes so far, and may take.
    watch: Stopwatch,
    longest: Option<Duration>,
}

/// How a copy is laid down.
#[derive(Debug, Clone, Copy)]
pub(super) struct Laid {
    pub from: DateTime,
    /// All automations run in it.
    pub with_others: bool,
    pub watch: Stopwatch,
    pub longest: Option<Duration>,
}

/// Keeps what would leave a workspace, and leaves undone what a copy does not live long enough for.
struct Held;

impl JobHandler for Held {
    fn kinds(&self) -> &[&'static str] {
        &[mails::SEND, webhooks::SEND, FORGET, SCRUB, POOLS, LOOK_FOR_TWINS]
    }

    fn run<'a>(&'a self, _: &'a JobContext, _: &'a Job) -> BoxFuture<'a, Result<Outcome, JobError>> {
        Box::pin(async { Ok(Outcome::Done) })
    }
}

/// Does the jobs of scripts. What a script inside of a save that is done once more queues is taken as it was, as all others are.
struct Sieve {
    jobs: ScriptJobs,
    /// `None`: everything is done.
    tried: Option<BTreeSet<String>>,
}

impl JobHandler for Sieve {
    fn kinds(&self) -> &[&'static str] {
        self.jobs.kinds()
    }

    fn run<'a>(&'a self, context: &'a JobContext, job: &'a Job) -> BoxFuture<'a, Result<Outcome, JobError>> {
        let chain = job.payload["chain"].as_array().map(Vec::as_slice).unwrap_or_default();
        let is_of = |tried: &BTreeSet<String>| chain.iter().any(|cause| cause[0].as_str().is_some_and(|handler| tried.contains(handler)));
        match &self.tried {
            Some(tried) if job.kind == SCRIPT && !is_of(tried) => Box::pin(async { Ok(Outcome::Done) }),
            _ => self.jobs.run(context, job),
        }
    }

    fn abandoned<'a>(&'a self, context: &'a JobContext, job: &'a Job) -> BoxFuture<'a, Result<(), JobError>> {
        self.jobs.abandoned(context, job)
    }
}

impl Ground {
    /// Lays the copy down as the workspace was at a moment.
    pub async fn lay(live: &Records, automation: &Automation, candidate: Candidate, how: Laid) -> Result<Self, WhatIfError> {
        let Candidate { loaded, ids } = candidate;
        let Laid { from, with_others, watch, longest } = how;
        let clock = Arc::new(FixedClock::at(from));
        let random = live.store().random().clone();
        let options = OpenOptions {
            clock: clock.clone(),
            random: random.clone(),
            durability: Durability::Relaxed,
            is_loose: true,
            ..OpenOptions::new(Target::Temporary)
        };
        let store = Store::open(options).await?;
        // Of the same definitions, so that both know each field by the same position.
        let whole = Arc::new(Catalog { blind: live.store().blind(), ..loaded.catalog.clone() });
        let past = Records::new(
            live.store().clone(),
            Arc::new(ArcSwap::new(whole)),
            Arc::new(NoHooks),
            live.clock().clone(),
            random.clone(),
            live.store().mint().clone(),
        );
        let mut catalog = deploy::furnish(&store, loaded).await?;
        let tried = catalog.automations.with_called(&ids);
        if !with_others {
            catalog.automations = catalog.automations.only(|one| tried.contains(&one.id));
            catalog.scripts.iter_mut().for_each(|script| {
                script.trigger = match &script.trigger {
                    Trigger::AfterCommit => Trigger::Automation,
                    Trigger::Schedule { .. } => Trigger::Button(String::new()),
                    other => other.clone(),
                };
            });
        }
        let catalog = Arc::new(catalog);
        let served = Arc::new(ArcSwap::new(catalog.clone()));
        let automation = Arc::new(Automation::new(random.clone()).with_post(automation.post().again()));
        let ids_of_records = Arc::new(IdMint::new(clock.clone(), NODE));
        let records = Records::new(store.clone(), served.clone(), automation.clone(), clock.clone(), random.clone(), ids_of_records);
        let handlers: Vec<Arc<dyn JobHandler>> = vec![
            Arc::new(Sieve { jobs: ScriptJobs::new(automation, records.clone()), tried: (!with_others).then(|| tried.clone()) }),
            Arc::new(Hours { records: records.clone() }),
            Arc::new(Held),
        ];
        let options = RunnerOptions { keeps_all: true, ..RunnerOptions::default() };
        let runner = Runner::new(store.clone(), served, handlers, clock.clone(), random, options);
        let looks = looks(&catalog);
        let mut ground = Self { past, store, records, catalog, tried, named: ids, records_copied: 0, clock, runner, looks, watch, longest };
        match ground.fill(from).await {
            Ok(()) => Ok(ground),
            Err(error) => {
                ground.close().await;
                Err(error)
            }
        }
    }

    async fn fill(&mut self, from: DateTime) -> Result<(), WhatIfError> {
        for entity in &self.catalog.clone().entities {
            let mut after = i64::MIN;
            loop {
                let former = self.past.as_of(entity.ix, after, AT_ONCE, from).await?;
                let Some(last) = former.last else { break };
                after = last;
                if self.is_over() {
                    return Err(refused(
                        "copying the records takes longer than a request may",
                        "ask on the command line: `relata what-if`",
                    ));
                }
                self.records_copied += former.records.len() as u64;
                self.records.lay_down(former.records).await?;
            }
        }
        duplicate::duplicate(self.past.store(), &self.store, from).await?;
        // Schedules begin to count.
        self.runner.run_until_idle().await?;
        Ok(())
    }

    /// The time in the copy.
    pub fn now(&self) -> DateTime {
        self.store.clock().now()
    }

    /// The answer has taken as long as it may.
    pub fn is_over(&self) -> bool {
        self.longest.is_some_and(|longest| self.watch.elapsed() > longest)
    }

    /// Removes the copy.
    pub async fn close(self) {
        let _ = self.store.close().await;
    }
}
