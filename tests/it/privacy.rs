//! What is known about people: classes of fields, encryption, erasure.

mod asked;
mod classes;
mod consents;
mod deleted;
mod elsewhere;
mod encryption;
mod erasure;
mod retention;

use relata::schema::catalog::ColumnKind;
use relata::store::Sql;
use relata::store::audit::{self, Filter, Line};

use crate::support::TestApp;

/// Somebody with values of every class, and rows below them.
pub const CLINIC: [(&str, &str); 5] = [
    ("relata.yaml", "name: Clinic\ncurrency: EUR\nlocale: en\ntime_zone: UTC\n"),
    ("definitions/clinic/package.yaml", "kind: package\nid: clinic\nversion: 0.1.0\nlabel: Clinic\ndepends: [core]\n"),
    (
        "definitions/clinic/entities/patient.yaml",
        r#"
kind: entity
id: clinic.patient
label: Patient
label_plural: Patients
title: "{number}"
fields:
  number: {type: text, max: 20, required: true, search: true}
  name: {type: person_name, class: personal, search: true}
  email: {type: email, class: personal, encrypted: true, unique: true}
  insurance: {type: text, max: 40, class: personal, encrypted: true, index: true}
  diagnosis: {type: text, max: 200, class: sensitive}
  risk: {type: formula, returns: text, expr: "if(diagnosis contains 'heart', 'high', null)", stored: true}
  portal_key: {type: text, max: 80, min: 8, class: secret}
  ward: {type: text, max: 20, index: true}
  scan: {type: file, class: personal}
  room: {type: link, to: clinic.room}
  notes: {type: children, of: clinic.visit, by: patient}
retention:
  - {id: forgotten, days: 365, when: "ward = 'closed'", action: erase}
rules:
  - {id: ward_for_insured, assert: "insurance is null or ward is not null", code: no_ward, message: A ward is needed, at: ward}
"#,
    ),
    (
        "definitions/clinic/entities/room.yaml",
        r#"
kind: entity
id: clinic.room
label: Room
label_plural: Rooms
title: "{number}"
fields:
  number: {type: text, max: 20}
  patients: {type: children, of: clinic.patient, by: room}
  worst: {type: rollup, of: patients, agg: "max(diagnosis)"}
  sign: {type: formula, returns: text, expr: "concat('see ', worst)", stored: true}
"#,
    ),
    (
        "definitions/clinic/entities/visit.yaml",
        r#"
kind: entity
id: clinic.visit
label: Visit
label_plural: Visits
title: "{day}"
fields:
  patient: {type: link, to: clinic.patient, required: true, on_delete: cascade}
  day: {type: date}
  report: {type: long_text, class: personal, search: true}
  letter: {type: long_text, class: personal, encrypted: true}
retention:
  - {id: old_visits, days: 30, since: day, action: delete}
"#,
    ),
];

/// Entries of one act, newest first.
pub async fn lines(app: &TestApp, action: &str) -> Vec<Line> {
    let filter = Filter { action: Some(action.to_owned()), ..Filter::default() };
    audit::list(&app.workspace.store, &filter, None, 1000).await.expect("lists")
}

/// All rows of a statement that gives texts, in one text.
pub async fn texts(app: &TestApp, sql: &'static str) -> String {
    let rows = app.workspace.store.rows(Sql::new(sql), &[ColumnKind::Text]).await.expect("read");
    rows.iter().filter_map(|row| row[0].as_text()).collect::<Vec<_>>().join("\n")
}
