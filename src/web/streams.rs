//! Open event streams of one server: how many there are, the feed that is read once for all of them, and that they end when
//! the server stops.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::MissedTickBehavior;

use super::Problem;
use super::telling::Telling;
use crate::access::Alike;
use crate::record::{Records, Stretch};

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
/// Events that are read at once, and that are kept for those who are not quite up to date. Who is further behind reads alone.
const AT_ONCE: u32 = 1_000;
const KEPT: usize = 2_000;

/// What all streams of a server share.
#[derive(Debug)]
pub struct Streams {
    /// Open streams by person.
    open: Mutex<HashMap<i64, usize>>,
    count: AtomicUsize,
    /// The newest events, as far as somebody looked.
    recent: watch::Sender<Arc<Stretch>>,
    /// Somebody looks.
    is_followed: AtomicBool,
    telling: Telling,
    stop: watch::Sender<bool>,
}

impl Default for Streams {
    fn default() -> Self {
        Self {
            open: Mutex::default(),
            count: AtomicUsize::new(0),
            recent: watch::Sender::default(),
            is_followed: AtomicBool::new(false),
            telling: Telling::default(),
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
        Ok(Place { streams: self.clone(), person })
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

    /// What is worked out once for streams that are told the same.
    pub(super) fn telling(&self) -> &Telling {
        &self.telling
    }

    /// The newest events: read once for all streams together, after commits of this process and each second for those of
    /// others. It also tells each second, with or without news, that it is time to see whether one may still listen.
    pub(super) fn recent(self: &Arc<Self>, records: &Records) -> watch::Receiver<Arc<Stretch>> {
        let receiver = self.recent.subscribe();
        if !self.is_followed.swap(true, Ordering::AcqRel) {
            tokio::spawn(self.clone().follow(records.clone()));
        }
        receiver
    }

    async fn follow(self: Arc<Self>, records: Records) {
        let mut commits = records.store().signals();
        let mut beat = tokio::time::interval(LOOK_EVERY);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut known: Option<Arc<Stretch>> = None;
        loop {
            let is_beat = tokio::select! {
                biased;
                _ = beat.tick() => true,
                changed = commits.changed() => match changed {
                    Ok(()) => false,
                    Err(_) => return,
                },
            };
            if self.recent.receiver_count() == 0 {
                self.is_followed.store(false, Ordering::Release);
                // Whoever came in between found somebody looking.
                if self.recent.receiver_count() == 0 || self.is_followed.swap(true, Ordering::AcqRel) {
                    return;
                }
            }
            let mut is_behind = true;
            while is_behind {
                let next = match &known {
                    None => records.newest_change().await.map(Stretch::at),
                    Some(known) => records.stretch(known.to(), AT_ONCE).await,
                };
                match next {
                    Ok(next) => {
                        is_behind = next.len() == AT_ONCE as usize;
                        let is_news = !next.is_empty();
                        let recent = match known.take() {
                            Some(known) if !is_news => known,
                            Some(known) => Arc::new(known.and(&next, KEPT)),
                            None => Arc::new(next),
                        };
                        if is_news || is_beat {
                            self.recent.send_replace(recent.clone());
                        }
                        known = Some(recent);
                        // Those who take turns come to the end of it before they get more.
                        tokio::time::sleep(if is_behind { self.round().max(BREATH) } else { BREATH }).await;
                    }
                    Err(error) => {
                        tracing::debug!(error = %error, "the feed of changes could not be read");
                        is_behind = false;
                    }
                }
            }
        }
    }

    /// The time in which each stream has its turn.
    fn round(&self) -> Duration {
        EACH.saturating_mul(u32::try_from(self.count()).unwrap_or(u32::MAX)).min(LOOK_EVERY)
    }
}

/// A place, given back when it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    streams: Arc<Streams>,
    person: i64,
}

impl Place {
    /// How long a stream waits until it is its turn to tell what is new. Those that are told the same come together, so that
    /// it is looked up once for them.
    pub(super) fn turn(&self, alike: &Alike) -> Duration {
        let mut hasher = DefaultHasher::new();
        alike.hash(&mut hasher);
        let place = u32::try_from(hasher.finish() % u64::from(TURNS)).unwrap_or(0);
        self.streams.round() * place / TURNS
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
