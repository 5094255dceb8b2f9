//! A change of who may sign in, or of what they may, holds for the next request on every node.

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, header};
use serde_json::json;

use super::{sign_in, signed_in};
use crate::support::TestApp;

fn request(path: &str, name: &str, value: &str) -> Request<Body> {
    let builder = Request::builder().method(Method::POST).uri(path).header(header::HOST, "localhost:8080");
    let builder = builder.header("origin", "http://localhost:8080").header(header::CONTENT_TYPE, "application/json");
    builder.header(name, value).body(Body::from("{}")).expect("a request")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changes_on_one_node_holds_for_the_next_request_on_all() {
    let app = TestApp::crm().await;
    let mut nodes: Vec<Router> = vec![app.router.clone()];
    let mut kept = Vec::new();
    for _ in 0..2 {
        if let Some(node) = app.beside().await {
            nodes.push(node.router.clone());
            kept.push(node);
        }
    }
    let mut cookie = signed_in(&app, "bo@example.com", true).await;
    let body = json!({ "name": "t", "scopes": ["admin"] });
    let ask = app.request(Method::POST, "/api/v1/tokens").session(&cookie).header("origin", "http://localhost:8080").json(&body);
    let token = ask.send().await.expect_status(201).json()["token"].as_str().expect("a secret").to_owned();
    let bearer = format!("Bearer {token}");
    let bo = app.get("/api/v1/records/user?filter=email%20%3D%20%27bo%40example.com%27").await.json()["data"][0]["id"].clone();
    let path = format!("/api/v1/records/user/{}", bo.as_str().expect("an id"));
    // Only administrators plan: 200 with the role, 403 without it, 401 for someone who is out.
    let expect = async |cookie: &str, status: u16, when: &str| {
        for (number, node) in nodes.iter().enumerate() {
            for (name, value) in [("cookie", cookie), ("authorization", bearer.as_str())] {
                let answer = TestApp::send_to(node, request("/api/v1/definitions/plan", name, value)).await;
                assert_eq!(answer.status.as_u16(), status, "{when}, node {number}, {name}: {}", answer.text());
            }
        }
    };
    for round in 0..20 {
        expect(&cookie, 200, "an administrator").await;
        app.patch(&path, json!({ "roles": ["user"] })).await.expect_status(200);
        expect(&cookie, 403, "no administrator any more").await;
        app.patch(&path, json!({ "roles": ["admin"] })).await.expect_status(200);
        expect(&cookie, 200, "an administrator again").await;
        app.patch(&path, json!({ "active": false })).await.expect_status(200);
        expect(&cookie, 401, "deactivated").await;
        app.patch(&path, json!({ "active": true })).await.expect_status(200);
        expect(&cookie, 200, "active again").await;
        if round % 5 == 0 {
            let session = cookie.trim_start_matches("relata=").to_owned();
            app.workspace.auth.sign_out(&session).await.expect("signed out");
            for node in &nodes {
                TestApp::send_to(node, request("/api/v1/definitions/plan", "cookie", &cookie)).await.expect_status(401);
            }
            cookie = sign_in(&app, "bo@example.com").await;
        }
    }
    drop(kept);
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_wait_together_share_a_look_and_none_sees_an_older_state() {
    let app = TestApp::crm().await;
    let store = &app.workspace.store;
    for _ in 0..50 {
        let before = store.identity_epoch().await.expect("read");
        let looks = (0..16).map(|_| {
            let store = store.clone();
            tokio::spawn(async move { store.identity_epoch().await })
        });
        let looks: Vec<_> = looks.collect();
        store.write::<_, relata::store::StoreError>(|tx| Box::pin(async move { tx.identity_changed().await })).await.expect("raised");
        assert_eq!(store.identity_epoch().await.expect("read"), before + 1);
        for look in looks {
            assert!(look.await.expect("ran").expect("read") >= before);
        }
    }
}
