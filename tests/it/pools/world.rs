//! A shop whose leads lie in two pools.

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
id: shop.lead
title: "{name}"
fields:
  name: {type: text, required: true, search: true}
  code: {type: text, unique: true}
  city: {type: text}
  kind: {type: select, options: [open, done], default: open}
  size: {type: integer}
  phone: {type: text}
  account: {type: link, to: shop.account}
  calls: {type: children, of: shop.call, by: lead}
scripts:
  - {id: push, trigger: button, source: "fn run(rec, old, ctx) { update(rec, ctx.payload); }"}
buttons:
  - {id: push, script: push}
pools:
  - id: big
    label: {en: Large leads, zh-CN: 大客户公海, zh-TW: 大客戶公海}
    when: "kind = 'open' and size >= 100"
    roles: [chief]
    show: [name, size]
  - id: public
    label: {en: Open leads, zh-CN: 线索公海, zh-TW: 線索公海}
    when: "kind = 'open'"
    roles: [rep]
    managers: [chief]
    show: [name, city, kind]
    caps:
      - {roles: [chief], most: 5}
      - {when: "time_zone = 'Asia/Tokyo'", most: 3}
      - {most: 2}
    claims_per_day: 4
    protect: 1d
    reclaim: 10d
    warn: 2d
    activity:
      - {fields: [city]}
      - {entity: shop.call, by: lead}
    cool_down: 5d
    hand_out: {by: load}
---
kind: entity
id: shop.account
title: "{name}"
fields:
  name: {type: text, required: true}
  leads: {type: children, of: shop.lead, by: account}
---
kind: entity
id: shop.call
title: "{note}"
features: {owner: false}
fields:
  lead: {type: link, to: shop.lead, on_delete: cascade, required: true}
  note: {type: text}
---
kind: entity
id: shop.wish
features: {owner: false}
fields:
  lead: {type: link, to: shop.lead, on_delete: cascade, required: true}
  person: {type: user}
---
kind: automation
for: wish
id: fulfil
trigger: {event: created}
steps:
  - {do: update, entity: lead, match: {id: "=lead"}, values: {owner: "=person"}}
---
kind: role
id: rep
permissions:
  core.user: read
  lead: {rows: "owner = me()", create: true, update: "owner = me()", delete: "owner = me()"}
  call: {inherit: lead}
---
kind: role
id: chief
permissions: {"*": all}
---
kind: role
id: stranger
permissions:
  core.user: read
  lead: {rows: "owner = me()"}
"#,
    ),
];

pub struct World {
    pub app: TestApp,
    pub rep: Person,
    pub other: Person,
    pub chief: Person,
}

impl World {
    pub async fn new() -> Self {
        let app = TestApp::with_files(&SHOP).await;
        let rep = person(&app, "rep", &["rep"], json!({})).await;
        let other = person(&app, "other", &["rep"], json!({})).await;
        let chief = person(&app, "chief", &["chief"], json!({})).await;
        Self { app, rep, other, chief }
    }

    /// A lead that nobody holds.
    pub async fn lead(&self, values: Value) -> String {
        let mut all = json!({ "name": "Lead", "owner": null });
        for (name, value) in values.as_object().expect("an object") {
            all[name] = value.clone();
        }
        self.app.create_id("lead", all).await
    }

    pub async fn claim(&self, who: &Person, leads: &[&str]) -> Value {
        let path = "/api/v1/pools/lead/public/claim";
        send(&self.app, who, Method::POST, path, &json!({ "records": leads })).await.expect_status(200).json()["data"].clone()
    }

    /// Claims one; gives the code of the fault.
    pub async fn claim_one(&self, who: &Person, lead: &str) -> Option<String> {
        let data = self.claim(who, &[lead]).await;
        let fault = &data[0]["error"]["errors"][0]["code"];
        assert_eq!(data[0]["claimed"], fault.is_null(), "{data:#}");
        fault.as_str().map(str::to_owned)
    }

    pub async fn give_back(&self, who: &Person, lead: &str, reason: &str) -> Answer {
        send(&self.app, who, Method::POST, &format!("/api/v1/records/lead/{lead}/return"), &json!({ "reason": reason })).await
    }

    pub async fn owner(&self, lead: &str) -> Option<String> {
        let lead = self.app.get(&format!("/api/v1/records/lead/{lead}")).await.expect_status(200).json();
        lead["owner"].as_str().map(str::to_owned)
    }

    /// Ids of what is in the pool, as somebody sees it.
    pub async fn in_pool(&self, who: &Person, query: &str) -> Vec<String> {
        let rows = get(&self.app, who, &format!("/api/v1/pools/lead/public?sort=name{query}")).await.expect_status(200).json();
        rows["data"].as_array().expect("rows").iter().map(|row| row["name"].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// What somebody holds, as the counter and as the list says: both must be the same.
    pub async fn held(&self, who: &Person) -> i64 {
        let pools = get(&self.app, who, "/api/v1/pools").await.expect_status(200).json();
        let pool = pools["data"].as_array().expect("pools").iter().find(|pool| pool["pool"] == "public").expect("the pool").clone();
        let list = get(&self.app, who, "/api/v1/pools/lead/public/held").await.expect_status(200).json();
        let listed = i64::try_from(list["data"].as_array().expect("rows").len()).expect("few");
        assert_eq!(pool["held"], listed, "the counter and the list differ");
        let filter = format!(
            "/api/v1/records/lead?count=exact&select=id&filter=owner%20%3D%20'{}'%20and%20kind%20%3D%20'open'%20and%20(size%20is%20null%20or%20size%20%3C%20100)",
            who.id
        );
        let owned = self.app.get(&filter).await.expect_status(200).json();
        assert_eq!(owned["total"]["value"], listed, "the counter and the records differ");
        listed
    }

    pub async fn holding(&self, lead: &str) -> Value {
        self.app.get(&format!("/api/v1/records/lead/{lead}/holding")).await.expect_status(200).json()
    }

    pub fn advance_hours(&self, hours: i64) {
        self.app.clock.advance_ms(hours * 3_600_000);
    }

    pub async fn look_after(&self) -> relata::record::PoolsDone {
        self.app.workspace.records.look_after_pools().await.expect("pools are looked after")
    }
}
