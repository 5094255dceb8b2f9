//! Pages for what went wrong.

use axum::http::StatusCode;

use super::{RENDERER, sidebar};
use crate::render::context::{Crumb, ErrorPage, Shell};
use crate::web::{Problem, Requester, State};

/// The page shown for a problem outside `/api`, in the colours chosen (`auto`, `light` or `dark`); `None` answers it as a problem document.
pub fn error_page(state: &State, problem: &Problem, requester: &Requester, theme: &str) -> Option<String> {
    let whole = state.catalog();
    let catalog = requester.actor(&whole).sees(&whole);
    let locale = requester.locale;
    let say = |key: &str| RENDERER.text(locale, key, &[]);
    let (title, text) = match problem.status {
        _ if problem.code == "ATH020" => (say("view-over"), say("view-over-text")),
        StatusCode::NOT_FOUND => (say("error-not-found"), say("error-not-found-text")),
        StatusCode::FORBIDDEN | StatusCode::UNAUTHORIZED => (say("error-forbidden"), say("error-forbidden-text")),
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => (say("error-busy"), say("error-busy-text")),
        status if status.is_server_error() => (say("error-failed"), say("error-failed-text")),
        _ => (say("error-bad"), problem.detail.clone()),
    };
    let viewer = requester.identity.as_ref().and_then(|identity| identity.viewer.as_ref());
    let is_ours = problem.status.is_server_error() || problem.status == StatusCode::NOT_FOUND;
    let page = ErrorPage {
        shell: Shell {
            title: title.clone(),
            theme: theme.to_owned(),
            workspace: catalog.settings.name.clone(),
            groups: sidebar::groups(requester, &catalog, ""),
            person: sidebar::person(requester),
            viewer: viewer.map(|viewer| viewer.name.clone()).unwrap_or_default(),
            crumbs: vec![Crumb { label: title.clone(), href: None }],
            ..Shell::default()
        },
        status: problem.status.as_u16(),
        title,
        text,
        hint: if is_ours || problem.code == "ATH020" { None } else { problem.hint.clone() },
        code: problem.code.to_owned(),
        request_id: requester.request_id.to_string(),
    };
    RENDERER.render("page/error", &page, locale).map_err(|fault| tracing::error!(error = %fault, "the error page cannot be rendered")).ok()
}
