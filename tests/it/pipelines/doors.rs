//! Doors × gates × outcomes: whoever saves a record gets the same answer for the same reasons.

use std::collections::BTreeMap;
use std::path::Path;

use relata::access::Actor;
use relata::transfer::{self, Import, Mapping, Table, TableOptions};
use serde_json::{Value, json};

use super::world::World;
use crate::support::doors::{DOORS, through};
use crate::support::root;

/// Where the record writer is called from, and which door of this matrix stands for it. What comes in with
/// [`Source::System`](relata::record::Source::System) fills in what the program or a package says and is not a door.
const CALLERS: [(&str, &str); 21] = [
    ("src/auth/invitation.rs", "the program: people"),
    ("src/auth/leaving.rs", "the program: owners"),
    ("src/auth/session.rs", "the program: people"),
    ("src/auth/sso.rs", "the program: people"),
    ("src/automation/answer.rs", "button"),
    ("src/automation/email.rs", "automation: step `survey`; tests/it/surveys/doors.rs"),
    ("src/automation/received.rs", "automation: what a message says; tests/it/automations/received.rs"),
    ("src/automation/steps.rs", "automation"),
    ("src/proof/what_if/replay.rs", "patch: what was done once is done again in a copy"),
    ("src/proof/story.rs", "patch: a story of `relata test` is a client"),
    ("src/transfer/ahead.rs", "import"),
    ("src/transfer/data.rs", "the program: seeds and samples"),
    ("src/transfer/rows.rs", "import"),
    ("src/web/api/conversions.rs", "convert"),
    ("src/web/api/many.rs", "many, filter, batch"),
    ("src/web/api/merge.rs", "merge"),
    ("src/web/api/moves.rs", "moves"),
    ("src/web/api/pools.rs", "patch: it sets the owner alone; tests/it/pools/doors.rs"),
    ("src/web/api/surveys.rs", "automation: it makes what its step `survey` makes; tests/it/surveys/doors.rs"),
    ("src/web/api/write.rs", "patch, upsert, nested"),
    ("src/web/pages/account.rs", "the program: one's own settings"),
];
/// Pages that save records of any entity.
const PAGES: [(&str, &str); 8] = [
    ("src/web/pages/converting.rs", "convert"),
    ("src/web/pages/form.rs", "form"),
    ("src/web/pages/moves.rs", "move form"),
    ("src/web/pages/pools.rs", "patch: it sets the owner alone; tests/it/pools/doors.rs"),
    ("src/web/pages/survey.rs", "form: a public one; tests/it/surveys/doors.rs"),
    ("src/web/pages/surveys.rs", "automation: it makes what its step `survey` makes; tests/it/surveys/doors.rs"),
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
    assert_eq!(count, 143);
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
                let writes = [
                    "create(",
                    "update(",
                    "upsert(",
                    "update_many(",
                    "batch(",
                    "merge(",
                    "unmerge(",
                    "convert(",
                    "claim(",
                    "give_back(",
                    "hand_out(",
                    "invite(",
                    "invite_about(",
                    "answer_survey(",
                ]
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
