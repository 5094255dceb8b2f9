//! Choosing one of several people, going through many records, and buttons that begin automations.

use serde_json::{Value, json};

use super::world::World;
use crate::support::TestApp;

const CHOOSING: &str = r#"
kind: automation
for: deal
id: turn
run_as: writer
trigger: {event: created}
when: grade = 'turn'
steps: [{id: give, do: assign, to: reader}]
---
kind: automation
for: deal
id: load
run_as: writer
trigger: {event: created}
when: grade = 'load'
steps: [{id: give, do: assign, to: [reader, "=owner"], by: load, open: "stage != 'won'"}]
---
kind: role
id: writer
permissions: {"*": all}
"#;

/// People with the role, by their ids.
async fn people(app: &TestApp, count: usize) -> Vec<String> {
    let mut found = Vec::new();
    for number in 0..count {
        let values = json!({ "name": format!("Rep {number}"), "email": format!("rep{number}@example.com"), "roles": ["reader"] });
        found.push(app.create_id("user", values).await);
    }
    found
}

async fn owners(world: &World, grade: &str, count: usize) -> Vec<String> {
    let mut found = Vec::new();
    for _ in 0..count {
        let deal = world.deal(json!({ "grade": grade })).await;
        world.work().await;
        found.push(world.read(&deal).await["owner"].as_str().expect("an owner").to_owned());
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn people_come_one_after_the_other() {
    let world = World::new(CHOOSING).await;
    world.deal(json!({ "grade": "turn" })).await;
    world.work().await;
    assert_eq!(world.run("turn").await["state"], "failed");
    let people = people(&world.app, 3).await;
    // Who may not sign in is passed over.
    world.patch(&people[1], json!({ "active": false })).await.expect_status(200);
    let given = owners(&world, "turn", 4).await;
    assert_eq!(given[0], given[2], "{given:?}");
    assert_eq!(given[1], given[3], "{given:?}");
    assert_ne!(given[0], given[1], "{given:?}");
    assert!(!given.contains(&people[1]), "{given:?}");
    let run = world.run("turn").await;
    assert_eq!(run["steps"][0]["input"]["of"], 2, "{run:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_the_fewest_is_chosen() {
    let world = World::new(CHOOSING).await;
    let people = people(&world.app, 3).await;
    for (at, count) in [(0, 3), (1, 1)] {
        for _ in 0..count {
            world.deal(json!({ "owner": people[at], "stage": "new" })).await;
        }
    }
    // What is won does not count.
    for _ in 0..5 {
        world.deal(json!({ "owner": people[2], "stage": "won", "amount": "1" })).await;
    }
    let admin = world.app.get("/api/v1/records/user?filter=email%3D%27admin%40example.com%27").await.expect_status(200).json();
    let admin = admin["data"][0]["id"].as_str().expect("an id").to_owned();
    for _ in 0..9 {
        world.deal(json!({ "owner": admin })).await;
    }
    let given = owners(&world, "load", 4).await;
    let mut first: Vec<&String> = given[..3].iter().collect();
    first.sort();
    let mut wanted = vec![&people[2], &people[2], &people[1]];
    wanted.sort();
    assert_eq!(first, wanted, "{given:?}");
    assert!(given[3] == people[1] || given[3] == people[2], "{given:?}");
}

const LOOPING: &str = r#"
kind: automation
for: account
id: all
trigger: {event: updated, watch: [kind]}
steps: [{id: each, do: loop, entity: deal, match: {account: "=id"}, where: "stage = 'new'", limit: 3, automation: mark}]
---
kind: automation
for: deal
id: mark
trigger: {event: called}
when: name != 'Skip'
steps: [{do: set, values: {grade: marked}}]
---
kind: button
for: deal
id: mark
label: {en: Mark, zh-CN: 标记}
automation: mark
visible_if: stage = 'new'
"#;

#[tokio::test(flavor = "multi_thread")]
async fn each_record_that_is_found_has_a_run_of_its_own() {
    let world = World::new(LOOPING).await;
    let account = world.app.create_id("account", json!({ "name": "A" })).await;
    let mut deals = Vec::new();
    for name in ["One", "Two", "Skip"] {
        deals.push(world.deal(json!({ "name": name, "account": account })).await);
    }
    world.deal(json!({ "account": account, "stage": "offer" })).await;
    world.patch(&account, json!({ "kind": "key" })).await.expect_status(200);
    world.work().await;
    let run = world.run("all").await;
    let output = &run["steps"][0]["output"];
    assert_eq!((&output["found"], &output["begun"]), (&json!(3), &json!(2)), "{run:#}");
    assert_eq!(output["not_run"][0][0], json!(deals[2]), "{run:#}");
    for (deal, grade) in deals.iter().zip([json!("marked"), json!("marked"), Value::Null]) {
        assert_eq!(world.read(deal).await["grade"], grade);
    }
    assert_eq!(world.runs("mark").await.iter().filter(|(state, _)| state == "done").count(), 2);
    // With one more than the limit none begins.
    world.deal(json!({ "account": account })).await;
    world.patch(&account, json!({ "kind": "other" })).await.expect_status(200);
    world.work().await;
    assert_eq!(world.run("all").await["state"], "failed");
    assert_eq!(world.runs("mark").await.iter().filter(|(state, _)| state == "done").count(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_button_begins_an_automation() {
    let world = World::new(LOOPING).await;
    let deal = world.deal(json!({})).await;
    let app = &world.app;
    let press = |id: String| async move { app.post(&format!("/api/v1/records/deal/{id}/actions/mark"), json!({})).await };
    let page = world.app.get(&format!("/records/deal/{deal}")).await.expect_status(200).text();
    assert!(page.contains("actions&#x2f;mark") && page.contains("Mark"), "{page}");
    let told = press(deal.clone()).await.expect_status(200).json();
    assert_eq!(told["answer"]["message"], "It has begun.", "{told}");
    world.work().await;
    assert_eq!(world.read(&deal).await["grade"], "marked");
    let run = world.run("mark").await;
    assert_eq!((&run["id"], &run["state"]), (&told["answer"]["run"], &json!("done")), "{run:#}");
    let skipped = world.deal(json!({ "name": "Skip" })).await;
    let told = press(skipped).await.expect_status(200).json();
    assert!(told["answer"]["run"].is_null() && told["answer"]["not_run"].as_str().expect("a reason").starts_with("condition:"), "{told}");
    let offered = world.deal(json!({ "stage": "offer" })).await;
    press(offered).await.expect_problem(409, "REC013");
    // Who may only read presses nothing.
    let reader = world.app.create_id("user", json!({ "name": "Rita", "email": "rita@example.com", "roles": ["reader"] })).await;
    let rights = world
        .app
        .workspace
        .auth
        .create_token(relata::auth::NewToken { email: "rita@example.com".into(), name: "r".into(), days: None })
        .await;
    let token = rights.expect("a token").secret;
    let ask = world.app.request(axum::http::Method::POST, &format!("/api/v1/records/deal/{deal}/actions/mark"));
    let refused = ask.token(&token).json(&json!({})).send().await;
    assert_eq!(refused.status.as_u16(), 403, "{reader}: {}", refused.text());
}
