//! Leads that become firms, people and deals.

use axum::http::Method;
use serde_json::{Value, json};

use crate::access::world::{Person, person};
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
id: shop.lead
title: "{name}"
fields:
  name: {type: text, required: true}
  firm_name: {type: text}
  email: {type: email}
  expected: {type: decimal, scale: 2}
  kind: {type: select, options: [plain, big], default: plain}
  words: {type: tags}
  address: {type: address}
  state: {type: select, options: [open, done, lost], default: open}
  why: {type: text, required_if: "state = 'done'"}
  firm: {type: link, to: shop.firm, on_delete: set_null, readonly_if: "true"}
  deal: {type: link, to: shop.deal, on_delete: set_null, readonly_if: "true"}
conversions:
  - id: qualify
    label: {en: Qualify, zh-CN: 转化, zh-TW: 轉換}
    when: "state = 'open'"
    targets:
      - id: firm
        entity: shop.firm
        existing: ask
        fill: true
        values: {name: "=coalesce(firm_name, name)", size: =kind, words: =words, address: =address, note: came in}
      - id: human
        entity: shop.human
        existing: use
        values: {name: =name, email: =email}
        links: {firm: firm}
      - id: deal
        entity: shop.deal
        existing: never
        optional: true
        values: {name: "=concat(name, ' deal')", amount: =expected}
        links: {firm: firm, people: human, origin: record}
    set: {state: done, why: "=coalesce(why, 'converted')"}
    links: {firm: firm, deal: deal}
    carry:
      - {entity: memo, field: about, to: [deal, firm]}
      - {entity: promise, field: lead, into: human, to: human}
    shares: deal
    edit: [boss]
  - id: partner
    label: {en: Make a partner}
    when: "kind = 'big'"
    targets: [{id: firm, entity: firm, values: {name: =name, size: big}}]
    set: {state: done, why: partner}
---
kind: automation
for: lead
id: at_once
trigger: {event: created}
when: "firm_name = 'At once'"
run_as: [boss]
steps: [{id: turn, do: convert, conversion: qualify}]
---
kind: entity
id: shop.firm
title: "{name}"
fields:
  name: {type: text, required: true}
  size: {type: select, options: [plain, big, huge]}
  words: {type: tags}
  address: {type: address}
  note: {type: text}
duplicates:
  - {id: same, match: [{field: name, by: company}]}
---
kind: entity
id: shop.human
title: "{name}"
fields:
  name: {type: person_name, required: true}
  email: {type: email}
  firm: {type: link, to: shop.firm, on_delete: set_null}
rules:
  - {id: reachable, assert: "email is not null", at: email, code: unreachable, message: {en: Give an address, zh-CN: 请填写邮箱, zh-TW: 請填寫電子郵件}}
duplicates:
  - {id: same_mail, match: [{field: email}]}
---
kind: entity
id: shop.deal
title: "{name}"
fields:
  name: {type: text, required: true}
  firm: {type: link, to: shop.firm, required: true}
  people: {type: links, to: shop.human}
  origin: {type: any_link, to: [shop.lead], on_delete: set_null}
  amount: {type: decimal, scale: 2, required: true}
  stage: {type: select, options: [new, talk], default: new}
  steps: {type: rollup, of: steps_of, agg: "count()", returns: integer, stored: true}
  steps_of: {type: children, of: shop.step, by: deal}
pipelines:
  - id: sales
    field: stage
    stages: [{key: new}, {key: talk}]
    gates:
      - id: worth
        to: [new, talk]
        require: [{expr: "amount > 10", message: {en: Too small a deal, zh-CN: 金额太小, zh-TW: 金額太小}}]
---
kind: entity
id: shop.step
title: "{name}"
features: {owner: false}
fields:
  name: {type: text}
  deal: {type: link, to: shop.deal, on_delete: cascade}
---
kind: entity
id: shop.memo
title: "{text}"
fields:
  text: {type: text}
  about: {type: any_link, to: [shop.lead, shop.firm, shop.deal], on_delete: cascade}
---
kind: entity
id: shop.promise
title: "{text}"
features: {owner: false}
fields:
  text: {type: text}
  lead: {type: link, to: shop.lead, on_delete: cascade}
  human: {type: link, to: shop.human, on_delete: cascade}
---
kind: role
id: boss
permissions: {"*": all}
---
kind: role
id: rep
permissions:
  core.user: read
  lead: {rows: "owner = me()", create: true, update: true, share: true}
  firm: {rows: "owner = me()", create: true, update: true}
  human: {create: true}
  deal: {create: true, update: true}
  memo: {rows: "owner = me()", create: true, update: true}
  promise: read
---
kind: role
id: half
permissions:
  core.user: read
  lead: {read: true, update: true, fields: {hide: [expected]}}
  firm: {create: true}
  human: {create: true}
  deal: read
---
kind: role
id: reader
permissions:
  core.user: read
  lead: read
  firm: {rows: "owner = me()"}
"#,
    ),
];

pub struct World {
    pub app: TestApp,
    pub boss: Person,
    pub rep: Person,
    pub half: Person,
    pub reader: Person,
}

impl World {
    pub async fn new() -> Self {
        let app = TestApp::with_files(&SHOP).await;
        let boss = person(&app, "boss", &["boss"], json!({})).await;
        let rep = person(&app, "rep", &["rep"], json!({})).await;
        let half = person(&app, "half", &["half"], json!({})).await;
        let reader = person(&app, "reader", &["reader"], json!({})).await;
        Self { app, boss, rep, half, reader }
    }

    /// A lead that lacks nothing.
    pub async fn lead(&self, more: Value) -> String {
        let mut values =
            json!({"name": "Ada Lovelace", "firm_name": "Engines", "email": "ada@example.com", "expected": "50", "owner": self.rep.id});
        for (name, value) in more.as_object().expect("values") {
            values[name] = value.clone();
        }
        self.app.create_id("lead", values).await
    }

    pub async fn get(&self, entity: &str, id: &str) -> Value {
        self.app.get(&format!("/api/v1/records/{entity}/{id}")).await.expect_status(200).json()
    }

    pub async fn convert(&self, lead: &str, body: Value) -> Answer {
        self.app.post(&path(lead), body).await
    }

    pub async fn convert_with(&self, lead: &str, body: Value, header: (&str, &str)) -> Answer {
        self.app.request(Method::POST, &path(lead)).header(header.0, header.1).json(&body).send().await
    }

    /// How many records there are of each kind.
    pub async fn counts(&self) -> Vec<usize> {
        let mut counts = Vec::new();
        for entity in ["firm", "human", "deal"] {
            let found = self.app.get(&format!("/api/v1/records/{entity}?select=id&limit=200")).await.expect_status(200).json();
            counts.push(found["data"].as_array().map_or(0, Vec::len));
        }
        counts
    }
}

pub fn path(lead: &str) -> String {
    format!("/api/v1/records/lead/{lead}/convert")
}

/// The record that a target became.
pub fn target<'a>(done: &'a Value, id: &str) -> &'a Value {
    done["targets"].as_array().expect("targets").iter().find(|target| target["target"] == id).unwrap_or(&Value::Null)
}

pub fn record(done: &Value, id: &str) -> String {
    target(done, id)["record"].as_str().unwrap_or_else(|| panic!("no {id}: {done:#}")).to_owned()
}

/// Places and codes of a refusal.
pub fn told(problem: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let found = problem["errors"].as_array().expect("errors");
    let mut told: Vec<(String, String)> = found.iter().map(|one| (text(&one["path"]), text(&one["code"]))).collect();
    told.sort();
    told
}
