//! Doors × events: whatever door a change comes through, the clock does the same.

use serde_json::{Value, json};

use super::world::at;
use crate::support::TestApp;
use crate::support::doors::{DOORS, through};

const SHOP: [(&str, &str); 2] = [
    ("relata.yaml", "name: Shop\nlocale: en\ntime_zone: Asia/Shanghai\n"),
    (
        "definitions/shop/package.yaml",
        r#"
kind: package
id: shop
version: 1.0.0
---
kind: calendar
id: shop.office
week: {mon: "09:00-17:00", fri: "09:00-17:00"}
workdays: [{on: 2026-10-10}]
---
kind: entity
id: shop.deal
title: "{name}"
fields:
  name: {type: text, required: true}
  code: {type: text, unique: true}
  stage: {type: select, options: [new, waiting, won], default: new}
  account: {type: link, to: shop.account}
  wish: {type: link, to: shop.wish}
scripts:
  - {id: push, trigger: button, source: "fn run(rec, old, ctx) { update(rec, ctx.payload); }"}
buttons:
  - {id: push, script: push}
conversions:
  - id: grow
    targets: [{id: account, entity: shop.account, existing: never, values: {name: =name}}]
    set: {stage: "=coalesce(wish.stage, stage)"}
clocks:
  - {id: close, calendar: office, targets: [{time: 20h}], stop: "stage = 'won'", pause: "stage = 'waiting'"}
pipelines:
  - id: sales
    field: stage
    stages: [{key: new}, {key: waiting}, {key: won, closed: won}]
---
kind: entity
id: shop.account
title: "{name}"
fields:
  name: {type: text, required: true}
  deals: {type: children, of: shop.deal, by: account}
---
kind: entity
id: shop.wish
fields:
  deal: {type: link, to: shop.deal, on_delete: cascade, required: true}
  stage: {type: text}
---
kind: automation
for: wish
id: fulfil
trigger: {event: created}
steps:
  - {do: update, entity: deal, match: {id: "=deal"}, values: {stage: "=stage"}}
"#,
    ),
];

/// Held on Friday an hour after it began, going on at ten on Saturday, which is worked, stopped at noon, opened on Monday.
const EVENTS: [(&str, &str); 4] = [("10-09 11:00", "waiting"), ("10-10 10:00", "new"), ("10-10 12:00", "won"), ("10-12 15:00", "new")];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_door_holds_stops_and_opens_the_clock_alike() {
    let app = TestApp::with_files(&SHOP).await;
    let wanted = json!([
        ["paused", null, 3600],
        // 19 h are left: 7 on Saturday, 8 on Monday, 4 on Friday.
        ["running", "2026-10-16T05:00:00Z", 3600],
        ["met", "2026-10-16T05:00:00Z", 10_800],
        // 17 h: 2 on Monday, 8 on Friday, 7 on the Monday after.
        ["running", "2026-10-19T08:00:00Z", 10_800],
    ]);
    // A record is converted once: each of the events comes from a conversion in turn.
    let once = (0..EVENTS.len()).map(|at| ("convert", Some(at)));
    for (door, only) in DOORS.into_iter().filter(|door| *door != "convert").map(|door| (door, None)).chain(once) {
        app.clock.set(at("10-09 10:00"));
        let code = format!("{}-{}", door.replace(' ', "-"), only.unwrap_or_default());
        let id = app.create_id("deal", json!({ "name": "Deal", "code": code })).await;
        let mut seen = Vec::new();
        for (event, (when, stage)) in EVENTS.into_iter().enumerate() {
            app.clock.set(at(when));
            let by = if only.is_none_or(|only| only == event) { door } else { "patch" };
            let told = through(&app, by, &id, &code, &json!({ "stage": stage })).await;
            assert_eq!(told, None, "{door} to {stage}");
            let deal = app.get(&format!("/api/v1/records/deal/{id}")).await.expect_status(200).json();
            seen.push(json!([deal["close_state"], deal["close_due"], deal["close_spent"]]));
        }
        assert_eq!(Value::Array(seen), wanted, "{door}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_begins_and_stops_clocks_too() {
    let app = TestApp::with_files(&SHOP).await;
    app.clock.set(at("10-09 10:00"));
    let file = |text: &str| {
        app.request(axum::http::Method::POST, "/api/v1/records/deal/import?match=code")
            .header("content-type", "text/csv")
            .text(text.to_owned())
    };
    let made = file("name,code,stage\nOne,a,new\nTwo,b,won\nThree,c,waiting\n").send().await;
    assert!(made.status.is_success(), "{}", made.text());
    app.clock.set(at("10-09 12:00"));
    let changed = file("name,code,stage\nOne,a,won\n").send().await;
    assert!(changed.status.is_success(), "{}", changed.text());
    let told = app.get("/api/v1/records/deal?sort=code&select=code,close_state,close_spent").await.expect_status(200).json();
    let states: Vec<Value> = told["data"].as_array().expect("deals").iter().map(|one| one["close_state"].clone()).collect();
    assert_eq!(states, [json!("met"), Value::Null, json!("paused")], "{told}");
}
