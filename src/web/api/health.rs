//! Whether this process lives, whether it can serve, and what it counts.

use std::sync::atomic::Ordering;

use axum::Extension;
use axum::extract::State as Shared;
use axum::http::StatusCode;
use axum::http::header::{self, HeaderMap};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::answer;
use crate::web::config::{is_loopback_host, split_port};
use crate::web::{Gauge, Peer, Problem, State, WebConfig};

/// `GET /healthz`: the process answers.
pub(super) async fn live(Shared(state): Shared<State>) -> Response {
    answer::json(
        StatusCode::OK,
        &json!({ "status": "ok", "version": state.config.version, "panics": state.panics.load(Ordering::Relaxed) }),
    )
}

/// `GET /readyz`: the database answers and a catalog is loaded.
pub(super) async fn ready(Shared(state): Shared<State>) -> Result<Response, Problem> {
    match state.readiness.ready().await {
        Ok(()) => Ok(answer::json(StatusCode::OK, &json!({ "status": "ready", "catalog": state.catalog().version }))),
        Err(reason) => {
            let mut problem = Problem::new("WEB503", reason);
            problem.retry_after = Some(1);
            Err(problem)
        }
    }
}

/// `GET /metrics`: Prometheus' text, for this machine or for the one who has the token. To others there is nothing here.
pub(super) async fn metrics(Shared(state): Shared<State>, peer: Option<Extension<Peer>>, headers: HeaderMap) -> Result<Response, Problem> {
    if !may_read_metrics(&state.config, peer.map(|Extension(peer)| peer), &headers) {
        return Err(Problem::not_found());
    }
    let mut gauges = state.readiness.gauges().await;
    let streams = i64::try_from(state.config.streams.count()).unwrap_or(i64::MAX);
    gauges.push(Gauge { name: "relata_streams_open", help: "Open event streams.", labels: String::new(), value: streams });
    let text = state.config.meters.text(&state.admission, state.panics.load(Ordering::Relaxed), &gauges);
    let kind = "text/plain; version=0.0.4; charset=utf-8";
    Ok(([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "no-store")], text).into_response())
}

fn may_read_metrics(config: &WebConfig, peer: Option<Peer>, headers: &HeaderMap) -> bool {
    use subtle::ConstantTimeEq;
    let text = |name: header::HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(token) = &config.metrics_token {
        let given = text(header::AUTHORIZATION).and_then(|value| value.strip_prefix("Bearer ")).unwrap_or("");
        return given.as_bytes().ct_eq(token.as_bytes()).into();
    }
    // What comes from a proxy on this machine comes from elsewhere: it names the site's host or says for whom it asks.
    let is_here = peer.is_some_and(|peer| peer.0.ip().to_canonical().is_loopback());
    let is_asked_here = text(header::HOST).and_then(split_port).is_some_and(|(host, _)| is_loopback_host(host));
    let is_forwarded = ["x-forwarded-for", "x-forwarded-host", "forwarded", "via"].iter().any(|name| headers.contains_key(*name));
    is_here && is_asked_here && !is_forwarded
}
