//! What counts as the same, and what somebody is told of it.

use axum::http::Method;
use relata::record::{RecordTx, Source, WriteOptions};
use serde_json::{Value, json};

use super::world::{World, told};
use crate::access::world::send;

const FIRMS: &str = "/api/v1/records/firm";
const HUMANS: &str = "/api/v1/records/human";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_likeness_finds_what_it_says_and_nothing_else() {
    let world = World::new().await;
    // What is there, what comes, and the rules that find it.
    let cases: [(&str, Value, Value, &[&str]); 14] = [
        ("firm", json!({"phone": "+86 138 0013 8000"}), json!({"phone": "13800138000"}), &["same_phone"]),
        ("firm", json!({"phone": "010-1234567"}), json!({"phone": "010-1234568"}), &[]),
        ("firm", json!({"email": "ada@example.com"}), json!({"email": "ADA@Example.COM"}), &["same_mail"]),
        ("firm", json!({"name": "Acme Co., Ltd.", "city": "Basel"}), json!({"name": "ＡＣＭＥ", "city": "basel"}), &["same_firm"]),
        ("firm", json!({"name": "华为技术有限公司", "city": "深圳"}), json!({"name": "华为技术", "city": "深圳"}), &["same_firm"]),
        // All conditions must hold, and what is empty is like nothing.
        ("firm", json!({"name": "Umbra Inc", "city": "Rome"}), json!({"name": "Umbra", "city": "Bern"}), &[]),
        ("firm", json!({"name": "Nubes Inc"}), json!({"name": "Nubes"}), &[]),
        (
            "firm",
            json!({"name": "Meridian Trading", "kind": "plain"}),
            json!({"name": "Meridien Tradinng", "kind": "plain"}),
            &["near_name"],
        ),
        ("firm", json!({"name": "Septentrio", "kind": "plain"}), json!({"name": "Septentrios", "kind": "other"}), &[]),
        ("firm", json!({"name": "Occident", "kind": "plain"}), json!({"name": "Oxidant", "kind": "plain"}), &[]),
        ("firm", json!({"name": "Ox", "kind": "plain"}), json!({"name": "Ax", "kind": "plain"}), &[]),
        ("human", json!({"name": "张伟"}), json!({"name": {"given": "Wei", "family": "Zhang"}}), &["said_so"]),
        ("human", json!({"name": {"given": "Xiongxin", "family": "Shan"}}), json!({"name": "单雄信"}), &["said_so"]),
        ("human", json!({"name": "李娜"}), json!({"name": "Li Wei"}), &[]),
    ];
    for (number, (entity, there, comes, rules)) in cases.into_iter().enumerate() {
        let named = |mut values: Value, suffix: &str| {
            if values["name"].is_null() {
                values["name"] = format!("Firm {number} {suffix} {}", "abcdefghijklmnop".repeat(number + 1)).into();
            }
            values
        };
        let id = world.app.create_id(entity, named(there.clone(), "first")).await;
        let path = format!("/api/v1/records/{entity}");
        let comes = named(comes, "then");
        let looked = world.app.post(&format!("{path}/duplicates"), comes.clone()).await.expect_status(200).json();
        let wanted: Vec<(String, Vec<String>)> = rules.iter().map(|rule| ((*rule).to_owned(), vec![id.clone()])).collect();
        assert_eq!(told(&looked), wanted, "{there} {comes}: {looked:#}");
        let answer = world.app.post(&path, comes.clone()).await;
        if rules.is_empty() {
            let made = answer.expect_status(201).json();
            world.app.delete(&format!("{path}/{}", made["id"].as_str().unwrap_or_default())).await.expect_status(204);
        } else {
            let problem = answer.expect_problem(409, "REC014");
            assert_eq!(told(&problem), wanted, "{problem:#}");
            assert_eq!(problem["errors"][0]["code"], if rules == ["same_firm"] { "duplicate_rule" } else { "duplicate" }, "{problem:#}");
        }
        // What is in the recycle bin is no duplicate.
        world.app.delete(&format!("{path}/{id}")).await.expect_status(204);
        world.app.post(&path, comes).await.expect_status(201);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_warning_can_be_passed_over_and_a_refusal_cannot() {
    let world = World::new().await;
    let first = world.firm(json!({"name": "Acme", "city": "Basel", "phone": "010-1234567", "email": "a@example.com"})).await;
    let keep = |body: Value| world.app.request(Method::POST, FIRMS).json(&body).header("prefer", "allow-duplicates");
    let warned = json!({"name": "Other", "phone": "(010) 123 4567"});
    let problem = world.app.post(FIRMS, warned.clone()).await.expect_problem(409, "REC014");
    assert_eq!(problem["may_save_anyway"], true, "{problem:#}");
    assert!(problem["hint"].as_str().is_some_and(|hint| hint.contains("allow-duplicates")), "{problem:#}");
    assert_eq!(problem["duplicates"][0]["records"], json!([{"id": first, "title": "Acme", "likeness": 100}]));
    let other = keep(warned).send().await.expect_status(201).json();
    let refused = json!({"name": "ACME Inc.", "city": "basel", "phone": "010-1234567"});
    let problem = keep(refused.clone()).send().await.expect_problem(409, "REC014");
    assert_eq!(told(&problem), [("same_firm".to_owned(), vec![first.clone()])], "{problem:#}");
    assert_eq!((&problem["may_save_anyway"], &problem["duplicates"][0]["message"]), (&json!(false), &json!("This firm is ours already")));
    // A dry run says the same and keeps nothing.
    let dry = world.app.request(Method::POST, FIRMS).json(&refused).header("prefer", "dry-run").send().await;
    dry.expect_problem(409, "REC014");
    // Saving a record again, or changing something else of one that has a twin, is nobody's duplicate.
    let path = format!("{FIRMS}/{}", other["id"].as_str().unwrap_or_default());
    world.app.patch(&path, json!({"city": "Bern", "phone": "(010) 123 4567"})).await.expect_status(200);
    world.app.patch(&path, json!({"phone": "010 1234567"})).await.expect_problem(409, "REC014");
    world.app.patch(&path, json!({"phone": "020 1234567"})).await.expect_status(200);
    world.app.patch(&path, json!({"email": "A@example.com"})).await.expect_problem(409, "REC014");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_told_of_what_somebody_may_not_read() {
    let world = World::new().await;
    let hidden = world.firm(json!({"name": "Secret Acme Ltd", "city": "Basel", "phone": "010-1234567", "email": "a@example.com"})).await;
    let ask = async |who, body: &Value| send(&world.app, who, Method::POST, FIRMS, body).await;
    // A rule that counts readable records says nothing of others, be it a warning or a refusal.
    ask(&world.clerk, &json!({"name": "One", "phone": "010-1234567"})).await.expect_status(201);
    let own = ask(&world.clerk, &json!({"name": "Secret Acme", "city": "Basel"})).await.expect_status(201).json();
    // One that counts all says that there is one, and no more.
    let refused = ask(&world.clerk, &json!({"name": "Two", "email": "a@example.com"})).await;
    let text = refused.text();
    let problem = refused.expect_problem(409, "REC014");
    assert_eq!((&problem["duplicates"][0]["records"], &problem["duplicates"][0]["has_hidden"]), (&json!([]), &json!(true)));
    assert!(!text.contains(&hidden) && !text.contains("Secret"), "{text}");
    let looked = send(
        &world.app,
        &world.clerk,
        Method::POST,
        &format!("{FIRMS}/duplicates"),
        &json!({"phone": "010-1234567", "email": "a@example.com"}),
    )
    .await;
    let text = looked.text();
    assert!(!text.contains(&hidden) && !text.contains("Secret"), "{text}");
    // Who may not read the telephone is not told that it is the same.
    let looked =
        send(&world.app, &world.blind, Method::POST, &format!("{FIRMS}/duplicates"), &json!({"name": "Secret Acme", "city": "Basel"}))
            .await
            .json();
    assert_eq!(
        told(&looked),
        [("same_firm".to_owned(), vec![hidden.clone(), own["id"].as_str().unwrap_or_default().to_owned()])],
        "{looked:#}"
    );
    let script = send(&world.app, &world.blind, Method::POST, &format!("{FIRMS}/duplicates"), &json!({"phone": "010-1234567"})).await;
    assert!(script.status.is_client_error(), "{}", script.text());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rule_finds_what_was_there_before_it() {
    let world = World::new().await;
    let mut files = relata::deploy::read(&world.app.workspace.folders).expect("the files are readable");
    let old = world.firm(json!({"name": "Acme", "site": "https://www.acme.example/"})).await;
    let gone = world.firm(json!({"name": "Gone", "site": "https://gone.example"})).await;
    world.app.delete(&format!("{FIRMS}/{gone}")).await.expect_status(204);
    world.app.create_id("firm", json!({"name": "Ancient", "site": "http://acme.example"})).await;
    for file in &mut files {
        file.text = file.text.replace("  - {id: same_phone, ", "  - {id: same_site, match: [{field: site}]}\n  - {id: same_phone, ");
    }
    let plan = relata::deploy::plan(&world.app.workspace.store, &files).await.expect("a plan");
    assert!(plan.text().contains("same_site"), "{}", plan.text());
    world.app.workspace.apply(&files, None, &[], 0).await.expect("applied");
    assert!(relata::deploy::plan(&world.app.workspace.store, &files).await.expect("a plan").is_empty());
    let problem = world.app.post(FIRMS, json!({"name": "New", "site": "https://acme.example"})).await.expect_problem(409, "REC014");
    assert_eq!(problem["duplicates"][0]["records"].as_array().map(Vec::len), Some(2), "{problem:#}");
    assert_eq!(problem["duplicates"][0]["records"][0]["id"], old.as_str());
    world.app.post(FIRMS, json!({"name": "New", "site": "https://gone.example"})).await.expect_status(201);
    world.app.post(&format!("{FIRMS}/{gone}/restore"), json!({})).await;
    let twice = world.app.post(FIRMS, json!({"name": "Newer", "site": "https://gone.example"})).await.expect_problem(409, "REC014");
    assert_eq!(twice["duplicates"][0]["records"].as_array().map(Vec::len), Some(2), "{twice:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_was_erased_is_found_no_more() {
    let world = World::new().await;
    let id = world.app.create_id("human", json!({"name": "张伟"})).await;
    world.app.post(HUMANS, json!({"name": "Zhang Wei"})).await.expect_problem(409, "REC014");
    let store = &world.app.workspace.store;
    let count = async || {
        store
            .query(
                &relata::store::Sql::new("SELECT count(*) FROM sys_match")
                    .statement(store.dialect(), &[relata::schema::catalog::ColumnKind::Int]),
            )
            .await
            .expect("a count")
            .one_int()
    };
    assert_eq!(count().await, Some(1));
    let record = relata::base::RecordId::parse(&id).expect("an id").1;
    let entity = world.app.workspace.catalog.load().find_entity("human").expect("humans").ix;
    world.app.workspace.records.erase(&relata::access::Actor::system(), entity, record).await.expect("erased");
    assert_eq!(count().await, Some(0));
    world.app.post(HUMANS, json!({"name": "Zhang Wei"})).await.expect_status(201);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_those_who_save_at_once_one_is_first() {
    let world = World::new().await;
    for round in 0..5 {
        let body = |number: usize| json!({"name": format!("Twin {round} {}", "xyz".repeat(number + 3)), "email": format!("twin{round}@example.com")});
        let bodies: Vec<Value> = (0..4).map(body).collect();
        let (a, b, c, d) = tokio::join!(
            world.app.post(FIRMS, bodies[0].clone()),
            world.app.post(FIRMS, bodies[1].clone()),
            world.app.post(FIRMS, bodies[2].clone()),
            world.app.post(FIRMS, bodies[3].clone())
        );
        let mut statuses: Vec<u16> = [a, b, c, d].iter().map(|answer| answer.status.as_u16()).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 409, 409, 409]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_save_costs_the_same_however_many_records_there_are() {
    let world = World::new().await;
    let cost = async |number: usize| {
        let records = &world.app.workspace.records;
        let catalog = records.catalog();
        let entity = catalog.find_entity("firm").expect("firms").ix;
        let values = json!({"name": format!("Cost {} {number}", "q".repeat(number % 40)), "city": format!("C{number}"), "phone": format!("+86 10 55{number:06}"), "kind": "plain"});
        let input = relata::record::Input::from_json(&catalog, catalog.entity(entity), &values).expect("an input");
        records
            .unit(&relata::access::Actor::system(), Source::Api, Vec::new(), move |tx: &mut RecordTx<'_>| {
                let input = input.clone();
                Box::pin(async move {
                    let before = tx.store().statements();
                    let options = WriteOptions { allow_duplicates: true, ..WriteOptions::default() };
                    tx.create(entity, input, &options).await?;
                    Ok(tx.store().statements() - before)
                })
            })
            .await
            .expect("saved")
    };
    let first = cost(0).await;
    for number in 1..300 {
        cost(number).await;
    }
    assert_eq!(cost(300).await, first);
}
