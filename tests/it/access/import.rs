//! Bringing records in: those that may be imported, with the values that may be written, found by what may be read.

use axum::http::Method;
use relata::access::{Actor, authorise_import};
use relata::base::RecordId;
use relata::record::RecordError;
use relata::transfer::{self, Import, Mapping, Report, Table, TableOptions};
use serde_json::json;

use super::world::{Person, SALES, person};
use crate::support::TestApp;

const ROLES: &str = r#"
kind: role
id: bringer
permissions:
  user: read
  account: {rows: "secret = false", create: true, fields: {hide: [secret, credit]}, import: true}
  contact: {rows: "secret = false", create: true, update: true, fields: {hide: [secret]}}
  deal: {create: true, update: "stage = 'new'", import: "stage = 'new'"}
---
kind: role
id: matcher
permissions:
  account: {create: true, update: true, import: true, fields: {hide: [name]}}
"#;

async fn app() -> TestApp {
    let mut files = SALES.to_vec();
    files.push(("definitions/sales/roles/bringer.yaml", ROLES));
    TestApp::with_files(&files).await
}

async fn actor(app: &TestApp, who: &Person) -> Actor {
    let id = RecordId::parse(&who.id).expect("an id").1;
    app.workspace.records.actor_of(id).await.expect("asked").expect("a person")
}

async fn import(app: &TestApp, who: &Person, mapping: &str, csv: &str) -> Result<Report, RecordError> {
    let table = Table::read(csv.as_bytes(), &TableOptions::default()).expect("a table");
    let catalog = app.workspace.catalog.load_full();
    let mapping = Mapping::read(&serde_json::from_str(mapping).expect("JSON"), &catalog, &table.header).expect("a mapping");
    let import = Import {
        table,
        mapping,
        zone: jiff::tz::TimeZone::UTC,
        dry_run: false,
        without_hooks: false,
        reason: None,
        allow_duplicates: false,
    };
    transfer::import(&app.workspace.records, &actor(app, who).await, import, &|_| ()).await
}

fn code(refused: Result<Report, RecordError>) -> &'static str {
    use relata::base::Explain;
    refused.expect_err("refused").code()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_what_may_be_imported_is() {
    let app = app().await;
    let bringer = person(&app, "bringer", &["bringer"], json!({})).await;
    let deals = r#"{"into": "sales.deal", "columns": {"Name": "name", "Stage": "stage", "Margin": "margin"}}"#;
    // To make records one by one is not to bring them in.
    let rep = person(&app, "rep", &["rep"], json!({})).await;
    let plain = r#"{"into": "sales.deal", "columns": {"Name": "name"}}"#;
    assert_eq!(code(import(&app, &rep, plain, "Name\nA\n").await), "ACL005");
    let nobody = person(&app, "nobody", &[], json!({})).await;
    assert_eq!(code(import(&app, &nobody, plain, "Name\nA\n").await), "REC001");
    let contacts = r#"{"into": "sales.contact", "columns": {"Name": "name"}}"#;
    assert_eq!(code(import(&app, &bringer, contacts, "Name\nA\n").await), "ACL005");
    // A condition is about each record as the file left it.
    let report = import(&app, &bringer, deals, "Name,Stage,Margin\nA,new,1.00\nB,won,2.00\nC,new,3.00\n").await.expect("an import");
    assert_eq!((report.created, report.failed.len(), report.failed[0].line), (2, 1, 3), "{report:?}");
    assert!(report.failed[0].reason.contains("import"), "{report:?}");
    let names = app.get("/api/v1/records/deal?select=name&sort=name").await.json()["data"].clone();
    assert_eq!(names, json!([{"name": "A"}, {"name": "C"}]));
    // Everybody with every right imports as before.
    let user = person(&app, "user", &["user"], json!({})).await;
    assert_eq!(import(&app, &user, deals, "Name,Stage,Margin\nD,won,4.00\n").await.expect("an import").created, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn importing_needs_what_writing_and_finding_need() {
    let app = app().await;
    let bringer = person(&app, "bringer", &["bringer"], json!({})).await;
    app.create_id("account", json!({"name": "Known", "credit": 7})).await;
    app.create_id("account", json!({"name": "Hidden", "secret": true})).await;
    let keep = r#"{"into": "sales.account", "match": ["name"], "existing": "keep", "columns": {"Name": "name", "Credit": "credit"}}"#;
    let report = import(&app, &bringer, keep, "Name,Credit\nKnown,9\nHidden,1\n").await.expect("an import");
    let told = format!("{report:?}");
    assert!(!told.contains("kept: \"7\""), "a kept value that is hidden is not told: {told}");
    assert_eq!((report.created, report.unchanged, report.failed.len()), (0, 1, 1), "{told}");
    // What stands in a file is written only where it may be, and a found record is changed only where that may be.
    let change = r#"{"into": "sales.account", "match": ["name"], "columns": {"Name": "name", "Credit": "credit"}}"#;
    let report = import(&app, &bringer, change, "Name,Credit\nKnown,9\nNew,1\n").await.expect("an import");
    assert_eq!((report.created, report.updated, report.failed.len()), (0, 0, 2), "{report:?}");
    // A linked record that has to be made is brought in too.
    let linked = r#"{"into": "sales.deal", "columns": {"Name": "name", "Stage": "stage"},
        "links": {"account": {"match": ["name"], "existing": "keep", "columns": {"Account": "name"}}}}"#;
    let report = import(&app, &bringer, linked, "Name,Stage,Account\nA,new,Known\nB,new,Made\n").await.expect("an import");
    assert_eq!((report.created, report.linked.get("sales.account")), (2, Some(&1)), "{report:?}");
    // By a field one does not read nothing is found.
    let matcher = person(&app, "matcher", &["matcher"], json!({})).await;
    assert_eq!(code(import(&app, &matcher, keep, "Name,Credit\nKnown,9\n").await), "QRY010");
    let catalog = app.workspace.catalog.load_full();
    let account = catalog.find_entity("account").expect("accounts");
    assert!(authorise_import(&catalog, &actor(&app, &matcher).await, account.ix, &[]).is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_is_imported_over_rest_and_on_a_page_by_those_who_may() {
    let app = app().await;
    let bringer = person(&app, "bringer", &["bringer"], json!({})).await;
    let rep = person(&app, "rep", &["rep"], json!({})).await;
    let post = async |who: &Person, path: &str, kind: &str, body: &str| {
        app.request(Method::POST, path).token(&who.token).header("content-type", kind).text(body).send().await
    };
    let deals = "/api/v1/records/deal/import";
    post(&rep, deals, "text/csv", "name\nA\n").await.expect_problem(403, "ACL005");
    post(&bringer, "/api/v1/records/contact/import", "text/csv", "name\nA\n").await.expect_problem(403, "ACL005");
    for (path, kind, body, status) in [
        (deals, "application/json", "{}", 415),
        (deals, "text/csv", "", 422),
        (deals, "text/csv", "nothing\n1\n", 422),
        (deals, "text/csv", "name,name\n1,2\n", 422),
        ("/api/v1/records/deal/import?existing=drop", "text/csv", "name\nA\n", 400),
        ("/api/v1/records/deal/import?match=amount", "text/csv", "name\nA\n", 422),
        ("/api/v1/records/deal/import?mapping=x", "text/csv", "name\nA\n", 400),
    ] {
        let answer = post(&bringer, path, kind, body).await;
        assert_eq!(answer.status.as_u16(), status, "{path} {body:?}: {}", answer.text());
    }
    let file = "Name,stage,Colour\nOne,new,red\nTwo,won,blue\n,new,\n";
    let rehearsed = app.request(Method::POST, deals).token(&bringer.token).header("content-type", "text/csv").header("prefer", "dry-run");
    let told = rehearsed.text(file).send().await.expect_status(200).json();
    assert_eq!((&told["created"], &told["failed"], &told["dry_run"]), (&json!(1), &json!(2), &json!(true)), "{told:#}");
    assert_eq!(app.get("/api/v1/records/deal").await.json()["data"], json!([]));
    let told = post(&bringer, deals, "text/csv; charset=utf-8", file).await.expect_status(200).json();
    assert_eq!((&told["created"], &told["unused_columns"]), (&json!(1), &json!(["Colour"])), "{told:#}");
    let lines: Vec<u64> = told["failures"].as_array().expect("failures").iter().filter_map(|row| row["line"].as_u64()).collect();
    assert_eq!(lines, [3, 4]);
    // What is hidden is no column, and by it nothing is found.
    let told = post(&bringer, "/api/v1/records/account/import", "text/csv", "name,credit\nA,7\n").await.expect_status(200).json();
    assert_eq!((&told["created"], &told["unused_columns"]), (&json!(1), &json!(["credit"])), "{told:#}");
    let told = post(&bringer, "/api/v1/records/account/import?match=name&existing=keep", "text/csv", "name\nA\n").await.json();
    assert_eq!(told["unchanged"], 1, "{told:#}");
    assert!(app.get("/audit/export?format=json").await.text().contains("records.import"));
    // Offered to those who may, and to nobody else.
    let page = async |who: &Person, path: &str| app.request(Method::GET, path).token(&who.token).send().await;
    let form = "/records/deal/import";
    assert!(page(&bringer, "/records/deal").await.text().replace("&#x2f;", "/").contains(form));
    assert!(!page(&rep, "/records/deal").await.text().replace("&#x2f;", "/").contains(form));
    page(&rep, form).await.expect_status(403);
    page(&bringer, "/records/contact/import").await.expect_status(403);
    assert!(page(&bringer, form).await.expect_status(200).text().contains("multipart/form-data"));
    let describes = async |who: &Person| page(who, "/api/v1/openapi.json").await.json()["paths"].get(deals).is_some();
    assert_eq!((describes(&bringer).await, describes(&rep).await), (true, false));
    let multipart = |act: &str, file: &str| {
        let part = |head: &str, body: &str| format!("--x\r\nContent-Disposition: form-data; {head}\r\n\r\n{body}\r\n");
        let file = part("name=\"file.upload\"; filename=\"a.csv\"", file);
        format!("{file}{}--x--\r\n", part("name=\"do\"", act))
    };
    let kind = "multipart/form-data; boundary=x";
    let refused = post(&bringer, form, kind, &multipart("check", "")).await.expect_status(422).text();
    assert!(refused.contains("Choose a file."), "{refused}");
    let told = post(&bringer, form, kind, &multipart("check", "Name\nThree\n\"\"\n")).await.expect_status(200).text();
    assert!(told.contains("1 would be new") && told.contains("Nothing was kept"), "{told}");
    post(&bringer, form, kind, &multipart("check", "Nothing\n1\n")).await.expect_status(422);
    let told = post(&bringer, form, kind, &multipart("import", "Name\nThree\n")).await.expect_status(200).text();
    assert!(told.contains("1 new"), "{told}");
    assert_eq!(app.get("/api/v1/records/deal?count=exact").await.json()["total"]["value"], 2);
    post(&rep, form, kind, &multipart("import", "Name\nFour\n")).await.expect_status(403);
}
