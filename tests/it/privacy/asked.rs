//! Requests that ask by sensitive fields without showing them, and files: what the audit notes of them. And cursors, which
//! carry values of the list's order.

use axum::http::Method;
use relata::auth::{NewToken, NewUser};
use serde_json::json;

use super::erasure::upload;
use super::{CLINIC, lines};
use crate::support::TestApp;

const EXAM: [(&str, &str); 1] = [(
    "definitions/clinic/entities/exam.yaml",
    r#"
kind: entity
id: clinic.exam
label: Exam
label_plural: Exams
title: "{number}"
fields:
  number: {type: text}
  patient: {type: link, to: clinic.patient}
  finding: {type: text, class: sensitive, search: true}
  score: {type: integer, class: sensitive}
  picture: {type: file, class: sensitive}
  double: {type: formula, returns: integer, expr: "score * 2", stored: false}
  remarks: {type: children, of: clinic.remark, by: exam}
---
kind: entity
id: clinic.remark
label: Remark
label_plural: Remarks
title: "{number}"
fields:
  number: {type: text}
  exam: {type: link, to: clinic.exam}
  said: {type: text, class: sensitive}
"#,
)];

async fn exams() -> TestApp {
    let files: Vec<(&str, &str)> = CLINIC.iter().chain(&EXAM).copied().collect();
    TestApp::with_files(&files).await
}

#[tokio::test]
async fn asking_by_sensitive_fields_is_audited_with_fields_and_never_values() {
    let app = exams().await;
    let quiet = json!({"number": "1"});
    app.create_id("exam", quiet).await;
    assert_eq!(lines(&app, "records.read").await.len(), 0);
    let list = |query: &str| format!("/api/v1/records/exam?select=number&{query}");
    let asks: [(String, &str, &str); 9] = [
        (list("filter=finding%20%3D%20'zebra'"), "finding", "filter"),
        (list("filter=score%20%3E%205%20and%20finding%20is%20not%20null"), "finding,score", "filter"),
        (list("filter=double%20%3E%205"), "double", "filter"),
        (list("filter=exists(remarks%20where%20said%20%3D%20'zebra')"), "said", "filter"),
        (list("filter=patient.diagnosis%20%3D%20'zebra'"), "diagnosis", "filter"),
        (list("sort=-score"), "score", "sort"),
        (list("sort=finding:fold"), "finding", "sort"),
        (list("q=zebra"), "finding", "search"),
        ("/api/v1/records/exam?select=number,remarks(number%3Bfilter%3Dsaid%3D'zebra'%3Bsort%3Dsaid)".to_owned(), "said", "sort"),
    ];
    for (path, fields, how) in &asks {
        let before = lines(&app, "records.read").await.len();
        app.get(path).await.expect_status(200);
        app.get(path).await.expect_status(200);
        let noted = lines(&app, "records.read").await;
        assert_eq!(noted.len() - before, 2, "{path}: each time, whether anything was found or not");
        let line = &noted[0];
        let all = format!("{} {}", line.field.clone().unwrap_or_default(), line.detail);
        assert!(fields.split(',').all(|field| all.contains(field)) && all.contains(how), "{path}: {line:?}");
        assert!(!all.contains("zebra") && line.record.is_none(), "{path}: {line:?}");
    }
    // Words are looked for in what somebody may read: who may not read the field does not ask by it.
    let nobody = "kind: role\nid: desk\nlabel: Desk\npermissions:\n  exam: {fields: {hide: [finding]}}\n";
    let files: Vec<(&str, &str)> = CLINIC.iter().chain(&EXAM).copied().chain([("definitions/clinic/roles/desk.yaml", nobody)]).collect();
    let desk = TestApp::with_files(&files).await;
    let joe = NewUser { name: "Joe".into(), email: "joe@example.com".into(), password: String::new(), locale: None, admin: false };
    let joe = desk.workspace.auth.create_user(joe).await.expect("created");
    desk.patch(&format!("/api/v1/records/user/{}", joe.display("user")), json!({"roles": ["desk"]})).await.expect_status(200);
    let token = NewToken { email: "joe@example.com".into(), name: "joe".into(), days: None };
    let token = desk.workspace.auth.create_token(token).await.expect("made").secret;
    desk.request(Method::GET, &list("q=zebra")).token(&token).send().await.expect_status(200);
    assert_eq!(lines(&desk, "records.read").await.len(), 0);
    desk.request(Method::GET, &list("sort=-score")).token(&token).send().await.expect_status(200);
    assert_eq!(lines(&desk, "records.read").await.len(), 1);

    // What is not sensitive leaves none.
    let before = lines(&app, "records.read").await.len();
    for path in [list("filter=number%20%3D%20'1'&sort=number"), "/api/v1/records/room?q=x".to_owned()] {
        app.get(&path).await.expect_status(200);
    }
    assert_eq!(lines(&app, "records.read").await.len(), before);
}

#[tokio::test]
async fn groups_measures_and_limits_on_them_name_their_fields() {
    let app = exams().await;
    app.create_id("exam", json!({"number": "1"})).await;
    for (asked, fields, ways) in [
        (json!({"group": ["finding"], "measures": {"n": "count()"}}), "finding", "[\"group\"]"),
        (json!({"group": ["number"], "measures": {"most": "max(score)"}, "having": "most > 3"}), "score", "[\"having\",\"measure\"]"),
        (json!({"measures": {"n": "count()"}, "filter": "score > 3"}), "score", "[\"filter\"]"),
    ] {
        let before = lines(&app, "records.read").await.len();
        app.post("/api/v1/records/exam/aggregate", asked.clone()).await.expect_status(200);
        let noted = lines(&app, "records.read").await;
        assert_eq!(noted.len() - before, 1, "{asked}");
        assert_eq!(noted[0].field.as_deref(), Some(fields), "{asked}");
        assert!(noted[0].detail.contains(ways), "{asked}: {}", noted[0].detail);
    }
}

#[tokio::test]
async fn files_of_sensitive_fields_are_audited_when_they_are_handed_out() {
    let app = exams().await;
    let picture = upload(&app, "exam", "heart.txt", "zebra").await;
    app.get(&format!("/files/{picture}")).await.expect_status(200);
    assert_eq!(lines(&app, "records.read").await.len(), 0, "no record holds it");
    let exam = app.create_id("exam", json!({"number": "1", "picture": [picture]})).await;
    let scan = upload(&app, "patient", "scan.txt", "a scan").await;
    app.create_id("patient", json!({"number": "1", "scan": [scan]})).await;
    let before = lines(&app, "records.read").await.len();
    app.get(&format!("/files/{scan}")).await.expect_status(200);
    assert_eq!(lines(&app, "records.read").await.len(), before, "personal is not sensitive");
    app.get(&format!("/api/v1/files/{picture}")).await.expect_status(200);
    let noted = lines(&app, "records.read").await;
    assert_eq!((noted.len() - before, noted[0].field.as_deref()), (1, Some("picture")));
    assert_eq!(noted[0].record, relata::base::RecordId::parse(&exam).map(|(_, id)| id.0));
    assert!(!noted[0].detail.contains("heart"), "{:?}", noted[0]);
}

#[tokio::test]
async fn a_cursor_tells_nothing_of_the_values_it_carries() {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let app = exams().await;
    for (number, finding) in [("1", "zebra"), ("2", "zebra crossing")] {
        app.create_id("exam", json!({"number": number, "finding": finding})).await;
    }
    let path = "/api/v1/records/exam?select=number&sort=finding&limit=1";
    let page = app.get(path).await.expect_status(200).json();
    let cursor = page["next_cursor"].as_str().expect("a cursor");
    let bytes = URL_SAFE_NO_PAD.decode(cursor).expect("a cursor");
    assert!(!bytes.windows(5).any(|window| window == b"zebra"));
    assert_eq!(app.get(path).await.json()["next_cursor"], cursor, "the same place has the same cursor");
    let next = app.get(&format!("{path}&cursor={cursor}")).await.expect_status(200).json();
    assert_eq!((&page["data"][0]["number"], &next["data"][0]["number"]), (&json!("1"), &json!("2")));
    let mut changed = bytes.clone();
    *changed.last_mut().expect("bytes") ^= 1;
    // A changed one, and one of an earlier version: signed, and readable.
    for foreign in [changed, [&[1][..], &[0; 50]].concat()] {
        let path = format!("{path}&cursor={}", URL_SAFE_NO_PAD.encode(foreign));
        let problem = app.get(&path).await.expect_problem(400, "QRY030");
        assert!(problem.to_string().contains("without `cursor`"));
    }
}
