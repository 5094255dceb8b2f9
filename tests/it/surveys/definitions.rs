//! Surveys as definitions: what an answer's entity gets, and what changes with them.

use serde_json::json;

use super::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn the_schema_tells_what_the_program_keeps() {
    let world = World::new("").await;
    let schema = world.app.get("/api/v1/schema/feedback").await.expect_status(200).json().to_string();
    for name in ["survey_state", "survey_expires_at", "survey_answered_at", "survey_language", "satisfaction", "loyalty"] {
        assert!(schema.contains(name), "{name}: {schema}");
    }
    let document = world.app.get("/api/v1/openapi.json").await.expect_status(200).json();
    let ask = &document["paths"]["/api/v1/records/request/{id}/surveys"]["post"];
    let survey = &ask["requestBody"]["content"]["application/json"]["schema"]["properties"]["survey"];
    assert_eq!(survey["enum"], json!(["desk.satisfaction", "desk.loyalty"]), "{ask:#}");
    assert!(document["paths"]["/api/v1/surveys/{survey}"]["get"].is_object());
    let again = relata::deploy::read(&world.app.workspace.folders).expect("the files are readable");
    assert!(relata::deploy::plan(&world.app.workspace.store, &again).await.expect("a plan").is_empty());
}
