//! All open connections: a cap, and which of them give way when it is reached.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use super::timed::Phase;
use crate::base::clock::Stopwatch;
use crate::web::meters::Meters;

/// A connection that has just become idle is not closed for another one.
const SHORTEST_IDLE: Duration = Duration::from_secs(1);
/// How often one looks again while all connections are busy.
const LOOK_AGAIN: Duration = Duration::from_millis(100);
/// At most this part of the cap gives way at once.
const PART: usize = 16;

/// What the server knows of one connection.
#[derive(Debug, Default)]
pub(super) struct Entry {
    pub phase: Phase,
    /// Milliseconds since the server began, when it last became idle.
    idle_since: AtomicU64,
    /// It has to give way.
    pub close: Notify,
}

/// The connections of one server.
#[derive(Debug)]
pub(super) struct Registry {
    began: Stopwatch,
    slots: Arc<Semaphore>,
    cap: usize,
    open: Mutex<HashMap<u64, Arc<Entry>>>,
    numbers: AtomicU64,
    meters: Arc<Meters>,
}

/// A connection's place; given back when it is dropped.
pub(super) struct Place {
    pub entry: Arc<Entry>,
    number: u64,
    registry: Arc<Registry>,
    _slot: OwnedSemaphorePermit,
}

impl Registry {
    pub(super) fn new(cap: usize, meters: Arc<Meters>) -> Self {
        Self {
            began: Stopwatch::start(),
            slots: Arc::new(Semaphore::new(cap)),
            cap,
            open: Mutex::default(),
            numbers: AtomicU64::new(0),
            meters,
        }
    }

    /// A place for a connection that was just accepted. When all are taken, those that have been idle (or half sent) for
    /// the longest time give way; while every one is at work, this waits.
    pub(super) async fn place(self: &Arc<Self>) -> Option<Place> {
        let slot = loop {
            if let Ok(slot) = self.slots.clone().try_acquire_owned() {
                break slot;
            }
            self.make_room();
            match tokio::time::timeout(LOOK_AGAIN, self.slots.clone().acquire_owned()).await {
                Ok(slot) => break slot.ok()?,
                Err(_) => continue,
            }
        };
        let entry = Arc::new(Entry { idle_since: AtomicU64::new(self.now()), ..Entry::default() });
        let number = self.numbers.fetch_add(1, Ordering::Relaxed);
        self.lock().insert(number, entry.clone());
        self.meters.connections.opened();
        Some(Place { entry, number, registry: self.clone(), _slot: slot })
    }

    fn make_room(&self) {
        let (now, shortest) = (self.now(), u64::try_from(SHORTEST_IDLE.as_millis()).unwrap_or(0));
        let open = self.lock();
        let mut idle: Vec<(u64, &Arc<Entry>)> = open
            .values()
            .filter(|entry| entry.phase.get() != Phase::BUSY)
            .map(|entry| (entry.idle_since.load(Ordering::Relaxed), entry))
            .filter(|(since, _)| now.saturating_sub(*since) >= shortest)
            .collect();
        idle.sort_unstable_by_key(|(since, _)| *since);
        for (_, entry) in idle.into_iter().take((self.cap / PART).max(1)) {
            entry.close.notify_one();
        }
    }

    pub(super) fn meters(&self) -> &Meters {
        &self.meters
    }

    fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<u64, Arc<Entry>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// An answer is on its way: from here on the connection is idle.
    pub(super) fn became_idle(registry: &Registry, entry: &Entry) {
        entry.idle_since.store(registry.now(), Ordering::Relaxed);
        entry.phase.set(Phase::IDLE);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.registry.lock().remove(&self.number);
        self.registry.meters.connections.closed();
    }
}
