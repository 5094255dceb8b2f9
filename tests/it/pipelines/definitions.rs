//! What a change of a pipeline means for the records that stand in it.

use axum::http::Method;
use relata::app::AppError;
use relata::deploy::{self, DeployError};
use relata::schema::SourceFile;
use serde_json::{Value, json};

use super::world::{SHOP, World};
use crate::access::world::person;

/// The shop with the sales pipeline changed.
fn changed(world: &World, from: &str, to: &str) -> Vec<SourceFile> {
    let mut all = deploy::read(&world.app.workspace.folders).expect("the files are readable");
    let own = all.iter_mut().find(|file| file.path == SHOP[1].0).expect("the shop");
    assert!(own.text.contains(from));
    own.text = own.text.replace(from, to);
    all
}

async fn apply(world: &World, files: &[SourceFile]) -> Result<usize, DeployError> {
    match world.app.workspace.apply(files, None, &[], 0).await {
        Ok(applied) => Ok(applied.changes),
        Err(AppError::Deploy(error)) => Err(error),
        Err(other) => panic!("{other}"),
    }
}

const DROPPED: &str = "      - {key: dropped, probability: 0, closed: dropped}\n";
const TO_DROPPED: &str = "      - {from: [new, offer], to: dropped}\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stage_that_records_stand_in_does_not_go() {
    let world = World::new().await;
    let mut files = changed(&world, DROPPED, "");
    files.iter_mut().for_each(|file| file.text = file.text.replace(TO_DROPPED, ""));
    let id = world.deal(json!({})).await;
    world.app.patch(&format!("/api/v1/records/deal/{id}"), json!({ "stage": "dropped" })).await.expect_status(200);
    // One of another pipeline is not counted.
    world.deal(json!({ "kind": "tender" })).await;
    let refused = apply(&world, &files).await.expect_err("a record stands there");
    let DeployError::Blocked(steps) = refused else { panic!("{refused}") };
    assert!(steps[0].contains("1 record stands in `dropped`") && steps[0].contains("retired: true"), "{steps:?}");
    // Kept for those that stand in it, or moved away: then it goes.
    let kept = changed(&world, DROPPED, "      - {key: dropped, closed: dropped, retired: true}\n");
    let plan = deploy::plan(&world.app.workspace.store, &kept).await.expect("a plan");
    assert!(plan.blocked().is_empty(), "{}", plan.text());
    world.app.patch(&format!("/api/v1/records/deal/{id}"), json!({ "stage": "new" })).await.expect_status(200);
    assert_eq!(apply(&world, &files).await.expect("nobody stands there"), 1);
    assert!(deploy::plan(&world.app.workspace.store, &files).await.expect("a plan").is_empty());
    world.app.patch(&format!("/api/v1/records/deal/{id}"), json!({ "stage": "dropped" })).await.expect_problem(422, "REC010");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_gate_is_in_force_with_the_apply() {
    let world = World::new().await;
    let id = world.deal(json!({ "amount": "1", "close_on": "2026-12-31" })).await;
    let files = changed(&world, "amount > 0", "amount > 5");
    let plan = deploy::plan(&world.app.workspace.store, &files).await.expect("a plan");
    assert!(plan.text().contains("pipeline") && plan.text().contains("sales"), "{}", plan.text());
    let path = format!("/api/v1/records/deal/{id}");
    world
        .app
        .request(axum::http::Method::PATCH, &path)
        .json(&json!({ "stage": "offer" }))
        .header("prefer", "dry-run")
        .send()
        .await
        .expect_status(200);
    apply(&world, &files).await.expect("applies");
    world.app.patch(&path, json!({ "stage": "offer" })).await.expect_problem(422, "REC010");
}

const MANAGER: &str = "kind: role\nid: manager\npermissions: {\"*\": all}\n";

/// What a plan says of the sales pipeline: its risk, and what it opens.
async fn told(world: &World, files: &[SourceFile]) -> (Value, Value, Vec<String>) {
    told_of(world, files, "sales").await
}

async fn told_of(world: &World, files: &[SourceFile], name: &str) -> (Value, Value, Vec<String>) {
    let plan = deploy::plan(&world.app.workspace.store, files).await.expect("a plan");
    let json = plan.to_json();
    let steps = json["changes"].as_array().expect("changes");
    let step = steps.iter().find(|step| step["name"] == name).unwrap_or_else(|| panic!("{json:#}"));
    let names = plan.confirmations.iter().map(|confirmation| confirmation.name.clone()).collect();
    (step["risk"].clone(), step["consequence"].clone(), names)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn letting_more_people_pass_over_gates_or_make_a_move_wants_its_confirmation() {
    let mut all = SHOP.to_vec();
    all.push(("definitions/shop/manager.yaml", MANAGER));
    let world = World::with(&all).await;
    const OVERRIDE: &str = "    override: [boss]\n";
    const TO_WON: &str = "      - {from: talk, to: won, roles: [boss]}\n";
    // A role that nobody has yet, other words, fewer people, another order of work: nobody may do more.
    for (from, to) in [
        (OVERRIDE, "    override: [boss, manager]\n"),
        (OVERRIDE, ""),
        ("Ask what they need", "Ask them"),
        (TO_WON, "      - {from: talk, to: won, roles: [manager]}\n"),
        ("- {from: [new, offer], to: dropped}", "- {from: \"*\", to: dropped}"),
        ("amount > 0", "amount >= 0"),
    ] {
        let (risk, consequence, names) = told(&world, &changed(&world, from, to)).await;
        assert_eq!((risk, consequence, names.len()), (json!("meta"), json!({"kind": "meta"}), 0), "{from} {to}");
    }
    let clerks = || json!({"everybody": false, "roles": ["clerk"], "people": 1});
    let everybody = || json!({"everybody": true, "roles": [], "people": null});
    let gates = |by: Value| json!({"kind": "opened", "gates": by, "moves": []});
    let won = |by: Value| json!({"kind": "opened", "gates": null, "moves": [{"from": "talk", "to": "won", "by": by}]});
    for (from, to, opened) in [
        (OVERRIDE, "    override: [boss, clerk]\n", gates(clerks())),
        (OVERRIDE, "    override: clerk\n", gates(clerks())),
        (TO_WON, "      - {from: talk, to: won, roles: [boss, clerk]}\n", won(clerks())),
        (TO_WON, "      - {from: talk, to: won}\n", won(everybody())),
        (TO_WON, "      - {from: talk, to: won, roles: boss}\n      - {from: talk, to: [won, lost]}\n", won(everybody())),
    ] {
        let (risk, consequence, names) = told(&world, &changed(&world, from, to)).await;
        assert_eq!((risk, consequence), (json!("widening_access"), opened), "{to}");
        assert_eq!(names.len(), 1, "{to}: {names:?}");
    }
    // Records that it leaves, or that another one takes from it, are moved by everybody.
    const SALES: &str = "  - id: sales\n";
    for (name, to) in [
        ("sales", "  - id: sales\n    when: \"name = 'x'\"\n"),
        ("fast", "  - {id: fast, field: stage, when: \"amount > 10\", stages: [{key: talk}, {key: won, closed: won}]}\n  - id: sales\n"),
    ] {
        let (risk, consequence, names) = told_of(&world, &changed(&world, SALES, to), name).await;
        assert_eq!((risk, consequence), (json!("widening_access"), won(everybody())), "{to}");
        assert_eq!(names.len(), 1, "{to}: {names:?}");
    }
    // A manager who is made one counts; who may already by another role does not.
    let manager = person(&world.app, "manager", &["manager"], json!({})).await;
    person(&world.app, "both", &["manager", "boss"], json!({})).await;
    let files = changed(&world, OVERRIDE, "    override: [boss, manager]\n");
    let (_, consequence, names) = told(&world, &files).await;
    assert_eq!(consequence["gates"], json!({"everybody": false, "roles": ["manager"], "people": 1}));
    let plan = deploy::plan(&world.app.workspace.store, &files).await.expect("a plan");
    let text = plan.text();
    assert!(text.contains("! ") && text.contains("manager (1 person) may pass over its gates"), "{text}");
    let id = world.ripe(json!({ "stage": "talk", "margin": "1" })).await;
    let moves = format!("/api/v1/records/deal/{id}/moves");
    let ask = || world.app.request(Method::POST, &moves).token(&manager.token).json(&json!({ "to": "dropped", "reason": "Late" }));
    ask().send().await.expect_problem(422, "REC010");
    let refused = world.app.workspace.apply(&files, None, &[], 0).await;
    assert!(matches!(refused, Err(AppError::Deploy(DeployError::Unconfirmed(ref wanted))) if *wanted == names), "{refused:?}");
    ask().send().await.expect_problem(422, "REC010");
    world.app.workspace.apply(&files, None, &names, 0).await.expect("confirmed");
    ask().send().await.expect_status(200);
    // Without its pipeline everybody makes the move that was for some.
    let mut files = changed(&world, "pipelines:\n  - id: tender", "pipelines:\n  - id: bids");
    let shop = files.iter_mut().find(|file| file.path == SHOP[1].0).expect("the shop");
    let (from, to) =
        (shop.text.find("  - id: sales").expect("sales"), shop.text.find("---\nkind: entity\nid: shop.account").expect("accounts"));
    shop.text.replace_range(from..to, "");
    let (risk, consequence, _) = told(&world, &files).await;
    assert_eq!((risk, consequence), (json!("widening_access"), won(everybody())));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_of_the_definitions_says_what_a_pipeline_opens() {
    let world = World::new().await;
    let place = world.app.workspace.folders.resolve(SHOP[1].0);
    let text = std::fs::read_to_string(&place).expect("the file").replace("override: [boss]", "override: [boss, clerk]");
    std::fs::write(place, text.replace("to: won, roles: [boss]", "to: won")).expect("written");
    let boss = crate::identity::signed_in(&world.app, "chief@example.com", true).await;
    for (locale, words) in [
        ("en", ["may pass over its gates, with a reason", "talk → won is for everybody", "widens access"]),
        ("zh-CN", ["可说明原因后越过关卡", "允许所有人", "扩大权限"]),
        ("zh-TW", ["可說明原因後越過關卡", "允許所有人", "擴大權限"]),
    ] {
        let page = world.app.request(Method::GET, "/definitions").session(&boss).header("accept-language", locale).send().await.text();
        let page: String = page.chars().filter(|char| !matches!(char, '\u{2068}' | '\u{2069}')).collect();
        for word in words {
            assert!(page.to_lowercase().contains(&word.to_lowercase()), "{locale} `{word}`: {page}");
        }
    }
}

/// Other words for people who read Chinese in traditional characters.
const TEXTS: &str = r#"
kind: i18n
locale: zh-TW
entities:
  shop.deal:
    fields:
      stage: {label: 階段, options: {new: 新案, offer: 報價中}}
    pipelines:
      sales:
        label: 銷售流程
        guidance: {new: 先問清楚需求, offer: 跟進報價}
        gates: {offer: 金額必須大於零, content: [請先列出產品]}
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn texts_of_pipelines_are_translated_by_documents_for_one_language() {
    let mut all = SHOP.to_vec();
    all.push(("definitions/shop/zh-tw.yaml", TEXTS));
    let world = World::with(&all).await;
    let id = world.deal(json!({})).await;
    let path = format!("/api/v1/records/deal/{id}/moves");
    let ask =
        async |locale: &str| world.app.request(Method::GET, &path).header("accept-language", locale).send().await.expect_status(200).json();
    let told = ask("zh-TW").await["data"][0].clone();
    let stages = told["stages"].as_array().expect("stages");
    assert_eq!(
        (&told["label"], &stages[0]["label"], &stages[0]["guidance"]),
        (&json!("銷售流程"), &json!("新案"), &json!("先問清楚需求")),
        "{told:#}"
    );
    assert_eq!((&stages[1]["label"], &stages[1]["guidance"]), (&json!("報價中"), &json!("跟進報價")));
    let messages = told["moves"].to_string();
    assert!(messages.contains("金額必須大於零") && messages.contains("請先列出產品"), "{told:#}");
    let others = ask("zh-CN").await["data"][0].clone();
    assert_eq!((&others["label"], &others["stages"][0]["guidance"]), (&json!("销售"), &json!("询问需求")), "as they were: {others:#}");
    // A refused save tells it, and so does the page.
    let refused = world.app.request(Method::PATCH, &format!("/api/v1/records/deal/{id}")).header("accept-language", "zh-TW");
    let problem = refused.json(&json!({ "stage": "offer" })).send().await.expect_problem(422, "REC010");
    assert!(problem.to_string().contains("金額必須大於零"), "{problem:#}");
    let page = world.app.request(Method::GET, &format!("/records/deal/{id}")).header("accept-language", "zh-TW").send().await.text();
    assert!(page.contains("先問清楚需求") && page.contains("新案"), "{page}");
    // What is not there is told with its place.
    for (from, to, message) in [
        ("      sales:\n", "      nothing:\n", "has no `nothing` among its pipelines"),
        ("{new: 先問清楚需求,", "{begin: 先問清楚需求,", "has no `begin` among its stages"),
        ("{offer: 金額必須大於零,", "{nothing: 金額必須大於零,", "has no `nothing` among its gates"),
        ("[請先列出產品]", "[請先列出產品, 還有]", "the gate `content` has no further message"),
    ] {
        let mut files = deploy::read(&world.app.workspace.folders).expect("the files are readable");
        let own = files.iter_mut().find(|file| file.path.ends_with("zh-tw.yaml")).expect("the texts");
        assert!(own.text.contains(from), "{from}");
        own.text = own.text.replace(from, to);
        let Err(DeployError::Faults(faults)) = deploy::plan(&world.app.workspace.store, &files).await else { panic!("{to} is accepted") };
        assert_eq!((faults.len(), faults[0].code), (1, "DEF414"), "{faults:?}");
        assert!(faults[0].message.contains(message), "{faults:?}");
    }
}
