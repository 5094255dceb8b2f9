//! A service desk in Shanghai: requests with a response and a resolution time.

use relata::base::DateTime;
use serde_json::Value;

use crate::support::{Answer, TestApp};

pub const DESK: &str = r#"
kind: package
id: desk
version: 1.0.0
---
kind: calendar
id: desk.office
label: {en: Office hours, zh-CN: 办公时间, zh-TW: 辦公時間}
time_zone: Asia/Shanghai
week:
  mon: ["09:00-12:00", "13:00-18:00"]
  tue: ["09:00-12:00", "13:00-18:00"]
  wed: ["09:00-12:00", "13:00-18:00"]
  thu: ["09:00-12:00", "13:00-18:00"]
  fri: ["09:00-12:00", "13:00-18:00"]
holidays:
  - {on: 2026-10-01, until: 2026-10-07, label: {en: National Day, zh-CN: 国庆节}}
workdays:
  - {on: 2026-10-10, label: {en: Instead of 7 October, zh-CN: 调休}}
---
kind: entity
id: desk.request
title: "{name}"
fields:
  name: {type: text, required: true}
  code: {type: text, unique: true}
  priority: {type: select, options: [low, high, urgent], default: low}
  status: {type: select, options: [new, open, waiting, done], default: new}
  answered: {type: boolean, default: false}
  told: {type: integer, default: 0}
  is_late: {type: formula, expr: "resolution_state in ('over', 'missed')", returns: boolean, stored: true}
views:
  - {id: all, columns: [name, status]}
  - {id: due, columns: [name, response_state, response_due], sort: [response_due]}
clocks:
  - id: response
    label: {en: First answer, zh-CN: 首次响应, zh-TW: 首次回應}
    calendar: office
    targets: [{when: "priority = 'urgent'", time: 30m, calendar: always}, {time: 4h}]
    stop: "answered"
  - id: resolution
    label: {en: Resolution, zh-CN: 解决, zh-TW: 解決}
    calendar: office
    targets: [{when: "priority = 'urgent'", time: 4h}, {when: "priority = 'high'", time: 8h}, {time: 16h}]
    stop: "status = 'done'"
    pause: "status = 'waiting'"
---
kind: role
id: clerk
permissions:
  desk.request: {read: true, create: true, update: true, fields: {hide: [priority]}}
"#;

pub struct World {
    pub app: TestApp,
}

/// A moment of Shanghai, `10-09 16:00` of 2026.
pub fn at(text: &str) -> DateTime {
    let local = DateTime::parse(&format!("2026-{}:00Z", text.replace(' ', "T"))).expect("a time");
    DateTime(local.0 - 8 * 3_600_000_000)
}

impl World {
    /// The desk with these automations, on Friday 9 October 2026, 16:00. The Saturday after it is worked.
    pub async fn new(automations: &str) -> Self {
        let settings = "name: Desk\nlocale: en\ntime_zone: Asia/Shanghai\n";
        let files =
            [("relata.yaml", settings), ("definitions/desk/package.yaml", DESK), ("definitions/desk/automations.yaml", automations)];
        let files = if automations.is_empty() { &files[..2] } else { &files[..] };
        let world = Self { app: TestApp::with_files(files).await };
        world.go("10-09 16:00");
        world
    }

    pub fn go(&self, to: &str) {
        self.app.clock.set(at(to));
    }

    /// Sets the clock and does all jobs that are due.
    pub async fn work(&self, to: &str) {
        self.go(to);
        for _ in 0..3 {
            self.app.workspace.runner.run_until_idle().await.expect("jobs run");
        }
    }

    pub async fn request(&self, values: Value) -> String {
        let mut all = values;
        all["name"] = "Request".into();
        self.app.create_id("request", all).await
    }

    pub async fn read(&self, id: &str) -> Value {
        self.app.get(&format!("/api/v1/records/request/{id}")).await.expect_status(200).json()
    }

    pub async fn patch(&self, id: &str, values: Value) -> Answer {
        self.app.patch(&format!("/api/v1/records/request/{id}"), values).await
    }

    /// State, end and used seconds of a clock.
    pub async fn clock(&self, id: &str, clock: &str) -> (String, String, i64) {
        let record = self.read(id).await;
        let text = |field: &str| record[format!("{clock}_{field}")].as_str().unwrap_or_default().to_owned();
        (text("state"), text("due"), record[format!("{clock}_spent")].as_i64().unwrap_or_default())
    }

    /// Applies the desk with a text of its definitions changed.
    pub async fn change(&self, from: &str, to: &str) {
        assert!(DESK.contains(from), "{from}");
        let mut files = relata::deploy::read(&self.app.workspace.folders).expect("the files are readable");
        files.iter_mut().find(|file| file.path == "definitions/desk/package.yaml").expect("the desk").text = DESK.replacen(from, to, 1);
        self.app.workspace.apply(&files, None, &[], 0).await.expect("applies");
    }
}
