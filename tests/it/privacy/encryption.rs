//! Encrypted fields: what they refuse, that the database holds no plain text of them, and that keys can be renewed.

use relata::access::Actor;
use relata::store::vault;
use serde_json::json;

use super::{CLINIC, texts};
use crate::support::TestApp;

#[tokio::test]
async fn what_needs_an_order_or_a_part_of_the_text_is_refused() {
    let app = TestApp::with_files(&CLINIC).await;
    app.create_id("patient", json!({"number": "1", "email": "ada@example.org", "portal_key": "a long secret"})).await;
    for query in [
        "filter=email contains 'ada'",
        "filter=email > 'a'",
        "filter=email starts_with 'a'",
        "filter=email = number",
        "filter=portal_key = 'a long secret'",
        "sort=email",
        "sort=email:fold",
        "sort=-portal_key",
    ] {
        let path = format!("/api/v1/records/patient?{}", query.replace(' ', "%20").replace('>', "%3E"));
        let problem = app.get(&path).await.expect_status(400).json();
        let text = problem.to_string();
        assert!(text.contains("encrypted") || text.contains("secret"), "{query}: {text}");
    }
    for group in ["email", "portal_key"] {
        let asked = json!({"group": [group], "measures": {"n": "count()"}});
        app.post("/api/v1/records/patient/aggregate", asked).await.expect_status(400).json();
    }
    let taken = json!({"number": "2", "email": "ADA@example.org"});
    app.post("/api/v1/records/patient", taken).await.expect_problem(409, "REC011");
    // Rules and limits hold for the plain text.
    app.post("/api/v1/records/patient", json!({"number": "3", "email": "no address"})).await.expect_problem(422, "REC010");
    app.post("/api/v1/records/patient", json!({"number": "3", "portal_key": "short"})).await.expect_problem(422, "REC010");
    app.post("/api/v1/records/patient", json!({"number": "3", "insurance": "AB-1"})).await.expect_problem(422, "REC010");
}

#[tokio::test]
async fn values_come_back_and_are_found_by_equality() {
    let app = TestApp::with_files(&CLINIC).await;
    let values = json!({"number": "1", "email": "Ada@example.org", "insurance": "AB-1", "ward": "3", "portal_key": "a long secret"});
    let id = app.create_id("patient", values).await;
    app.create_id("patient", json!({"number": "2", "email": "bob@example.org"})).await;
    app.create_id("visit", json!({"patient": id, "letter": "sealed1:ab:1:AAAA"})).await;
    let path = format!("/api/v1/records/patient/{id}");
    let read = app.get(&path).await.expect_status(200).json();
    assert_eq!((&read["email"], &read["insurance"]), (&json!("Ada@example.org"), &json!("AB-1")));
    assert_eq!(read["portal_key"], "••••••••", "a secret is never shown");
    let found = |filter: &str| {
        let path = format!("/api/v1/records/patient?sort=number&select=number,email&filter={}", filter.replace(' ', "%20"));
        let app = &app;
        async move {
            let page = app.get(&path).await.expect_status(200).json();
            page["data"].as_array().expect("rows").iter().map(|row| row["number"].as_str().unwrap_or("").to_owned()).collect::<Vec<_>>()
        }
    };
    assert_eq!(found("email = 'ada@example.ORG'").await, ["1"], "without regard to case");
    assert_eq!(found("email != 'ada@example.org'").await, ["2"]);
    assert_eq!(found("email in ('ada@example.org','bob@example.org')").await, ["1", "2"]);
    assert_eq!(found("insurance is null").await, ["2"]);
    assert_eq!(found("portal_key is not null").await, ["1"]);
    assert!(found("email = 'eve@example.org'").await.is_empty());
    // What only looks like an encrypted value is a text like others, and reached over a link it reads the same.
    let visit = app.get("/api/v1/records/visit?select=letter,patient(email)").await.expect_status(200).json();
    assert_eq!(
        (&visit["data"][0]["letter"], &visit["data"][0]["patient"]["email"]),
        (&json!("sealed1:ab:1:AAAA"), &json!("Ada@example.org"))
    );
    let expanded = app.get(&format!("{path}?select=notes(letter)")).await.expect_status(200).json();
    assert_eq!(expanded["notes"][0]["letter"], "sealed1:ab:1:AAAA");

    // A secret sent back as it was shown stays; another one is taken.
    let again = app.patch(&path, json!({"portal_key": "••••••••", "ward": "4"})).await.expect_status(200).json();
    assert_eq!(again["ward"], "4");
    let changed = app.get(&format!("{path}/history")).await.expect_status(200).json();
    assert!(!changed["data"][0].to_string().contains("portal_key"), "{changed:#}");
    app.patch(&path, json!({"email": "ada.w@example.org"})).await.expect_status(200);
    let changed = app.get(&format!("{path}/history")).await.expect_status(200).json();
    let change = &changed["data"][0]["changes"][0];
    assert_eq!(
        (&change["field"], &change["old"], &change["new"]),
        (&json!("email"), &json!("Ada@example.org"), &json!("ada.w@example.org"))
    );
    app.patch(&path, json!({"email": null})).await.expect_status(200);
    assert!(found("email is null").await.contains(&"1".to_owned()));
    app.delete(&path).await.expect_status(204);
    app.post(&format!("{path}/restore"), json!({})).await;
}

#[tokio::test]
async fn the_database_holds_no_plain_text_of_them() {
    let app = TestApp::with_files(&CLINIC).await;
    let values =
        json!({"number": "1", "email": "canary1@example.org", "insurance": "canary2", "ward": "3", "portal_key": "canary3 secret"});
    let create = app.request(axum::http::Method::POST, "/api/v1/records/patient").header("idempotency-key", "k1").json(&values);
    let id = create.send().await.expect_status(201).json()["id"].as_str().expect("an id").to_owned();
    app.patch(&format!("/api/v1/records/patient/{id}"), json!({"insurance": "canary4"})).await.expect_status(200);
    let mut all = String::new();
    for sql in [
        "SELECT email FROM e_patient",
        "SELECT email_k FROM e_patient",
        "SELECT insurance FROM e_patient",
        "SELECT insurance_k FROM e_patient",
        "SELECT portal_key FROM e_patient",
        "SELECT changes FROM sys_history",
        "SELECT changed FROM sys_outbox",
        "SELECT payload FROM sys_job",
        "SELECT coalesce(body, '') FROM sys_idempotency",
    ] {
        all.push_str(&texts(&app, sql).await);
    }
    assert!(all.contains("sealed1:"), "{all}");
    assert!(!all.contains("canary"), "{all}");
    assert_eq!(texts(&app, "SELECT coalesce(portal_key_k, '') FROM e_patient").await, "", "two equal secrets are not told");
}

#[tokio::test]
async fn a_new_master_key_reads_what_the_former_one_wrote() {
    let app = TestApp::with_files(&CLINIC).await;
    let id = app.create_id("patient", json!({"number": "1", "email": "ada@example.org"})).await;
    let before = texts(&app, "SELECT wrapped FROM sys_data_key").await;
    assert_eq!(vault::rotate(&app.workspace.store).await.expect("rotated"), (2, 1));
    assert_ne!(texts(&app, "SELECT wrapped FROM sys_data_key").await, before);
    let path = format!("/api/v1/records/patient/{id}");
    assert_eq!(app.get(&path).await.expect_status(200).json()["email"], "ada@example.org");
    app.patch(&path, json!({"email": "ada.w@example.org"})).await.expect_status(200);
    if let Some(other) = app.beside().await {
        assert_eq!(other.get(&path).await.expect_status(200).json()["email"], "ada.w@example.org");
    }
    // A person's export holds the plain text.
    let catalog = app.workspace.catalog.load_full();
    let document = relata::transfer::subject(&app.workspace.records, &catalog, &Actor::system(), &id).await.expect("given");
    assert_eq!(
        (&document["record"]["email"], &document["history"][0]["changes"]["email"]["old"]),
        (&json!("ada.w@example.org"), &json!("ada@example.org"))
    );
}

#[tokio::test]
async fn a_master_key_with_the_last_number_has_no_successor() {
    let app = TestApp::with_files(&CLINIC).await;
    let keys = app.workspace.folders.workspace.join("keys");
    let last = format!("data-{}.key", i64::MAX);
    std::fs::copy(keys.join("data-1.key"), keys.join(&last)).expect("copied");
    match vault::rotate(&app.workspace.store).await {
        Err(relata::store::StoreError::BadKey { path, .. }) => assert!(path.ends_with(&last), "{path}"),
        other => panic!("{other:?}"),
    }
}
