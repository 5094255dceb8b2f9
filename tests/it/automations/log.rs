//! What the log says: input, output and reason of each step, and of each run that was not.

use serde_json::json;

use super::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn what_did_not_run_is_told_with_its_reason() {
    let world = World::new(
        r#"
kind: automation
for: deal
id: big
trigger: {event: created}
when: "amount > 1000"
steps: [{do: set, values: {grade: big}}]
"#,
    )
    .await;
    world.deal(json!({ "amount": "5" })).await;
    let big = world.deal(json!({ "amount": "5000" })).await;
    world.work().await;
    let wanted = [("skipped".to_owned(), "condition:amount > 1000".to_owned()), ("done".to_owned(), String::new())];
    assert_eq!(world.runs("big").await, wanted);
    let of_one = world.app.get(&format!("/api/v1/runs?record={big}")).await.expect_status(200).json();
    assert_eq!(of_one["data"].as_array().expect("runs").len(), 1);
    for (asked, status, code) in
        [("state=lost", 422, "WEB422"), ("record=7", 422, "WEB422"), ("limit=0", 400, "QRY003"), ("before=x", 422, "WEB422")]
    {
        world.app.get(&format!("/api/v1/runs?{asked}")).await.expect_problem(status, code);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_step_is_told_with_what_came_in_and_what_came_out() {
    let world = World::new(
        r#"
kind: automation
for: deal
id: told
label: {en: Told, zh-CN: 告知}
trigger: {event: created}
steps:
  - {id: first, do: set, values: {grade: "=name", note: "=name"}}
  - {id: second, do: script, script: rank}
  - {id: third, do: script, script: broken}
"#,
    )
    .await;
    let deal = world.deal(json!({ "name": "Ada" })).await;
    world.work().await;
    let run = world.run("told").await;
    let steps = run["steps"].as_array().expect("steps");
    let states: Vec<_> =
        steps.iter().map(|step| (step["step"].as_str().expect("a name"), step["state"].as_str().expect("a state"))).collect();
    assert_eq!(states, [("first", "done"), ("second", "done"), ("third", "failed")]);
    assert_eq!(steps[0]["input"], json!({ "values": { "grade": "Ada", "note": "(personal)" } }));
    assert_eq!(steps[0]["output"], json!({ "record": deal, "changed": ["grade", "note"] }));
    assert_eq!(steps[1]["output"], json!({ "answer": { "rank": 7 } }));
    assert!(steps[2]["reason"].as_str().expect("a reason").contains("shop.broken"), "{run:#}");
    assert_eq!(run["record"], json!(deal));
    let id = run["id"].as_str().expect("an id");
    let page = world.app.get(&format!("/automations/runs/{id}")).await.expect_status(200).text();
    assert!(page.contains("shop.told") && page.contains("first") && page.contains("Try again now"), "{page}");
    let list = world.app.get("/automations").await.expect_status(200).text().replace("&#x2f;", "/");
    assert!(list.contains("Told") && list.contains(&format!("/automations/runs/{id}")), "{list}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_says_something_of_a_person_and_what_is_long_is_not_kept() {
    let world = World::new(
        r#"
kind: automation
for: deal
id: careful
trigger: {event: created}
steps:
  - {id: copy, do: set, values: {grade: "=concat('about ', note)"}}
  - {id: long, do: set, values: {story: "=concat(story, '!')"}}
  - {id: again, do: update, entity: deal, match: {name: "=name"}, values: {other: 0}}
"#,
    )
    .await;
    let long = "x".repeat(3_000);
    world.deal(json!({ "story": long, "note": "Ada is ill" })).await;
    world.work().await;
    let run = world.run("careful").await;
    assert_eq!(run["state"], "done", "{run:#}");
    assert_eq!(run["steps"][0]["input"], json!({ "values": { "grade": "(personal)" } }));
    assert_eq!(run["steps"][1]["input"]["values"]["story"], json!({ "bytes": 3_003 }));
    // It found a record and had nothing to change in it.
    assert_eq!(run["steps"][2]["output"], json!({ "found": 1, "changed": 0, "records": [] }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_may_not_look_says_so() {
    let world = World::new(
        r#"
kind: role
id: blind
permissions: {shop.deal: {fields: {hide: [grade]}}}
---
kind: automation
for: deal
id: nightly
trigger: {event: schedule, cron: "0 20 * * *"}
when: "grade is null"
run_as: [blind]
steps: [{do: set, values: {number: 1}}]
"#,
    )
    .await;
    world.deal(json!({})).await;
    world.work().await;
    world.app.clock.advance_ms(5 * 3_600_000);
    world.work().await;
    let runs = world.runs("nightly").await;
    assert_eq!(runs.len(), 1, "{runs:?}");
    assert!(runs[0].0 == "skipped" && runs[0].1.starts_with("refused:") && runs[0].1.contains("grade"), "{runs:?}");
}
