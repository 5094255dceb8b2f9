//! The chunks of a file on their way to the writer: each is prepared on a thread where it holds up no request, and those
//! that are ready are written in one transaction.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinHandle;

use super::ahead::{self, Ahead};
use super::rows::Job;
use super::table::Row;
use crate::access::Actor;
use crate::record::{BoxFuture, Feed, ReadyBatch, RecordError, Records};

/// Rows prepared together.
const CHUNK: usize = 1_000;
/// Chunks that wait for the writer at most.
const WAITING: usize = 4;
/// Rows of one transaction: the fewer commits, the fewer times a page of an index is written.
const MOST_ROWS: usize = 25_000;
/// More chunks than this are never prepared and not written yet.
pub(super) const MOST_UNDER_WAY: usize = MOST_ROWS / CHUNK + WAITING + 3;
/// So long does an open transaction wait for a chunk.
const PATIENCE: Duration = Duration::from_millis(5);

/// What is prepared and not settled yet.
pub(super) struct Chunks {
    line: Mutex<Line>,
}

struct Line {
    source: mpsc::Receiver<Result<Ahead, RecordError>>,
    /// Who prepares; gone when all is prepared.
    preparer: Option<JoinHandle<()>>,
    first: VecDeque<Chunk>,
    /// What ended the preparation; told when all before it are settled.
    fault: Option<RecordError>,
    /// So many chunks get a transaction each, because one of them was refused.
    alone: usize,
}

/// A chunk with the number of its ready records that are written.
pub(super) struct Chunk {
    pub ahead: Ahead,
    pub written: usize,
}

impl Chunk {
    /// Rows that take the ordinary way follow its ready ones, before those of the next chunk.
    fn ends_unit(&self) -> bool {
        !self.ahead.others.is_empty()
    }

    fn is_written(&self) -> bool {
        self.written == self.ahead.ready.len()
    }
}

impl Chunks {
    /// Starts to prepare the rows.
    pub fn start(records: &Records, actor: &Actor, job: &Arc<Job>, rows: Vec<Row>) -> Arc<Self> {
        let (records, actor, job, runtime) = (records.clone(), actor.clone(), job.clone(), Handle::current());
        let (sender, source) = mpsc::channel(WAITING);
        let preparer = tokio::task::spawn_blocking(move || {
            runtime.block_on(async move {
                let mut rows = rows.into_iter().peekable();
                while rows.peek().is_some() {
                    let chunk = rows.by_ref().take(CHUNK).collect();
                    let prepared = ahead::prepare(&records, &actor, &job, chunk).await;
                    // Nobody waits for more when the import has ended, or after a fault.
                    if prepared.is_err() | sender.send(prepared).await.is_err() {
                        return;
                    }
                }
            });
        });
        Arc::new(Self { line: Mutex::new(Line { source, preparer: Some(preparer), first: VecDeque::new(), fault: None, alone: 0 }) })
    }

    /// Waits for a chunk. `false` when there are no more.
    ///
    /// # Errors
    /// The preparation failed.
    pub async fn has_more(&self) -> Result<bool, RecordError> {
        let mut line = self.line.lock().await;
        if line.first.is_empty() {
            line.take(None).await;
        }
        match (line.first.is_empty(), line.fault.take()) {
            (true, Some(fault)) => Err(fault),
            (is_empty, fault) => {
                line.fault = fault;
                Ok(!is_empty)
            }
        }
    }

    /// Whether the first chunk has records to be written together with others.
    pub async fn has_ready(&self) -> bool {
        self.line.lock().await.first.front().is_some_and(|chunk| !chunk.is_written())
    }

    /// Notes that so many records more are written; gives the chunks of which all are.
    pub async fn settle(&self, mut written: usize) -> Vec<Chunk> {
        let mut line = self.line.lock().await;
        let mut done = Vec::new();
        while let Some(chunk) = line.first.front_mut() {
            let these = written.min(chunk.ahead.ready.len() - chunk.written);
            chunk.written += these;
            written -= these;
            if !chunk.is_written() {
                break;
            }
            done.extend(line.leave());
        }
        done
    }

    /// One of the chunks of the last unit is refused: from now on each of them has its own. The only one is given back.
    pub async fn refused(&self) -> Option<Chunk> {
        let mut line = self.line.lock().await;
        if line.alone == 0 && line.first.len() > 1 {
            line.alone = line.first.len();
            return None;
        }
        line.leave()
    }

    /// The first chunk takes the ordinary way.
    pub async fn give_up(&self) -> Option<Chunk> {
        self.line.lock().await.leave()
    }
}

impl Line {
    /// Waits for the next chunk, for so long or for as long as it takes.
    async fn take(&mut self, patience: Option<Duration>) {
        if self.fault.is_some() {
            return;
        }
        let next = match patience {
            Some(patience) => match tokio::time::timeout(patience, self.source.recv()).await {
                Ok(next) => next,
                Err(_) => return,
            },
            None => self.source.recv().await,
        };
        match next {
            Some(Ok(ahead)) => self.first.push_back(Chunk { ahead, written: 0 }),
            Some(Err(fault)) => self.fault = Some(fault),
            None => {
                if let Some(preparer) = self.preparer.take() {
                    self.fault = preparer.await.err().map(|fault| RecordError::Store(fault.to_string()));
                }
            }
        }
    }

    fn leave(&mut self) -> Option<Chunk> {
        self.alone = self.alone.saturating_sub(1);
        self.first.pop_front()
    }

    async fn batch(&mut self, position: usize) -> Option<(Arc<ReadyBatch>, usize)> {
        let mut before = self.first.iter().take(position);
        let rows: usize = before.clone().map(|chunk| chunk.ahead.ready.len()).sum();
        if rows >= MOST_ROWS || before.next_back().is_some_and(Chunk::ends_unit) || (self.alone > 0 && position > 0) {
            return None;
        }
        if position == self.first.len() {
            self.take(Some(PATIENCE)).await;
        }
        let chunk = self.first.get(position)?;
        chunk.ahead.batch.clone().map(|batch| (batch, chunk.written))
    }
}

impl Feed for Chunks {
    fn batch(&self, position: usize) -> BoxFuture<'_, Option<(Arc<ReadyBatch>, usize)>> {
        Box::pin(async move { self.line.lock().await.batch(position).await })
    }
}
