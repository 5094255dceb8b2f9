//! The second step of signing in, and setting it up: an authenticator app and recovery codes.

use axum::http::StatusCode;
use axum::response::Response;

use super::entry::{begin, unkept};
use super::page::Page;
use super::post::Post;
use crate::auth::{AuthError, Enrolment, SessionStart};
use crate::render::context::{CodesPage, EnrolPage, EntryPage};
use crate::render::qr;
use crate::web::{Problem, session_cookie};

/// What follows a right password (or a link, or another way in): the session, or the page for the next step.
pub(super) async fn go_on(page: &Page, outcome: Result<SessionStart, AuthError>, next: &str) -> Result<Response, Problem> {
    match outcome {
        Ok(start) => Ok(begin(page, &start, next)),
        Err(AuthError::CodeNeeded(challenge)) => code_page(page, StatusCode::OK, None, &challenge, next),
        Err(AuthError::EnrolmentNeeded(challenge)) => {
            let enrolment = page.state.auth.begin_enrolment(&challenge).await?;
            enrol_page(page, StatusCode::OK, None, &enrolment, Some((&challenge, next)))
        }
        Err(fault) => Err(fault.into()),
    }
}

fn code_page(page: &Page, status: StatusCode, error: Option<String>, challenge: &str, next: &str) -> Result<Response, Problem> {
    let context = EntryPage {
        shell: page.shell(&page.say("code-title", &[]), "", Vec::new()),
        error,
        token: challenge.to_owned(),
        next: next.to_owned(),
        ..EntryPage::default()
    };
    Ok(unkept(page.html(status, "page/code", &context)?))
}

/// `POST /sign-in/code`
pub(super) async fn code(page: Page, post: Post) -> Result<Response, Problem> {
    let (challenge, next) = (post.get("challenge"), post.get("next"));
    match page.state.auth.sign_in_with_code(challenge, post.get("code"), &page.requester.caller()).await {
        Ok(start) => Ok(begin(&page, &start, next)),
        Err(AuthError::SignInOver) => Ok(page.go("/sign-in?over=1")),
        Err(fault) => {
            let (status, told) = refused(&page, fault)?;
            code_page(&page, status, Some(told), challenge, next)
        }
    }
}

/// What to tell of a code that was not taken.
fn refused(page: &Page, fault: AuthError) -> Result<(StatusCode, String), Problem> {
    match fault {
        AuthError::WrongCode => Ok((StatusCode::UNPROCESSABLE_ENTITY, page.say("code-wrong", &[]))),
        AuthError::Throttled { .. } => Ok((StatusCode::TOO_MANY_REQUESTS, page.say("sign-in-throttled", &[]))),
        fault => Err(fault.into()),
    }
}

/// With `half`, the challenge and the next address of someone who signs in; without, for someone who is signed in.
fn enrol_page(
    page: &Page,
    status: StatusCode,
    error: Option<String>,
    enrolment: &Enrolment,
    half: Option<(&str, &str)>,
) -> Result<Response, Problem> {
    let (challenge, next) = half.unwrap_or_default();
    let context = EnrolPage {
        shell: page.shell(&page.say("enrol-title", &[]), "", Vec::new()),
        action: if half.is_some() { "/sign-in/enrol" } else { "/account/second-factor/finish" }.to_owned(),
        is_forced: half.is_some(),
        challenge: challenge.to_owned(),
        next: next.to_owned(),
        qr: qr::svg(&enrolment.uri),
        secret: spaced(&enrolment.secret),
        error,
    };
    Ok(unkept(page.html(status, "page/enrol", &context)?))
}

/// In groups of four, easier to type.
fn spaced(secret: &str) -> String {
    let letters: Vec<char> = secret.chars().collect();
    letters.chunks(4).map(|four| four.iter().collect::<String>()).collect::<Vec<_>>().join(" ")
}

/// `POST /sign-in/enrol`
pub(super) async fn enrol(page: Page, post: Post) -> Result<Response, Problem> {
    let (challenge, next) = (post.get("challenge"), post.get("next"));
    match page.state.auth.finish_enrolment(challenge, post.get("code"), &page.requester.caller()).await {
        Ok((start, codes)) => {
            let to = if super::page::is_own_path(next) { next } else { "/" };
            let mut response = codes_page(&page, codes, to)?;
            response.headers_mut().append(axum::http::header::SET_COOKIE, session_cookie(&page.state.config, &start));
            Ok(response)
        }
        Err(AuthError::SignInOver) => Ok(page.go("/sign-in?over=1")),
        Err(fault) => {
            let (status, told) = refused(&page, fault)?;
            let enrolment = page.state.auth.proposed_enrolment(challenge).await?;
            enrol_page(&page, status, Some(told), &enrolment, Some((challenge, next)))
        }
    }
}

/// Recovery codes, shown once.
fn codes_page(page: &Page, codes: Vec<String>, next: &str) -> Result<Response, Problem> {
    let shell = page.shell(&page.say("codes-title", &[]), "", Vec::new());
    Ok(unkept(page.html(StatusCode::OK, "page/recovery-codes", &CodesPage { shell, codes, next: next.to_owned() })?))
}

/// `POST /account/second-factor/begin`
pub(super) async fn set_up(mut page: Page, post: Post) -> Result<Response, Problem> {
    if let Some(why) = page.confirm(&post).await? {
        return super::account::refused_factor(&page, why).await;
    }
    let enrolment = page.state.auth.begin_totp(page.requester.identity()?).await?;
    enrol_page(&page, StatusCode::OK, None, &enrolment, None)
}

/// `POST /account/second-factor/finish`
pub(super) async fn finish(page: Page, post: Post) -> Result<Response, Problem> {
    let identity = page.requester.identity()?;
    match page.state.auth.finish_totp(identity, post.get("code"), &page.requester.caller()).await {
        Ok(codes) => codes_page(&page, codes, "/account"),
        Err(fault) => {
            let (status, told) = refused(&page, fault)?;
            let enrolment = page.state.auth.proposed_totp(identity).await?;
            enrol_page(&page, status, Some(told), &enrolment, None)
        }
    }
}

/// `POST /account/second-factor/codes`: new recovery codes.
pub(super) async fn new_codes(mut page: Page, post: Post) -> Result<Response, Problem> {
    if let Some(why) = page.confirm(&post).await? {
        return super::account::refused_factor(&page, why).await;
    }
    let codes = page.state.auth.new_recovery_codes(page.requester.identity()?).await?;
    codes_page(&page, codes, "/account")
}

/// `POST /account/second-factor/remove`
pub(super) async fn remove(mut page: Page, post: Post) -> Result<Response, Problem> {
    if let Some(why) = page.confirm(&post).await? {
        return super::account::refused_factor(&page, why).await;
    }
    match page.state.auth.remove_totp(page.requester.identity()?).await {
        Ok(()) => Ok(page.go("/account?done=factor-removed")),
        Err(AuthError::FactorRequired) => super::account::refused_factor(&page, page.say("factor-required", &[])).await,
        Err(fault) => Err(fault.into()),
    }
}
