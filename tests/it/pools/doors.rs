//! Doors × rules of a pool × outcomes: whoever changes an owner, by whatever door, gets the same answer, and what is counted is
//! what is held.

use axum::http::Method;
use serde_json::json;

use super::world::World;
use crate::access::world::{get, person, send};
use crate::support::Answer;

/// Doors by which somebody gets a record.
const DOORS: [&str; 11] = ["patch", "many", "filter", "batch", "upsert", "nested", "form", "button", "automation", "create", "merge"];

/// Gives a lead to somebody as the chief, who manages; what the door answers where it refused.
async fn give(world: &World, door: &str, lead: &str, code: &str, to: &str) -> Option<String> {
    let (app, chief) = (&world.app, &world.chief);
    let path = format!("/api/v1/records/lead/{lead}");
    let set = json!({ "owner": to });
    let refused = |answer: Answer| (answer.status.as_u16() >= 300).then(|| answer.text());
    let of_many = |answer: Answer| {
        let told = answer.expect_status(200).json();
        (told["failed"] == 1).then(|| told.to_string())
    };
    match door {
        "patch" => refused(send(app, chief, Method::PATCH, &path, &set).await),
        "many" => of_many(send(app, chief, Method::PATCH, "/api/v1/records/lead", &json!([{ "id": lead, "set": set }])).await),
        "filter" => {
            let body = json!({ "filter": format!("code = '{code}'"), "set": set, "max_affected": 1 });
            of_many(send(app, chief, Method::PATCH, "/api/v1/records/lead", &body).await)
        }
        "batch" => {
            let body = json!({ "operations": [{ "op": "update", "entity": "lead", "id": lead, "values": set }] });
            refused(send(app, chief, Method::POST, "/api/v1/batch", &body).await)
        }
        "upsert" => refused(send(app, chief, Method::PUT, &format!("/api/v1/records/lead/by/code/{code}"), &set).await),
        "nested" => {
            let account = app.create_id("account", json!({ "name": "A" })).await;
            app.patch(&path, json!({ "account": account })).await.expect_status(200);
            let body = json!({ "leads": [{ "id": lead, "owner": to }] });
            refused(send(app, chief, Method::PATCH, &format!("/api/v1/records/account/{account}"), &body).await)
        }
        "form" => {
            let known = app.get(&path).await.expect_status(200).json();
            let text = |name: &str| known[name].as_str().unwrap_or_default().to_owned();
            let pairs = ["name", "code", "city", "kind", "phone"].map(|name| format!("{name}={}", text(name)));
            let answer = app
                .request(Method::POST, &format!("/records/lead/{lead}"))
                .token(&chief.token)
                .header("content-type", "application/x-www-form-urlencoded")
                .text(format!("_version={}&owner={to}&{}", known["version"], pairs.join("&")))
                .send()
                .await;
            (answer.status.as_u16() != 303).then(|| answer.text())
        }
        "button" => refused(send(app, chief, Method::POST, &format!("{path}/actions/push"), &set).await),
        "automation" => {
            app.create_id("wish", json!({ "lead": lead, "person": to })).await;
            app.workspace.runner.run_until_idle().await.expect("jobs run");
            let runs = app.get("/api/v1/runs?automation=shop.fulfil&limit=1").await.expect_status(200).json();
            let run = &runs["data"][0];
            (run["state"] != "done").then(|| run["reason"].as_str().unwrap_or_default().to_owned())
        }
        "create" => {
            let made = send(app, chief, Method::POST, "/api/v1/records/lead", &json!({ "name": "Made", "owner": to })).await;
            refused(made)
        }
        "merge" => {
            // The twin belongs to no pool, so whoever owns it holds nothing by it; its owner is taken over.
            let twin = app.create_id("lead", json!({ "name": "Twin", "kind": "done", "owner": to })).await;
            let body = json!({ "from": [twin], "take": { "owner": twin } });
            refused(send(app, chief, Method::POST, &format!("{path}/merge"), &body).await)
        }
        other => panic!("no door {other}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_door_counts_and_none_passes_a_cap() {
    let world = World::new().await;
    for (number, door) in DOORS.into_iter().enumerate() {
        let who = person(&world.app, &format!("taker{number}"), &["rep"], json!({})).await;
        for turn in 0..3 {
            let code = format!("c{number}{turn}");
            let lead = world.lead(json!({ "name": "Lead", "code": code })).await;
            let told = give(&world, door, &lead, &code, &who.id).await;
            assert_eq!(told.is_none(), turn < 2, "{door} {turn}: {told:?}");
            if let Some(told) = told {
                assert!(told.contains("pool_refused") || told.contains("may not have this record now"), "{door}: {told}");
            }
            assert_eq!(world.held(&who).await, (turn + 1).min(2), "{door} {turn}");
        }
    }
}

#[tokio::test]
async fn what_leaves_by_any_door_is_counted_no_more() {
    let world = World::new().await;
    let (app, rep) = (&world.app, &world.rep);
    let claim = async |name: &str| {
        let lead = world.lead(json!({ "name": name })).await;
        assert_eq!(world.claim_one(rep, &lead).await, None, "{name}");
        assert_eq!(world.held(rep).await, 1);
        lead
    };
    // It belongs to no pool any more, and then to one again.
    let lead = claim("done").await;
    let path = format!("/api/v1/records/lead/{lead}");
    send(app, rep, Method::PATCH, &path, &json!({ "kind": "done" })).await.expect_status(200);
    assert_eq!(world.held(rep).await, 0);
    send(app, rep, Method::PATCH, &path, &json!({ "kind": "open" })).await.expect_status(200);
    assert_eq!(world.held(rep).await, 1);
    // Into the recycle bin and out of it.
    send(app, rep, Method::DELETE, &path, &json!({})).await.expect_status(204);
    assert_eq!(world.held(rep).await, 0);
    app.post(&format!("{path}/restore"), json!({})).await.expect_status(200);
    assert_eq!(world.held(rep).await, 1);
    assert_eq!(world.holding(&lead).await["past"][0]["got"], "restored");
    send(app, rep, Method::DELETE, &path, &json!({})).await.expect_status(204);
    world.advance_hours(24);
    // Two more fill the cap: the third cannot come back, and says so.
    let kept = [claim("one").await, world.lead(json!({ "name": "two" })).await];
    assert_eq!(world.claim_one(rep, &kept[1]).await, None);
    app.post(&format!("{path}/restore"), json!({})).await.expect_problem(422, "REC010");
    // Merged into another: what is gone is held no more.
    let body = json!({ "from": [kept[1]], "take": {} });
    app.post(&format!("/api/v1/records/lead/{}/merge", kept[0]), body).await.expect_status(200);
    assert_eq!(world.held(rep).await, 1);
    // A person who goes holds nothing.
    app.post(&format!("/api/v1/people/{}/deactivate", rep.id), json!({ "heir": world.other.id })).await;
    assert!(world.held(&world.other).await <= 2);
}

#[tokio::test]
async fn nobody_takes_away_what_was_just_got_but_a_manager() {
    let world = World::new().await;
    let lead = world.lead(json!({ "name": "A" })).await;
    let keen = person(&world.app, "keen", &["user"], json!({})).await;
    assert_eq!(world.claim_one(&world.rep, &lead).await, None);
    let path = format!("/api/v1/records/lead/{lead}");
    for owner in [json!(keen.id), json!(null), json!(world.other.id)] {
        let refused = send(&world.app, &keen, Method::PATCH, &path, &json!({ "owner": owner })).await.expect_problem(422, "REC010");
        assert_eq!(refused["errors"][0]["code"], "pool_protected", "{owner}");
    }
    send(&world.app, &world.chief, Method::PATCH, &path, &json!({ "owner": world.other.id })).await.expect_status(200);
    assert_eq!((world.held(&world.rep).await, world.held(&world.other).await), (0, 1));
    world.advance_hours(25);
    send(&world.app, &keen, Method::PATCH, &path, &json!({ "owner": keen.id })).await.expect_status(200);
    // Whoever may change owners, but has no role of the pool, does not help themselves from it.
    let free = world.lead(json!({ "name": "B" })).await;
    let own = json!({ "owner": keen.id });
    let refused = send(&world.app, &keen, Method::PATCH, &format!("/api/v1/records/lead/{free}"), &own).await.expect_problem(422, "REC010");
    assert_eq!(refused["errors"][0]["code"], "pool_role");
    let told = world.holding(&lead).await;
    let lost: Vec<&str> = told["past"].as_array().expect("holders").iter().filter_map(|one| one["lost"].as_str()).collect();
    assert_eq!(lost, ["handed_over", "handed_over"]);
}

#[tokio::test]
async fn a_manager_hands_out_to_whoever_holds_least() {
    let world = World::new().await;
    for number in 0..5 {
        world.lead(json!({ "name": format!("L{number}") })).await;
    }
    let path = "/api/v1/pools/lead/public/hand-out";
    assert_eq!(send(&world.app, &world.rep, Method::POST, path, &json!({ "most": 1 })).await.status, 403);
    for most in [json!(0), json!(1_001), json!("x"), json!(null)] {
        assert_eq!(send(&world.app, &world.chief, Method::POST, path, &json!({ "most": most })).await.status, 422);
    }
    let first = world.lead(json!({ "name": "Z" })).await;
    assert_eq!(world.claim_one(&world.rep, &first).await, None);
    let given = send(&world.app, &world.chief, Method::POST, path, &json!({ "most": 2 })).await.expect_status(200).json();
    assert_eq!(given["handed_out"], 2);
    assert_eq!((world.held(&world.rep).await, world.held(&world.other).await), (2, 1), "the second goes to the one with less");
    let given = send(&world.app, &world.chief, Method::POST, path, &json!({ "most": 100 })).await.expect_status(200).json();
    assert_eq!(given["handed_out"], 1, "both hold as much as they may");
    assert_eq!(world.in_pool(&world.rep, "").await.len(), 2);
    // The oldest went first, and whoever got it is told.
    world.app.workspace.runner.run_until_idle().await.expect("jobs run");
    let told = get(&world.app, &world.other, "/api/v1/notifications").await.expect_status(200).text();
    assert!(told.contains("handed to you"), "{told}");
}
