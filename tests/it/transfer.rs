//! Import: what becomes of each row.

use relata::access::Actor;
use relata::schema::catalog::ColumnKind;
use relata::store::{Dialect, Statement};
use relata::transfer::{self, Import, Mapping, Report, Table, TableOptions};
use serde_json::json;

use crate::support::TestApp;

const FILES: [(&str, &str); 1] = [(
    "definitions/shop/package.yaml",
    "kind: package
id: shop
version: 1.0.0
---
kind: entity
id: shop.maker
features: {owner: false}
fields:
  code: {type: text, required: true, unique: true}
  name: {type: text}
---
kind: entity
id: shop.part
features: {owner: false}
fields:
  number: {type: integer, required: true, unique: true}
  name: {type: text, required: true}
  price: {type: decimal, scale: 2, min: 0}
  state: {type: select, options: [{key: ok, label: {en: Fine, zh-CN: 良好}}, {key: bad}]}
  maker: {type: link, to: shop.maker}
",
)];

const MAPPING: &str = r#"{"kind": "import", "into": "shop.part", "match": ["number"],
  "columns": {"No": "number", "Name": "name", "Price": "price", "State": "state"},
  "links": {"maker": {"match": ["code"], "existing": "keep", "columns": {"Maker": "code", "Maker name": "name"}}}}"#;

async fn import(app: &TestApp, csv: &[u8], options: TableOptions) -> Report {
    import_as(app, csv, options, MAPPING).await
}

async fn import_as(app: &TestApp, csv: &[u8], options: TableOptions, mapping: &str) -> Report {
    let table = Table::read(csv, &options).expect("a table");
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
    transfer::import(&app.workspace.records, &Actor::system(), import, &|_| ()).await.expect("the import runs")
}

const CSV: &str = "No,Name,Price,State,Maker,Maker name
1,Bolt,0.10,Fine,ACME,Acme
2,Nut,0.05,良好,ACME,Acme Inc.
3,,1.00,ok,ZZZ,Nobody
4,Gear,-1,ok,NEW,Newcomer
5,Axle,7.5,,,
";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_is_kept_whole_or_not_at_all() {
    let app = TestApp::with_files(&FILES).await;
    let report = import(&app, CSV.as_bytes(), TableOptions::default()).await;
    assert_eq!((report.created, report.failed.len()), (3, 2), "{report:?}");
    assert_eq!(report.failed.iter().map(|row| row.line).collect::<Vec<_>>(), [4, 5]);
    assert!(report.failed[0].reason.contains("name"), "{}", report.failed[0].reason);
    assert!(report.failed[1].reason.contains("price"), "{}", report.failed[1].reason);
    let makers = app.get("/api/v1/records/maker?select=code&sort=code").await.expect_status(200).json();
    assert_eq!(makers["data"], json!([{"code": "ACME"}]), "makers of failed rows are undone with them");
    let csv = String::from_utf8(report.failed_csv(&["No".into(), "Name".into()])).expect("text");
    assert!(csv.starts_with("No,Name,_line,_reason\n"), "{csv}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_with_too_many_cells_fails_alone() {
    let app = TestApp::with_files(&FILES).await;
    let csv = "No,Name,Price\n1,Bolt,0.10\n2,Nut, large,0.05,\n3,Gear\n";
    let report = import_as(
        &app,
        csv.as_bytes(),
        TableOptions::default(),
        r#"{"kind": "import", "into": "shop.part",
        "columns": {"No": "number", "Name": "name", "Price": "price"}}"#,
    )
    .await;
    assert_eq!((report.rows, report.created, report.failed.len()), (3, 2, 1), "{report:?}");
    assert_eq!(report.failed[0].line, 3);
    let csv = String::from_utf8(report.failed_csv(&["No".into(), "Name".into(), "Price".into()])).expect("text");
    let row =
        "2,Nut, large,3,\"5 cells, but the header names 3; left over: `0.05`, ``; put quotes around a cell that contains the separator\"";
    assert_eq!(csv.lines().nth(1), Some(row));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_import_changes_nothing_and_differences_are_told() {
    let app = TestApp::with_files(&FILES).await;
    let first = import(&app, CSV.as_bytes(), TableOptions::default()).await;
    assert_eq!(first.linked.get("shop.maker"), Some(&1));
    assert_eq!(first.differences.len(), 1);
    let told = &first.differences[0];
    assert_eq!((told.key.as_str(), told.field.as_str(), told.kept.as_str(), told.found.as_str()), ("acme", "name", "Acme", "Acme Inc."));
    let second = import(&app, CSV.as_bytes(), TableOptions::default()).await;
    assert_eq!((second.created, second.updated, second.unchanged), (0, 0, 3));
    assert!(second.linked.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn differences_tell_no_value_that_is_kept_from_eyes() {
    let files = [(
        "definitions/shop/package.yaml",
        "kind: package\nid: shop\nversion: 1.0.0\n---\nkind: entity\nid: shop.person\nfields:\n  code: {type: text, unique: true}\n  \
         pin: {type: text, class: secret}\n  email: {type: email, encrypted: true}\n  mood: {type: text, class: sensitive}\n",
    )];
    let app = TestApp::with_files(&files).await;
    let mapping = r#"{"kind": "import", "into": "shop.person", "match": ["code"], "existing": "keep",
      "columns": {"code": "code", "pin": "pin", "email": "email", "mood": "mood"}}"#;
    let line = |word: &str| format!("code,pin,email,mood\nQ1,pin-{word},{word}@example.com,{word}\n");
    import_as(&app, line("quietriver").as_bytes(), TableOptions::default(), mapping).await;
    let report = import_as(&app, line("loudstone").as_bytes(), TableOptions::default(), mapping).await;
    assert_eq!(report.differences.len(), 3, "{report:?}");
    let told = format!("{:?}", report.differences);
    assert!(!told.contains("quietriver") && !told.contains("loudstone"), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn labels_of_any_language_and_other_encodings_are_read() {
    let app = TestApp::with_files(&FILES).await;
    let (bytes, _, _) = encoding_rs::GBK.encode("No;Name;Price;State;Maker;Maker name\n9;螺栓;2;良好;;\n");
    let report = import(&app, &bytes, TableOptions::default()).await;
    assert_eq!(report.created, 1, "{report:?}");
    let part = app.get("/api/v1/records/part?select=name,state,price").await.expect_status(200).json();
    assert_eq!(part["data"], json!([{"name": "螺栓", "state": "ok", "price": "2.00"}]));
}

#[test]
fn a_file_that_is_no_table_is_refused_with_its_line() {
    let fault = Table::read(b"a,b\n1,2\n\"1,2\n", &TableOptions::default()).expect_err("a quote that stays open");
    assert!(fault.to_string().starts_with("line 3:"), "{fault}");
}

const WITHOUT_MATCH: &str = r#"{"kind": "import", "into": "shop.part", "columns": {"No": "number", "Name": "name", "Price": "price"}}"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_value_that_is_taken_fails_its_row_alone() {
    let app = TestApp::with_files(&FILES).await;
    import_as(&app, b"No,Name,Price\n2,Nut,0.05\n", TableOptions::default(), WITHOUT_MATCH).await;
    let csv = "No,Name,Price\n1,Bolt,0.10\n2,Other nut,0.06\n3,Gear,1\n3,Gear again,1\n4,Axle,2\n";
    let report = import_as(&app, csv.as_bytes(), TableOptions::default(), WITHOUT_MATCH).await;
    assert_eq!((report.created, report.failed.len()), (3, 2), "{report:?}");
    assert_eq!(report.failed.iter().map(|row| row.line).collect::<Vec<_>>(), [3, 5]);
    let parts = app.get("/api/v1/records/part?select=number,name&sort=number").await.expect_status(200).json();
    let names: Vec<&str> = parts["data"].as_array().expect("a list").iter().filter_map(|part| part["name"].as_str()).collect();
    assert_eq!(names, ["Bolt", "Nut", "Gear", "Axle"]);
}

/// How many parts PostgreSQL plans for; SQLite does not count.
async fn known_rows(app: &TestApp) -> i64 {
    let store = app.workspace.store.clone();
    if store.dialect() == Dialect::Sqlite {
        return i64::MAX;
    }
    let sql = "SELECT CAST(reltuples AS bigint) FROM pg_class WHERE oid = CAST('e_part' AS regclass)";
    let asked = Statement { sql: sql.into(), binds: Vec::new(), columns: [ColumnKind::Int].into() };
    store.query(&asked).await.expect("an answer").one_int().expect("a number")
}

/// More rows than are prepared or written together.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_file_is_written_like_a_short_one() {
    let app = TestApp::with_files(&FILES).await;
    import_as(&app, b"No,Name,Price\n50,Old,1\n1700,Old,1\n", TableOptions::default(), WITHOUT_MATCH).await;
    // Two of them are taken, in different parts of the file.
    let csv: String = (1..=2_600).map(|number| format!("{number},Part {number},1\n")).collect();
    let report = import_as(&app, format!("No,Name,Price\n{csv}").as_bytes(), TableOptions::default(), WITHOUT_MATCH).await;
    assert_eq!(report.failed.iter().map(|row| row.line).collect::<Vec<_>>(), [51, 1_701]);
    assert_eq!(report.created, 2_598);
    assert!(known_rows(&app).await >= 2_598, "the next list is planned for the table as it is");
    // Now some rows make the record they link to, one comes twice far apart, and one changes a record that was there.
    let row = |number: u32| match number {
        2_300 => "3010,Twin,2,ok,,\n".to_owned(),
        number if number % 400 == 0 => format!("{},Part,1,ok,M{number},Maker\n", number + 3_000),
        number => format!("{},Part,1,ok,,\n", if number == 700 { 70 } else { number + 3_000 }),
    };
    let csv: String = (1..=2_600).map(row).collect();
    let csv = format!("No,Name,Price,State,Maker,Maker name\n{csv}");
    let report = import(&app, csv.as_bytes(), TableOptions::default()).await;
    assert_eq!((report.created, report.updated, report.failed.len()), (2_598, 2, 0), "{:?}", report.failed.first());
    assert_eq!(report.linked.values().sum::<u64>(), 6);
    let twin = app.get("/api/v1/records/part?select=name,version&filter=number%20%3D%203010").await.expect_status(200).json();
    assert_eq!(twin["data"], json!([{"name": "Twin", "version": 2}]));
    let again = import(&app, csv.as_bytes(), TableOptions::default()).await;
    // The twins change each other's values back and forth.
    assert_eq!((again.created, again.updated, again.unchanged), (0, 2, 2_598));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_rows_with_one_key_the_last_holds() {
    let app = TestApp::with_files(&FILES).await;
    let csv = "No,Name,Price,State,Maker,Maker name\n1,Bolt,1,ok,,\n2,Nut,1,ok,NEW,Newcomer\n1,Big bolt,2,ok,,\n2,Big nut,2,ok,,\n";
    let report = import(&app, csv.as_bytes(), TableOptions::default()).await;
    assert_eq!((report.created, report.updated, report.failed.len()), (2, 2, 0), "{report:?}");
    let parts = app.get("/api/v1/records/part?select=name,price,version&sort=number").await.expect_status(200).json();
    assert_eq!(
        parts["data"],
        json!([{"name": "Big bolt", "price": "2.00", "version": 2}, {"name": "Big nut", "price": "2.00", "version": 2}])
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_record_of_an_import_has_its_own_event_and_history() {
    let app = TestApp::with_files(&FILES).await;
    let mut since = app.get("/api/v1/changes?since=0&limit=1000").await.expect_status(200).json()["next"].as_i64().expect("a position");
    // Two kinds of rows: those with a price and those without.
    let csv: String = (1..=7).map(|number| format!("{number},Part {number},{}\n", if number % 3 == 0 { "" } else { "1" })).collect();
    let report = import_as(&app, format!("No,Name,Price\n{csv}").as_bytes(), TableOptions::default(), WITHOUT_MATCH).await;
    assert_eq!(report.created, 7);
    let (mut ids, mut last) = (std::collections::BTreeSet::new(), since);
    loop {
        let page = app.get(&format!("/api/v1/changes?since={since}&limit=2")).await.expect_status(200).json();
        for event in page["data"].as_array().expect("events") {
            let seq = event["seq"].as_i64().expect("a position");
            assert!(seq > last, "positions grow: {last}, {seq}");
            last = seq;
            assert_eq!((event["kind"].as_str(), event["version"].as_i64()), (Some("create"), Some(1)));
            assert!(ids.insert(event["id"].as_str().expect("an id").to_owned()), "told twice: {event}");
        }
        since = page["next"].as_i64().expect("a position");
        if page["more"] == json!(false) {
            break;
        }
    }
    assert_eq!(ids.len(), 7);
    for id in &ids {
        let history = app.get(&format!("/api/v1/records/part/{id}/history")).await.expect_status(200).json();
        assert_eq!(history["data"].as_array().map(Vec::len), Some(1), "{history}");
        assert_eq!(history["data"][0]["source"], "import");
    }
    // A save after the import goes on behind it.
    app.post("/api/v1/records/part", json!({"number": 99, "name": "Late"})).await.expect_status(201);
    let page = app.get(&format!("/api/v1/changes?since={since}&limit=10")).await.expect_status(200).json();
    assert_eq!(page["data"].as_array().map(Vec::len), Some(1), "{page}");
}
