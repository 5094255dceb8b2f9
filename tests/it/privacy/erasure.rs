//! Erasing a person: who may, what is refused, and that nothing is left of them, also after an older backup is put back.

use std::path::Path;
use std::sync::Arc;

use axum::http::Method;
use relata::app::{AppError, Options, Workspace};
use relata::auth::{NewToken, NewUser};
use relata::base::{Clock, RecordId, SystemRandom};
use relata::deploy::{self, DeployError, Folders};
use relata::store::{StoreError, Target, backup, erasures, idempotency, jobs, vault};
use serde_json::json;

use super::{CLINIC, lines, texts};
use crate::support::{TestApp, postgres_url};

/// What stands in every value of the person.
const CANARY: &str = "zqcanary";

fn number(id: &str) -> i64 {
    RecordId::parse(id).expect("an id").1.0
}

#[tokio::test]
async fn only_administrators_erase_and_only_what_has_a_class() {
    let app = TestApp::with_files(&CLINIC).await;
    let id = app.create_id("patient", json!({"number": "1", "email": "ada@example.org"})).await;
    let person = NewUser { name: "Joe".into(), email: "joe@example.com".into(), password: String::new(), locale: None, admin: false };
    app.workspace.auth.create_user(person).await.expect("created");
    let token = NewToken { email: "joe@example.com".into(), name: "joe".into(), days: None };
    let token = app.workspace.auth.create_token(token).await.expect("made").secret;
    let path = format!("/api/v1/records/patient/{id}/erase");
    app.request(Method::POST, &path).token(&token).send().await.expect_problem(403, "ACL002");
    app.request(Method::POST, &path).anonymous().send().await.expect_status(401);
    app.request(Method::GET, &format!("/records/patient/{id}/erase")).token(&token).send().await.expect_status(403);
    app.post("/api/v1/records/patient/patient_0000000000001/erase", json!({})).await.expect_problem(404, "REC002");
    let team = app.create_id("team", json!({"name": "Sales"})).await;
    app.post(&format!("/api/v1/records/team/{team}/erase"), json!({})).await.expect_problem(409, "REC013");
    let joe = app.get("/api/v1/records/user?filter=email='joe@example.com'").await.expect_status(200).json();
    let joe = format!("/api/v1/records/user/{}", joe["data"][0]["id"].as_str().expect("an id"));
    app.post(&format!("{joe}/erase"), json!({})).await.expect_problem(409, "REC013");
    assert_eq!(app.get(&format!("/api/v1/records/patient/{id}")).await.json()["email"], "ada@example.org", "nothing happened");

    app.patch(&joe, json!({"active": false})).await.expect_status(200);
    app.post(&format!("{joe}/erase"), json!({})).await.expect_status(200);
    assert_eq!(app.get(&joe).await.expect_status(200).json()["email"], json!(null));
    app.request(Method::GET, "/api/v1/records/patient").token(&token).send().await.expect_status(401);
    let page = app.get(&format!("/records/patient/{id}/erase")).await.expect_status(200).text();
    assert!(page.contains("Erase for good"), "{page}");
}

/// Uploads a file and gives its id.
pub async fn upload(app: &TestApp, entity: &str, name: &str, content: &str) -> String {
    let upload = app.request(Method::POST, &format!("/api/v1/files?name={name}&entity={entity}"));
    let upload = upload.header("content-type", "application/octet-stream").bytes(content);
    upload.send().await.expect_status(201).json()["id"].as_str().expect("an id").to_owned()
}

/// A person with the canary in twenty-two places; gives the id.
async fn person(app: &TestApp) -> String {
    let file = upload(app, "patient", &format!("{CANARY}10.txt"), &format!("scan of {CANARY}11")).await;
    let former = upload(app, "patient", &format!("{CANARY}17.txt"), &format!("former scan of {CANARY}18")).await;
    let (first, second) = (app.create_id("room", json!({"number": "1"})).await, app.create_id("room", json!({"number": "2"})).await);
    let values = json!({
        "number": "P-1",
        "name": {"given": format!("{CANARY}01"), "family": format!("{CANARY}02")},
        "email": format!("{CANARY}03@example.org"),
        "insurance": format!("{CANARY}04"),
        "diagnosis": format!("heart {CANARY}05"),
        "portal_key": format!("{CANARY}06 secret"),
        "ward": "3",
        "scan": [former],
        "room": first,
    });
    let id = app.create_id("patient", values).await;
    let path = format!("/api/v1/records/patient/{id}");
    // Former values: in the history, and in freed places of the row's page.
    app.patch(&path, json!({"diagnosis": format!("{CANARY}07"), "insurance": format!("{CANARY}08")})).await.expect_status(200);
    app.patch(&path, json!({"name": {"given": format!("{CANARY}09"), "family": "Smith"}})).await.expect_status(200);
    // A file that was replaced, and a room that was left: computed values of both rooms, in their rows and histories.
    app.patch(&path, json!({"scan": [file], "room": second})).await.expect_status(200);
    app.patch(&path, json!({"diagnosis": format!("{CANARY}19")})).await.expect_status(200);
    let below = json!({"patient": id, "report": format!("saw {CANARY}12"), "letter": format!("dear {CANARY}13"), "day": "2026-11-20"});
    app.create_id("visit", below).await;
    let gone = app.create_id("visit", json!({"patient": id, "report": format!("binned {CANARY}14")})).await;
    app.delete(&format!("/api/v1/records/visit/{gone}")).await.expect_status(204);
    // A job and a kept answer, as deliveries and repeated requests leave them.
    let record = number(&id);
    app.workspace
        .store
        .write::<_, relata::store::StoreError>(move |tx| {
            Box::pin(async move {
                let payload = json!({"handler": "x", "id": record, "version": 1, "values": {"name": format!("{CANARY}15")}});
                let job = jobs::NewJob { handler: "later".into(), payload_json: payload.to_string(), ..jobs::NewJob::default() };
                jobs::enqueue(tx, &job).await?;
                idempotency::begin(tx, 1, "k", "d").await?;
                let body = json!({"id": record, "version": 1, "warnings": [format!("{CANARY}16")]});
                idempotency::finish(tx, 1, "k", 200, &body.to_string()).await
            })
        })
        .await
        .expect("written");
    id
}

/// Files below a folder in which the canary stands.
fn holding(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let Ok(entries) = std::fs::read_dir(folder) else { return found };
    for path in entries.map(|entry| entry.expect("an entry").path()) {
        if path.is_dir() {
            found.extend(holding(&path));
        } else if let Ok(bytes) = std::fs::read(&path)
            && bytes.to_ascii_lowercase().windows(CANARY.len()).any(|window| window == CANARY.as_bytes())
        {
            found.push(path.display().to_string());
        }
    }
    found
}

/// What the database tells of the person, whatever the table.
async fn told(app: &TestApp) -> String {
    let mut all = String::new();
    for sql in [
        "SELECT concat_ws(' ', name__given, name__family, email, email_k, insurance, diagnosis, risk, portal_key) FROM e_patient",
        "SELECT concat_ws(' ', report, report_k, letter, letter_k) FROM e_visit",
        "SELECT concat_ws(' ', worst, sign) FROM e_room",
        "SELECT changes FROM sys_history",
        "SELECT payload FROM sys_job",
        "SELECT coalesce(body, '') FROM sys_idempotency",
        "SELECT name FROM sys_file",
        "SELECT wrapped FROM sys_data_key",
        "SELECT detail FROM sys_audit",
    ] {
        all.push_str(&texts(app, sql).await);
    }
    all
}

async fn expect_gone(app: &TestApp, id: &str) {
    let read = app.get(&format!("/api/v1/records/patient/{id}")).await.expect_status(200).json();
    for field in ["name", "email", "insurance", "diagnosis", "risk", "portal_key"] {
        assert!(read[field].is_null(), "{field}: {read:#}");
    }
    assert_eq!((&read["number"], &read["ward"], &read["scan"]), (&json!("P-1"), &json!("3"), &json!([])), "the rest stays");
    let history = app.get(&format!("/api/v1/records/patient/{id}/history")).await.expect_status(200).text();
    assert!(history.contains("erase") && !history.contains(CANARY), "{history}");
    assert!(!told(app).await.contains(CANARY), "{}", told(app).await);
    let found = app.get(&format!("/api/v1/records/patient?q={CANARY}09")).await.expect_status(200).json();
    assert_eq!(found["data"], json!([]));
}

#[tokio::test]
async fn nothing_is_left_of_a_person_also_after_a_restore() {
    let app = TestApp::with_files(&CLINIC).await;
    let id = person(&app).await;
    let folder = app.workspace.folders.workspace.clone();
    let store = app.workspace.store.clone();
    let copy = folder.join("older-backup");
    let sealed = texts(&app, "SELECT insurance FROM e_patient").await;
    assert!(told(&app).await.contains(CANARY) && sealed.starts_with("sealed1:"));
    if postgres_url().is_none() {
        backup::take(&store, &copy).await.expect("a backup");
        assert!(!holding(&folder.join("relata-data")).is_empty());
    }

    let erased = app.post(&format!("/api/v1/records/patient/{id}/erase"), json!({})).await.expect_status(200).json();
    assert_eq!(erased, json!({"records": 3, "files": 2}), "the patient and two visits; the scan and the former one");
    app.workspace.runner.run_until_idle().await.expect("the queue is read");
    expect_gone(&app, &id).await;
    let noted = lines(&app, "record.erase").await;
    assert_eq!((noted.len(), noted[0].record), (1, Some(number(&id))));
    assert!(relata::store::audit::verify(&store, Vec::new()).await.expect("read").is_ok(), "the chain is whole");
    // A copy of what was encrypted can be read by nobody any more.
    let keys = vault::keys_of(&mut relata::store::compile::Source::Store(&store), &[number(&id)]).await.expect("asked");
    assert!(keys.is_empty(), "the key is gone");
    assert!(std::fs::read_to_string(folder.join("keys/erasures.log")).expect("told").contains(&number(&id).to_string()));
    // Somebody may be entered anew.
    app.patch(&format!("/api/v1/records/patient/{id}"), json!({"email": "new@example.org"})).await.expect_status(200);
    if postgres_url().is_some() {
        // As if an older dump had been put back: the next process that starts erases again.
        let older = relata::store::Sql::new("DELETE FROM sys_erasure");
        store.write(move |tx| Box::pin(async move { tx.run(older).await })).await.expect("forgotten");
        let other = app.beside().await.expect("another process");
        assert!(other.get(&format!("/api/v1/records/patient/{id}")).await.expect_status(200).json()["email"].is_null());
        assert!(lines(&app, "record.erase").await.iter().any(|line| line.detail.contains("true")), "done again");
        return;
    }

    let data = folder.join("relata-data");
    store.scrub().await.expect("scrubbed");
    assert_eq!(holding(&data), [""; 0], "in no file of the database");
    assert_eq!(holding(&folder.join("files")), [""; 0]);
    store.close().await.expect("closed");
    backup::restore(&copy, &data).await.expect("restored");
    assert!(!holding(&data).is_empty(), "the backup is older than the erasure");
    let mut options = Options::new(Target::Sqlite { path: data.clone() }, Folders::new(&folder, None));
    (options.files, options.keys) = (Some(data.join("files")), Some(folder.join("keys")));
    options.clock = app.clock.clone();
    options.random = Arc::new(SystemRandom);
    let again = Workspace::open(&options).await.expect("opens");
    let entries = relata::store::audit::list(&again.store, &relata::store::audit::Filter::default(), None, 100).await.expect("read");
    assert!(entries.iter().any(|line| line.action == "record.erase" && line.detail.contains("true")), "done again");
    assert!(relata::store::audit::verify(&again.store, Vec::new()).await.expect("read").is_ok());
    again.store.close().await.expect("closed");
    assert_eq!(holding(&data), [""; 0], "in no file of the restored database");
    // Once is enough.
    let once_more = Workspace::open(&options).await.expect("opens");
    let count =
        relata::store::audit::list(&once_more.store, &relata::store::audit::Filter::default(), None, 100).await.expect("read").len();
    assert_eq!(count, entries.len());
    once_more.store.close().await.expect("closed");
}

async fn erase(app: &TestApp, id: &str) {
    app.post(&format!("/api/v1/records/patient/{id}/erase"), json!({})).await.expect_status(200);
}

/// Takes lines out of the definitions, or writes others in their place.
pub async fn redefine(app: &TestApp, change: impl Fn(&str) -> Option<String>) {
    let mut files = deploy::read(&app.workspace.folders).expect("read");
    for file in &mut files {
        file.text = file.text.lines().filter_map(|line| Some(change(line)? + "\n")).collect();
    }
    let needed = match app.workspace.apply(&files, None, &[], 0).await {
        Err(AppError::Deploy(DeployError::Unconfirmed(needed))) => needed,
        other => return drop(other.expect("applied")),
    };
    app.workspace.apply(&files, None, &needed, 0).await.expect("applied");
}

#[tokio::test]
async fn what_was_taken_out_of_the_definitions_is_emptied_too() {
    let app = TestApp::with_files(&CLINIC).await;
    let id = person(&app).await;
    // Somebody else's file stays, also while no field shows it.
    let shared = upload(&app, "patient", "shared.txt", "of both").await;
    app.create_id("patient", json!({"number": "2", "scan": [shared]})).await;
    app.patch(&format!("/api/v1/records/patient/{id}"), json!({"scan": [shared]})).await.expect_status(200);
    app.patch(&format!("/api/v1/records/patient/{id}"), json!({"diagnosis": "heart"})).await.expect_status(200);
    redefine(&app, |line| {
        let gone = line.starts_with("  scan:") || line.starts_with("  report:");
        (!gone).then(|| line.replace("null)\", stored: true", "null)\", stored: false"))
    })
    .await;
    let hidden = "SELECT concat_ws(' ', report, report_k) FROM e_visit";
    assert!(texts(&app, hidden).await.contains(CANARY), "kept until then");
    assert_eq!(texts(&app, "SELECT risk FROM e_patient WHERE risk IS NOT NULL").await, "high", "once stored");
    let erased = app.post(&format!("/api/v1/records/patient/{id}/erase"), json!({})).await.expect_status(200).json();
    assert_eq!(erased, json!({"records": 3, "files": 2}));
    assert_eq!(texts(&app, "SELECT coalesce(risk, '') FROM e_patient").await.trim(), "");
    assert!(!texts(&app, hidden).await.contains(CANARY));
    assert!(!told(&app).await.contains(CANARY), "{}", told(&app).await);
    assert_eq!(holding(&app.workspace.folders.workspace.join("files")), [""; 0]);
    assert_eq!(texts(&app, "SELECT name FROM sys_file").await, "shared.txt");
}

#[tokio::test]
async fn a_token_erases_only_when_it_was_made_for_it() {
    let app = TestApp::with_files(&CLINIC).await;
    let id = app.create_id("patient", json!({"number": "1", "email": "ada@example.org"})).await;
    let make = async |scopes: serde_json::Value| {
        let made = app.post("/api/v1/tokens", json!({"name": "t", "scopes": scopes})).await.expect_status(201).json();
        made["token"].as_str().expect("a secret").to_owned()
    };
    let path = format!("/api/v1/records/patient/{id}/erase");
    let (admin, alone, both) = (make(json!(["admin"])).await, make(json!(["write", "erase"])).await, make(json!(["admin", "erase"])).await);
    for token in [&admin, &alone] {
        app.request(Method::POST, &path).token(token).send().await.expect_problem(403, "ACL003");
    }
    let wider = app.request(Method::POST, "/api/v1/tokens").token(&admin).json(&json!({"name": "t", "scopes": ["admin", "erase"]}));
    wider.send().await.expect_problem(403, "ACL003");
    assert_eq!(app.get(&format!("/api/v1/records/patient/{id}")).await.json()["email"], "ada@example.org", "nothing happened");
    app.request(Method::POST, &path).token(&both).send().await.expect_status(200);
}

#[tokio::test]
async fn what_is_erased_while_a_scrub_runs_is_scrubbed_too() {
    let app = TestApp::with_files(&CLINIC).await;
    let store = &app.workspace.store;
    let mut people = Vec::new();
    for number in 1..=3 {
        people.push(app.create_id("patient", json!({"number": number.to_string(), "diagnosis": "heart"})).await);
    }
    erase(&app, &people[0]).await;
    let claimed = jobs::claim(store, 100, std::time::Duration::from_secs(60)).await.expect("claimed");
    assert_eq!(claimed.iter().filter(|job| job.handler == relata::record::SCRUB).count(), 1, "{claimed:?}");
    erase(&app, &people[1]).await;
    erase(&app, &people[2]).await;
    let waiting = jobs::list(store, "ready", 100).await.expect("listed");
    assert_eq!(waiting.iter().filter(|line| line.job.handler == relata::record::SCRUB).count(), 1, "one for both: {waiting:?}");
}

#[tokio::test]
async fn the_second_erasure_of_a_record_counts_after_a_backup_from_between() {
    let app = TestApp::with_files(&CLINIC).await;
    let id = app.create_id("patient", json!({"number": "1", "email": "ada@example.org"})).await;
    let path = format!("/api/v1/records/patient/{id}");
    let ledger = app.workspace.folders.workspace.join("keys").join(erasures::LEDGER);
    let between = app.clock.now();
    erase(&app, &id).await;
    // As a write that was cut short, or a careless hand, leaves it.
    let mut bytes = std::fs::read(&ledger).expect("read");
    bytes.extend_from_slice(b"\xff\xfe\nrelata-erasure/1 clinic.");
    std::fs::write(&ledger, &bytes).expect("written");
    app.clock.advance_ms(60_000);
    app.patch(&path, json!({"email": "ada@example.org"})).await.expect_status(200);
    erase(&app, &id).await;
    let told = String::from_utf8_lossy(&std::fs::read(&ledger).expect("read")).into_owned();
    assert_eq!(told.lines().filter(|line| line.contains(&number(&id).to_string())).count(), 2, "{told}");
    assert!(told.lines().all(|line| line.matches("relata-erasure").count() <= 1), "each on a line of its own: {told}");
    let records = &app.workspace.records;
    assert_eq!(records.erase_again().await.expect("asked"), 0, "nothing is forgotten");

    let record = number(&id);
    let uid = texts(&app, "SELECT entity FROM sys_erasure").await;
    app.workspace
        .store
        .write::<_, StoreError>(move |tx| {
            let uid = uid.clone();
            Box::pin(async move {
                tx.run(relata::store::Sql::new("DELETE FROM sys_erasure")).await?;
                erasures::note(tx, &uid, record, between).await
            })
        })
        .await
        .expect("as the backup has it");
    app.patch(&path, json!({"email": "ada@example.org"})).await.expect_status(200);
    assert_eq!(records.erase_again().await.expect("erased"), 1);
    assert!(app.get(&path).await.expect_status(200).json()["email"].is_null());
    assert_eq!(records.erase_again().await.expect("asked"), 0, "once is enough");
}

#[tokio::test]
async fn what_was_computed_goes_in_the_recycle_bin_too() {
    let app = TestApp::with_files(&CLINIC).await;
    let id = app.create_id("patient", json!({"number": "1", "diagnosis": "heart"})).await;
    assert_eq!(texts(&app, "SELECT risk FROM e_patient").await, "high");
    app.delete(&format!("/api/v1/records/patient/{id}")).await.expect_status(204);
    erase(&app, &id).await;
    assert_eq!(texts(&app, "SELECT coalesce(risk, diagnosis, '') FROM e_patient").await, "");
}

#[tokio::test]
async fn chores_sweep_what_is_over() {
    let app = TestApp::empty().await;
    let form = "email=admin%40example.com&password=wrong+and+long+enough";
    let failed = app.request(Method::POST, "/sign-in").anonymous().header("sec-fetch-site", "same-origin");
    failed.header("content-type", "application/x-www-form-urlencoded").text(form).send().await;
    assert_ne!(texts(&app, "SELECT key FROM sys_throttle").await, "");
    app.clock.advance_ms(400 * 24 * 3600 * 1000);
    app.workspace.queue_chores().await.expect("queued");
    app.workspace.queue_chores().await.expect("queued once");
    assert_eq!(app.workspace.runner.run_until_idle().await.expect("done"), 4);
    assert_eq!(texts(&app, "SELECT key FROM sys_throttle").await, "");
}
