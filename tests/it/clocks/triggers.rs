//! What follows when a clock runs out, or is about to.

use serde_json::json;

use super::world::World;

const WATCH: &str = r#"
kind: automation
for: desk.request
id: warn
trigger: {event: clock, clock: response, before: 30m}
run_as: [user]
steps: [{do: set, values: {told: "=told + 1"}}]
---
kind: automation
for: desk.request
id: over
trigger: {event: clock, clock: response}
run_as: [user]
steps: [{do: set, values: {told: "=told + 10"}}]
---
kind: automation
for: desk.request
id: escalate
trigger: {event: clock, clock: response, after: 1h}
run_as: [user]
when: "priority != 'low'"
steps: [{do: set, values: {told: "=told + 100"}}]
"#;

async fn told(world: &World, id: &str) -> i64 {
    world.read(id).await["told"].as_i64().expect("a number")
}

#[tokio::test(flavor = "multi_thread")]
async fn before_at_and_after_the_end_each_once_in_working_time() {
    let world = World::new(WATCH).await;
    world.work("10-09 16:00").await;
    let (high, low) = (world.request(json!({ "priority": "high" })).await, world.request(json!({})).await);
    let answered = world.request(json!({})).await;
    // Due on the Saturday at 11:00, half an hour before is 10:30.
    world.work("10-10 10:29").await;
    assert_eq!(told(&world, &high).await, 0);
    world.patch(&answered, json!({ "answered": true })).await.expect_status(200);
    world.work("10-10 10:31").await;
    assert_eq!((told(&world, &high).await, told(&world, &low).await, told(&world, &answered).await), (1, 1, 0));
    world.work("10-10 10:45").await;
    assert_eq!(told(&world, &high).await, 1);
    world.work("10-10 11:01").await;
    assert_eq!((told(&world, &high).await, told(&world, &low).await), (11, 11));
    // An hour after is noon; the condition holds for one of them.
    world.work("10-10 11:59").await;
    assert_eq!(told(&world, &high).await, 11);
    world.work("10-10 13:00").await;
    world.work("10-10 18:00").await;
    world.work("10-12 10:00").await;
    assert_eq!((told(&world, &high).await, told(&world, &low).await, told(&world, &answered).await), (111, 11, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_told_twice_or_lost_over_hours_without_a_server() {
    let world = World::new(WATCH).await;
    world.work("10-09 16:00").await;
    let id = world.request(json!({ "priority": "high" })).await;
    // Nobody was there from Friday to Monday: what is over is told once, no warning of what is over already.
    world.work("10-12 09:00").await;
    world.work("10-12 09:05").await;
    assert_eq!(told(&world, &id).await, 110);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_begins_with_less_time_left_is_warned_of_at_once() {
    let world = World::new(WATCH).await;
    world.work("10-12 14:00").await;
    let id = world.request(json!({ "priority": "urgent" })).await;
    // Half an hour round the clock.
    world.work("10-12 14:01").await;
    assert_eq!(told(&world, &id).await, 1);
    world.work("10-12 14:02").await;
    assert_eq!(told(&world, &id).await, 1);
    world.work("10-12 14:31").await;
    assert_eq!(told(&world, &id).await, 11);
}

#[tokio::test(flavor = "multi_thread")]
async fn people_are_told_before_a_clock_runs_out() {
    let world = World::new(
        r#"
kind: automation
for: desk.request
id: tell
trigger: {event: clock, clock: resolution, before: 2h}
run_as: [user]
steps:
  - {do: notify, to: ["=owner"], text: {en: "{name} is due {resolution_due}", zh-CN: "{name} 将于 {resolution_due} 到期", zh-TW: "{name} 將於 {resolution_due} 到期"}}
"#,
    )
    .await;
    world.work("10-09 16:00").await;
    world.request(json!({ "priority": "high" })).await;
    world.work("10-10 13:59").await;
    let before = world.app.get("/api/v1/notifications").await.expect_status(200).json();
    assert_eq!(before["data"], json!([]));
    world.work("10-10 14:01").await;
    let after = world.app.get("/api/v1/runs?automation=desk.tell").await.expect_status(200).json();
    assert_eq!(after["data"][0]["state"], "done", "{after}");
    assert_eq!(after["data"][0]["event"], "clock", "{after}");
}
