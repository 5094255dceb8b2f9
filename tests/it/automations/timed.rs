//! Automations that the clock starts.

use serde_json::json;

use super::world::World;

const HOUR_MS: i64 = 3_600_000;

#[tokio::test(flavor = "multi_thread")]
async fn a_schedule_begins_for_each_record_that_the_condition_finds_and_no_more_than_the_limit() {
    let world = World::new(
        r#"
kind: automation
for: deal
id: nightly
trigger: {event: schedule, cron: "0 20 * * *", tz: Asia/Shanghai, limit: 2}
when: "stage = 'new'"
run_as: [user]
steps: [{do: set, values: {number: "=number + 1"}}]
"#,
    )
    .await;
    let (new, won) = (world.deal(json!({})).await, world.deal(json!({ "amount": "1", "stage": "won" })).await);
    // It is 16:00 in Shanghai.
    assert_eq!(world.work().await, 0);
    world.app.clock.advance_ms(4 * HOUR_MS);
    world.work().await;
    world.work().await;
    assert_eq!((world.read(&new).await["number"].clone(), world.read(&won).await["number"].clone()), (json!(1), json!(0)));
    world.deal(json!({})).await;
    world.deal(json!({})).await;
    world.app.clock.advance_ms(24 * HOUR_MS);
    world.work().await;
    assert_eq!(world.read(&new).await["number"], 1, "three are more than two");
    assert_eq!(world.runs("nightly").await, [("done".to_owned(), String::new()), ("skipped".to_owned(), "limit:2".to_owned())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_date_that_comes_near_begins_once_also_after_days_without_a_server() {
    let world = World::new(
        r#"
kind: automation
for: deal
id: remind
trigger: {event: due, field: close_on, days: -3, at: "08:00", tz: Asia/Shanghai}
when: "stage != 'won'"
run_as: [user]
steps: [{do: set, values: {number: "=number + 1"}}]
"#,
    )
    .await;
    assert_eq!(world.work().await, 0);
    // It is the 21st, 16:00 in Shanghai: the moment of the 24th has passed already.
    let mut deals = Vec::new();
    for day in [24, 25, 26, 30] {
        deals.push(world.deal(json!({ "close_on": format!("2026-11-{day}") })).await);
    }
    let closed = world.deal(json!({ "close_on": "2026-11-25", "amount": "1", "stage": "won" })).await;
    let numbers = || async {
        let mut found = Vec::new();
        for deal in deals.iter().chain([&closed]) {
            found.push(world.read(deal).await["number"].as_i64().expect("a number"));
        }
        found
    };
    world.app.clock.advance_ms(16 * HOUR_MS - 1);
    world.work().await;
    assert_eq!(numbers().await, [0, 0, 0, 0, 0]);
    world.app.clock.advance_ms(1);
    world.work().await;
    assert_eq!(numbers().await, [0, 1, 0, 0, 0], "the 22nd, 08:00");
    world.work().await;
    assert_eq!(numbers().await, [0, 1, 0, 0, 0]);
    // A date that is put off comes again; nobody was there from the 22nd to the 28th.
    world.patch(&deals[1], json!({ "close_on": "2026-11-29" })).await.expect_status(200);
    world.app.clock.advance_ms(6 * 24 * HOUR_MS);
    world.work().await;
    world.work().await;
    assert_eq!(numbers().await, [0, 2, 1, 1, 0]);
}
