//! The one writing connection, on its own thread.
//!
//! Units of work that wait are committed together: each in a savepoint, one commit, the answers after it. A unit that
//! fails undoes only itself. When SQLite itself leaves the transaction (a full disk), none of the batch is acknowledged.
//! The connection is never interrupted: that would undo everyone's work.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};

use super::checkpoint::{self, Checkpointer};
use crate::base::Stopwatch;
use crate::base::system::prefer_this_thread;
use crate::store::signals::Signals;
use crate::store::tx::{AfterCommit, Link};
use crate::store::unit::{Mode, Ran, Unit};
use crate::store::{StoreError, Tx};

/// Units in one commit at most.
const MOST_UNITS: usize = 128;
/// No unit is added to a batch that is older than this.
const OLDEST_BATCH: Duration = Duration::from_millis(8);
/// Units that may wait; whoever comes later waits outside.
const QUEUE: usize = 1024;

/// What the writer is asked to do.
#[derive(Debug)]
pub(in crate::store) enum Request {
    Run(Unit),
    /// Remove from the files what was deleted.
    Scrub(oneshot::Sender<Result<(), StoreError>>),
    /// Finish, empty the log, and say so.
    Close(oneshot::Sender<()>),
}

/// Starts the thread. It ends when all senders are gone, or at a [`Request::Close`]; `keep` (the lock) is dropped last.
pub(in crate::store) fn start(
    tx: Tx,
    checkpointer: Checkpointer,
    signals: Arc<Signals>,
    keep: Box<dyn std::any::Any + Send>,
) -> Result<mpsc::Sender<Request>, StoreError> {
    let (sender, receiver) = mpsc::channel(QUEUE);
    let writer = Writer { tx, checkpointer, signals, runtime: Handle::current(), requests: receiver, held: None };
    std::thread::Builder::new()
        .name("writer".to_owned())
        .spawn(move || {
            // All who write wait for this thread: it should not wait for theirs after each look at the disk.
            prefer_this_thread(-5);
            let closed = writer.run();
            drop(keep);
            if let Some(closed) = closed {
                let _ = closed.send(());
            }
        })
        .map_err(|error| StoreError::Unreachable(error.to_string()))?;
    Ok(sender)
}

struct Writer {
    tx: Tx,
    checkpointer: Checkpointer,
    signals: Arc<Signals>,
    runtime: Handle,
    requests: mpsc::Receiver<Request>,
    /// Taken from the queue, but for the next batch.
    held: Option<Request>,
}

impl Writer {
    fn run(mut self) -> Option<oneshot::Sender<()>> {
        let closed = loop {
            let request = match self.held.take() {
                Some(request) => Some(request),
                None => self.requests.blocking_recv(),
            };
            match request {
                Some(Request::Run(unit)) => self.batch(unit),
                Some(Request::Scrub(done)) => {
                    let outcome = checkpoint::scrub(&self.link().connection);
                    let _ = done.send(outcome);
                }
                Some(Request::Close(closed)) => break Some(closed),
                None => break None,
            }
            if let Link::Sqlite(link) = &self.tx.link {
                self.checkpointer.after_batch(&link.connection);
            }
        };
        self.checkpointer.stop();
        if let Link::Sqlite(link) = &self.tx.link {
            let _ = checkpoint::truncate(&link.connection);
        }
        closed
    }

    /// Runs `first` and what waits behind it in one transaction.
    fn batch(&mut self, first: Unit) {
        let age = Stopwatch::start();
        let exclusive = !first.mode.is_shared();
        let mut batch = Batch::default();
        let mut outcome = self.command("BEGIN IMMEDIATE");
        self.tx.forget_catalog_version();
        let mut next = Some(first);
        while let Some(unit) = next.take() {
            outcome = match outcome {
                Ok(()) => self.run_unit(unit, &mut batch),
                // The transaction did not begin: the unit is answered with the reason, unrun.
                Err(error) => {
                    self.refuse(unit, &error);
                    Err(error)
                }
            };
            if outcome.is_ok() && !exclusive && batch.ran.len() < MOST_UNITS && age.elapsed() < OLDEST_BATCH {
                next = self.next_shared();
            }
        }
        let outcome = outcome.and_then(|()| self.commit());
        self.link().clear_search();
        if outcome.is_err() {
            self.leave_transaction();
        }
        if outcome.is_ok() {
            // Before the answers: who hears that someone was shut out must find them shut out.
            self.signals.tell(batch.after_commit);
        }
        for ran in batch.ran {
            (ran.answer)(outcome.clone());
        }
    }

    /// Runs one unit in its savepoint. `Err` means that the transaction is lost.
    fn run_unit(&mut self, unit: Unit, batch: &mut Batch) -> Result<(), StoreError> {
        let mark = self.link().search_mark();
        let is_bare = unit.mode == Mode::Bare;
        if !is_bare && let Err(error) = self.command("SAVEPOINT unit") {
            self.refuse(unit, &error);
            return Err(error);
        }
        self.tx.renew(unit.longest);
        let ran = self.runtime.clone().block_on((unit.run)(&mut self.tx));
        let keep = ran.keep && unit.mode != Mode::Rehearsal;
        let after_commit = self.tx.after_commit;
        batch.ran.push(ran);
        if self.link().connection.is_autocommit() {
            return Err(StoreError::TransactionLost("SQLite left it".to_owned()));
        }
        if keep {
            batch.after_commit.add(after_commit);
        } else if is_bare {
            self.tx.forget_catalog_version();
            // Whoever failed has its own answer; those who ran before it run again.
            return if self.tx.is_clean() { Ok(()) } else { Err(StoreError::Busy) };
        } else {
            self.link().forget_search(mark);
            self.tx.forget_catalog_version();
            self.command("ROLLBACK TO SAVEPOINT unit")?;
        }
        if is_bare { Ok(()) } else { self.command("RELEASE SAVEPOINT unit") }
    }

    fn commit(&mut self) -> Result<(), StoreError> {
        self.link().write_search()?;
        self.command("COMMIT")
    }

    /// After a fault: ends the transaction if there still is one.
    fn leave_transaction(&mut self) {
        self.tx.forget_catalog_version();
        if !self.link().connection.is_autocommit()
            && let Err(error) = self.command("ROLLBACK")
        {
            tracing::error!(store.error = %error, "the writer cannot leave its transaction");
        }
    }

    /// The next unit that may share this batch.
    fn next_shared(&mut self) -> Option<Unit> {
        match self.requests.try_recv().ok()? {
            Request::Run(unit) if unit.mode.is_shared() => Some(unit),
            other => {
                self.held = Some(other);
                None
            }
        }
    }

    /// Answers a unit that cannot be run.
    fn refuse(&mut self, unit: Unit, error: &StoreError) {
        tracing::error!(store.error = %error, "a unit of work could not be started");
        unit.refuse(error.clone());
    }

    fn command(&mut self, text: &'static str) -> Result<(), StoreError> {
        self.link().command(text)
    }

    fn link(&mut self) -> &mut super::link::SqliteLink {
        match &mut self.tx.link {
            Link::Sqlite(link) => link,
            Link::Postgres(_) => unreachable!("the writer thread is SQLite's"),
        }
    }
}

/// Units that ran in the transaction under way.
#[derive(Default)]
struct Batch {
    ran: Vec<Ran>,
    after_commit: AfterCommit,
}
