//! Sessions, tokens, confirmation: what proves who someone is and how far it goes.

mod acts;
mod everywhere;
mod people;
mod processes;
mod scopes;
mod second_factor;
mod sessions;
mod sso;
mod streams;
mod viewing;

use axum::http::Method;
use relata::auth::{Caller, NewUser};

use crate::support::{Answer, TestApp, log};

pub const PASSWORD: &str = "correct horse battery";

/// A person with a password, signed in: their cookie.
pub async fn signed_in(app: &TestApp, email: &str, admin: bool) -> String {
    let person = NewUser { name: email.to_owned(), email: email.to_owned(), password: PASSWORD.to_owned(), locale: None, admin };
    app.workspace.auth.create_user(person).await.expect("created");
    sign_in(app, email).await
}

/// A further session of a person.
pub async fn sign_in(app: &TestApp, email: &str) -> String {
    let caller = Caller {
        ip: "192.0.2.9".parse().expect("an address"),
        agent: "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0".into(),
    };
    log::used_secret(PASSWORD);
    let start = app.workspace.auth.sign_in_from(email, PASSWORD, &caller).await.expect("signed in");
    format!("relata={}", start.cookie)
}

/// A form of the page, in a session.
pub async fn post_form(app: &TestApp, cookie: &str, path: &str, form: &str) -> Answer {
    app.request(Method::POST, path)
        .session(cookie)
        .header("origin", "http://localhost:8080")
        .header("content-type", "application/x-www-form-urlencoded")
        .text(form)
        .send()
        .await
}

/// The cookie an answer sets.
#[track_caller]
pub fn new_cookie(answer: &Answer) -> String {
    let cookie = answer.header("set-cookie");
    assert!(cookie.starts_with("relata="), "{cookie}");
    cookie.split(';').next().unwrap_or_default().to_owned()
}
