//! Who is let in, who is not, and what surrounds every request.

use axum::http::Method;
use relata::auth::{NewToken, NewUser};
use relata::web::{Network, PublicUrl, WebConfig};
use serde_json::json;

use crate::support::TestApp;

const PASSWORD: &str = "correct horse battery";

fn person(email: &str, password: &str) -> NewUser {
    NewUser { name: "Somebody".into(), email: email.into(), password: password.into(), locale: None, admin: false }
}

#[tokio::test]
async fn nothing_but_the_doors_answers_a_visitor() {
    let app = TestApp::crm().await;
    for (method, path) in [
        (Method::GET, "/api/v1/records/deal"),
        (Method::POST, "/api/v1/records/deal"),
        (Method::GET, "/api/v1/openapi.json"),
        (Method::GET, "/api/v1/nothing"),
        (Method::POST, "/api/v1/definitions/apply"),
        (Method::GET, "/api/v1/files/file_0000000000001"),
        (Method::GET, "/api"),
    ] {
        let answer = app.request(method.clone(), path).anonymous().send().await;
        assert!(answer.header("www-authenticate").starts_with("Bearer"), "{method} {path}");
        answer.expect_problem(401, "ATH001");
    }
    for path in ["/", "/records/deal", "/files/file_0000000000001", "/docs/api"] {
        let answer = app.request(Method::GET, path).anonymous().send().await.expect_status(303);
        assert!(answer.header("location").starts_with("/sign-in"), "{path}");
    }
}

#[tokio::test]
async fn wrong_tokens_are_refused_whatever_cookie_comes_with_them() {
    let app = TestApp::crm().await;
    let mut cut = app.token.clone();
    cut.pop();
    let other = format!("{cut}{}", if app.token.ends_with('0') { '1' } else { '0' });
    for token in ["", "x", "rl_", cut.as_str(), other.as_str(), "rl_0000000000000000000000000000000000000000000000000000000000"] {
        app.request(Method::GET, "/api/v1/records/deal").token(token).send().await.expect_status(401);
    }
    for value in ["Basic YTpi", "Bearer", &format!("Token {}", app.token)] {
        app.request(Method::GET, "/api/v1/records/deal").anonymous().header("authorization", value).send().await.expect_status(401);
    }
    app.get(&format!("/api/v1/records/deal?token={}", app.token)).await.expect_status(400);
    app.request(Method::GET, &format!("/api/v1/records/deal?access_token={}", app.token)).anonymous().send().await.expect_status(401);
}

#[tokio::test]
async fn a_token_ends_by_time_and_by_revoking() {
    let app = TestApp::crm().await;
    let made = app
        .workspace
        .auth
        .create_token(NewToken { email: "admin@example.com".into(), name: "short".into(), days: Some(1) })
        .await
        .expect("made");
    let ask = || app.request(Method::GET, "/api/v1/records/deal").token(&made.secret);
    ask().send().await.expect_status(200);
    app.clock.advance_ms(24 * 3600 * 1000 + 1);
    ask().send().await.expect_status(401);

    let made =
        app.workspace.auth.create_token(NewToken { email: "admin@example.com".into(), name: "x".into(), days: None }).await.expect("made");
    let ask = || app.request(Method::GET, "/api/v1/records/deal").token(&made.secret);
    ask().send().await.expect_status(200);
    app.workspace.auth.revoke_token(made.id).await.expect("revoked");
    ask().send().await.expect_status(401);
    let listed = app.workspace.auth.list_tokens(Some("ADMIN@example.com")).await.expect("listed");
    assert!(listed.iter().any(|token| token.id == made.id && token.revoked_at.is_some()));
    assert!(listed.iter().all(|token| token.hint.len() == 8));
}

#[tokio::test]
async fn someone_who_is_deactivated_is_out() {
    let app = TestApp::crm().await;
    let id = app.workspace.auth.create_user(person("eve@example.com", "")).await.expect("created");
    let token =
        app.workspace.auth.create_token(NewToken { email: "eve@example.com".into(), name: "x".into(), days: None }).await.expect("made");
    let ask = || app.request(Method::GET, "/api/v1/records/deal").token(&token.secret);
    ask().send().await.expect_status(200);
    let path = format!("/api/v1/records/user/{}", id.display("user"));
    app.patch(&path, json!({ "active": false })).await.expect_status(200);
    ask().send().await.expect_status(401);
}

#[tokio::test]
async fn signing_in_by_password_gives_one_error_for_every_failure() {
    let app = TestApp::crm().await;
    let auth = &app.workspace.auth;
    auth.create_user(person("bo@example.com", PASSWORD)).await.expect("created");
    let from = "192.0.2.1".parse().expect("an address");
    let mut messages = Vec::new();
    for (email, password) in
        [("bo@example.com", "wrong password"), ("nobody@example.com", PASSWORD), ("admin@example.com", ""), ("'; --", "x")]
    {
        messages.push(auth.sign_in(email, password, from).await.err().expect("refused").to_string());
    }
    messages.dedup();
    assert_eq!(messages, ["e-mail or password is wrong"]);
    let start = auth.sign_in(" BO@example.com ", PASSWORD, from).await.expect("signed in");
    let cookie = format!("relata={}", start.cookie);
    app.request(Method::GET, "/api/v1/records/deal").session(&cookie).send().await.expect_status(200);
    auth.sign_out(&start.cookie).await.expect("signed out");
    app.request(Method::GET, "/api/v1/records/deal").session(&cookie).send().await.expect_status(401);
}

/// Somebody elsewhere, with many addresses, knows a person's e-mail and wants to keep them out.
#[tokio::test]
async fn nobody_elsewhere_keeps_a_person_out() {
    let app = TestApp::crm().await;
    let auth = &app.workspace.auth;
    auth.create_user(person("bo@example.com", PASSWORD)).await.expect("created");
    let office = "198.51.100.7".parse().expect("an address");
    let elsewhere = |last: u8| format!("203.0.113.{last}").parse().expect("an address");
    auth.sign_in("bo@example.com", PASSWORD, office).await.expect("signed in");
    for _ in 0..4 {
        auth.sign_in("bo@example.com", "wrong password", elsewhere(1)).await.err().expect("refused");
    }
    auth.sign_in("bo@example.com", PASSWORD, office).await.expect("a block elsewhere is no block here");
    for last in 2..60 {
        auth.sign_in("bo@example.com", "wrong password", elsewhere(last)).await.err().expect("refused");
    }
    let error = auth.sign_in("bo@example.com", PASSWORD, elsewhere(61)).await.err().expect("blocked").to_string();
    assert!(error.contains("too many attempts"), "{error}");
    auth.sign_in("bo@example.com", "wrong password", office).await.err().expect("a slip");
    auth.sign_in("bo@example.com", PASSWORD, office).await.expect("signed in where they always do");
    auth.prune().await.expect("pruned");
    app.clock.advance_ms(40 * 24 * 3_600_000);
    auth.prune().await.expect("pruned");
    for last in 2..60 {
        auth.sign_in("bo@example.com", "wrong password", elsewhere(last)).await.err().expect("refused");
    }
    auth.sign_in("bo@example.com", PASSWORD, office).await.expect("the address is still known after weeks");
}

#[tokio::test]
async fn guessing_is_slowed_down_per_account_and_address_and_ends_with_success() {
    let app = TestApp::crm().await;
    let auth = &app.workspace.auth;
    auth.create_user(person("bo@example.com", PASSWORD)).await.expect("created");
    let from = "2001:db8:1:2::1".parse().expect("an address");
    for _ in 0..3 {
        auth.sign_in("bo@example.com", "wrong password", from).await.err().expect("refused");
    }
    let error = auth.sign_in("bo@example.com", PASSWORD, from).await.err().expect("blocked").to_string();
    assert!(error.contains("too many attempts"), "{error}");
    app.clock.advance_ms(6_000);
    auth.sign_in("bo@example.com", PASSWORD, from).await.expect("signed in");
    auth.sign_in("bo@example.com", "wrong password", from).await.err().expect("refused");
    auth.sign_in("bo@example.com", PASSWORD, from).await.expect("one slip after a success blocks nobody");
}

#[tokio::test]
async fn a_session_ends_when_idle_and_when_the_password_changes() {
    let app = TestApp::crm().await;
    let auth = &app.workspace.auth;
    auth.create_user(person("bo@example.com", PASSWORD)).await.expect("created");
    let from = "192.0.2.1".parse().expect("an address");
    let start = auth.sign_in("bo@example.com", PASSWORD, from).await.expect("signed in");
    auth.set_password("bo@example.com", "another long sentence").await.expect("set");
    assert!(auth.identify_session(&start.cookie).await.expect("looked up").is_none());
    let start = auth.sign_in("bo@example.com", "another long sentence", from).await.expect("signed in");
    assert!(auth.identify_session(&start.cookie).await.expect("looked up").is_some());
    app.clock.advance_ms(13 * 3600 * 1000);
    assert!(auth.identify_session(&start.cookie).await.expect("looked up").is_none());
    auth.set_password("bo@example.com", "short").await.expect_err("weak");
    auth.set_password("nobody@example.com", PASSWORD).await.expect_err("unknown");
}

#[tokio::test]
async fn setup_makes_the_first_administrator_once() {
    let app = TestApp::crm().await;
    let auth = &app.workspace.auth;
    let token = auth.begin_setup().await.expect("asked").expect("open");
    let from = "192.0.2.1".parse().expect("an address");
    assert!(!auth.setup_token_is_valid("wrong").await.expect("asked"));
    assert!(auth.setup_token_is_valid(&token).await.expect("asked"));
    let second = auth.begin_setup().await.expect("asked").expect("open");
    assert!(!auth.setup_token_is_valid(&token).await.expect("asked"), "a new link ends the one before");
    auth.set_up(&second, person("root@example.com", "short"), from).await.err().expect("weak password");
    let start = auth.set_up(&second, person("root@example.com", PASSWORD), from).await.expect("set up");
    assert!(auth.identify_session(&start.cookie).await.expect("looked up").is_some());
    assert!(auth.begin_setup().await.expect("asked").is_none());
    auth.set_up(&second, person("two@example.com", PASSWORD), from).await.err().expect("closed");
}

#[tokio::test]
async fn a_sign_in_link_works_once_and_for_ten_minutes() {
    let app = TestApp::crm().await;
    let auth = &app.workspace.auth;
    let from = "192.0.2.1".parse().expect("an address");
    let link = auth.create_sign_in_link("admin@example.com").await.expect("made");
    let token = link.split_once("token=").expect("a token").1;
    auth.sign_in_by_link(token, from).await.expect("signed in");
    auth.sign_in_by_link(token, from).await.err().expect("used");
    let link = auth.create_sign_in_link("admin@example.com").await.expect("made");
    app.clock.advance_ms(10 * 60 * 1000 + 1);
    auth.sign_in_by_link(link.split_once("token=").expect("a token").1, from).await.err().expect("over");
    auth.create_sign_in_link("nobody@example.com").await.expect_err("unknown");
}

#[tokio::test]
async fn a_changing_request_of_another_site_is_refused() {
    let app = TestApp::crm().await;
    let auth = &app.workspace.auth;
    let link = auth.create_sign_in_link("admin@example.com").await.expect("made");
    let start =
        auth.sign_in_by_link(link.split_once("token=").expect("a token").1, "192.0.2.1".parse().expect("an address")).await.expect("in");
    let cookie = format!("relata={}", start.cookie);
    let post = || app.request(Method::POST, "/api/v1/records/account").session(&cookie).json(&json!({ "name": "A" }));
    post().header("sec-fetch-site", "cross-site").send().await.expect_problem(403, "WEB403");
    post().header("sec-fetch-site", "same-site").send().await.expect_problem(403, "WEB403");
    post().header("origin", "https://evil.example").send().await.expect_problem(403, "WEB403");
    post().header("origin", "null").send().await.expect_problem(403, "WEB403");
    post().send().await.expect_problem(403, "WEB403");
    post().header("origin", "http://localhost:8080").send().await.expect_status(201);
    post().header("sec-fetch-site", "same-origin").send().await.expect_status(201);
    app.request(Method::GET, "/api/v1/records/account")
        .session(&cookie)
        .header("sec-fetch-site", "cross-site")
        .send()
        .await
        .expect_status(200);
}

#[tokio::test]
async fn a_name_that_is_not_ours_is_refused() {
    let app = TestApp::crm().await;
    let ask = |host: &str| app.request(Method::GET, "/api/v1/records/deal").header("host", host);
    for host in ["evil.example", "evil.example:8080", "localhost.evil.example", "127.0.0.1.evil.example"] {
        ask(host).send().await.expect_problem(421, "WEB421");
    }
    for host in ["localhost", "127.0.0.1:8080", "[::1]:8080"] {
        ask(host).send().await.expect_status(200);
    }
    ask("").send().await.expect_status(421);
    ask("a:b").send().await.expect_status(400);
}

#[tokio::test]
async fn every_answer_carries_the_security_headers() {
    let app = TestApp::crm().await;
    for path in ["/api/v1/records/deal", "/api/v1/nothing", "/sign-in", "/healthz", "/nothing"] {
        let answer = app.get(path).await;
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("referrer-policy"), "no-referrer", "{path}");
        assert!(answer.header("content-security-policy").starts_with("default-src 'none'"), "{path}");
        assert!(!answer.header("content-security-policy").contains("unsafe"), "{path}");
        assert!(!answer.header("x-request-id").is_empty(), "{path}");
        assert!(!answer.header("cache-control").is_empty(), "{path}");
        assert!(answer.header("server").is_empty(), "{path}");
    }
    let https = WebConfig { public_url: PublicUrl::parse("https://crm.example.com").expect("an address"), ..WebConfig::default() };
    let app = TestApp::with_config(&[], https).await;
    let answer = app.request(Method::GET, "/api/v1/changes").header("host", "crm.example.com").send().await.expect_status(200);
    assert!(answer.header("strict-transport-security").contains("max-age"));
}

#[test]
fn public_addresses_and_networks_are_read_strictly() {
    for (text, origin) in [
        ("http://localhost:8080", "http://localhost:8080"),
        ("https://CRM.example.com/", "https://crm.example.com"),
        ("https://crm.example.com:443", "https://crm.example.com"),
        ("http://[::1]:80", "http://[::1]"),
    ] {
        assert_eq!(PublicUrl::parse(text).map(|url| url.origin).as_deref(), Some(origin), "{text}");
    }
    for bad in ["crm.example.com", "ftp://x", "https://", "https://a/b", "https://a:b", "https://u@a", "http://a b"] {
        assert!(PublicUrl::parse(bad).is_none(), "{bad}");
    }
    let net = Network::parse("10.0.0.0/8").expect("a network");
    assert!(net.contains("10.200.3.4".parse().expect("an address")) && !net.contains("11.0.0.1".parse().expect("an address")));
    assert!(net.contains("::ffff:10.0.0.1".parse().expect("an address")));
    assert!(Network::parse("0.0.0.0/0").expect("a network").contains("1.2.3.4".parse().expect("an address")));
    assert!(Network::parse("2001:db8::/32").expect("a network").contains("2001:db8:9::1".parse().expect("an address")));
    for bad in ["10.0.0.0/33", "::1/129", "x", "10.0.0.0/", ""] {
        assert!(Network::parse(bad).is_none(), "{bad}");
    }
}

/// Two hundred guesses are answered, then they wait. A token that has ended is no guess; tokens and sessions that hold go on,
/// and so does the confirmation of a session.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unknown_credentials_from_an_address_do_not_lock_out_those_that_are_known_there() {
    let app = TestApp::crm().await;
    let auth = &app.workspace.auth;
    let cookie = crate::identity::signed_in(&app, "bo@example.com", false).await;
    let elsewhere = TestApp::empty().await;
    let ended = auth.create_token(NewToken { email: "admin@example.com".into(), name: "x".into(), days: None }).await.expect("made");
    auth.revoke_token(ended.id).await.expect("revoked");
    let ask = |token: &str| app.request(Method::GET, "/api/v1/records/user?limit=1").token(token);
    for number in 0..200 {
        let answer = ask(&elsewhere.token).send().await;
        assert_eq!(answer.status, 401, "guess {number}");
    }
    let answer = ask(&elsewhere.token).send().await;
    assert!(!answer.header("retry-after").is_empty());
    answer.expect_problem(429, "ATH003");
    for _ in 0..40 {
        ask(&ended.secret).send().await.expect_problem(401, "ATH001");
    }
    for number in 0..40 {
        let _ = auth.sign_in(&format!("nobody{number}@example.com"), PASSWORD, "127.0.0.1".parse().expect("an address")).await;
    }
    auth.sign_in("bo@example.com", PASSWORD, "127.0.0.1".parse().expect("an address")).await.err().expect("the address waits");
    // A change of people makes the server forget whom it knew.
    app.create("user", json!({"name": "New", "email": "new@example.com"})).await;
    ask(&app.token).send().await.expect_status(200);
    app.request(Method::GET, "/api/v1/records/deal").session(&cookie).send().await.expect_status(200);
    let confirm = |password: &str| {
        let ask = app.request(Method::POST, "/api/v1/session/confirm").session(&cookie).header("origin", "http://localhost:8080");
        ask.json(&json!({ "password": password }))
    };
    confirm("wrong password").send().await.expect_problem(401, "ATH002");
    confirm(PASSWORD).send().await.expect_status(204);
}

#[tokio::test]
async fn guessing_the_password_within_a_session_is_slowed_down() {
    let app = TestApp::crm().await;
    let cookie = crate::identity::signed_in(&app, "bo@example.com", false).await;
    let confirm = |password: &str| {
        let ask = app.request(Method::POST, "/api/v1/session/confirm").session(&cookie).header("origin", "http://localhost:8080");
        ask.json(&json!({ "password": password }))
    };
    for _ in 0..3 {
        confirm("wrong password").send().await.expect_problem(401, "ATH002");
    }
    confirm(PASSWORD).send().await.expect_problem(429, "ATH003");
    crate::identity::sign_in(&app, "bo@example.com").await;
    app.clock.advance_ms(6_000);
    confirm(PASSWORD).send().await.expect_status(204);
}
