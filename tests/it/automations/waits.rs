//! Runs that wait: for a time, for a change, for another automation.

use serde_json::json;

use super::world::World;

const DAY_MS: i64 = 86_400_000;

#[tokio::test(flavor = "multi_thread")]
async fn a_wait_of_thirty_days_goes_on_where_it_was() {
    let world = World::new(
        r#"
kind: automation
for: deal
id: later
trigger: {event: created}
steps:
  - {id: first, do: set, values: {other: "=other + 1"}}
  - {id: month, do: wait, time: 30d}
  - {id: last, do: set, values: {number: "=number + 1"}}
"#,
    )
    .await;
    let deal = world.deal(json!({})).await;
    world.work().await;
    let run = world.run("later").await;
    assert_eq!(
        (&run["state"], &run["next_step"], &run["waits_until"]),
        (&json!("waiting"), &json!("month"), &json!("2026-12-21T08:00:00Z"))
    );
    world.app.clock.advance_ms(30 * DAY_MS - 1);
    world.work().await;
    assert_eq!(world.read(&deal).await["number"], 0);
    world.app.clock.advance_ms(1);
    world.work().await;
    world.work().await;
    let read = world.read(&deal).await;
    assert_eq!((&read["other"], &read["number"]), (&json!(1), &json!(1)));
    assert_eq!(world.runs("later").await, [("done".to_owned(), String::new())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_waits_for_a_change_or_until_its_time_is_over() {
    let world = World::new(
        r#"
kind: automation
for: deal
id: answer
trigger: {event: created}
steps:
  - {id: reply, do: wait_for, if: "grade is not null", time: 7d, else: [{id: none, do: set, values: {other: 1}}]}
  - {id: end, do: set, values: {number: "=number + 1"}}
"#,
    )
    .await;
    let (answered, silent) = (world.deal(json!({ "name": "A" })).await, world.deal(json!({ "name": "B" })).await);
    world.work().await;
    // A change of something else, and one for which the condition does not hold.
    world.patch(&answered, json!({ "name": "AA" })).await.expect_status(200);
    world.work().await;
    assert_eq!(world.read(&answered).await["number"], 0);
    world.patch(&answered, json!({ "grade": "A" })).await.expect_status(200);
    world.work().await;
    let read = world.read(&answered).await;
    assert_eq!((&read["number"], &read["other"]), (&json!(1), &json!(0)));
    assert_eq!(world.read(&silent).await["number"], 0);
    world.app.clock.advance_ms(7 * DAY_MS);
    world.work().await;
    let read = world.read(&silent).await;
    assert_eq!((&read["number"], &read["other"]), (&json!(1), &json!(1)));
    assert_eq!(world.runs("answer").await, vec![("done".to_owned(), String::new()); 2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_begins_another_and_never_itself_again() {
    let world = World::new(
        r#"
kind: automation
for: deal
id: outer
trigger: {event: created}
steps: [{id: go, do: run, automation: inner}]
---
kind: automation
for: deal
id: inner
trigger: {event: called}
steps:
  - {id: count, do: set, values: {number: "=number + 1"}}
  - {id: again, do: run, automation: inner}
"#,
    )
    .await;
    let deal = world.deal(json!({})).await;
    world.work().await;
    assert_eq!(world.read(&deal).await["number"], 1);
    let skipped = ("skipped".to_owned(), "loop:shop.outer → shop.inner → shop.inner".to_owned());
    assert_eq!(world.runs("inner").await, [("done".to_owned(), String::new()), skipped]);
    assert_eq!(world.run("outer").await["state"], "done");
}
