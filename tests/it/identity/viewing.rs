//! An administrator looks through somebody else's eyes: reads what they read, writes nothing, is seen doing it.

use axum::http::Method;
use serde_json::json;

use super::{post_form, signed_in};
use crate::support::TestApp;

async fn id_of(app: &TestApp, email: &str) -> String {
    let found = app.get(&format!("/api/v1/records/user?filter=email%20%3D%20%27{}%27", email.replace('@', "%40"))).await.json();
    found["data"][0]["id"].as_str().expect("a person").to_owned()
}

#[tokio::test]
async fn looking_as_somebody_else_shows_what_they_see_and_changes_nothing() {
    let app = TestApp::crm().await;
    let admin = signed_in(&app, "boss@example.com", true).await;
    let other = signed_in(&app, "eve@example.com", false).await;
    let (eve, boss) = (id_of(&app, "eve@example.com").await, id_of(&app, "boss@example.com").await);
    app.patch(&format!("/api/v1/records/user/{eve}"), json!({"roles": ["read_only"]})).await.expect_status(200);
    let begin = |who: &str| format!("/people/{who}/view");
    // Administrators alone, not as themselves, not as nobody, and only when they proved who they are.
    post_form(&app, &other, &begin(&boss), "").await.expect_status(403);
    post_form(&app, &admin, &begin(&boss), "").await.expect_status(422);
    post_form(&app, &admin, &begin("user_0000000000001"), "").await.expect_status(404);
    app.request(Method::POST, &begin(&eve)).header("content-type", "application/x-www-form-urlencoded").send().await.expect_status(422);
    app.clock.advance_ms(11 * 60 * 1000);
    post_form(&app, &admin, &begin(&eve), "").await.expect_status(422);
    let admin = super::sign_in(&app, "boss@example.com").await;
    post_form(&app, &admin, &begin(&eve), "").await.expect_status(303);
    let get = |path: &str| app.request(Method::GET, path).session(&admin);
    let home = get("/").send().await.expect_status(200).text();
    assert!(home.contains("/view-as/end") && !home.contains("href=\"/people\"") && !home.contains("href=\"/audit\""), "{home}");
    let list = get("/records/deal").send().await.expect_status(200).text().replace("&#x2f;", "/");
    assert!(list.contains("/view-as/end") && !list.contains("/records/deal/new"), "{list}");
    get("/api/v1/records/deal").send().await.expect_status(200);
    for path in [
        "/account",
        "/people",
        "/audit",
        "/access",
        "/api/v1/sessions",
        "/api/v1/tokens",
        "/api/v1/access/as",
        "/api/v1/definitions/versions",
    ] {
        get(path).send().await.expect_status(403);
    }
    let deal = json!({"name": "x"});
    let write = |method: Method, path: &str| {
        let ask = app.request(method, path).session(&admin).json(&deal).header("origin", "http://localhost:8080");
        ask.send()
    };
    write(Method::POST, "/api/v1/records/deal").await.expect_problem(403, "ACL007");
    write(Method::POST, "/api/v1/batch").await.expect_problem(403, "ACL007");
    write(Method::PATCH, "/api/v1/records/deal").await.expect_problem(403, "ACL007");
    for path in ["/records/deal", "/records/note", "/account/settings", "/account/password", "/account/tokens", "/people/invite"] {
        post_form(&app, &admin, path, "name=x").await.expect_status(403);
    }
    let query =
        app.request(Method::POST, "/api/v1/records/deal/query").session(&admin).json(&json!({})).header("origin", "http://localhost:8080");
    query.send().await.expect_status(200);
    // Others are not touched, and neither are one's other sessions.
    assert!(!app.request(Method::GET, "/").session(&other).send().await.expect_status(200).text().contains("/view-as/end"));
    post_form(&app, &admin, "/view-as/end", "").await.expect_status(303);
    get("/people").send().await.expect_status(200);
    assert!(!get("/").send().await.text().contains("/view-as/end"));
    let acts = app.get("/audit/export?format=json").await.json();
    let acts: Vec<(String, String)> = acts
        .as_array()
        .or_else(|| acts["entries"].as_array())
        .expect("entries")
        .iter()
        .filter(|line| line["action"].as_str().is_some_and(|action| action.starts_with("view.")))
        .map(|line| (line["action"].as_str().unwrap_or("").to_owned(), line["actor"].to_string()))
        .collect();
    assert_eq!(acts.iter().map(|(act, _)| act.as_str()).collect::<Vec<_>>(), ["view.end", "view.begin"]);
    assert_eq!(acts[0].1, acts[1].1, "the administrator did both");
    // Who may not sign in any more, or administers no more, is not looked through or looks no longer.
    post_form(&app, &admin, &begin(&eve), "").await.expect_status(303);
    app.patch(&format!("/api/v1/records/user/{boss}"), json!({"roles": ["user"]})).await.expect_status(200);
    assert!(!get("/").send().await.expect_status(200).text().contains("/view-as/end"));
}
