//! A token does what its scopes say, of what its owner may, from where it may be used.

use axum::http::Method;
use serde_json::{Value, json};

use super::{new_cookie, post_form, signed_in};
use crate::support::TestApp;

async fn token(app: &TestApp, scopes: &[&str], networks: &[&str]) -> String {
    let body = json!({ "name": "t", "scopes": scopes, "networks": networks });
    app.post("/api/v1/tokens", body).await.expect_status(201).json()["token"].as_str().expect("a secret").to_owned()
}

#[tokio::test]
async fn a_token_is_refused_what_its_scopes_do_not_name_at_every_door() {
    let app = TestApp::crm().await;
    let account = app.create_id("account", json!({ "name": "Acme" })).await;
    let deal = app.create_id("deal", json!({ "name": "Big", "account": account })).await;
    let read = token(&app, &["read"], &[]).await;
    let deals = token(&app, &["read:deal"], &[]).await;
    let writes = token(&app, &["write:shop.deal"], &[]).await;
    let one = format!("/api/v1/records/deal/{deal}");
    let restore = format!("{one}/restore");
    let history = format!("{one}/history");
    let none = Value::Null;
    let new = json!({ "name": "New" });
    let batch = json!({ "operations": [{ "op": "create", "entity": "account", "values": { "name": "B" } }] });
    let query = json!({ "filter": "account.name = 'Acme'" });
    let sum = json!({ "group": ["account.name"], "measures": ["count()"] });
    let cases: Vec<(&str, Method, &str, &Value, &str)> = vec![
        (&read, Method::POST, "/api/v1/records/deal", &new, "write:shop.deal"),
        (&read, Method::PATCH, &one, &new, "write:shop.deal"),
        (&read, Method::DELETE, &one, &none, "write:shop.deal"),
        (&read, Method::POST, &restore, &none, "write:shop.deal"),
        (&read, Method::PUT, "/api/v1/records/user/by/email/a%40b.c", &new, "write:core.user"),
        (&read, Method::POST, "/api/v1/batch", &batch, "write"),
        (&read, Method::POST, "/api/v1/files?name=a.txt", &none, "write"),
        (&read, Method::POST, "/api/v1/definitions/plan", &none, "admin"),
        (&read, Method::GET, "/api/v1/definitions/versions", &none, "admin"),
        (&read, Method::GET, "/api/v1/tokens", &none, "admin"),
        (&read, Method::POST, "/api/v1/tokens", &new, "admin"),
        (&read, Method::GET, "/api/v1/sessions", &none, "admin"),
        (&read, Method::GET, "/records/deal", &none, "admin"),
        (&read, Method::GET, "/account", &none, "admin"),
        (&deals, Method::GET, "/api/v1/records/account", &none, "read:shop.account"),
        (&deals, Method::GET, "/api/v1/records/deal?select=name,account(name)", &none, "read:shop.account"),
        (&deals, Method::GET, "/api/v1/records/deal?sort=account.name", &none, "read:shop.account"),
        (&deals, Method::GET, "/api/v1/records/deal?filter=account.name%20%3D%20%27Acme%27", &none, "read:shop.account"),
        (&deals, Method::POST, "/api/v1/records/deal/query", &query, "read:shop.account"),
        (&deals, Method::POST, "/api/v1/records/deal/aggregate", &sum, "read:shop.account"),
        (&deals, Method::GET, "/api/v1/changes", &none, "read"),
        (&writes, Method::POST, "/api/v1/records/account", &new, "write:shop.account"),
        (&writes, Method::POST, "/api/v1/batch", &batch, "write:shop.account"),
        (&writes, Method::POST, "/api/v1/definitions/apply", &none, "admin"),
    ];
    for (token, method, path, body, needed) in cases {
        let ask = app.request(method.clone(), path).token(token);
        let ask = if *body == Value::Null { ask } else { ask.json(body) };
        let problem = ask.send().await.expect_problem(403, "ACL003");
        let detail = problem["detail"].as_str().unwrap_or_default();
        assert!(detail.contains(&format!("`{needed}`")), "{method} {path}: {detail}");
        assert!(problem["hint"].as_str().is_some_and(|hint| hint.contains("--scope")), "{problem:#}");
    }
    let get = |token: &str, path: &str| app.request(Method::GET, path).token(token);
    for (token, path) in [
        (&read, "/api/v1/records/deal?select=name,account(name)"),
        (&read, "/api/v1/changes"),
        (&read, history.as_str()),
        (&deals, "/api/v1/records/deal"),
        (&deals, one.as_str()),
        (&deals, history.as_str()),
        (&deals, "/api/v1/openapi.json"),
        (&writes, one.as_str()),
    ] {
        get(token, path).send().await.expect_status(200);
    }
    app.request(Method::POST, "/api/v1/records/deal")
        .token(&writes)
        .json(&json!({ "name": "New", "account": account }))
        .send()
        .await
        .expect_status(201);
}

#[tokio::test]
async fn a_token_never_does_more_than_its_owner_may_now_and_makes_no_wider_one() {
    let app = TestApp::crm().await;
    let cookie = signed_in(&app, "bo@example.com", true).await;
    let body = json!({ "name": "all", "scopes": ["admin"] });
    let made = app.request(Method::POST, "/api/v1/tokens").session(&cookie).header("origin", "http://localhost:8080").json(&body);
    let all = made.send().await.expect_status(201).json()["token"].as_str().expect("a secret").to_owned();
    let plan = || app.request(Method::POST, "/api/v1/definitions/plan").token(&all).json(&json!({}));
    plan().send().await.expect_status(200);
    let bo = app.get("/api/v1/records/user?filter=email%20%3D%20%27bo%40example.com%27").await.json()["data"][0]["id"].clone();
    app.patch(&format!("/api/v1/records/user/{}", bo.as_str().expect("an id")), json!({ "roles": [] })).await.expect_status(200);
    plan().send().await.expect_problem(403, "ACL002");
    for (scopes, code) in [(json!([]), "ATH007"), (json!(["all"]), "ATH007"), (json!(["read:nothing"]), "ATH007")] {
        app.post("/api/v1/tokens", json!({ "name": "t", "scopes": scopes })).await.expect_problem(422, code);
    }
    app.post("/api/v1/tokens", json!({ "name": "t", "networks": ["10.0.0.0/99"] })).await.expect_problem(422, "ATH008");
    app.post("/api/v1/tokens", json!({ "name": "t", "days": 5000 })).await.expect_problem(422, "WEB422");
    app.post("/api/v1/tokens", json!({ "name": "" })).await.expect_problem(422, "WEB422");
}

#[tokio::test]
async fn a_token_works_from_its_addresses_only_and_expires_by_default() {
    let app = TestApp::crm().await;
    let elsewhere = token(&app, &["read"], &["192.0.2.0/24", "2001:db8::1"]).await;
    let here = token(&app, &["read"], &["127.0.0.1"]).await;
    let ask = |token: &str| app.request(Method::GET, "/api/v1/records/deal").token(token);
    ask(&elsewhere).send().await.expect_problem(401, "ATH001");
    ask(&here).send().await.expect_status(200);
    app.clock.advance_ms(91 * 24 * 3600 * 1000);
    ask(&here).send().await.expect_status(401);
}

#[tokio::test]
async fn the_account_page_makes_a_limited_token_and_shows_it_once() {
    let app = TestApp::crm().await;
    let cookie = signed_in(&app, "bo@example.com", false).await;
    let form = "name=nightly&may=read&entity=shop.deal&days=30&networks=127.0.0.1";
    let page = post_form(&app, &cookie, "/account/tokens", form).await.expect_status(200).text();
    let secret: String = page.split("rl_").nth(1).expect("a secret").chars().take_while(char::is_ascii_alphanumeric).collect();
    let secret = format!("rl_{secret}");
    app.request(Method::GET, "/api/v1/records/deal").token(&secret).send().await.expect_status(200);
    app.request(Method::GET, "/api/v1/records/account").token(&secret).send().await.expect_problem(403, "ACL003");
    let page = app.request(Method::GET, "/account").session(&cookie).send().await.text();
    assert!(!page.contains(&secret) && page.contains("nightly") && page.contains("127.0.0.1"), "{page}");
    for (form, told) in [
        ("name=&may=read", "Give the token a name"),
        ("name=x&may=all", "Choose what the token may do"),
        ("name=x&may=read&networks=nowhere", "One of the addresses cannot be read"),
    ] {
        let page = post_form(&app, &cookie, "/account/tokens", form).await.expect_status(422).text();
        assert!(page.contains(told), "{form}");
    }
    // Who does not administer is offered neither, and gets no token that erases people.
    assert!(!page.contains("value=\"admin\"") && !page.contains("value=\"erase\""), "{page}");
    post_form(&app, &cookie, "/account/tokens", "name=x&may=erase").await.expect_status(422);
    app.clock.advance_ms(11 * 60 * 1000);
    let page = post_form(&app, &cookie, "/account/tokens", "name=x&may=read").await.expect_status(422).text();
    assert!(page.contains("Give your password"), "{page}");
    let made = post_form(&app, &cookie, "/account/tokens", "name=x&may=read&_password=correct+horse+battery").await.expect_status(200);
    assert!(made.text().contains("rl_"));
    new_cookie(&made);
}

#[tokio::test]
async fn an_administrator_makes_a_token_that_erases_people_on_the_account_page() {
    let app = TestApp::with_files(&crate::privacy::CLINIC).await;
    let id = app.create_id("patient", json!({ "number": "1", "email": "ada@example.org" })).await;
    let cookie = signed_in(&app, "boss@example.com", true).await;
    for (locale, words) in [
        ("en", "Erasing removes what records say of a person"),
        ("zh-CN", "清除会移除记录中有关某人的内容"),
        ("zh-TW", "清除會移除記錄中有關某人的內容"),
    ] {
        let page = app.request(Method::GET, "/account").session(&cookie).header("accept-language", locale).send().await.text();
        assert!(page.contains("value=\"erase\"") && page.contains(words), "{locale}: {page}");
    }
    let make = async |form: &str| {
        let page = post_form(&app, &cookie, "/account/tokens", form).await.expect_status(200).text();
        let secret: String = page.split("rl_").nth(1).expect("a secret").chars().take_while(char::is_ascii_alphanumeric).collect();
        format!("rl_{secret}")
    };
    // All that an administrator may do is not enough; entities that were ticked as well limit nothing here.
    let (admin, erasing) = (make("name=a&may=admin").await, make("name=e&may=erase&entity=clinic.patient").await);
    let path = format!("/api/v1/records/patient/{id}/erase");
    app.request(Method::POST, &path).token(&admin).send().await.expect_problem(403, "ACL003");
    app.request(Method::POST, &path).token(&erasing).send().await.expect_status(200);
    let page = app.request(Method::GET, "/account").session(&cookie).send().await.text();
    assert!(page.contains("Erase people"), "{page}");
    app.clock.advance_ms(11 * 60 * 1000);
    let page = post_form(&app, &cookie, "/account/tokens", "name=x&may=erase").await.expect_status(422).text();
    assert!(page.contains("Give your password"), "{page}");
}
