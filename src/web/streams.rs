//! Open event streams of one server: how many there are, what wakes them, and that they end when the server stops.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use super::Problem;
use crate::record::Records;

/// Streams open at the same time, of all people and of one.
const MOST: usize = 4096;
const MOST_OF_ONE: usize = 64;
/// How often others' changes are looked for. Changes of this process are noticed at once.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// No two looks are closer than this, however many commits there are.
const BREATH: Duration = Duration::from_millis(20);
/// A change is told to all within this time for each stream, and within a second in any case: with many streams they take turns,
/// so that a commit does not make all of them read at once.
const EACH: Duration = Duration::from_micros(500);
/// Places in the order of turns.
const TURNS: u32 = 128;

/// What all streams of a server share.
#[derive(Debug)]
pub struct Streams {
    /// Open streams by person.
    open: Mutex<HashMap<i64, usize>>,
    count: AtomicUsize,
    /// Streams opened so far.
    number: AtomicU32,
    /// The newest position of the feed of changes, as far as somebody looked.
    newest: watch::Sender<i64>,
    /// Somebody looks.
    is_followed: AtomicBool,
    stop: watch::Sender<bool>,
}

impl Default for Streams {
    fn default() -> Self {
        Self {
            open: Mutex::default(),
            count: AtomicUsize::new(0),
            number: AtomicU32::new(0),
            newest: watch::Sender::new(0),
            is_followed: AtomicBool::new(false),
            stop: watch::Sender::new(false),
        }
    }
}

impl Streams {
    /// A place for a stream of this person.
    ///
    /// # Errors
    /// `WEB503` when the server has too many, `WEB429` when the person has.
    pub(super) fn enter(self: &Arc<Self>, person: i64) -> Result<Place, Problem> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let refusal = if self.count() >= MOST {
            Some(("WEB503", "the server has as many open streams as it can keep"))
        } else if open.get(&person).is_some_and(|count| *count >= MOST_OF_ONE) {
            Some(("WEB429", "too many streams of yours are open"))
        } else {
            None
        };
        if let Some((code, detail)) = refusal {
            let mut problem = Problem::new(code, detail).with_hint("close some, or ask for `/api/v1/changes?since=…` now and then");
            problem.retry_after = Some(10);
            return Err(problem);
        }
        *open.entry(person).or_default() += 1;
        self.count.fetch_add(1, Ordering::Relaxed);
        Ok(Place { streams: self.clone(), person, number: self.number.fetch_add(1, Ordering::Relaxed) })
    }

    /// How many are open.
    pub fn count(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    /// Ends all of them: the server stops.
    pub(super) fn stop(&self) {
        self.stop.send_replace(true);
    }

    /// Turns true when the server stops.
    pub(super) fn stopped(&self) -> watch::Receiver<bool> {
        self.stop.subscribe()
    }

    /// The newest position of the feed: one look a second for all streams together, and after commits of this process.
    pub(super) fn newest(self: &Arc<Self>, records: &Records) -> watch::Receiver<i64> {
        let receiver = self.newest.subscribe();
        if !self.is_followed.swap(true, Ordering::AcqRel) {
            tokio::spawn(self.clone().follow(records.clone()));
        }
        receiver
    }

    async fn follow(self: Arc<Self>, records: Records) {
        let mut commits = records.store().signals();
        loop {
            match records.newest_change().await {
                Ok(position) => drop(self.newest.send_if_modified(|known| std::mem::replace(known, position) != position)),
                Err(error) => tracing::debug!(error = %error, "the feed of changes could not be read"),
            }
            if self.newest.receiver_count() == 0 {
                self.is_followed.store(false, Ordering::Release);
                // Whoever came in between found somebody looking.
                if self.newest.receiver_count() == 0 || self.is_followed.swap(true, Ordering::AcqRel) {
                    return;
                }
            }
            tokio::select! {
                changed = commits.changed() => if changed.is_err() { return },
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
            tokio::time::sleep(BREATH).await;
        }
    }
}

/// A place, given back when it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    streams: Arc<Streams>,
    person: i64,
    number: u32,
}

impl Place {
    /// How long this stream waits until it is its turn to read what is new.
    pub(super) fn turn(&self) -> Duration {
        let all = EACH.saturating_mul(u32::try_from(self.streams.count()).unwrap_or(u32::MAX)).min(LOOK_EVERY);
        all * (self.number % TURNS) / TURNS
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.streams.open.lock().unwrap_or_else(PoisonError::into_inner);
        self.streams.count.fetch_sub(1, Ordering::Relaxed);
        if let Some(count) = open.get_mut(&self.person) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.person);
            }
        }
    }
}
