//! A gate tells nobody what they may not read.

use axum::http::Method;
use serde_json::json;

use super::world::{World, faults};
use crate::access::world::{get, send};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_condition_about_a_hidden_value_says_only_that_there_is_one() {
    let world = World::new().await;
    let mut told = Vec::new();
    for margin in ["1", "9"] {
        let id = world.ripe(json!({ "stage": "talk", "margin": margin })).await;
        let moves = get(&world.app, &world.outsider, &format!("/api/v1/records/deal/{id}/moves")).await.expect_status(200).json();
        let won = moves["data"][0]["moves"].as_array().unwrap().iter().find(|one| one["to"] == "won").unwrap().clone();
        let earning = won["conditions"].as_array().unwrap().iter().find(|one| one["gate"] == "earning").unwrap().clone();
        assert_eq!((&earning["state"], &earning["message"]), (&json!("hidden"), &json!(null)), "{earning:#}");
        told.push(won);
    }
    assert_eq!(told[0], told[1], "what is hidden has no part in the answer");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_value_of_another_record_that_is_hidden_is_not_told_either() {
    let world = World::new().await;
    let mut told = Vec::new();
    for credit in ["1", "1000"] {
        let account = world.app.create_id("account", json!({ "name": "A", "credit": credit })).await;
        let id = world.ripe(json!({ "stage": "talk", "amount": "500", "account": account })).await;
        let moves = get(&world.app, &world.outsider, &format!("/api/v1/records/deal/{id}/moves")).await.expect_status(200).json();
        told.push(moves["data"][0]["moves"].clone());
    }
    assert_eq!(told[0], told[1]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_move_over_a_hidden_value_says_only_that_it_was_refused() {
    let world = World::new().await;
    let id = world.ripe(json!({ "stage": "talk", "margin": "1" })).await;
    let path = format!("/api/v1/records/deal/{id}");
    let problem = send(&world.app, &world.outsider, Method::PATCH, &path, &json!({ "stage": "won" })).await.expect_problem(422, "REC010");
    let codes: Vec<String> = faults(&problem).into_iter().map(|(code, _)| code).collect();
    assert_eq!(codes, ["refused", "stage_role"], "{problem:#}");
    assert!(!problem.to_string().contains("margin") && !problem.to_string().contains("earning"), "{problem:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_that_may_not_be_read_has_no_moves() {
    let world = World::new().await;
    let id = world.deal(json!({})).await;
    let nobody = crate::access::world::person(&world.app, "nobody", &[], json!({})).await;
    for what in ["moves", "stages"] {
        let answer = get(&world.app, &nobody, &format!("/api/v1/records/deal/{id}/{what}")).await;
        assert_eq!(answer.status.as_u16(), 404, "{}", answer.text());
    }
    let answer = send(&world.app, &nobody, Method::POST, &format!("/api/v1/records/deal/{id}/moves"), &json!({ "to": "offer" })).await;
    assert_eq!(answer.status.as_u16(), 404, "{}", answer.text());
}
