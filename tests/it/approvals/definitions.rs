//! What clients are told of approvals.

use serde_json::json;

use super::world::World;

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
