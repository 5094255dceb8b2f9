//! Filing, and what becomes of claims that meet.

use axum::http::Method;
use serde_json::{Value, json};

use super::world::{World, code};
use crate::access::world::{get, person, send};

#[tokio::test]
async fn the_first_is_protected_and_the_second_is_told_no_more_than_that() {
    let world = World::new().await;
    let (first, second) = (world.project(&world.one, "Acme Ltd").await, world.project(&world.two, "ACME").await);
    let one = world.file(&world.one, &first, "project").await.expect_status(201).json();
    assert_eq!((&one["state"], &one["rivals"]), (&json!("protected"), &json!([])));
    assert_eq!(one["until"], "2027-02-19T08:00:00Z");
    let two = world.file(&world.two, &second, "project").await.expect_status(201).json();
    assert_eq!(two["state"], "contested");
    assert_eq!(two["rivals"], json!([{ "record": null, "filer": null, "until": null }]));
    assert!(!two.to_string().contains(&world.one.id));
    // Another rule of the same kind is another claim, and may tell who was first.
    world.file(&world.one, &first, "strict").await.expect_status(201);
    let refused = world.file(&world.two, &second, "strict").await.expect_status(201).json();
    assert_eq!(
        (&refused["state"], &refused["rivals"][0]["filer"], &refused["rivals"][0]["record"]),
        (&json!("refused"), &json!(world.one.id), &Value::Null)
    );
    // What is not alike meets nothing.
    let other = world.project(&world.two, "Other").await;
    assert_eq!(world.file(&world.two, &other, "project").await.expect_status(201).json()["state"], "protected");
    assert_eq!(world.file(&world.two, &other, "looked").await.expect_status(201).json()["state"], "contested", "each is looked at");
}

#[tokio::test]
async fn a_claim_is_filed_by_those_who_may_and_once() {
    let world = World::new().await;
    let project = world.project(&world.one, "Acme").await;
    world.file(&world.two, &project, "project").await.expect_problem(404, "REC002");
    assert_eq!(code(&world.file(&world.one, &project, "nothing").await.expect_status(422)), "unknown_registration");
    let reader = person(&world.app, "reader", &["read_only"], json!({})).await;
    assert_eq!(world.file(&reader, &project, "strict").await.status, 403);
    assert_eq!(world.file(&world.judge, &project, "project").await.status, 403, "judges are no partners");
    world.file(&world.one, &project, "project").await.expect_status(201);
    assert_eq!(code(&world.file(&world.one, &project, "project").await.expect_status(422)), "registration_filed");
    world.app.patch(&format!("/api/v1/records/project/{project}"), json!({ "kind": "closed" })).await.expect_status(200);
    let closed = world.project(&world.one, "Else").await;
    world.app.patch(&format!("/api/v1/records/project/{closed}"), json!({ "kind": "closed" })).await.expect_status(200);
    assert_eq!(code(&world.file(&world.one, &closed, "project").await.expect_status(422)), "registration_not_here");
    let path = format!("/api/v1/records/project/{project}/registrations");
    for body in [json!({}), json!({ "registration": 1 }), json!({ "registration": "project", "x": 1 }), json!([])] {
        assert_eq!(send(&world.app, &world.one, Method::POST, &path, &body).await.status, 422, "{body}");
    }
    let list = get(&world.app, &world.one, &path).await.expect_status(200).json();
    assert_eq!(
        list["offered"].as_array().expect("offers").iter().map(|one| one["registration"].clone()).collect::<Vec<_>>(),
        [json!("strict"), json!("looked")]
    );
    assert_eq!(get(&world.app, &world.two, &path).await.status, 404);
}

#[tokio::test]
async fn an_arbiter_decides_with_a_reason_and_the_other_claim_is_lost() {
    let world = World::new().await;
    let (first, second) = (world.project(&world.one, "Acme Ltd").await, world.project(&world.two, "Acme").await);
    let one = world.file(&world.one, &first, "project").await.expect_status(201).json();
    let two = world.file(&world.two, &second, "project").await.expect_status(201).json();
    world.app.workspace.runner.run_until_idle().await.expect("jobs run");
    let told = get(&world.app, &world.judge, "/api/v1/notifications").await.expect_status(200).text();
    assert!(told.contains("waits for your decision"), "{told}");
    let inbox = get(&world.app, &world.judge, "/api/v1/registrations?show=contested").await.expect_status(200).json();
    assert_eq!((&inbox["data"][0]["id"], &inbox["data"][0]["rivals"][0]["filer"]), (&two["id"], &json!(world.one.id)));
    assert_eq!(get(&world.app, &world.one, "/api/v1/registrations?show=contested").await.json()["data"], json!([]));
    let grant = json!({ "decision": "grant", "reason": "Was there first" });
    assert_eq!(world.act(&world.one, &two, "decide", grant.clone()).await.status, 404);
    assert_eq!(world.act(&world.two, &two, "decide", grant.clone()).await.status, 403);
    assert_eq!(
        code(&world.act(&world.judge, &two, "decide", json!({ "decision": "grant" })).await.expect_status(422)),
        "registration_reason"
    );
    assert_eq!(world.act(&world.judge, &two, "decide", json!({ "decision": "maybe", "reason": "x" })).await.status, 422);
    let granted = world.act(&world.judge, &two, "decide", grant.clone()).await.expect_status(200).json();
    assert_eq!(
        (&granted["state"], &granted["reason"], &granted["ended_by"]),
        (&json!("protected"), &json!("Was there first"), &json!(world.judge.id))
    );
    assert_eq!(world.claim(&world.one, &one).await["state"], "lost");
    assert_eq!(code(&world.act(&world.judge, &two, "decide", grant).await.expect_status(422)), "registration_over");
    // The other way round: refused, and what was protected stays so.
    let third = world.project(&world.one, "Acme").await;
    let three = world.file(&world.one, &third, "project").await.expect_status(201).json();
    let refused =
        world.act(&world.judge, &three, "decide", json!({ "decision": "refuse", "reason": "Too late" })).await.expect_status(200).json();
    assert_eq!(refused["state"], "refused");
    assert_eq!(world.claim(&world.two, &two).await["state"], "protected");
    world.app.workspace.runner.run_until_idle().await.expect("jobs run");
    let told = get(&world.app, &world.one, "/api/v1/notifications").await.expect_status(200).text();
    assert!(told.contains("was refused") && told.contains("went to somebody else"), "{told}");
    // Nobody decides about their own.
    let judged = person(&world.app, "both", &["partner", "judge"], json!({})).await;
    let own = world.project(&judged, "Acme").await;
    let claim = world.file(&judged, &own, "project").await.expect_status(201).json();
    let answer = world.act(&judged, &claim, "decide", json!({ "decision": "grant", "reason": "Me" })).await.expect_status(422);
    assert_eq!(code(&answer), "registration_own");
}

#[tokio::test]
async fn what_was_registered_stays_as_it_is_while_the_claim_runs() {
    let world = World::new().await;
    let project = world.project(&world.one, "Acme").await;
    let claim = world.file(&world.one, &project, "project").await.expect_status(201).json();
    let path = format!("/api/v1/records/project/{project}");
    let change = json!({ "customer": "Somebody else" });
    let refused = send(&world.app, &world.one, Method::PATCH, &path, &change).await.expect_status(422);
    assert_eq!(code(&refused), "registration_locked");
    send(&world.app, &world.one, Method::PATCH, &path, &json!({ "note": "free" })).await.expect_status(200);
    let many = send(&world.app, &world.one, Method::PATCH, "/api/v1/records/project", &json!([{ "id": project, "set": change }])).await;
    assert_eq!(many.expect_status(200).json()["failed"], 1);
    send(&world.app, &world.judge, Method::PATCH, &path, &json!({ "customer": "Acme Limited" })).await.expect_status(200);
    world.act(&world.one, &claim, "withdraw", json!({})).await.expect_status(200);
    send(&world.app, &world.one, Method::PATCH, &path, &change).await.expect_status(200);
    assert_eq!(code(&world.act(&world.one, &claim, "withdraw", json!({})).await.expect_status(422)), "registration_over");
    // A record that goes ends its claim.
    let again = world.file(&world.one, &project, "project").await.expect_status(201).json();
    send(&world.app, &world.one, Method::DELETE, &path, &json!({})).await.expect_status(204);
    world.app.post(&format!("{path}/restore"), json!({})).await.expect_status(200);
    assert_eq!(world.claim(&world.one, &again).await["state"], "deleted");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_who_file_at_once_one_is_first() {
    let world = std::sync::Arc::new(World::new().await);
    for round in 0..6 {
        let customer = format!("Customer {round}");
        let (first, second) = (world.project(&world.one, &customer).await, world.project(&world.two, &customer).await);
        let (one, two) = tokio::join!(world.file(&world.one, &first, "project"), world.file(&world.two, &second, "project"));
        let mut states = [one, two].map(|answer| answer.expect_status(201).json()["state"].as_str().expect("a state").to_owned());
        states.sort();
        assert_eq!(states, ["contested", "protected"], "{round}");
    }
}
