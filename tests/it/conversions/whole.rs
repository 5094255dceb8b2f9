//! All of it happens, or nothing.

use axum::http::Method;
use serde_json::{Value, json};

use super::world::{World, path, record, target, told};
use crate::access::world::send;

const QUALIFY: &str = "qualify";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lead_becomes_a_firm_a_person_and_a_deal() {
    let world = World::new().await;
    let address = json!({"city": "London", "country": "GB"});
    let lead = world.lead(json!({"kind": "big", "words": ["a", "b"], "address": address})).await;
    for text in ["one", "two"] {
        world.app.create_id("memo", json!({"text": text, "about": lead})).await;
    }
    let promise = world.app.create_id("promise", json!({"text": "yes", "lead": lead})).await;
    let shares = format!("/api/v1/records/lead/{lead}/shares");
    world.app.post(&shares, json!({"person": world.reader.id, "may": "read"})).await.expect_status(201);
    let done = world.convert(&lead, json!({"conversion": QUALIFY})).await.expect_status(200).json();
    assert_eq!((&done["dry_run"], &done["carried"]), (&json!(false), &json!(3)), "{done:#}");
    let (firm, human, deal) = (record(&done, "firm"), record(&done, "human"), record(&done, "deal"));
    let made = world.get("firm", &firm).await;
    assert_eq!(
        (&made["name"], &made["size"], &made["words"], &made["note"]),
        (&json!("Engines"), &json!("big"), &json!(["a", "b"]), &json!("came in"))
    );
    assert_eq!(made["address"]["city"], "London");
    let made = world.get("human", &human).await;
    assert_eq!((&made["name"]["given"], &made["name"]["family"], &made["firm"]), (&json!("Ada"), &json!("Lovelace"), &json!(firm)));
    let made = world.app.get(&format!("/api/v1/records/deal/{deal}?select=*,people(id)")).await.expect_status(200).json();
    assert_eq!(
        (&made["name"], &made["amount"], &made["firm"], &made["origin"]),
        (&json!("Ada Lovelace deal"), &json!("50.00"), &json!(firm), &json!(lead))
    );
    assert_eq!(made["people"], json!([{ "id": human }]), "{made:#}");
    let now = world.get("lead", &lead).await;
    assert_eq!((&now["state"], &now["why"], &now["firm"], &now["deal"]), (&json!("done"), &json!("converted"), &json!(firm), &json!(deal)));
    assert_eq!(now["version"], done["version"]);
    // What led to it leads to what it became.
    let memos = world.app.get("/api/v1/records/memo?select=about").await.json();
    assert_eq!(memos["data"], json!([{"about": deal}, {"about": deal}]), "{memos:#}");
    let promise = world.get("promise", &promise).await;
    assert_eq!((&promise["lead"], &promise["human"]), (&Value::Null, &json!(human)));
    let shared = world.app.get(&format!("/api/v1/records/deal/{deal}/shares")).await.expect_status(200).json();
    assert!(shared["data"][0].to_string().contains(&world.reader.id), "{shared:#}");
    // Its past says so, and the feed of changes has told all of it.
    let history = world.app.get(&format!("/api/v1/records/lead/{lead}/history")).await.expect_status(200).text();
    assert!(history.contains("\"done\"") && history.contains(&firm), "{history}");
    let changes = world.app.get("/api/v1/changes?limit=200").await.expect_status(200).text();
    for id in [&firm, &human, &deal, &lead] {
        assert!(changes.contains(id.as_str()), "{id}");
    }
    let told = world.app.get(&path(&lead)).await.expect_status(200).json();
    assert_eq!((told["data"].as_array().map(Vec::len), &told["converted"]["conversion"]), (Some(0), &json!(QUALIFY)), "{told:#}");
    assert_eq!(told["converted"]["targets"].as_array().map(Vec::len), Some(3));
    world.convert(&lead, json!({"conversion": "partner"})).await.expect_problem(409, "REC013");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_converted_record_is_changed_only_by_those_who_may() {
    let world = World::new().await;
    let lead = world.lead(json!({})).await;
    let body = json!({"conversion": QUALIFY});
    send(&world.app, &world.rep, Method::POST, &path(&lead), &body).await.expect_status(200);
    let one = format!("/api/v1/records/lead/{lead}");
    let problem =
        send(&world.app, &world.rep, Method::PATCH, &one, &json!({"name": "Other", "words": ["x"]})).await.expect_problem(422, "REC010");
    assert_eq!(told(&problem), [("/name".to_owned(), "converted".to_owned()), ("/words".to_owned(), "converted".to_owned())]);
    let many = json!([{ "id": lead, "set": {"name": "Other"} }]);
    let many = send(&world.app, &world.rep, Method::PATCH, "/api/v1/records/lead", &many).await.expect_status(200).json();
    assert_eq!(many["failed"], 1, "{many:#}");
    send(&world.app, &world.rep, Method::PATCH, &one, &json!({"name": "Ada Lovelace"})).await.expect_status(200);
    send(&world.app, &world.boss, Method::PATCH, &one, &json!({"name": "Other"})).await.expect_status(200);
    // What it became goes on by itself.
    let told = send(&world.app, &world.rep, Method::GET, &path(&lead), &json!({})).await.expect_status(200).json();
    assert_eq!(told["converted"]["may_edit"], false);
    let firm = record(&told["converted"], "firm");
    world.app.delete(&format!("/api/v1/records/firm/{firm}")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_that_is_wrong_is_told_at_once_and_nothing_is_left() {
    let world = World::new().await;
    let lead = world.lead(json!({"email": null, "expected": "5"})).await;
    let before = world.counts().await;
    let problem = world.convert(&lead, json!({"conversion": QUALIFY})).await.expect_problem(422, "REC010");
    let place = |path: &str, code: &str| (path.to_owned(), code.to_owned());
    assert_eq!(told(&problem), [place("/targets/deal/stage", "gate"), place("/targets/human/email", "unreachable")], "{problem:#}");
    // A target that cannot be made hides nothing of the others, and does not make their links faults.
    let nothing = json!({"conversion": QUALIFY, "targets": {"firm": {"values": {"name": ""}}}});
    let problem = world.convert(&lead, nothing).await.expect_problem(422, "REC010");
    let paths: Vec<String> = told(&problem).into_iter().map(|(path, _)| path).collect();
    assert_eq!(paths, ["/targets/deal/stage", "/targets/firm/name", "/targets/human/email"], "{problem:#}");
    assert_eq!(world.counts().await, before);
    assert_eq!(world.get("lead", &lead).await["state"], "open");
    let offered = world.app.get(&path(&lead)).await.expect_status(200).json();
    let faults: Vec<&Value> = offered["data"][0]["faults"].as_array().expect("faults").iter().map(|fault| &fault["path"]).collect();
    assert_eq!(faults.len(), 2, "{offered:#}");
    // The values that were missing are filled in on the way.
    let body =
        json!({"conversion": QUALIFY, "targets": {"human": {"values": {"email": "a@example.com"}}, "deal": {"values": {"amount": "11"}}}});
    let done = world.convert(&lead, body).await.expect_status(200).json();
    assert_eq!(world.get("deal", &record(&done, "deal")).await["amount"], "11.00");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_is_tried_out_repeated_and_held_to_a_version() {
    let world = World::new().await;
    let lead = world.lead(json!({})).await;
    let (before, body) = (world.counts().await, json!({"conversion": QUALIFY}));
    let dry = world.convert_with(&lead, body.clone(), ("prefer", "dry-run")).await.expect_status(200).json();
    assert_eq!((&dry["dry_run"], &target(&dry, "firm")["made"]), (&json!(true), &json!(true)), "{dry:#}");
    assert_eq!(world.counts().await, before);
    world.convert_with(&lead, body.clone(), ("if-match", "\"v9\"")).await.expect_problem(412, "REC020");
    let first = world.convert_with(&lead, body.clone(), ("idempotency-key", "once")).await.expect_status(200).json();
    let again = world.convert_with(&lead, body.clone(), ("idempotency-key", "once")).await.expect_status(200);
    assert_eq!((again.header("idempotent-replayed"), again.json()), ("true", first));
    world.convert_with(&lead, json!({"conversion": "partner"}), ("idempotency-key", "once")).await.expect_problem(422, "REC022");
    world.convert(&lead, body).await.expect_problem(409, "REC013");
    assert_eq!(world.counts().await, before.iter().map(|count| count + 1).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_conversion_that_is_not_offered_is_refused() {
    let world = World::new().await;
    let lost = world.lead(json!({"state": "lost"})).await;
    world.convert(&lost, json!({"conversion": QUALIFY})).await.expect_problem(409, "REC013");
    let offered = world.app.get(&path(&lost)).await.expect_status(200).json();
    assert_eq!(offered["data"], json!([]), "{offered:#}");
    let big = world.lead(json!({"kind": "big"})).await;
    let offered = world.app.get(&path(&big)).await.expect_status(200).json();
    let ids: Vec<&Value> = offered["data"].as_array().expect("offers").iter().map(|offer| &offer["conversion"]).collect();
    assert_eq!(ids, ["qualify", "partner"]);
    let done = world.convert(&big, json!({"conversion": "partner"})).await.expect_status(200).json();
    assert_eq!(world.get("firm", &record(&done, "firm")).await["size"], "big");
    world.app.post("/api/v1/records/lead/lead_0000000000001/convert", json!({"conversion": QUALIFY})).await.expect_problem(404, "REC002");
    world.app.get("/api/v1/records/lead/lead_0000000000001/convert").await.expect_problem(404, "REC002");
    world.app.post(&format!("/api/v1/records/firm/{}/convert", record(&done, "firm")), json!({})).await.expect_problem(422, "WEB422");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_automation_converts_and_its_log_says_into_what() {
    let world = World::new().await;
    // Nobody is asked about the firm that is there.
    world.app.create_id("firm", json!({"name": "At once Ltd"})).await;
    let lead = world.lead(json!({"firm_name": "At once"})).await;
    let poor = world.lead(json!({"firm_name": "At once", "email": null})).await;
    world.app.workspace.runner.run_until_idle().await.expect("jobs run");
    let now = world.get("lead", &lead).await;
    assert_eq!(now["state"], "done", "{now:#}");
    let runs = world.app.get(&format!("/api/v1/runs?record={lead}")).await.expect_status(200).json();
    let run = world.app.get(&format!("/api/v1/runs/{}", runs["data"][0]["id"].as_str().expect("a run"))).await.expect_status(200).text();
    assert!(run.contains(now["deal"].as_str().expect("a deal")), "{run}");
    // What stands in the way is in the log, and nothing was made.
    assert_eq!(world.get("lead", &poor).await["state"], "open");
    assert_eq!(world.counts().await, [2, 1, 1]);
}
