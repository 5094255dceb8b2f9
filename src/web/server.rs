//! The accept loop: connections over hyper with time limits of our own, a cap, and a graceful stop.
//!
//! `axum::serve` has no limit on how long a request's head may take, so a half-sent request would stay open for ever.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::Sleep;
use tower::Service;

use super::config::WebConfig;

/// The address of the other end of the connection; behind a proxy that is the proxy.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub SocketAddr);

/// Limits of the accept loop, from [`WebConfig`].
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    pub max_connections: usize,
    pub keep_alive: Duration,
    pub header_timeout: Duration,
    pub shutdown_deadline: Duration,
}

impl From<&WebConfig> for Limits {
    fn from(config: &WebConfig) -> Self {
        Self {
            max_connections: config.max_connections,
            keep_alive: config.keep_alive,
            header_timeout: config.header_timeout,
            shutdown_deadline: config.shutdown_deadline,
        }
    }
}

/// Serves `router` until `shutdown` completes; then running requests get `limits.shutdown_deadline` to end.
pub async fn serve(listener: TcpListener, router: Router, limits: Limits, shutdown: impl Future<Output = ()>) -> io::Result<()> {
    let graceful = GracefulShutdown::new();
    let slots = Arc::new(Semaphore::new(limits.max_connections));
    tokio::pin!(shutdown);
    loop {
        let slot = tokio::select! {
            slot = slots.clone().acquire_owned() => slot.map_err(io::Error::other)?,
            () = &mut shutdown => break,
        };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut shutdown => break,
        };
        let (stream, peer) = match accepted {
            Ok(connection) => connection,
            Err(error) => {
                // Out of descriptors or a connection that died while waiting: go on after a breath.
                tracing::warn!(error = %error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(20)).await;
                continue;
            }
        };
        let _ = stream.set_nodelay(true);
        let phase = Arc::new(Phase::default());
        let io = TokioIo::new(Timed::new(stream, phase.clone(), limits));
        let service = connection_service(router.clone(), peer, phase, limits.header_timeout);
        let connection = hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(None)
            .max_headers(64)
            .max_buf_size(64 * 1024)
            .serve_connection(io, service);
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            let _slot = slot;
            if let Err(error) = connection.await {
                tracing::debug!(error = %error, "a connection ended early");
            }
        });
    }
    drop(listener);
    if tokio::time::timeout(limits.shutdown_deadline, graceful.shutdown()).await.is_err() {
        tracing::warn!("requests were still running at the deadline and have been cut off");
    }
    Ok(())
}

/// The router as hyper wants it, telling the connection's phase around each request.
fn connection_service(
    router: Router,
    peer: SocketAddr,
    phase: Arc<Phase>,
    header_timeout: Duration,
) -> impl hyper::service::Service<Request<Incoming>, Response = axum::response::Response, Error = std::convert::Infallible, Future: Send> {
    hyper::service::service_fn(move |request: Request<Incoming>| {
        phase.set(Phase::BUSY);
        let mut request = request.map(|body| {
            if hyper::body::Body::is_end_stream(&body) {
                Body::empty()
            } else {
                Body::new(StallGuard { body, timeout: header_timeout, timer: None })
            }
        });
        request.extensions_mut().insert(Peer(peer));
        let answer = router.clone().call(request);
        let phase = phase.clone();
        async move {
            let response = answer.await;
            phase.set(Phase::IDLE);
            response
        }
    })
}

/// Where a connection stands.
#[derive(Debug, Default)]
struct Phase(AtomicU8);

impl Phase {
    /// Waiting for the next request.
    const IDLE: u8 = 0;
    /// The first bytes of a head have come.
    const HEAD: u8 = 1;
    /// A handler runs; bytes read now are its body.
    const BUSY: u8 = 2;
    /// Never stored: what the timer waits for while an answer is not taken.
    const WRITE: u8 = 3;
    /// Never stored: no timer was set yet.
    const NEW: u8 = 4;

    fn set(&self, phase: u8) {
        self.0.store(phase, Ordering::Release);
    }

    fn get(&self) -> u8 {
        self.0.load(Ordering::Acquire)
    }
}

/// A stream that fails when its peer stalls: an idle one after the keep-alive time, a head that does not go on or an
/// answer that is not taken after the header time. The timer is set only when there is something to wait for.
struct Timed {
    stream: TcpStream,
    phase: Arc<Phase>,
    limits: Limits,
    timer: Pin<Box<Sleep>>,
    /// The phase the timer was set in.
    timed_for: u8,
    /// Something moved since the timer was set.
    moved: bool,
    quiet_quarters: u8,
    /// An answer, or a part of one, has been written.
    served: bool,
}

impl Timed {
    fn new(stream: TcpStream, phase: Arc<Phase>, limits: Limits) -> Self {
        let timer = Box::pin(tokio::time::sleep(Duration::ZERO));
        Self { stream, phase, limits, timer, timed_for: Phase::NEW, moved: false, quiet_quarters: 0, served: false }
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
                Poll::Ready(done)
            }
            Poll::Pending if self.is_late(cx, Phase::WRITE, self.limits.keep_alive) => Poll::Ready(Err(stalled())),
            Poll::Pending => Poll::Pending,
        }
    }
}

fn stalled() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "the peer stalled")
}

impl AsyncRead for Timed {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        if let Poll::Ready(done) = Pin::new(&mut self.stream).poll_read(cx, buffer) {
            // The whole head must come within one header time, so its later bytes do not start the time anew.
            if buffer.filled().len() > before && self.phase.get() == Phase::IDLE {
                self.phase.set(Phase::HEAD);
            }
            return Poll::Ready(done);
        }
        let phase = self.phase.get();
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

impl AsyncWrite for Timed {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.after_write(cx, result)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        // The answer is out: from here on the connection is idle, and nobody may ask to read from it again.
        if flushed.is_ready() && self.served && self.phase.get() == Phase::IDLE {
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

/// A request body that fails when its next piece does not come within the header time.
struct StallGuard {
    body: Incoming,
    timeout: Duration,
    timer: Option<Pin<Box<Sleep>>>,
}

impl hyper::body::Body for StallGuard {
    type Data = <Incoming as hyper::body::Body>::Data;
    type Error = axum::BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<hyper::body::Frame<Self::Data>, Self::Error>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) {
            self.timer = None;
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        let timeout = self.timeout;
        let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep(timeout)));
        if timer.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Some(Err(stalled().into())));
        }
        Poll::Pending
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> hyper::body::SizeHint {
        self.body.size_hint()
    }
}
