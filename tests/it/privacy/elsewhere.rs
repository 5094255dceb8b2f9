//! What other records keep of a person: values computed from theirs, where they are, once were, or lie in the recycle bin.

use serde_json::json;

use super::erasure::upload;
use super::{CLINIC, texts};
use crate::support::TestApp;

const STREET: [(&str, &str); 1] = [(
    "definitions/clinic/entities/street.yaml",
    r#"
kind: entity
id: clinic.street
label: Street
label_plural: Streets
title: "{name}"
fields:
  name: {type: text}
  houses: {type: children, of: clinic.house, by: street}
  first: {type: rollup, of: houses, agg: "min(label)"}
---
kind: entity
id: clinic.house
label: House
label_plural: Houses
title: "{name}"
fields:
  name: {type: text}
  street: {type: link, to: clinic.street}
  people: {type: children, of: clinic.resident, by: house}
  count: {type: rollup, of: people, agg: "count()"}
  nick: {type: rollup, of: people, agg: "min(nick)"}
  label: {type: formula, returns: text, expr: "concat('at ', nick)", stored: true}
---
kind: entity
id: clinic.resident
label: Resident
label_plural: Residents
title: "{number}"
fields:
  number: {type: text}
  nick: {type: text, class: personal}
  badge: {type: file, class: personal}
  house: {type: link, to: clinic.house, on_delete: cascade}
"#,
)];

async fn street() -> TestApp {
    let files: Vec<(&str, &str)> = CLINIC.iter().chain(&STREET).copied().collect();
    TestApp::with_files(&files).await
}

async fn erase(app: &TestApp, id: &str) {
    app.post(&format!("/api/v1/records/resident/{id}/erase"), json!({})).await.expect_status(200);
}

const EVERYWHERE: [&str; 4] = [
    "SELECT concat_ws(' ', nick, label) FROM e_house",
    "SELECT coalesce(first, '') FROM e_street",
    "SELECT changes FROM sys_history",
    "SELECT payload FROM sys_job",
];

#[tokio::test]
async fn computed_values_of_others_are_computed_anew_and_forget_what_they_were() {
    let app = street().await;
    let street = app.create_id("street", json!({"name": "S"})).await;
    let (former, present) = (
        app.create_id("house", json!({"name": "A", "street": street})).await,
        app.create_id("house", json!({"name": "B", "street": street})).await,
    );
    app.create_id("resident", json!({"number": "2", "nick": "zoe", "house": present})).await;
    let ada = app.create_id("resident", json!({"number": "1", "nick": "ada canary", "house": former})).await;
    app.patch(&format!("/api/v1/records/resident/{ada}"), json!({"house": present})).await.expect_status(200);
    app.patch(&format!("/api/v1/records/resident/{ada}"), json!({"nick": "ann canary"})).await.expect_status(200);
    let value = async |entity: &str, id: &str| app.get(&format!("/api/v1/records/{entity}/{id}")).await.expect_status(200).json();
    assert_eq!(value("street", &street).await["first"], "at ann canary");

    erase(&app, &ada).await;
    for sql in EVERYWHERE {
        assert!(!texts(&app, sql).await.contains("canary"), "{sql}: {}", texts(&app, sql).await);
    }
    let house = value("house", &present).await;
    assert_eq!((&house["nick"], &house["count"], &value("street", &street).await["first"]), (&json!("zoe"), &json!(2), &json!("at zoe")));
    let history = app.get(&format!("/api/v1/records/house/{former}/history")).await.expect_status(200).text();
    assert!(history.contains("count") && !history.contains("nick"), "what says nothing of a person stays: {history}");
}

#[tokio::test]
async fn computed_values_in_the_recycle_bin_go_too() {
    let app = street().await;
    let house = app.create_id("house", json!({"name": "A"})).await;
    let ada = app.create_id("resident", json!({"number": "1", "nick": "ada canary", "house": house})).await;
    app.delete(&format!("/api/v1/records/house/{house}")).await.expect_status(204);
    assert!(texts(&app, EVERYWHERE[0]).await.contains("canary"));
    erase(&app, &ada).await;
    for sql in EVERYWHERE {
        assert!(!texts(&app, sql).await.contains("canary"), "{sql}: {}", texts(&app, sql).await);
    }
    app.post(&format!("/api/v1/records/house/{house}/restore"), json!({})).await.expect_status(200);
}

#[tokio::test]
async fn a_file_that_others_hold_stays_when_it_was_taken_out_before() {
    let app = street().await;
    let (own, shared) = (upload(&app, "resident", "own.txt", "own").await, upload(&app, "resident", "shared.txt", "shared").await);
    let ada = app.create_id("resident", json!({"number": "1", "badge": [own, shared]})).await;
    app.create_id("resident", json!({"number": "2", "badge": [shared]})).await;
    app.patch(&format!("/api/v1/records/resident/{ada}"), json!({"badge": []})).await.expect_status(200);
    let erased = app.post(&format!("/api/v1/records/resident/{ada}/erase"), json!({})).await.expect_status(200).json();
    assert_eq!(erased["files"], 1);
    assert_eq!(texts(&app, "SELECT name FROM sys_file").await, "shared.txt");
    app.get(&format!("/files/{own}")).await.expect_status(404);
    app.get(&format!("/files/{shared}")).await.expect_status(200);
}
