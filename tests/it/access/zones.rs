//! People of one role in different zones.

use serde_json::{Value, json};

use super::world::{Person, get, person};
use crate::support::TestApp;

/// What is kept of a crate counts rows of which some are kept from its readers, so that it is counted anew for them.
const CRATES: &str = r#"
kind: entity
id: box
title: "{name}"
fields:
  name: {type: text, required: true}
---
kind: entity
id: crate
title: "{name}"
features: {owner: false}
fields:
  name: {type: text, required: true}
  boxes: {type: links, to: box, through: stock.placing}
  late: {type: rollup, of: placings, agg: "count(where date(at) >= '2026-06-02')", returns: integer, stored: true}
  here: {type: rollup, of: placings, agg: "count(where date(at) >= '2026-06-02')", returns: integer, stored: false}
---
kind: entity
id: placing
features: {owner: false, soft_delete: false}
fields:
  crate: {type: link, to: crate, on_delete: cascade, required: true, inverse: placings}
  box: {type: link, to: box, on_delete: cascade, required: true}
  at: {type: datetime}
  shade: {type: integer}
---
kind: role
id: reader
permissions:
  "*": all
  placing: {read: "shade < 5"}
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_kept_is_in_the_workspaces_zone_whoever_reads_it_first() {
    let files = [("definitions/stock/package.yaml", "kind: package\nid: stock\n"), ("definitions/stock/all.yaml", CRATES)];
    let app = TestApp::with_files(&files).await;
    let shanghai = person(&app, "shanghai", &["reader"], json!({"time_zone": "Asia/Shanghai"})).await;
    let angeles = person(&app, "angeles", &["reader"], json!({"time_zone": "America/Los_Angeles"})).await;
    let boxed = app.create_id("box", json!({"name": "Box"})).await;
    let id = app.create_id("crate", json!({"name": "Crate"})).await;
    // The second of June in Shanghai, the first one in the workspace (UTC) and in Los Angeles.
    app.create_id("placing", json!({"crate": id, "box": boxed, "at": "2026-06-01T20:00:00Z", "shade": 1})).await;
    let asked = async |who: &Person, path: &str| get(&app, who, &format!("/api/v1/records/{path}")).await.expect_status(200).json();
    for first in [[&shanghai, &angeles], [&angeles, &shanghai]] {
        for (number, who) in first.into_iter().enumerate() {
            // Each order with a text of its own, so that nothing is kept of the other.
            let select = if std::ptr::eq(first[0], &shanghai) { "id,late,here" } else { "late,here,id" };
            let here = i64::from(std::ptr::eq(who, &shanghai));
            let of = |row: &Value| (row["late"].clone(), row["here"].clone());
            let list = asked(who, &format!("crate?select={select}")).await;
            assert_eq!(of(&list["data"][0]), (json!(0), json!(here)), "{select} {number}");
            assert_eq!(of(&asked(who, &format!("crate/{id}?select={select}")).await), (json!(0), json!(here)), "{select} {number}");
            let found = asked(who, &format!("crate?select={select}&filter=late%20%3D%200")).await;
            assert_eq!(found["data"].as_array().map(Vec::len), Some(1), "{select} {number}");
        }
    }
}
