//! Runs that wait: for a time, for a change, for another automation; and what becomes of them meanwhile.

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

const PATIENT: &str = r#"
kind: automation
for: deal
id: patient
trigger: {event: created}
steps:
  - {id: customer, do: wait_for, if: "account.kind = 'customer' or exists(calls where done)", time: 30d, else: [{id: late, do: set, values: {other: 1}}]}
  - {id: end, do: set, values: {number: "=number + 1"}}
"#;

#[tokio::test(flavor = "multi_thread")]
async fn what_other_records_tell_is_waited_for_too() {
    let world = World::new(PATIENT).await;
    let account = world.app.create_id("account", json!({ "name": "A" })).await;
    let (by_account, by_call) = (world.deal(json!({ "account": account })).await, world.deal(json!({})).await);
    world.work().await;
    world.patch(&account, json!({ "kind": "customer" })).await.expect_status(200);
    world.app.create_id("call", json!({ "deal": by_call, "done": true })).await;
    for minutes in [9, 1] {
        assert_eq!(world.runs("patient").await, vec![("waiting".to_owned(), String::new()); 2]);
        world.app.clock.advance_ms(minutes * 60_000);
        world.work().await;
    }
    for deal in [by_account, by_call] {
        let read = world.read(&deal).await;
        assert_eq!((&read["number"], &read["other"]), (&json!(1), &json!(0)));
    }
    assert_eq!(world.runs("patient").await, vec![("done".to_owned(), String::new()); 2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_whose_record_is_deleted_ends_and_does_nothing_for_it() {
    let month = r#"
kind: automation
for: deal
id: month
trigger: {event: created}
steps:
  - {id: wait, do: wait, time: 30d}
  - {id: call, do: create, entity: account, values: {name: "=name"}}
"#;
    let world = World::new(month).await;
    let deal = world.deal(json!({})).await;
    world.work().await;
    world.app.delete(&format!("/api/v1/records/deal/{deal}")).await.expect_status(204);
    world.work().await;
    assert_eq!(world.runs("month").await, [("cancelled".to_owned(), "gone:".to_owned())], "at once, not in a month");
    let page = world.app.get("/automations").await.expect_status(200).text();
    assert!(page.contains("The record was deleted"), "{page}");
    world.app.clock.advance_ms(31 * DAY_MS);
    world.work().await;
    assert_eq!(world.app.get("/api/v1/records/account").await.expect_status(200).json()["data"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_goes_on_under_new_definitions_and_is_kept_where_its_step_is_gone() {
    let (first, other) = ("{id: month, do: wait, time: 30d}", "{id: year, do: wait, time: 365d}");
    let with = |wait: &str, last: &str| {
        format!("kind: automation\nfor: deal\nid: later\ntrigger: {{event: created}}\nsteps:\n  - {wait}\n  - {last}\n")
    };
    let (one, two) = ("{id: last, do: set, values: {number: 1}}", "{id: last, do: set, values: {number: 2}}");
    let world = World::new(&with(first, one)).await;
    let deal = world.deal(json!({})).await;
    world.work().await;
    // Its step is called otherwise now: the run is kept, told and can be tried again once that is mended.
    world.change(&with(other, two)).await;
    world.app.clock.advance_ms(30 * DAY_MS);
    world.work().await;
    assert_eq!(world.runs("later").await, [("failed".to_owned(), "definition:".to_owned())]);
    assert_eq!(world.read(&deal).await["number"], 0);
    world.change(&with(first, two)).await;
    let run = world.run("later").await["id"].as_str().expect("an id").to_owned();
    // It is kept longer than the log is: there is something to be done about it.
    world.app.clock.advance_ms(40 * DAY_MS);
    world.work().await;
    world.app.post(&format!("/api/v1/jobs/{run}/retry"), json!({})).await.expect_status(204);
    world.work().await;
    // It has waited already.
    assert_eq!(world.read(&deal).await["number"], 2);
    // What ended just now is in the log, however long ago it began.
    world.app.clock.advance_ms(DAY_MS);
    world.work().await;
    assert_eq!(world.runs("later").await, [("done".to_owned(), String::new())]);
    // Who takes the automation away takes its runs away.
    world.deal(json!({})).await;
    world.work().await;
    world.change("kind: app\nid: shop\nentities: [deal]\n").await;
    world.app.clock.advance_ms(30 * DAY_MS);
    world.work().await;
    assert_eq!(world.runs("later").await.last(), Some(&("cancelled".to_owned(), "definition:".to_owned())));
    assert_eq!(world.work().await, 0);
}
