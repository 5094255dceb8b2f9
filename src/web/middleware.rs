//! What surrounds every request.

use axum::Router;

use super::State;

/// Puts the layers around the whole site.
pub(super) fn surround(site: Router, _state: State) -> Router {
    site
}
