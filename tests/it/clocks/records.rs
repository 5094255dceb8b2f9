//! Clocks of records: kept with each save, found, sorted and read like other values, and counted on by the program.

use serde_json::{Value, json};

use super::world::World;
use crate::access::world::{get, person};

#[tokio::test(flavor = "multi_thread")]
async fn nobody_sets_a_clock() {
    let world = World::new("").await;
    let id = world.request(json!({})).await;
    for field in ["response_state", "response_due", "response_spent", "response_since"] {
        let value = if field == "response_state" { json!("met") } else { Value::Null };
        let told = world.patch(&id, json!({ field: value })).await.expect_status(422).json();
        assert_eq!(told["errors"][0]["code"], "read_only", "{told}");
    }
    assert_eq!(world.clock(&id, "response").await, ("running".into(), "2026-10-10T03:00:00Z".into(), 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_follows_what_its_record_says() {
    let world = World::new("").await;
    // Two hours on Friday, the rest on the Saturday that is worked: 16 h end on Monday at 16:00.
    let id = world.request(json!({})).await;
    assert_eq!(world.clock(&id, "resolution").await, ("running".into(), "2026-10-12T08:00:00Z".into(), 0));
    world.go("10-09 17:00");
    world.patch(&id, json!({ "status": "waiting", "answered": true })).await.expect_status(200);
    assert_eq!(world.clock(&id, "resolution").await, ("paused".into(), String::new(), 3600));
    assert_eq!(world.clock(&id, "response").await, ("met".into(), "2026-10-10T03:00:00Z".into(), 3600));
    world.go("10-12 10:00");
    world.patch(&id, json!({ "status": "open" })).await.expect_status(200);
    // 15 h are left: 7 of this Monday (to 18:00, without lunch), 8 on Tuesday.
    assert_eq!(world.clock(&id, "resolution").await, ("running".into(), "2026-10-13T10:00:00Z".into(), 3600));
    world.go("10-12 11:00");
    world.patch(&id, json!({ "priority": "urgent" })).await.expect_status(200);
    assert_eq!(world.clock(&id, "resolution").await, ("running".into(), "2026-10-12T06:00:00Z".into(), 7200));
    world.go("10-12 15:00");
    world.patch(&id, json!({ "status": "done" })).await.expect_status(200);
    assert_eq!(world.clock(&id, "resolution").await, ("missed".into(), "2026-10-12T06:00:00Z".into(), 5 * 3600));
    assert_eq!(world.read(&id).await["is_late"], true, "formulas read it");
    world.go("10-12 16:00");
    world.patch(&id, json!({ "status": "open", "priority": "low" })).await.expect_status(200);
    assert_eq!(world.clock(&id, "resolution").await, ("running".into(), "2026-10-14T02:00:00Z".into(), 5 * 3600));
    assert_eq!(world.read(&id).await["is_late"], false);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_save_that_is_not_about_a_clock_leaves_it_as_it_is() {
    let world = World::new("").await;
    let id = world.request(json!({})).await;
    let before = world.read(&id).await;
    world.go("10-10 10:00");
    world.patch(&id, json!({ "name": "Other" })).await.expect_status(200);
    let after = world.read(&id).await;
    for field in ["state", "due", "spent", "since"] {
        assert_eq!(before[format!("response_{field}")], after[format!("response_{field}")], "{field}");
    }
    let history = world.app.get(&format!("/api/v1/records/request/{id}/history")).await.expect_status(200).text();
    assert_eq!(history.matches("response_state").count(), 1, "{history}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_runs_out_is_noted_once_and_told_in_the_history() {
    let world = World::new("").await;
    let (late, early) = (world.request(json!({})).await, world.request(json!({ "answered": true })).await);
    let deleted = world.request(json!({})).await;
    world.app.delete(&format!("/api/v1/records/request/{deleted}")).await.expect_status(204);
    world.work("10-10 10:59").await;
    assert_eq!(world.clock(&late, "response").await.0, "running");
    world.work("10-10 11:00").await;
    assert_eq!(world.clock(&late, "response").await, ("over".into(), "2026-10-10T03:00:00Z".into(), 0));
    assert_eq!(world.clock(&early, "response").await.0, "", "it was answered before it began");
    let version = world.read(&late).await["version"].clone();
    world.work("10-10 11:01").await;
    world.work("10-10 11:02").await;
    assert_eq!(world.read(&late).await["version"], version);
    // What was in the bin when its time came is looked at when it is back.
    world.app.post(&format!("/api/v1/records/request/{deleted}/restore"), json!({})).await.expect_status(200);
    world.work("10-10 11:03").await;
    assert_eq!(world.clock(&deleted, "response").await.0, "over");
    let history = world.app.get(&format!("/api/v1/records/request/{late}/history")).await.expect_status(200).text();
    assert!(history.contains("response_state") && history.contains("over"), "{history}");
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_sort_filter_and_count_by_clocks() {
    let world = World::new("").await;
    world.work("10-09 16:00").await;
    let mut ids = Vec::new();
    for priority in ["low", "urgent", "high"] {
        ids.push(world.request(json!({ "priority": priority })).await);
    }
    world.patch(&ids[2], json!({ "status": "waiting" })).await.expect_status(200);
    let list = |query: &'static str| {
        let app = &world.app;
        async move {
            let told = app.get(&format!("/api/v1/records/request?{query}")).await.expect_status(200).json();
            told["data"].as_array().expect("records").iter().map(|one| one["id"].as_str().expect("an id").to_owned()).collect::<Vec<_>>()
        }
    };
    assert_eq!(list("filter=resolution_state%20=%20'running'&sort=resolution_due").await, [ids[1].clone(), ids[0].clone()]);
    assert_eq!(list("filter=resolution_state%20=%20'paused'").await, [ids[2].clone()]);
    assert_eq!(list("filter=response_due%20%3C%20datetime('2026-10-09T09:00:00Z')").await, [ids[1].clone()]);
    world.work("10-09 16:30").await;
    world.patch(&ids[0], json!({ "answered": true })).await.expect_status(200);
    let body = json!({ "group": ["response_state"], "measures": { "count": "count()", "used": "avg(response_spent)" } });
    let told = world.app.post("/api/v1/records/request/aggregate", body).await.expect_status(200).json();
    let text = told.to_string();
    assert!(text.contains("\"met\"") && text.contains("\"over\"") && text.contains("\"running\""), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn other_definitions_count_for_what_runs() {
    let world = World::new("").await;
    let (runs, held) = (world.request(json!({})).await, world.request(json!({})).await);
    world.go("10-09 17:00");
    world.patch(&held, json!({ "status": "waiting" })).await.expect_status(200);
    // Without the Saturday, 16 h from Friday 16:00 end on Tuesday at 16:00.
    world.change("  - {on: 2026-10-10, label: {en: Instead of 7 October, zh-CN: 调休}}\n", "  - {on: 2026-11-14}\n").await;
    assert_eq!(world.clock(&runs, "resolution").await, ("running".into(), "2026-10-13T08:00:00Z".into(), 0));
    assert_eq!(world.clock(&held, "resolution").await, ("paused".into(), String::new(), 3600));
    world.change("{time: 16h}", "{time: 2h}").await;
    assert_eq!(world.clock(&runs, "resolution").await, ("running".into(), "2026-10-09T10:00:00Z".into(), 0));
    // A clock that is new begins with the definitions, for what its conditions say.
    world.change("clocks:\n", "clocks:\n  - {id: audit, targets: [{time: 24h}], stop: \"status = 'done'\", start: \"answered\"}\n").await;
    assert_eq!(world.clock(&runs, "audit").await.0, "");
    world.patch(&runs, json!({ "answered": true })).await.expect_status(200);
    assert_eq!(world.clock(&runs, "audit").await, ("running".into(), "2026-10-10T09:00:00Z".into(), 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_read_what_a_clock_depends_on_does_not_read_the_clock() {
    let world = World::new("").await;
    let id = world.request(json!({ "priority": "urgent" })).await;
    let clerk = person(&world.app, "clerk", &["clerk"], json!({})).await;
    let record = get(&world.app, &clerk, &format!("/api/v1/records/request/{id}")).await.expect_status(200).json();
    assert!(record["response_due"].is_null() && record["resolution_state"].is_null(), "{record}");
    let found = get(&world.app, &clerk, "/api/v1/records/request?filter=resolution_state%20=%20'running'").await;
    assert_eq!(found.expect_status(200).json()["data"], json!([]));
    assert_eq!(record["status"], "new");
}
