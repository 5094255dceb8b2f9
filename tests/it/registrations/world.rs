//! A shop whose partners register projects and see only their own.

use axum::http::Method;
use serde_json::{Value, json};

use crate::access::world::{Person, get, person, send};
use crate::support::{Answer, TestApp};

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
id: shop.project
title: "{name}"
fields:
  name: {type: text, required: true}
  customer: {type: text}
  note: {type: text}
  kind: {type: select, options: [open, closed], default: open}
duplicates:
  - {id: same, match: [{field: customer, by: company}]}
registrations:
  - id: project
    label: {en: Project, zh-CN: 项目, zh-TW: 專案}
    when: "kind = 'open'"
    roles: [partner]
    arbiters: [judge]
    rules: [same]
    protect: 90d
    warn: 7d
    extend: {by: 30d, most: 2}
  - {id: strict, label: {en: Strict, zh-CN: 严格, zh-TW: 嚴格}, rules: same, protect: 10d, conflict: refuse, expose: true}
  - {id: looked, label: {en: Looked at, zh-CN: 审核, zh-TW: 審核}, rules: same, protect: 10d, review: true, arbiters: [judge]}
---
kind: role
id: partner
permissions:
  core.user: read
  project: {rows: "owner = me()", create: true, update: "owner = me()", delete: "owner = me()"}
---
kind: role
id: judge
permissions: {"*": all}
"#,
    ),
];

pub struct World {
    pub app: TestApp,
    pub one: Person,
    pub two: Person,
    pub judge: Person,
}

impl World {
    pub async fn new() -> Self {
        let app = TestApp::with_files(&SHOP).await;
        let one = person(&app, "one", &["partner"], json!({})).await;
        let two = person(&app, "two", &["partner"], json!({})).await;
        let judge = person(&app, "judge", &["judge"], json!({})).await;
        Self { app, one, two, judge }
    }

    /// A project of somebody.
    pub async fn project(&self, who: &Person, customer: &str) -> String {
        let values = json!({ "name": "Plant", "customer": customer, "owner": who.id });
        let ask = self.app.request(Method::POST, "/api/v1/records/project").json(&values).header("prefer", "allow-duplicates");
        ask.send().await.expect_status(201).json()["id"].as_str().expect("an id").to_owned()
    }

    pub async fn file(&self, who: &Person, project: &str, registration: &str) -> Answer {
        let path = format!("/api/v1/records/project/{project}/registrations");
        send(&self.app, who, Method::POST, &path, &json!({ "registration": registration, "comment": "Met at the fair" })).await
    }

    pub async fn act(&self, who: &Person, claim: &Value, act: &str, body: Value) -> Answer {
        send(&self.app, who, Method::POST, &format!("/api/v1/registrations/{}/{act}", claim["id"].as_str().expect("an id")), &body).await
    }

    pub async fn claim(&self, who: &Person, claim: &Value) -> Value {
        get(&self.app, who, &format!("/api/v1/registrations/{}", claim["id"].as_str().expect("an id"))).await.expect_status(200).json()
    }
}

/// The code of the first fault of a problem.
pub fn code(answer: &Answer) -> String {
    answer.json()["errors"][0]["code"].as_str().unwrap_or_default().to_owned()
}
