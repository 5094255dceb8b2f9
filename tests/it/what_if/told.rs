//! What the answer tells: counts, lists, what was not done once more, and that nothing happened.

use relata::proof::what_if::{Question, what_if};
use serde_json::{Value, json};

use crate::support::TestApp;

const SHOP: &str = r#"
kind: package
id: shop
version: 1.0.0
---
kind: entity
id: shop.account
title: "{name}"
fields:
  name: {type: text, required: true}
  kind: {type: text}
---
kind: entity
id: shop.deal
title: "{name}"
fields:
  name: {type: text, required: true}
  amount: {type: integer}
  grade: {type: text}
  secret: {type: text, encrypted: true}
  tags: {type: multi_select, options: [hot, cold]}
  number: {type: auto_number, format: "D-{seq:3}"}
  double: {type: formula, returns: integer, expr: "amount * 2", stored: true}
  account: {type: link, to: shop.account}
rules:
  - {id: small, assert: "amount is null or amount < 1000", message: {en: too large}}
scripts:
  - {id: mark, trigger: before_save, source: "fn run(rec, old, ctx) { if rec.amount == 13 { rec.grade = `unlucky`; } }"}
---
kind: automation
for: deal
id: old
trigger: {event: updated, watch: [grade]}
steps:
  - {do: update, entity: account, match: {id: "=account"}, values: {kind: graded}}
"#;

const NEW: &str = r#"
kind: automation
for: deal
id: rate
trigger: {event: updated, watch: [amount]}
when: "amount >= 10"
steps:
  - {id: grade, do: set, values: {grade: "=concat('A', amount)"}}
  - {id: later, do: wait, time: 1d}
  - {id: sum, do: set, values: {amount: "=amount + 990"}}
"#;

async fn shop() -> TestApp {
    let settings = "name: Shop\nlocale: en\ntime_zone: UTC\n";
    TestApp::with_files(&[("relata.yaml", settings), ("definitions/shop/package.yaml", SHOP)]).await
}

async fn work(app: &TestApp, hours: i64) {
    app.workspace.runner.run_until_idle().await.expect("jobs run");
    app.clock.advance_ms(hours * 3_600_000);
    app.workspace.runner.run_until_idle().await.expect("jobs run");
}

fn question(definition: &str) -> Question {
    Question { definition: Some(("rate.yaml".to_owned(), definition.to_owned())), ..Question::of(30) }
}

async fn ask(app: &TestApp, question: &Question) -> Value {
    what_if(&app.workspace.records, &app.workspace.automation, question).await.expect("an answer").to_json()
}

/// Every row of every table that people or programs could see changed.
async fn state(app: &TestApp) -> Value {
    let deals = app.get("/api/v1/records/deal").await.expect_status(200).json();
    let accounts = app.get("/api/v1/records/account").await.expect_status(200).json();
    let runs = app.get("/api/v1/runs").await.expect_status(200).json();
    let jobs = app.get("/api/v1/jobs").await.expect_status(200).json();
    json!([deals["data"], accounts["data"], runs, jobs["data"], app.workspace.records.newest_change().await.expect("a position")])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_automation_is_told_and_nothing_happens() {
    let app = shop().await;
    let before = app.create_id("deal", json!({ "name": "Before", "amount": 5, "secret": "s3cret", "tags": ["hot"] })).await;
    work(&app, 24 * 40).await;
    let account = app.create_id("account", json!({ "name": "Acme" })).await;
    work(&app, 1).await;
    let deal = app.create_id("deal", json!({ "name": "One", "amount": 3, "account": account })).await;
    work(&app, 1).await;
    for (id, amount) in [(&deal, 12), (&before, 13), (&deal, 9)] {
        app.patch(&format!("/api/v1/records/deal/{id}"), json!({ "amount": amount })).await.expect_status(200);
        work(&app, 1).await;
    }
    work(&app, 48).await;
    let was = state(&app).await;
    let told = ask(&app, &question(NEW)).await;
    assert_eq!(state(&app).await, was, "nothing happened");
    assert_eq!((&told["fired"], &told["changed"]), (&json!(2), &json!([{ "entity": "deal", "count": 1 }])), "{told:#}");
    assert_eq!(told["automations"][0]["id"], "shop.rate");
    // The rule refuses the second step of the deal of 13; its grade is what the script makes of it.
    assert_eq!(told["automations"][0]["states"], json!({ "done": 1, "failed": 1, "skipped": 2 }), "{told:#}");
    let effects: Vec<Value> = told["effects"]["data"]
        .as_array()
        .expect("effects")
        .iter()
        .map(|one| json!([one["record"], one["field"], one["before"], one["after"]]))
        .collect();
    assert_eq!(
        effects,
        [json!([deal, "grade", null, "A12"]), json!([deal, "amount", 9, 999]), json!([deal, "double", 18, 1998]),],
        "{told:#}"
    );
    assert_eq!(told["events"]["passed_over"], json!([]), "{told:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_did_is_taken_as_it_was_or_done_anew() {
    let app = shop().await;
    let account = app.create_id("account", json!({ "name": "Acme" })).await;
    let deal = app.create_id("deal", json!({ "name": "One", "amount": 3, "account": account })).await;
    work(&app, 24 * 2).await;
    // The automation in force answers with a change of the account, which the new one waits for.
    app.patch(&format!("/api/v1/records/deal/{deal}"), json!({ "grade": "B" })).await.expect_status(200);
    work(&app, 1).await;
    assert_eq!(app.get(&format!("/api/v1/records/account/{account}")).await.json()["kind"], "graded");
    let follow = r#"
kind: automation
for: account
id: follow
trigger: {event: updated, watch: [kind]}
steps: [{do: set, values: {name: "=concat(name, '!')"}}]
"#;
    for with_others in [false, true] {
        let told = ask(&app, &Question { with_others, ..question(follow) }).await;
        let effects = &told["effects"]["data"];
        assert_eq!(told["effects"]["count"], 1, "{told:#}");
        assert_eq!((&effects[0]["before"], &effects[0]["after"]), (&json!("Acme"), &json!("Acme!")), "{told:#}");
    }
    // What the automation did itself while it was in force is left out: it is done anew.
    let told = ask(&app, &Question { automation: Some("shop.old".to_owned()), ..Question::of(30) }).await;
    assert_eq!((&told["fired"], &told["effects"]["count"]), (&json!(1), &json!(1)), "{told:#}");
    assert_eq!(told["events"]["made_again"], 1, "{told:#}");
    let changed = r#"
kind: automation
for: deal
id: old
trigger: {event: updated, watch: [grade]}
when: "grade = 'A'"
steps: [{do: update, entity: account, match: {id: "=account"}, values: {kind: graded}}]
"#;
    let told = ask(&app, &question(changed)).await;
    assert_eq!((&told["fired"], &told["effects"]["count"]), (&json!(0), &json!(0)), "{told:#}");
    assert_eq!(told["automations"][0]["reasons"], json!([{ "reason": "condition:grade = 'A'", "count": 1 }]), "{told:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sensitive_value_is_not_shown_and_what_is_refused_is_told() {
    let app = shop().await;
    let deal = app.create_id("deal", json!({ "name": "One", "amount": 1, "secret": "open sesame" })).await;
    work(&app, 24).await;
    app.patch(&format!("/api/v1/records/deal/{deal}"), json!({ "amount": 2 })).await.expect_status(200);
    work(&app, 3).await;
    app.patch(&format!("/api/v1/records/deal/{deal}"), json!({ "name": "Two", "tags": ["cold"] })).await.expect_status(200);
    work(&app, 24).await;
    let automation = r#"
kind: automation
for: deal
id: hide
trigger: {event: updated, watch: [amount]}
steps:
  - {do: set, values: {secret: open sesame please}}
"#;
    let told = ask(&app, &question(automation)).await;
    assert_eq!(told["fired"], 1, "{told:#}");
    assert_eq!(told["effects"]["data"][0]["field"], "secret", "{told:#}");
    assert_eq!(told["effects"]["data"][0]["after"], "••••••••", "{told:#}");
    assert!(!told.to_string().contains("sesame"), "{told:#}");
    assert_eq!((&told["events"]["replayed"], &told["events"]["passed_over"]), (&told["events"]["count"], &json!([])), "{told:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_administrators_ask_and_faults_are_told_with_their_place() {
    let app = shop().await;
    let path = "/api/v1/what-if";
    app.request(axum::http::Method::POST, path).json(&json!({ "automation": "shop.old" })).anonymous().send().await.expect_status(401);
    for wrong in [
        json!({}),
        json!({ "automation": 3 }),
        json!({ "automation": "shop.old", "days": 0 }),
        json!({ "automation": "shop.old", "days": 367 }),
        json!({ "automation": "shop.old", "days": "3" }),
        json!({ "automation": "shop.old", "limit": 1_001 }),
        json!({ "automation": "shop.old", "with_others": "yes" }),
        json!({ "automation": "shop.old", "more": 1 }),
    ] {
        app.post(path, wrong.clone()).await.expect_problem(422, "WEB422");
    }
    app.post(path, json!({ "automation": "shop.none" })).await.expect_problem(404, "REC002");
    for wrong in ["", "kind: entity\nid: x\n", "just words", "kind: automation\n---\nkind: role\nid: y\n"] {
        let answer = app.post(path, json!({ "definition": wrong })).await;
        assert!(answer.status.is_client_error(), "{wrong}: {}", answer.text());
    }
    let faulty = "kind: automation\nfor: deal\nid: x\ntrigger: {event: created}\nwhen: amont > 3\nsteps: [{do: wait, time: 1h}]\n";
    let problem = app.post(path, json!({ "definition": faulty })).await.expect_problem(422, "DEP001");
    assert_eq!(problem["errors"][0]["params"]["line"], 5, "{problem:#}");
    assert!(problem["errors"][0]["message"].as_str().expect("a message").contains("amont"), "{problem:#}");

    let told = app.post(path, json!({ "automation": "shop.old", "days": 3 })).await.expect_status(200).json();
    assert_eq!((&told["fired"], &told["shorter"]), (&json!(0), &Value::Null));
    let audit = app.get("/audit").await.expect_status(200).text();
    assert!(audit.contains("shop.old"), "{audit}");
}

const CLOCKS: &str = r#"
---
kind: calendar
id: always
label: {en: Always}
time_zone: UTC
week: {mon: ["00:00-24:00"], tue: ["00:00-24:00"], wed: ["00:00-24:00"], thu: ["00:00-24:00"], fri: ["00:00-24:00"], sat: ["00:00-24:00"], sun: ["00:00-24:00"]}
---
kind: extension
of: shop.deal
fields:
  visit_at: {type: datetime}
  soon: {type: datetime}
  late: {type: datetime}
  visit: {type: datetime}
clocks:
  - {id: answer, label: {en: Answer}, calendar: always, targets: [{time: 5h}], stop: "grade = 'done'"}
"#;

/// Each of them once, when it was time, for the deal whose time runs out meanwhile. Weeks in which nothing happens are left out.
#[tokio::test(flavor = "multi_thread")]
async fn time_passes_in_the_copy_as_it_passed() {
    let settings = "name: Shop\nlocale: en\ntime_zone: UTC\n";
    let shop = format!("{SHOP}{CLOCKS}");
    let app = TestApp::with_files(&[("relata.yaml", settings), ("definitions/shop/package.yaml", &shop)]).await;
    app.create_id("deal", json!({ "name": "Old" })).await;
    work(&app, 24).await;
    work(&app, 24 * 10).await;
    let begin = app.workspace.clock.now();
    let visit = relata::base::DateTime(begin.0 + 10 * 86_400_000_000).to_string();
    let deal = app.create_id("deal", json!({ "name": "New", "visit_at": visit })).await;
    let done = app.create_id("deal", json!({ "name": "Done", "visit_at": "2020-01-01T00:00:00Z" })).await;
    work(&app, 2).await;
    app.patch(&format!("/api/v1/records/deal/{done}"), json!({ "grade": "done" })).await.expect_status(200);
    work(&app, 9).await;
    work(&app, 24 * 14).await;
    let automations = r#"
kind: automation
for: deal
id: any
trigger: {event: updated}
when: "grade is null and visit is null and soon = old.soon and late is null"
steps: [{do: set, values: {tags: [hot]}}]
---
kind: automation
for: deal
id: soon
trigger: {event: clock, clock: answer, before: 1h}
run_as: [admin]
steps: [{do: set, values: {soon: "=now()"}}]
---
kind: automation
for: deal
id: late
trigger: {event: clock, clock: answer, after: 2h}
run_as: [admin]
steps: [{do: set, values: {late: "=now()"}}]
---
kind: automation
for: deal
id: visit
trigger: {event: due, field: visit_at, days: -1}
run_as: [admin]
steps: [{do: set, values: {visit: "=now()"}}]
"#;
    let told = ask(&app, &Question { days: 20, ..question(automations) }).await;
    let hours = |text: &Value| {
        let at = relata::base::DateTime::parse(text.as_str().expect("a moment")).expect("a moment");
        (at.0 - begin.0 + 1_800_000_000).div_euclid(3_600_000_000)
    };
    let effects: Vec<Value> = told["effects"]["data"]
        .as_array()
        .expect("effects")
        .iter()
        .map(|one| {
            let after = if one["after"].is_string() { hours(&one["after"]).into() } else { one["after"].clone() };
            json!([one["record"], one["field"], after])
        })
        .collect();
    let wanted = [json!([deal, "soon", 4]), json!([deal, "tags", ["hot"]]), json!([deal, "late", 7]), json!([deal, "visit", 9 * 24])];
    assert_eq!(effects, wanted, "{told:#}");
}

/// Who may not look is told so at each look, as on a server, however quiet the time was.
#[tokio::test(flavor = "multi_thread")]
async fn looks_that_are_refused_are_told() {
    let settings = "name: Shop\nlocale: en\ntime_zone: UTC\n";
    let shop = format!("{SHOP}{CLOCKS}---\nkind: role\nid: stranger\nlabel: {{en: Stranger}}\npermissions: {{}}\n");
    let app = TestApp::with_files(&[("relata.yaml", settings), ("definitions/shop/package.yaml", &shop)]).await;
    app.create_id("deal", json!({ "name": "Old" })).await;
    work(&app, 24 * 3).await;
    let visit = "kind: automation\nfor: deal\nid: visit\ntrigger: {event: due, field: visit_at}\nrun_as: [stranger]\n\
                 steps: [{do: set, values: {visit: \"=now()\"}}]\n";
    let told = ask(&app, &Question { days: 1, ..question(visit) }).await;
    assert_eq!(told["automations"][0]["states"], json!({ "skipped": 24 * 12 }), "{told:#}");
}

/// An answer that would take longer than a request may is refused while it is begun, and where to ask instead is told.
#[tokio::test(flavor = "multi_thread")]
async fn what_takes_too_long_is_asked_on_the_command_line() {
    let app = shop().await;
    app.create_id("deal", json!({ "name": "Blue door", "amount": 3 })).await;
    let question = Question { longest: Some(std::time::Duration::ZERO), ..question(NEW) };
    let refused = what_if(&app.workspace.records, &app.workspace.automation, &question).await.expect_err("it takes longer than nothing");
    assert!(format!("{refused:?}").contains("`relata what-if`"), "{refused:?}");
    let told = ask(&app, &Question { longest: None, ..question }).await;
    assert_eq!((&told["shorter"], &told["events"]["count"]), (&Value::Null, &json!(2)), "{told:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_asks_and_answers() {
    let app = shop().await;
    let deal = app.create_id("deal", json!({ "name": "Blue door", "amount": 3 })).await;
    work(&app, 24).await;
    app.patch(&format!("/api/v1/records/deal/{deal}"), json!({ "amount": 12 })).await.expect_status(200);
    work(&app, 1).await;
    let page = app.get("/automations/what-if?automation=shop.old").await.expect_status(200).text();
    assert!(page.contains("value=\"shop.old\" selected"), "{page}");
    let encoded =
        NEW.replace('%', "%25").replace('+', "%2B").replace('&', "%26").replace('=', "%3D").replace('\n', "%0A").replace(' ', "+");
    let asked = app
        .request(axum::http::Method::POST, "/automations/what-if")
        .header("content-type", "application/x-www-form-urlencoded")
        .text(format!("automation=&days=5&definition={encoded}"));
    let page = asked.send().await.expect_status(200).text();
    assert!(page.contains("It would have begun once.") && page.contains("Blue door") && page.contains("A12"), "{page}");
    let asked = app
        .request(axum::http::Method::POST, "/automations/what-if")
        .header("content-type", "application/x-www-form-urlencoded")
        .text("automation=&days=5&definition=kind%3A+automation%0Afor%3A+deel");
    let page = asked.send().await.expect_status(422).text();
    assert!(page.contains("deel") && page.contains("role=\"alert\""), "{page}");
}
