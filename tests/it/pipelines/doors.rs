//! Doors × gates × outcomes: whoever saves a record gets the same answer for the same reasons.

use std::collections::BTreeMap;
use std::path::Path;

use axum::http::Method;
use relata::access::Actor;
use relata::record::{Input, Source, WriteOptions};
use relata::transfer::{self, Import, Mapping, Table, TableOptions};
use serde_json::{Value, json};

use super::world::World;
use crate::support::{Answer, TestApp, root};

/// Doors through which a stage can be changed.
pub(super) const DOORS: [&str; 12] =
    ["patch", "moves", "many", "filter", "batch", "upsert", "nested", "form", "move form", "button", "automation", "merge"];

/// Where the record writer is called from, and which door of this matrix stands for it. What comes in with
/// [`Source::System`](relata::record::Source::System) fills in what the program or a package says and is not a door.
const CALLERS: [(&str, &str); 15] = [
    ("src/auth/invitation.rs", "the program: people"),
    ("src/auth/leaving.rs", "the program: owners"),
    ("src/auth/session.rs", "the program: people"),
    ("src/auth/sso.rs", "the program: people"),
    ("src/automation/answer.rs", "button"),
    ("src/automation/steps.rs", "automation"),
    ("src/proof/story.rs", "patch: a story of `relata test` is a client"),
    ("src/transfer/ahead.rs", "import"),
    ("src/transfer/data.rs", "the program: seeds and samples"),
    ("src/transfer/import.rs", "import"),
    ("src/web/api/many.rs", "many, filter, batch"),
    ("src/web/api/merge.rs", "merge"),
    ("src/web/api/moves.rs", "moves"),
    ("src/web/api/write.rs", "patch, upsert, nested"),
    ("src/web/pages/account.rs", "the program: one's own settings"),
];
/// Pages that save records of any entity.
const PAGES: [(&str, &str); 4] = [
    ("src/web/pages/form.rs", "form"),
    ("src/web/pages/moves.rs", "move form"),
    ("src/web/pages/tasks.rs", "patch: it sets `done` of a task"),
    ("src/web/pages/uniting.rs", "merge"),
];

/// A reason as the API tells it, and as a page does.
type Reason = (&'static str, &'static str);

const CLOSE_ON: Reason = ("`close_on` must be filled in", "Fill this in to move on.");
const WHY: Reason = ("`why` must be filled in", "Fill this in to move on.");
const AMOUNT: Reason = ("Enter an amount", "Enter an amount");
const CONTENT: Reason = ("List what is sold", "List what is sold");
const NO_MOVE: Reason = ("no move leads from `new` to `won`", "No move leads to this stage from here.");
const RETIRED: Reason = ("nothing moves to `old`", "Nothing moves to this stage any more.");

/// What a record holds besides its name and code, what is set, and why that is refused.
fn cases() -> Vec<(Value, Value, Vec<Reason>)> {
    let ripe = || json!({ "amount": "10", "close_on": "2026-12-31", "lines": [{ "label": "A", "price": "10" }] });
    vec![
        (ripe(), json!({ "stage": "talk" }), vec![]),
        (ripe(), json!({ "stage": "offer" }), vec![]),
        (json!({}), json!({ "stage": "offer", "amount": "1", "close_on": "2026-12-31" }), vec![]),
        (json!({}), json!({ "stage": "offer" }), vec![CLOSE_ON, AMOUNT]),
        (json!({ "amount": "1", "close_on": "2026-12-31" }), json!({ "stage": "talk" }), vec![CONTENT]),
        (ripe(), json!({ "stage": "talk", "amount": "0" }), vec![AMOUNT]),
        (ripe(), json!({ "stage": "won" }), vec![NO_MOVE]),
        (ripe(), json!({ "stage": "lost" }), vec![WHY]),
        (ripe(), json!({ "stage": "lost", "why": "time" }), vec![]),
        (json!({}), json!({ "stage": "old" }), vec![RETIRED]),
        (json!({}), json!({ "stage": "dropped" }), vec![]),
    ]
}

/// What a door answers: nothing where it saved.
pub(super) async fn through(app: &TestApp, door: &str, id: &str, code: &str, set: &Value) -> Option<String> {
    let path = format!("/api/v1/records/deal/{id}");
    let refused = |answer: Answer| (answer.status.as_u16() >= 300).then(|| answer.text());
    let of_many = |answer: Answer| {
        let told = answer.expect_status(200).json();
        (told["failed"] == 1).then(|| told.to_string())
    };
    match door {
        "patch" => refused(app.patch(&path, set.clone()).await),
        "moves" => {
            let mut others = set.clone();
            let to = others.as_object_mut()?.remove("stage");
            refused(app.post(&format!("{path}/moves"), json!({ "to": to, "set": others })).await)
        }
        "many" => of_many(app.patch("/api/v1/records/deal", json!([{ "id": id, "set": set }])).await),
        "filter" => {
            let body = json!({ "filter": format!("code = '{code}'"), "set": set, "max_affected": 1 });
            of_many(app.patch("/api/v1/records/deal", body).await)
        }
        "batch" => {
            let operations = json!([{ "op": "update", "entity": "deal", "id": id, "values": set }]);
            refused(app.post("/api/v1/batch", json!({ "operations": operations })).await)
        }
        "upsert" => refused(app.put(&format!("/api/v1/records/deal/by/code/{code}"), set.clone()).await),
        "nested" => {
            let deal = app.get(&path).await.expect_status(200).json();
            let account = match deal["account"].as_str() {
                Some(account) => account.to_owned(),
                None => app.create_id("account", json!({ "name": "A" })).await,
            };
            app.patch(&path, json!({ "account": account })).await.expect_status(200);
            let mut row = set.clone();
            row["id"] = id.into();
            refused(app.patch(&format!("/api/v1/records/account/{account}"), json!({ "deals": [row] })).await)
        }
        "form" => {
            let deal = app.get(&path).await.expect_status(200).json();
            let text = |name: &str| set.get(name).unwrap_or(&deal[name]).as_str().unwrap_or_default().to_owned();
            let pairs = ["name", "code", "kind", "stage", "amount", "close_on", "why"].map(|name| format!("{name}={}", text(name)));
            let answer = app
                .request(Method::POST, &format!("/records/deal/{id}"))
                .header("content-type", "application/x-www-form-urlencoded")
                .text(format!("_version={}&{}", deal["version"], pairs.join("&")))
                .send()
                .await;
            (answer.status.as_u16() != 303).then(|| answer.text())
        }
        "move form" => {
            let deal = app.get(&path).await.expect_status(200).json();
            let others = set.as_object()?.iter().filter(|(name, _)| *name != "stage");
            let pairs: Vec<String> = others.map(|(name, value)| format!("&{name}={}", value.as_str().unwrap_or_default())).collect();
            let to = set["stage"].as_str().unwrap_or_default();
            let pipeline = if deal["kind"] == "care" { "care" } else { "sales" };
            let answer = app
                .request(Method::POST, &format!("/records/deal/{id}/move"))
                .header("content-type", "application/x-www-form-urlencoded")
                .text(format!("_version={}&_pipeline={pipeline}&_to={to}{}", deal["version"], pairs.concat()))
                .send()
                .await;
            (!answer.header("location").contains("done=moved")).then(|| answer.text())
        }
        "button" => refused(app.post(&format!("{path}/actions/push"), set.clone()).await),
        "automation" => {
            let mut wish = set.clone();
            wish["deal"] = id.into();
            app.create_id("wish", wish).await;
            app.workspace.runner.run_until_idle().await.expect("jobs run");
            let runs = app.get("/api/v1/runs?automation=shop.fulfil&limit=1").await.expect_status(200).json();
            let run = &runs["data"][0];
            (run["state"] != "done").then(|| run["reason"].as_str().unwrap_or_default().to_owned())
        }
        "merge" => {
            // The program itself may make one that stands where nobody could bring it.
            let records = &app.workspace.records;
            let catalog = records.catalog();
            let deals = catalog.find_entity("deal")?;
            let mut twin = set.clone();
            twin["name"] = "Twin".into();
            let input = Input::from_json(&catalog, deals, &twin).expect("an input");
            let made = records.create(&Actor::system(), &catalog, deals.ix, input, WriteOptions::from(Source::System)).await.expect("made");
            let twin = made.id.display(&deals.prefix);
            let take: serde_json::Map<String, Value> = set.as_object()?.keys().map(|name| (name.clone(), twin.clone().into())).collect();
            refused(app.post(&format!("{path}/merge"), json!({ "from": [twin], "take": take })).await)
        }
        other => panic!("no door {other}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_door_gives_the_same_answer_for_the_same_reasons() {
    let world = World::new().await;
    let mut count = 0;
    for (number, (values, set, reasons)) in cases().into_iter().enumerate() {
        for door in DOORS {
            let code = format!("{door}-{number}");
            let mut all = values.clone();
            all["code"] = code.clone().into();
            let id = world.deal(all).await;
            let told = through(&world.app, door, &id, &code, &set).await;
            let stage = if reasons.is_empty() { set["stage"].clone() } else { json!("new") };
            assert_eq!(world.stage(&id).await, stage, "{door} {values} {set}: {told:?}");
            assert_eq!(told.is_none(), reasons.is_empty(), "{door} {values} {set}: {told:?}");
            for (api, page) in &reasons {
                let wanted = if door.ends_with("form") { page } else { api };
                let text = told.clone().unwrap_or_default().replace("&#x27;", "'");
                assert!(text.contains(wanted), "{door} {set} does not tell `{wanted}`: {text}");
            }
            count += 1;
        }
    }
    assert_eq!(count, 132);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_of_an_import_are_held_against_the_gates() {
    let world = World::new().await;
    world.deal(json!({ "code": "old" })).await;
    let csv = "Code,Name,Stage,Amount,Close\nnew1,A,offer,5,2026-12-31\nnew2,B,offer,,\nold,C,dropped,,\nnew3,D,new,,\nnew4,E,old,,\n";
    let table = Table::read(csv.as_bytes(), &TableOptions::default()).expect("a table");
    let catalog = world.app.workspace.catalog.load_full();
    let mapping = json!({"kind": "import", "into": "shop.deal", "match": ["code"],
        "columns": {"Code": "code", "Name": "name", "Stage": "stage", "Amount": "amount", "Close": "close_on"}});
    let mapping = Mapping::read(&mapping, &catalog, &table.header).expect("a mapping");
    let import = Import {
        table,
        mapping,
        zone: jiff::tz::TimeZone::UTC,
        dry_run: false,
        without_hooks: true,
        reason: None,
        allow_duplicates: false,
    };
    let report = transfer::import(&world.app.workspace.records, &Actor::system(), import, &|_| ()).await.expect("the import runs");
    let failed: BTreeMap<u64, &str> = report.failed.iter().map(|row| (row.line, row.reason.as_str())).collect();
    assert_eq!(failed.keys().copied().collect::<Vec<_>>(), [3, 6], "{report:?}");
    assert!(failed[&3].contains("close_on"), "{failed:?}");
    let found = world.app.get("/api/v1/records/deal?select=code,stage&sort=code").await.expect_status(200).json();
    assert_eq!(
        found["data"],
        json!([{"code": "new1", "stage": "offer"}, {"code": "new3", "stage": "new"}, {"code": "old", "stage": "dropped"}])
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stage_that_a_script_sets_before_a_save_is_judged_too() {
    let world = World::new().await;
    let id = world.deal(json!({})).await;
    let path = format!("/api/v1/records/deal/{id}");
    let problem = world.app.patch(&path, json!({ "name": "Jump" })).await.expect_problem(422, "REC010");
    assert!(problem.to_string().contains("List what is sold"), "{problem:#}");
    assert_eq!(world.stage(&id).await, "new");
}

/// Files of `src` outside the record room that call its writer.
fn callers() -> Vec<String> {
    fn walk(folder: &Path, found: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(root()).unwrap().to_string_lossy().replace('\\', "/");
                let text: String = std::fs::read_to_string(&path).unwrap().split_whitespace().collect();
                let writes = ["create(", "update(", "upsert(", "update_many(", "batch(", "merge(", "unmerge("]
                    .iter()
                    .any(|call| ["records.", "records().", "tx."].iter().any(|on| text.contains(&format!("{on}{call}"))))
                    || text.contains("ready_create(");
                if writes && !name.starts_with("src/record/") {
                    found.push(name);
                }
            }
        }
    }
    let mut found = Vec::new();
    walk(&root().join("src"), &mut found);
    found.sort();
    found
}

#[test]
fn every_caller_of_the_record_writer_has_its_row() {
    let mut known: Vec<&str> = CALLERS.iter().chain(&PAGES).map(|(file, _)| *file).collect();
    known.sort_unstable();
    assert_eq!(callers(), known, "a new door needs a row in this matrix");
    for (file, door) in CALLERS.iter().chain(&PAGES) {
        let is_here = door.starts_with("the program") || *door == "import" || DOORS.iter().any(|known| door.contains(known));
        assert!(is_here, "{file}: {door}");
    }
}
