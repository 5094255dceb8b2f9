//! Imports that pass over gates: with a reason, by those who may, at every door of imports.

use std::process::{Command, Stdio};

use axum::http::Method;
use serde_json::{Value, json};

use super::world::{SHOP, World};
use crate::access::world::Person;
use crate::support::Answer;

const IMPORT: &str = "/api/v1/records/deal/import";
/// The second row meets its gates.
const FILE: &str = "code,name,stage\nn1,A,offer\nn2,B,new\n";

async fn send(world: &World, who: &Person, query: &str, file: &str) -> Answer {
    let request = world.app.request(Method::POST, &format!("{IMPORT}{query}")).token(&who.token).header("content-type", "text/csv");
    request.text(file).send().await
}

/// Codes of deals with their stages.
async fn standing(world: &World) -> Value {
    world.app.get("/api/v1/records/deal?select=code,stage&sort=code").await.expect_status(200).json()["data"].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_pass_over_gates_with_a_reason_of_somebody_who_may() {
    let world = World::new().await;
    for query in ["?reason=", "?reason=%20", &format!("?reason={}", "x".repeat(1_001))] {
        let problem = send(&world, &world.boss, query, FILE).await.expect_problem(400, "QRY004");
        assert_eq!(problem["errors"][0]["path"], "reason", "{problem:#}");
    }
    // Without a reason the row is told and left out; with one of somebody who may not, too.
    let told = send(&world, &world.boss, "", FILE).await.expect_status(200).json();
    assert_eq!((&told["created"], &told["failures"][0]["line"]), (&json!(1), &json!(2)), "{told:#}");
    let refused = send(&world, &world.clerk, "?reason=A%20friend", "code,name,stage\nn1,A,offer\n").await.expect_status(200).json();
    assert_eq!(refused["failed"], 1, "{refused:#}");
    let why = refused["failures"][0]["reason"].as_str().unwrap_or_default();
    assert!(why.contains("no role of yours may move against the gates") && why.contains("close_on"), "{why}");
    assert_eq!(standing(&world).await, json!([{"code": "n2", "stage": "new"}]));
    // A rehearsal says what would be, and keeps nothing.
    let rehearsed = world.app.request(Method::POST, &format!("{IMPORT}?match=code&reason=A%20friend")).token(&world.boss.token);
    let told = rehearsed.header("content-type", "text/csv").header("prefer", "dry-run").text(FILE).send().await.expect_status(200).json();
    assert_eq!((&told["created"], &told["unchanged"], &told["failed"]), (&json!(1), &json!(1), &json!(0)), "{told:#}");
    assert!(crate::audit::lines(&world.app, "stage.override").await.is_empty());
    let told = send(&world, &world.boss, "?match=code&reason=A%20friend", FILE).await.expect_status(200).json();
    assert_eq!((&told["created"], &told["failed"]), (&json!(1), &json!(0)), "{told:#}");
    assert_eq!(standing(&world).await, json!([{"code": "n1", "stage": "offer"}, {"code": "n2", "stage": "new"}]));
    // Kept with the move that needed it alone, and audited.
    let reasons = async |code: &str| {
        let found = world.app.get(&format!("/api/v1/records/deal?select=id&filter=code%20%3D%20'{code}'")).await.json();
        let id = found["data"][0]["id"].as_str().expect("an id").to_owned();
        let stays = world.app.get(&format!("/api/v1/records/deal/{id}/stages")).await.expect_status(200).json();
        stays["data"][0]["reason"].clone()
    };
    assert_eq!((reasons("n1").await, reasons("n2").await), (json!("A friend"), Value::Null));
    assert_eq!(crate::audit::lines(&world.app, "stage.override").await.len(), 1);
    // Records that are found move too; what only some may do stays with them, whatever the reason.
    let told = send(&world, &world.boss, "?match=code&reason=Late", "code,stage\nn2,talk\n").await.expect_status(200).json();
    assert_eq!((&told["updated"], &told["failed"]), (&json!(1), &json!(0)), "{told:#}");
    let told = send(&world, &world.boss, "?match=code&reason=Late", "code,stage\nn1,old\n").await.expect_status(200).json();
    assert_eq!(told["failed"], 1, "nothing moves to a retired stage: {told:#}");
    assert_eq!(standing(&world).await, json!([{"code": "n1", "stage": "offer"}, {"code": "n2", "stage": "talk"}]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_of_imports_asks_those_who_may_for_a_reason() {
    let world = World::new().await;
    let form = "/records/deal/import";
    let page = async |who: &Person, path: &str, locale: &str| {
        world.app.request(Method::GET, path).token(&who.token).header("accept-language", locale).send().await.expect_status(200).text()
    };
    assert!(!page(&world.clerk, form, "en").await.contains("name=\"reason\""));
    assert!(!page(&world.boss, "/records/account/import", "en").await.contains("name=\"reason\""), "it has no pipeline");
    for (locale, words) in [("en", "Move records anyway"), ("zh-CN", "仍要移动记录"), ("zh-TW", "仍要移動記錄")] {
        let page = page(&world.boss, form, locale).await;
        assert!(page.contains("name=\"reason\"") && page.contains(words), "{locale}: {page}");
    }
    let post = async |who: &Person, act: &str, reason: &str| {
        let part = |head: &str, body: &str| format!("--x\r\nContent-Disposition: form-data; {head}\r\n\r\n{body}\r\n");
        let file = part("name=\"file.upload\"; filename=\"a.csv\"", FILE);
        let body = format!("{file}{}{}--x--\r\n", part("name=\"reason\"", reason), part("name=\"do\"", act));
        let request = world.app.request(Method::POST, form).token(&who.token).header("content-type", "multipart/form-data; boundary=x");
        request.text(body).send().await
    };
    let told = post(&world.boss, "import", &"x".repeat(1_001)).await.expect_status(422).text();
    assert!(told.contains("at most 1,000 characters"), "{told}");
    let told = post(&world.clerk, "check", "A friend").await.expect_status(200).text();
    assert!(told.contains("1 would be new") && told.contains("1 would fail"), "{told}");
    let told = post(&world.boss, "check", "A friend").await.expect_status(200).text();
    assert!(told.contains("2 would be new") && told.contains(">A friend</textarea>"), "it is there for the second time: {told}");
    let told = post(&world.boss, "import", "A friend").await.expect_status(200).text();
    assert!(told.contains("2 new"), "{told}");
    assert_eq!(standing(&world).await, json!([{"code": "n1", "stage": "offer"}, {"code": "n2", "stage": "new"}]));
}

#[test]
fn the_command_line_gives_a_reason_too() {
    let folder = std::env::temp_dir().join(format!("relata-import-reason-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    for (path, text) in SHOP {
        let place = folder.join(path);
        std::fs::create_dir_all(place.parent().expect("below the folder")).expect("made");
        std::fs::write(place, text).expect("written");
    }
    std::fs::write(folder.join("deals.csv"), FILE).expect("written");
    let run = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_relata"));
        command.current_dir(&folder).env_remove("DATABASE_URL").env_remove("RELATA_TEST_DATABASE").args(args).stdin(Stdio::null());
        let output = command.output().expect("the program runs");
        let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
        (output.status.success(), text)
    };
    assert!(run(&["apply", "--yes"]).0);
    let import = |more: &[&str]| run(&[&["import", "deals.csv", "--into", "shop.deal", "--match", "code"], more].concat());
    let (done, told) = import(&["--reason", " "]);
    assert!(!done && told.contains("--reason says nothing"), "{told}");
    let (done, told) = import(&[]);
    assert!(!done && told.contains("1 created") && told.contains("1 failed"), "{told}");
    let (done, told) = import(&["--reason", "A friend"]);
    assert!(done && told.contains("1 created") && told.contains("0 failed"), "{told}");
    let (_, audit) = run(&["audit", "export", "--format", "json"]);
    assert!(audit.contains("stage.override") && !audit.contains("A friend"), "{audit}");
    let _ = std::fs::remove_dir_all(&folder);
}
