//! Asking and deciding: who may, what is locked, what follows.

use axum::http::Method;
use serde_json::{Value, json};

use super::world::{World, codes, people};
use crate::access::world::{get, person, send};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_needed_or_not_there_cannot_be_asked_for() {
    let world = World::new().await;
    let small = world.deal(json!({ "discount": "10" })).await;
    let problem = world.ask_as(&world.rep, &small, "discount").await.expect_problem(422, "REC010");
    assert_eq!(codes(&problem), ["approval_not_needed"], "{problem:#}");
    let problem = world.ask_as(&world.rep, &small, "price").await.expect_problem(422, "REC010");
    assert_eq!(codes(&problem), ["unknown_approval"], "{problem:#}");
    let large = world.deal(json!({ "discount": "20" })).await;
    world.ask(&large, "discount").await;
    let problem = world.ask_as(&world.rep, &large, "discount").await.expect_problem(422, "REC010");
    assert_eq!(codes(&problem), ["approval_asked"], "{problem:#}");
    // Only some may ask; whoever may not read the record finds nothing.
    let answer = world.ask_as(&world.director, &large, "review").await;
    assert_eq!(answer.status.as_u16(), 403, "{}", answer.text());
    let blind = person(&world.app, "blind", &["blind"], json!({})).await;
    for path in ["approvals"] {
        assert_eq!(get(&world.app, &blind, &format!("/api/v1/records/deal/{large}/{path}")).await.status.as_u16(), 404);
    }
    assert_eq!(world.ask_as(&blind, &large, "discount").await.status.as_u16(), 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_goes_through_its_steps_and_then_gives_the_record_its_values() {
    let world = World::new().await;
    let deal = world.deal(json!({ "discount": "40" })).await;
    let request = world.ask(&deal, "discount").await;
    assert_eq!((&request["state"], &request["step"]), (&json!("running"), &json!("manager")), "{request:#}");
    assert_eq!(world.waiting(&world.manager).await, [request["id"].as_str().unwrap()]);
    assert!(world.waiting(&world.director).await.is_empty());
    let refused = world.decide(&world.board[0], &request, "approve").await;
    assert_eq!(refused.status.as_u16(), 403, "it is not their turn: {}", refused.text());
    world.decide(&world.manager, &request, "approve").await.expect_status(200);
    let now = world.request(&request).await;
    assert_eq!((&now["state"], &now["step"]), (&json!("running"), &json!("board")), "{now:#}");
    world.decide(&world.board[0], &request, "approve").await.expect_status(200);
    let problem = world.decide(&world.board[0], &request, "approve").await;
    assert_eq!(problem.status.as_u16(), 403, "two are two people: {}", problem.text());
    assert_eq!(world.request(&request).await["state"], "running");
    world.decide(&world.board[1], &request, "approve").await.expect_status(200);
    let now = world.request(&request).await;
    assert_eq!((&now["state"], &now["counts"]), (&json!("approved"), &json!(true)), "{now:#}");
    assert_eq!(people(&now, "board").iter().filter(|(_, state)| state == "over").count(), 1, "{now:#}");
    assert_eq!(world.get(&deal).await["verdict"], "ok 40.00");
    let decided = get(&world.app, &world.board[1], "/api/v1/approvals?show=decided").await.expect_status(200).json();
    assert_eq!(decided["data"][0]["id"], request["id"], "{decided:#}");
    let asked = get(&world.app, &world.rep, "/api/v1/approvals?show=asked").await.expect_status(200).json();
    assert_eq!(asked["data"][0]["steps"][0]["people"][0]["comment"], "Because", "{asked:#}");
    let history = world.app.get(&format!("/api/v1/records/deal/{deal}/history")).await.expect_status(200).json();
    assert!(history.to_string().contains("ok 40.00"), "{history:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rejection_says_why_ends_it_and_lets_one_ask_again() {
    let world = World::new().await;
    let deal = world.deal(json!({ "discount": "20" })).await;
    let request = world.ask(&deal, "discount").await;
    let silent = world.act(&world.manager, &request, "decide", json!({ "decision": "reject" })).await.expect_problem(422, "REC010");
    assert_eq!(codes(&silent), ["approval_comment"], "{silent:#}");
    assert_eq!(silent["errors"][0]["path"], "/comment");
    world.decide(&world.manager, &request, "reject").await.expect_status(200);
    assert_eq!(world.get(&deal).await["verdict"], "no");
    let late = world.decide(&world.manager, &request, "approve").await.expect_problem(422, "REC010");
    assert_eq!((codes(&late), &late["errors"][0]["params"]["state"]), (vec!["approval_over".to_owned()], &json!("rejected")), "{late:#}");
    // What was locked is not any more.
    world.app.patch(&format!("/api/v1/records/deal/{deal}"), json!({ "discount": "18" })).await.expect_status(200);
    let again = world.ask(&deal, "discount").await;
    world.decide(&world.manager, &again, "approve").await.expect_status(200);
    let all = world.app.get(&format!("/api/v1/records/deal/{deal}/approvals")).await.expect_status(200).json();
    let states: Vec<&Value> = all["data"].as_array().unwrap().iter().map(|one| &one["state"]).collect();
    assert_eq!(states, ["approved", "rejected"], "{all:#}");
    assert_eq!(all["offered"][0]["state"], "approved", "{all:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_decides_what_they_asked_for_unless_the_definition_says_so() {
    let world = World::new().await;
    // The rep's manager asks themselves: the director is asked in their place.
    let deal = world.deal(json!({ "discount": "20" })).await;
    let request = world.ask_as(&world.manager, &deal, "discount").await.expect_status(201).json();
    assert_eq!(
        people(&request, "manager"),
        [(world.manager.id.clone(), "gone".to_owned()), (world.director.id.clone(), "waiting".to_owned())],
        "{request:#}"
    );
    assert_eq!(world.decide(&world.manager, &request, "approve").await.status.as_u16(), 403);
    // It cannot be handed to them either.
    let body = json!({ "to": world.manager.id });
    let problem = world.act(&world.director, &request, "hand-on", body).await.expect_problem(422, "REC010");
    assert_eq!(codes(&problem), ["approval_unfit"], "{problem:#}");
    world.decide(&world.director, &request, "approve").await.expect_status(200);
    // `own: true`.
    let deal = world.deal(json!({ "reviewer": world.rep.id })).await;
    let request = world.ask(&deal, "review").await;
    world.decide(&world.rep, &request, "approve").await.expect_status(200);
    assert_eq!(world.request(&request).await["state"], "approved");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_who_cannot_decide_are_not_waited_for() {
    let world = World::new().await;
    let blind = person(&world.app, "blind", &["blind"], json!({})).await;
    let team = world.app.create_id("team", json!({ "name": "Reviewers" })).await;
    let path = |id: &str| format!("/api/v1/records/user/{id}");
    for id in [&blind.id, &world.board[0].id, &world.board[1].id] {
        world.app.patch(&path(id), json!({ "team": team })).await.expect_status(200);
    }
    world.app.patch(&path(&world.board[1].id), json!({ "active": false })).await.expect_status(200);
    let deal = world.deal(json!({ "team": team })).await;
    let request = world.ask(&deal, "review").await;
    let waiting: Vec<String> =
        people(&request, "one").into_iter().filter(|(_, state)| state == "waiting").map(|(person, _)| person).collect();
    assert_eq!(waiting, [world.board[0].id.clone()], "neither who reads no deal nor who is not active: {request:#}");
    world.decide(&world.board[0], &request, "approve").await.expect_status(200);
    assert_eq!(world.request(&request).await["state"], "approved");
    // Too few who may: whoever asks is told, and nothing is locked.
    for member in &world.board {
        world.app.patch(&path(&member.id), json!({ "active": false })).await.expect_status(200);
    }
    let deal = world.deal(json!({ "discount": "40" })).await;
    let request = world.ask(&deal, "discount").await;
    let problem = world.decide(&world.manager, &request, "approve").await.expect_problem(422, "REC010");
    assert_eq!(codes(&problem), ["approval_nobody"], "{problem:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_reads_a_record_only_partly_sees_no_more_of_it_in_a_request() {
    let world = World::new().await;
    let deal = world.deal(json!({ "discount": "20", "margin": "77.77" })).await;
    let request = world.ask(&deal, "discount").await;
    let path = format!("/api/v1/approvals/{}", request["id"].as_str().unwrap());
    let seen = get(&world.app, &world.manager, &path).await.expect_status(200).json();
    assert!(seen["values"].get("margin").is_none() && seen["hidden_values"] == true, "{seen:#}");
    assert_eq!(seen["values"]["discount"]["value"], "20.00", "{seen:#}");
    for page in [format!("/approvals/{}", request["id"].as_str().unwrap()), format!("/records/deal/{deal}")] {
        let text = get(&world.app, &world.manager, &page).await.expect_status(200).text();
        assert!(!text.contains("77.77") && text.contains("Some values are not shown"), "{page}: {text}");
    }
    let blind = person(&world.app, "blind", &["blind"], json!({})).await;
    assert_eq!(get(&world.app, &blind, &path).await.status.as_u16(), 404);
    assert_eq!(world.decide(&blind, &request, "approve").await.status.as_u16(), 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_asked_takes_it_back_and_nobody_else_but_an_administrator() {
    let world = World::new().await;
    let deal = world.deal(json!({ "discount": "20" })).await;
    let request = world.ask(&deal, "discount").await;
    assert_eq!(world.act(&world.manager, &request, "withdraw", json!({})).await.status.as_u16(), 403);
    world.act(&world.rep, &request, "withdraw", json!({})).await.expect_status(200);
    assert_eq!(world.request(&request).await["state"], "withdrawn");
    assert!(world.waiting(&world.manager).await.is_empty());
    let again = world.ask(&deal, "discount").await;
    let path = format!("/api/v1/approvals/{}/withdraw", again["id"].as_str().unwrap());
    world.app.request(Method::POST, &path).send().await.expect_status(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_that_goes_takes_its_requests_along_and_keeps_what_was_approved() {
    let world = World::new().await;
    let deal = world.approved(json!({ "discount": "20" })).await;
    let request = world.ask(&deal, "word").await;
    let path = format!("/api/v1/records/deal/{deal}");
    world.app.delete(&path).await.expect_status(204);
    assert!(world.waiting(&world.board[0]).await.is_empty());
    assert_eq!(world.decide(&world.board[0], &request, "approve").await.status.as_u16(), 404);
    world.app.request(Method::POST, &format!("{path}/restore")).send().await.expect_status(200);
    let back = world.request(&request).await;
    assert_eq!((&back["state"], &back["reason"]), (&json!("void"), &json!("deleted")), "{back:#}");
    world.app.patch(&path, json!({ "stage": "offer" })).await.expect_status(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_value_keeps_the_decision_from_being_made() {
    let world = World::new().await;
    let deal = world.deal(json!({ "why": "secret" })).await;
    let request = world.ask(&deal, "word").await;
    let problem = world.decide(&world.board[0], &request, "approve").await.expect_problem(422, "REC010");
    assert!(problem.to_string().contains("Not this word"), "{problem:#}");
    assert_eq!(world.request(&request).await["state"], "running");
    world.decide(&world.board[0], &request, "reject").await.expect_status(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_who_decide_in_the_same_moment_one_decides() {
    let world = std::sync::Arc::new(World::new().await);
    for _ in 0..5 {
        let deal = world.deal(json!({ "why": "x" })).await;
        let request = world.ask(&deal, "word").await;
        let mut asked = Vec::new();
        for (number, decision) in [(0, "approve"), (1, "reject"), (2, "approve"), (0, "reject")] {
            let (world, request) = (world.clone(), request.clone());
            asked.push(tokio::spawn(async move { world.decide(&world.board[number], &request, decision).await.status.as_u16() }));
        }
        let mut answers = Vec::new();
        for one in asked {
            answers.push(one.await.expect("an answer"));
        }
        assert_eq!(answers.iter().filter(|status| **status == 200).count(), 1, "{answers:?}");
        assert!(answers.iter().all(|status| [200, 422].contains(status)), "{answers:?}");
        let now = world.request(&request).await;
        let decided = people(&now, "one").into_iter().filter(|(_, state)| state == "approved" || state == "rejected");
        assert_eq!(decided.count(), 1, "{now:#}");
        let verdict = if now["state"] == "approved" { json!("x") } else { Value::Null };
        assert_eq!(world.get(&deal).await["verdict"], verdict);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_input_is_refused_with_its_place() {
    let world = World::new().await;
    let deal = world.deal(json!({ "discount": "20" })).await;
    let request = world.ask(&deal, "discount").await;
    let long = "x".repeat(1001);
    let id = request["id"].as_str().unwrap();
    for (path, body, place) in [
        (format!("records/deal/{deal}/approvals"), json!([]), ""),
        (format!("records/deal/{deal}/approvals"), json!({ "approval": 7 }), "/approval"),
        (format!("records/deal/{deal}/approvals"), json!({ "approval": "word", "comment": long }), "/comment"),
        (format!("records/deal/{deal}/approvals"), json!({ "approval": "word", "note": "x" }), "/note"),
        (format!("approvals/{id}/decide"), json!({ "decision": "maybe" }), "/decision"),
        (format!("approvals/{id}/decide"), json!({ "decision": "approve", "for": "me" }), "/for"),
        (format!("approvals/{id}/hand-on"), json!({}), "/to"),
        (format!("approvals/{id}/hand-on"), json!({ "to": "user_x" }), "/to"),
        ("stand-ins".to_owned(), json!({}), "/stand_in"),
        ("stand-ins".to_owned(), json!({ "stand_in": world.rep.id, "until": "soon" }), "/until"),
    ] {
        let answer = send(&world.app, &world.manager, Method::POST, &format!("/api/v1/{path}"), &body).await;
        assert_eq!(answer.status.as_u16(), 422, "{path} {body}: {}", answer.text());
        let problem = answer.json();
        assert_eq!(problem["errors"][0]["path"], place, "{path} {body}: {problem:#}");
    }
    for path in ["approvals/0", "approvals/x", "approvals/99999999999999999999"] {
        assert_eq!(world.app.get(&format!("/api/v1/{path}")).await.status.as_u16(), 404, "{path}");
    }
    for path in ["approvals?show=all", "approvals?before=x", "stand-ins?person=x"] {
        assert_eq!(world.app.get(&format!("/api/v1/{path}")).await.status.as_u16(), 422, "{path}");
    }
}
