//! Who asks and from where, known to everything that a request does without being handed on.

use std::collections::HashSet;
use std::future::Future;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// The surroundings of a request or command.
#[derive(Debug, Default)]
pub struct Here {
    /// An address, or `command line`.
    pub origin: String,
    /// The request's id.
    pub request: Arc<str>,
    actor: OnceLock<(i64, &'static str)>,
    /// What was noted already, by a hash: one answer may read the same twice.
    noted: Mutex<HashSet<u64>>,
}

tokio::task_local! {
    static HERE: Arc<Here>;
}

impl Here {
    pub fn new(origin: impl Into<String>, request: impl Into<Arc<str>>) -> Self {
        Self { origin: origin.into(), request: request.into(), actor: OnceLock::new(), noted: Mutex::default() }
    }

    /// Says who asks, once that is known; only the first word counts.
    pub fn is_asked_by(&self, user: i64, kind: &'static str) {
        let _ = self.actor.set((user, kind));
    }

    /// Whether this is noted for the first time in these surroundings.
    pub fn is_new(&self, what: &impl Hash) -> bool {
        let mut hasher = DefaultHasher::new();
        what.hash(&mut hasher);
        self.noted.lock().unwrap_or_else(PoisonError::into_inner).insert(hasher.finish())
    }

    /// The one who asks and their kind; `nobody` for a visitor.
    pub fn actor(&self) -> (i64, &'static str) {
        self.actor.get().copied().unwrap_or((0, "nobody"))
    }
}

/// Runs `work` in these surroundings: units of work that begin in it know them.
pub async fn within<F: Future>(here: Arc<Here>, work: F) -> F::Output {
    HERE.scope(here, work).await
}

/// The surroundings of the present task, `None` for work of the program itself.
pub fn here() -> Option<Arc<Here>> {
    HERE.try_with(Arc::clone).ok()
}
