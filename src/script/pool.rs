//! Threads that scripts run on: few, with a stack deep enough for the allowed recursion, never the runtime's own.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

/// Enough for 32 calls of deeply nested expressions in a build without optimisation. Only touched pages cost memory.
const STACK_BYTES: usize = 32 * 1024 * 1024;

/// Work that waits for a thread.
const WAITING: usize = 1_024;

type Work = Box<dyn FnOnce() + Send>;

/// A bounded set of threads, started when they are first needed. Cloning shares them; they end when the last clone is dropped.
#[derive(Debug, Clone)]
pub struct Pool {
    shared: Arc<Owner>,
}

#[derive(Debug)]
struct Owner(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    arrived: Condvar,
    most_threads: usize,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Work>,
    threads: usize,
    idle: usize,
    is_closed: bool,
}

/// The work was not taken: too much is waiting, or the machine gives no threads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many scripts are running")]
pub struct Busy;

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("most_threads", &self.most_threads).finish_non_exhaustive()
    }
}

impl Pool {
    /// At most `threads` threads (at least one).
    pub fn new(threads: usize) -> Self {
        let shared = Shared { state: Mutex::new(State::default()), arrived: Condvar::new(), most_threads: threads.max(1) };
        Self { shared: Arc::new(Owner(Arc::new(shared))) }
    }

    /// Runs `job` on one of the threads. The receiver fails when the job broke off.
    ///
    /// # Errors
    /// [`Busy`] when too much is waiting already.
    pub fn run<T: Send + 'static>(&self, job: impl FnOnce() -> T + Send + 'static) -> Result<oneshot::Receiver<T>, Busy> {
        let (answer, receiver) = oneshot::channel();
        let work: Work = Box::new(move || {
            // The asker may have gone: nobody misses the answer then.
            let _ = answer.send(job());
        });
        let shared = &self.shared.0;
        let mut state = shared.lock();
        if state.waiting.len() >= WAITING {
            return Err(Busy);
        }
        // A thread that has just answered counts as busy for a moment: at the most threads the work waits for it.
        if state.idle <= state.waiting.len() && state.threads < shared.most_threads {
            let served = Arc::clone(shared);
            let name = format!("script-{}", state.threads);
            std::thread::Builder::new().name(name).stack_size(STACK_BYTES).spawn(move || served.serve()).map_err(|_| Busy)?;
            state.threads += 1;
            state.idle += 1;
        }
        state.waiting.push_back(work);
        drop(state);
        shared.arrived.notify_one();
        Ok(receiver)
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn serve(&self) {
        let mut state = self.lock();
        loop {
            if let Some(work) = state.waiting.pop_front() {
                state.idle -= 1;
                drop(state);
                // A job catches its own panics; this keeps the thread should one slip through.
                let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
                state = self.lock();
                state.idle += 1;
            } else if state.is_closed {
                return;
            } else {
                state = self.arrived.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
        }
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.0.lock().is_closed = true;
        self.0.arrived.notify_all();
    }
}
