//! Whether this process lives, and whether it can serve.

use std::sync::atomic::Ordering;

use axum::extract::State as Shared;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;

use super::answer;
use crate::web::{Problem, State};

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
