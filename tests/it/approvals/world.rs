//! A shop that gives discounts only when somebody agrees.

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
id: shop.deal
title: "{name}"
fields:
  name: {type: text, required: true}
  code: {type: text, unique: true}
  kind: {type: select, options: [plain, care], default: plain}
  stage: {type: select, options: [new, offer, won, lost], default: new, label: {en: Stage, zh-CN: 阶段, zh-TW: 階段}}
  amount: {type: decimal, scale: 2}
  discount: {type: decimal, scale: 2, default: 0, label: {en: Discount, zh-CN: 折扣, zh-TW: 折扣}}
  margin: {type: decimal, scale: 2}
  close_on: {type: date}
  why: {type: text}
  verdict: {type: text, label: {en: Verdict, zh-CN: 结论, zh-TW: 結論}}
  account: {type: link, to: shop.account}
  wish: {type: link, to: shop.wish}
  reviewer: {type: user}
  team: {type: link, to: core.team}
  lines: {type: children, of: shop.line, by: deal}
  total: {type: rollup, of: lines, agg: "sum(price)", returns: decimal, scale: 2, stored: true}
scripts:
  - {id: push, trigger: button, source: "fn run(rec, old, ctx) { update(rec, ctx.payload); }"}
buttons:
  - {id: push, script: push}
conversions:
  - id: grow
    targets: [{id: account, entity: shop.account, existing: never, values: {name: =name}}]
    set: {stage: "=coalesce(wish.stage, stage)", amount: "=coalesce(wish.amount, amount)", discount: "=coalesce(wish.discount, discount)", why: "=coalesce(wish.why, why)"}
rules:
  - {id: no_secret, assert: "verdict is null or verdict != 'secret'", at: verdict, message: {en: Not this word, zh-CN: 不可用此词, zh-TW: 不可用此詞}}
approvals:
  - id: discount
    label: {en: Discount over 15 %, zh-CN: 折扣超过 15%, zh-TW: 折扣超過 15%}
    when: "discount > 15"
    fields: [discount, amount, margin]
    steps:
      - {id: manager, label: {en: Manager, zh-CN: 主管, zh-TW: 主管}, by: owner.manager, due: 2d, escalate: owner.manager.manager}
      - {id: board, label: {en: Board, zh-CN: 董事会, zh-TW: 董事會}, when: "discount > 30", roles: [board], need: 2}
    approved: {verdict: "=concat('ok ', text(discount))"}
    rejected: {verdict: no}
  - id: review
    label: {en: Review, zh-CN: 复核, zh-TW: 複核}
    fields: [name]
    ask: [rep]
    own: true
    steps:
      - {id: one, by: [reviewer, team], need: all, due: 12h, on_timeout: reject}
  - id: sum
    fields: [total]
    steps:
      - {id: one, roles: [board]}
  - id: word
    fields: [why]
    steps:
      - {id: one, roles: [board]}
    approved: {verdict: "=why"}
pipelines:
  - id: sales
    field: stage
    override: [boss]
    stages:
      - {key: new}
      - {key: offer}
      - {key: won, closed: won}
      - {key: lost, closed: lost}
    gates:
      - {id: agreed, to: [offer, won], require: [{approval: discount}]}
      - {id: summed, to: won, require: [{approval: sum}]}
---
kind: entity
id: shop.account
title: "{name}"
fields:
  name: {type: text, required: true}
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
  discount: {type: decimal, scale: 2}
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
    values: {stage: "=coalesce(stage, deal.stage)", amount: "=coalesce(amount, deal.amount)", discount: "=coalesce(discount, deal.discount)", why: "=coalesce(why, deal.why)"}
---
kind: role
id: rep
permissions: {"*": all}
---
kind: role
id: boss
permissions: {"*": all}
---
kind: role
id: board
permissions: {"*": all}
---
# Decides, and sees no margin.
kind: role
id: narrow
permissions:
  core.user: read
  deal: {read: true, update: true, fields: {hide: [margin]}}
---
# Reads no deal.
kind: role
id: blind
permissions:
  core.user: read
"#,
    ),
];

pub struct World {
    pub app: TestApp,
    /// Owns the deals; `manager` is their manager, `director` that one's.
    pub rep: Person,
    pub manager: Person,
    pub director: Person,
    pub board: [Person; 3],
}

impl World {
    pub async fn new() -> Self {
        Self::with(&SHOP).await
    }

    pub async fn with(files: &[(&str, &str)]) -> Self {
        let app = TestApp::with_files(files).await;
        let director = person(&app, "director", &["boss"], json!({})).await;
        let manager = person(&app, "manager", &["narrow"], json!({ "manager": director.id })).await;
        let rep = person(&app, "rep", &["rep"], json!({ "manager": manager.id })).await;
        let board = [
            person(&app, "board0", &["board"], json!({})).await,
            person(&app, "board1", &["board"], json!({})).await,
            person(&app, "board2", &["board"], json!({})).await,
        ];
        Self { app, rep, manager, director, board }
    }

    /// A deal of the rep.
    pub async fn deal(&self, values: Value) -> String {
        let mut all = json!({ "name": "Deal", "owner": self.rep.id, "amount": "100", "margin": "7" });
        for (name, value) in values.as_object().expect("an object") {
            all[name] = value.clone();
        }
        self.app.create_id("deal", all).await
    }

    /// Asks as the rep; gives the request.
    pub async fn ask(&self, deal: &str, approval: &str) -> Value {
        self.ask_as(&self.rep, deal, approval).await.expect_status(201).json()
    }

    pub async fn ask_as(&self, who: &Person, deal: &str, approval: &str) -> Answer {
        let path = format!("/api/v1/records/deal/{deal}/approvals");
        send(&self.app, who, Method::POST, &path, &json!({ "approval": approval, "comment": "Please" })).await
    }

    pub async fn decide(&self, who: &Person, request: &Value, decision: &str) -> Answer {
        let body = json!({ "decision": decision, "comment": "Because" });
        self.act(who, request, "decide", body).await
    }

    pub async fn act(&self, who: &Person, request: &Value, act: &str, body: Value) -> Answer {
        let path = format!("/api/v1/approvals/{}/{act}", request["id"].as_str().expect("an id"));
        send(&self.app, who, Method::POST, &path, &body).await
    }

    /// The request as an administrator sees it.
    pub async fn request(&self, request: &Value) -> Value {
        let path = format!("/api/v1/approvals/{}", request["id"].as_str().expect("an id"));
        self.app.get(&path).await.expect_status(200).json()
    }

    /// A deal whose discount was approved by the manager.
    pub async fn approved(&self, values: Value) -> String {
        let deal = self.deal(values).await;
        let request = self.ask(&deal, "discount").await;
        self.decide(&self.manager, &request, "approve").await.expect_status(200);
        deal
    }

    pub async fn get(&self, deal: &str) -> Value {
        self.app.get(&format!("/api/v1/records/deal/{deal}")).await.expect_status(200).json()
    }

    /// What somebody is to decide.
    pub async fn waiting(&self, who: &Person) -> Vec<String> {
        let list = get(&self.app, who, "/api/v1/approvals").await.expect_status(200).json();
        list["data"].as_array().expect("requests").iter().map(|one| one["id"].as_str().expect("an id").to_owned()).collect()
    }
}

/// Persons and states of a step.
pub fn people(request: &Value, step: &str) -> Vec<(String, String)> {
    let steps = request["steps"].as_array().expect("steps");
    let step = steps.iter().find(|one| one["step"] == step).expect("the step");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    step["people"].as_array().expect("people").iter().map(|part| (text(&part["person"]), text(&part["state"]))).collect()
}

/// Codes of the faults of a problem.
pub fn codes(problem: &Value) -> Vec<String> {
    problem["errors"].as_array().expect("faults").iter().map(|fault| fault["code"].as_str().unwrap_or_default().to_owned()).collect()
}
