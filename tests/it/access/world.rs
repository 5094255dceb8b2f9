//! A small sales team with secrets.

use serde_json::{Value, json};

use crate::support::TestApp;
use axum::http::Method;
use relata::auth::NewToken;

/// Deals of reps and their teams; what a deal earns is not for reps; some accounts are not for anybody but administrators.
pub const SALES: [(&str, &str); 4] = [
    ("definitions/sales/package.yaml", "kind: package\nid: sales\n"),
    (
        "definitions/sales/entities/all.yaml",
        r#"
kind: entity
id: sales.account
title: "{name}"
fields:
  name: {type: text, required: true, unique: true, search: true}
  secret: {type: boolean, default: false}
  credit: {type: integer}
  logo: {type: file}
  total: {type: rollup, of: deals, agg: "sum(amount)", returns: decimal, scale: 2, stored: true}
  earned: {type: rollup, of: deals, agg: "sum(margin)", returns: decimal, scale: 2, stored: true}
---
kind: entity
id: sales.contact
title: "{name}"
features: {owner: false}
fields:
  name: {type: text, required: true, search: true}
  secret: {type: boolean, default: false}
---
kind: entity
id: sales.deal
title: "{name} {margin}"
fields:
  name: {type: text, required: true, search: true}
  account: {type: link, to: sales.account, on_delete: restrict, inverse: deals}
  contacts: {type: links, to: sales.contact}
  stage: {type: select, options: [new, won, lost], default: new}
  amount: {type: decimal, scale: 2}
  margin: {type: decimal, scale: 2, search: false}
  remark: {type: text, search: true}
  papers: {type: file}
  profit: {type: formula, expr: "margin * 2", returns: decimal, scale: 2}
  grade: {type: formula, expr: "case when margin > 100 then 'high' else 'low' end", returns: text, expose: value}
  worth: {type: formula, expr: "account.credit + 1", returns: integer, stored: false}
  lines: {type: children, of: sales.line, by: deal}
  lines_sum: {type: rollup, of: lines, agg: "sum(price)", returns: decimal, scale: 2, stored: true}
rules:
  - {id: sane, assert: "margin is null or margin < 100000", at: margin}
---
kind: entity
id: sales.line
title: "{label}"
features: {owner: false, soft_delete: false}
fields:
  deal: {type: link, to: sales.deal, on_delete: cascade, required: true}
  label: {type: text, required: true}
  price: {type: decimal, scale: 2}
"#,
    ),
    (
        "definitions/sales/roles/rep.yaml",
        r#"
kind: role
id: rep
label: {en: Rep, zh-CN: 销售, zh-TW: 業務}
permissions:
  core.user: {fields: {hide: [phone]}}
  core.team: read
  account: {rows: "secret = false", create: true, update: true, fields: {hide: [credit, secret]}}
  contact: {rows: "secret = false", fields: {hide: [secret]}}
  deal:
    rows: "owner = me() or owner.team in my_teams()"
    create: true
    update: "owner = me()"
    delete: "owner = me() and stage = 'new'"
    share: "owner = me()"
    fields: {hide: [margin, remark], read_only: [owner, amount]}
  line: {inherit: deal}
"#,
    ),
    (
        "definitions/sales/roles/others.yaml",
        r#"
# Sees what was won, and what it earned; nothing else of it.
kind: role
id: auditor
permissions:
  deal: {read: "stage = 'won'", fields: {read: [name, stage, margin]}}
---
kind: role
id: manager
permissions:
  core.user: read
  deal: {rows: "owner in my_reports()", update: true}
---
kind: role
id: filer
permissions:
  deal: {read: false, create: true}
---
kind: role
id: looker
permissions:
  "*": read
"#,
    ),
];

/// Somebody with a token.
pub struct Person {
    pub id: String,
    pub token: String,
}

pub struct World {
    pub app: TestApp,
    pub rep: Person,
    pub mate: Person,
    pub stranger: Person,
}

impl World {
    /// `rep` and `mate` are in one team, `stranger` in none.
    pub async fn new() -> Self {
        let app = TestApp::with_files(&SALES).await;
        let team = app.create_id("team", json!({"name": "North"})).await;
        let rep = person(&app, "rep", &["rep"], json!({"team": team})).await;
        let mate = person(&app, "mate", &["rep"], json!({"team": team})).await;
        let stranger = person(&app, "stranger", &["rep"], json!({})).await;
        Self { app, rep, mate, stranger }
    }

    /// A deal of somebody.
    pub async fn deal(&self, owner: &Person, values: Value) -> String {
        let mut values = values;
        values["owner"] = owner.id.clone().into();
        self.app.create_id("deal", values).await
    }

    /// The ids a list gives to somebody, in order.
    pub async fn ids(&self, person: &Person, path: &str) -> Vec<String> {
        let answer = get(&self.app, person, &format!("/api/v1/records/{path}")).await.expect_status(200).json();
        answer["data"].as_array().expect("rows").iter().map(|row| row["id"].as_str().expect("an id").to_owned()).collect()
    }
}

pub async fn person(app: &TestApp, name: &str, roles: &[&str], more: Value) -> Person {
    let mut values = json!({"name": name, "email": format!("{name}@example.com"), "roles": roles});
    for (key, value) in more.as_object().expect("an object") {
        values[key] = value.clone();
    }
    let id = app.create_id("user", values).await;
    let asked = NewToken { email: format!("{name}@example.com"), name: "tests".into(), days: Some(0) };
    let token = app.workspace.auth.create_token(asked).await.expect("a token").secret;
    Person { id, token }
}

pub async fn get(app: &TestApp, person: &Person, path: &str) -> crate::support::Answer {
    app.request(Method::GET, path).token(&person.token).send().await
}

pub async fn send(app: &TestApp, person: &Person, method: Method, path: &str, body: &Value) -> crate::support::Answer {
    app.request(method, path).token(&person.token).json(body).send().await
}
