//! A role of one package to which a package above adds, and options that it adds to a field.

use axum::http::Method;
use serde_json::json;

use super::world::{get, person, send};
use crate::support::TestApp;

const SHOP: [(&str, &str); 3] = [
    ("relata.yaml", "name: Shop\ncurrency: CNY\n"),
    (
        "definitions/base/package.yaml",
        r#"
kind: package
id: base
version: 1.0.0
---
kind: entity
id: base.box
title: "{name}"
fields:
  name: {type: text, required: true}
  state: {type: select, options: [open, shut], default: open}
---
kind: entity
id: base.key
title: "{name}"
features: {owner: false}
fields:
  name: {type: text}
---
kind: role
id: clerk
label: {en: Clerk}
permissions:
  base.box: {rows: "owner = me()", create: true, update: true}
  base.key: read
"#,
    ),
    (
        "definitions/above/package.yaml",
        r#"
kind: package
id: above
version: 1.0.0
depends: [base]
---
kind: entity
id: above.tag
title: "{name}"
features: {owner: false}
fields:
  name: {type: text}
---
kind: extension
of: base.box
options:
  state: [{key: sealed, label: {en: Sealed, zh-CN: 已封, zh-TW: 已封}}]
---
kind: role
id: clerk
permissions:
  base.key: {create: true}
  above.tag: read
"#,
    ),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_package_above_says_of_a_role_comes_on_top() {
    let app = TestApp::with_files(&SHOP).await;
    let clerk = person(&app, "clerk", &["clerk"], json!({})).await;
    let make = async |entity: &str| send(&app, &clerk, Method::POST, &format!("/api/v1/records/{entity}"), &json!({"name": "one"})).await;
    // What it does not name stays as the package below says.
    let other = app.create_id("box", json!({"name": "other"})).await;
    get(&app, &clerk, &format!("/api/v1/records/box/{other}")).await.expect_problem(404, "REC002");
    make("box").await.expect_status(201);
    // What it names is as it says, and what it adds is there, but no more than that.
    make("key").await.expect_status(201);
    get(&app, &clerk, "/api/v1/records/tag").await.expect_status(200);
    assert_ne!(make("tag").await.status.as_u16(), 201);
    // The role has its label, and is one.
    let offered = app.get("/api/v1/schema/user").await.expect_status(200).text();
    assert_eq!(offered.matches("Clerk").count(), 1, "{offered}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn options_of_a_package_above_stand_behind_the_others() {
    let app = TestApp::with_files(&SHOP).await;
    let id = app.create_id("box", json!({"name": "one", "state": "sealed"})).await;
    let page = app.get(&format!("/records/box/{id}/edit")).await.expect_status(200).text();
    let at = |key: &str| page.find(&format!("value=\"{key}\"")).unwrap_or_else(|| panic!("no option {key}: {page}"));
    assert!(at("open") < at("shut") && at("shut") < at("sealed"));
}
