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

const SHOP: (&str, &str) = (
    "definitions/shop.yaml",
    r#"kind: entity
id: offer
fields:
  name: {type: text, required: true}
  way: {type: select, options: [plain, tender], default: plain}
  number: {type: text, visible_if: "way = 'tender'"}
  bond: {type: decimal, visible_if: "way = 'tender'", default: 5}
  tags: {type: multi_select, options: [red, blue], visible_if: "way = 'tender'"}
  lines: {type: children, of: line, by: offer}
---
kind: entity
id: line
features: {owner: false}
fields:
  offer: {type: link, to: offer, on_delete: cascade, required: true}
  what: {type: text, required: true}
  price: {type: money}
  fixed: {type: boolean}
"#,
);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_choice_hides_and_another_shows_again_is_what_it_was() {
    let app = TestApp::with_files(&[SHOP]).await;
    let new = post(&app, "/records/offer/form-state", &[("name", "A"), ("way", "plain")]).await.expect_status(200).text();
    assert!(new.contains("value=\"A\"") && !new.contains("name=\"number\""), "{new}");
    let new = post(&app, "/records/offer/form-state", &[("name", "A"), ("way", "tender")]).await.expect_status(200).text();
    assert!(
        new.contains("name=\"number\"") && new.contains("name=\"bond\"") && new.contains("value=\"5.00\""),
        "a default comes with it: {new}"
    );

    let values = json!({"name": "A", "way": "tender", "number": "T-1", "bond": "7", "tags": ["blue"], "lines": [{"what": "Rope"}]});
    let offer = app.create_id("offer", values).await;
    let state = format!("/records/offer/form-state?id={offer}");
    let hidden = post(&app, &state, &[("name", "B"), ("way", "plain")]).await.expect_status(200).text();
    assert!(!hidden.contains("name=\"number\"") && hidden.contains("value=\"Rope\""), "{hidden}");
    let shown = post(&app, &state, &[("name", "B"), ("way", "tender")]).await.expect_status(200).text();
    for part in ["value=\"B\"", "value=\"T-1\"", "value=\"7.00\"", "value=\"blue\" checked", "value=\"Rope\""] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    // What was emptied stays empty.
    let emptied = [("name", "B"), ("way", "tender"), ("number", ""), ("bond", ""), ("tags", "")];
    let emptied = post(&app, &state, &emptied).await.expect_status(200).text();
    assert!(!emptied.contains("T-1") && !emptied.contains("value=\"7.00\"") && !emptied.contains("value=\"blue\" checked"), "{emptied}");
    // The same where the form is refused.
    let refused = post(&app, &format!("/records/offer/{offer}"), &[("_version", "1"), ("name", ""), ("way", "tender")]).await;
    let refused = refused.expect_status(422).text();
    assert!(refused.contains("value=\"T-1\"") && refused.contains("value=\"Rope\""), "{refused}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_in_which_nothing_was_entered_is_no_row() {
    let app = TestApp::with_files(&[SHOP]).await;
    let offer = app.create_id("offer", json!({"name": "A", "lines": [{"what": "Rope"}]})).await;
    let line = app.get("/api/v1/records/line").await.json()["data"][0]["id"].as_str().expect("an id").to_owned();
    let spare = [("lines.1.what", ""), ("lines.1.price", ""), ("lines.1.price.currency", "USD"), ("lines.1.fixed", "false")];
    let mut pairs = vec![("_version", "1"), ("name", "A"), ("lines.0.id", line.as_str()), ("lines.0.what", "Rope")];
    pairs.extend(spare);
    let rows = |page: &str| page.matches("name=\"lines.").count();
    let state = format!("/records/offer/form-state?id={offer}");
    let first = post(&app, &state, &pairs).await.expect_status(200).text();
    let mut more = pairs.clone();
    more.extend([("lines.2.what", ""), ("lines.2.price.currency", "USD"), ("lines.2.fixed", "false")]);
    let second = post(&app, &state, &more).await.expect_status(200).text();
    assert_eq!(rows(&first), rows(&second), "blank rows do not grow in number");
    // One that is to go is still to go.
    let mut gone = pairs.clone();
    gone.push(("lines.0._delete", "true"));
    let told = post(&app, &state, &gone).await.expect_status(200).text();
    assert!(told.contains("name=\"lines.0._delete\" value=\"true\" checked") && told.contains("<tr hidden>"), "{told}");
    post(&app, &format!("/records/offer/{offer}"), &pairs).await.expect_status(303);
    let lines = app.get("/api/v1/records/line").await.json();
    assert_eq!(lines["data"].as_array().map(Vec::len), Some(1), "{lines}");
}
