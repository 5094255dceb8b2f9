//! What a move needs, what is told of it, and what is kept of it.

use axum::http::Method;
use relata::base::DateTime;
use serde_json::{Value, json};

use super::world::{World, faults};
use crate::access::world::{get, send};

fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter().map(|(code, gate)| ((*code).to_owned(), (*gate).to_owned())).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_move_that_does_not_meet_its_gates_is_refused_with_every_reason() {
    let world = World::new().await;
    let id = world.deal(json!({})).await;
    let path = format!("/api/v1/records/deal/{id}");
    let problem = world.app.patch(&path, json!({ "stage": "talk" })).await.expect_problem(422, "REC010");
    assert_eq!(faults(&problem), pairs(&[("gate", "content"), ("gate", "offer"), ("gate_field", "offer")]), "{problem:#}");
    let paths: Vec<&str> = problem["errors"].as_array().unwrap().iter().map(|fault| fault["path"].as_str().unwrap()).collect();
    assert_eq!(paths, ["/close_on", "/stage", "/stage"]);
    assert_eq!(world.stage(&id).await, "new");
    // What is missing may come with the move.
    let all = json!({ "stage": "talk", "amount": "10", "close_on": "2026-12-31", "lines": [{ "label": "A", "price": "10" }] });
    world.app.patch(&path, all).await.expect_status(200);
    assert_eq!(world.stage(&id).await, "talk");
    // A save that moves nothing is held against nothing.
    world.app.patch(&path, json!({ "amount": null })).await.expect_status(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_record_must_meet_the_gates_of_the_stage_it_begins_in() {
    let world = World::new().await;
    let values = json!({ "name": "A", "stage": "offer" });
    let problem = world.app.post("/api/v1/records/deal", values).await.expect_problem(422, "REC010");
    assert_eq!(faults(&problem), pairs(&[("gate", "offer"), ("gate_field", "offer")]));
    let id = world.ripe(json!({ "stage": "talk" })).await;
    assert_eq!(world.stage(&id).await, "talk");
    // Rows that come with the record count, those that do not count do not.
    let values = json!({ "name": "A", "stage": "talk", "amount": "1", "close_on": "2026-12-31", "lines": [{ "price": "0" }] });
    let problem = world.app.post("/api/v1/records/deal", values).await.expect_problem(422, "REC010");
    assert_eq!(faults(&problem), pairs(&[("gate", "content")]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_order_of_stages_is_kept() {
    let world = World::new().await;
    for (kind, from, to, told) in [
        ("tender", "new", "won", Some("stage_skip")),
        ("tender", "new", "talk", None),
        ("tender", "new", "offer", Some("stage_unknown")),
        ("tender", "talk", "new", Some("stage_back")),
        ("tender", "lost", "new", Some("stage_back")),
        ("plain", "new", "won", Some("stage_no_move")),
        ("plain", "new", "old", Some("stage_retired")),
        ("plain", "new", "dropped", None),
        ("plain", "talk", "new", None),
    ] {
        let id = world.ripe(json!({ "kind": kind })).await;
        let path = format!("/api/v1/records/deal/{id}");
        if from != "new" {
            world.app.patch(&path, json!({ "stage": from, "why": "price" })).await.expect_status(200);
        }
        let answer = world.app.patch(&path, json!({ "stage": to })).await;
        match told {
            None => drop(answer.expect_status(200)),
            Some(code) => {
                let problem = answer.expect_problem(422, "REC010");
                let codes: Vec<String> = faults(&problem).into_iter().map(|(code, _)| code).collect();
                assert!(codes.iter().any(|known| known == code), "{kind} {from} {to}: {codes:?}");
                assert_eq!(world.stage(&id).await, from, "{kind} {from} {to}");
            }
        }
    }
    let id = world.ripe(json!({})).await;
    let problem = world.app.patch(&format!("/api/v1/records/deal/{id}"), json!({ "stage": null })).await.expect_problem(422, "REC010");
    assert_eq!(problem["errors"][0]["code"], "stage_cleared");
    let begun = json!({ "name": "A", "kind": "tender", "stage": "talk" });
    let problem = world.app.post("/api/v1/records/deal", begun).await.expect_problem(422, "REC010");
    assert_eq!(problem["errors"][0]["code"], "stage_start");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_pipeline_is_begun_anew() {
    let world = World::new().await;
    let id = world.ripe(json!({})).await;
    let path = format!("/api/v1/records/deal/{id}");
    world.app.patch(&path, json!({ "stage": "talk" })).await.expect_status(200);
    let problem = world.app.patch(&path, json!({ "kind": "tender" })).await.expect_problem(422, "REC010");
    assert_eq!(problem["errors"][0]["code"], "stage_start", "tenders begin with new");
    world.app.patch(&path, json!({ "kind": "tender", "stage": "new" })).await.expect_status(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_may_not_make_a_move_is_refused_and_who_may_override_gives_a_reason() {
    let world = World::new().await;
    let id = world.ripe(json!({ "stage": "talk", "margin": "1" })).await;
    let (path, moves) = (format!("/api/v1/records/deal/{id}"), format!("/api/v1/records/deal/{id}/moves"));
    let app = &world.app;
    let problem = send(app, &world.clerk, Method::PATCH, &path, &json!({ "stage": "won" })).await.expect_problem(422, "REC010");
    assert_eq!(faults(&problem), pairs(&[("gate", "earning"), ("stage_role", "roles")]));
    let asked = json!({ "to": "won", "reason": "A friend" });
    let problem = send(app, &world.clerk, Method::POST, &moves, &asked).await.expect_problem(422, "REC010");
    assert!(faults(&problem).iter().any(|(code, _)| code == "override_not_allowed"), "{problem:#}");
    let problem = send(app, &world.boss, Method::POST, &moves, &json!({ "to": "won" })).await.expect_problem(422, "REC010");
    assert_eq!(faults(&problem), pairs(&[("gate", "earning")]));
    let told = send(app, &world.boss, Method::POST, &moves, &asked).await.expect_status(200).json();
    assert_eq!(told["stage"], "won");
    let stays = app.get(&format!("{path}/stages")).await.expect_status(200).json();
    assert_eq!(stays["data"][1]["reason"], "A friend", "{stays:#}");
    assert_eq!(stays["data"][1]["by"], world.boss.id);
    let audited = crate::audit::lines(app, "stage.override").await;
    assert_eq!(audited.len(), 1, "{audited:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_move_needs_is_told_before_it_is_made() {
    let world = World::new().await;
    let id = world.deal(json!({ "amount": "5" })).await;
    let moves = format!("/api/v1/records/deal/{id}/moves");
    let told = world.app.get(&moves).await.expect_status(200).json();
    let sales = &told["data"][0];
    assert_eq!(
        (&sales["pipeline"], &sales["stage"], &sales["max_days"], &sales["days"]),
        (&json!("sales"), &json!("new"), &json!(3), &json!(0))
    );
    let keys: Vec<&str> = sales["moves"].as_array().unwrap().iter().map(|one| one["to"].as_str().unwrap()).collect();
    assert_eq!(keys, ["offer", "talk", "won", "lost", "dropped"]);
    let offer = &sales["moves"][0];
    assert_eq!(offer["passes"], false);
    let states: Vec<(&str, &str)> =
        offer["conditions"].as_array().unwrap().iter().map(|one| (one["kind"].as_str().unwrap(), one["state"].as_str().unwrap())).collect();
    assert_eq!(states, [("field", "missing"), ("expression", "met")]);
    assert_eq!(offer["conditions"][0]["field"], "close_on");
    assert_eq!(sales["moves"][3]["conditions"][0]["field"], "why", "a reason is asked for");
    assert_eq!(sales["moves"][4]["passes"], true);
    // Each move goes exactly where it is told to.
    for one in sales["moves"].as_array().unwrap() {
        let answer = world.app.request(Method::POST, &moves).json(&json!({ "to": one["to"] })).header("prefer", "dry-run").send().await;
        assert_eq!(answer.status.as_u16() == 200, one["passes"] == true, "{one:#} {}", answer.text());
    }
    let chinese = world.app.request(Method::GET, &moves).header("accept-language", "zh-CN").send().await.expect_status(200).json();
    assert_eq!(chinese["data"][0]["stages"][0]["guidance"], "询问需求");
    assert_eq!(chinese["data"][0]["moves"][1]["conditions"][2]["message"], "请列出产品", "{chinese:#}");
    assert_eq!(chinese["data"][0]["moves"][0]["conditions"][0]["message"], "请填写此项以进入下一阶段。");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_stages_a_record_went_through_are_kept_with_their_time() {
    let world = World::new().await;
    let id = world.ripe(json!({})).await;
    let path = format!("/api/v1/records/deal/{id}");
    for (at, stage) in [("2026-11-22T08:00:00Z", "offer"), ("2026-11-23T20:00:00Z", "talk")] {
        world.app.clock.set(DateTime::parse(at).unwrap());
        send(&world.app, &world.clerk, Method::PATCH, &path, &json!({ "stage": stage })).await.expect_status(200);
    }
    world.app.clock.set(DateTime::parse("2026-11-24T20:00:00Z").unwrap());
    let stays = get(&world.app, &world.clerk, &format!("{path}/stages")).await.expect_status(200).json();
    let told: Vec<(Value, Value, Value)> =
        stays["data"].as_array().unwrap().iter().map(|stay| (stay["from"].clone(), stay["to"].clone(), stay["seconds"].clone())).collect();
    let day = 86_400;
    assert_eq!(
        told,
        [
            (json!(null), json!("new"), json!(day)),
            (json!("new"), json!("offer"), json!(day + day / 2)),
            (json!("offer"), json!("talk"), json!(day)),
        ]
    );
    let moves = world.app.get(&format!("{path}/moves")).await.expect_status(200).json();
    assert_eq!((&moves["data"][0]["days"], &moves["data"][0]["since"]), (&json!(1), &json!("2026-11-23T20:00:00Z")));
    // A refused move leaves nothing behind.
    world.app.patch(&path, json!({ "stage": "dropped" })).await.expect_problem(422, "REC010");
    let stays = world.app.get(&format!("{path}/stages")).await.expect_status(200).json();
    assert_eq!(stays["data"].as_array().unwrap().len(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_requests_for_moves_are_told() {
    let world = World::new().await;
    let id = world.deal(json!({})).await;
    let moves = format!("/api/v1/records/deal/{id}/moves");
    for (body, code) in [
        (json!([]), "bad_shape"),
        (json!({}), "bad_shape"),
        (json!({ "to": 3 }), "bad_shape"),
        (json!({ "to": "" }), "bad_shape"),
        (json!({ "to": "offer", "sett": {} }), "bad_shape"),
        (json!({ "to": "offer", "set": [] }), "bad_shape"),
        (json!({ "to": "offer", "pipeline": "nothing" }), "bad_shape"),
        (json!({ "to": "offer", "reason": "x".repeat(1001) }), "bad_shape"),
        (json!({ "to": "nowhere" }), "not_an_option"),
        (json!({ "to": "offer", "set": { "nothing": 1 } }), "unknown_field"),
    ] {
        let answer = world.app.post(&moves, body.clone()).await;
        assert_eq!(answer.status.as_u16(), 422, "{body} {}", answer.text());
        assert_eq!(answer.json()["errors"][0]["code"], code, "{body} {}", answer.text());
    }
    let account = world.app.create_id("account", json!({ "name": "A" })).await;
    let path = format!("/api/v1/records/account/{account}/moves");
    assert_eq!(world.app.get(&path).await.expect_status(200).json(), json!({ "data": [] }));
    assert_eq!(world.app.post(&path, json!({ "to": "new" })).await.expect_status(422).json()["errors"][0]["code"], "no_pipeline");
    world.app.get("/api/v1/records/deal/deal_0000000000000/moves").await.expect_problem(404, "REC002");
    world.app.get("/api/v1/records/deal/deal_0000000000000/stages").await.expect_problem(404, "REC002");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_schema_tells_the_pipelines() {
    let world = World::new().await;
    let schema = world.app.get("/api/v1/schema/deal").await.expect_status(200).json();
    let pipelines = &schema["x-relata"]["pipelines"];
    assert_eq!(pipelines[0]["id"], "tender");
    assert_eq!(pipelines[1]["stages"][0]["tasks"][0]["id"], "call");
    assert_eq!(pipelines[2]["stages"][0]["max_days"], 3);
    let openapi = world.app.get("/api/v1/openapi.json").await.expect_status(200).json();
    assert!(openapi["paths"]["/api/v1/records/deal/{id}/moves"]["post"].is_object());
    assert!(openapi["paths"]["/api/v1/records/account/{id}/moves"].is_null());
}
