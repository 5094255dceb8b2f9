//! What leads to an invitation and what follows from an answer.

use serde_json::{Value, json};

use super::world::{MAIL, SHOWN, World};
use crate::support::smtp::MailServer;

const ESCALATE: &str = r#"
kind: automation
for: request
id: escalate
trigger: {event: answered, survey: satisfaction}
when: "score <= 2 and request.priority = 'high'"
run_as: [user]
steps:
  - {do: set, values: {escalated: true}}
"#;

async fn runs(world: &World, name: &str) -> Vec<Value> {
    let told = world.app.get(&format!("/api/v1/runs?automation=desk.{name}")).await.expect_status(200).json();
    told["data"].as_array().expect("runs").clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_writes_to_people_with_a_link_each() {
    let server = MailServer::listen(false).await;
    let world = World::with_mail(&server, MAIL).await;
    let request = world.request_of("zh-CN").await;
    world.work().await;
    let run = &runs(&world, "ask").await[0];
    assert_eq!(run["state"], "done", "{run:#}");
    let seen = server.take();
    assert_eq!(seen.len(), 1, "{seen:#?}");
    assert_eq!(seen[0].to, ["lilei@example.org"]);
    let text: String = seen[0].parts().iter().map(|part| format!("{part:?}")).collect();
    let at = text.find("http://localhost:8080/survey/").expect("a link");
    let link: String =
        text[at + "http://localhost:8080".len()..].chars().take_while(|c| c.is_ascii_alphanumeric() || "/".contains(*c)).collect();
    let page = world.look(&link).await.expect_status(200).text();
    assert!(page.contains("您满意吗？"), "{page}");
    world.answer(&link, &format!("{SHOWN}&score=5")).await;
    let all = world.app.get(&format!("/api/v1/records/feedback?filter=request='{request}'")).await.expect_status(200).json();
    assert_eq!((all["data"].as_array().map(Vec::len), &all["data"][0]["score"]), (Some(1), &json!(5)), "{all:#}");
    // The log tells whom it asked by the record, and has no link.
    let steps = world.app.get(&format!("/api/v1/runs/{}", run["id"].as_str().unwrap())).await.json();
    let output = &steps["steps"][0]["output"];
    assert_eq!((&output["asked"], &output["left_out"]), (&json!([all["data"][0]["id"]]), &json!(0)), "{steps:#}");
    assert!(!steps.to_string().contains("/survey/"), "{steps:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_begins_automations_of_the_record_asked_about() {
    let world = World::new(ESCALATE).await;
    let shown = "_shown=score,solved,reason,liked,why";
    let mut escalated = Vec::new();
    for (priority, score) in [("low", 1), ("high", 5), ("high", 1)] {
        let request = world.request(json!({ "priority": priority })).await;
        let (_, path) = world.ask(&request, "desk.satisfaction").await;
        // Another survey of the same answers is not this one.
        let (_, other) = world.ask(&request, "desk.loyalty").await;
        world.answer(&other, "_shown=recommend&recommend=0").await;
        world.answer(&path, &format!("{shown}&score={score}&reason=tone")).await;
        world.work().await;
        escalated.push(world.app.get(&format!("/api/v1/records/request/{request}")).await.json()["escalated"] == true);
    }
    assert_eq!(escalated, [false, false, true]);
    let found = runs(&world, "escalate").await;
    let told: Vec<(&str, &str)> = found.iter().map(|run| (run["state"].as_str().unwrap(), run["event"].as_str().unwrap())).collect();
    assert_eq!(told, [("done", "answered"), ("skipped", "answered"), ("skipped", "answered")], "{found:#?}");
    assert!(found.iter().all(|run| run["record"].as_str().unwrap().starts_with("request_")), "{found:#?}");
}
