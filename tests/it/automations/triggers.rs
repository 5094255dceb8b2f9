//! What starts an automation, and what it does then.

use serde_json::json;

use super::world::World;

fn done(count: usize) -> Vec<(String, String)> {
    vec![("done".to_owned(), String::new()); count]
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_the_trigger_names_starts_it() {
    let world = World::new(
        r#"
kind: automation
for: deal
id: made
trigger: {event: created}
steps: [{do: create, entity: account, values: {name: "=name", kind: made}}]
---
kind: automation
for: deal
id: priced
trigger: {event: updated, watch: [amount]}
steps: [{do: create, entity: account, values: {name: "=name", kind: priced}}]
---
kind: automation
for: deal
id: moved
trigger: {event: stage, from: [new, offer], to: [won]}
steps: [{do: create, entity: account, values: {name: "=name", kind: moved}}]
---
kind: automation
for: deal
id: removed
trigger: {event: deleted}
steps: [{do: create, entity: account, values: {name: "=name", kind: removed}}]
"#,
    )
    .await;
    let count = |told: serde_json::Value| told["data"].as_array().expect("accounts").len();
    let made = |kind: &'static str| {
        let app = &world.app;
        async move { count(app.get(&format!("/api/v1/records/account?filter=kind%20%3D%20%27{kind}%27")).await.expect_status(200).json()) }
    };
    let deal = world.deal(json!({ "name": "First" })).await;
    assert_eq!(made("made").await, 0, "nothing happens before the commit");
    world.work().await;
    assert_eq!(made("made").await, 1);
    // A watched field that is written with the same value, and one that nobody watches, start nothing.
    world.patch(&deal, json!({ "grade": "A" })).await.expect_status(200);
    world.patch(&deal, json!({ "name": "First" })).await.expect_status(200);
    world.work().await;
    assert_eq!((made("priced").await, world.runs("priced").await), (0, vec![]));
    world.patch(&deal, json!({ "amount": "5" })).await.expect_status(200);
    world.patch(&deal, json!({ "stage": "offer" })).await.expect_status(200);
    world.work().await;
    assert_eq!((made("priced").await, made("moved").await), (1, 0));
    world.patch(&deal, json!({ "stage": "won" })).await.expect_status(200);
    world.app.delete(&format!("/api/v1/records/deal/{deal}")).await.expect_status(204);
    world.work().await;
    assert_eq!((made("moved").await, made("removed").await), (1, 1));
    for name in ["made", "priced", "moved", "removed"] {
        assert_eq!(world.runs(name).await, done(1), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn steps_follow_one_another_and_branches_part() {
    let world = World::new(
        r#"
kind: automation
for: deal
id: sort
trigger: {event: created}
steps:
  - {id: mark, do: set, values: {grade: seen}}
  - id: size
    do: branch
    if: "amount >= 1000"
    then:
      - {id: big, do: set, values: {grade: "big"}}
      - {id: rank, do: script, script: rank}
    else:
      - {id: small, do: set, values: {grade: "small"}}
  - {id: follow, do: task, values: {subject: "=concat('Call about ', name)"}, due_in: 3}
  - {id: others, do: update, entity: deal, match: {account: "=account"}, where: "grade is null", values: {number: "=old.number + 1"}, limit: 2}
"#,
    )
    .await;
    let account = world.app.create_id("account", json!({ "name": "A" })).await;
    let mut made = Vec::new();
    for (amount, grade, steps) in [("2000", "ranked Deal", 6), ("10", "small", 5)] {
        let deal = world.deal(json!({ "amount": amount })).await;
        made.push(json!(deal));
        world.work().await;
        assert_eq!(world.read(&deal).await["grade"], grade);
        assert_eq!(world.run("sort").await["steps"].as_array().expect("steps").len(), steps);
    }
    let tasks = world.app.get("/api/v1/records/task?select=subject,due_on,about").await.expect_status(200).json();
    let task = &tasks["data"][0];
    assert_eq!((&task["subject"], &task["due_on"]), (&json!("Call about Deal"), &json!("2026-11-24")));
    assert!(made.contains(&task["about"]), "{task}");
    // More records than a step may change: nothing of the step is done.
    world.app.post("/api/v1/automations/shop.sort/pause", json!({})).await.expect_status(204);
    let mut deals = Vec::new();
    for _ in 0..3 {
        deals.push(world.deal(json!({ "account": account })).await);
    }
    world.work().await;
    world.app.post("/api/v1/automations/shop.sort/resume", json!({})).await.expect_status(204);
    world.deal(json!({ "account": account })).await;
    world.work().await;
    let run = world.run("sort").await;
    assert_eq!((&run["state"], &run["next_step"]), (&json!("failed"), &json!("others")), "{run:#}");
    for deal in &deals {
        assert_eq!(world.read(deal).await["number"], 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_has_the_rights_that_it_names_and_no_others() {
    let world = World::new(
        r#"
kind: automation
for: deal
id: narrow
trigger: {event: created}
run_as: [reader]
steps: [{do: set, values: {grade: x}}]
---
kind: automation
for: deal
id: own
trigger: {event: created}
steps: [{do: set, values: {other: 1}}]
"#,
    )
    .await;
    let deal = world.deal(json!({})).await;
    world.work().await;
    let runs = world.runs("narrow").await;
    assert_eq!(runs.len(), 1);
    assert!(runs[0].0 == "failed" && runs[0].1.starts_with("refused:"), "{runs:?}");
    assert_eq!(world.runs("own").await, done(1), "what one of them may not holds up nobody else");
    let read = world.read(&deal).await;
    assert_eq!((&read["grade"], &read["other"]), (&json!(null), &json!(1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gate_refuses_an_automation_and_the_run_goes_on_where_it_stopped() {
    let world = World::new(
        r#"
kind: automation
for: deal
id: close
trigger: {event: updated, watch: [grade]}
steps:
  - {id: count, do: update, entity: account, where: "true", values: {kind: "=grade"}}
  - {id: win, do: set, values: {stage: won}}
  - {id: note, do: set, values: {other: "=other + 1"}}
"#,
    )
    .await;
    let deal = world.deal(json!({})).await;
    world.patch(&deal, json!({ "grade": "A" })).await.expect_status(200);
    world.work().await;
    let run = world.run("close").await;
    assert_eq!((&run["state"], &run["next_step"]), (&json!("failed"), &json!("win")));
    assert!(run["reason"].as_str().expect("a reason").contains("`amount` must be filled in"), "{run:#}");
    assert_eq!(world.read(&deal).await["stage"], "new");
    // The fault is mended, and the dead letter tried again: it goes on with the step that failed.
    world.patch(&deal, json!({ "amount": "5" })).await.expect_status(200);
    world.app.post(&format!("/api/v1/jobs/{}/retry", run["id"].as_str().expect("an id")), json!({})).await.expect_status(204);
    world.work().await;
    let run = world.run("close").await;
    let steps: Vec<&str> = run["steps"].as_array().expect("steps").iter().map(|step| step["step"].as_str().expect("a name")).collect();
    assert_eq!((&run["state"], steps), (&json!("done"), vec!["count", "win", "win", "note"]));
    let read = world.read(&deal).await;
    assert_eq!((&read["stage"], &read["other"]), (&json!("won"), &json!(1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn conditions_read_money_in_the_currency_of_the_workspace_before_and_after() {
    let world = World::new(
        r#"
kind: automation
for: deal
id: dearer
trigger: {event: updated, watch: [price]}
when: "price.base > 10 and old.price.base <= 10"
steps: [{do: set, values: {grade: dear}}]
"#,
    )
    .await;
    let id = world.deal(json!({"price": "5"})).await;
    for (price, grade) in [("7", json!(null)), ("20", json!("dear"))] {
        world.patch(&id, json!({"price": price})).await.expect_status(200);
        world.work().await;
        assert_eq!(world.read(&id).await["grade"], grade, "{price}");
    }
}
