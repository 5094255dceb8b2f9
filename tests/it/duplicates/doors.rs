//! The same rule at every door.

use axum::http::Method;
use serde_json::{Value, json};

use super::world::{World, told};

const FIRMS: &str = "/api/v1/records/firm";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn batches_upserts_and_changes_of_many_are_held_against_the_rules() {
    let world = World::new().await;
    let first = world.firm(json!({"name": "Acme", "phone": "010-1234567", "code": "a"})).await;
    let second = world.firm(json!({"name": "Beta Beta", "code": "b"})).await;
    let operations = json!([{ "op": "create", "entity": "firm", "values": {"name": "New", "phone": "0101234567"} }]);
    world.app.post("/api/v1/batch", json!({ "operations": operations })).await.expect_problem(409, "REC014");
    // Of two in one batch the second finds the first.
    let twins = json!([
        { "op": "create", "entity": "firm", "values": {"name": "Twin", "phone": "020-7654321"} },
        { "op": "create", "entity": "firm", "values": {"name": "Nwit", "phone": "0207654321"} },
    ]);
    world.app.post("/api/v1/batch", json!({ "operations": twins })).await.expect_problem(409, "REC014");
    let keep = world.app.request(Method::POST, "/api/v1/batch").header("prefer", "allow-duplicates").json(&json!({ "operations": twins }));
    keep.send().await.expect_status(200);
    let by = format!("{FIRMS}/by/code/b");
    world.app.put(&by, json!({"phone": "010 1234567"})).await.expect_problem(409, "REC014");
    world.app.put(&format!("{FIRMS}/by/code/c"), json!({"name": "C", "phone": "010 1234567"})).await.expect_problem(409, "REC014");
    world.app.put(&by, json!({"phone": "030 1234567"})).await.expect_status(200);
    let many = world.app.patch(FIRMS, json!([{ "id": second, "set": {"phone": "0101234567"} }])).await.expect_status(200).json();
    assert_eq!((&many["failed"], &many["results"][0]["error"]["code"]), (&json!(1), &json!("REC014")), "{many:#}");
    assert_eq!(told(&many["results"][0]["error"])[0].1, [first]);
    let below = json!({"name": "Parent", "people": [{"name": "张伟"}]});
    world.app.post(FIRMS, below).await.expect_status(201);
    let again = json!({"name": "Second parent", "people": [{"name": "Zhang Wei"}]});
    let problem = world.app.post(FIRMS, again.clone()).await;
    assert_eq!(problem.status.as_u16() / 100, 4, "{}", problem.text());
    world.app.request(Method::POST, FIRMS).header("prefer", "allow-duplicates").json(&again).send().await.expect_status(201);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_of_an_import_are_told_one_by_one() {
    let world = World::new().await;
    world.firm(json!({"name": "Acme", "phone": "010-1234567", "email": "a@example.com"})).await;
    let file = "name,phone,email\nOther,0101234567,\nThird,020-7654321,\nFourth,0207654321,\nFifth,,A@example.com\n";
    let import = |prefer: &str| {
        world.app.request(Method::POST, &format!("{FIRMS}/import")).header("content-type", "text/csv").header("prefer", prefer).text(file)
    };
    let report = import("dry-run").send().await.expect_status(200).json();
    assert_eq!((&report["created"], &report["failed"]), (&json!(2), &json!(2)), "{report:#}");
    let report = import("return=representation").send().await.expect_status(200).json();
    assert_eq!((&report["created"], &report["failed"]), (&json!(1), &json!(3)), "{report:#}");
    let lines: Vec<&Value> = report["failures"].as_array().expect("failures").iter().map(|row| &row["line"]).collect();
    assert_eq!(lines, [2, 4, 5]);
    assert!(report["failures"][0]["reason"].as_str().is_some_and(|why| why.contains("phone") && why.contains("Acme")), "{report:#}");
    let report = import("allow-duplicates").send().await.expect_status(200).json();
    assert_eq!((&report["created"], &report["failed"]), (&json!(3), &json!(1)), "{report:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_script_is_not_asked_and_held_all_the_same() {
    let world = World::new().await;
    world.firm(json!({"name": "Acme", "phone": "010-1234567"})).await;
    // It saves what is only warned of.
    world.app.post("/api/v1/records/plain", json!({"name": "Spread"})).await.expect_status(201);
    let found = world.app.get(&format!("{FIRMS}?select=name&filter=name%20%3D%20'Spread'")).await.json();
    assert_eq!(found["data"].as_array().map(Vec::len), Some(1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_form_shows_who_is_there_and_saves_anyway() {
    let world = World::new().await;
    let first = world.firm(json!({"name": "Acme", "phone": "010-1234567", "city": "Basel"})).await;
    let form = |body: &str, tongue: &str| {
        let request = world.app.request(Method::POST, "/records/firm").header("content-type", "application/x-www-form-urlencoded");
        request.header("accept-language", tongue).text(body.to_owned())
    };
    let body = "name=Other&phone=0101234567";
    let page = form(body, "en").send().await.expect_status(409).text();
    for wanted in [first.as_str(), "There may be such a record already", "Acme", "100 % alike", "Save anyway", "value=\"0101234567\""] {
        assert!(page.contains(wanted), "{wanted}: {page}");
    }
    let refused = form("name=ACME+Inc&city=Basel", "en").send().await.expect_status(409).text();
    assert!(refused.contains("This firm is ours already") && !refused.contains("Save anyway"), "{refused}");
    let anyway = form(&format!("{body}&_duplicates=keep"), "en").send().await;
    assert_eq!(anyway.status.as_u16(), 303, "{}", anyway.text());
}
