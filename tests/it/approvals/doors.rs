//! Doors × gate × outcomes: a move that waits for an approval, and a field that one locks, give the same answer everywhere.

use serde_json::json;

use super::world::{World, codes};
use crate::support::doors::{DOORS, through};

/// How a deal stands with its approval before it moves.
const STANDINGS: [(&str, &str); 7] = [
    ("not needed", ""),
    ("approved", ""),
    ("missing", "must be approved first"),
    ("running", "is not decided yet"),
    ("rejected", "was rejected"),
    ("withdrawn", "must be approved first"),
    ("changed", "was approved for other values"),
];

async fn stand(world: &World, standing: &str, code: &str) -> String {
    let values = json!({ "code": code, "discount": if standing == "not needed" { "10" } else { "20" } });
    let deal = world.deal(values).await;
    if matches!(standing, "not needed" | "missing") {
        return deal;
    }
    let request = world.ask(&deal, "discount").await;
    match standing {
        "approved" | "changed" => drop(world.decide(&world.manager, &request, "approve").await.expect_status(200)),
        "rejected" => drop(world.decide(&world.manager, &request, "reject").await.expect_status(200)),
        "withdrawn" => drop(world.act(&world.rep, &request, "withdraw", json!({})).await.expect_status(200)),
        _ => {}
    }
    if standing == "changed" {
        world.app.patch(&format!("/api/v1/records/deal/{deal}"), json!({ "discount": "25" })).await.expect_status(200);
    }
    deal
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_door_waits_for_the_approval_alike() {
    let world = World::new().await;
    let mut count = 0;
    for (standing, reason) in STANDINGS {
        for door in DOORS {
            let code = format!("{door}-{standing}").replace(' ', "-");
            let deal = stand(&world, standing, &code).await;
            let told = through(&world.app, door, &deal, &code, &json!({ "stage": "offer" })).await;
            let stage = if reason.is_empty() { "offer" } else { "new" };
            assert_eq!(world.get(&deal).await["stage"], stage, "{door} {standing}: {told:?}");
            assert_eq!(told.is_none(), reason.is_empty(), "{door} {standing}: {told:?}");
            assert!(told.clone().unwrap_or_default().contains(reason), "{door} {standing} does not tell `{reason}`: {told:?}");
            count += 1;
        }
    }
    // A move that changes what was approved in the same save is one for other values.
    for door in DOORS {
        let code = format!("{door}-at-once").replace(' ', "-");
        let deal = stand(&world, "approved", &code).await;
        let told = through(&world.app, door, &deal, &code, &json!({ "stage": "offer", "discount": "50" })).await;
        assert!(told.clone().unwrap_or_default().contains("was approved for other values"), "{door}: {told:?}");
        assert_eq!(world.get(&deal).await["stage"], "new", "{door}");
        count += 1;
    }
    assert_eq!(count, 104);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_door_leaves_locked_fields_alone() {
    let world = World::new().await;
    let mut count = 0;
    for door in DOORS {
        let code = format!("{door}-locked").replace(' ', "-");
        let deal = stand(&world, "running", &code).await;
        let told = through(&world.app, door, &deal, &code, &json!({ "discount": "1" })).await;
        let told = told.unwrap_or_default().replace("&quot;", "\"");
        let words = if door.ends_with("form") { "Locked while" } else { "is locked while" };
        assert!(told.contains(words) && told.contains("Discount over 15 %") && told.contains("manager"), "{door}: {told}");
        assert_eq!(world.get(&deal).await["discount"], "20.00", "{door}");
        // What is not decided on may change; so may a locked field that is written as it is.
        assert_eq!(through(&world.app, "patch", &deal, &code, &json!({ "why": "x", "discount": "20" })).await, None, "{door}");
        count += 1;
    }
    assert_eq!(count, 13);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_names_the_approval_and_who_decides() {
    let world = World::new().await;
    let deal = stand(&world, "running", "x").await;
    let problem = world.app.patch(&format!("/api/v1/records/deal/{deal}"), json!({ "discount": "1" })).await.expect_problem(422, "REC010");
    let fault = &problem["errors"][0];
    assert_eq!((codes(&problem), &fault["path"]), (vec!["locked_by_approval".to_owned()], &json!("/discount")), "{problem:#}");
    assert_eq!(fault["params"]["approval"], "discount");
    assert_eq!(fault["params"]["deciders"], json!([world.manager.id]), "{problem:#}");
    // A delete is no change of a value: the request ends with the record.
    world.app.delete(&format!("/api/v1/records/deal/{deal}")).await.expect_status(204);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_move_would_need_is_told_as_data() {
    let world = World::new().await;
    for (standing, state, code) in
        [("missing", "missing", "approval_missing"), ("running", "missing", "approval_running"), ("approved", "met", "")]
    {
        let deal = stand(&world, standing, standing).await;
        let moves = world.app.get(&format!("/api/v1/records/deal/{deal}/moves")).await.expect_status(200).json();
        let offer = moves["data"][0]["moves"].as_array().unwrap().iter().find(|one| one["to"] == "offer").unwrap().clone();
        assert_eq!(offer["passes"], state == "met", "{offer:#}");
        let condition = &offer["conditions"][0];
        assert_eq!(
            (&condition["kind"], &condition["state"], &condition["approval"]),
            (&json!("approval"), &json!(state), &json!("discount"))
        );
        if !code.is_empty() {
            assert_eq!(condition["code"], code, "{offer:#}");
        }
        assert_eq!(condition["request"].is_null(), standing == "missing", "{offer:#}");
    }
    // Somebody who may not read what is decided on is told that there is a condition, no more.
    let deal = stand(&world, "approved", "hidden").await;
    let moves = crate::access::world::get(&world.app, &world.manager, &format!("/api/v1/records/deal/{deal}/moves")).await;
    let moves = moves.expect_status(200).json();
    let offer = moves["data"][0]["moves"].as_array().unwrap().iter().find(|one| one["to"] == "offer").unwrap().clone();
    assert_eq!(offer["conditions"][0]["state"], "hidden", "{offer:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_value_that_others_compute_ends_what_was_asked_for_and_approved() {
    let world = World::new().await;
    let deal = world.deal(json!({ "lines": [{ "label": "A", "price": "10" }] })).await;
    let path = format!("/api/v1/records/deal/{deal}");
    let request = world.ask(&deal, "sum").await;
    let line = |price: &str| json!({ "deal": deal, "label": "B", "price": price });
    let added = world.app.create_id("line", line("5")).await;
    let problem = world.decide(&world.board[0], &request, "approve").await.expect_problem(422, "REC010");
    assert_eq!(codes(&problem), ["approval_values"], "{problem:#}");
    let now = world.request(&request).await;
    assert_eq!((&now["state"], &now["reason"]), (&json!("void"), &json!("values")), "{now:#}");
    let again = world.ask(&deal, "sum").await;
    world.decide(&world.board[0], &again, "approve").await.expect_status(200);
    // Rows that come with the move count too.
    let body = json!({ "stage": "won", "lines": [{ "label": "C", "price": "1" }] });
    let problem = world.app.patch(&path, body).await.expect_problem(422, "REC010");
    assert!(problem.to_string().contains("approved for other values"), "{problem:#}");
    world.app.patch(&format!("/api/v1/records/line/{added}"), json!({ "price": "6" })).await.expect_status(200);
    let problem = world.app.patch(&path, json!({ "stage": "won" })).await.expect_problem(422, "REC010");
    assert_eq!(codes(&problem), ["approval_void"], "{problem:#}");
    // With the value that was approved it counts again.
    world.app.patch(&format!("/api/v1/records/line/{added}"), json!({ "price": "5" })).await.expect_status(200);
    world.app.patch(&path, json!({ "stage": "won" })).await.expect_status(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_is_not_made_where_it_would_have_to_be_approved() {
    let world = World::new().await;
    let problem = world.app.post("/api/v1/records/deal", json!({ "name": "X", "stage": "offer", "discount": "20" })).await;
    assert_eq!(codes(&problem.expect_problem(422, "REC010")), ["approval_missing"]);
    world.app.post("/api/v1/records/deal", json!({ "name": "X", "stage": "offer", "discount": "5" })).await.expect_status(201);
}
