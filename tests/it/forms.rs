//! Forms as a browser without scripts posts them.

use axum::http::Method;
use serde_json::{Value, json};

use crate::support::{Answer, TestApp};

async fn post(app: &TestApp, path: &str, pairs: &[(&str, &str)]) -> Answer {
    let encode = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
    let body: Vec<String> = pairs.iter().map(|(name, text)| format!("{}={}", encode(name), encode(text))).collect();
    app.request(Method::POST, path).header("content-type", "application/x-www-form-urlencoded").text(body.join("&")).send().await
}

/// A deal, its page and its address in the API.
async fn deal(app: &TestApp) -> (String, String, String) {
    let account = app.create_id("account", json!({"name": "Acme"})).await;
    let deal = app.create_id("deal", json!({"name": "A", "account": account, "close_on": "2026-12-01", "amount": "10"})).await;
    (account, format!("/records/deal/{deal}"), format!("/api/v1/records/deal/{deal}"))
}

async fn fields(app: &TestApp, api: &str) -> Value {
    let found = app.get(api).await.expect_status(200).json();
    json!([found["name"], found["close_on"], found["version"]])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fields_that_one_side_alone_changed_are_merged_without_asking() {
    let app = TestApp::crm().await;
    let (account, page, api) = deal(&app).await;
    app.patch(&api, json!({"name": "Theirs"})).await.expect_status(200);
    let pairs = [
        ("_version", "1"),
        ("name", "A"),
        ("account", account.as_str()),
        ("stage", "open"),
        ("amount", "10.00"),
        ("close_on", "2026-12-24"),
    ];
    post(&app, &page, &pairs).await.expect_status(303);
    assert_eq!(fields(&app, &api).await, json!(["Theirs", "2026-12-24", 3]));
    // Both changed it to the same.
    app.patch(&api, json!({"name": "Same"})).await.expect_status(200);
    post(&app, &page, &[("_version", "3"), ("name", "Same"), ("account", account.as_str()), ("close_on", "2026-12-25")])
        .await
        .expect_status(303);
    assert_eq!(fields(&app, &api).await, json!(["Same", "2026-12-25", 5]));
    // They changed it and changed it back.
    app.patch(&api, json!({"name": "Elsewhere"})).await.expect_status(200);
    app.patch(&api, json!({"name": "Same"})).await.expect_status(200);
    post(&app, &page, &[("_version", "5"), ("name", "Mine"), ("account", account.as_str()), ("close_on", "2026-12-25")])
        .await
        .expect_status(303);
    assert_eq!(fields(&app, &api).await, json!(["Mine", "2026-12-25", 8]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_field_that_both_sides_changed_is_asked_for() {
    let app = TestApp::crm().await;
    let (account, page, api) = deal(&app).await;
    app.patch(&api, json!({"name": "Theirs", "stage": "won"})).await.expect_status(200);
    let mine = |version: &'static str| {
        [("_version", version), ("name", "Mine"), ("account", account.as_str()), ("stage", "open"), ("close_on", "2026-12-24")]
    };
    let asked = post(&app, &page, &mine("1")).await.expect_status(409).text();
    assert_eq!(fields(&app, &api).await, json!(["Theirs", "2026-12-01", 2]), "nothing is saved before the choice");
    assert!(asked.contains(r#"name="_version" value="2""#), "{asked}");
    assert_eq!(asked.matches(r#"class="versus""#).count(), 1, "only the name was changed by both");
    let part = asked.split(r#"class="versus""#).nth(1).and_then(|rest| rest.split("</fieldset>").next()).expect("the choice");
    let places: Vec<_> = [">A<", ">Theirs<", ">Mine<"].iter().map(|text| part.find(text)).collect();
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "before, theirs, yours: {part}");
    assert!(part.contains(r#"name="_pick.name" value="theirs""#), "{part}");
    // What only they changed stands in the form already.
    assert!(asked.contains(r#"value="won" selected"#), "{asked}");
    let choose = |version, pick| [&mine(version)[..3], &[("stage", "won"), ("close_on", "2026-12-24"), ("_pick.name", pick)]].concat();
    post(&app, &page, &choose("2", "theirs")).await.expect_status(303);
    assert_eq!(fields(&app, &api).await, json!(["Theirs", "2026-12-24", 3]));
    app.patch(&api, json!({"name": "Theirs again"})).await.expect_status(200);
    post(&app, &page, &mine("3")).await.expect_status(409);
    post(&app, &page, &choose("4", "mine")).await.expect_status(303);
    assert_eq!(fields(&app, &api).await, json!(["Mine", "2026-12-24", 5]));
    // A third person in between: what was left to the others stays theirs.
    app.patch(&api, json!({"name": "Third"})).await.expect_status(200);
    post(&app, &page, &[&choose("5", "theirs")[..4], &[("close_on", "2026-12-31"), ("_pick.name", "theirs")]].concat())
        .await
        .expect_status(303);
    assert_eq!(fields(&app, &api).await, json!(["Third", "2026-12-31", 7]));
}

/// As in the README: a folder with a file of ten lines and nothing else.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_entity_of_a_folder_without_a_package_is_in_the_sidebar() {
    let ticket = ("definitions/help_desk/entities/ticket.yaml", "kind: entity\nid: help_desk.ticket\nfields:\n  subject: {type: text}\n");
    let app = TestApp::with_files(&[ticket]).await;
    let page = app.get("/records/ticket").await.expect_status(200).text();
    let sidebar = page.split("</nav>").next().unwrap_or_default();
    assert!(sidebar.contains("<h2>Help desk</h2>") && sidebar.contains(">Tickets</a>"), "{sidebar}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_for_what_is_not_there_has_the_sidebar_of_all_pages() {
    let app = TestApp::crm().await;
    let sidebar = |page: String| {
        let page = page.replace(" aria-current=\"page\"", "");
        page.split_once("<nav").and_then(|(_, rest)| rest.split_once("</nav>")).expect("a sidebar").0.to_owned()
    };
    let cookie = crate::identity::signed_in(&app, "ada@example.com", true).await;
    let ask = |path| app.request(Method::GET, path).anonymous().session(&cookie).send();
    let found = sidebar(ask("/").await.expect_status(200).text());
    let missing = sidebar(ask("/records/nothing").await.expect_status(404).text());
    assert!(found.contains(">Deals</a>"), "{found}");
    assert_eq!(found, missing);
}
