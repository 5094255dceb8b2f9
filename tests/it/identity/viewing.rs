//! An administrator looks through somebody else's eyes: reads what they read, writes nothing, is seen doing it.

use axum::http::Method;
use relata::store::audit::{self, Filter};
use serde_json::json;

use super::{new_cookie, post_form, sign_in, signed_in};
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
    get("/").send().await.expect_status(403);
    assert!(!get("/").send().await.expect_status(200).text().contains("/view-as/end"));
}

/// The administrator with a session, whom they look as, and the id of that person.
async fn looking(app: &TestApp) -> (String, String) {
    let admin = signed_in(app, "boss@example.com", true).await;
    let eve = app.create_id("user", json!({"name": "Eve", "email": "eve@example.com", "roles": ["user"]})).await;
    post_form(app, &admin, &format!("/people/{eve}/view"), "").await.expect_status(303);
    (admin, eve)
}

/// How often looking began and ended, as the audit tells.
async fn told(app: &TestApp) -> (usize, usize) {
    let lines = audit::list(&app.workspace.store, &Filter::default(), None, 500).await.expect("lists");
    let count = |act: &str| lines.iter().filter(|line| line.action == act && line.actor_kind == "person").count();
    (count("view.begin"), count("view.end"))
}

#[tokio::test]
async fn the_password_may_come_with_the_act_and_the_session_goes_on_whatever_is_answered() {
    let app = TestApp::crm().await;
    let cookie = signed_in(&app, "boss@example.com", true).await;
    let eve = app.create_id("user", json!({"name": "Eve", "email": "eve@example.com", "roles": ["user"]})).await;
    let long = 11 * 60 * 1000;
    let password = "_password=correct+horse+battery";
    app.clock.advance_ms(long);
    let wrong = post_form(&app, &cookie, &format!("/people/{eve}/view"), "_password=wrong").await.expect_status(422);
    assert_eq!(wrong.header("set-cookie"), "");
    let missing = post_form(&app, &cookie, &format!("/people/{eve}/deactivate"), &format!("heir=x&{password}")).await.expect_status(404);
    let cookie = new_cookie(&missing);
    app.request(Method::GET, "/people").session(&cookie).send().await.expect_status(200);
    app.clock.advance_ms(long);
    let refused = post_form(&app, &cookie, &format!("/people/{eve}/nothing"), password).await.expect_status(404);
    let cookie = new_cookie(&refused);
    app.clock.advance_ms(long);
    let cookie = new_cookie(&post_form(&app, &cookie, &format!("/people/{eve}/view"), password).await.expect_status(303));
    let home = app.request(Method::GET, "/").session(&cookie).send().await.expect_status(200).text();
    assert!(home.contains("/view-as/end") && home.contains("Eve"), "{home}");
}

#[tokio::test]
async fn pages_of_errors_say_that_one_looks_and_end_it() {
    let app = TestApp::crm().await;
    let (admin, eve) = looking(&app).await;
    for (path, status) in [("/records/nothing", 404), ("/records/deal/deal_0000000000001", 404), ("/account", 403), ("/people", 403)] {
        let page = app.request(Method::GET, path).session(&admin).send().await.expect_status(status).text();
        assert!(page.contains("action=\"/view-as/end\"") && page.contains("boss@example.com"), "{path}: {page}");
    }
    let page = post_form(&app, &admin, &format!("/people/{eve}/deactivate"), "").await.expect_status(403).text();
    assert!(page.contains("action=\"/view-as/end\""), "{page}");
    post_form(&app, &admin, "/view-as/end", "").await.expect_status(303);
    let page = app.request(Method::GET, "/records/nothing").session(&admin).send().await.expect_status(404).text();
    assert!(!page.contains("/view-as/end"), "{page}");
}

#[tokio::test]
async fn what_may_not_be_looked_at_any_more_ends_it_and_nothing_is_done_with_ones_own_rights() {
    for end in ["inactive", "deleted", "no administrator"] {
        let app = TestApp::crm().await;
        let (admin, eve) = looking(&app).await;
        let patch = |id: String, values: serde_json::Value| {
            let app = &app;
            async move { app.patch(&format!("/api/v1/records/user/{id}"), values).await.expect_status(200) }
        };
        match end {
            "inactive" => drop(patch(eve.clone(), json!({"active": false})).await),
            "deleted" => drop(app.delete(&format!("/api/v1/records/user/{eve}")).await.expect_status(204)),
            _ => drop(patch(id_of(&app, "boss@example.com").await, json!({"roles": ["user"]})).await),
        }
        // Icons are asked for by browsers unseen: they tell nobody.
        app.request(Method::GET, "/favicon.ico").session(&admin).send().await;
        assert_eq!(told(&app).await, (1, 0), "{end}");
        let account = || post_form(&app, &admin, "/account/settings", "theme=dark&locale=en&time_zone=Asia%2FShanghai");
        let page = account().await.expect_status(403).text();
        assert!(page.contains("ATH020") && page.contains("Looking as somebody else has ended"), "{end}: {page}");
        assert_eq!(told(&app).await, (1, 1), "{end}");
        // From now on they are themselves, and stay so.
        if end == "inactive" {
            patch(eve.clone(), json!({"active": true})).await;
        }
        let home = app.request(Method::GET, "/").session(&admin).send().await.expect_status(200).text();
        assert!(!home.contains("/view-as/end"), "{end}: {home}");
        account().await.expect_status(303);
        assert_eq!(told(&app).await, (1, 1), "{end}");
    }
}

#[tokio::test]
async fn programs_are_told_that_looking_has_ended_and_the_way_back_leads_back() {
    let app = TestApp::crm().await;
    let (admin, eve) = looking(&app).await;
    app.patch(&format!("/api/v1/records/user/{eve}"), json!({"active": false})).await.expect_status(200);
    let create = || {
        let ask = app.request(Method::POST, "/api/v1/records/deal").session(&admin).json(&json!({"name": "Mine"}));
        ask.header("origin", "http://localhost:8080").send()
    };
    create().await.expect_problem(403, "ATH020");
    let found = app.get("/api/v1/records/deal?filter=name%20%3D%20'Mine'").await.expect_status(200).json();
    assert_eq!(found["data"], json!([]));
    for (path, lands) in [("/view-as/end", "/"), ("/sign-out", "/sign-in")] {
        app.patch(&format!("/api/v1/records/user/{eve}"), json!({"active": true})).await.expect_status(200);
        post_form(&app, &admin, &format!("/people/{eve}/view"), "").await.expect_status(303);
        app.patch(&format!("/api/v1/records/user/{eve}"), json!({"active": false})).await.expect_status(200);
        let answer = post_form(&app, &admin, path, "").await.expect_status(303);
        assert_eq!(answer.header("location"), lands, "{path}");
    }
    assert_eq!(told(&app).await, (3, 3));
}

#[tokio::test]
async fn looking_ends_with_its_session() {
    for end in ["signed out", "ended by another", "over"] {
        let app = TestApp::crm().await;
        let (admin, _) = looking(&app).await;
        let other = sign_in(&app, "boss@example.com").await;
        match end {
            "signed out" => drop(post_form(&app, &admin, "/sign-out", "").await.expect_status(303)),
            "ended by another" => drop(post_form(&app, &other, "/account/sessions/end-others", "").await.expect_status(303)),
            _ => {
                app.clock.advance_ms(8 * 24 * 3600 * 1000);
                app.workspace.auth.prune().await.expect("pruned");
            }
        }
        assert_eq!(told(&app).await, (1, 1), "{end}");
    }
}
