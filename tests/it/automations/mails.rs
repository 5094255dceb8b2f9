//! E-mail over a real server inside the test: languages, encodings, what is tried again and what is not, whose rights count.

use relata::outbound::Allow;
use relata::outbound::mail::{MailOptions, Security};
use serde_json::{Value, json};

use super::world::World;
use crate::support::TestApp;
use crate::support::smtp::{MailServer, PASSWORD, Received, USER};

const OFFER: &str = r#"
kind: template
for: deal
id: offer
label: {en: Offer, zh-CN: 报价}
subject:
  en: "Offer: {{ name }}"
  zh-CN: "报价：{{ name }} — 请在约定日期之前确认，谢谢您的关注与支持"
text:
  en: |
    Hello {{ recipient or "there" }},
    {% if price %}it is {{ price }} until {{ close_on }}.{% endif %}
    .
    ..two dots
    Stage: {{ stage }}, of {{ account }} ({{ account.kind }}), doubled {{ twice }}.
    {{ link }}
  zh-CN: |
    您好，
    .
    阶段：{{ stage }}，{{ price }}。{{ note }}
html:
  en: "<p>Hello {{ recipient }}, <b>{{ name }}</b></p>"
  zh-CN: "<p>您好，<b>{{ name }}</b></p>"
values: {twice: number * 2}
---
"#;

const SENDING: &str = r#"
kind: automation
for: deal
id: tell
trigger: {event: created}
steps:
  - {id: write, do: email, to: ["=owner", "=grade", "=account.name"], template: offer, language: zh-CN}
"#;

fn options(server: &MailServer, security: Security) -> MailOptions {
    MailOptions {
        host: if security == Security::StartTls { "localhost" } else { "127.0.0.1" }.to_owned(),
        port: server.port,
        security,
        credentials: Some((USER.to_owned(), PASSWORD.to_owned())),
        from: "林檎 Sales <crm@example.com>".to_owned(),
        reply_to: Some("answers@example.com".to_owned()),
        per_minute: 1_000,
    }
}

/// A shop with these automations that writes through the server.
async fn shop(server: &MailServer, automations: &str, change: impl FnOnce(&mut MailOptions)) -> World {
    shop_over(server, automations, Security::Plain, change).await
}

async fn shop_over(server: &MailServer, automations: &str, security: Security, change: impl FnOnce(&mut MailOptions)) -> World {
    let mut mail = options(server, security);
    change(&mut mail);
    let allow = vec![Allow::parse(&format!("{}:{}", mail.host, mail.port)).expect("an exception")];
    let files = super::world::files(automations);
    let app = TestApp::with_options(&files, |options| {
        options.mail = Some(mail);
        options.egress.allow = allow;
        options.egress.authorities_pem = Some(include_bytes!("../server/localhost.pem").to_vec());
    });
    World { app: app.await }
}

async fn mails(world: &World) -> Vec<Value> {
    world.app.get("/api/v1/mails").await.expect_status(200).json()["data"].as_array().expect("e-mails").clone()
}

fn to<'a>(seen: &'a [Received], address: &str) -> &'a Received {
    seen.iter().find(|one| one.to == [address]).unwrap_or_else(|| panic!("nothing to {address}: {seen:#?}"))
}

fn form(text: &str) -> String {
    text.replace('@', "%40").replace('+', "%2B").replace(' ', "+")
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_is_written_to_in_their_language() {
    let server = MailServer::listen(false).await;
    let world = shop(&server, &format!("{OFFER}{SENDING}"), |_| {}).await;
    let account = world.app.create_id("account", json!({ "name": "lilei@example.org", "kind": "Key" })).await;
    let deal = json!({
        "name": "Harbin <Optics> & 光学", "grade": "客户@example.net", "account": account, "number": 21, "close_on": "2026-12-01",
        "price": { "amount": "1200", "currency": "USD" }, "note": "私",
    });
    let deal = world.deal(deal).await;
    world.work().await;
    // A server without SMTPUTF8 takes no such address.
    let run = world.run("tell").await;
    assert_eq!(run["state"], "done", "{run:#}");
    let seen = server.take();
    assert_eq!(seen.len(), 2, "{seen:#?}");
    let (english, chinese) = (to(&seen, "admin@example.com"), to(&seen, "lilei@example.org"));
    for one in &seen {
        assert!(one.message.is_ascii(), "{}", one.message);
        assert_eq!((one.from.as_str(), one.user.as_deref()), ("crm@example.com", Some(USER)));
        assert_eq!(one.header("From").replace('"', ""), "林檎 Sales <crm@example.com>");
        assert_eq!(one.header("Reply-To"), "answers@example.com");
        assert_eq!(one.header("Auto-Submitted"), "auto-generated");
        assert_eq!(one.header("Date"), "Sat, 21 Nov 2026 08:00:00 +0000");
        assert_eq!(one.message.lines().filter(|line| line.starts_with("To:") || line.to_lowercase().starts_with("bcc")).count(), 1);
        assert!(one.header("Message-ID").starts_with("<mail_") && one.header("Message-ID").ends_with("@example.com>"));
    }
    assert_eq!(english.header("To").replace('"', ""), "Ada Admin <admin@example.com>");
    assert_eq!(english.header("Subject"), "Offer: Harbin <Optics> & 光学");
    assert_eq!(chinese.header("Subject"), "报价：Harbin <Optics> & 光学 — 请在约定日期之前确认，谢谢您的关注与支持");
    assert!(chinese.raw_header("Subject").starts_with("=?"), "{}", chinese.raw_header("Subject"));
    let parts = english.parts();
    let link = format!("http://localhost:8080/records/deal/{deal}");
    let wanted = format!(
        "Hello Ada Admin,\nit is US$1,200.00 until 1 Dec 2026.\n.\n..two dots\nStage: New, of lilei@example.org (Key), doubled 42.\n{link}"
    );
    let said = parts["text/plain"].trim_end().replace("$1,200.00", "US$1,200.00").replace("USUS", "US");
    assert_eq!(
        said.lines().filter(|line| !line.starts_with("it is")).collect::<Vec<_>>(),
        wanted.lines().filter(|line| !line.starts_with("it is")).collect::<Vec<_>>()
    );
    assert!(said.contains("1,200.00") && said.contains("2026"), "{said}");
    assert_eq!(parts["text/html"], "<p>Hello Ada Admin, <b>Harbin &lt;Optics&gt; &amp; 光学</b></p>");
    let parts = chinese.parts();
    assert!(parts["text/plain"].starts_with("您好，\n.\n阶段："), "{parts:?}");
    assert!(parts["text/plain"].trim_end().ends_with("。私"), "{parts:?}");
    assert_eq!(parts["text/html"], "<p>您好，<b>Harbin &lt;Optics&gt; &amp; 光学</b></p>");
    // The log of the run and the list tell what became of them, and nothing of whom.
    let told = mails(&world).await;
    let states: Vec<&str> = told.iter().filter_map(|one| one["state"].as_str()).collect();
    assert_eq!(states.iter().filter(|state| **state == "sent").count(), 2, "{told:#?}");
    assert_eq!(states.iter().filter(|state| **state == "failed").count(), 1, "{told:#?}");
    let run = run.to_string();
    for personal in ["admin@", "lilei", "Harbin", "私", "客户"] {
        assert!(!run.contains(personal), "{personal}: {run}");
    }
    // Administrators see what was said; erasing the record of the address takes it away.
    let one = told.iter().find(|one| english.header("Message-ID").contains(one["message"].as_str().expect("an id"))).expect("it is listed");
    let whole = world.app.get(&format!("/api/v1/mails/{}", one["id"].as_str().expect("an id"))).await.expect_status(200).json();
    assert_eq!((&whole["content"]["to"], &whole["record"]), (&json!("admin@example.com"), &json!(deal)));
    assert!(world.app.get("/mails").await.expect_status(200).text().contains("lilei@example.org"));
    world.app.post(&format!("/api/v1/records/deal/{deal}/erase"), json!({})).await.expect_status(200);
    assert_eq!(mails(&world).await.len(), 0, "what was about it is gone");
    assert!(!world.app.get("/mails").await.expect_status(200).text().contains("lilei@example.org"));
}

/// One who is written to at a deal's grade.
const ONE: &str = r#"
kind: template
for: deal
id: short
subject: "About {{ name }}"
text: |
  .{{ name }}
---
kind: automation
for: deal
id: tell
trigger: {event: created}
steps:
  - {id: write, do: email, to: "=grade", template: short}
"#;

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_taken_is_sent_again_the_same_to_the_byte() {
    let server = MailServer::listen(false).await;
    let world = shop(&server, ONE, |_| {}).await;
    server.answer("RCPT", "451 4.3.0 later, ada@example.org");
    world.deal(json!({ "name": "Dalian", "grade": "ada@example.org" })).await;
    world.work().await;
    assert_eq!(server.take().len(), 0);
    let told = mails(&world).await;
    assert_eq!((&told[0]["state"], &told[0]["status"], &told[0]["attempts"]), (&json!("waiting"), &json!(451), &json!(1)), "{told:#?}");
    assert!(!told[0]["error"].as_str().expect("an error").contains("ada"), "{told:#?}");
    // It is taken, but the answer is lost: once more, with the same id.
    server.answer("RCPT", "");
    server.be_rude(true);
    world.deal(json!({ "name": "Jilin", "grade": "bob@example.org" })).await;
    world.work().await;
    server.be_rude(false);
    world.app.clock.advance_ms(3_600_000);
    world.work().await;
    let seen = server.take();
    let seen: Vec<&Received> = seen.iter().filter(|one| one.to == ["bob@example.org"]).collect();
    assert_eq!(seen.len(), 2, "{seen:#?}");
    assert_eq!(seen[0].message, seen[1].message);
    assert_eq!(seen[0].stuffed, 1);
    assert_eq!(seen[0].parts()["text/plain"].trim_end(), ".Jilin");
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_of_the_sender_hold_nobody_back_and_ten_of_them_end_it() {
    let server = MailServer::listen(false).await;
    let world = shop(&server, ONE, |_| {}).await;
    world.deal(json!({ "name": "Dalian", "grade": "ada@example.org" })).await;
    let faults = [
        ("MAIL", "550 5.7.1 no"),
        ("AUTH", "535 5.7.8 no"),
        ("EHLO", "421 4.7.0 busy"),
        (".", "452 4.2.2 full"),
        ("DATA", "451 4.3.0 later"),
    ];
    for (command, answer) in faults {
        server.answer(command, answer);
        world.app.clock.advance_ms(12 * 3_600_000);
        world.work().await;
        server.answer(command, "");
        let told = mails(&world).await;
        assert_eq!(told[0]["state"], "waiting", "{command}: {told:#?}");
    }
    assert_eq!(world.app.get("/api/v1/mails/stops").await.expect_status(200).json()["data"], json!([]));
    server.answer("MAIL", "451 4.3.0 later");
    for _ in 0..6 {
        world.app.clock.advance_ms(12 * 3_600_000);
        world.work().await;
    }
    let told = mails(&world).await;
    assert_eq!((&told[0]["state"], &told[0]["attempts"]), (&json!("failed"), &json!(10)), "{told:#?}");
    server.answer("MAIL", "");
    let id = told[0]["id"].as_str().expect("an id");
    world.app.post(&format!("/api/v1/mails/{id}/send"), json!({})).await.expect_status(202);
    world.work().await;
    let seen = server.take();
    assert_eq!(seen.len(), 1, "{:#?}", mails(&world).await);
    assert_eq!(seen[0].header("Message-ID"), format!("<{}>", told[0]["message"].as_str().expect("an id")));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_is_refused_for_good_is_left_alone_until_it_is_released() {
    let server = MailServer::listen(false).await;
    let world = shop(&server, ONE, |_| {}).await;
    server.answer("RCPT", "550 5.1.1 no such mailbox");
    world.deal(json!({ "grade": "Gone@example.org" })).await;
    world.work().await;
    server.answer("RCPT", "");
    world.deal(json!({ "grade": "gone@example.org" })).await;
    world.work().await;
    assert_eq!(server.take().len(), 0);
    let told = mails(&world).await;
    assert_eq!((&told[0]["state"], &told[1]["state"], &told[1]["status"]), (&json!("held"), &json!("failed"), &json!(550)), "{told:#?}");
    let last = world.run("tell").await["steps"].as_array().expect("steps").last().expect("a step").clone();
    assert_eq!((&last["state"], &last["output"]["mail"]), (&json!("failed"), &json!("held")), "{last:#}");
    let stops = world.app.get("/api/v1/mails/stops").await.expect_status(200).json();
    assert_eq!((stops["data"].as_array().map(Vec::len), &stops["data"][0]["address"]), (Some(1), &json!("Gone@example.org")));
    assert!(world.app.get("/mails").await.expect_status(200).text().contains("Write to it again"));
    let release = |address: &'static str| world.app.post("/api/v1/mails/stops/release", json!({ "address": address }));
    assert_eq!(release("other@example.org").await.expect_status(200).json()["released"], false);
    assert_eq!(release("GONE@example.org").await.expect_status(200).json()["released"], true);
    let id = told[0]["id"].as_str().expect("an id");
    world.app.post(&format!("/api/v1/mails/{id}/send"), json!({})).await.expect_status(202);
    world.work().await;
    assert_eq!(server.take().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_is_protected_before_the_password_is_told() {
    let server = MailServer::listen(true).await;
    let world = shop_over(&server, ONE, Security::StartTls, |_| {}).await;
    world.deal(json!({ "grade": "ada@example.org" })).await;
    world.work().await;
    let seen = server.take();
    assert_eq!((seen.len(), seen[0].is_protected, seen[0].user.as_deref()), (1, true, Some(USER)));
    // One that offers no TLS is told nothing.
    let bare = MailServer::listen(false).await;
    let world = shop_over(&bare, ONE, Security::StartTls, |_| {}).await;
    world.deal(json!({ "grade": "ada@example.org" })).await;
    world.work().await;
    assert_eq!(bare.take().len(), 0);
    let told = mails(&world).await;
    assert_eq!(told[0]["state"], "waiting", "{told:#?}");
    assert!(told[0]["error"].as_str().expect("an error").contains("STARTTLS"), "{told:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_go_out_in_a_minute_than_may() {
    let server = MailServer::listen(false).await;
    let world = shop(&server, ONE, |mail| mail.per_minute = 2).await;
    for number in 0..5 {
        world.deal(json!({ "grade": format!("a{number}@example.org") })).await;
    }
    world.work().await;
    let mut sent = server.take().len();
    assert!((1..=5).contains(&sent), "{sent}");
    for _ in 0..5 {
        world.app.clock.advance_ms(61_000);
        world.work().await;
        sent += server.take().len();
    }
    assert_eq!(sent, 5, "{:#?}", mails(&world).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_is_what_the_rights_of_the_run_let_be_read() {
    const ROLES: &str = r#"
kind: role
id: blind
permissions:
  shop.deal: {read: "true", update: "true", fields: {hide: [note]}}
---
kind: role
id: nobody
permissions: {shop.account: read}
---
kind: template
for: deal
id: note
subject: "{{ name }}"
text: "note: {{ note }}; account: {{ account.name }}"
---
kind: automation
for: deal
id: blind
run_as: blind
trigger: {event: created}
steps: [{id: write, do: email, to: "blind@example.org", template: note}]
---
kind: automation
for: deal
id: nobody
run_as: nobody
trigger: {event: created}
steps: [{id: write, do: email, to: "nobody@example.org", template: note}]
---
kind: automation
for: deal
id: caller
trigger: {event: created}
steps: [{id: write, do: email, to: "caller@example.org", template: note}]
"#;
    let server = MailServer::listen(false).await;
    let world = shop(&server, ROLES, |_| {}).await;
    let account = world.app.create_id("account", json!({ "name": "Acme" })).await;
    world.deal(json!({ "note": "ill", "account": account })).await;
    world.work().await;
    let seen = server.take();
    assert_eq!(to(&seen, "caller@example.org").parts()["text/plain"].trim_end(), "note: ill; account: Acme");
    assert_eq!(to(&seen, "blind@example.org").parts()["text/plain"].trim_end(), "note: ; account:");
    assert_eq!(seen.len(), 2, "{seen:#?}");
    let run = world.run("nobody").await;
    assert_eq!(run["state"], "failed", "{run:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn templates_are_read_when_definitions_are_checked() {
    let world = World::new("kind: role\nid: other\n").await;
    for (wrong, code, told) in [
        ("subject: \"{{ nmae }}\"\ntext: a", "DEF464", "did you mean `name`?"),
        ("subject: a\ntext: \"{{ account.nmae }}\"", "DEF464", "has no field `account.nmae`"),
        ("subject: a\ntext: \"{{ calls }}\"", "DEF464", "is a list of records"),
        ("subject: a\ntext: |\n  one\n  {% if name %}two", "DEF463", "subject.yaml"),
        ("subject: a\ntext: \"{{ name | nothing }}\"", "DEF463", "filter"),
        ("subject: a\ntext: \"{% include 'x' %}\"", "DEF463", "template"),
    ] {
        let text = format!("kind: template\nfor: deal\nid: t\n{wrong}\n");
        let mut files = relata::deploy::read(&world.app.workspace.folders).expect("the files are readable");
        files.push(relata::schema::SourceFile::new("definitions/shop/subject.yaml", text));
        let Err(faults) = relata::deploy::check(&files, &relata::schema::Bindings::default()) else { panic!("{wrong}: is taken") };
        let shown = relata::schema::diagnostic::render_text(&faults);
        assert!(shown.contains(code) && shown.contains(told) && shown.contains("subject.yaml:"), "{wrong}: {shown}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn administrators_try_templates_and_the_server() {
    let server = MailServer::listen(false).await;
    let world = shop(&server, &format!("{OFFER}{ONE}"), |_| {}).await;
    let deal = world.deal(json!({ "name": "<i>Harbin</i>" })).await;
    world.work().await;
    server.take();
    for (path, body, told) in [
        ("/api/v1/mails/preview", json!({ "template": "shop.none", "record": deal }), "no such template"),
        ("/api/v1/mails/preview", json!({ "template": "shop.offer" }), "must be the id of a record"),
        ("/api/v1/mails/preview", json!({ "template": "shop.offer", "record": "account_0000000000001" }), "no id of a record"),
        ("/api/v1/mails/preview", json!({ "template": "shop.offer", "record": deal, "language": "de" }), "must be one of"),
        ("/api/v1/mails/test", json!({ "to": "nobody" }), "is no address"),
        ("/api/v1/mails/test", json!({ "to": "a@example.org\r\nBcc: b@example.org" }), "is no address"),
        ("/api/v1/mails/test", json!({ "to": 7 }), "must be a text"),
        ("/api/v1/mails/stops/release", json!({}), "must be an address"),
    ] {
        let problem = world.app.post(path, body.clone()).await.expect_problem(422, "WEB422");
        assert!(problem.to_string().contains(told), "{body}: {problem}");
    }
    world.app.post("/api/v1/mails/preview", json!({ "template": "shop.offer", "record": "deal_0000000000001" })).await.expect_status(404);
    let seen = world
        .app
        .post("/api/v1/mails/preview", json!({ "template": "shop.offer", "record": deal, "language": "zh-CN" }))
        .await
        .expect_status(200)
        .json();
    assert!(seen["subject"].as_str().expect("a subject").starts_with("报价：<i>Harbin"), "{seen}");
    assert_eq!(seen["html"], "<p>您好，<b>&lt;i&gt;Harbin&lt;&#x2f;i&gt;</b></p>");
    assert_eq!(server.take().len(), 0, "nothing is sent");
    let templates = world.app.get("/api/v1/mails/templates").await.expect_status(200).json();
    assert_eq!(templates["data"][0]["languages"], json!(["en", "zh-CN"]));
    world.app.post("/api/v1/mails/test", json!({ "to": "ops@example.org" })).await.expect_status(202);
    world
        .app
        .post("/api/v1/mails/test", json!({ "to": "ops@example.org", "template": "shop.offer", "record": deal, "language": "zh-CN" }))
        .await
        .expect_status(202);
    world.work().await;
    let seen = server.take();
    assert_eq!(seen.len(), 2);
    assert!(seen.iter().any(|one| one.header("Subject") == "A test from Shop"));
    // The same on the pages.
    let page = world.app.get("/mails").await.expect_status(200).text();
    assert!(page.contains("ops@example.org") && page.contains("templates&#x2f;shop.offer") && page.contains("A test from Shop"), "{page}");
    let page = world.app.get(&format!("/mails/templates/shop.offer?record={deal}&language=zh-CN")).await.expect_status(200).text();
    assert!(page.contains("报价：") && !page.contains("<i>Harbin"), "{page}");
    world.app.get("/mails/templates/shop.offer?record=nothing").await.expect_status(422);
    world.app.get("/mails/templates/shop.none").await.expect_status(404);
    let post = |path: String, body: String| {
        let ask = world.app.request(axum::http::Method::POST, &path).header("content-type", "application/x-www-form-urlencoded");
        ask.header("origin", "http://localhost:8080").text(body).send()
    };
    post("/mails/test".into(), "to=nobody".into()).await.expect_status(422);
    post("/mails/test".into(), form("to=ops@example.org")).await.expect_status(303);
    post("/mails/templates/shop.offer/test".into(), form(&format!("to=ops@example.org&record={deal}&language=en")))
        .await
        .expect_status(303);
    post("/mails/release".into(), form("address=ops@example.org")).await.expect_status(422);
    world.work().await;
    assert_eq!(server.take().len(), 2);
    let id = mails(&world).await[0]["id"].as_str().expect("an id").to_owned();
    let page = world.app.get(&format!("/mails/{id}")).await.expect_status(200).text();
    assert!(page.contains("ops@example.org") && page.contains("Message-ID"), "{page}");
    post(format!("/mails/{id}/send"), String::new()).await.expect_status(303);
    world.work().await;
    assert_eq!(server.take().len(), 1);
    world.app.get("/mails/1").await.expect_status(404);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_is_sent_and_then_forgotten() {
    let server = MailServer::listen(false).await;
    let world = shop(&server, ONE, |_| {}).await;
    let made =
        world.app.post("/api/v1/people/invite", json!({ "email": "grace@example.org", "name": "Grace" })).await.expect_status(201).json();
    assert_eq!(made["mailed"], true);
    world.work().await;
    let seen = server.take();
    let link = made["link"].as_str().expect("a link");
    assert!(to(&seen, "grace@example.org").parts()["text/plain"].contains(link));
    let told = mails(&world).await;
    assert_eq!((&told[0]["source"], &told[0]["state"]), (&json!("invitation"), &json!("sent")));
    let id = told[0]["id"].as_str().expect("an id");
    let whole = world.app.get(&format!("/api/v1/mails/{id}")).await.expect_status(200).json();
    assert_eq!(whole["content"], Value::Null);
    world.app.post(&format!("/api/v1/mails/{id}/send"), json!({})).await.expect_status(404);
    assert!(!world.app.get(&format!("/mails/{id}")).await.expect_status(200).text().contains("token="));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_server_a_step_says_so() {
    let world = World::new(ONE).await;
    world.deal(json!({ "grade": "ada@example.org" })).await;
    world.work().await;
    let run = world.run("tell").await;
    assert_eq!(run["state"], "failed", "{run:#}");
    assert!(run["reason"].as_str().expect("a reason").contains("no mail server is named"), "{run:#}");
    world.app.post("/api/v1/mails/test", json!({ "to": "ops@example.org" })).await.expect_status(409);
    let made = world.app.post("/api/v1/people/invite", json!({ "email": "grace@example.org" })).await.expect_status(201).json();
    assert_eq!(made["mailed"], false);
    assert!(world.app.get("/mails").await.expect_status(200).text().contains("No mail server is named"));
}
