//! The accept loop: connections over hyper with time limits of our own, a cap, TLS, and a graceful stop.
//!
//! `axum::serve` has no limit on how long a request's head may take, so a half-sent request would stay open for ever.

mod body;
mod framing;
mod registry;
mod timed;

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tower::Service;

use self::body::StallGuard;
use self::framing::Framed;
use self::registry::{Entry, Place, Registry};
use self::timed::{Phase, Timed};
use super::config::WebConfig;
use super::tls::Tls;

/// The address of the other end of the connection; behind a proxy that is the proxy.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub SocketAddr);

/// Limits of the accept loop, from [`WebConfig`].
#[derive(Debug, Clone, Copy)]
struct Limits {
    keep_alive: Duration,
    header_timeout: Duration,
    least_rate: u32,
}

/// Serves `router` until `shutdown` completes; then running requests get `config.shutdown_deadline` to end.
pub async fn serve(listener: TcpListener, router: Router, config: &WebConfig, shutdown: impl Future<Output = ()>) -> io::Result<()> {
    let graceful = GracefulShutdown::new();
    let registry = Arc::new(Registry::new(config.max_connections, config.meters.clone()));
    let limits = Limits { keep_alive: config.keep_alive, header_timeout: config.header_timeout, least_rate: config.least_body_rate };
    tokio::pin!(shutdown);
    loop {
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
        let place = tokio::select! {
            place = registry.place() => place,
            () = &mut shutdown => break,
        };
        let Some(place) = place else { break };
        let _ = stream.set_nodelay(true);
        let one = Connection { router: router.clone(), peer, place, limits, registry: registry.clone() };
        let watcher = graceful.watcher();
        match &config.tls {
            None => drop(tokio::spawn(one.run(stream, watcher))),
            Some(tls) => drop(tokio::spawn(one.run_tls(stream, tls.clone(), watcher))),
        }
    }
    drop(listener);
    // A stream would go on for ever; its client comes back, to another process or to the next one.
    config.streams.stop();
    if tokio::time::timeout(config.shutdown_deadline, graceful.shutdown()).await.is_err() {
        tracing::warn!("requests were still running at the deadline and have been cut off");
    }
    Ok(())
}

/// One accepted connection.
struct Connection {
    router: Router,
    peer: SocketAddr,
    place: Place,
    limits: Limits,
    registry: Arc<Registry>,
}

impl Connection {
    /// Shakes hands first, within the header time.
    async fn run_tls<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(self, stream: S, tls: Tls, watcher: Watcher) {
        let shaking = tokio::time::timeout(self.limits.header_timeout, tls.acceptor().accept(stream));
        let shaken = tokio::select! {
            shaken = shaking => shaken,
            () = self.place.entry.close.notified() => return self.registry.meters().connections.gave_way(),
        };
        match shaken {
            Ok(Ok(stream)) => self.run(stream, watcher).await,
            Ok(Err(error)) => {
                self.registry.meters().connections.handshake_failed();
                tracing::debug!(error = %error, "no TLS with this peer");
            }
            Err(_) => self.registry.meters().connections.handshake_failed(),
        }
    }

    async fn run<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(self, stream: S, watcher: Watcher) {
        let entry = self.place.entry.clone();
        let io = TokioIo::new(Framed::new(Timed::new(stream, entry.clone(), self.limits)));
        let service = connection_service(self.router, self.peer, entry.clone(), self.registry.clone(), self.limits);
        let connection = hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(None)
            .max_headers(64)
            .max_buf_size(64 * 1024)
            .serve_connection(io, service);
        let mut connection = std::pin::pin!(watcher.watch(connection));
        loop {
            tokio::select! {
                biased;
                ended = connection.as_mut() => {
                    if let Err(error) = ended {
                        self.registry.meters().connections.ended_early();
                        tracing::debug!(error = %error, "a connection ended early");
                    }
                    break;
                }
                () = entry.close.notified() => {
                    // A request that came in the meantime is answered first.
                    if entry.phase.get() != Phase::BUSY {
                        self.registry.meters().connections.gave_way();
                        break;
                    }
                }
            }
        }
        drop(self.place);
    }
}

/// The router as hyper wants it, telling the connection's phase around each request.
fn connection_service(
    router: Router,
    peer: SocketAddr,
    entry: Arc<Entry>,
    registry: Arc<Registry>,
    limits: Limits,
) -> impl hyper::service::Service<Request<Incoming>, Response = axum::response::Response, Error = std::convert::Infallible, Future: Send> {
    hyper::service::service_fn(move |request: Request<Incoming>| {
        entry.phase.set(Phase::BUSY);
        let mut request = request.map(|body| {
            if hyper::body::Body::is_end_stream(&body) {
                Body::empty()
            } else {
                Body::new(StallGuard::new(body, limits.header_timeout, limits.least_rate))
            }
        });
        request.extensions_mut().insert(Peer(peer));
        let answer = router.clone().call(request);
        let (entry, registry) = (entry.clone(), registry.clone());
        async move {
            let response = answer.await;
            Place::became_idle(&registry, &entry);
            response
        }
    })
}
