//! Records that are there instead of new ones, and what is left out.

use serde_json::json;

use super::world::{World, path, record, target, told};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_that_looks_the_same_is_asked_about() {
    let world = World::new().await;
    let there = world.app.create_id("firm", json!({"name": "Engines Ltd", "note": "kept"})).await;
    let lead = world.lead(json!({"kind": "big"})).await;
    let offered = world.app.get(&path(&lead)).await.expect_status(200).json();
    let similar = &offered["data"][0]["targets"][0]["similar"][0];
    assert_eq!((&similar["rule"], &similar["records"][0]["id"]), (&json!("same"), &json!(there)), "{offered:#}");
    assert_eq!(offered["data"][0]["targets"][0]["values"]["name"], "Engines");
    let body = json!({"conversion": "qualify"});
    let problem = world.convert(&lead, body.clone()).await.expect_problem(409, "REC014");
    assert_eq!((&problem["may_save_anyway"], &problem["duplicates"][0]["records"][0]["id"]), (&json!(true), &json!(there)), "{problem:#}");
    // The one that is there: what it has not is filled in.
    let chosen = json!({"conversion": "qualify", "targets": {"firm": {"use": there}}});
    let done = world.convert(&lead, chosen).await.expect_status(200).json();
    assert_eq!((&target(&done, "firm")["made"], &target(&done, "firm")["filled"]), (&json!(false), &json!(["size"])), "{done:#}");
    let firm = world.get("firm", &there).await;
    assert_eq!((&firm["name"], &firm["note"], &firm["size"]), (&json!("Engines Ltd"), &json!("kept"), &json!("big")));
    assert_eq!(world.get("deal", &record(&done, "deal")).await["firm"], there.as_str());
    // Or a new one all the same.
    let second = world.lead(json!({"email": "b@example.com"})).await;
    let done = world.convert_with(&second, body, ("prefer", "allow-duplicates")).await.expect_status(200).json();
    assert_ne!(record(&done, "firm"), there);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_only_one_that_looks_the_same_is_taken_where_the_definition_says_so() {
    let world = World::new().await;
    let ada = world.app.create_id("human", json!({"name": "Ada", "email": "ada@example.com"})).await;
    let lead = world.lead(json!({})).await;
    let done = world.convert(&lead, json!({"conversion": "qualify"})).await.expect_status(200).json();
    assert_eq!((record(&done, "human"), &target(&done, "human")["made"]), (ada.clone(), &json!(false)));
    // Nothing of it is changed where nothing is to be filled in.
    assert_eq!(world.get("human", &ada).await["version"], 1);
    // Of two nobody can say which.
    let keep = world.app.request(axum::http::Method::POST, "/api/v1/records/human").header("prefer", "allow-duplicates");
    keep.json(&json!({"name": "Ada", "email": "ada@example.com"})).send().await.expect_status(201);
    let second = world.lead(json!({"firm_name": "Looms"})).await;
    world.convert(&second, json!({"conversion": "qualify"})).await.expect_problem(409, "REC014");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_optional_is_left_out_and_what_hangs_on_it_goes_elsewhere() {
    let world = World::new().await;
    let lead = world.lead(json!({})).await;
    world.app.create_id("memo", json!({"text": "one", "about": lead})).await;
    let problem = world.convert(&lead, json!({"conversion": "qualify", "targets": {"firm": null}})).await.expect_problem(422, "REC010");
    assert!(told(&problem).contains(&("/targets/firm".to_owned(), "target_required".to_owned())), "{problem:#}");
    let done = world.convert(&lead, json!({"conversion": "qualify", "targets": {"deal": null}})).await.expect_status(200).json();
    assert_eq!(done["targets"].as_array().map(Vec::len), Some(2), "{done:#}");
    let memos = world.app.get("/api/v1/records/memo?select=about").await.json();
    assert_eq!(memos["data"][0]["about"], record(&done, "firm").as_str());
    assert_eq!(world.get("lead", &lead).await["deal"], json!(null));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_read_is_refused_with_its_place() {
    let world = World::new().await;
    let lead = world.lead(json!({})).await;
    let deal = world
        .app
        .create_id("deal", json!({"name": "D", "firm": world.app.create_id("firm", json!({"name": "F"})).await, "amount": "20"}))
        .await;
    let convert = |targets: serde_json::Value| json!({"conversion": "qualify", "targets": targets});
    let bad = [
        (json!([]), ""),
        (json!({"conversion": "nothing"}), "/conversion"),
        (json!({}), "/conversion"),
        (json!({"conversion": 7}), "/conversion"),
        (json!({"conversion": "qualify", "more": 1}), "/more"),
        (convert(json!([])), "/targets"),
        (convert(json!({"nobody": null})), "/targets/nobody"),
        (convert(json!({"firm": "x"})), "/targets/firm"),
        (convert(json!({"firm": {}})), "/targets/firm"),
        (convert(json!({"firm": {"use": "x"}})), "/targets/firm/use"),
        (convert(json!({"firm": {"use": deal}})), "/targets/firm/use"),
        (convert(json!({"firm": {"values": {}, "use": null}})), "/targets/firm"),
        (convert(json!({"firm": {"values": {"nmae": "x"}}})), "/targets/firm/values/nmae"),
        (convert(json!({"deal": {"values": {"amount": "many"}}})), "/targets/deal/values/amount"),
        (convert(json!({"deal": {"use": deal}})), "/targets/deal"),
        (convert(json!({"firm": {"use": "firm_0000000000001"}})), "/targets/firm"),
    ];
    for (body, place) in bad {
        let answer = world.convert(&lead, body.clone()).await;
        assert_eq!(answer.status.as_u16(), 422, "{body} {}", answer.text());
        assert!(told(&answer.json()).iter().any(|(path, _)| path == place), "{body}: {}", answer.text());
    }
    assert_eq!(world.get("lead", &lead).await["version"], 1);
}
