//! A stream with a watch on its peer.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

use super::Limits;
use super::registry::Entry;
use crate::base::Stopwatch;

/// Where a connection stands.
#[derive(Debug, Default)]
pub(super) struct Phase(AtomicU8);

impl Phase {
    /// Waiting for the next request.
    pub(super) const IDLE: u8 = 0;
    /// The first bytes of a head have come.
    pub(super) const HEAD: u8 = 1;
    /// A handler runs; bytes read now are its body.
    pub(super) const BUSY: u8 = 2;
    /// Never stored: what the timer waits for while an answer is not taken.
    const WRITE: u8 = 3;
    /// Never stored: no timer was set yet.
    const NEW: u8 = 4;

    pub(super) fn set(&self, phase: u8) {
        self.0.store(phase, Ordering::Release);
    }

    pub(super) fn get(&self) -> u8 {
        self.0.load(Ordering::Acquire)
    }
}

/// A stream that fails when its peer stalls: an idle one after the keep-alive time, a head that does not go on after the header
/// time, an answer that is not taken after the keep-alive time or slower than the least rate. The timer is set only when there
/// is something to wait for.
pub(super) struct Timed<S> {
    stream: S,
    entry: Arc<Entry>,
    limits: Limits,
    timer: Pin<Box<Sleep>>,
    /// The phase the timer was set in.
    timed_for: u8,
    /// Something moved since the timer was set.
    moved: bool,
    quiet_quarters: u8,
    /// An answer, or a part of one, has been written.
    served: bool,
    /// Since when the peer takes nothing.
    blocked: Option<Stopwatch>,
    /// For how long the peer has kept us waiting, less a second for each `least_rate` bytes it took.
    debt: Duration,
}

impl<S> Timed<S> {
    pub(super) fn new(stream: S, entry: Arc<Entry>, limits: Limits) -> Self {
        let timer = Box::pin(tokio::time::sleep(Duration::ZERO));
        Self {
            stream,
            entry,
            limits,
            timer,
            timed_for: Phase::NEW,
            moved: false,
            quiet_quarters: 0,
            served: false,
            blocked: None,
            debt: Duration::ZERO,
        }
    }

    /// Called while waiting: whether the peer has let the time of this phase pass. The time is taken in quarters, so that
    /// a busy connection does not set a timer for each request; a connection lives at most a quarter longer than allowed.
    fn is_late(&mut self, cx: &mut Context<'_>, phase: u8, allowed: Duration) -> bool {
        const QUARTERS: u8 = 4;
        if phase != self.timed_for {
            self.timed_for = phase;
            self.quiet_quarters = 0;
            self.moved = false;
            self.timer.set(tokio::time::sleep(allowed / u32::from(QUARTERS)));
        }
        while self.timer.as_mut().poll(cx).is_ready() {
            self.quiet_quarters = if self.moved { 0 } else { self.quiet_quarters + 1 };
            self.moved = false;
            if self.quiet_quarters >= QUARTERS {
                return true;
            }
            self.timer.set(tokio::time::sleep(allowed / u32::from(QUARTERS)));
        }
        false
    }

    fn after_write(&mut self, cx: &mut Context<'_>, result: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        match result {
            Poll::Ready(done) => {
                self.moved = true;
                self.served = true;
                if let Some(blocked) = self.blocked.take() {
                    self.debt += blocked.elapsed();
                }
                if let (Ok(count), false) = (&done, self.debt.is_zero()) {
                    let paid = Duration::from_millis(*count as u64 * 1000 / u64::from(self.limits.least_rate.max(1)));
                    self.debt = self.debt.saturating_sub(paid);
                }
                Poll::Ready(done)
            }
            Poll::Pending if self.is_late(cx, Phase::WRITE, self.limits.keep_alive) || self.is_slow() => Poll::Ready(Err(stalled())),
            Poll::Pending => Poll::Pending,
        }
    }

    /// Called while an answer waits to be taken: whether it is taken slower than allowed. Only the time that the peer keeps us
    /// waiting counts, so that a stream of events may be quiet.
    fn is_slow(&mut self) -> bool {
        let blocked = self.blocked.get_or_insert_with(Stopwatch::start);
        self.debt + blocked.elapsed() > self.limits.keep_alive
    }
}

pub(super) fn stalled() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "the peer stalled")
}

impl<S: AsyncRead + Unpin> AsyncRead for Timed<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        if let Poll::Ready(done) = Pin::new(&mut self.stream).poll_read(cx, buffer) {
            // The whole head must come within one header time, so its later bytes do not start the time anew.
            if buffer.filled().len() > before && self.entry.phase.get() == Phase::IDLE {
                self.entry.phase.set(Phase::HEAD);
            }
            return Poll::Ready(done);
        }
        let phase = self.entry.phase.get();
        let allowed = match phase {
            // While a handler computes, a silent peer is no fault: hyper only looks for its end. A body that stalls is
            // noticed by `StallGuard`.
            Phase::BUSY => return Poll::Pending,
            // A fresh connection that says nothing gets the header time only.
            Phase::IDLE if !self.served => self.limits.header_timeout,
            Phase::IDLE => self.limits.keep_alive,
            _ => self.limits.header_timeout,
        };
        if self.is_late(cx, phase, allowed) { Poll::Ready(Err(stalled())) } else { Poll::Pending }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Timed<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.after_write(cx, result)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        // The answer is out: from here on the connection is idle, and nobody may ask to read from it again.
        if flushed.is_ready() && self.served && self.entry.phase.get() == Phase::IDLE {
            let keep_alive = self.limits.keep_alive;
            let _ = self.is_late(cx, Phase::IDLE, keep_alive);
        }
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(mut self: Pin<&mut Self>, cx: &mut Context<'_>, slices: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.after_write(cx, result)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
