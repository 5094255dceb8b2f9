//! The web: REST under `/api/v1`, pages beside it. The only room that knows axum and hyper; it holds no SQL and no rules.
//!
//! `app` makes [`Services`], asks [`router`] for the whole site and hands it to [`serve`].

mod admission;
mod config;
mod door;
mod error;
mod importing;
mod mailing;
mod meters;
mod middleware;
mod requester;
mod scope;
mod server;
mod state;
mod streams;
mod telling;
mod tls;

pub mod api;
pub mod files;
pub mod notified;
mod pages;

use std::future::Future;
use std::io;

use axum::Router;
use tokio::net::TcpListener;

pub use config::{Network, PublicUrl, WebConfig};
pub use door::{DefinitionsDoor, DoorFault, Readiness, SourceFile};
pub use error::{Fault, Problem, status_of};
pub use meters::{Gauge, Meters};
pub use middleware::current_request;
pub use requester::{Requester, clear_session_cookie, session_cookie};
pub use server::Peer;
pub use state::{Services, State};
pub use streams::Streams;
pub use tls::Tls;

/// The whole site: API, pages, health, and everything that surrounds them.
pub fn router(services: Services) -> Router {
    let state = State::new(services);
    let site = Router::new().merge(api::routes(state.clone())).merge(pages::routes(state.clone()));
    middleware::surround(site, state)
}

/// Serves a router until `shutdown` completes, then lets running requests end within the configured deadline.
pub async fn serve(listener: TcpListener, router: Router, config: &WebConfig, shutdown: impl Future<Output = ()>) -> io::Result<()> {
    server::serve(listener, router, config, shutdown).await
}
