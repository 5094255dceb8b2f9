//! Moves the write-ahead log into the database file from a thread of its own, so that no request pays for it.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

use rusqlite::Connection;

use super::connect::{self, Purpose};
use super::fault::translate;
use crate::base::system::prefer_this_thread;
use crate::store::{Durability, StoreError};

/// Pages that are in the log and not yet in the file before they are moved (32 MB): pages written often are moved once.
const MOVE_EACH: i32 = 8_000;
/// Length of the log from which its end is sought, so that it starts anew (96 MB).
const FINISH_FROM: i32 = 24_000;
/// While the end is sought: pages that are moved at once, and how many the writer moves itself between two batches.
const FINISH_EACH: i32 = 128;
/// Length that means something keeps the log from starting anew (512 MB).
const ALARM_FROM: i32 = 131_072;

/// The writer's end: tells how long the log is.
#[derive(Debug)]
pub(in crate::store) struct Checkpointer {
    log: Arc<Log>,
    bell: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// Pages written to the log since it last started, and how many of them are in the database file.
#[derive(Debug, Default)]
struct Log {
    written: AtomicI32,
    moved: AtomicI32,
}

impl Checkpointer {
    /// Starts the thread and looks at each commit of `writer` from now on.
    pub fn start(path: &Path, durability: Durability, writer: &mut Connection) -> Result<Self, StoreError> {
        let log = Arc::new(Log::default());
        let seen = Arc::clone(&log);
        let hook = move |_: &mut rusqlite::hooks::Wal, written: i32| {
            if written < seen.written.swap(written, Ordering::Relaxed) {
                seen.moved.store(0, Ordering::Relaxed);
            }
            Ok(())
        };
        writer.wal_hook(Some(hook)).map_err(translate)?;
        let connection = connect::open(path, Purpose::Checkpoint, durability)?;
        let (bell, rung) = sync_channel(1);
        let shared = Arc::clone(&log);
        let thread = std::thread::Builder::new()
            .name("checkpoint".to_owned())
            .spawn(move || run(&connection, &rung, &shared))
            .map_err(|error| StoreError::file(path, &error))?;
        Ok(Self { log, bell: Some(bell), thread: Some(thread) })
    }

    /// Called by the writer between two batches.
    pub fn after_batch(&self, writer: &Connection) {
        let written = self.log.written.load(Ordering::Relaxed);
        let waiting = written - self.log.moved.load(Ordering::Relaxed);
        let seeks_end = written >= FINISH_FROM;
        // While writes never pause the other thread never sees the end of the log. It has moved nearly all, so this is short.
        if seeks_end && waiting <= 2 * FINISH_EACH {
            let _ = passive(writer, &self.log);
            return;
        }
        if waiting < if seeks_end { FINISH_EACH } else { MOVE_EACH } {
            return;
        }
        if let Some(Err(TrySendError::Disconnected(()))) = self.bell.as_ref().map(|bell| bell.try_send(())) {
            tracing::error!("the checkpoint thread has ended; the write-ahead log grows");
        }
        if written >= ALARM_FROM && written % 4096 == 0 {
            tracing::warn!(store.wal_pages = written, "the write-ahead log is long: a reader keeps it from starting anew");
        }
    }

    /// Ends the thread.
    pub fn stop(&mut self) {
        self.bell = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn run(connection: &Connection, rung: &Receiver<()>, log: &Log) {
    // Nobody waits for it.
    prefer_this_thread(5);
    while rung.recv().is_ok() {
        if let Err(error) = passive(connection, log) {
            tracing::warn!(store.error = %error, "checkpoint failed");
        }
    }
}

/// Moves what can be moved without waiting for anyone.
fn passive(connection: &Connection, log: &Log) -> Result<(), StoreError> {
    // Columns: busy, pages in the log, pages moved.
    let row = |row: &rusqlite::Row<'_>| row.get::<_, i32>(2);
    let moved = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], row).map_err(translate)?;
    log.moved.store(moved.max(0), Ordering::Relaxed);
    Ok(())
}

/// Empties the log when the store closes.
pub(in crate::store) fn truncate(connection: &Connection) -> Result<(), StoreError> {
    let row = |row: &rusqlite::Row<'_>| row.get::<_, i64>(0);
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], row).map_err(translate)?;
    Ok(())
}

/// Rewrites the database without what was deleted in it, and empties the log.
pub(in crate::store) fn scrub(connection: &Connection) -> Result<(), StoreError> {
    // The search index keeps the words of records that are gone until its parts are merged. The copy that VACUUM makes is as
    // large as the database: it belongs into a file.
    let words = "INSERT INTO sys_search (sys_search) VALUES ('optimize'); PRAGMA temp_store = file; VACUUM";
    let rewritten = connection.execute_batch(words).map_err(translate);
    connection.execute_batch("PRAGMA temp_store = memory").map_err(translate)?;
    rewritten?;
    let is_busy: i64 = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0)).map_err(translate)?;
    if is_busy == 0 { Ok(()) } else { Err(StoreError::Busy) }
}
