//! Protection over time: warned, extended, expired.

use serde_json::json;

use super::world::{World, code};
use crate::access::world::get;

const DAY_MS: i64 = 24 * 3_600_000;

#[tokio::test]
async fn a_protection_is_told_of_before_extended_and_over_in_the_end() {
    let world = World::new().await;
    let (first, second) = (world.project(&world.one, "Acme").await, world.project(&world.two, "Acme").await);
    let one = world.file(&world.one, &first, "project").await.expect_status(201).json();
    let records = &world.app.workspace.records;
    world.app.clock.advance_ms(82 * DAY_MS);
    assert_eq!(records.look_after_claims().await.expect("looked after").warned, 0);
    world.app.clock.advance_ms(DAY_MS);
    assert_eq!(records.look_after_claims().await.expect("looked after").warned, 1);
    assert_eq!(records.look_after_claims().await.expect("looked after").warned, 0, "told once");
    let extended = world.act(&world.one, &one, "extend", json!({})).await.expect_status(200).json();
    assert_eq!((&extended["until"], &extended["extended"]), (&json!("2027-03-21T08:00:00Z"), &json!(1)));
    assert_eq!(world.act(&world.two, &one, "extend", json!({})).await.status, 404);
    world.act(&world.judge, &one, "extend", json!({})).await.expect_status(200);
    assert_eq!(code(&world.act(&world.one, &one, "extend", json!({})).await.expect_status(422)), "registration_extended");
    world.app.clock.advance_ms(67 * DAY_MS - 1_000);
    assert_eq!(world.file(&world.two, &second, "project").await.expect_status(201).json()["state"], "contested");
    world.app.clock.advance_ms(1_000);
    // Over from that moment on, whether or not anybody noted it.
    assert_eq!(world.claim(&world.one, &one).await["state"], "expired");
    assert_eq!(code(&world.act(&world.one, &one, "extend", json!({})).await.expect_status(422)), "registration_over");
    let third = world.project(&world.two, "Acme").await;
    assert_eq!(world.file(&world.two, &third, "project").await.expect_status(201).json()["state"], "protected");
    world.app.workspace.queue_chores().await.expect("queued");
    world.app.workspace.runner.run_until_idle().await.expect("jobs run");
    let told = get(&world.app, &world.one, "/api/v1/notifications").await.expect_status(200).text();
    assert!(told.contains("ends soon") && told.contains("is over"), "{told}");
    assert_eq!(records.look_after_claims().await.expect("looked after").expired, 0);
}
