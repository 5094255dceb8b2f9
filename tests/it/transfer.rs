//! Import: what becomes of each row.

use relata::access::Actor;
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
    let import = Import { table, mapping, zone: jiff::tz::TimeZone::UTC, dry_run: false, without_hooks: false };
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
