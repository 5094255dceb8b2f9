//! Who may start now: a request beyond what the server can do well is told so at once instead of waiting for ever.
//!
//! Each class of requests has its own places and its own short queue, so that a flood of one kind leaves the others alone.
//! Within a class one actor holds at most half of the places.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::time::Duration;

use axum::http::Method;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::Problem;
use super::meters::{Meters, Shed};

/// What kind of work a request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// Pages people look at.
    Page,
    /// The API.
    Api,
    /// What takes long or much memory: definitions, uploads, imports, exports.
    Heavy,
    /// Signing in: hashing passwords takes memory, and anyone may ask for it.
    Entry,
    /// Health, metrics and assets: never refused.
    Free,
}

impl Class {
    pub(super) const ALL: [(Class, &'static str); 5] =
        [(Class::Page, "page"), (Class::Api, "api"), (Class::Heavy, "heavy"), (Class::Entry, "entry"), (Class::Free, "free")];

    pub(super) fn of(method: &Method, path: &str) -> Self {
        match path {
            "/healthz" | "/readyz" | "/metrics" | "/favicon.ico" | "/robots.txt" => return Self::Free,
            "/setup" | "/invitation" => return Self::Entry,
            "/api/v1/files" => return Self::Heavy,
            _ => {}
        }
        if path.starts_with("/assets/") {
            Self::Free
        } else if path.starts_with("/sign-in")
            || (path.starts_with("/survey/") || path.starts_with("/api/v1/received/")) && method == Method::POST
        {
            Self::Entry
        } else if path.starts_with("/api/v1/definitions/") && method == Method::POST
            || path.ends_with("/export")
            || path.ends_with("/import")
        {
            Self::Heavy
        } else if path.starts_with("/api") {
            Self::Api
        } else {
            Self::Page
        }
    }

    fn index(self) -> usize {
        match self {
            Self::Page => 0,
            Self::Api => 1,
            Self::Heavy => 2,
            Self::Entry => 3,
            Self::Free => 4,
        }
    }
}

/// Places and queue of one class.
#[derive(Debug)]
struct Gate {
    class: Class,
    places: Semaphore,
    size: usize,
    waiting: AtomicUsize,
    longest_queue: usize,
    longest_wait: Duration,
}

impl Gate {
    fn new(class: Class, size: usize, longest_queue: usize, longest_wait: Duration) -> Self {
        Self { class, places: Semaphore::new(size), size, waiting: AtomicUsize::new(0), longest_queue, longest_wait }
    }
}

/// The gates of one server.
#[derive(Debug)]
pub(super) struct Admission {
    gates: [Gate; 4],
    /// Running requests by actor, in slots that a few actors may share.
    actors: Box<[AtomicU32]>,
    hasher: RandomState,
    meters: Arc<Meters>,
}

/// A place, given back when it is dropped.
#[derive(Debug)]
pub(super) struct Admitted<'a> {
    _place: Option<SemaphorePermit<'a>>,
}

/// An actor's part of a class, given back when it is dropped.
#[derive(Debug)]
pub(super) struct Share<'a>(&'a AtomicU32);

impl Drop for Share<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

const ACTORS: usize = 1024;

impl Admission {
    /// `running` requests of the API at the same time, as many pages, `heavy` of the heavy ones.
    pub(super) fn new(running: usize, heavy: usize, meters: Arc<Meters>) -> Self {
        let (short, long) = (Duration::from_secs(2), Duration::from_secs(10));
        let gates = [
            Gate::new(Class::Page, running, running * 2, short),
            Gate::new(Class::Api, running, running * 2, short),
            Gate::new(Class::Heavy, heavy, heavy * 8, long),
            Gate::new(Class::Entry, 32, 256, Duration::from_secs(5)),
        ];
        Self { gates, actors: (0..ACTORS * 4).map(|_| AtomicU32::new(0)).collect(), hasher: RandomState::new(), meters }
    }

    /// A place in the class, after a short wait if need be.
    ///
    /// # Errors
    /// `WEB503` with `Retry-After` when the queue is full or the wait was too long.
    pub(super) async fn enter(&self, class: Class) -> Result<Admitted<'_>, Problem> {
        let Some(gate) = self.gates.get(class.index()) else { return Ok(Admitted { _place: None }) };
        if let Ok(place) = gate.places.try_acquire() {
            return Ok(Admitted { _place: Some(place) });
        }
        let queue = Queued::join(gate);
        if queue.position >= gate.longest_queue {
            self.meters.shed(class, Shed::QueueFull);
            return Err(overloaded());
        }
        match tokio::time::timeout(gate.longest_wait, gate.places.acquire()).await {
            Ok(Ok(place)) => Ok(Admitted { _place: Some(place) }),
            _ => {
                self.meters.shed(class, Shed::Waited);
                Err(overloaded())
            }
        }
    }

    /// The actor's part of the class.
    ///
    /// # Errors
    /// `WEB429` with `Retry-After` when one actor alone holds half of the class.
    pub(super) fn share(&self, class: Class, actor: i64) -> Result<Option<Share<'_>>, Problem> {
        let Some(gate) = self.gates.get(class.index()) else { return Ok(None) };
        let hash = usize::try_from(self.hasher.hash_one(actor) % ACTORS as u64).unwrap_or(0);
        let Some(slot) = self.actors.get(class.index() * ACTORS + hash) else { return Ok(None) };
        let share = Share(slot);
        let before = slot.fetch_add(1, Ordering::Relaxed);
        if before as usize >= (gate.size / 2).max(1) {
            self.meters.shed(class, Shed::Actor);
            let mut problem = Problem::new("WEB429", "too many requests of yours are running at the same time")
                .with_hint("wait for answers before sending more");
            problem.retry_after = Some(1);
            return Err(problem);
        }
        Ok(Some(share))
    }

    /// Class, places taken and requests waiting, for the metrics.
    pub(super) fn load(&self) -> impl Iterator<Item = (Class, usize, usize)> + '_ {
        self.gates
            .iter()
            .map(|gate| (gate.class, gate.size - gate.places.available_permits().min(gate.size), gate.waiting.load(Ordering::Relaxed)))
    }
}

/// A request in a gate's queue.
struct Queued<'a> {
    gate: &'a Gate,
    position: usize,
}

impl<'a> Queued<'a> {
    fn join(gate: &'a Gate) -> Self {
        Self { gate, position: gate.waiting.fetch_add(1, Ordering::Relaxed) }
    }
}

impl Drop for Queued<'_> {
    fn drop(&mut self) {
        self.gate.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

fn overloaded() -> Problem {
    let mut problem = Problem::new("WEB503", "the server has more requests than it can answer in time").with_hint("try again in a moment");
    problem.retry_after = Some(1);
    problem
}
