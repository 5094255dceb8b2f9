//! Single sign-on: to the identity provider and back.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;

use super::entry::{sign_in_refused, unkept};
use super::page::{Page, cookie};
use super::post::Post;
use super::second_factor::go_on;
use crate::auth::{AuthError, SsoEnd};
use crate::render::Arg;
use crate::render::context::EntryPage;
use crate::web::Problem;

/// Ties the way back to the browser that set out.
const COOKIE: &str = "relata_sso";
const BACK: &str = "/sign-in/sso/callback";

/// `POST /sign-in/sso`: a page that leads on. A redirect would not do: the policy of our pages lets forms end here only.
pub(super) async fn begin(page: Page, post: Post) -> Result<Response, Problem> {
    let back = page.state.config.public_url.join(BACK);
    let start = match page.state.auth.begin_sso(&back, post.get("next")).await {
        Ok(start) => start,
        Err(fault) => return refused(&page, fault),
    };
    let context = EntryPage {
        shell: page.shell(&page.say("sign-in-title", &[]), "", Vec::new()),
        next: start.url.clone(),
        closed: Some(page.say("sso-going", &[("name", Arg::Text(page.state.auth.provider_name().unwrap_or("")))])),
        ..EntryPage::default()
    };
    let mut response = unkept(page.html(StatusCode::OK, "page/leaving", &context)?);
    let headers = response.headers_mut();
    if let Ok(refresh) = HeaderValue::from_str(&format!("0;url={}", start.url)) {
        headers.insert(header::REFRESH, refresh);
    }
    set_cookie(&page, headers, &start.state, 600);
    Ok(response)
}

fn set_cookie(page: &Page, headers: &mut HeaderMap, value: &str, seconds: u32) {
    let secure = if page.state.config.public_url.https { "; Secure" } else { "" };
    let text = format!("{COOKIE}={value}; Path={BACK}; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}");
    if let Ok(cookie) = HeaderValue::from_str(&text) {
        headers.append(header::SET_COOKIE, cookie);
    }
}

/// The sign-in page with what went wrong.
fn refused(page: &Page, fault: AuthError) -> Result<Response, Problem> {
    let (status, key) = match fault {
        AuthError::SsoRefused | AuthError::SignInOver => (StatusCode::UNPROCESSABLE_ENTITY, "sso-refused"),
        AuthError::SsoUnknown => (StatusCode::FORBIDDEN, "sso-unknown"),
        AuthError::SsoUnreachable => (StatusCode::SERVICE_UNAVAILABLE, "sso-unreachable"),
        fault => return Err(fault.into()),
    };
    sign_in_refused(page, status, page.say(key, &[]))
}

/// `GET /sign-in/sso/callback?code=…&state=…`
pub(super) async fn back(page: Page, headers: HeaderMap) -> Result<Response, Problem> {
    let param = |name: &str| page.params.get(name).unwrap_or("").to_owned();
    let set_out = cookie(&headers, COOKIE).unwrap_or("").to_owned();
    let place = page.state.config.public_url.join(BACK);
    let caller = page.requester.caller();
    let mut response = match page.state.auth.finish_sso(&param("state"), &set_out, &param("code"), &place, &caller).await {
        Ok(end) => go_on_from(&page, end).await?,
        Err(fault) => refused(&page, fault)?,
    };
    set_cookie(&page, response.headers_mut(), "", 0);
    Ok(response)
}

async fn go_on_from(page: &Page, end: SsoEnd) -> Result<Response, Problem> {
    match end {
        SsoEnd::Person { outcome, next } => go_on(page, outcome, &next).await,
        SsoEnd::Join { challenge, email, next } => join_page(page, StatusCode::OK, &challenge, &email, &next, None),
    }
}

fn join_page(
    page: &Page,
    status: StatusCode,
    challenge: &str,
    email: &str,
    next: &str,
    error: Option<String>,
) -> Result<Response, Problem> {
    let context = EntryPage {
        shell: page.shell(&page.say("sso-join-title", &[]), "", Vec::new()),
        error,
        email: email.to_owned(),
        token: challenge.to_owned(),
        next: next.to_owned(),
        closed: Some(page.say("sso-join-text", &[("name", Arg::Text(page.state.auth.provider_name().unwrap_or("")))])),
        ..EntryPage::default()
    };
    Ok(unkept(page.html(status, "page/join", &context)?))
}

/// `POST /sign-in/sso/join`: the local password, once.
pub(super) async fn join(page: Page, post: Post) -> Result<Response, Problem> {
    let challenge = post.get("challenge");
    let (status, key) = match page.state.auth.join_sso(challenge, post.get("password"), &page.requester.caller()).await {
        Ok(end) => return go_on_from(&page, end).await,
        Err(AuthError::WrongCredentials) => (StatusCode::UNPROCESSABLE_ENTITY, "account-wrong-password"),
        Err(AuthError::Throttled { .. }) => (StatusCode::TOO_MANY_REQUESTS, "sign-in-throttled"),
        Err(fault) => return refused(&page, fault),
    };
    let email = page.state.auth.joining(challenge).await?.unwrap_or_default();
    join_page(&page, status, challenge, &email, post.get("next"), Some(page.say(key, &[])))
}
