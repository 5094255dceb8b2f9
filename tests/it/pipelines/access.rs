//! A gate tells nobody what they may not read.

use axum::http::Method;
use serde_json::json;

use super::world::{SHOP, World, faults};
use crate::access::world::{Person, get, person, send};

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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn which_pipeline_a_record_follows_is_told_to_those_who_read_what_decides_it() {
    let mut files = SHOP.to_vec();
    let role = "kind: role\nid: blind\npermissions:\n  core.user: read\n  deal: {read: true, fields: {hide: [kind]}}\n";
    files.push(("definitions/shop/blind.yaml", role));
    let world = World::with(&files).await;
    let blind = person(&world.app, "blind", &["blind"], json!({})).await;
    let (plain, changed) = (world.deal(json!({})).await, world.deal(json!({})).await);
    world.app.clock.advance_ms(3_600_000);
    world.app.patch(&format!("/api/v1/records/deal/{changed}"), json!({ "kind": "tender" })).await.expect_status(200);
    world.app.patch(&format!("/api/v1/records/deal/{plain}"), json!({ "name": "Deal" })).await.expect_status(200);
    let stays = async |who: &Person, id: &str| {
        let told = get(&world.app, who, &format!("/api/v1/records/deal/{id}/stages")).await.expect_status(200).json();
        told["data"].clone()
    };
    let of_changed = stays(&blind, &changed).await;
    assert_eq!(of_changed, stays(&blind, &plain).await);
    assert_eq!((of_changed.as_array().map(Vec::len), &of_changed[0]["pipeline"]), (Some(1), &json!(null)), "{of_changed:#}");
    let whole = stays(&world.boss, &changed).await;
    assert_eq!((&whole[0]["pipeline"], &whole[1]["pipeline"], &whole[1]["from"]), (&json!("sales"), &json!("tender"), &json!("new")));
    // It is in its stage since it came there.
    let since = async |who: &Person, id: &str| {
        let told = get(&world.app, who, &format!("/api/v1/records/deal/{id}/moves")).await.expect_status(200).json();
        told["data"][0]["since"].clone()
    };
    assert_eq!(since(&blind, &changed).await, since(&blind, &plain).await);
    assert_eq!(since(&world.boss, &changed).await, since(&world.boss, &plain).await);
    let page = async |id: &str| {
        let told = get(&world.app, &blind, &format!("/records/deal/{id}?tab=stages")).await.expect_status(200).text();
        told.matches("<tr>").count()
    };
    assert_eq!(page(&changed).await, page(&plain).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reason_is_kept_whether_or_not_a_gate_over_a_hidden_value_needed_it() {
    let world = World::new().await;
    let mut told = Vec::new();
    for margin in ["1", "9"] {
        let id = world.ripe(json!({ "stage": "talk", "margin": margin })).await;
        let asked = json!({ "to": "won", "reason": "A friend" });
        let moves = format!("/api/v1/records/deal/{id}/moves");
        world.app.request(Method::POST, &moves).token(&world.boss.token).json(&asked).send().await.expect_status(200);
        let stays = get(&world.app, &world.outsider, &format!("/api/v1/records/deal/{id}/stages")).await.expect_status(200).json();
        told.push(stays["data"][1]["reason"].clone());
    }
    assert_eq!(told, [json!("A friend"), json!("A friend")]);
    assert_eq!(crate::audit::lines(&world.app, "stage.override").await.len(), 1);
}
