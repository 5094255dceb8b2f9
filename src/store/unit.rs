//! A unit of work on its way to the database and its answer on the way back.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::sync::oneshot;

use super::tx::BoxFuture;
use super::{StoreError, Tx};

/// How a unit wants to be run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// Beside or together with others.
    Shared,
    /// Like [`Mode::Shared`], and hardly ever fails once it has written: on SQLite it gets no savepoint, which costs a
    /// copy of every page it touches. If it fails late after all, the batch is undone and the others are told to try again.
    Bare,
    /// No other unit runs meanwhile: tables or definitions change.
    Exclusive,
    /// Exclusive, and undone whatever it returns.
    Rehearsal,
}

impl Mode {
    /// Others may run beside it.
    pub fn is_shared(self) -> bool {
        matches!(self, Mode::Shared | Mode::Bare)
    }
}

/// The work of a unit, without its types.
type Work = Box<dyn for<'a> FnOnce(&'a mut Tx) -> BoxFuture<'a, Ran> + Send>;

/// A unit without its types.
pub(super) struct Unit {
    pub mode: Mode,
    pub longest: Duration,
    pub run: Work,
    refusal: Arc<OnceLock<StoreError>>,
}

/// Where the answer of a unit arrives.
pub(super) struct Answer<T, E> {
    receiver: oneshot::Receiver<Result<T, E>>,
    refusal: Arc<OnceLock<StoreError>>,
}

impl Unit {
    /// Answers a unit that was not run.
    pub fn refuse(self, error: StoreError) {
        let _ = self.refusal.set(error);
    }
}

impl<T, E: From<StoreError>> Answer<T, E> {
    pub async fn wait(self) -> Result<T, E> {
        match self.receiver.await {
            Ok(answer) => answer,
            Err(_) => Err(self.refusal.get().cloned().unwrap_or(StoreError::Closed).into()),
        }
    }
}

/// A unit that has run. Its answer waits for the commit.
pub(super) struct Ran {
    /// It returned `Ok`.
    pub keep: bool,
    /// Sends the answer; `Err` turns an `Ok` into this fault.
    pub answer: Box<dyn FnOnce(Result<(), StoreError>) + Send>,
}

impl std::fmt::Debug for Unit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Unit({:?})", self.mode)
    }
}

/// Wraps a closure; the receiver gets what it returned, once that is final.
pub(super) fn unit<T, E>(
    mode: Mode,
    longest: Duration,
    work: impl for<'a> FnOnce(&'a mut Tx) -> BoxFuture<'a, Result<T, E>> + Send + 'static,
) -> (Unit, Answer<T, E>)
where
    T: Send + 'static,
    E: From<StoreError> + Send + 'static,
{
    let (sender, receiver) = oneshot::channel();
    let here = super::audit::here();
    let run: Work = Box::new(move |tx| {
        tx.here = here;
        Box::pin(async move {
            let outcome = run_guarded(tx, longest, work).await;
            let keep = outcome.is_ok();
            let answer = move |commit: Result<(), StoreError>| {
                let answer = match (outcome, commit) {
                    (Ok(_), Err(error)) => Err(error.into()),
                    (outcome, _) => outcome,
                };
                // The one who asked may have gone away.
                let _ = sender.send(answer);
            };
            Ran { keep, answer: Box::new(answer) }
        })
    });
    let refusal = Arc::new(OnceLock::new());
    (Unit { mode, longest, run, refusal: Arc::clone(&refusal) }, Answer { receiver, refusal })
}

/// Runs the closure with a deadline; a panic becomes an error.
async fn run_guarded<T, E>(
    tx: &mut Tx,
    longest: Duration,
    work: impl for<'a> FnOnce(&'a mut Tx) -> BoxFuture<'a, Result<T, E>> + Send,
) -> Result<T, E>
where
    T: Send,
    E: From<StoreError> + Send,
{
    let outcome = match std::panic::catch_unwind(AssertUnwindSafe(|| work(tx))) {
        Ok(future) => tokio::time::timeout(longest, CatchPanic(future)).await,
        Err(panic) => Ok(Err(panic)),
    };
    match outcome {
        Ok(Ok(Ok(value))) => {
            tx.check_keepable()?;
            Ok(value)
        }
        Ok(Ok(Err(error))) => Err(error),
        Ok(Err(panic)) => Err(StoreError::Panicked(message(panic.as_ref())).into()),
        Err(_) => Err(StoreError::Timeout.into()),
    }
}

/// A future whose panic is a value.
struct CatchPanic<'a, T>(BoxFuture<'a, T>);

impl<T> Future for CatchPanic<'_, T> {
    type Output = Result<T, Box<dyn std::any::Any + Send>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match std::panic::catch_unwind(AssertUnwindSafe(|| self.0.as_mut().poll(context))) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(value)) => Poll::Ready(Ok(value)),
            Err(panic) => Poll::Ready(Err(panic)),
        }
    }
}

fn message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "panic".to_owned())
}
