//! What is kept about one record.

use relata::access::Actor;
use relata::transfer;
use serde_json::{Value, json};

use crate::support::TestApp;

async fn subject(app: &TestApp, id: &str) -> Result<Value, transfer::TransferError> {
    let catalog = app.workspace.catalog.load_full();
    transfer::subject(&app.workspace.records, &catalog, &Actor::system(), id).await
}

#[tokio::test]
async fn an_unknown_record_is_refused() {
    let app = TestApp::shipped("crm").await;
    for id in ["", "x", "contact_0000000000001", "nothing_0000000000001", "contact_0'or'1'='1"] {
        let error = subject(&app, id).await.expect_err(id);
        assert!(error.to_string().contains("no such record"), "{error}");
    }
}

#[tokio::test]
async fn everything_about_a_person_is_given() {
    let app = TestApp::shipped("crm").await;
    let account = app.create_id("account", json!({"name": "A"})).await;
    let contact = json!({"name": {"given": "Ada", "family": "W"}, "email": "ada@example.org", "account": account});
    let id = app.create_id("contact", contact.clone()).await;
    let other = app.create_id("contact", json!({"name": {"given": "Bob", "family": "B"}, "email": "bob@example.org"})).await;
    let path = format!("/api/v1/records/contact/{id}");
    app.patch(&path, json!({"email": "ada.w@example.org"})).await.expect_status(200);
    for number in 0..3 {
        app.create_id("task", json!({"subject": format!("Call {number}"), "about": id})).await;
    }
    app.create_id("task", json!({"subject": "Somebody else", "about": other})).await;
    app.delete(&path).await.expect_status(204);

    let document = subject(&app, &id).await.expect("given");
    assert_eq!((&document["entity"], &document["id"]), (&json!("crm.contact"), &json!(id)));
    assert_eq!(document["record"]["email"], "ada.w@example.org");
    assert_eq!((&document["classes"]["email"], document["classes"].get("account")), (&json!("personal"), None));
    let kinds: Vec<&str> = document["history"].as_array().expect("a list").iter().filter_map(|entry| entry["kind"].as_str()).collect();
    assert_eq!(kinds, ["delete", "update", "create"]);
    assert_eq!(document["history"][1]["changes"]["email"]["old"], "ada@example.org");
    let tasks = document["linked"].as_array().expect("a list").iter().find(|linked| linked["entity"] == "core.task").expect("tasks");
    assert_eq!(tasks["records"].as_array().map(Vec::len), Some(3), "{tasks:#}");
    assert!(!document.to_string().contains("Somebody else") && !document.to_string().contains("bob@"));
    // Taking it is an act like others.
    assert_eq!(document["audit"][0]["action"], "subject.export");
}
