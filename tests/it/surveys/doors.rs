//! Doors that write for a survey: by the API, by the page, by a step, and the public page. All go through the record writer:
//! rules of the answer's entity hold on each, and so do its automations and scripts.

use serde_json::json;

use super::rights::token;
use super::world::World;
use crate::support::smtp::MailServer;

const RULES: &str = r#"
kind: extension
of: desk.feedback
fields:
  noted: {type: text}
rules:
  - {id: why, assert: "why is not null", when: "score <= 2", at: why, message: {en: Tell us why, zh-CN: 请告诉我们原因}}
  - {id: low, assert: "request.priority = 'low'", at: request, message: {en: Nobody is asked about this}}
scripts:
  - {id: note, trigger: before_save, source: "fn run(rec, old, ctx) { if rec.score != () { rec.noted = `got ${rec.score}`; } }"}
"#;

#[tokio::test(flavor = "multi_thread")]
async fn rules_and_scripts_hold_for_invitations_and_answers() {
    let world = World::new(RULES).await;
    let high = world.request(json!({ "priority": "high" })).await;
    let path = format!("/api/v1/records/request/{high}/surveys");
    let refused = world.app.post(&path, json!({ "survey": "desk.satisfaction" })).await.expect_status(422).text();
    assert!(refused.contains("Nobody is asked about this"), "{refused}");
    let form = world.app.request(axum::http::Method::POST, &format!("/records/request/{high}/surveys"));
    let form = form.header("content-type", "application/x-www-form-urlencoded").text("survey=desk.satisfaction");
    assert!(form.send().await.expect_status(422).text().contains("Nobody is asked about this"));

    let low = world.request(json!({})).await;
    let (answer, link) = world.ask(&low, "desk.satisfaction").await;
    let shown = "_shown=score,solved,reason,liked,why";
    let page = world.send(&format!("{link}?lang=en"), &format!("{shown}&score=1&reason=tone")).await.expect_status(422).text();
    assert!(page.contains("Tell us why"), "{page}");
    assert_eq!(world.read(&answer).await["survey_state"], "asked");
    world.answer(&link, &format!("{shown}&score=1&reason=tone&why=late")).await;
    let saved = world.read(&answer).await;
    assert_eq!((&saved["noted"], &saved["why"]), (&json!("got 1"), &json!("late")));
}

const WHEN: &str = r#"
kind: survey
id: urgent
for: desk.request
answers: desk.feedback
when: "priority = 'high' and contact.email is not null"
run_as: [answers]
questions: [{field: solved}]
---
kind: survey
id: urgent_alone
for: desk.request
answers: desk.feedback
when: "priority = 'high'"
run_as: [answers]
questions: [{field: solved}]
---
kind: template
for: request
id: urgent
subject: {en: "About {{ name }}"}
text: {en: "Tell us: {{ survey_link }}"}
---
kind: automation
for: request
id: urgent
trigger: {event: created}
run_as: [agent]
steps: [{do: survey, survey: urgent, to: "=contact.email", template: urgent}]
"#;

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_asked_where_the_survey_is_not_meant() {
    let server = MailServer::listen(false).await;
    let world = World::with_mail(&server, WHEN).await;
    let low = world.request_of("en").await;
    let path = format!("/api/v1/records/request/{low}/surveys");
    let refused = world.app.post(&path, json!({ "survey": "desk.urgent" })).await.expect_status(409).json();
    assert_eq!(refused["code"], "REC013", "{refused:#}");
    assert!(refused["detail"].as_str().unwrap().contains("`when` does not hold"), "{refused:#}");
    let page = format!("/records/request/{low}");
    let form = world.app.request(axum::http::Method::POST, &format!("{page}/surveys"));
    let form = form.header("content-type", "application/x-www-form-urlencoded").text("survey=desk.urgent_alone");
    assert!(form.send().await.expect_status(422).text().contains("Nobody is asked about this record"));
    // A page offers what its record's own values allow; what depends on others is tried.
    let shown = world.app.get(&page).await.expect_status(200).text();
    assert!(!shown.contains("value=\"desk.urgent_alone\""), "{shown}");
    assert!(shown.contains("value=\"desk.urgent\""), "{shown}");
    // A step writes to nobody and says why.
    world.work().await;
    assert_eq!(server.take().len(), 0);
    let runs = world.app.get("/api/v1/runs?automation=desk.urgent").await.expect_status(200).json();
    let run = world.app.get(&format!("/api/v1/runs/{}", runs["data"][0]["id"].as_str().unwrap())).await.json();
    assert_eq!((&run["state"], &run["steps"][0]["output"]["asked"]), (&json!("done"), &json!([])), "{run:#}");
    assert!(run["steps"][0]["output"]["not_asked"].as_str().unwrap().contains("`when`"), "{run:#}");
    assert_eq!(world.app.get("/api/v1/records/feedback").await.json()["data"], json!([]));

    world.app.patch(&format!("/api/v1/records/request/{low}"), json!({ "priority": "high" })).await.expect_status(200);
    let shown = world.app.get(&page).await.expect_status(200).text();
    assert!(shown.contains("value=\"desk.urgent_alone\""), "{shown}");
    world.ask(&low, "desk.urgent").await;
}

const HIDDEN: &str = r#"
kind: extension
of: desk.request
fields:
  asked_on: {type: datetime}
  legal: {type: boolean, default: false}
---
kind: extension
of: desk.feedback
scripts:
  - id: stamp
    trigger: after_write
    source: |
      fn run(rec, old, ctx) {
        update("desk.request", rec.request, #{asked_on: now()});
      }
---
kind: survey
id: once
for: desk.request
answers: desk.feedback
when: "asked_on is null and legal = false"
run_as: [answers, stamps]
questions: [{field: solved}]
---
kind: role
id: stamps
permissions: {request: {read: true, update: true}}
---
kind: role
id: outsider
permissions:
  core.user: read
  request: {read: true, update: true, fields: {hide: [legal]}}
---
kind: template
for: request
id: once
subject: {en: "About {{ name }}"}
text: {en: "Tell us: {{ survey_link }}"}
---
kind: automation
for: request
id: once
trigger: {event: updated, watch: [legal]}
run_as: [agent]
steps: [{do: survey, survey: once, to: "=contact.email", template: once}]
"#;

/// The condition is about the record as it is, whoever asks; a link that was made is shown, whatever holds afterwards.
#[tokio::test(flavor = "multi_thread")]
async fn the_condition_is_judged_on_the_whole_record() {
    let world = World::new(HIDDEN).await;
    let outsider = token(&world, "outsider").await;
    let legal = world.request(json!({ "legal": true })).await;
    let ask = |id: String| {
        let body = json!({ "survey": "desk.once" });
        world.app.request(axum::http::Method::POST, &format!("/api/v1/records/request/{id}/surveys")).token(&outsider).json(&body).send()
    };
    ask(legal).await.expect_problem(409, "REC013");
    let open = world.request(json!({})).await;
    ask(open.clone()).await.expect_status(201);
    ask(open).await.expect_problem(409, "REC013");

    let other = world.request(json!({})).await;
    let form = world.app.request(axum::http::Method::POST, &format!("/records/request/{other}/surveys"));
    let form = form.header("content-type", "application/x-www-form-urlencoded").text("survey=desk.once");
    let shown = form.send().await.expect_status(200).text();
    assert!(shown.contains("id=\"survey-link\"") && !shown.contains("value=\"desk.once\""), "{shown}");

    // Nobody writes where nobody is asked: no mail server is missed.
    world.app.patch(&format!("/api/v1/records/request/{other}"), json!({ "legal": true })).await.expect_status(200);
    world.work().await;
    let runs = world.app.get("/api/v1/runs?automation=desk.once").await.expect_status(200).json();
    assert_eq!(runs["data"][0]["state"], "done", "{runs:#}");
}

const OFTEN: &str = r#"
kind: survey
id: rare
for: desk.request
answers: desk.feedback
values: {contact: "=contact"}
language: "=contact.language"
again_after: 30d
per: contact
run_as: [answers]
questions: [{field: solved}]
---
kind: role
id: outsider
permissions: {core.user: read, request: {read: true, update: true, fields: {hide: [contact]}}}
---
kind: survey
id: each
for: desk.request
answers: desk.feedback
again_after: 7d
run_as: [answers]
questions: [{field: solved}]
---
kind: template
for: request
id: rare
subject: {en: "About {{ name }}"}
text: {en: "Tell us: {{ survey_link }}"}
---
kind: automation
for: request
id: rare
trigger: {event: updated, watch: [escalated]}
run_as: [agent]
steps: [{do: survey, survey: rare, to: "=contact.email", template: rare}]
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_asked_too_often() {
    let server = MailServer::listen(false).await;
    let world = World::with_mail(&server, OFTEN).await;
    let agent = token(&world, "agent").await;
    let ask = |id: &str, survey: &str| {
        let body = json!({ "survey": survey });
        world.app.request(axum::http::Method::POST, &format!("/api/v1/records/request/{id}/surveys")).token(&agent).json(&body).send()
    };
    let first = world.request_of("en").await;
    let contact = world.app.get(&format!("/api/v1/records/request/{first}")).await.json()["contact"].clone();
    let second = world.request(json!({ "contact": contact })).await;
    // Two ask somebody at once, about two requests: one of them does. The agent reads no answers; they count all the same.
    let (one, two) = tokio::join!(ask(&first, "desk.rare"), ask(&second, "desk.rare"));
    let mut states = [one.status.as_u16(), two.status.as_u16()];
    states.sort_unstable();
    assert_eq!(states, [201, 409], "{} {}", one.text(), two.text());
    let refused = ask(&second, "desk.rare").await.expect_problem(409, "REC013");
    assert!(refused["detail"].as_str().unwrap().contains("not asked again before 2026-12-21T08:00:00Z"), "{refused:#}");
    let form = world.app.request(axum::http::Method::POST, &format!("/records/request/{second}/surveys"));
    let form = form.header("content-type", "application/x-www-form-urlencoded").text("survey=desk.rare").send().await;
    assert!(form.expect_status(422).text().contains("was asked lately. They can be asked again from Dec 21, 2026"));
    // A step writes to nobody and says why.
    world.app.patch(&format!("/api/v1/records/request/{second}"), json!({ "escalated": true })).await.expect_status(200);
    world.work().await;
    assert_eq!(server.take().len(), 0);
    let runs = world.app.get("/api/v1/runs?automation=desk.rare").await.expect_status(200).json();
    let run = world.app.get(&format!("/api/v1/runs/{}", runs["data"][0]["id"].as_str().unwrap())).await.json();
    assert!(run["steps"][0]["output"]["not_asked"].as_str().unwrap().contains("asked lately"), "{run:#}");

    // Others are asked, who is not known is not known to have been asked, and another survey is another one.
    let other = world.request_of("en").await;
    ask(&other, "desk.rare").await.expect_status(201);
    let nobody = world.request(json!({})).await;
    for _ in 0..2 {
        ask(&nobody, "desk.rare").await.expect_status(201);
    }
    ask(&second, "desk.satisfaction").await.expect_status(201);
    // Without `per` it is about the record.
    for request in [&first, &second] {
        ask(request, "desk.each").await.expect_status(201);
        ask(request, "desk.each").await.expect_problem(409, "REC013");
    }
    world.app.clock.advance_ms(7 * 24 * 3_600_000 - 1);
    ask(&first, "desk.each").await.expect_problem(409, "REC013");
    world.app.clock.advance_ms(1);
    ask(&first, "desk.each").await.expect_status(201);

    // Also where whoever asks does not see whom.
    let outsider = token(&world, "outsider").await;
    let hidden = world.request_of("zh-CN").await;
    let whom = world.app.get(&format!("/api/v1/records/request/{hidden}")).await.json()["contact"].clone();
    let path = format!("/api/v1/records/request/{hidden}/surveys");
    let ask_blindly = || {
        let ask = world.app.request(axum::http::Method::POST, &path).token(&outsider);
        ask.json(&json!({ "survey": "desk.rare" })).send()
    };
    let made = ask_blindly().await.expect_status(201).json();
    let answer = world.read(made["answer"].as_str().expect("an id")).await;
    assert_eq!((&answer["contact"], &answer["survey_language"]), (&whom, &json!("zh-CN")), "{answer:#}");
    ask_blindly().await.expect_problem(409, "REC013");

    // It counts from when they were asked last, answered or not, and an answer that was deleted does not count.
    world.app.clock.advance_ms(23 * 24 * 3_600_000);
    let (answer, link) = world.ask(&first, "desk.rare").await;
    world.answer(&link, "_shown=solved&solved=true").await;
    ask(&second, "desk.rare").await.expect_problem(409, "REC013");
    world.app.delete(&format!("/api/v1/records/feedback/{answer}")).await.expect_status(204);
    world.app.patch(&format!("/api/v1/records/request/{second}"), json!({ "escalated": false })).await.expect_status(200);
    world.work().await;
    assert_eq!(server.take().len(), 1);
    ask(&first, "desk.rare").await.expect_problem(409, "REC013");
}
