//! Sessions are listed and end one by one; dangerous acts want the password again.

use std::time::Duration;

use axum::http::Method;
use relata::auth::SessionLimits;
use serde_json::json;

use super::{PASSWORD, new_cookie, post_form, sign_in, signed_in};
use crate::support::TestApp;

#[tokio::test]
async fn a_session_is_listed_with_device_and_address_and_ends_alone_or_with_the_others() {
    let app = TestApp::crm().await;
    let first = signed_in(&app, "bo@example.com", false).await;
    let second = sign_in(&app, "bo@example.com").await;
    let third = sign_in(&app, "bo@example.com").await;
    let stranger = signed_in(&app, "eve@example.com", false).await;
    let page = app.request(Method::GET, "/account").session(&first).send().await.expect_status(200).text();
    assert!(page.contains("Firefox · Linux") && page.contains("192.0.2.9"), "{page}");
    let list = |cookie: String| {
        let app = &app;
        async move { app.request(Method::GET, "/api/v1/sessions").session(&cookie).send().await.expect_status(200).json() }
    };
    let sessions = list(first.clone()).await;
    assert_eq!(sessions["data"].as_array().map(Vec::len), Some(3));
    let own = sessions["data"].as_array().into_iter().flatten().filter(|session| session["own"] == true).count();
    assert_eq!(own, 1);
    let of_second = list(second.clone()).await;
    let id = of_second["data"].as_array().into_iter().flatten().find(|s| s["own"] == true).map(|s| s["id"].clone()).expect("own");
    let end = format!("/account/sessions/{}/end", id.as_str().expect("an id"));
    post_form(&app, &stranger, &end, "").await.expect_status(404);
    post_form(&app, &first, &end, "").await.expect_status(303);
    let ask = |cookie: &str| app.request(Method::GET, "/api/v1/records/deal").session(cookie);
    ask(&second).send().await.expect_status(401);
    ask(&third).send().await.expect_status(200);
    let delete = app.request(Method::DELETE, "/api/v1/sessions/others").session(&first).header("origin", "http://localhost:8080");
    delete.send().await.expect_status(204);
    ask(&third).send().await.expect_status(401);
    ask(&first).send().await.expect_status(200);
    ask(&stranger).send().await.expect_status(200);
}

#[tokio::test]
async fn a_dangerous_act_long_after_signing_in_wants_the_password_and_changes_the_cookie() {
    let app = TestApp::crm().await;
    let cookie = signed_in(&app, "bo@example.com", true).await;
    let eve = signed_in(&app, "eve@example.com", false).await;
    let eve_id = app.get("/api/v1/records/user?filter=email%20%3D%20%27eve%40example.com%27").await.json()["data"][0]["id"].clone();
    let path = format!("/api/v1/records/user/{}", eve_id.as_str().expect("an id"));
    app.clock.advance_ms(11 * 60 * 1000);
    let patch = |cookie: &str, values: serde_json::Value| {
        app.request(Method::PATCH, &path)
            .session(cookie)
            .json(&values)
            .header("content-type", "application/merge-patch+json")
            .header("origin", "http://localhost:8080")
    };
    let post = |cookie: &str, path: &str, body: serde_json::Value| {
        app.request(Method::POST, path).session(cookie).json(&body).header("origin", "http://localhost:8080")
    };
    patch(&cookie, json!({ "roles": ["admin"] })).send().await.expect_problem(403, "ACL004");
    patch(&cookie, json!({ "phone": "+49 30 123456" })).send().await.expect_status(200);
    post(&cookie, "/api/v1/tokens", json!({ "name": "x" })).send().await.expect_problem(403, "ACL004");
    post(&cookie, "/api/v1/definitions/apply", json!({})).send().await.expect_problem(403, "ACL004");
    let batch = json!({ "operations": [{ "op": "delete", "entity": "user", "id": eve_id }] });
    post(&cookie, "/api/v1/batch", batch).send().await.expect_problem(403, "ACL004");
    post(&cookie, "/api/v1/session/confirm", json!({ "password": "wrong password" })).send().await.expect_problem(401, "ATH002");
    let answer = post(&cookie, "/api/v1/session/confirm", json!({ "password": PASSWORD })).send().await.expect_status(204);
    let renewed = new_cookie(&answer);
    assert_ne!(renewed, cookie);
    app.request(Method::GET, "/api/v1/records/deal").session(&cookie).send().await.expect_status(401);
    patch(&renewed, json!({ "roles": ["admin"] })).send().await.expect_status(200);
    post(&renewed, "/api/v1/definitions/apply", json!({})).send().await.expect_status(200);
    app.clock.advance_ms(11 * 60 * 1000);
    patch(&renewed, json!({ "roles": [] })).send().await.expect_problem(403, "ACL004");
    app.request(Method::GET, "/api/v1/records/deal").session(&eve).send().await.expect_status(200);
}

#[tokio::test]
async fn forms_ask_for_the_password_where_it_is_wanted_and_go_on_with_it() {
    let app = TestApp::crm().await;
    let cookie = signed_in(&app, "bo@example.com", true).await;
    let eve = app.create_id("user", json!({ "name": "Eve", "email": "eve@example.com" })).await;
    let edit = format!("/records/user/{eve}/edit");
    let page = |cookie: &str| app.request(Method::GET, &edit).session(cookie);
    assert!(!page(&cookie).send().await.expect_status(200).text().contains("_password"));
    app.clock.advance_ms(11 * 60 * 1000);
    assert!(page(&cookie).send().await.expect_status(200).text().contains("_password"));
    let path = format!("/records/user/{eve}");
    let form = "name=Eve+Adams&email=eve%40example.com&active=true&roles=admin";
    let refused = post_form(&app, &cookie, &path, form).await.expect_status(422).text();
    assert!(refused.contains("_password") && refused.contains("Eve Adams") && refused.contains("Give your password"), "{refused}");
    let wrong = post_form(&app, &cookie, &path, &format!("{form}&_password=wrong")).await.expect_status(422).text();
    assert!(wrong.contains("The current password is wrong"), "{wrong}");
    let saved = post_form(&app, &cookie, &path, &format!("{form}&_password=correct+horse+battery")).await.expect_status(303);
    let renewed = new_cookie(&saved);
    assert_eq!(app.get(&format!("/api/v1/records/user/{eve}")).await.json()["roles"], json!(["admin"]));
    app.clock.advance_ms(11 * 60 * 1000);
    let delete = format!("/records/user/{eve}/delete");
    let asked = app.request(Method::GET, &delete).session(&renewed).send().await.expect_status(200).text();
    assert!(asked.contains("_password"));
    post_form(&app, &renewed, &delete, "").await.expect_status(409);
    post_form(&app, &renewed, &delete, "_password=correct+horse+battery").await.expect_status(303);
    app.get(&format!("/api/v1/records/user/{eve}")).await.expect_status(404);
}

/// Ten minutes without a request, and an hour in any case.
#[tokio::test]
async fn a_session_ends_after_the_configured_times() {
    let limits = SessionLimits { idle: Duration::from_secs(600), longest: Duration::from_secs(3600) };
    let app = TestApp::with_sessions(limits).await;
    let cookie = signed_in(&app, "bo@example.com", false).await;
    let start = app.workspace.auth.sign_in("bo@example.com", PASSWORD, "192.0.2.9".parse().expect("an address")).await.expect("in");
    assert_eq!(start.max_age_seconds, 3600, "the browser forgets the cookie then");
    let ask = |cookie: &str| app.request(Method::GET, "/api/v1/sessions").session(cookie);
    app.clock.advance_ms(601_000);
    ask(&cookie).send().await.expect_status(401);
    let cookie = sign_in(&app, "bo@example.com").await;
    for minutes in 1..12 {
        app.clock.advance_ms(300_000);
        let answer = ask(&cookie).send().await.expect_status(200);
        // The use is noted beside the answer.
        let noted = async || {
            let sessions = ask(&cookie).send().await.json();
            let own = sessions["data"].as_array().into_iter().flatten().find(|session| session["own"] == true).cloned().unwrap_or_default();
            own["last_used_at"] == relata::base::Clock::now(app.clock.as_ref()).to_string()
        };
        let mut is_noted = false;
        for _ in 0..1000 {
            is_noted = noted().await;
            if is_noted {
                break;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert!(is_noted, "after {minutes} times five minutes: {}", answer.text());
    }
    app.clock.advance_ms(299_000);
    ask(&cookie).send().await.expect_status(200);
    app.clock.advance_ms(2_000);
    ask(&cookie).send().await.expect_status(401);
}
