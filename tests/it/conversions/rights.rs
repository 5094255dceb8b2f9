//! What is made is made with the rights of whoever converts.

use axum::http::Method;
use serde_json::json;

use super::world::{World, path, record};
use crate::access::world::{get, send};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_may_not_change_the_record_converts_nothing() {
    let world = World::new().await;
    let lead = world.lead(json!({"kind": "big"})).await;
    let body = json!({"conversion": "qualify"});
    // What makes something they know nothing of is not there for them.
    send(&world.app, &world.reader, Method::POST, &path(&lead), &body).await.expect_problem(422, "WEB422");
    send(&world.app, &world.reader, Method::POST, &path(&lead), &json!({"conversion": "partner"})).await.expect_problem(403, "ACL005");
    let offered = get(&world.app, &world.reader, &path(&lead)).await.expect_status(200).json();
    assert_eq!((&offered["data"], &offered["converted"]), (&json!([]), &json!(null)), "{offered:#}");
    // Somebody else's lead is not there.
    let other = world.lead(json!({"owner": world.boss.id})).await;
    send(&world.app, &world.rep, Method::POST, &path(&other), &body).await.expect_problem(404, "REC002");
    get(&world.app, &world.rep, &path(&other)).await.expect_problem(404, "REC002");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_conversion_that_reads_what_is_hidden_is_not_there() {
    let world = World::new().await;
    let lead = world.lead(json!({"kind": "big"})).await;
    // `expected` goes into the deal.
    let offered = get(&world.app, &world.half, &path(&lead)).await.expect_status(200).json();
    let ids: Vec<_> = offered["data"].as_array().expect("offers").iter().map(|offer| offer["conversion"].clone()).collect();
    assert_eq!(ids, ["partner"], "{offered:#}");
    let body = json!({"conversion": "qualify"});
    send(&world.app, &world.half, Method::POST, &path(&lead), &body).await.expect_problem(422, "WEB422");
    send(&world.app, &world.half, Method::POST, &path(&lead), &json!({"conversion": "partner"})).await.expect_status(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn others_are_neither_told_nor_used() {
    let world = World::new().await;
    let hidden = world.app.create_id("firm", json!({"name": "Engines", "owner": world.boss.id})).await;
    let lead = world.lead(json!({})).await;
    let offered = get(&world.app, &world.rep, &path(&lead)).await.expect_status(200);
    assert!(!offered.text().contains(&hidden), "{}", offered.text());
    let chosen = json!({"conversion": "qualify", "targets": {"firm": {"use": hidden}}});
    let gone = json!({"conversion": "qualify", "targets": {"firm": {"use": "firm_0000000000001"}}});
    let code = |answer: crate::support::Answer| answer.expect_problem(422, "REC010")["errors"][0]["code"].clone();
    let refused = code(send(&world.app, &world.rep, Method::POST, &path(&lead), &chosen).await);
    assert_eq!(refused, code(send(&world.app, &world.rep, Method::POST, &path(&lead), &gone).await));
    // Memos of others go along, and are counted for nobody who may not read them.
    world.app.create_id("memo", json!({"text": "hidden", "about": lead, "owner": world.boss.id})).await;
    world.app.create_id("memo", json!({"text": "own", "about": lead, "owner": world.rep.id})).await;
    let done = send(&world.app, &world.rep, Method::POST, &path(&lead), &json!({"conversion": "qualify"})).await.expect_status(200).json();
    assert_eq!(done["carried"], 1, "{done:#}");
    let deal = record(&done, "deal");
    assert_eq!(world.get("deal", &deal).await["owner"], world.rep.id.as_str());
    let memos = world.app.get(&format!("/api/v1/records/memo?select=id&filter=about%20%3D%20'{deal}'")).await.expect_status(200).json();
    assert_eq!(memos["data"].as_array().map(Vec::len), Some(2));
    // What it became is told only to those who may read that.
    let told = get(&world.app, &world.reader, &path(&lead)).await.expect_status(200).json();
    assert_eq!(told["converted"]["targets"], json!([]), "{told:#}");
}
