//! Moves the write-ahead log into the database file from a thread of its own, so that no request pays for it.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

use rusqlite::Connection;

use super::connect::{self, Purpose};
use super::fault::translate;
use crate::store::{Durability, StoreError};

/// Pages in the log from which it is moved (4 MB).
const MOVE_FROM: i32 = 1_000;
/// Pages from which the writer itself moves the rest between two batches, so that the log starts anew (64 MB).
const FINISH_FROM: i32 = 16_000;
/// Pages that mean something keeps the log from starting anew (512 MB).
const ALARM_FROM: i32 = 131_072;

/// The writer's end: tells how long the log is.
#[derive(Debug)]
pub(in crate::store) struct Checkpointer {
    pages: Arc<AtomicI32>,
    bell: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Checkpointer {
    /// Starts the thread and looks at each commit of `writer` from now on.
    pub fn start(path: &Path, durability: Durability, writer: &mut Connection) -> Result<Self, StoreError> {
        let pages = Arc::new(AtomicI32::new(0));
        let seen = Arc::clone(&pages);
        let hook = move |_: &mut rusqlite::hooks::Wal, length: i32| {
            seen.store(length, Ordering::Relaxed);
            Ok(())
        };
        writer.wal_hook(Some(hook)).map_err(translate)?;
        let connection = connect::open(path, Purpose::Checkpoint, durability)?;
        let (bell, rung) = sync_channel(1);
        let thread = std::thread::Builder::new()
            .name("checkpoint".to_owned())
            .spawn(move || run(&connection, &rung))
            .map_err(|error| StoreError::file(path, &error))?;
        Ok(Self { pages, bell: Some(bell), thread: Some(thread) })
    }

    /// Called by the writer between two batches.
    pub fn after_batch(&self, writer: &Connection) {
        let pages = self.pages.load(Ordering::Relaxed);
        if pages < MOVE_FROM {
            return;
        }
        if let Some(Err(TrySendError::Disconnected(()))) = self.bell.as_ref().map(|bell| bell.try_send(())) {
            tracing::error!("the checkpoint thread has ended; the write-ahead log grows");
        }
        // While writes never pause, the other thread never sees the end of the log. It has moved nearly all, so this is short.
        if pages >= FINISH_FROM && pages % 64 == 0 {
            let _ = passive(writer);
        }
        if pages >= ALARM_FROM && pages % 4096 == 0 {
            tracing::warn!(store.wal_pages = pages, "the write-ahead log is long: a reader keeps it from starting anew");
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

fn run(connection: &Connection, rung: &Receiver<()>) {
    while rung.recv().is_ok() {
        if let Err(error) = passive(connection) {
            tracing::warn!(store.error = %error, "checkpoint failed");
        }
    }
}

fn passive(connection: &Connection) -> Result<(), StoreError> {
    let row = |row: &rusqlite::Row<'_>| row.get::<_, i64>(0);
    connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], row).map_err(translate)?;
    Ok(())
}

/// Empties the log when the store closes.
pub(in crate::store) fn truncate(connection: &Connection) -> Result<(), StoreError> {
    let row = |row: &rusqlite::Row<'_>| row.get::<_, i64>(0);
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], row).map_err(translate)?;
    Ok(())
}
