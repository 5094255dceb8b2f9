//! A shop whose records set things going.

use serde_json::{Value, json};

use crate::support::{Answer, TestApp};

/// What every test has; a test adds its automations.
const SHOP: &str = r#"
kind: package
id: shop
version: 1.0.0
---
kind: entity
id: shop.account
title: "{name}"
fields:
  name: {type: text, required: true}
  kind: {type: text}
  deals: {type: children, of: shop.deal, by: account}
---
kind: entity
id: shop.deal
title: "{name}"
fields:
  name: {type: text, required: true}
  amount: {type: decimal, scale: 2}
  price: {type: money}
  grade: {type: text}
  story: {type: long_text}
  note: {type: text, class: personal}
  number: {type: integer, default: 0}
  other: {type: integer, default: 0}
  stage: {type: select, options: [new, offer, won], default: new}
  account: {type: link, to: shop.account}
  close_on: {type: date}
  calls: {type: children, of: shop.call, by: deal}
scripts:
  - {id: rank, trigger: automation, source: "fn run(rec, old, ctx) { update(rec, #{grade: `ranked ${rec.name}`}); #{rank: 7} }"}
  - {id: broken, trigger: automation, source: "fn run(rec, old, ctx) { let a = [1]; a[5] }"}
pipelines:
  - id: sales
    field: stage
    stages: [{key: new}, {key: offer}, {key: won, closed: won}]
    gates:
      - {id: amount, to: won, require: [{fields: [amount]}]}
---
kind: entity
id: shop.call
fields:
  deal: {type: link, to: shop.deal}
  done: {type: boolean, default: false}
---
kind: extension
of: core.task
fields:
  about: {type: any_link, to: [shop.account, shop.deal], on_delete: cascade}
---
kind: role
id: reader
permissions: {"*": read}
"#;

const AUTOMATIONS: &str = "definitions/shop/automations.yaml";

/// The shop with these automations of deals.
pub fn files(automations: &str) -> [(&'static str, &str); 3] {
    let settings = "name: Shop\nlocale: en\ntime_zone: Asia/Shanghai\n";
    [("relata.yaml", settings), ("definitions/shop/package.yaml", SHOP), (AUTOMATIONS, automations)]
}

pub struct World {
    pub app: TestApp,
}

impl World {
    /// The shop with these automations of deals.
    pub async fn new(automations: &str) -> Self {
        Self { app: TestApp::with_files(&files(automations)).await }
    }

    /// Applies the shop with other automations.
    pub async fn change(&self, automations: &str) {
        let mut files = relata::deploy::read(&self.app.workspace.folders).expect("the files are readable");
        files.iter_mut().find(|file| file.path == AUTOMATIONS).expect("the automations").text = automations.to_owned();
        self.app.workspace.apply(&files, None, &[], 0).await.expect("applies");
    }

    pub async fn deal(&self, values: Value) -> String {
        let mut all = json!({ "name": "Deal" });
        for (name, value) in values.as_object().expect("an object") {
            all[name] = value.clone();
        }
        self.app.create_id("deal", all).await
    }

    pub async fn read(&self, id: &str) -> Value {
        let entity = id.split('_').next().expect("a prefix");
        self.app.get(&format!("/api/v1/records/{entity}/{id}")).await.expect_status(200).json()
    }

    pub async fn patch(&self, id: &str, values: Value) -> Answer {
        let entity = id.split('_').next().expect("a prefix");
        self.app.patch(&format!("/api/v1/records/{entity}/{id}"), values).await
    }

    /// Does all jobs that are due; gives how many.
    pub async fn work(&self) -> usize {
        self.app.workspace.runner.run_until_idle().await.expect("jobs run")
    }

    /// The runs of an automation, oldest first: state and reason.
    pub async fn runs(&self, automation: &str) -> Vec<(String, String)> {
        let told = self.app.get(&format!("/api/v1/runs?automation=shop.{automation}")).await.expect_status(200).json();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let mut found: Vec<(String, String)> =
            told["data"].as_array().expect("runs").iter().map(|run| (text(&run["state"]), text(&run["reason"]))).collect();
        found.reverse();
        found
    }

    /// The newest run of an automation, with its steps.
    pub async fn run(&self, automation: &str) -> Value {
        let told = self.app.get(&format!("/api/v1/runs?automation=shop.{automation}&limit=1")).await.expect_status(200).json();
        let id = told["data"][0]["id"].as_str().expect("a run").to_owned();
        self.app.get(&format!("/api/v1/runs/{id}")).await.expect_status(200).json()
    }
}
