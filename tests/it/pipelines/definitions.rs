//! What a change of a pipeline means for the records that stand in it.

use relata::app::AppError;
use relata::deploy::{self, DeployError};
use relata::schema::SourceFile;
use serde_json::json;

use super::world::{SHOP, World};

/// The shop with the sales pipeline changed.
fn changed(world: &World, from: &str, to: &str) -> Vec<SourceFile> {
    let mut all = deploy::read(&world.app.workspace.folders).expect("the files are readable");
    let own = all.iter_mut().find(|file| file.path == SHOP[1].0).expect("the shop");
    assert!(own.text.contains(from));
    own.text = own.text.replace(from, to);
    all
}

async fn apply(world: &World, files: &[SourceFile]) -> Result<usize, DeployError> {
    match world.app.workspace.apply(files, None, &[], 0).await {
        Ok(applied) => Ok(applied.changes),
        Err(AppError::Deploy(error)) => Err(error),
        Err(other) => panic!("{other}"),
    }
}

const DROPPED: &str = "      - {key: dropped, probability: 0, closed: dropped}\n";
const TO_DROPPED: &str = "      - {from: [new, offer], to: dropped}\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stage_that_records_stand_in_does_not_go() {
    let world = World::new().await;
    let mut files = changed(&world, DROPPED, "");
    files.iter_mut().for_each(|file| file.text = file.text.replace(TO_DROPPED, ""));
    let id = world.deal(json!({})).await;
    world.app.patch(&format!("/api/v1/records/deal/{id}"), json!({ "stage": "dropped" })).await.expect_status(200);
    // One of another pipeline is not counted.
    world.deal(json!({ "kind": "tender" })).await;
    let refused = apply(&world, &files).await.expect_err("a record stands there");
    let DeployError::Blocked(steps) = refused else { panic!("{refused}") };
    assert!(steps[0].contains("1 record stands in `dropped`") && steps[0].contains("retired: true"), "{steps:?}");
    // Kept for those that stand in it, or moved away: then it goes.
    let kept = changed(&world, DROPPED, "      - {key: dropped, closed: dropped, retired: true}\n");
    let plan = deploy::plan(&world.app.workspace.store, &kept).await.expect("a plan");
    assert!(plan.blocked().is_empty(), "{}", plan.text());
    world.app.patch(&format!("/api/v1/records/deal/{id}"), json!({ "stage": "new" })).await.expect_status(200);
    assert_eq!(apply(&world, &files).await.expect("nobody stands there"), 1);
    assert!(deploy::plan(&world.app.workspace.store, &files).await.expect("a plan").is_empty());
    world.app.patch(&format!("/api/v1/records/deal/{id}"), json!({ "stage": "dropped" })).await.expect_problem(422, "REC010");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_gate_is_in_force_with_the_apply() {
    let world = World::new().await;
    let id = world.deal(json!({ "amount": "1", "close_on": "2026-12-31" })).await;
    let files = changed(&world, "amount > 0", "amount > 5");
    let plan = deploy::plan(&world.app.workspace.store, &files).await.expect("a plan");
    assert!(plan.text().contains("pipeline") && plan.text().contains("sales"), "{}", plan.text());
    let path = format!("/api/v1/records/deal/{id}");
    world
        .app
        .request(axum::http::Method::PATCH, &path)
        .json(&json!({ "stage": "offer" }))
        .header("prefer", "dry-run")
        .send()
        .await
        .expect_status(200);
    apply(&world, &files).await.expect("applies");
    world.app.patch(&path, json!({ "stage": "offer" })).await.expect_problem(422, "REC010");
}
