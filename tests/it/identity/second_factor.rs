//! Authenticator apps and recovery codes: asked for at sign-in, used once, a duty where an administrator says so.

use relata::auth::totp::code_for_tests;
use relata::auth::{AuthError, Caller};

use super::{PASSWORD, new_cookie, post_form, signed_in};
use crate::support::{Answer, TestApp, log};

/// The value of a hidden field of a page.
#[track_caller]
pub fn hidden(page: &str, name: &str) -> String {
    let from = page.split(&format!("name=\"{name}\" value=\"")).nth(1).unwrap_or_else(|| panic!("no `{name}` in {page}"));
    from.split('"').next().unwrap_or_default().to_owned()
}

/// The secret a page shows.
#[track_caller]
pub fn secret_of(page: &str) -> String {
    let from = page.split("id=\"enrol-secret\">").nth(1).unwrap_or_else(|| panic!("no secret in {page}"));
    let secret = from.split('<').next().unwrap_or_default().replace(' ', "");
    log::used_secret(&secret);
    secret
}

pub fn recovery_codes(page: &str) -> Vec<String> {
    let codes: Vec<String> = page.split("<li><code>").skip(1).filter_map(|part| part.split('<').next()).map(str::to_owned).collect();
    codes.iter().for_each(|code| log::used_secret(code));
    codes
}

/// A form of a visitor.
async fn post(app: &TestApp, path: &str, form: &str) -> Answer {
    post_form(app, "none=x", path, form).await
}

/// Sets an app up on the account page; gives its secret and the recovery codes.
async fn set_up(app: &TestApp, cookie: &str) -> (String, Vec<String>) {
    let page = post_form(app, cookie, "/account/second-factor/begin", "").await.expect_status(200).text();
    assert!(page.contains("<svg class=\"qr\""), "{page}");
    let secret = secret_of(&page);
    let again = post_form(app, cookie, "/account/second-factor/finish", "code=000000").await.expect_status(422).text();
    assert_eq!(secret_of(&again), secret);
    app.clock.advance_ms(30_000);
    let code = code_for_tests(&secret, now(app));
    let done = post_form(app, cookie, "/account/second-factor/finish", &format!("code={code}")).await.expect_status(200).text();
    (secret, recovery_codes(&done))
}

fn now(app: &TestApp) -> relata::base::DateTime {
    relata::base::Clock::now(app.clock.as_ref())
}

async fn half_in(app: &TestApp, email: &str) -> String {
    let form = format!("email={}&password={}&next=%2Frecords%2Fdeal", email.replace('@', "%40"), PASSWORD.replace(' ', "+"));
    let answer = post(app, "/sign-in", &form).await.expect_status(200);
    assert_eq!(answer.header("set-cookie"), "", "no session before the code");
    hidden(&answer.text(), "challenge")
}

#[tokio::test]
async fn a_password_alone_lets_nobody_in_and_each_code_works_once() {
    let app = TestApp::crm().await;
    let cookie = signed_in(&app, "bo@example.com", false).await;
    let (secret, codes) = set_up(&app, &cookie).await;
    assert_eq!(codes.len(), 10);
    let from: Caller = "192.0.2.1".parse::<std::net::IpAddr>().expect("an address").into();
    let refused = app.workspace.auth.sign_in("bo@example.com", PASSWORD, from.ip).await;
    assert!(matches!(refused, Err(AuthError::CodeNeeded(_))));
    let code = |code: &str, challenge: &str| format!("code={code}&challenge={challenge}&next=%2Frecords%2Fdeal");
    let challenge = half_in(&app, "bo@example.com").await;
    let used = code_for_tests(&secret, now(&app));
    post(&app, "/sign-in/code", &code(&used, &challenge)).await.expect_status(422);
    post(&app, "/sign-in/code", &code("123456", &challenge)).await.expect_status(422);
    app.clock.advance_ms(30_000);
    let fresh = code_for_tests(&secret, now(&app));
    post(&app, "/sign-in/code", &code(&fresh, "wrong")).await.expect_status(303);
    let done = post(&app, "/sign-in/code", &code(&fresh, &challenge)).await.expect_status(303);
    assert_eq!(done.header("location"), "/records/deal");
    new_cookie(&done);
    let over = post(&app, "/sign-in/code", &code(&fresh, &challenge)).await.expect_status(303);
    assert_eq!((over.header("location"), over.header("set-cookie")), ("/sign-in?over=1", ""));
    // A recovery code, as people type it, once.
    let challenge = half_in(&app, "bo@example.com").await;
    let typed = codes[0].to_uppercase().replace('-', "+");
    post(&app, "/sign-in/code", &code(&typed, &challenge)).await.expect_status(303);
    let challenge = half_in(&app, "bo@example.com").await;
    post(&app, "/sign-in/code", &code(&typed, &challenge)).await.expect_status(422);
    post(&app, "/sign-in/code", &code(&codes[1], &challenge)).await.expect_status(303);
    // Too late.
    let challenge = half_in(&app, "bo@example.com").await;
    app.clock.advance_ms(11 * 60 * 1000);
    let over = post(&app, "/sign-in/code", &code(&codes[2], &challenge)).await.expect_status(303);
    assert_eq!(over.header("location"), "/sign-in?over=1");
}

#[tokio::test]
async fn guessing_codes_is_slowed_down_and_a_link_asks_for_one_too() {
    let app = TestApp::crm().await;
    let cookie = signed_in(&app, "bo@example.com", false).await;
    let (secret, _) = set_up(&app, &cookie).await;
    app.clock.advance_ms(60_000);
    let link = app.workspace.auth.create_sign_in_link("bo@example.com").await.expect("made");
    let token = link.split_once("token=").expect("a token").1;
    let page = post(&app, "/sign-in/link", &format!("token={token}")).await.expect_status(200).text();
    let challenge = hidden(&page, "challenge");
    for _ in 0..5 {
        post(&app, "/sign-in/code", &format!("code=000000&challenge={challenge}")).await.expect_status(422);
    }
    let right = code_for_tests(&secret, now(&app));
    let form = format!("code={right}&challenge={challenge}");
    post(&app, "/sign-in/code", &form).await.expect_status(429);
    app.clock.advance_ms(6_000);
    post(&app, "/sign-in/code", &form).await.expect_status(303);
}

#[tokio::test]
async fn a_role_that_must_have_one_sets_it_up_when_signing_in() {
    let app = TestApp::crm().await;
    let auth = &app.workspace.auth;
    let admin = signed_in(&app, "bo@example.com", true).await;
    let other = signed_in(&app, "eve@example.com", false).await;
    assert!(auth.set_second_factor_roles(["boss".to_owned()].into()).await.is_err());
    auth.set_second_factor_roles(["admin".to_owned()].into()).await.expect("set");
    let ask = |cookie: &str| app.request(axum::http::Method::GET, "/api/v1/records/deal").session(cookie);
    ask(&admin).send().await.expect_status(401);
    ask(&other).send().await.expect_status(200);
    let form = "email=bo%40example.com&password=correct+horse+battery&next=%2F";
    let page = post(&app, "/sign-in", form).await.expect_status(200);
    assert_eq!(page.header("set-cookie"), "");
    let page = page.text();
    let (challenge, secret) = (hidden(&page, "challenge"), secret_of(&page));
    post(&app, "/sign-in/enrol", &format!("code=000000&challenge={challenge}")).await.expect_status(422);
    let code = code_for_tests(&secret, now(&app));
    let done = post(&app, "/sign-in/enrol", &format!("code={code}&challenge={challenge}")).await.expect_status(200);
    assert_eq!(recovery_codes(&done.text()).len(), 10);
    let cookie = new_cookie(&done);
    ask(&cookie).send().await.expect_status(200);
    let kept = post_form(&app, &cookie, "/account/second-factor/remove", "").await.expect_status(422).text();
    assert!(kept.contains("must have a second factor"));
    auth.reset_second_factor("bo@example.com").await.expect("reset");
    ask(&cookie).send().await.expect_status(401);
    auth.set_second_factor_roles(std::collections::BTreeSet::new()).await.expect("set");
    auth.sign_in("bo@example.com", PASSWORD, "192.0.2.1".parse().expect("an address")).await.expect("nothing more is asked");
}

#[tokio::test]
async fn changing_the_second_factor_long_after_signing_in_wants_the_password() {
    let app = TestApp::crm().await;
    let cookie = signed_in(&app, "bo@example.com", false).await;
    app.clock.advance_ms(11 * 60 * 1000);
    let page = post_form(&app, &cookie, "/account/second-factor/begin", "").await.expect_status(422).text();
    assert!(page.contains("Give your password") && !page.contains("enrol-secret"), "{page}");
    let begun = post_form(&app, &cookie, "/account/second-factor/begin", "_password=correct+horse+battery").await.expect_status(200);
    let cookie = new_cookie(&begun);
    let secret = secret_of(&begun.text());
    let second = post_form(&app, &cookie, "/account/second-factor/begin", "").await.expect_status(200).text();
    assert_ne!(secret_of(&second), secret, "a secret that was shown and not confirmed is forgotten");
    let code = code_for_tests(&secret_of(&second), now(&app));
    let done = post_form(&app, &cookie, "/account/second-factor/finish", &format!("code={code}")).await.expect_status(200).text();
    let first = recovery_codes(&done);
    let more = post_form(&app, &cookie, "/account/second-factor/codes", "").await.expect_status(200).text();
    assert!(recovery_codes(&more).iter().all(|code| !first.contains(code)));
    post_form(&app, &cookie, "/account/second-factor/remove", "").await.expect_status(303);
    app.workspace.auth.sign_in("bo@example.com", PASSWORD, "192.0.2.1".parse().expect("an address")).await.expect("in");
}
