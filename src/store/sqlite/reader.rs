//! Reading: inline on the calling thread while it is short, on a blocking thread when it is not.
//!
//! A point read costs no change of thread. A scan is stopped after [`INLINE`] and run again elsewhere, so that it
//! cannot hold up the runtime.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::Semaphore;

use super::connect::{self, Purpose};
use super::{fault::translate, run};
use crate::base::Stopwatch;
use crate::store::{Durability, Rows, Statement, StoreError};

/// How long a read may hold the calling thread.
const INLINE: Duration = Duration::from_millis(2);
/// Steps of SQLite's machine between two looks at the time (some 20 to 50 µs).
const STEPS: i32 = 1_000;
/// Connections kept open.
const MOST_IDLE: usize = 8;
/// Long reads at a time.
const MOST_LONG: usize = 4;

/// The reading connections of one database.
#[derive(Debug)]
pub(in crate::store) struct Readers {
    path: PathBuf,
    read_timeout: Duration,
    idle: Mutex<Vec<Reader>>,
    long: Arc<Semaphore>,
}

#[derive(Debug)]
struct Reader {
    connection: Connection,
    limit: Arc<Mutex<Limit>>,
}

/// When the statement under way has to stop.
#[derive(Debug)]
struct Limit {
    started: Stopwatch,
    longest: Duration,
    /// Nobody waits for the rows any more.
    gone: Option<Arc<AtomicBool>>,
    is_over: bool,
}

/// Says so when whoever waits is dropped.
struct Waiting(Arc<AtomicBool>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Readers {
    pub fn new(path: PathBuf, read_timeout: Duration) -> Self {
        Self { path, read_timeout, idle: Mutex::new(Vec::new()), long: Arc::new(Semaphore::new(MOST_LONG)) }
    }

    /// Runs a reading statement.
    pub async fn query(self: &Arc<Self>, statement: &Statement) -> Result<Rows, StoreError> {
        let reader = self.take()?;
        let outcome = reader.run(statement, INLINE, None);
        self.put(reader);
        match outcome {
            Err(StoreError::Timeout) => self.query_long(statement).await,
            other => other,
        }
    }

    async fn query_long(self: &Arc<Self>, statement: &Statement) -> Result<Rows, StoreError> {
        let permit = self.long.clone().acquire_owned().await.map_err(|_| StoreError::Closed)?;
        let (readers, statement) = (Arc::clone(self), statement.clone());
        let gone = Arc::new(AtomicBool::new(false));
        let _waiting = Waiting(Arc::clone(&gone));
        let work = move || {
            let _permit = permit;
            let reader = readers.take()?;
            let outcome = reader.run(&statement, readers.read_timeout, Some(gone));
            readers.put(reader);
            outcome
        };
        tokio::task::spawn_blocking(work).await.map_err(|error| StoreError::Panicked(error.to_string()))?
    }

    /// Opens one connection ahead of the first request.
    pub fn warm_up(&self) -> Result<(), StoreError> {
        let reader = self.take()?;
        self.put(reader);
        Ok(())
    }

    /// Closes idle connections.
    pub fn close(&self) {
        self.long.close();
        self.lock().clear();
    }

    fn take(&self) -> Result<Reader, StoreError> {
        if let Some(reader) = self.lock().pop() {
            return Ok(reader);
        }
        Reader::open(&self.path)
    }

    fn put(&self, reader: Reader) {
        let mut idle = self.lock();
        if idle.len() < MOST_IDLE && !self.long.is_closed() {
            idle.push(reader);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Reader>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reader {
    fn open(path: &std::path::Path) -> Result<Self, StoreError> {
        let mut connection = connect::open(path, Purpose::Read, Durability::Full)?;
        let limit = Arc::new(Mutex::new(Limit { started: Stopwatch::start(), longest: Duration::MAX, gone: None, is_over: false }));
        let seen = Arc::clone(&limit);
        let handler = move || {
            let mut limit = seen.lock().unwrap_or_else(PoisonError::into_inner);
            let is_gone = limit.gone.as_ref().is_some_and(|gone| gone.load(Ordering::Relaxed));
            limit.is_over = is_gone || limit.started.elapsed() > limit.longest;
            limit.is_over
        };
        connection.progress_handler(STEPS, Some(handler)).map_err(translate)?;
        Ok(Self { connection, limit })
    }

    fn run(&self, statement: &Statement, longest: Duration, gone: Option<Arc<AtomicBool>>) -> Result<Rows, StoreError> {
        *self.limit.lock().unwrap_or_else(PoisonError::into_inner) = Limit { started: Stopwatch::start(), longest, gone, is_over: false };
        run::query(&self.connection, statement)
    }
}
