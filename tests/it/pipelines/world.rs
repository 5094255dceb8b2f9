//! A shop whose deals go through stages.

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
id: shop.deal
title: "{name}"
fields:
  name: {type: text, required: true}
  code: {type: text, unique: true}
  kind: {type: select, options: [plain, tender, care], default: plain}
  stage: {type: select, options: [new, offer, talk, won, lost, dropped, old], default: new, label: {en: Stage, zh-CN: 阶段, zh-TW: 階段}}
  amount: {type: decimal, scale: 2}
  margin: {type: decimal, scale: 2}
  close_on: {type: date}
  why: {type: select, options: [price, time]}
  account: {type: link, to: shop.account}
  wish: {type: link, to: shop.wish}
  lines: {type: children, of: shop.line, by: deal}
  lines_sum: {type: rollup, of: lines, agg: "sum(price)", returns: decimal, scale: 2, stored: true}
scripts:
  - id: push
    trigger: button
    source: "fn run(rec, old, ctx) { update(rec, ctx.payload); }"
  - id: jump
    trigger: before_save
    source: "fn run(rec, old, ctx) { if rec.name == \"Jump\" { rec.stage = \"talk\"; } }"
buttons:
  - {id: push, script: push}
conversions:
  - id: grow
    targets: [{id: account, entity: shop.account, existing: never, values: {name: =name}}]
    set: {stage: "=coalesce(wish.stage, stage)", amount: "=coalesce(wish.amount, amount)", close_on: "=coalesce(wish.close_on, close_on)", why: =wish.why}
pipelines:
  - id: tender
    when: "kind = 'tender'"
    field: stage
    start: new
    skip: false
    back: false
    stages:
      - {key: new}
      - {key: talk}
      - {key: won, closed: won}
      - {key: lost, closed: lost, reason: why}
  - id: care
    when: "kind = 'care'"
    field: stage
    override: boss
    stages:
      - key: new
        tasks:
          - {id: call, subject: {en: Call them, zh-CN: 致电客户, zh-TW: 致電客戶}, due: "today() + 2", required: true}
          - {id: note, subject: {en: Note it, zh-CN: 记录, zh-TW: 記錄}, assignee: account.owner}
      - key: offer
        tasks:
          - {id: send, subject: {en: Send it, zh-CN: 发送, zh-TW: 傳送}, due: close_on}
          - {id: tell, subject: {en: Tell them, zh-CN: 告知, zh-TW: 告知}}
      - {key: talk}
      - {key: won, closed: won}
      - {key: lost, closed: lost}
    gates:
      - {id: sent, to: [talk, won], require: [{tasks: [send]}]}
      - {id: all, from: offer, to: won, require: [{tasks: all}]}
  - id: sales
    label: {en: Sales, zh-CN: 销售, zh-TW: 銷售}
    field: stage
    amount: amount
    override: [boss]
    stages:
      - {key: new, probability: 10, max_days: 3, guidance: {en: Ask what they need, zh-CN: 询问需求, zh-TW: 詢問需求}, fields: [amount]}
      - {key: offer, probability: 40, max_days: 7}
      - {key: old, retired: true}
      - {key: talk, probability: 70}
      - {key: won, probability: 100, closed: won}
      - {key: lost, probability: 0, closed: lost, reason: why}
      - {key: dropped, probability: 0, closed: dropped}
    moves:
      - {from: "*", to: [new, offer, talk, lost, old]}
      - {from: talk, to: won, roles: [boss]}
      - {from: [new, offer], to: dropped}
    gates:
      - id: offer
        to: [offer, talk, won]
        require:
          - {fields: [close_on]}
          - {expr: "amount > 0", message: {en: Enter an amount, zh-CN: 请填写金额, zh-TW: 請填寫金額}}
      - id: content
        to: [talk, won]
        require:
          - {expr: "exists(lines where price > 0)", message: {en: List what is sold, zh-CN: 请列出产品, zh-TW: 請列出產品}}
      - id: credit
        to: won
        when: "amount > 100"
        require:
          - {expr: "account.credit >= amount", message: {en: The account has no credit for this, zh-CN: 客户额度不足, zh-TW: 客戶額度不足}}
      - id: earning
        to: won
        require:
          - {expr: "margin is null or margin > 5", message: {en: It earns too little, zh-CN: 利润过低, zh-TW: 利潤過低}}
---
kind: entity
id: shop.account
title: "{name}"
fields:
  name: {type: text, required: true}
  credit: {type: decimal, scale: 2}
  deals: {type: children, of: shop.deal, by: account}
---
kind: entity
id: shop.line
title: "{label}"
features: {owner: false}
fields:
  deal: {type: link, to: shop.deal, on_delete: cascade, required: true}
  label: {type: text}
  price: {type: decimal, scale: 2}
---
kind: entity
id: shop.wish
features: {owner: false}
fields:
  deal: {type: link, to: shop.deal, on_delete: cascade, required: true}
  stage: {type: text}
  amount: {type: decimal, scale: 2}
  close_on: {type: date}
  why: {type: text}
---
kind: automation
for: wish
id: fulfil
trigger: {event: created}
steps:
  - do: update
    entity: deal
    match: {id: "=deal"}
    values: {stage: "=stage", amount: "=coalesce(amount, deal.amount)", close_on: "=coalesce(close_on, deal.close_on)", why: "=why"}
---
kind: extension
of: core.task
fields:
  about: {type: any_link, to: [shop.deal], on_delete: cascade}
rules:
  - {id: this_year, assert: "due_on is null or due_on >= date('2026-01-01')", at: due_on, message: {en: Due long ago, zh-CN: 早已到期, zh-TW: 早已到期}}
---
kind: role
id: boss
permissions: {"*": all}
---
kind: role
id: clerk
permissions:
  "*": all
---
kind: role
id: outsider
permissions:
  core.user: read
  account: {read: true, fields: {hide: [credit]}}
  deal: {read: true, create: true, update: true, fields: {hide: [margin]}}
  line: {inherit: deal}
"#,
    ),
];

pub struct World {
    pub app: TestApp,
    pub boss: Person,
    pub clerk: Person,
    pub outsider: Person,
}

impl World {
    pub async fn new() -> Self {
        Self::with(&SHOP).await
    }

    /// With these files in place of the shop's.
    pub async fn with(files: &[(&str, &str)]) -> Self {
        let app = TestApp::with_files(files).await;
        let boss = person(&app, "boss", &["boss"], json!({})).await;
        let clerk = person(&app, "clerk", &["clerk"], json!({})).await;
        let outsider = person(&app, "outsider", &["outsider"], json!({})).await;
        Self { app, boss, clerk, outsider }
    }

    /// A deal with these values.
    pub async fn deal(&self, values: Value) -> String {
        let mut all = json!({ "name": "Deal" });
        for (name, value) in values.as_object().expect("an object") {
            all[name] = value.clone();
        }
        self.app.create_id("deal", all).await
    }

    /// A deal that meets the gates up to `talk`.
    pub async fn ripe(&self, more: Value) -> String {
        let mut values = json!({ "amount": "10", "close_on": "2026-12-31", "lines": [{ "label": "A", "price": "10" }] });
        for (name, value) in more.as_object().expect("an object") {
            values[name] = value.clone();
        }
        self.deal(values).await
    }

    /// Where a deal stands.
    pub async fn stage(&self, id: &str) -> Value {
        self.app.get(&format!("/api/v1/records/deal/{id}")).await.expect_status(200).json()["stage"].clone()
    }
}

/// Codes and gates of the faults of a problem.
pub fn faults(problem: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut found: Vec<(String, String)> =
        problem["errors"].as_array().expect("faults").iter().map(|fault| (text(&fault["code"]), text(&fault["params"]["gate"]))).collect();
    found.sort();
    found
}
