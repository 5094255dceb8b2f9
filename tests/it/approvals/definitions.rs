//! What a plan says of approvals, and what saves cost where there are some.

use serde_json::json;

use super::world::World;

/// Statements one request takes.
async fn cost(world: &World, path: &str, body: serde_json::Value) -> u64 {
    let before = world.app.workspace.store.reads();
    world.app.patch(path, body).await.expect_status(200);
    world.app.workspace.store.reads() - before
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_of_nothing_that_is_decided_on_asks_for_no_approvals() {
    let world = World::new().await;
    let (quiet, running) = (world.deal(json!({ "discount": "20" })).await, world.deal(json!({ "discount": "20" })).await);
    world.ask(&running, "discount").await;
    let path = |deal: &str| format!("/api/v1/records/deal/{deal}");
    cost(&world, &path(&quiet), json!({ "close_on": "2026-12-01" })).await;
    let plain = cost(&world, &path(&quiet), json!({ "close_on": "2026-12-02" })).await;
    let beside = cost(&world, &path(&running), json!({ "close_on": "2026-12-02" })).await;
    assert_eq!(plain, beside, "whether one runs does not matter to other fields");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_can_be_asked_for_stands_in_the_schema_and_the_document() {
    let world = World::new().await;
    let schema = world.app.get("/api/v1/schema/deal").await.expect_status(200).json();
    assert_eq!(schema["x-relata"]["approvals"][0]["fields"], json!(["discount", "amount", "margin"]), "{schema:#}");
    let document = world.app.get("/api/v1/openapi.json").await.expect_status(200).json();
    for path in ["/api/v1/records/deal/{id}/approvals", "/api/v1/approvals/{request}/decide", "/api/v1/stand-ins"] {
        assert!(document["paths"].get(path).is_some(), "{path}");
    }
    assert!(document["paths"].get("/api/v1/records/account/{id}/approvals").is_none());
}
