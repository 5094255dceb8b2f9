//! The REST API under `/api/v1`, and the two health addresses.

use axum::Router;

use super::State;

/// All routes of the API.
pub(super) fn routes(state: State) -> Router {
    Router::new().with_state(state)
}
