//! The REST API: what is refused, then what works.

use axum::http::Method;
use serde_json::{Value, json};

use crate::support::TestApp;

const DEALS: &str = "/api/v1/records/deal";

async fn account(app: &TestApp, name: &str) -> String {
    app.create_id("account", json!({ "name": name })).await
}

// ---- addresses, methods, bodies -------------------------------------------------------------------------------------

/// What is printed to be copied must be a request as HTTP wants it (an unescaped `>` is none) and be answered.
#[tokio::test]
async fn commands_of_the_documents_are_answered() {
    let app = TestApp::crm().await;
    let mut asked = 0;
    for document in [include_str!("../../README.md"), include_str!("../../docs/api.md")] {
        for command in document.lines().filter(|line| line.starts_with("curl ")) {
            let quoted = command.split(' ').find(|word| word.contains("http://localhost")).expect("an address");
            let address = quoted.trim_matches('\'').replace("http://localhost:8080", "");
            let mut given = Vec::new();
            for (option, escaped) in [(" --data-urlencode '", true), (" -d '", false)] {
                for value in command.split(option).skip(1) {
                    let (name, value) = value.split('\'').next().and_then(|text| text.split_once('=')).expect("a parameter");
                    let value = if escaped { url::form_urlencoded::byte_serialize(value.as_bytes()).collect() } else { value.to_owned() };
                    given.push(format!("{name}={value}"));
                }
            }
            let joined = if given.is_empty() { "" } else { "?" };
            let address = format!("{address}{joined}{}", given.join("&"));
            address.parse::<axum::http::Uri>().unwrap_or_else(|error| panic!("{command}: {error}"));
            app.get(&address).await.expect_status(200);
            asked += 1;
        }
    }
    assert_eq!(asked, 2);
}

#[tokio::test]
async fn addresses_that_lead_nowhere_are_problems_with_404() {
    let app = TestApp::crm().await;
    for (path, code) in [
        ("/api/v1/nothing", "WEB404"),
        ("/api/v1/records/deel", "REC001"),
        ("/api/v1/records/deal/deal_0000000000001", "REC002"),
        ("/api/v1/records/deal/account_0000000000001", "REC002"),
        ("/api/v1/records/deal/not-an-id", "REC002"),
        ("/api/v1/records/deal/deal_zzzzzzzzzzzzz", "REC002"),
        ("/api/v1/records/deal/deal_0000000000001/history", "REC002"),
        ("/api/v1/records/deal/%ff", "WEB404"),
        ("/api/v1/schema/deel", "REC001"),
        ("/api/v1/files/file_0000000000001", "WEB404"),
    ] {
        let document = app.get(path).await.expect_problem(404, code);
        assert!(document["request_id"].as_str().is_some_and(|id| !id.is_empty()), "{path}");
    }
    let document = app.get("/api/v1/records/deel").await.json();
    assert_eq!(document["hint"], "did you mean `deal`?");
}

#[tokio::test]
async fn methods_a_path_does_not_answer_are_405_with_the_ones_it_does() {
    let app = TestApp::crm().await;
    for (method, path) in [
        (Method::PUT, "/api/v1/records/deal"),
        (Method::DELETE, "/api/v1/batch"),
        (Method::GET, "/api/v1/definitions/plan"),
        (Method::POST, "/healthz"),
        (Method::TRACE, "/api/v1/records/deal"),
    ] {
        let answer = app.request(method.clone(), path).send().await.expect_status(405);
        assert!(!answer.header("allow").is_empty(), "{method} {path}");
        assert_eq!(answer.json()["code"], "WEB405");
    }
    let answer = app.request(Method::OPTIONS, "/api/v1/records/deal").send().await.expect_status(204);
    assert!(answer.header("allow").contains("GET"), "{}", answer.header("allow"));
    app.request(Method::HEAD, "/api/v1/records/deal").send().await.expect_status(200);
}

#[tokio::test]
async fn null_characters_are_refused_wherever_they_come() {
    let app = TestApp::crm().await;
    app.get("/api/v1/records/deal?filter=name%20%3D%20'a%00'").await.expect_problem(400, "WEB400");
    app.get("/api/v1/records/deal/%00").await.expect_problem(400, "WEB400");
    let document = app.post("/api/v1/records/account", json!({ "name": "a\0b" })).await.expect_problem(422, "WEB422");
    assert_eq!(document["errors"][0]["path"], "/name");
    app.post("/api/v1/records/account", json!({ "na\0me": "b" })).await.expect_problem(422, "WEB422");
}

#[tokio::test]
async fn bodies_that_are_not_json_are_refused_by_kind() {
    let app = TestApp::crm().await;
    let post = |text: &str| app.request(Method::POST, "/api/v1/records/account").header("content-type", "application/json").text(text);
    for text in ["", "{", "[1,]", "nul", "{\"name\": \"\\ud800\"}", "{\"name\": 1, \"name\": 2}", "{\"a\":1}}", &"[".repeat(2000)] {
        post(text).send().await.expect_problem(400, "WEB401");
    }
    app.request(Method::POST, "/api/v1/records/account")
        .header("content-type", "application/json")
        .bytes(b"{\"name\": \"\xff\"}".to_vec())
        .send()
        .await
        .expect_problem(400, "WEB401");
    for text in ["[]", "1", "\"text\"", "null"] {
        post(text).send().await.expect_problem(422, "REC010");
    }
    for media_type in ["text/plain", "application/xml", "application/x-www-form-urlencoded", "application/json; charset=latin1"] {
        let answer = post("{}").header("content-type", media_type).send().await.expect_status(415);
        assert_eq!(answer.json()["code"], "WEB415", "{media_type}");
    }
    let large = format!("{{\"name\": \"{}\"}}", "x".repeat(3 * 1024 * 1024));
    post(&large).send().await.expect_problem(413, "WEB413");
}

#[tokio::test]
async fn numbers_beyond_every_limit_are_values_not_crashes() {
    let app = TestApp::crm().await;
    for digits in ["9223372036854775808", "-9223372036854775809", "1e400", "1e-400", "0.1", "99999999999999999999999999999999999999999999"]
    {
        let body = format!("{{\"name\": \"A\", \"employees\": {digits}}}");
        let answer =
            app.request(Method::POST, "/api/v1/records/account").header("content-type", "application/json").text(body).send().await;
        let document = answer.expect_problem(422, "REC010");
        assert_eq!(document["errors"][0]["path"], "/employees", "{digits}");
    }
}

#[tokio::test]
async fn unknown_parameters_are_named_with_a_suggestion() {
    let app = TestApp::crm().await;
    let document = app.get("/api/v1/records/deal?filtre=1").await.expect_problem(400, "QRY001");
    assert_eq!(document["errors"][0]["path"], "filtre");
    assert!(document["hint"].as_str().is_some_and(|hint| hint.contains("filter")), "{document:#}");
    app.get("/api/v1/changes?sinc=1").await.expect_problem(400, "QRY001");
    app.get("/api/v1/changes?since=1&since=2").await.expect_problem(400, "QRY002");
    app.get("/api/v1/changes?since=-1").await.expect_problem(400, "QRY003");
    app.get("/api/v1/changes?since=99999999999999999999").await.expect_problem(400, "QRY003");
    app.post("/api/v1/records/account?x=1", json!({ "name": "A" })).await.expect_problem(400, "QRY001");
    app.get("/api/v1/records/deal?limit=0").await.expect_problem(400, "QRY003");
    app.get("/api/v1/records/deal?select=nope").await.expect_problem(400, "QRY010");
    app.get("/api/v1/records/deal?cursor=abc").await.expect_problem(400, "QRY030");
}

// ---- one record -----------------------------------------------------------------------------------------------------

#[tokio::test]
async fn a_record_that_is_not_valid_is_refused_with_every_fault() {
    let app = TestApp::crm().await;
    let body = json!({ "name": "x".repeat(101), "stage": "maybe", "amount": "1.234", "nam": 1, "version": 3, "discount": 61 });
    let document = app.post(DEALS, body).await.expect_problem(422, "REC010");
    let paths: Vec<&str> = document["errors"].as_array().expect("faults").iter().filter_map(|fault| fault["path"].as_str()).collect();
    for path in ["/name", "/stage", "/amount", "/nam", "/version", "/discount"] {
        assert!(paths.contains(&path), "{path} in {paths:?}");
    }
    let document = app.post(DEALS, json!({})).await.expect_problem(422, "REC010");
    let codes: Vec<(&str, &str)> = document["errors"]
        .as_array()
        .expect("faults")
        .iter()
        .map(|fault| (fault["path"].as_str().unwrap_or(""), fault["code"].as_str().unwrap_or("")))
        .collect();
    assert!(codes.contains(&("/name", "required")) && codes.contains(&("/account", "required")), "{codes:?}");
}

#[tokio::test]
async fn faults_are_told_in_the_language_asked_for() {
    let app = TestApp::crm().await;
    let ask = |language: &str| app.request(Method::POST, DEALS).json(&json!({ "account": null })).header("accept-language", language);
    let english = ask("en").send().await.json();
    let chinese = ask("zh-CN,zh;q=0.9").send().await.json();
    assert_eq!(english["errors"][0]["code"], chinese["errors"][0]["code"]);
    assert_ne!(english["errors"][0]["message"], chinese["errors"][0]["message"]);
}

#[tokio::test]
async fn a_record_lives_from_create_to_restore() {
    let app = TestApp::crm().await;
    let account = account(&app, "Acme").await;
    let answer = app
        .post(DEALS, json!({ "name": "First", "account": account, "amount": "100.50", "discount": "10", "close_on": "2026-12-01" }))
        .await
        .expect_status(201);
    let deal = answer.json();
    let id = deal["id"].as_str().expect("an id").to_owned();
    assert_eq!(answer.header("location"), format!("{DEALS}/{id}"));
    assert_eq!(answer.header("etag"), "\"v1\"");
    assert_eq!(deal["version"], 1);
    assert_eq!(deal["stage"], "open");
    assert_eq!(deal["amount"], json!({ "amount": "100.50", "currency": "CNY", "base": "100.50" }));
    assert_eq!(deal["discount"], "10.00");
    assert_eq!(deal["net"]["amount"], "90.45");
    assert_eq!(deal["account"], account);
    assert_eq!(deal["created_at"], "2026-11-21T08:00:00Z");

    let path = format!("{DEALS}/{id}");
    let read = app.get(&path).await.expect_status(200);
    assert_eq!(read.json(), deal);
    assert_eq!(read.header("cache-control"), "private, no-cache");

    let changed = app.patch(&path, json!({ "amount": null, "name": "Renamed" })).await.expect_status(200);
    assert_eq!(changed.header("etag"), "\"v2\"");
    assert_eq!(changed.json()["amount"], Value::Null);
    assert_eq!(changed.json()["discount"], "10.00");

    app.delete(&path).await.expect_status(204);
    app.get(&path).await.expect_problem(404, "REC002");
    app.patch(&path, json!({ "name": "x" })).await.expect_problem(404, "REC002");
    app.delete(&path).await.expect_problem(404, "REC002");
    assert_eq!(app.get(&format!("{path}?deleted=all")).await.expect_status(200).json()["name"], "Renamed");
    app.post(&format!("{path}/restore"), json!({})).await.expect_status(200);
    assert_eq!(app.get(&path).await.expect_status(200).json()["name"], "Renamed");
    app.post(&format!("{path}/restore"), json!({})).await.expect_problem(409, "REC013");
}

#[tokio::test]
async fn versions_guard_against_lost_updates() {
    let app = TestApp::crm().await;
    let id = account(&app, "Acme").await;
    let path = format!("/api/v1/records/account/{id}");
    app.patch(&path, json!({ "name": "Second" })).await.expect_status(200);
    let stale = app.request(Method::PATCH, &path).json(&json!({ "name": "Third" })).header("if-match", "\"v1\"").send().await;
    let document = stale.expect_problem(412, "REC020");
    assert_eq!(document["version"], 2);
    assert_eq!(document["changed"], json!(["name"]));
    app.request(Method::PATCH, &path).json(&json!({ "name": "Third" })).header("if-match", "v1").send().await.expect_problem(400, "WEB400");
    app.request(Method::PATCH, &path).json(&json!({ "name": "Third" })).header("if-match", "\"v2\"").send().await.expect_status(200);
    app.request(Method::DELETE, &path).header("if-match", "\"v2\"").send().await.expect_problem(412, "REC020");

    app.request(Method::GET, &path).header("if-none-match", "\"v3\"").send().await.expect_status(304);
    app.request(Method::GET, &path).header("if-none-match", "\"v2\"").send().await.expect_status(200);

    let contract = app.create_id("contract", json!({ "number": "C1", "year": 2026 })).await;
    let path = format!("/api/v1/records/contract/{contract}");
    app.patch(&path, json!({ "year": 2027 })).await.expect_problem(428, "REC021");
    app.delete(&path).await.expect_problem(428, "REC021");
    app.request(Method::PATCH, &path).json(&json!({ "year": 2027 })).header("if-match", "\"v1\"").send().await.expect_status(200);
}

#[tokio::test]
async fn a_save_that_changes_nothing_keeps_the_version() {
    let app = TestApp::crm().await;
    let id = account(&app, "Acme").await;
    let answer = app.patch(&format!("/api/v1/records/account/{id}"), json!({ "name": "Acme" })).await.expect_status(200);
    assert_eq!(answer.header("etag"), "\"v1\"");
}

#[tokio::test]
async fn values_that_must_be_unique_and_records_in_use_are_conflicts() {
    let app = TestApp::crm().await;
    let id = app.create_id("account", json!({ "name": "Acme", "code": "A1" })).await;
    let document = app.post("/api/v1/records/account", json!({ "name": "Other", "code": "a1" })).await.expect_problem(409, "REC011");
    assert_eq!(document["errors"][0]["path"], "/code");
    app.create_id("deal", json!({ "name": "D", "account": id })).await;
    app.delete(&format!("/api/v1/records/account/{id}")).await.expect_problem(409, "REC012");
}

#[tokio::test]
async fn preferences_change_the_answer_and_a_dry_run_changes_nothing() {
    let app = TestApp::crm().await;
    let ask = |prefer: &str| {
        app.request(Method::POST, "/api/v1/records/account").json(&json!({ "name": "Acme", "code": "P1" })).header("prefer", prefer)
    };
    let dry = ask("dry-run").send().await.expect_status(200);
    assert_eq!(dry.header("preference-applied"), "dry-run");
    assert_eq!(dry.json()["created"], true);
    assert_eq!(app.get("/api/v1/records/account").await.json()["data"], json!([]));
    let minimal = ask("return=minimal").send().await.expect_status(204);
    assert_eq!(minimal.header("preference-applied"), "return=minimal");
    assert!(minimal.header("location").starts_with("/api/v1/records/account/"));
    assert!(minimal.bytes.is_empty());
}

#[tokio::test]
async fn the_same_idempotency_key_gives_the_first_answer_again() {
    let app = TestApp::crm().await;
    let ask = |name: &str, key: &str| {
        app.request(Method::POST, "/api/v1/records/account").json(&json!({ "name": name })).header("idempotency-key", key)
    };
    let first = ask("Acme", "key-1").send().await.expect_status(201).json();
    let again = ask("Acme", "key-1").send().await;
    assert_eq!(again.header("idempotent-replayed"), "true", "{}", again.text());
    assert_eq!(again.json()["id"], first["id"]);
    ask("Other", "key-1").send().await.expect_problem(422, "REC022");
    ask("Acme", "key 2").send().await.expect_problem(400, "WEB400");
    assert_eq!(app.get("/api/v1/records/account?count=exact").await.json()["total"]["value"], 1);
}

// ---- many records ---------------------------------------------------------------------------------------------------

#[tokio::test]
async fn a_list_is_filtered_sorted_paged_and_counted() {
    let app = TestApp::crm().await;
    let acme = account(&app, "Acme").await;
    for number in 1..=7 {
        let stage = if number % 2 == 0 { "won" } else { "open" };
        app.create_id("deal", json!({ "name": format!("Deal {number}"), "account": acme, "stage": stage, "amount": number * 10 })).await;
    }
    let page = app
        .get("/api/v1/records/deal?filter=stage%20%3D%20'open'&sort=-amount&limit=2&count=exact&select=id,name")
        .await
        .expect_status(200)
        .json();
    let names: Vec<&str> = page["data"].as_array().expect("rows").iter().filter_map(|row| row["name"].as_str()).collect();
    assert_eq!(names, ["Deal 7", "Deal 5"]);
    assert_eq!(page["total"], json!({ "value": 4, "exact": true }));
    assert_eq!(page["data"][0].as_object().map(|row| row.len()), Some(2));
    let cursor = page["next_cursor"].as_str().expect("a cursor");
    let next = app
        .get(&format!("/api/v1/records/deal?filter=stage%20%3D%20'open'&sort=-amount&limit=2&select=id,name&cursor={cursor}"))
        .await
        .expect_status(200)
        .json();
    let names: Vec<&str> = next["data"].as_array().expect("rows").iter().filter_map(|row| row["name"].as_str()).collect();
    assert_eq!(names, ["Deal 3", "Deal 1"]);
    assert_eq!(next["next_cursor"], Value::Null);
    app.get(&format!("/api/v1/records/deal?sort=amount&cursor={cursor}")).await.expect_problem(400, "QRY031");

    let body = json!({ "filter": "account.name = 'Acme' and amount >= 60", "select": ["name", "account(name)"], "sort": ["name"] });
    let found = app.post("/api/v1/records/deal/query", body).await.expect_status(200).json();
    assert_eq!(found["data"][0], json!({ "name": "Deal 6", "account": { "name": "Acme" } }));
}

#[tokio::test]
async fn aggregates_group_and_measure() {
    let app = TestApp::crm().await;
    let acme = account(&app, "Acme").await;
    for (stage, amount) in [("open", 10), ("won", 20), ("won", 30)] {
        app.create_id("deal", json!({ "name": "D", "account": acme, "stage": stage, "amount": amount })).await;
    }
    let asked = json!({ "group": ["stage"], "measures": { "n": "count()", "total": "sum(amount.base)" }, "sort": "-n" });
    let rows = app.post("/api/v1/records/deal/aggregate", asked).await.expect_status(200).json();
    assert_eq!(rows["data"][0]["stage"], "won");
    assert_eq!(rows["data"][0]["n"], 2);
    assert_eq!(rows["data"][0]["total"], "50.00");
    app.post("/api/v1/records/deal/aggregate", json!({})).await.expect_status(400);
    app.post("/api/v1/records/deal/aggregate", json!({ "measures": { "x": "sum(name)" } })).await.expect_status(400);
}

#[tokio::test]
async fn upsert_creates_once_and_then_changes() {
    let app = TestApp::crm().await;
    let path = "/api/v1/records/account/by/code/A%2F1";
    app.put("/api/v1/records/account/by/nothing/1", json!({})).await.expect_problem(404, "WEB404");
    app.put(path, json!({})).await.expect_problem(422, "REC010");
    let created = app.put(path, json!({ "name": "Acme" })).await.expect_status(201);
    assert_eq!(created.json()["code"], "A/1");
    let changed = app.put(path, json!({ "name": "Acme Ltd" })).await.expect_status(200);
    assert_eq!(changed.json()["id"], created.json()["id"]);
    assert_eq!(changed.header("etag"), "\"v2\"");
    let same = app.put(path, json!({ "name": "Acme Ltd" })).await.expect_status(200);
    assert_eq!(same.header("etag"), "\"v2\"");
    app.put("/api/v1/records/contract/by/number_year/C1", json!({})).await.expect_problem(400, "WEB400");
    app.put("/api/v1/records/contract/by/number_year/C1~2026", json!({})).await.expect_status(201);
    app.put("/api/v1/records/contract/by/number_year/C1~many", json!({})).await.expect_problem(422, "WEB422");
}

#[tokio::test]
async fn many_records_change_each_on_its_own() {
    let app = TestApp::crm().await;
    let (one, two) = (account(&app, "One").await, account(&app, "Two").await);
    let body = json!([{ "id": one, "set": { "employees": 5 } }, { "id": two, "version": 9, "set": { "employees": 6 } }]);
    let result = app.patch("/api/v1/records/account", body).await.expect_status(200).json();
    assert_eq!((&result["changed"], &result["failed"]), (&json!(1), &json!(1)), "{result:#}");
    assert_eq!(result["results"][0]["status"], "saved");
    assert_eq!(result["results"][1]["error"]["code"], "REC020");
    let body = json!({ "filter": "name starts_with 'o'", "set": { "industry": "retail" }, "max_affected": 5 });
    let result = app.patch("/api/v1/records/account", body).await.expect_status(200).json();
    assert_eq!(result["changed"], 1, "{result:#}");
    let document = app
        .patch("/api/v1/records/account", json!([{ "id": one, "set": { "nam": 1 } }, { "set": {} }]))
        .await
        .expect_problem(422, "WEB422");
    let paths: Vec<&str> = document["errors"].as_array().expect("faults").iter().filter_map(|fault| fault["path"].as_str()).collect();
    assert_eq!(paths, ["/0/set/nam", "/1/id"]);
    app.patch("/api/v1/records/account", json!({ "filter": "id is not null", "set": { "employees": 1 }, "max_affected": 1 }))
        .await
        .expect_status(400);
    app.patch("/api/v1/records/account", json!({ "filter": "id is not null", "set": {} })).await.expect_problem(422, "WEB422");
}

#[tokio::test]
async fn a_batch_is_all_or_nothing_unless_it_says_otherwise() {
    let app = TestApp::crm().await;
    let operations = json!([
        { "op": "create", "entity": "account", "values": { "name": "Acme" }, "as": "a" },
        { "op": "create", "entity": "deal", "values": { "name": "D", "account": { "$ref": "a" } } },
    ]);
    let result = app.post("/api/v1/batch", json!({ "operations": operations })).await.expect_status(200).json();
    assert_eq!(result["failed"], 0, "{result:#}");
    let deal = result["results"][1]["id"].as_str().expect("an id");
    let read = app.get(&format!("{DEALS}/{deal}")).await.expect_status(200).json();
    assert_eq!(read["account"], result["results"][0]["id"]);

    let bad = json!([
        { "op": "create", "entity": "account", "values": { "name": "Beta" } },
        { "op": "create", "entity": "account", "values": {} },
    ]);
    app.post("/api/v1/batch", json!({ "operations": bad })).await.expect_problem(422, "REC010");
    assert_eq!(app.get("/api/v1/records/account?count=exact").await.json()["total"]["value"], 1);
    let result = app.post("/api/v1/batch", json!({ "atomic": false, "operations": bad })).await.expect_status(200).json();
    assert_eq!(result["failed"], 1, "{result:#}");
    assert_eq!(app.get("/api/v1/records/account?count=exact").await.json()["total"]["value"], 2);
    app.post("/api/v1/batch", json!({ "operations": 1 })).await.expect_problem(400, "REC050");
}

#[tokio::test]
async fn nested_lines_are_written_and_summed_with_their_record() {
    let app = TestApp::crm().await;
    let acme = account(&app, "Acme").await;
    let lines = json!([{ "product": "A", "total": 5 }, { "product": "B", "total": 7 }]);
    let deal = app.create("deal", json!({ "name": "D", "account": acme, "lines": lines })).await;
    assert_eq!(deal["lines_sum"], 12);
    let id = deal["id"].as_str().expect("an id");
    let read = app.get(&format!("{DEALS}/{id}?select=id,lines(product,quantity;sort=-total)")).await.expect_status(200).json();
    assert_eq!(read["lines"], json!([{ "product": "B", "quantity": 1 }, { "product": "A", "quantity": 1 }]));
    let bad = json!({ "name": "D", "account": acme, "lines": [{ "product": "A" }, { "quantity": 0 }] });
    let document = app.post(DEALS, bad).await.expect_status(422).json();
    let paths: Vec<&str> = document["errors"].as_array().expect("faults").iter().filter_map(|fault| fault["path"].as_str()).collect();
    assert!(paths.contains(&"/lines/1/quantity"), "{paths:?}");
}

#[tokio::test]
async fn history_and_changes_tell_what_happened() {
    let app = TestApp::crm().await;
    let id = account(&app, "Acme").await;
    app.clock.advance_ms(1000);
    app.patch(&format!("/api/v1/records/account/{id}"), json!({ "name": "Acme Ltd" })).await.expect_status(200);
    let history = app.get(&format!("/api/v1/records/account/{id}/history")).await.expect_status(200).json();
    let entries = history["data"].as_array().expect("entries");
    assert_eq!(entries.len(), 2, "{history:#}");
    assert_eq!(entries[0]["kind"], "update");
    assert_eq!(entries[0]["changes"][0]["field"], "name");
    assert_eq!(entries[0]["changes"][0]["old"], "Acme");
    assert_eq!(entries[0]["changes"][0]["new"], "Acme Ltd");
    let feed = app.get("/api/v1/changes?limit=500").await.expect_status(200).json();
    let events: Vec<&Value> = feed["data"].as_array().expect("events").iter().filter(|event| event["id"] == id.as_str()).collect();
    assert_eq!(events.len(), 2, "{feed:#}");
    assert_eq!(events[1]["kind"], "update");
    assert_eq!(events[1]["changed"], json!(["name"]));
    let rest = app.get(&format!("/api/v1/changes?since={}", feed["next"])).await.expect_status(200).json();
    assert_eq!(rest["data"], json!([]));
}

// ---- files, schemas, health -----------------------------------------------------------------------------------------

#[tokio::test]
async fn files_come_back_as_they_went_and_never_as_a_page() {
    let app = TestApp::kitchen().await;
    let send = |name: &str, bytes: &[u8]| {
        app.request(Method::POST, &format!("/api/v1/files?name={name}"))
            .header("content-type", "application/octet-stream")
            .bytes(bytes.to_vec())
    };
    send("a.txt", b"").send().await.expect_problem(422, "WEB422");
    send("a.txt", b"x").header("content-type", "text/html").send().await.expect_problem(415, "WEB415");
    let file = send("page.html", b"<script>alert(1)</script>").send().await.expect_status(201).json();
    assert_eq!(file["name"], "page.html");
    assert_eq!(file["type"], "text/plain");
    let id = file["id"].as_str().expect("an id");
    let read = app.get(&format!("/files/{id}")).await.expect_status(200);
    assert_eq!(read.bytes, b"<script>alert(1)</script>");
    assert!(read.header("content-disposition").starts_with("attachment"));
    assert_eq!(read.header("content-type"), "application/octet-stream");
    assert!(read.header("content-security-policy").contains("sandbox"));
    let tag = read.header("etag").to_owned();
    app.request(Method::GET, &format!("/api/v1/files/{id}")).header("if-none-match", &tag).send().await.expect_status(304);
    app.get(&format!("/files/{id}?preview=64")).await.expect_status(404);
    app.get(&format!("/api/v1/files/{id}?preview=65")).await.expect_problem(400, "QRY003");

    let thing = app.create("thing", json!({ "name": "T", "papers": [id] })).await;
    assert_eq!(thing["papers"][0]["id"], id);
    assert_eq!(thing["papers"][0]["url"], format!("/files/{id}"));

    let form =
        "--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"b.csv\"\r\nContent-Type: text/html\r\n\r\na,b\r\n--B--\r\n";
    let file = app.request(Method::POST, "/api/v1/files").header("content-type", "multipart/form-data; boundary=B").text(form).send().await;
    assert_eq!(file.expect_status(201).json()["type"], "text/csv");
    app.request(Method::POST, "/api/v1/files").header("content-type", "multipart/form-data").text("x").send().await.expect_status(400);
}

#[tokio::test]
async fn the_schema_and_the_openapi_document_describe_every_field() {
    let app = TestApp::kitchen().await;
    let schema = app.get("/api/v1/schema/thing").await.expect_status(200).json();
    assert_eq!(schema["properties"]["count"]["maximum"], 100);
    assert_eq!(schema["properties"]["double"]["readOnly"], true);
    assert_eq!(schema["properties"]["kind"]["x-relata"]["options"][0]["key"], "a");
    let document = app.get("/api/v1/openapi.json").await.expect_status(200).json();
    assert_eq!(document["openapi"], "3.1.0");
    for path in ["/api/v1/records/thing", "/api/v1/records/thing/{id}", "/api/v1/batch", "/healthz"] {
        assert!(document["paths"].get(path).is_some(), "{path}");
    }
    let again = app.get("/api/v1/openapi.json").await.text();
    assert_eq!(again, document.to_string(), "the same text each time");
    let operations = document["paths"].as_object().expect("paths").values().flat_map(|path| path.as_object().expect("a path").values());
    for operation in operations {
        let responses = operation["responses"].as_object().expect("responses");
        assert!(!responses.contains_key("default"), "{}", operation["operationId"]);
        assert!(responses.keys().any(|status| status.starts_with('2')), "{}", operation["operationId"]);
    }
}

#[tokio::test]
async fn answers_fit_the_schemas_the_document_gives() {
    let app = TestApp::kitchen().await;
    let target = app.create_id("target", json!({ "name": "T" })).await;
    let full = json!({
        "name": "全", "story": "long", "page": "<p>x</p>", "mail": "a@example.com", "phone": "+86 10 1234 5678", "site": "https://example.com/",
        "count": 3, "ratio": "1.250", "share": "5", "price": { "amount": "9.90", "currency": "EUR" }, "done": true, "day": "2026-11-21",
        "moment": "2026-11-21T08:00:00+08:00", "hour": "08:30", "length": 90, "color": "#336699", "stars": 4, "kind": "a", "kinds": ["x", "z"],
        "labels": ["new", "hot"], "target": target, "any": target, "keeper": Value::Null, "place": { "city": "上海", "country": "CN" },
        "person": { "given": "伟", "family": "李" }, "spot": { "lat": "31.2", "lon": "121.5" }, "data": { "a": [1, null] },
    });
    let document = app.get("/api/v1/openapi.json").await.json();
    let schema = json!({ "$ref": "#/components/schemas/thing.record", "components": document["components"] });
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let mut values = vec![app.create("thing", full).await, app.create("thing", json!({ "name": "bare" })).await];
    let id = values[0]["id"].as_str().expect("an id").to_owned();
    values.push(app.get(&format!("/api/v1/records/thing/{id}")).await.json());
    for value in &values {
        let faults: Vec<String> = validator.iter_errors(value).map(|fault| format!("{}: {fault}", fault.instance_path())).collect();
        assert!(faults.is_empty(), "{faults:#?}\n{value:#}");
    }
}

#[tokio::test]
async fn health_needs_no_sign_in_and_no_host() {
    let app = TestApp::empty().await;
    let live = app.request(Method::GET, "/healthz").anonymous().header("host", "10.1.2.3").send().await.expect_status(200).json();
    assert_eq!((&live["status"], &live["panics"]), (&json!("ok"), &json!(0)));
    app.request(Method::GET, "/readyz").anonymous().header("host", "probe.internal").send().await.expect_status(200);
}

#[tokio::test]
async fn definitions_are_checked_planned_and_applied_over_the_api() {
    let app = TestApp::crm().await;
    let broken =
        json!({ "files": [{ "path": "definitions/x/entities/x.yaml", "text": "kind: entity\nid: x.x\nfields: {a: {type: txt}}\n" }] });
    let checked = app.post("/api/v1/definitions/check", broken).await.expect_status(200).json();
    assert_eq!(checked["ok"], false, "{checked:#}");
    let plan = app.post("/api/v1/definitions/plan", json!({})).await.expect_status(200).json();
    assert_eq!(plan["changes"], json!([]), "{plan:#}");
    app.post("/api/v1/definitions/apply", json!({ "plan": "p_other" })).await.expect_status(409);
    app.post("/api/v1/definitions/plan", json!({ "files": [{ "path": "../x", "text": "" }] })).await.expect_problem(422, "WEB422");
    app.post("/api/v1/definitions/plan", json!({ "file": 1 })).await.expect_problem(422, "WEB422");
    let versions = app.get("/api/v1/definitions/versions").await.expect_status(200).json();
    assert_eq!(versions["data"].as_array().map(Vec::len), Some(1), "{versions:#}");
}

#[test]
fn the_document_tells_the_limits_the_record_service_has() {
    assert_eq!(relata::contract::MOST_CLAIMED, relata::record::MOST_CLAIMED);
    assert_eq!(relata::contract::MAX_OPERATIONS, relata::record::many::MAX_OPERATIONS);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_feed_tells_when_it_no_longer_goes_back_so_far() {
    let app = TestApp::crm().await;
    let before = app.get("/api/v1/changes").await.expect_status(200).json()["next"].as_i64().expect("a number");
    app.create("account", json!({"name": "Old"})).await;
    app.create("account", json!({"name": "Old too"})).await;
    let seen = app.get(&format!("/api/v1/changes?since={before}")).await.expect_status(200).json();
    let next = seen["next"].as_i64().expect("a number");
    app.clock.advance_ms(31 * 24 * 3_600_000);
    app.create("account", json!({"name": "New"})).await;
    app.workspace.runner.run_until_idle().await.expect("the queue is readable");
    app.clock.advance_ms(3_600_000);
    app.workspace.runner.run_until_idle().await.expect("the queue is readable");
    let gone = app.get(&format!("/api/v1/changes?since={before}")).await.expect_problem(410, "REC070");
    assert_eq!(gone["oldest"], next);
    app.get("/api/v1/changes?since=0").await.expect_problem(410, "REC070");
    for path in [format!("/api/v1/changes?since={next}"), "/api/v1/changes".to_owned()] {
        let kept = app.get(&path).await.expect_status(200).json();
        assert_eq!((kept["data"].as_array().map(Vec::len), &kept["data"][0]["kind"]), (Some(1), &json!("create")), "{kept}");
    }
}
