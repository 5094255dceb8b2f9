//! Pages for people, rendered on the server.

use axum::Router;

use super::State;

/// All pages. The surrounding layers have already found out who asks; a visitor who is not signed in reaches
/// only `/sign-in`, `/setup` and `/assets`.
pub fn routes(state: State) -> Router {
    Router::new().with_state(state)
}

/// The page shown for a problem outside `/api`; `None` answers it as plain text.
pub(super) fn error_page(_state: &State, _problem: &super::Problem, _requester: &super::Requester) -> Option<String> {
    None
}
