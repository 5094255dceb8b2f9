//! Retention rules: what they refuse, and that they do what is due and nothing else, once a day.

use serde_json::json;

use super::classes::faults_of;
use super::{CLINIC, lines};
use crate::support::TestApp;

const DAY_MS: i64 = 24 * 3600 * 1000;

#[test]
fn what_cannot_be_is_a_fault_of_the_definitions() {
    let entity = |retention: &str| {
        format!(
            "kind: entity\nid: clinic.thing\nlabel: Thing\nfields:\n  name: {{type: text}}\n  on: {{type: date}}\nretention:\n  - {retention}\n"
        )
    };
    for (retention, wanted) in [
        ("{id: a, days: 10, action: erase}", "DEF325"),
        ("{id: a, days: 10, since: name, action: delete}", "DEF325"),
        ("{id: a, days: 10, since: nothing, action: delete}", "DEF207"),
        ("{id: a, days: 0, action: delete}", "DEF1"),
        ("{id: a, days: 5000000000, action: delete}", "DEF1"),
        ("{id: a, days: 10, action: burn}", "DEF1"),
        ("{id: a, days: 10, when: \"nothing = 1\", action: delete}", "EXP"),
    ] {
        let found = faults_of(&entity(retention));
        assert!(found.iter().any(|code| code.starts_with(wanted)), "{retention} gave {found:?}, not {wanted}");
    }
    assert_eq!(faults_of(&entity("{id: a, days: 10, since: \"on\", action: delete}")), [""; 0]);
}

/// A rule that could not ask whether something is left would erase everybody again each day.
#[test]
fn every_field_that_says_something_of_a_person_can_be_asked_whether_it_is_filled() {
    let types = [
        "text",
        "long_text",
        "rich_text",
        "integer",
        "decimal",
        "percent",
        "money",
        "boolean",
        "date",
        "datetime",
        "time",
        "duration",
        "email",
        "phone",
        "url",
        "color",
        "rating",
        "tags",
        "file",
        "image",
        "address",
        "person_name",
        "geo",
        "json",
        "user",
        "link, to: clinic.patient",
        "any_link, to: [clinic.patient, clinic.visit]",
        "select, options: [a]",
        "multi_select, options: [a]",
    ];
    for ty in types {
        let text = format!(
            "kind: entity\nid: clinic.thing\nlabel: Thing\nfields:\n  it: {{type: {ty}, class: personal}}\nretention:\n  - {{id: a, days: 9, action: erase}}\n"
        );
        assert_eq!(faults_of(&text), [""; 0], "{ty}");
    }
    // More than one expression may be long.
    let many: String = (0..90).map(|number| format!("  a{number}: {{type: address, class: personal}}\n")).collect();
    let text = format!("kind: entity\nid: clinic.thing\nlabel: Thing\nfields:\n{many}retention:\n  - {{id: a, days: 9, action: erase}}\n");
    assert_eq!(faults_of(&text), [""; 0]);
}

#[tokio::test]
async fn what_is_due_is_erased_or_deleted_once_a_day() {
    let app = TestApp::with_files(&CLINIC).await;
    let values = |ward: &str, email: &str| json!({"number": email, "ward": ward, "email": email});
    let closed = app.create_id("patient", values("closed", "a@example.org")).await;
    let open = app.create_id("patient", values("3", "b@example.org")).await;
    let visit = json!({"patient": open, "day": "2026-11-01", "report": "x"});
    let old = app.create_id("visit", visit).await;
    let young = app.create_id("visit", json!({"patient": open, "day": "2026-12-20", "report": "y"})).await;
    let chores = || async {
        app.workspace.queue_chores().await.expect("queued");
        app.workspace.runner.run_until_idle().await.expect("done");
    };
    let email = |id: &str| {
        let path = format!("/api/v1/records/patient/{id}");
        let app = &app;
        async move { app.get(&path).await.expect_status(200).json()["email"].clone() }
    };
    chores().await;
    assert_eq!(lines(&app, "records.retain").await.len(), 0, "nothing is due");

    app.clock.advance_ms(35 * DAY_MS);
    chores().await;
    app.get(&format!("/api/v1/records/visit/{old}")).await.expect_status(404);
    app.get(&format!("/api/v1/records/visit/{young}")).await.expect_status(200);
    assert_eq!(email(&closed).await, "a@example.org");
    let noted = lines(&app, "records.retain").await;
    assert_eq!((noted.len(), noted[0].entity.as_deref()), (1, Some("clinic.visit")));
    assert!(noted[0].detail.contains("old_visits") && noted[0].detail.contains("\"deleted\":1"), "{:?}", noted[0]);

    app.clock.advance_ms(400 * DAY_MS);
    chores().await;
    assert_eq!((email(&closed).await, email(&open).await), (json!(null), json!("b@example.org")));
    assert_eq!(lines(&app, "record.erase").await.len(), 1);
    // Erased is erased: the next day finds nothing to do, and the same day nobody looks twice.
    app.clock.advance_ms(400 * DAY_MS);
    chores().await;
    chores().await;
    assert_eq!(lines(&app, "record.erase").await.len(), 1);
}
