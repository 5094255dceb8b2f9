//! What stops automations: circles, haste, a process that dies, somebody who cancels.

use std::time::Duration;

use relata::jobs::{JobContext, JobHandler};
use relata::store::{StoreError, jobs};
use serde_json::json;

use super::world::World;

const CIRCLE: &str = r#"
kind: automation
for: deal
id: ping
trigger: {event: updated, watch: [number]}
steps: [{do: set, values: {other: "=other + 1"}}]
---
kind: automation
for: deal
id: pong
trigger: {event: updated, watch: [other]}
steps: [{do: set, values: {number: "=number + 1"}}]
"#;

#[tokio::test(flavor = "multi_thread")]
async fn two_that_start_each_other_stop_and_the_chain_is_shown() {
    let world = World::new(CIRCLE).await;
    let deal = world.deal(json!({})).await;
    world.patch(&deal, json!({ "number": 1 })).await.expect_status(200);
    world.work().await;
    let read = world.read(&deal).await;
    assert_eq!((&read["number"], &read["other"]), (&json!(2), &json!(1)));
    assert_eq!(
        world.runs("ping").await,
        [("done".to_owned(), String::new()), ("skipped".to_owned(), "loop:shop.ping → shop.pong → shop.ping".to_owned())]
    );
    assert_eq!(world.runs("pong").await, [("done".to_owned(), String::new())]);
    let told = world.run("ping").await;
    let chain: Vec<&str> =
        told["chain"].as_array().expect("a chain").iter().map(|cause| cause["automation"].as_str().expect("a name")).collect();
    assert_eq!(chain, ["shop.ping", "shop.pong"]);
    let page = world.app.get("/automations").await.expect_status(200).text();
    assert!(page.contains("It would have started itself again: shop.ping"), "{page}");
    // A person who changes it again starts them again.
    world.patch(&deal, json!({ "number": 9 })).await.expect_status(200);
    world.work().await;
    assert_eq!(world.read(&deal).await["number"], 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_begins_too_often_is_paused_and_administrators_are_told() {
    let world = World::new(
        r#"
kind: automation
for: deal
id: hasty
trigger: {event: created}
per_minute: 20
steps: [{do: set, values: {grade: x}}]
"#,
    )
    .await;
    for _ in 0..30 {
        world.deal(json!({})).await;
    }
    world.work().await;
    let runs = world.runs("hasty").await;
    let count = |state: &str| runs.iter().filter(|(known, _)| known == state).count();
    assert_eq!((count("done"), count("skipped")), (20, 1), "{runs:?}");
    let told = world.app.get("/api/v1/automations").await.expect_status(200).json();
    let one = &told["data"][0];
    assert_eq!((&one["paused_why"], &one["passed"]), (&json!("rate:20"), &json!(9)));
    let page = world.app.get("/").await.expect_status(200).text();
    assert!(page.contains("are paused: shop.hasty"), "an administrator sees it on every page: {page}");
    // Time alone does not let it go on; somebody who looked at it does.
    world.app.clock.advance_ms(120_000);
    world.deal(json!({})).await;
    world.work().await;
    assert_eq!(world.runs("hasty").await.len(), 21);
    world.app.post("/api/v1/automations/shop.hasty/resume", json!({})).await.expect_status(204);
    world.deal(json!({})).await;
    world.work().await;
    assert_eq!(world.runs("hasty").await.last(), Some(&("done".to_owned(), String::new())));
    let page = world.app.get("/").await.expect_status(200).text();
    assert!(!page.contains("are paused"), "{page}");
}

const STEPS: &str = r#"
kind: automation
for: deal
id: long
trigger: {event: created}
steps:
  - {id: one, do: create, entity: account, values: {name: one}}
  - {id: two, do: create, entity: account, values: {name: two}}
  - {id: three, do: create, entity: account, values: {name: three}}
"#;

/// The handler of automations, as the workspace has it.
fn handler(world: &World) -> relata::automation::ScriptJobs {
    relata::automation::ScriptJobs::new(world.app.workspace.automation.clone(), world.app.workspace.records.clone())
}

const LEASE: Duration = Duration::from_secs(60);

/// A run that has begun, and whose own job nobody has claimed yet.
async fn begun() -> (World, JobContext) {
    let world = World::new(STEPS).await;
    world.deal(json!({})).await;
    let context = JobContext { store: world.app.workspace.store.clone() };
    // The job that begins automations.
    let begin = jobs::claim(&context.store, 1, LEASE).await.expect("claims").remove(0);
    handler(&world).run(&context, &relata::jobs::Job::claimed(begin)).await.expect("it begins");
    (world, context)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_holder_that_lost_its_lease_writes_nothing_and_another_does_each_step_once() {
    let (world, context) = begun().await;
    let (store, lease) = (&context.store, LEASE);
    let claimed = jobs::claim(store, 1, lease).await.expect("claims").remove(0);
    world.app.clock.advance_ms(61_000);
    let second = jobs::claim(store, 1, lease).await.expect("claims").remove(0);
    assert_eq!((second.id, second.attempt), (claimed.id, 2));
    handler(&world).run(&context, &relata::jobs::Job::claimed(claimed)).await.expect_err("another has it");
    assert_eq!(accounts(&world).await, Vec::<String>::new());
    handler(&world).run(&context, &relata::jobs::Job::claimed(second)).await.expect("it runs");
    assert_eq!(accounts(&world).await, ["one", "three", "two"]);
    assert_eq!(world.runs("long").await, [("done".to_owned(), String::new())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_run_does_nothing_more() {
    let (world, _) = begun().await;
    let run = world.run("long").await;
    world.app.post(&format!("/api/v1/jobs/{}/cancel", run["id"].as_str().expect("an id")), json!({})).await.expect_status(204);
    world.work().await;
    assert_eq!(accounts(&world).await, Vec::<String>::new());
    assert_eq!(world.runs("long").await, [("cancelled".to_owned(), String::new())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_undone_starts_nothing() {
    let world = World::new(STEPS).await;
    let operations = json!([
        { "op": "create", "entity": "deal", "values": { "name": "A" } },
        { "op": "create", "entity": "deal", "values": {} },
    ]);
    world.app.post("/api/v1/batch", json!({ "operations": operations })).await.expect_status(422);
    assert_eq!(world.work().await, 0);
    let counts = jobs::counts(&world.app.workspace.store).await.map_err(|error: StoreError| error.to_string());
    assert_eq!(counts, Ok(vec![]));
}

async fn accounts(world: &World) -> Vec<String> {
    let told = world.app.get("/api/v1/records/account?select=name&sort=name").await.expect_status(200).json();
    told["data"].as_array().expect("accounts").iter().map(|one| one["name"].as_str().expect("a name").to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_of_which_the_program_dies_each_time_fails_and_can_be_tried_again() {
    let world = World::new(
        "kind: automation\nfor: deal\nid: deadly\ntrigger: {event: created}\nsteps: [{do: wait, time: 1h}, {do: set, values: {number: 7}}]\n",
    )
    .await;
    let deal = world.deal(json!({})).await;
    world.work().await;
    world.app.clock.advance_ms(3_601_000);
    for _ in 0..8 {
        let claimed = jobs::claim(world.app.workspace.records.store(), 1, Duration::from_secs(60)).await.expect("claims");
        assert_eq!(claimed.len(), 1);
        world.app.clock.advance_ms(61_000);
    }
    world.work().await;
    assert_eq!(world.runs("deadly").await, [("failed".to_owned(), "crash:8".to_owned())]);
    let id = world.run("deadly").await["id"].as_str().expect("an id").to_owned();
    let page = world.app.get(&format!("/automations/runs/{id}")).await.expect_status(200).text();
    assert!(page.contains("the program ended before it was done"), "{page}");
    world.app.post(&format!("/api/v1/jobs/{id}/retry"), json!({})).await.expect_status(204);
    world.work().await;
    assert_eq!((world.runs("deadly").await[0].0.as_str(), &world.read(&deal).await["number"]), ("done", &json!(7)));
}
