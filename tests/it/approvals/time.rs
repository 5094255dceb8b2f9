//! As time goes by: handing on, standing in, time that is over, people who leave.

use relata::base::DateTime;
use serde_json::{Value, json};

use super::world::{World, codes, people};
use crate::access::world::{get, person, send};
use axum::http::Method;

const DAY: i64 = 86_400_000_000;

/// Moves the clock and does what is due.
async fn later(world: &World, days: i64) {
    let now = world.app.workspace.records.clock().now();
    world.app.clock.set(DateTime(now.0 + days * DAY));
    world.app.workspace.queue_chores().await.expect("chores");
    world.app.workspace.runner.run_until_idle().await.expect("jobs run");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_part_is_handed_on_once() {
    let world = World::new().await;
    let deal = world.deal(json!({ "discount": "20" })).await;
    let request = world.ask(&deal, "discount").await;
    let blind = person(&world.app, "blind", &["blind"], json!({})).await;
    for (to, code) in [(&blind.id, "approval_unfit"), (&world.rep.id, "approval_unfit")] {
        let problem = world.act(&world.manager, &request, "hand-on", json!({ "to": to })).await.expect_problem(422, "REC010");
        assert_eq!((codes(&problem), &problem["errors"][0]["path"]), (vec![code.to_owned()], &json!("/to")), "{problem:#}");
    }
    assert_eq!(world.act(&world.board[0], &request, "hand-on", json!({ "to": world.board[1].id })).await.status.as_u16(), 403);
    let body = json!({ "to": world.board[0].id, "comment": "You know them" });
    let now = world.act(&world.manager, &request, "hand-on", body).await.expect_status(200).json();
    assert_eq!(
        people(&now, "manager"),
        [(world.manager.id.clone(), "handed_on".to_owned()), (world.board[0].id.clone(), "waiting".to_owned())],
        "{now:#}"
    );
    assert_eq!(world.decide(&world.manager, &request, "approve").await.status.as_u16(), 403, "it is theirs no more");
    world.decide(&world.board[0], &request, "approve").await.expect_status(200);
    assert_eq!(world.request(&request).await["state"], "approved");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn somebody_stands_in_for_a_time_and_both_names_are_kept() {
    let world = World::new().await;
    let deal = world.deal(json!({ "discount": "20" })).await;
    let request = world.ask(&deal, "discount").await;
    let stand_in = &world.board[0];
    assert_eq!(world.decide(stand_in, &request, "approve").await.status.as_u16(), 403);
    let now = world.app.workspace.records.clock().now();
    let at = |days: i64| DateTime(now.0 + days * DAY).to_string();
    for (body, code) in [
        (json!({ "stand_in": world.manager.id, "until": at(2) }), "stand_in_self"),
        (json!({ "stand_in": stand_in.id, "until": at(-2) }), "stand_in_over"),
        (json!({ "stand_in": stand_in.id, "until": at(500) }), "stand_in_long"),
        (json!({ "stand_in": "user_0000000000001", "until": at(2) }), "stand_in_unknown"),
    ] {
        let problem = send(&world.app, &world.manager, Method::POST, "/api/v1/stand-ins", &body).await.expect_problem(422, "REC010");
        assert_eq!(codes(&problem), [code], "{problem:#}");
    }
    let theirs = json!({ "person": world.manager.id, "stand_in": world.rep.id, "until": at(2) });
    assert_eq!(send(&world.app, &world.rep, Method::POST, "/api/v1/stand-ins", &theirs).await.status.as_u16(), 403);
    let body = json!({ "stand_in": stand_in.id, "from": at(1), "until": at(3) });
    let made = send(&world.app, &world.manager, Method::POST, "/api/v1/stand-ins", &body).await.expect_status(201).json();
    assert!(world.waiting(stand_in).await.is_empty(), "not yet");
    world.app.clock.set(DateTime(now.0 + DAY + 1));
    assert_eq!(world.waiting(stand_in).await, [request["id"].as_str().unwrap()]);
    assert_eq!(world.waiting(&world.manager).await.len(), 1, "they may still decide themselves");
    let seen = get(&world.app, stand_in, &format!("/api/v1/approvals/{}", request["id"].as_str().unwrap())).await.json();
    assert_eq!(seen["may"]["decide_for"], json!([world.manager.id]), "{seen:#}");
    world.decide(stand_in, &request, "approve").await.expect_status(200);
    let now = world.request(&request).await;
    let part = &now["steps"][0]["people"][0];
    assert_eq!((&part["person"], &part["decided_by"]), (&json!(world.manager.id), &json!(stand_in.id)), "{now:#}");
    let path = format!("/api/v1/stand-ins/{}", made["id"].as_str().unwrap());
    assert_eq!(world.app.request(Method::DELETE, &path).token(&world.rep.token).send().await.status.as_u16(), 404, "somebody else's");
    world.app.request(Method::DELETE, &path).token(&world.manager.token).send().await.expect_status(204);
    let left = get(&world.app, &world.manager, "/api/v1/stand-ins").await.expect_status(200).json();
    assert_eq!(left["data"], json!([]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_person_is_one_vote_also_where_they_stand_in() {
    let world = World::new().await;
    let deal = world.deal(json!({ "discount": "40" })).await;
    let request = world.ask(&deal, "discount").await;
    world.decide(&world.manager, &request, "approve").await.expect_status(200);
    let now = world.app.workspace.records.clock().now();
    let body = json!({ "stand_in": world.board[0].id, "until": DateTime(now.0 + DAY).to_string() });
    send(&world.app, &world.board[1], Method::POST, "/api/v1/stand-ins", &body).await.expect_status(201);
    world.decide(&world.board[0], &request, "approve").await.expect_status(200);
    let problem = world.decide(&world.board[0], &request, "approve").await.expect_problem(422, "REC010");
    assert_eq!(codes(&problem), ["approval_decided"], "{problem:#}");
    world.decide(&world.board[2], &request, "approve").await.expect_status(200);
    assert_eq!(world.request(&request).await["state"], "approved");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_the_time_is_over_others_are_asked_and_in_the_end_administrators() {
    let world = World::new().await;
    let deal = world.deal(json!({ "discount": "20" })).await;
    let request = world.ask(&deal, "discount").await;
    later(&world, 1).await;
    assert_eq!(people(&world.request(&request).await, "manager").len(), 1, "there is time");
    later(&world, 1).await;
    let now = world.request(&request).await;
    assert_eq!(
        people(&now, "manager"),
        [(world.manager.id.clone(), "late".to_owned()), (world.director.id.clone(), "waiting".to_owned())],
        "{now:#}"
    );
    assert_eq!(world.decide(&world.manager, &request, "approve").await.status.as_u16(), 403, "too late");
    later(&world, 3).await;
    let now = world.request(&request).await;
    let last = people(&now, "manager").pop().unwrap();
    assert!(last.1 == "waiting" && last.0 != world.director.id, "an administrator: {now:#}");
    assert_eq!(now["due_at"], Value::Null, "{now:#}");
    later(&world, 30).await;
    assert_eq!(world.request(&request).await["state"], "running");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_the_time_is_over_a_step_may_say_no() {
    let world = World::new().await;
    let deal = world.deal(json!({ "reviewer": world.board[0].id })).await;
    let request = world.ask(&deal, "review").await;
    later(&world, 1).await;
    let now = world.request(&request).await;
    assert_eq!((&now["state"], &now["reason"], &now["ended_by"]), (&json!("rejected"), &json!("time"), &Value::Null), "{now:#}");
    let problem = world.decide(&world.board[0], &request, "approve").await.expect_problem(422, "REC010");
    assert_eq!(codes(&problem), ["approval_over"], "{problem:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn somebody_who_leaves_does_not_hold_a_request_up() {
    let world = World::new().await;
    let deal = world.deal(json!({ "discount": "20" })).await;
    let request = world.ask(&deal, "discount").await;
    world.app.patch(&format!("/api/v1/records/user/{}", world.manager.id), json!({ "active": false })).await.expect_status(200);
    later(&world, 0).await;
    let now = world.request(&request).await;
    assert_eq!(
        people(&now, "manager"),
        [(world.manager.id.clone(), "gone".to_owned()), (world.director.id.clone(), "waiting".to_owned())],
        "{now:#}"
    );
    // Of all who must, those who are left are enough.
    let team = world.app.create_id("team", json!({ "name": "T" })).await;
    for member in &world.board[..2] {
        world.app.patch(&format!("/api/v1/records/user/{}", member.id), json!({ "team": team })).await.expect_status(200);
    }
    let deal = world.deal(json!({ "team": team })).await;
    let request = world.ask(&deal, "review").await;
    world.decide(&world.board[0], &request, "approve").await.expect_status(200);
    world.app.patch(&format!("/api/v1/records/user/{}", world.board[1].id), json!({ "active": false })).await.expect_status(200);
    later(&world, 0).await;
    assert_eq!(world.request(&request).await["state"], "approved");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_to_decide_and_whoever_asked_are_told() {
    let world = World::new().await;
    let told = async |who: &crate::access::world::Person, tag: &str| {
        world.app.workspace.runner.run_until_idle().await.expect("jobs run");
        let ask = world.app.request(Method::GET, "/api/v1/notifications").token(&who.token).header("accept-language", tag);
        let lines = ask.send().await.expect_status(200).json();
        lines["data"].as_array().expect("lines").iter().map(|line| line["text"].as_str().expect("a text").to_owned()).collect::<Vec<_>>()
    };
    let now = world.app.workspace.records.clock().now();
    let body = json!({ "stand_in": world.board[0].id, "until": DateTime(now.0 + DAY).to_string() });
    send(&world.app, &world.manager, Method::POST, "/api/v1/stand-ins", &body).await.expect_status(201);
    let deal = world.deal(json!({ "discount": "20" })).await;
    let request = world.ask(&deal, "discount").await;
    assert_eq!(told(&world.manager, "en").await, ["“Discount over 15 %” waits for your decision."]);
    assert_eq!(told(&world.board[0], "zh-CN").await, ["“折扣超过 15%”待您审批。"]);
    assert!(told(&world.rep, "en").await.is_empty());
    world.act(&world.manager, &request, "hand-on", json!({ "to": world.board[1].id })).await.expect_status(200);
    assert_eq!(told(&world.board[1], "en").await.len(), 1);
    world.decide(&world.board[1], &request, "reject").await.expect_status(200);
    assert_eq!(told(&world.rep, "en").await, ["“Discount over 15 %” was rejected."]);
    // Nobody is told what they did themselves.
    let again = world.ask(&deal, "discount").await;
    world.act(&world.rep, &again, "withdraw", json!({})).await.expect_status(200);
    assert_eq!(told(&world.rep, "en").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_happens_is_audited() {
    let world = World::new().await;
    world.approved(json!({ "discount": "20" })).await;
    let audit = world.app.get("/audit/export?format=json").await.expect_status(200).json().to_string();
    for action in ["approval.ask", "approval.decide", "approval.end"] {
        assert!(audit.contains(action), "{action}: {audit}");
    }
    assert!(!audit.contains("Because"), "what people wrote stays with the request");
}
