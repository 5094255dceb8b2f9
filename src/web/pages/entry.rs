//! Signing in and out, and the first administrator.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;

use super::page::{Page, is_own_path};
use super::post::Post;
use super::second_factor::go_on;
use crate::auth::{AuthError, NewUser, SessionStart};
use crate::base::Locale;
use crate::render::context::{Choice, EntryPage};
use crate::web::{Problem, clear_session_cookie, session_cookie};

/// `GET /sign-in`
pub(super) async fn sign_in_form(page: Page) -> Result<Response, Problem> {
    if page.requester.by_session {
        return Ok(page.go("/"));
    }
    let next = page.params.get("next").unwrap_or("").to_owned();
    let over = page.params.get("over").map(|_| page.say("sign-in-over", &[]));
    sign_in_page(&page, StatusCode::OK, over, "", &next)
}

fn sign_in_page(page: &Page, status: StatusCode, error: Option<String>, email: &str, next: &str) -> Result<Response, Problem> {
    let context = EntryPage {
        shell: page.shell(&page.say("sign-in-title", &[]), "", Vec::new()),
        error,
        email: email.to_owned(),
        next: next.to_owned(),
        provider: page.state.auth.provider_name().map(str::to_owned),
        ..EntryPage::default()
    };
    Ok(unkept(page.html(status, "page/sign-in", &context)?))
}

/// The sign-in page after another way in was refused.
pub(super) fn sign_in_refused(page: &Page, status: StatusCode, error: String) -> Result<Response, Problem> {
    sign_in_page(page, status, Some(error), "", "")
}

/// `POST /sign-in`
pub(super) async fn sign_in(page: Page, post: Post) -> Result<Response, Problem> {
    let (email, next) = (post.get("email").trim(), post.get("next"));
    match page.state.auth.sign_in_from(email, post.get("password"), &page.requester.caller()).await {
        Err(AuthError::WrongCredentials) => {
            sign_in_page(&page, StatusCode::UNPROCESSABLE_ENTITY, Some(page.say("sign-in-wrong", &[])), email, next)
        }
        Err(AuthError::Throttled { .. }) => {
            sign_in_page(&page, StatusCode::TOO_MANY_REQUESTS, Some(page.say("sign-in-throttled", &[])), email, next)
        }
        outcome => go_on(&page, outcome, next).await,
    }
}

pub(super) fn begin(page: &Page, start: &SessionStart, next: &str) -> Response {
    let to = if is_own_path(next) { next } else { "/" };
    let mut response = page.go(to);
    response.headers_mut().insert(header::SET_COOKIE, session_cookie(&page.state.config, start));
    unkept(response)
}

/// `GET /sign-in/link?token=…`: looks only; a mail scanner that follows the link must not use it up.
pub(super) async fn link_form(page: Page) -> Result<Response, Problem> {
    let token = page.params.get("token").unwrap_or("").to_owned();
    let is_valid = page.state.auth.sign_in_link_is_valid(&token).await?;
    let text = page.say(if is_valid { "sign-in-link-text" } else { "sign-in-link-bad" }, &[]);
    let context = EntryPage {
        shell: page.shell(&page.say("sign-in-link-title", &[]), "", Vec::new()),
        token: if is_valid { token } else { String::new() },
        closed: Some(text),
        ..EntryPage::default()
    };
    Ok(unkept(page.html(StatusCode::OK, "page/message", &context)?))
}

/// `POST /sign-in/link`
pub(super) async fn link(page: Page, post: Post) -> Result<Response, Problem> {
    match page.state.auth.sign_in_by_link_from(post.get("token"), &page.requester.caller()).await {
        Err(AuthError::BadLink) => {
            let context = EntryPage {
                shell: page.shell(&page.say("sign-in-link-title", &[]), "", Vec::new()),
                closed: Some(page.say("sign-in-link-bad", &[])),
                ..EntryPage::default()
            };
            Ok(unkept(page.html(StatusCode::UNPROCESSABLE_ENTITY, "page/message", &context)?))
        }
        outcome => go_on(&page, outcome, "/").await,
    }
}

/// `POST /sign-out`
pub(super) async fn sign_out(page: Page, headers: HeaderMap) -> Result<Response, Problem> {
    if let Some(cookie) = crate::web::middleware::session_of(&page.state.config, &headers) {
        page.state.auth.sign_out(cookie).await?;
    }
    let mut response = page.go("/sign-in");
    let headers = response.headers_mut();
    headers.insert(header::SET_COOKIE, clear_session_cookie(&page.state.config));
    headers.insert("clear-site-data", HeaderValue::from_static("\"cache\", \"storage\""));
    Ok(unkept(response))
}

/// `GET /setup?token=…`
pub(super) async fn setup_form(page: Page) -> Result<Response, Problem> {
    let token = page.params.get("token").unwrap_or("").to_owned();
    let closed = if !page.state.auth.setup_is_open().await? {
        Some("setup-closed")
    } else if !page.state.auth.setup_token_is_valid(&token).await? {
        Some("setup-bad-link")
    } else {
        None
    };
    setup_page(&page, StatusCode::OK, &token, "", "", None, closed)
}

fn setup_page(
    page: &Page,
    status: StatusCode,
    token: &str,
    name: &str,
    email: &str,
    error: Option<String>,
    closed: Option<&str>,
) -> Result<Response, Problem> {
    let context = EntryPage {
        shell: page.shell(&page.say("setup-title", &[]), "", Vec::new()),
        error,
        name: name.to_owned(),
        email: email.to_owned(),
        token: token.to_owned(),
        next: String::new(),
        locales: locales(Some(page.ui.locale)),
        closed: closed.map(|key| page.say(key, &[])),
        ..EntryPage::default()
    };
    Ok(unkept(page.html(status, "page/setup", &context)?))
}

/// `POST /setup`
pub(super) async fn set_up(page: Page, post: Post) -> Result<Response, Problem> {
    let admin = NewUser {
        name: post.get("name").trim().to_owned(),
        email: post.get("email").trim().to_owned(),
        password: post.get("password").to_owned(),
        locale: Locale::from_tag(post.get("locale")),
        admin: true,
    };
    let (name, email) = (admin.name.clone(), admin.email.clone());
    let token = post.get("token");
    match page.state.auth.set_up_from(token, admin, &page.requester.caller()).await {
        Ok(start) => Ok(begin(&page, &start, "/")),
        Err(AuthError::SetupClosed) => setup_page(&page, StatusCode::OK, "", "", "", None, Some("setup-closed")),
        Err(AuthError::BadLink) => setup_page(&page, StatusCode::UNPROCESSABLE_ENTITY, "", "", "", None, Some("setup-bad-link")),
        Err(AuthError::WeakPassword(_)) => {
            setup_page(&page, StatusCode::UNPROCESSABLE_ENTITY, token, &name, &email, Some(page.say("account-weak-password", &[])), None)
        }
        Err(AuthError::Record(fault @ crate::record::RecordError::Invalid(_))) => {
            setup_page(&page, StatusCode::UNPROCESSABLE_ENTITY, token, &name, &email, Some(fault.to_string()), None)
        }
        Err(fault) => Err(fault.into()),
    }
}

/// The product's languages, each in its own words.
pub(super) fn locales(current: Option<Locale>) -> Vec<Choice> {
    let names = [(Locale::En, "English"), (Locale::ZhCn, "简体中文"), (Locale::ZhTw, "繁體中文")];
    names
        .iter()
        .map(|(locale, name)| Choice {
            value: locale.tag().to_owned(),
            label: (*name).to_owned(),
            selected: current == Some(*locale),
            ..Choice::default()
        })
        .collect()
}

/// Pages about passwords and links are kept nowhere.
pub(super) fn unkept(mut response: Response) -> Response {
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
