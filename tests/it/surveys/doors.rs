//! Doors that write for a survey: by the API, by the page, by a step, and the public page. All go through the record writer:
//! rules of the answer's entity hold on each, and so do its automations and scripts.

use serde_json::json;

use super::world::World;

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
