//! Classes of fields: what they refuse, where they are told, and that reading sensitive values is audited.

use axum::http::Method;
use relata::auth::{NewToken, NewUser};
use relata::schema::{self, Bindings, SourceFile};
use serde_json::json;

use super::{CLINIC, lines};
use crate::support::TestApp;

/// The definitions of the package that is always there.
fn core() -> Vec<SourceFile> {
    let nowhere = std::env::temp_dir().join("relata-no-such-workspace");
    relata::deploy::read(&relata::deploy::Folders::new(nowhere, None)).expect("shipped")
}

/// The codes of the faults of one entity with these fields.
fn faults(fields: &str) -> Vec<String> {
    faults_of(&format!("kind: entity\nid: clinic.thing\nlabel: Thing\ntitle: \"{{name}}\"\nfields:\n  name: {{type: text}}\n{fields}"))
}

/// The codes of the faults of the clinic with another entity.
pub fn faults_of(entity: &str) -> Vec<String> {
    let mut files: Vec<SourceFile> = CLINIC.iter().map(|(path, text)| SourceFile::new(*path, *text)).collect();
    files.push(SourceFile::new("definitions/clinic/entities/thing.yaml", entity));
    files.extend(core());
    match schema::load(&files, &Bindings::default()) {
        Ok(_) => Vec::new(),
        Err(faults) => faults.iter().map(|fault| fault.code.to_owned()).collect(),
    }
}

#[test]
fn what_cannot_be_is_a_fault_of_the_definitions() {
    let cases = [
        ("  a: {type: text, class: private}\n", "DEF1"),
        ("  a: {type: formula, returns: integer, expr: \"1\", class: personal}\n", "DEF322"),
        ("  a: {type: children, of: clinic.visit, by: patient, class: personal}\n", "DEF322"),
        ("  a: {type: integer, encrypted: true}\n", "DEF324"),
        ("  a: {type: email, class: secret}\n", "DEF324"),
        ("  a: {type: text, encrypted: true, search: true}\n", "DEF324"),
        ("  a: {type: text, class: secret, unique: true}\n", "DEF324"),
        ("  p: {type: link, to: clinic.patient}\n  a: {type: lookup, via: p, field: email}\n", "DEF313"),
        // What would put the plain text elsewhere, or cannot be answered by a blind index.
        ("  e: {type: text, encrypted: true}\n  a: {type: formula, returns: text, expr: \"e\", stored: true}\n", "EXP"),
        ("  e: {type: text, encrypted: true}\n  a: {type: formula, returns: boolean, expr: \"e contains 'x'\", stored: true}\n", "EXP"),
        ("  e: {type: text, encrypted: true}\n  a: {type: formula, returns: boolean, expr: \"e > 'x'\", stored: true}\n", "EXP"),
        ("  e: {type: text, encrypted: true}\n  a: {type: formula, returns: boolean, expr: \"e = name\", stored: true}\n", "EXP"),
        ("  e: {type: text, class: secret}\n  a: {type: formula, returns: boolean, expr: \"e = 'x'\", stored: true}\n", "EXP"),
    ];
    for (fields, wanted) in cases {
        let found = faults(fields);
        assert!(found.iter().any(|code| code.starts_with(wanted)), "{fields} gave {found:?}, not {wanted}");
    }
    for title in ["{e}", "{s}"] {
        let text = format!(
            "kind: entity\nid: clinic.thing\nlabel: Thing\ntitle: \"{title}\"\nfields:\n  e: {{type: text, encrypted: true}}\n  s: {{type: text, class: sensitive}}\n"
        );
        assert!(faults_of(&text).iter().any(|code| code == "DEF320"), "{title}");
    }
    assert_eq!(
        faults("  e: {type: text, encrypted: true}\n  a: {type: formula, returns: boolean, expr: \"e = 'x'\", stored: true}\n"),
        [""; 0]
    );
}

#[tokio::test]
async fn the_schema_tells_classes_and_what_can_be_asked() {
    let app = TestApp::with_files(&CLINIC).await;
    let schema = app.get("/api/v1/schema/patient").await.expect_status(200).json();
    let facts = |field: &str| schema["properties"][field]["x-relata"].clone();
    assert_eq!((&facts("diagnosis")["class"], &facts("ward")["class"]), (&json!("sensitive"), &json!(null)));
    assert_eq!((&facts("email")["encrypted"], &facts("portal_key")["class"]), (&json!(true), &json!("secret")));
    assert_eq!(facts("email")["operators"], json!(["=", "!=", "in", "is null", "is not null"]));
    assert_eq!((&facts("email")["sortable"], &facts("portal_key")["operators"]), (&json!(false), &json!(["is null", "is not null"])));
}

#[tokio::test]
async fn reading_sensitive_values_is_audited_and_nothing_else_is() {
    let app = TestApp::with_files(&CLINIC).await;
    let one = app.create_id("patient", json!({"number": "1", "diagnosis": "heart failure"})).await;
    app.create_id("patient", json!({"number": "2", "diagnosis": "broken arm"})).await;
    let healthy = app.create_id("patient", json!({"number": "3"})).await;
    app.create_id("visit", json!({"patient": one})).await;
    // The answer to a write shows the record; what can be asked not to.
    let start = lines(&app, "records.read").await.len();
    assert_eq!(start, 2);
    let quiet = app.request(Method::PATCH, &format!("/api/v1/records/patient/{one}")).header("prefer", "return=minimal");
    quiet.header("content-type", "application/merge-patch+json").text(r#"{"ward": "3"}"#).send().await.expect_status(204);
    for path in [
        "/api/v1/records/patient?select=number,ward",
        &format!("/api/v1/records/patient/{healthy}"),
        "/api/v1/records/visit",
        "/api/v1/records/patient?filter=number='3'",
    ] {
        app.get(path).await.expect_status(200);
        assert_eq!(lines(&app, "records.read").await.len(), start, "{path}");
    }

    app.get(&format!("/api/v1/records/patient/{one}")).await.expect_status(200);
    let read = lines(&app, "records.read").await;
    assert_eq!((read.len() - start, read[0].entity.as_deref(), read[0].actor_kind.as_str()), (1, Some("clinic.patient"), "token"));
    assert!(read[0].record.is_some() && read[0].detail.contains("diagnosis") && read[0].detail.contains("risk"), "{:?}", read[0]);
    // A page is one entry; a linked record counts like one that was asked for; computed values like what they come from.
    app.get("/api/v1/records/patient?select=number,diagnosis").await.expect_status(200);
    app.get("/api/v1/records/visit?select=day,patient(diagnosis)").await.expect_status(200);
    app.get("/api/v1/records/patient?select=risk&filter=number='1'").await.expect_status(200);
    app.get(&format!("/api/v1/records/patient/{one}/history")).await.expect_status(200);
    app.get(&format!("/records/patient/{one}")).await.expect_status(200);
    app.get(&format!("/records/patient/{one}/edit")).await.expect_status(200);
    app.post("/api/v1/records/patient/aggregate", json!({"group": ["diagnosis"], "measures": {"n": "count()"}})).await.expect_status(200);
    let read = lines(&app, "records.read").await;
    // One each: a record page reads the same twice, and says so once.
    assert_eq!(read.len() - start, 8, "{read:#?}");
    let (page, linked, computed) = (&read[6], &read[5], &read[4]);
    assert!(page.detail.contains("\"count\":2") && page.field.as_deref() == Some("diagnosis"), "{page:?}");
    assert_eq!((linked.entity.as_deref(), computed.field.as_deref()), (Some("clinic.patient"), Some("risk")));
    assert!(read.iter().all(|line| !line.detail.contains("heart") && !line.detail.contains("arm")), "no values");

    // Who may not read the field is shown nothing, so there is nothing to note.
    let before = lines(&app, "records.read").await.len();
    let person = NewUser { name: "Joe".into(), email: "joe@example.com".into(), password: String::new(), locale: None, admin: false };
    app.workspace.auth.create_user(person).await.expect("created");
    let token = NewToken { email: "joe@example.com".into(), name: "joe".into(), days: None };
    let token = app.workspace.auth.create_token(token).await.expect("made").secret;
    app.request(Method::GET, &format!("/api/v1/records/patient/{one}?select=number")).token(&token).send().await.expect_status(200);
    assert_eq!(lines(&app, "records.read").await.len(), before);
}
