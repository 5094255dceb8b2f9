//! People are told: who is meant and may read it, in their language, with what they may read of it.

use axum::http::Method;
use serde_json::{Value, json};

use super::world::World;
use crate::access::world::{Person, get, person, send};
use crate::support::TestApp;

const TELLING: &str = r#"
kind: role
id: seller
permissions:
  shop.deal: {rows: "owner = me()", update: true, fields: {hide: [amount]}}
---
kind: role
id: chief
permissions: {"*": read}
---
kind: automation
for: deal
id: offered
trigger: {event: stage, to: offer}
steps:
  - id: tell
    do: notify
    to: [seller, chief, "=owner"]
    text: {en: "{name} is offered for {amount}", zh-CN: "{name} 已报价 {amount}", zh-TW: "{name} 已報價 {amount}"}
---
kind: automation
for: deal
id: gone
trigger: {event: deleted}
steps: [{do: notify, to: chief, text: A deal was deleted}]
---
kind: automation
for: deal
id: empty
trigger: {event: created}
steps: [{do: notify, to: "=owner", text: It is yours}]
"#;

async fn told(app: &TestApp, who: &Person) -> Value {
    get(app, who, "/api/v1/notifications").await.expect_status(200).json()
}

/// The newest text in a language.
async fn told_in(app: &TestApp, who: &Person, language: &str) -> String {
    let ask = app.request(Method::GET, "/api/v1/notifications").token(&who.token).header("accept-language", language);
    ask.send().await.expect_status(200).json()["data"][0]["text"].as_str().expect("a text").to_owned()
}

/// The texts somebody finds.
async fn texts(app: &TestApp, who: &Person) -> Vec<String> {
    let told = told(app, who).await;
    told["data"].as_array().expect("lines").iter().map(|line| line["text"].as_str().expect("a text").to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_is_told_once_with_what_they_may_read_and_others_not_at_all() {
    let world = World::new(TELLING).await;
    let app = &world.app;
    let ada = person(app, "ada", &["seller"], json!({})).await;
    let bo = person(app, "bo", &["chief"], json!({})).await;
    let cy = person(app, "cy", &["seller"], json!({})).await;
    let eve = person(app, "eve", &[], json!({})).await;
    let deal = world.deal(json!({ "name": "Harbin", "amount": "5000", "owner": ada.id })).await;
    world.work().await;
    assert_eq!(texts(app, &ada).await, ["It is yours"]);
    world.patch(&deal, json!({ "stage": "offer" })).await.expect_status(200);
    world.work().await;
    assert_eq!(texts(app, &cy).await, Vec::<String>::new(), "it is not theirs to read");
    assert_eq!(texts(app, &eve).await, Vec::<String>::new());
    assert_eq!(texts(app, &ada).await, ["Harbin is offered for –", "It is yours"], "once, though meant twice");
    assert_eq!(texts(app, &bo).await, ["Harbin is offered for 5,000.00"]);
    assert_eq!(told_in(app, &bo, "zh-CN").await, "Harbin 已报价 5,000.00");
    assert_eq!(told_in(app, &bo, "zh-TW").await, "Harbin 已報價 5,000.00");
    let run = world.run("offered").await;
    let output = |at: usize| run["steps"][at]["output"].clone();
    assert_eq!((output(0), output(1)), (json!({ "queued": true }), json!({ "told": 2, "may_not_read": 1 })), "{run:#}");
    assert_eq!(run["steps"][0]["input"], json!({ "to": ["seller", "chief", ada.id] }));
    // What is told follows the record, and the rights of the moment.
    world.patch(&deal, json!({ "name": "Dalian" })).await.expect_status(200);
    assert_eq!(texts(app, &ada).await[0], "Dalian is offered for –");
    world.patch(&deal, json!({ "owner": cy.id })).await.expect_status(200);
    assert_eq!(texts(app, &ada).await, Vec::<String>::new());
    // Of what is gone nothing is told but that it is.
    app.delete(&format!("/api/v1/records/deal/{deal}")).await.expect_status(204);
    world.work().await;
    assert_eq!(texts(app, &bo).await, ["A deal was deleted"]);
    assert_eq!(told(app, &bo).await["data"][0]["record"], json!(null));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_is_read_by_whom_it_is_for() {
    let world = World::new(TELLING).await;
    let app = &world.app;
    let (ada, bo) = (person(app, "ada", &["seller"], json!({})).await, person(app, "bo", &["chief"], json!({})).await);
    for _ in 0..3 {
        world.deal(json!({ "owner": ada.id })).await;
    }
    world.work().await;
    let found = told(app, &ada).await;
    assert_eq!((found["data"].as_array().map(Vec::len), &found["unread"]), (Some(3), &json!(3)));
    let id = found["data"][1]["id"].as_str().expect("an id").to_owned();
    let act =
        |who: Person, act: String| async move { send(app, &who, Method::POST, &format!("/api/v1/notifications/{act}"), &json!({})).await };
    let of = |who: &Person| Person { id: who.id.clone(), token: who.token.clone() };
    for wrong in [format!("{id}/read"), format!("{id}/unread")] {
        act(of(&bo), wrong).await.expect_status(404);
    }
    act(of(&ada), "x/read".to_owned()).await.expect_status(404);
    act(of(&ada), format!("{id}/read")).await.expect_status(204);
    let found = get(app, &ada, "/api/v1/notifications?unread=true&limit=1").await.expect_status(200).json();
    assert_eq!((found["data"].as_array().map(Vec::len), &found["unread"]), (Some(1), &json!(2)));
    let next = found["next"].as_str().expect("another page");
    let found = get(app, &ada, &format!("/api/v1/notifications?unread=true&before={next}")).await.expect_status(200).json();
    assert_eq!((found["data"].as_array().map(Vec::len), &found["next"]), (Some(1), &json!(null)));
    act(of(&ada), format!("{id}/unread")).await.expect_status(204);
    assert_eq!(told(app, &ada).await["unread"], 3);
    act(of(&ada), "read".to_owned()).await.expect_status(204);
    assert_eq!(told(app, &ada).await["unread"], 0);
    for (wrong, status, code) in
        [("unread=maybe", 422, "WEB422"), ("before=x", 422, "WEB422"), ("limit=0", 400, "QRY003"), ("limit=201", 400, "QRY003")]
    {
        get(app, &ada, &format!("/api/v1/notifications?{wrong}")).await.expect_problem(status, code);
    }
    // They are kept for ninety days.
    app.clock.advance_ms(91 * 86_400_000);
    world.work().await;
    assert_eq!(told(app, &ada).await["data"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn administrators_are_told_of_a_pause_and_see_it_at_the_bell() {
    let hasty =
        "kind: automation\nfor: deal\nid: hasty\ntrigger: {event: created}\nper_minute: 1\nsteps: [{do: set, values: {grade: x}}]\n";
    let world = World::new(hasty).await;
    let home = world.app.get("/").await.expect_status(200).text();
    assert!(home.contains("aria-label=\"Notifications\""), "{home}");
    for _ in 0..3 {
        world.deal(json!({})).await;
    }
    world.work().await;
    let home = world.app.get("/").await.expect_status(200).text();
    assert!(home.contains("aria-label=\"Notifications: 1 unread\""), "{home}");
    let page = world.app.get("/notifications").await.expect_status(200).text();
    assert!(page.contains("The automation shop.hasty began more than 1 times within a minute"), "{page}");
    let form = |path: &str| {
        let ask = world.app.request(Method::POST, path).header("content-type", "application/x-www-form-urlencoded");
        ask.header("origin", "http://localhost:8080").send()
    };
    form("/notifications/read").await.expect_status(303);
    let page = world.app.get("/notifications?show=unread").await.expect_status(200).text();
    assert!(page.contains("You have read everything."), "{page}");
    form("/notifications/1/read").await.expect_status(404);
}
