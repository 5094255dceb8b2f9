//! People who are deleted for good, where there is no recycle bin: nothing personal stays, and what was deleted before can be
//! erased by its id.

use relata::base::RecordId;
use relata::store::compile::Source;
use relata::store::{StoreError, jobs, vault};
use serde_json::json;

use super::erasure::upload;
use super::texts;
use crate::support::TestApp;

const GUESTS: [(&str, &str); 3] = [
    ("relata.yaml", "name: Inn\ncurrency: EUR\nlocale: en\ntime_zone: UTC\n"),
    ("definitions/inn/package.yaml", "kind: package\nid: inn\nversion: 0.1.0\nlabel: Inn\ndepends: [core]\n"),
    (
        "definitions/inn/entities/guest.yaml",
        r#"
kind: entity
id: inn.guest
label: Guest
label_plural: Guests
title: "{number}"
features: {soft_delete: false}
fields:
  number: {type: text}
  name: {type: text, class: personal, search: true}
  email: {type: email, class: personal, encrypted: true}
  pass: {type: file, class: personal}
  room: {type: link, to: inn.room, on_delete: cascade}
---
kind: entity
id: inn.room
label: Room
label_plural: Rooms
title: "{number}"
features: {soft_delete: false}
fields:
  number: {type: text}
  guests: {type: children, of: inn.guest, by: room}
  last: {type: rollup, of: guests, agg: "max(name)"}
"#,
    ),
];

const LEFT: [&str; 5] = [
    "SELECT changes FROM sys_history",
    "SELECT payload FROM sys_job WHERE handler <> 'x'",
    "SELECT name FROM sys_file",
    "SELECT coalesce(last, '') FROM e_room",
    "SELECT wrapped FROM sys_data_key",
];

fn number(id: &str) -> i64 {
    RecordId::parse(id).expect("an id").1.0
}

async fn guest(app: &TestApp, room: &str) -> String {
    let pass = upload(app, "guest", "canary.txt", "canary").await;
    let values = json!({"number": "1", "name": "ada canary", "email": "canary@example.org", "pass": [pass], "room": room});
    let id = app.create_id("guest", values).await;
    app.patch(&format!("/api/v1/records/guest/{id}"), json!({"name": "ann canary", "pass": []})).await.expect_status(200);
    id
}

async fn left(app: &TestApp) -> String {
    let mut all = String::new();
    for sql in LEFT {
        all.push_str(&texts(app, sql).await);
    }
    all
}

#[tokio::test]
async fn nothing_personal_stays_of_who_is_deleted_for_good() {
    let app = TestApp::with_files(&GUESTS).await;
    let room = app.create_id("room", json!({"number": "7"})).await;
    let id = guest(&app, &room).await;
    assert!(left(&app).await.contains("canary"));
    app.delete(&format!("/api/v1/records/guest/{id}")).await.expect_status(204);
    app.workspace.runner.run_until_idle().await.expect("done");
    let left = left(&app).await;
    assert!(!left.contains("canary"), "{left}");
    let keys = vault::keys_of(&mut Source::Store(&app.workspace.store), &[number(&id)]).await.expect("asked");
    assert!(keys.is_empty(), "copies in older dumps cannot be read");
    let files = app.workspace.folders.workspace.join("files");
    let contents = std::fs::read_dir(&files).map_or(0, |folders| {
        folders.flatten().filter_map(|folder| std::fs::read_dir(folder.path()).ok()).flat_map(|folder| folder.flatten()).count()
    });
    assert_eq!(contents, 0, "the content of the pass");
    assert_eq!(texts(&app, "SELECT action FROM sys_history WHERE action = 'delete'").await, "delete");
}

#[tokio::test]
async fn those_who_go_with_another_record_are_forgotten_too() {
    let app = TestApp::with_files(&GUESTS).await;
    let room = app.create_id("room", json!({"number": "7"})).await;
    guest(&app, &room).await;
    app.delete(&format!("/api/v1/records/room/{room}")).await.expect_status(204);
    app.workspace.runner.run_until_idle().await.expect("done");
    let left = left(&app).await;
    assert!(!left.contains("canary"), "{left}");
}

#[tokio::test]
async fn work_that_waits_has_its_values_until_it_is_done() {
    let app = TestApp::with_files(&GUESTS).await;
    let room = app.create_id("room", json!({"number": "7"})).await;
    let id = guest(&app, &room).await;
    let record = number(&id);
    let waiting = move |state: &'static str| {
        let payload = json!({"handler": "x", "id": record, "version": 1, "old": {"name": "canary"}}).to_string();
        let job = jobs::NewJob { handler: "x".into(), payload_json: payload, ..jobs::NewJob::default() };
        (job, state)
    };
    let (job, _) = waiting("ready");
    let made = app
        .workspace
        .store
        .write::<_, StoreError>(move |tx| {
            let job = job.clone();
            Box::pin(async move { jobs::enqueue(tx, &job).await })
        })
        .await
        .expect("queued")
        .expect("an id");
    app.delete(&format!("/api/v1/records/guest/{id}")).await.expect_status(204);
    let forget = async || {
        let jobs = jobs::list(&app.workspace.store, "ready", 100).await.expect("listed");
        let line = jobs.into_iter().find(|line| line.job.handler == relata::record::FORGET);
        line.map(|line| (line.job.run_at, serde_json::from_str(&line.job.payload_json).expect("json")))
    };
    let (_, payload): (_, serde_json::Value) = forget().await.expect("queued with the delete");
    app.workspace.records.forget(&payload).await.expect("asked");
    assert!(left(&app).await.contains("canary"), "work waits that wants it");
    app.workspace.store.write::<_, StoreError>(move |tx| Box::pin(async move { jobs::discard(tx, made).await })).await.expect("done");
    let forgotten = app.workspace.records.forget(&payload).await.expect("done");
    assert_eq!((forgotten.records, forgotten.files), (1, 1));
    let left = left(&app).await;
    assert!(!left.contains("canary"), "{left}");
}

#[tokio::test]
async fn who_was_deleted_before_is_erased_by_id() {
    let app = TestApp::with_files(&GUESTS).await;
    let room = app.create_id("room", json!({"number": "7"})).await;
    let id = guest(&app, &room).await;
    app.delete(&format!("/api/v1/records/guest/{id}")).await.expect_status(204);
    // As an earlier version left it: nothing was queued.
    let none = relata::store::Sql::new("DELETE FROM sys_job");
    app.workspace.store.write(move |tx| Box::pin(async move { tx.run(none).await })).await.expect("forgotten");
    app.post("/api/v1/records/guest/guest_0000000000001/erase", json!({})).await.expect_problem(404, "REC002");
    let erased = app.post(&format!("/api/v1/records/guest/{id}/erase"), json!({})).await.expect_status(200).json();
    assert_eq!(erased, json!({"records": 1, "files": 1}));
    let left = left(&app).await;
    assert!(!left.contains("canary"), "{left}");
}
