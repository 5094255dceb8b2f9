//! Who sees what is in a pool, who claims it, and what a claim refuses.

use axum::http::Method;
use serde_json::json;

use super::world::World;
use crate::access::world::{get, person, send};

#[tokio::test]
async fn a_pool_is_not_there_for_those_it_is_not_for() {
    let world = World::new().await;
    let lead = world.lead(json!({})).await;
    let stranger = person(&world.app, "stranger", &["stranger"], json!({})).await;
    let nobody = person(&world.app, "nobody", &[], json!({})).await;
    for who in [&stranger, &nobody] {
        for path in ["/api/v1/pools/lead/public", "/api/v1/pools/lead/public/held"] {
            assert_eq!(get(&world.app, who, path).await.status, 404, "{path}");
        }
        let claimed = send(&world.app, who, Method::POST, "/api/v1/pools/lead/public/claim", &json!({ "records": [lead] })).await;
        assert_eq!(claimed.status, 404);
        assert_eq!(get(&world.app, who, "/api/v1/pools").await.expect_status(200).json()["data"], json!([]));
    }
    assert_eq!(get(&world.app, &world.rep, "/api/v1/pools/lead/big").await.status, 404);
    assert_eq!(get(&world.app, &world.rep, "/api/v1/pools/lead/none").await.status, 404);
    assert!(world.owner(&lead).await.is_none());
}

#[tokio::test]
async fn only_what_the_pool_shows_is_read_and_asked_about() {
    let world = World::new().await;
    let lead = world.lead(json!({ "name": "A", "city": "Ulm", "phone": "12345", "code": "x" })).await;
    world.lead(json!({ "name": "B", "city": "Bonn" })).await;
    world.lead(json!({ "name": "C", "kind": "done" })).await;
    world.lead(json!({ "name": "D", "size": 500 })).await;
    let page = get(&world.app, &world.rep, "/api/v1/pools/lead/public?sort=name&count=exact").await.expect_status(200).json();
    assert_eq!(page["data"][0], json!({ "id": lead, "name": "A", "city": "Ulm", "kind": "open" }));
    assert_eq!(page["total"]["value"], 2);
    assert_eq!(world.in_pool(&world.rep, "&filter=city%20contains%20'on'").await, ["B"]);
    for hidden in [
        "filter=phone%20%3D%20'12345'",
        "sort=phone",
        "filter=code%20is%20not%20null",
        "filter=account.name%20is%20null",
        "filter=owner%20is%20null",
        "filter=count(calls)%20%3D%200",
        "sort=created_at",
        "select=phone",
        "q=12345",
        "deleted=all",
    ] {
        let status = get(&world.app, &world.rep, &format!("/api/v1/pools/lead/public?{hidden}")).await.status;
        assert!(status.is_client_error(), "{hidden}: {status}");
    }
    // Pages go on where they ended, and the record itself is not open.
    let first = get(&world.app, &world.rep, "/api/v1/pools/lead/public?sort=name&limit=1").await.expect_status(200).json();
    let next = first["next_cursor"].as_str().expect("a cursor");
    let second =
        get(&world.app, &world.rep, &format!("/api/v1/pools/lead/public?sort=name&limit=1&cursor={next}")).await.expect_status(200);
    assert_eq!(second.json()["data"][0]["name"], "B");
    for path in ["", "/holding", "/history"] {
        assert_eq!(get(&world.app, &world.rep, &format!("/api/v1/records/lead/{lead}{path}")).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn what_is_claimed_is_ones_own_and_nobody_elses() {
    let world = World::new().await;
    let (one, two) = (world.lead(json!({ "name": "A" })).await, world.lead(json!({ "name": "B" })).await);
    assert_eq!(world.claim_one(&world.rep, &one).await, None);
    assert_eq!(world.claim_one(&world.other, &one).await.as_deref(), Some("pool_gone"));
    assert_eq!(world.claim_one(&world.rep, &one).await.as_deref(), Some("pool_gone"));
    assert_eq!(world.in_pool(&world.other, "").await, ["B"]);
    assert_eq!(world.owner(&one).await.as_deref(), Some(world.rep.id.as_str()));
    get(&world.app, &world.rep, &format!("/api/v1/records/lead/{one}")).await.expect_status(200);
    // Of several, each goes on its own.
    let both = world.claim(&world.other, &[&one, &two]).await;
    let of = |id: &str| both.as_array().expect("results").iter().find(|row| row["record"] == id).expect("a result").clone();
    assert_eq!((of(&one)["claimed"].clone(), of(&two)["claimed"].clone()), (json!(false), json!(true)));
    assert_eq!((world.held(&world.rep).await, world.held(&world.other).await), (1, 1));
    let told = world.holding(&one).await;
    assert_eq!(
        (&told["now"]["person"], &told["now"]["pool"], &told["past"][0]["got"]),
        (&json!(world.rep.id), &json!("public"), &json!("claimed"))
    );
    // What is no record of the pool is answered alike: another pool's, another entity's state, none at all.
    let (big, done) = (world.lead(json!({ "size": 500 })).await, world.lead(json!({ "kind": "done" })).await);
    for lead in [&big, &done] {
        assert_eq!(world.claim_one(&world.other, lead).await.as_deref(), Some("pool_gone"));
    }
    for body in [
        json!({}),
        json!({ "records": [] }),
        json!({ "records": [1] }),
        json!({ "records": ["user_0"] }),
        json!({ "records": [one], "x": 1 }),
    ] {
        let answer = send(&world.app, &world.rep, Method::POST, "/api/v1/pools/lead/public/claim", &body).await;
        assert_eq!(answer.status, 422, "{body}");
    }
}

#[tokio::test]
async fn caps_are_those_of_the_person_and_claims_those_of_the_day() {
    let world = World::new().await;
    let senior = person(&world.app, "senior", &["rep"], json!({ "time_zone": "Asia/Tokyo" })).await;
    let mut leads = Vec::new();
    for number in 0..12 {
        leads.push(world.lead(json!({ "name": format!("L{number:02}") })).await);
    }
    for (who, cap) in [(&world.rep, 2), (&senior, 3), (&world.chief, 5)] {
        for _ in 0..cap {
            assert_eq!(world.claim_one(who, &leads.pop().expect("a lead")).await, None);
        }
        let pools = get(&world.app, who, "/api/v1/pools").await.expect_status(200).json();
        let pool = pools["data"].as_array().expect("pools").iter().find(|pool| pool["pool"] == "public").expect("the pool").clone();
        assert_eq!((&pool["held"], &pool["cap"]), (&json!(cap), &json!(cap)));
        assert_eq!(world.claim_one(who, &leads[0]).await.as_deref(), Some("pool_cap"), "{cap}");
        assert_eq!(world.held(who).await, cap);
    }
    // Four on one day, whatever is given back meanwhile; a manager is not counted so.
    for _ in 0..2 {
        let held = get(&world.app, &world.rep, "/api/v1/pools/lead/public/held").await.expect_status(200).json();
        let first = held["data"][0]["record"].as_str().expect("an id").to_owned();
        world.give_back(&world.rep, &first, "Wrong number").await.expect_status(204);
        let free = leads.pop().unwrap_or(first);
        let _ = world.claim_one(&world.rep, &free).await;
    }
    let spare = world.lead(json!({ "name": "spare" })).await;
    let held = get(&world.app, &world.rep, "/api/v1/pools/lead/public/held").await.expect_status(200).json();
    for row in held["data"].as_array().expect("rows") {
        world.give_back(&world.rep, row["record"].as_str().expect("an id"), "No").await.expect_status(204);
    }
    assert_eq!(world.claim_one(&world.rep, &spare).await.as_deref(), Some("pool_day"));
    world.advance_hours(24);
    assert_eq!(world.claim_one(&world.rep, &spare).await, None);
}

#[tokio::test]
async fn what_is_given_back_has_a_reason_and_is_not_claimed_again_at_once() {
    let world = World::new().await;
    let lead = world.lead(json!({ "name": "A" })).await;
    assert_eq!(world.claim_one(&world.rep, &lead).await, None);
    assert_eq!(world.give_back(&world.rep, &lead, " ").await.expect_problem(422, "REC010")["errors"][0]["code"], "pool_why");
    world.give_back(&world.other, &lead, "Mine").await.expect_problem(404, "REC002");
    let path = format!("/api/v1/records/lead/{lead}");
    let refused = send(&world.app, &world.rep, Method::PATCH, &path, &json!({ "owner": null })).await.expect_problem(422, "REC010");
    assert_eq!(refused["errors"][0]["code"], "pool_reason");
    world.give_back(&world.rep, &lead, "Does not answer").await.expect_status(204);
    assert_eq!(world.held(&world.rep).await, 0);
    let told = world.holding(&lead).await;
    assert!(told["now"].is_null());
    assert_eq!((&told["past"][0]["lost"], &told["past"][0]["reason"]), (&json!("returned"), &json!("Does not answer")));
    assert_eq!(world.claim_one(&world.rep, &lead).await.as_deref(), Some("pool_cool_down"));
    world.advance_hours(5 * 24 - 1);
    assert_eq!(world.claim_one(&world.rep, &lead).await.as_deref(), Some("pool_cool_down"));
    world.advance_hours(1);
    assert_eq!(world.claim_one(&world.rep, &lead).await, None);
    // A manager takes it back, and that is in the audit.
    world.give_back(&world.chief, &lead, "Elsewhere").await.expect_status(204);
    assert_eq!(world.holding(&lead).await["past"][0]["lost"], "taken_back");
    world.give_back(&world.chief, &lead, "Again").await.expect_problem(422, "REC010");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_who_claim_one_at_once_one_gets_it_and_no_cap_is_passed() {
    let world = std::sync::Arc::new(World::new().await);
    let beside = [world.app.beside().await, world.app.beside().await];
    let mut people = Vec::new();
    for number in 0..6 {
        people.push(person(&world.app, &format!("rep{number}"), &["rep"], json!({})).await);
    }
    let mut leads = Vec::new();
    for number in 0..8 {
        leads.push(world.lead(json!({ "name": format!("L{number}") })).await);
    }
    let mut asked = tokio::task::JoinSet::new();
    for (position, lead) in leads.iter().enumerate() {
        for (number, who) in people.iter().enumerate() {
            let at = beside[(number + position) % 2].as_ref().filter(|_| number % 3 != 0).unwrap_or(&world.app);
            let (router, token, lead) = (at.router.clone(), who.token.clone(), lead.clone());
            let request = axum::http::Request::builder()
                .method(Method::POST)
                .uri("/api/v1/pools/lead/public/claim")
                .header("host", "localhost:8080")
                .header("authorization", format!("Bearer {token}"))
                .header("content-type", "application/json")
                .body(axum::body::Body::from(json!({ "records": [lead] }).to_string()))
                .expect("a request");
            asked.spawn(async move { (number, crate::support::TestApp::send_to(&router, request).await.expect_status(200).json()) });
        }
    }
    let mut won = vec![0_i64; people.len()];
    let mut winners = std::collections::BTreeMap::new();
    while let Some(done) = asked.join_next().await {
        let (number, answer) = done.expect("a claim ends");
        if answer["data"][0]["claimed"] == true {
            won[number] += 1;
            *winners.entry(answer["data"][0]["record"].to_string()).or_insert(0) += 1;
        }
    }
    assert!(winners.values().all(|count| *count == 1), "{winners:?}");
    assert_eq!(winners.len(), leads.len(), "six people may hold twelve");
    for (who, won) in people.iter().zip(&won) {
        assert!(*won <= 2, "the cap is two");
        assert_eq!(world.held(who).await, *won);
    }
}
