//! Plan and apply: what changes, what stays, what is refused.

use relata::app::AppError;
use relata::deploy::{self, DeployError};
use relata::schema::SourceFile;
use serde_json::json;

use crate::support::TestApp;

const PACKAGE: (&str, &str) = ("definitions/shop/package.yaml", "kind: package\nid: shop\nversion: 1.0.0\n");

fn ticket(fields: &str) -> String {
    format!("kind: entity\nid: shop.ticket\nfields:\n  subject: {{type: text, required: true, search: true}}\n{fields}")
}

fn files(fields: &str) -> Vec<SourceFile> {
    vec![SourceFile::new(PACKAGE.0, PACKAGE.1), SourceFile::new("definitions/shop/ticket.yaml", ticket(fields))]
}

async fn with(fields: &str) -> TestApp {
    TestApp::with_files(&[PACKAGE, ("definitions/shop/ticket.yaml", &ticket(fields))]).await
}

/// Files of the workspace with another text for the ticket.
fn changed(app: &TestApp, fields: &str) -> Vec<SourceFile> {
    let mut all = deploy::read(&app.workspace.folders).expect("the files are readable");
    let own = all.iter_mut().find(|file| file.path == "definitions/shop/ticket.yaml").expect("the ticket");
    own.text = ticket(fields);
    all
}

async fn apply(app: &TestApp, fields: &str, accept: &[String]) -> Result<usize, DeployError> {
    match app.workspace.apply(&changed(app, fields), None, accept, 0).await {
        Ok(applied) => Ok(applied.changes),
        Err(AppError::Deploy(error)) => Err(error),
        Err(other) => panic!("{other}"),
    }
}

async fn plan_text(app: &TestApp, fields: &str) -> String {
    deploy::plan(&app.workspace.store, &changed(app, fields)).await.expect("a plan").text()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unchanged_workspace_has_an_empty_plan() {
    for packages in [&["crm"][..], &["retail"], &["crm", "service"]] {
        let app = TestApp::packages(packages, &[]).await.expect("opens");
        let all = deploy::read(&app.workspace.folders).expect("the files are readable");
        let plan = deploy::plan(&app.workspace.store, &all).await.expect("a plan");
        assert!(plan.is_empty(), "{}", plan.text());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_field_is_served_as_soon_as_apply_returns() {
    let app = with("").await;
    let before = app.post("/api/v1/records/ticket", json!({"subject": "old", "channel": "x"})).await;
    assert_eq!(before.status.as_u16(), 422);
    assert_eq!(apply(&app, "  channel: {type: text}\n", &[]).await.expect("it applies"), 1);
    let made = app.post("/api/v1/records/ticket", json!({"subject": "new", "channel": "phone"})).await.expect_status(201).json();
    assert_eq!(made["channel"], "phone");
    let document = app.get("/api/v1/openapi.json").await.expect_status(200).json();
    assert!(document.to_string().contains("\"channel\""));
    assert!(plan_text(&app, "  channel: {type: text}\n").await.starts_with("No changes"));
}

/// No other process to ask on SQLite.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_process_applied_is_known_to_the_next_request_of_another() {
    let app = with("").await;
    let Some(other) = app.beside().await else { return };
    let path = "/api/v1/records/ticket";
    let mut all = String::new();
    for (round, name) in ["a", "b", "c", "d", "e"].iter().enumerate() {
        all.push_str(&format!("  {name}: {{type: text, unique: true}}\n"));
        apply(&app, &all, &[]).await.expect("it applies");
        let values = json!({"subject": "s", *name: "x"});
        match round {
            0 => other.post(path, values).await.expect_status(201),
            1 => other.get(&format!("{path}?filter={name}='x'")).await.expect_status(200),
            2 => other.put(&format!("{path}/by/{name}/x"), json!({"subject": "s"})).await.expect_status(201),
            3 => other.post(&format!("{path}/query"), json!({"select": ["id", name]})).await.expect_status(200),
            _ => other
                .patch(path, json!({"filter": format!("{name} is null"), "set": {*name: "x"}, "max_affected": 5}))
                .await
                .expect_status(200),
        };
    }
    other.post(path, json!({"subject": "s", "nothing": "x"})).await.expect_status(422);
    other.get("/api/v1/records/tickets").await.expect_status(404);
    let mut files = changed(&app, &all);
    files.push(SourceFile::new("definitions/shop/memo.yaml", "kind: entity\nid: shop.memo\nfields:\n  text: {type: text}\n"));
    app.workspace.apply(&files, None, &[], 0).await.expect("it applies");
    other.get("/api/v1/records/memo").await.expect_status(200);
    other.workspace.store.close().await.expect("closes");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rename_keeps_every_value_and_its_column() {
    let app = with("  effort: {type: decimal, scale: 2}\n").await;
    let made = app.post("/api/v1/records/ticket", json!({"subject": "kept", "effort": "2.50"})).await.expect_status(201).json();
    apply(&app, "  hours: {was: effort, type: decimal, scale: 2}\n", &[]).await.expect("it applies");
    let path = format!("/api/v1/records/ticket/{}", made["id"].as_str().expect("an id"));
    let read = app.get(&path).await.expect_status(200).json();
    assert_eq!(read["hours"], "2.50");
    assert!(plan_text(&app, "  hours: {was: effort, type: decimal, scale: 2}\n").await.starts_with("No changes"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_field_that_goes_needs_a_word_and_comes_back_with_its_values() {
    let fields = "  effort: {type: decimal, scale: 2}\n";
    let app = with(fields).await;
    let made = app.post("/api/v1/records/ticket", json!({"subject": "kept", "effort": "2.50"})).await.expect_status(201).json();
    let refused = apply(&app, "", &[]).await.expect_err("it needs a word");
    let DeployError::Unconfirmed(needed) = refused else { panic!("{refused}") };
    assert_eq!(needed.len(), 1);
    assert!(plan_text(&app, "").await.contains("1 value hidden, kept in the table"));
    apply(&app, "", &needed).await.expect("it applies");
    let path = format!("/api/v1/records/ticket/{}", made["id"].as_str().expect("an id"));
    assert!(app.get(&path).await.expect_status(200).json().get("effort").is_none());
    apply(&app, fields, &[]).await.expect("it applies");
    assert_eq!(app.get(&path).await.expect_status(200).json()["effort"], "2.50");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_unique_that_the_data_breaks_is_blocked_with_counts() {
    let app = with("  code: {type: text}\n").await;
    for code in ["A", "a", "B"] {
        app.post("/api/v1/records/ticket", json!({"subject": "s", "code": code})).await.expect_status(201);
    }
    let refused = apply(&app, "  code: {type: text, unique: true}\n", &[]).await.expect_err("two records share a code");
    let DeployError::Blocked(steps) = refused else { panic!("{refused}") };
    assert!(steps[0].contains("1 groups with 2 records"), "{steps:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_made_before_another_apply_is_stale() {
    let app = with("").await;
    let plan = deploy::plan(&app.workspace.store, &changed(&app, "  late: {type: text}\n")).await.expect("a plan");
    apply(&app, "  early: {type: text}\n", &[]).await.expect("it applies");
    let refused = deploy::apply(&app.workspace.store, plan, &[], 0).await.expect_err("the plan is stale");
    assert!(matches!(refused, DeployError::StalePlan { .. }), "{refused}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stored_formula_is_computed_for_the_records_that_are_there() {
    let app = with("  a: {type: integer}\n").await;
    let made = app.post("/api/v1/records/ticket", json!({"subject": "s", "a": 21})).await.expect_status(201).json();
    apply(&app, "  a: {type: integer}\n  twice: {type: formula, returns: integer, expr: \"a * 2\", stored: true}\n", &[])
        .await
        .expect("it applies");
    let path = format!("/api/v1/records/ticket/{}", made["id"].as_str().expect("an id"));
    assert_eq!(app.get(&path).await.expect_status(200).json()["twice"], 42);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn faulty_definitions_change_nothing() {
    let app = with("").await;
    let refused = apply(&app, "  broken: {type: nothing_like_it}\n", &[]).await.expect_err("the type is unknown");
    let DeployError::Faults(faults) = refused else { panic!("{refused}") };
    assert_eq!((faults[0].file.as_str(), faults[0].line), ("definitions/shop/ticket.yaml", 5));
    app.post("/api/v1/records/ticket", json!({"subject": "still served"})).await.expect_status(201);
}

#[test]
fn files_of_a_package_are_checked_without_a_database() {
    let faults =
        deploy::check(&files("  stage: {type: select}\n"), &relata::schema::Bindings::default()).expect_err("a select needs options");
    assert!(faults.iter().all(|fault| fault.line == 5), "{faults:?}");
}

/// Both have a `product`: the site gives one another short name, and each package goes on speaking of its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_packages_with_one_short_name_live_together() {
    const OVERLAY: &str = "{kind: extension, of: retail.product, slug: retail_product}\n";
    let script = "kind: entity\nid: retail.counter\nfields:\n  note: {type: text}\n  product: {type: link, to: product}\n  seen: {type: integer}\n\
                  scripts:\n  - id: look\n    trigger: before_save\n    source: |\n      fn run(rec, old, ctx) {\n        rec.seen = count(\"product\", \"name != ''\");\n      }\n";
    let files = [("definitions/retail/entities/counter.yaml", script)];
    let clash = TestApp::packages(&["crm", "retail"], &files).await.err().expect("refused");
    assert!(clash.contains("DEF204") && clash.contains("of: retail.product, slug: retail_product"), "{clash}");
    let app = TestApp::packages(&["crm", "retail"], &[files[0], ("definitions/site/names.yaml", OVERLAY)]).await.expect("opens");
    let ours = app.create("product", json!({"name": "Service"})).await;
    let theirs = app.create("retail_product", json!({"name": "Bolt", "code": "B-1"})).await;
    assert!(theirs["id"].as_str().expect("an id").starts_with("retail_product_"), "{theirs}");
    app.get(&format!("/api/v1/records/product/{}", theirs["id"].as_str().expect("an id"))).await.expect_status(404);
    let counter = app.create("counter", json!({"note": "x", "product": theirs["id"]})).await;
    assert_eq!(counter["seen"], 1, "a script of retail means its own product");
    app.post("/api/v1/records/counter", json!({"product": ours["id"]})).await.expect_status(422);
    let document = app.get("/api/v1/openapi.json").await.expect_status(200).json();
    for path in ["/api/v1/records/product", "/api/v1/records/retail_product"] {
        assert!(document["paths"].get(path).is_some(), "{path}");
    }
    let all = deploy::read(&app.workspace.folders).expect("the files are readable");
    assert!(deploy::plan(&app.workspace.store, &all).await.expect("a plan").is_empty());
}

/// The people of the engine are `core.user`, whatever it is called in URLs, and whoever else is called `user`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_are_those_of_core_under_any_short_name() {
    let entity =
        "kind: entity\nid: shop.user\nfields:\n  name: {type: text}\n  by: {type: user}\nviews:\n  - {id: mine, filter: \"by = me()\"}\n";
    let app = TestApp::with_files(&[
        PACKAGE,
        ("definitions/shop/user.yaml", entity),
        ("definitions/site/names.yaml", "kind: extension\nof: core.user\nslug: person\n"),
    ])
    .await;
    let me = app.get("/api/v1/records/person").await.expect_status(200).json()["data"][0]["id"].clone();
    app.create("user", json!({"name": "ours", "by": me})).await;
    app.create("user", json!({"name": "nobody's"})).await;
    let mine = app.get("/api/v1/records/user?filter=by=me()&select=name").await.expect_status(200).json();
    assert_eq!(mine["data"], json!([{"name": "ours"}]));
    let patch = app.patch(&format!("/api/v1/records/person/{}", me.as_str().expect("an id")), json!({"active": false})).await;
    assert_eq!(patch.expect_status(422).json()["errors"][0]["code"], "last_administrator");
}

/// Records of packages are made once, whether they have a key or not, and as often as they are written.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_of_a_package_are_loaded_once() {
    const DATA: &str = "kind: seed\nentity: shop.ticket\nrecords:\n  - {key: a, subject: With a key}\n  - {subject: Without}\n  - {subject: Twice}\n  - {subject: Twice}\n\
                        ---\nkind: sample\nentity: shop.ticket\nrecords:\n  - {subject: To try}\n  - {subject: Without}\n";
    let ticket = ticket("");
    let app = TestApp::with_files(&[PACKAGE, ("definitions/shop/ticket.yaml", &ticket), ("definitions/shop/data.yaml", DATA)]).await;
    let subjects = async || {
        let all = app.get("/api/v1/records/ticket?sort=subject&select=subject").await.expect_status(200).json();
        let rows = all["data"].as_array().expect("records").clone();
        rows.iter().map(|row| row["subject"].as_str().expect("a text").to_owned()).collect::<Vec<_>>()
    };
    let seeded = ["Twice", "Twice", "With a key", "Without"];
    assert_eq!(subjects().await, seeded);
    for fields in ["  channel: {type: text}\n", "  channel: {type: text}\n  more: {type: text}\n"] {
        apply(&app, fields, &[]).await.expect("it applies");
        assert_eq!(subjects().await, seeded);
    }
    // Names and order are no values.
    let mut renamed = changed(&app, "");
    for file in &mut renamed {
        match file.path.as_str() {
            "definitions/shop/ticket.yaml" => file.text = "kind: entity\nid: shop.ticket\nfields:\n  subject: {type: text, required: true, search: true}\n  way: {type: text, was: channel, default: phone}\n  more: {type: text}\n".to_owned(),
            "definitions/shop/data.yaml" => file.text = DATA.to_owned() + "---\nkind: seed\nentity: shop.ticket\nrecords: [{subject: Z, way: mail}]\n",
            _ => {}
        }
    }
    app.workspace.apply(&renamed, None, &[], 0).await.expect("it applies");
    for file in &mut renamed {
        file.text = file
            .text
            .replace("way: {type: text, was: channel, default: phone}", "path: {type: text, was: way, default: phone}")
            .replace("{subject: Z, way: mail}", "{path: mail, subject: Z}");
    }
    app.workspace.apply(&renamed, None, &[], 0).await.expect("it applies");
    assert_eq!(subjects().await, ["Twice", "Twice", "With a key", "Without", "Z"]);
    let sets = app.workspace.data_sets().expect("data");
    for (created, known) in [(2, 0), (0, 2)] {
        let actor = relata::access::Actor::system();
        let done =
            relata::transfer::load_data(&app.workspace.records, &actor, &sets, relata::schema::DataKind::Sample).await.expect("loads");
        assert_eq!((done.created, done.known), (created, known));
        assert_eq!(subjects().await, ["To try", "Twice", "Twice", "With a key", "Without", "Without", "Z"]);
    }
}
