//! What people do who are not meant to, and what many do at once.

use axum::http::Method;
use relata::auth::{NewToken, NewUser};
use serde_json::{Value, json};

use crate::support::TestApp;

/// A token of a person without the role of an administrator, and the person's id.
async fn member(app: &TestApp) -> (String, String) {
    let person = NewUser { name: "Joe".into(), email: "joe@example.com".into(), password: String::new(), locale: None, admin: false };
    let id = app.workspace.auth.create_user(person).await.expect("created");
    let token = NewToken { email: "joe@example.com".into(), name: "joe".into(), days: None };
    (app.workspace.auth.create_token(token).await.expect("made").secret, id.display("user"))
}

#[tokio::test]
async fn definitions_are_for_administrators() {
    let app = TestApp::crm().await;
    let (token, _) = member(&app).await;
    for (method, path) in [
        (Method::POST, "/api/v1/definitions/check"),
        (Method::POST, "/api/v1/definitions/plan"),
        (Method::POST, "/api/v1/definitions/apply"),
        (Method::GET, "/api/v1/definitions/versions"),
    ] {
        let ask = app.request(method.clone(), path).token(&token);
        let answer = if method == Method::GET { ask.send().await } else { ask.json(&json!({})).send().await };
        answer.expect_problem(403, "ACL002");
        let ask = app.request(method.clone(), path);
        let answer = if method == Method::GET { ask.send().await } else { ask.json(&json!({})).send().await };
        answer.expect_status(200);
    }
}

#[tokio::test]
async fn nobody_makes_themselves_an_administrator() {
    let app = TestApp::shipped("crm").await;
    let (token, me) = member(&app).await;
    let found = app.get("/api/v1/records/user?filter=email='admin@example.com'").await.expect_status(200).json();
    let admin = found["data"][0]["id"].as_str().expect("an id").to_owned();
    let refused: [(Method, String, Value); 5] = [
        (Method::PATCH, format!("/api/v1/records/user/{me}"), json!({"roles": ["admin"]})),
        (Method::PATCH, format!("/api/v1/records/user/{admin}"), json!({"active": false})),
        (Method::PATCH, format!("/api/v1/records/user/{admin}"), json!({"email": "joe2@example.com"})),
        (Method::POST, "/api/v1/records/user".into(), json!({"name": "Eve", "email": "eve@example.com", "roles": ["admin"]})),
        (Method::DELETE, format!("/api/v1/records/user/{admin}"), Value::Null),
    ];
    for (method, path, body) in refused {
        let ask = app.request(method.clone(), &path).token(&token);
        let answer = match body {
            Value::Null => ask.send().await,
            body => {
                ask.header("content-type", if method == Method::PATCH { "application/merge-patch+json" } else { "application/json" })
                    .text(body.to_string())
                    .send()
                    .await
            }
        };
        answer.expect_status(403);
    }
    let own = app.request(Method::PATCH, &format!("/api/v1/records/user/{me}")).token(&token);
    own.header("content-type", "application/merge-patch+json").text(json!({"locale": "zh-CN"}).to_string()).send().await.expect_status(200);
}

#[tokio::test]
async fn a_visitor_cannot_fill_the_memory() {
    let app = TestApp::crm().await;
    let sent = |kind: &'static str, body: String| {
        app.request(Method::POST, "/sign-in")
            .anonymous()
            .header("sec-fetch-site", "same-origin")
            .header("content-type", kind)
            .text(body)
            .send()
    };
    sent("application/x-www-form-urlencoded", format!("email=a%40b.c&password={}", "x".repeat(64 * 1024))).await.expect_status(413);
    let part = format!("--b\r\nContent-Disposition: form-data; name=\"a.upload\"; filename=\"a\"\r\n\r\n{}\r\n--b--\r\n", "x".repeat(1024));
    sent("multipart/form-data; boundary=b", part).await.expect_status(415);
}

#[tokio::test]
async fn a_sum_is_exact_after_its_record_comes_back() {
    let app = TestApp::shipped("crm").await;
    let account = app.create_id("account", json!({"name": "A"})).await;
    let product = app.create_id("product", json!({"name": "P", "code": "P"})).await;
    let line = json!({"product": product, "quantity": "2", "price": "10.10"});
    let deal = app
        .create_id("deal", json!({"name": "D", "account": account, "amount": {"amount": "1", "currency": "CNY"}, "lines": [line]}))
        .await;
    let path = format!("/api/v1/records/deal/{deal}");
    assert_eq!(app.get(&path).await.expect_status(200).json()["lines_total"], "20.20");
    app.delete(&path).await.expect_status(204);
    // Lines keep no recycle bin: they are gone.
    let back = app.request(Method::POST, &format!("{path}/restore")).send().await.expect_status(200);
    let shown = app.get(&path).await.expect_status(200);
    assert_eq!(shown.json()["lines_total"], "0.00");
    assert_eq!(back.header("etag"), shown.header("etag"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sums_are_exact_under_children_inserted_at_once() {
    let app = std::sync::Arc::new(TestApp::shipped("crm").await);
    let account = app.create_id("account", json!({"name": "A"})).await;
    let product = app.create_id("product", json!({"name": "P", "code": "P"})).await;
    let deal = app.create_id("deal", json!({"name": "D", "account": account, "amount": {"amount": "1", "currency": "CNY"}})).await;
    let mut clients = Vec::new();
    for _ in 0..8 {
        let (app, deal, product) = (app.clone(), deal.clone(), product.clone());
        clients.push(tokio::spawn(async move {
            for _ in 0..5 {
                app.create("deal_line", json!({"deal": deal, "product": product, "quantity": "1", "price": "1.01"})).await;
            }
        }));
    }
    for client in clients {
        client.await.expect("every insert is answered 201");
    }
    assert_eq!(app.get(&format!("/api/v1/records/deal/{deal}")).await.expect_status(200).json()["lines_total"], "40.40");
}

const STATE: &str = "definitions/site/entities/state.yaml";
const WITH_TWO: &str = "kind: entity\nid: site.state\nlabel: State\nfields:\n  name: {type: text}\n  mood: {type: select, options: [{key: good}, {key: bad}]}\n";
const WITH_ONE: &str =
    "kind: entity\nid: site.state\nlabel: State\nfields:\n  name: {type: text}\n  mood: {type: select, options: [{key: good}]}\n";

#[tokio::test]
async fn an_option_that_is_gone_stays_where_it_is_and_is_taken_nowhere_else() {
    let app = TestApp::with_files(&[(STATE, WITH_TWO)]).await;
    let bad = app.create_id("state", json!({"name": "A", "mood": "bad"})).await;
    let good = app.create_id("state", json!({"name": "B", "mood": "good"})).await;
    let mut files = relata::deploy::read(&app.workspace.folders).expect("the files are readable");
    files.retain(|file| file.path != STATE);
    files.push(relata::schema::SourceFile::new(STATE, WITH_ONE));
    app.workspace.apply(&files, None, &[], 0).await.expect("applies");
    app.patch(&format!("/api/v1/records/state/{bad}"), json!({"name": "A2", "mood": "bad"})).await.expect_status(200);
    app.patch(&format!("/api/v1/records/state/{good}"), json!({"mood": "bad"})).await.expect_status(422);
    app.post("/api/v1/records/state", json!({"name": "C", "mood": "bad"})).await.expect_status(422);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn batches_over_the_same_records_in_any_order_all_succeed() {
    let app = std::sync::Arc::new(TestApp::crm().await);
    let mut ids = Vec::new();
    for number in 0..4 {
        ids.push(app.create_id("account", json!({"name": format!("A{number}")})).await);
    }
    let mut clients = Vec::new();
    for client in 0..4 {
        let (app, mut ids) = (app.clone(), ids.clone());
        ids.rotate_left(client);
        if client % 2 == 1 {
            ids.reverse();
        }
        clients.push(tokio::spawn(async move {
            for round in 0..5 {
                let operations: Vec<Value> = ids
                    .iter()
                    .map(|id| json!({"op": "update", "entity": "account", "id": id, "values": {"name": format!("{client} {round}")}}))
                    .collect();
                app.post("/api/v1/batch", json!({"atomic": true, "operations": operations})).await.expect_status(200);
            }
        }));
    }
    for client in clients {
        client.await.expect("every batch is answered 200");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_administrator_stays() {
    let app = TestApp::crm().await;
    let (_, joe) = member(&app).await;
    let found = app.get("/api/v1/records/user?filter=email='admin@example.com'").await.expect_status(200).json();
    let admin = found["data"][0]["id"].as_str().expect("an id").to_owned();
    let path = format!("/api/v1/records/user/{admin}");
    let at = |answer: &crate::support::Answer| answer.json()["errors"][0]["path"].clone();
    for (values, place) in [(json!({"active": false}), "/active"), (json!({"roles": ["user"]}), "/roles"), (json!({"roles": []}), "/roles")]
    {
        let answer = app.patch(&path, values.clone()).await.expect_status(422);
        assert_eq!((at(&answer), answer.json()["errors"][0]["code"].clone()), (json!(place), json!("last_administrator")), "{values}");
        let answer = app.patch("/api/v1/records/user", json!([{"id": admin, "set": values}])).await.expect_status(200);
        assert_eq!(answer.json()["failed"], 1);
    }
    app.delete(&path).await.expect_problem(409, "REC013");
    // Programs of the workspace itself are held by it too.
    let records = &app.workspace.records;
    let catalog = app.workspace.catalog.load_full();
    let entity = catalog.find_entity("core.user").expect("people");
    let id = relata::record::parse_id(&catalog, entity.ix, &admin).expect("an id");
    let input = relata::record::Input::from_json(&catalog, entity, &json!({"active": false})).expect("an input");
    let options = relata::record::WriteOptions::from(relata::record::Source::System);
    let system = relata::access::Actor::system();
    records.update(&system, &catalog, entity.ix, id, input, options.clone()).await.expect_err("refused");
    records.delete(&system, &catalog, entity.ix, id, options).await.expect_err("refused");
    // Of two, either may go, but not both; somebody who is not active does not count.
    app.patch(&format!("/api/v1/records/user/{joe}"), json!({"roles": ["admin"], "active": false})).await.expect_status(200);
    app.delete(&path).await.expect_status(409);
    app.patch(&format!("/api/v1/records/user/{joe}"), json!({"active": true})).await.expect_status(200);
    app.patch(&path, json!({"name": "Ada", "roles": ["user", "admin"]})).await.expect_status(200);
    let gone = app
        .post(
            "/api/v1/batch",
            json!({"atomic": false, "operations": [
                {"op": "delete", "entity": "user", "id": joe},
                {"op": "update", "entity": "user", "id": admin, "values": {"roles": ["user"]}},
            ]}),
        )
        .await
        .expect_status(200)
        .json();
    assert_eq!((&gone["failed"], &gone["results"][1]["status"]), (&json!(1), &json!("failed")), "{gone}");
}
