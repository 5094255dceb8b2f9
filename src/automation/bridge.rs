//! The bridge between a script on its thread and the task that owns the unit of work.

use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::sync::{Semaphore, mpsc};

use super::answer::answer;
use super::cache::Cache;
use super::email::Post;
use super::rate::Rate;
use crate::base::clock::Stopwatch;
use crate::base::{EntityIx, FieldIx, Random, RecordId, Value};
use crate::record::{Draft, RecordTx};
use crate::script::{self, Aggregate, Compiled, Find, HostError, Input, Outcome, Pool, RecordData, ScriptError, ScriptHost};
use crate::store::{Store, StoreError, runs};

/// Scripts that run at the same time; those they start by writing records come on top.
const ROOTS: usize = 4;
/// A root script and what its writes start, one below the other (`record` allows five levels), and some air.
const THREADS: usize = ROOTS * 8;

/// Runs scripts. One for each process.
pub struct Automation {
    pub(super) cache: Cache,
    pub(super) rate: Rate,
    pub(super) random: Arc<dyn Random>,
    pub(super) post: Post,
    pool: Pool,
    roots: Semaphore,
    /// Ids of automations that paused themselves, as far as this process knows.
    paused: ArcSwap<Vec<String>>,
}

/// What a script asks, with the place for the answer.
pub(super) struct Ask {
    pub question: Question,
    pub answer: SyncSender<Result<Answer, HostError>>,
}

pub(super) enum Question {
    Find(Find),
    Get(EntityIx, RecordId),
    Aggregate(Aggregate),
    Children(EntityIx, RecordId, FieldIx),
    Create(EntityIx, Vec<(FieldIx, Value)>),
    Update(EntityIx, RecordId, Vec<(FieldIx, Value)>),
    Delete(EntityIx, RecordId),
    Enqueue { handler: String, payload: serde_json::Value, delay_s: i64 },
}

pub(super) enum Answer {
    Records(Vec<RecordData>),
    Groups(Vec<Vec<(String, Value)>>),
    Nothing,
}

/// Why a script did not come to its end.
pub(super) enum Stopped {
    Script(ScriptError),
    /// No thread, or the thread was lost.
    Busy,
}

impl Automation {
    pub fn new(random: Arc<dyn Random>) -> Self {
        Self {
            cache: Cache::default(),
            rate: Rate::default(),
            random,
            post: Post::default(),
            pool: Pool::new(THREADS),
            roots: Semaphore::new(ROOTS),
            paused: ArcSwap::default(),
        }
    }

    /// How e-mail leaves the workspace.
    pub fn with_post(self, post: Post) -> Self {
        Self { post, ..self }
    }

    pub fn post(&self) -> &Post {
        &self.post
    }

    /// Uids of automations that began too often and are paused, for administrators to be told.
    pub fn paused(&self) -> Arc<Vec<String>> {
        self.paused.load_full()
    }

    /// Looks up which automations are paused.
    ///
    /// # Errors
    /// The database.
    pub async fn note_paused(&self, store: &Store) -> Result<(), StoreError> {
        let paused = runs::paused(store).await?;
        let by_itself = paused.into_iter().filter(|one| one.reason.as_deref().is_some_and(|reason| reason.starts_with("rate:")));
        self.paused.store(Arc::new(by_itself.map(|one| one.uid).collect()));
        Ok(())
    }

    /// Runs a script inside a unit of work: answers its questions one at a time until it ends. `draft` is the record a
    /// before_save script runs on.
    pub(super) async fn run_script(
        &self,
        tx: &mut RecordTx<'_>,
        script: &Compiled,
        input: Input,
        draft: Option<&Draft>,
    ) -> Result<Outcome, Stopped> {
        // A script started by another one's write must not wait for the other's permit.
        let is_root = tx.chain().len() <= 1;
        let _permit = if is_root { self.roots.acquire().await.ok() } else { None };
        let (questions, mut asked) = mpsc::unbounded_channel::<Ask>();
        let host =
            Client { questions, script: script.id.clone(), wall: Duration::from_millis(script.limits.wall_ms), since: Stopwatch::start() };
        let compiled = script.clone();
        let mut end = self.pool.run(move || script::run(&compiled, input, Box::new(host))).map_err(|_| Stopped::Busy)?;
        loop {
            tokio::select! {
                biased;
                Some(ask) = asked.recv() => {
                    let answered = answer(tx, draft, ask.question).await;
                    // A script that reached its limit meanwhile waits no longer.
                    let _ = ask.answer.send(answered);
                }
                result = &mut end => return match result {
                    Ok(Ok(outcome)) => Ok(outcome),
                    Ok(Err(error)) => Err(Stopped::Script(error)),
                    Err(_) => Err(Stopped::Busy),
                },
            }
        }
    }
}

/// The script's end of the channel.
struct Client {
    questions: mpsc::UnboundedSender<Ask>,
    script: Arc<str>,
    wall: Duration,
    since: Stopwatch,
}

impl Client {
    fn ask(&self, question: Question) -> Result<Answer, HostError> {
        let gone = || HostError { is_transient: true, ..HostError::new("AUT241", "the unit of work ended while the script was running") };
        let (sender, receiver) = sync_channel(1);
        self.questions.send(Ask { question, answer: sender }).map_err(|_| gone())?;
        // A little later than the script's own limit, which then says what happened.
        let left = self.wall.saturating_sub(self.since.elapsed()) + Duration::from_millis(50);
        match receiver.recv_timeout(left) {
            Ok(answer) => answer,
            Err(std::sync::mpsc::RecvTimeoutError::Timeout) => {
                Err(HostError { is_transient: true, ..HostError::new("AUT242", "the answer came too late") })
            }
            Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => Err(gone()),
        }
    }

    fn records(&self, question: Question) -> Result<Vec<RecordData>, HostError> {
        match self.ask(question)? {
            Answer::Records(records) => Ok(records),
            Answer::Groups(_) | Answer::Nothing => Ok(Vec::new()),
        }
    }

    fn record(&self, question: Question) -> Result<RecordData, HostError> {
        self.records(question)?.pop().ok_or_else(|| HostError::new("AUT243", "the record was written but is not there"))
    }
}

impl ScriptHost for Client {
    fn find(&mut self, request: Find) -> Result<Vec<RecordData>, HostError> {
        self.records(Question::Find(request))
    }

    fn get(&mut self, entity: EntityIx, id: RecordId) -> Result<Option<RecordData>, HostError> {
        self.records(Question::Get(entity, id)).map(|mut found| found.pop())
    }

    fn aggregate(&mut self, request: Aggregate) -> Result<Vec<Vec<(String, Value)>>, HostError> {
        match self.ask(Question::Aggregate(request))? {
            Answer::Groups(groups) => Ok(groups),
            Answer::Records(_) | Answer::Nothing => Ok(Vec::new()),
        }
    }

    fn children(&mut self, entity: EntityIx, id: RecordId, field: FieldIx) -> Result<Vec<RecordData>, HostError> {
        self.records(Question::Children(entity, id, field))
    }

    fn create(&mut self, entity: EntityIx, values: Vec<(FieldIx, Value)>) -> Result<RecordData, HostError> {
        self.record(Question::Create(entity, values))
    }

    fn update(&mut self, entity: EntityIx, id: RecordId, values: Vec<(FieldIx, Value)>) -> Result<RecordData, HostError> {
        self.record(Question::Update(entity, id, values))
    }

    fn delete(&mut self, entity: EntityIx, id: RecordId) -> Result<(), HostError> {
        self.ask(Question::Delete(entity, id)).map(|_| ())
    }

    fn enqueue(&mut self, handler: &str, payload: serde_json::Value, delay_s: i64) -> Result<(), HostError> {
        self.ask(Question::Enqueue { handler: handler.to_owned(), payload, delay_s }).map(|_| ())
    }

    fn log(&mut self, message: &str) {
        tracing::info!(script = %self.script, "{message}");
    }
}
