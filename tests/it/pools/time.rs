//! What time does: records without activity go back, their holders are told before, what counts as activity keeps them.

use axum::http::Method;
use serde_json::json;

use super::world::{SHOP, World};
use crate::access::world::{get, person, send};
use crate::support::TestApp;

const DAY: i64 = 24;

#[tokio::test]
async fn what_nobody_does_anything_with_goes_back_and_is_told_before() {
    let world = World::new().await;
    let lead = world.lead(json!({ "name": "A" })).await;
    assert_eq!(world.claim_one(&world.rep, &lead).await, None);
    world.advance_hours(8 * DAY - 1);
    assert_eq!(world.look_after().await.warned, 0);
    world.advance_hours(1);
    let done = world.look_after().await;
    assert_eq!((done.warned, done.reclaimed), (1, 0));
    assert_eq!(world.look_after().await.warned, 0, "told once");
    world.app.workspace.runner.run_until_idle().await.expect("jobs run");
    let told = get(&world.app, &world.rep, "/api/v1/notifications").await.expect_status(200).text();
    assert!(told.contains("Open leads"), "{told}");
    world.advance_hours(2 * DAY - 1);
    assert_eq!(world.look_after().await.reclaimed, 0);
    world.advance_hours(1);
    assert_eq!(world.look_after().await.reclaimed, 1);
    assert_eq!((world.owner(&lead).await, world.held(&world.rep).await), (None, 0));
    assert_eq!(world.holding(&lead).await["past"][0]["lost"], "reclaimed");
    assert_eq!(world.claim_one(&world.rep, &lead).await.as_deref(), Some("pool_cool_down"));
    assert_eq!(world.claim_one(&world.other, &lead).await, None);
}

#[tokio::test]
async fn only_what_the_definitions_name_counts_as_activity() {
    let world = World::new().await;
    let lead = world.lead(json!({ "name": "A" })).await;
    assert_eq!(world.claim_one(&world.rep, &lead).await, None);
    let path = format!("/api/v1/records/lead/{lead}");
    let active = async || world.holding(&lead).await["now"]["active_at"].as_str().expect("a moment").to_owned();
    let first = active().await;
    world.advance_hours(1);
    // Another field, and what others do, counts for nothing.
    send(&world.app, &world.rep, Method::PATCH, &path, &json!({ "phone": "1" })).await.expect_status(200);
    send(&world.app, &world.chief, Method::PATCH, &path, &json!({ "city": "Ulm" })).await.expect_status(200);
    world.app.create_id("call", json!({ "lead": lead, "note": "by the chief" })).await;
    assert_eq!(active().await, first);
    send(&world.app, &world.rep, Method::PATCH, &path, &json!({ "city": "Bonn" })).await.expect_status(200);
    let second = active().await;
    assert!(second > first);
    world.advance_hours(9 * DAY);
    assert_eq!(world.look_after().await.warned, 1);
    let call = json!({ "lead": lead, "note": "Called" });
    send(&world.app, &world.rep, Method::POST, "/api/v1/records/call", &call).await.expect_status(201);
    assert!(active().await > second);
    world.advance_hours(9 * DAY);
    let done = world.look_after().await;
    assert_eq!((done.reclaimed, done.warned), (0, 1), "told anew after activity");
    world.advance_hours(DAY);
    assert_eq!(world.look_after().await.reclaimed, 1);
}

#[tokio::test]
async fn the_hourly_job_looks_after_pools() {
    let world = World::new().await;
    let lead = world.lead(json!({ "name": "A" })).await;
    assert_eq!(world.claim_one(&world.rep, &lead).await, None);
    world.advance_hours(10 * DAY);
    world.app.workspace.queue_chores().await.expect("queued");
    world.app.workspace.runner.run_until_idle().await.expect("jobs run");
    assert_eq!(world.owner(&lead).await, None);
}

#[tokio::test]
async fn a_change_of_definitions_is_told_and_caught_up_with() {
    let (head, rest) = SHOP[1].1.split_once("pools:").expect("pools");
    let tail = rest.split_once("---\nkind: entity\nid: shop.account").expect("what follows").1;
    let without = format!("{head}---\nkind: entity\nid: shop.account{tail}");
    let app = TestApp::with_files(&[SHOP[0], ("definitions/shop/package.yaml", &without)]).await;
    let rep = person(&app, "rep", &["rep"], json!({})).await;
    for number in 0..3 {
        app.create_id("lead", json!({ "name": format!("L{number}"), "owner": rep.id })).await;
    }
    let mut files = relata::deploy::read(&app.workspace.folders).expect("the files are readable");
    files.iter_mut().find(|file| file.path == SHOP[1].0).expect("the shop").text = SHOP[1].1.to_owned();
    let plan = relata::deploy::plan(&app.workspace.store, &files).await.expect("a plan");
    let text = plan.text();
    assert!(text.contains("widening_access") && text.contains("rep (1 person) may see what is in it and claim it"), "{text}");
    let accept: Vec<String> = plan.confirmations.iter().map(|needed| needed.name.clone()).collect();
    app.workspace.apply(&files, None, &accept, 0).await.expect("applied");
    let records = &app.workspace.records;
    assert_eq!(records.look_after_pools().await.expect("looked after").settled, 3, "what was owned before is held now, over the cap too");
    assert_eq!(records.look_after_pools().await.expect("looked after").settled, 0);
    let pools = get(&app, &rep, "/api/v1/pools").await.expect_status(200).json();
    assert_eq!((&pools["data"][0]["held"], &pools["data"][0]["cap"]), (&json!(3), &json!(2)));
    let more = app.post("/api/v1/records/lead", json!({ "name": "More", "owner": rep.id })).await;
    assert_eq!(more.status, 422, "and nobody gets one more");
}
