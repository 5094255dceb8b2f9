//! Threads that scripts run on: few, with a stack deep enough for the allowed recursion, never the runtime's own.

use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::oneshot;

/// Enough for 32 calls of deeply nested expressions in a build without optimisation. Only touched pages cost memory.
const STACK_BYTES: usize = 32 * 1024 * 1024;
/// Scripts that wait for a thread.
const WAITING: usize = 1_024;

type Work = Box<dyn FnOnce() + Send>;

/// A bounded set of threads. Cloning shares them; they end when the last clone is dropped.
#[derive(Debug, Clone)]
pub struct Pool {
    queue: SyncSender<Work>,
}

/// No thread took the work: the queue is full or the machine gives no threads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many scripts are waiting")]
pub struct Busy;

impl Pool {
    /// Starts `threads` threads (at least one).
    ///
    /// # Errors
    /// When the operating system gives no thread.
    pub fn start(threads: usize) -> std::io::Result<Self> {
        let (queue, work) = sync_channel::<Work>(WAITING);
        let work = Arc::new(Mutex::new(work));
        for number in 0..threads.max(1) {
            let work = Arc::clone(&work);
            std::thread::Builder::new().name(format!("script-{number}")).stack_size(STACK_BYTES).spawn(move || serve(&work))?;
        }
        Ok(Self { queue })
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
        match self.queue.try_send(work) {
            Ok(()) => Ok(receiver),
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => Err(Busy),
        }
    }
}

fn serve(work: &Mutex<Receiver<Work>>) {
    loop {
        let next = work.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = next else { return };
        // A job catches its own panics; this keeps the thread should one slip through.
        let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(job));
    }
}
