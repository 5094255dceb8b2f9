//! Companies and people, of which some are there twice.

use serde_json::{Value, json};

use crate::access::world::{Person, person};
use crate::support::TestApp;

pub const SHOP: [(&str, &str); 2] = [
    ("relata.yaml", "name: Shop\ncurrency: CNY\nlocale: en\ntime_zone: Asia/Shanghai\n"),
    (
        "definitions/shop/package.yaml",
        r#"
kind: package
id: shop
version: 1.0.0
---
kind: entity
id: shop.firm
title: "{name}"
fields:
  name: {type: text, required: true, search: true}
  code: {type: text, unique: true}
  phone: {type: phone}
  email: {type: email}
  site: {type: url}
  city: {type: text}
  kind: {type: select, options: [plain, other]}
  people: {type: children, of: shop.human, by: firm}
duplicates:
  - {id: same_phone, match: [{field: phone}], label: {en: Same phone, zh-CN: 电话相同, zh-TW: 電話相同}}
  - {id: same_firm, match: [{field: name, by: company}, {field: city}], then: refuse, message: {en: This firm is ours already, zh-CN: 该公司已存在, zh-TW: 該公司已存在}}
  - {id: same_mail, match: [{field: email}], then: refuse, among: all}
  - {id: near_name, match: [{field: name, by: fuzzy, edits: 2}, {field: kind, by: exact}]}
---
kind: entity
id: shop.human
title: "{name}"
features: {owner: false}
fields:
  name: {type: person_name, class: personal, required: true}
  firm: {type: link, to: shop.firm, on_delete: set_null}
duplicates:
  - {id: said_so, match: [{field: name, by: pinyin}]}
---
kind: entity
id: shop.plain
title: "{name}"
features: {owner: false}
fields:
  name: {type: text}
scripts:
  - {id: spread, trigger: after_write, source: "fn run(rec, old, ctx) { create(\"firm\", #{name: rec.name, phone: \"010-1234567\"}); }"}
---
kind: role
id: clerk
permissions:
  core.user: read
  firm: {rows: "owner = me()", read: true, create: true, update: true}
  human: all
---
kind: role
id: blind
permissions:
  core.user: read
  firm: {read: true, create: true, update: true, import: true, fields: {hide: [phone]}}
"#,
    ),
];

pub struct World {
    pub app: TestApp,
    pub clerk: Person,
    pub blind: Person,
}

impl World {
    pub async fn new() -> Self {
        let app = TestApp::with_files(&SHOP).await;
        let clerk = person(&app, "clerk", &["clerk"], json!({})).await;
        let blind = person(&app, "blind", &["blind"], json!({})).await;
        Self { app, clerk, blind }
    }

    pub async fn firm(&self, values: Value) -> String {
        self.app.create_id("firm", values).await
    }
}

/// Rules of a refusal with the ids they name.
pub fn told(problem: &Value) -> Vec<(String, Vec<String>)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let found = problem["duplicates"].as_array().expect("duplicates");
    found
        .iter()
        .map(|one| (text(&one["rule"]), one["records"].as_array().expect("records").iter().map(|record| text(&record["id"])).collect()))
        .collect()
}
