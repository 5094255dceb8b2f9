//! Automations that ask, wait and go on with what was decided.

use serde_json::{Value, json};

use super::world::{SHOP, World};

const ASK: &str = r#"
kind: automation
for: shop.deal
id: agree
trigger: {event: updated, watch: [discount]}
steps:
  - id: ask
    do: approval
    approval: discount
    then: [{id: good, do: set, values: {why: agreed}}]
    else: [{id: bad, do: set, values: {why: refused}}]
  - {id: after, do: set, values: {name: "=concat(name, '!')"}}
---
kind: automation
for: shop.deal
id: plain
trigger: {event: updated, watch: [kind]}
steps:
  - {id: ask, do: approval, approval: review}
  - {id: after, do: set, values: {name: Reviewed}}
"#;

async fn world() -> World {
    let [workspace, package] = SHOP;
    World::with(&[workspace, package, ("definitions/shop/automations/ask.yaml", ASK)]).await
}

async fn runs(world: &World, automation: &str) -> Value {
    world.app.workspace.runner.run_until_idle().await.expect("jobs run");
    world.app.get(&format!("/api/v1/runs?automation=shop.{automation}&limit=1")).await.expect_status(200).json()["data"][0].clone()
}

/// A deal whose discount the rep changed, and what was asked for by that.
async fn raised(world: &World, discount: &str) -> (String, Value) {
    let deal = world.deal(json!({})).await;
    let path = format!("/api/v1/records/deal/{deal}");
    let ask = world.app.request(axum::http::Method::PATCH, &path).token(&world.rep.token);
    ask.json(&json!({ "discount": discount })).send().await.expect_status(200);
    runs(world, "agree").await;
    let all = world.app.get(&format!("{path}/approvals")).await.expect_status(200).json();
    (deal, all["data"][0].clone())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_waits_for_the_decision_and_goes_on_with_it() {
    let world = world().await;
    for (decision, why) in [("approve", "agreed"), ("reject", "refused")] {
        let (deal, request) = raised(&world, "20").await;
        assert_eq!((&request["state"], &request["asked_by"]), (&json!("running"), &json!(world.rep.id)), "{request:#}");
        assert_eq!(runs(&world, "agree").await["state"], "waiting");
        world.decide(&world.manager, &request, decision).await.expect_status(200);
        let run = runs(&world, "agree").await;
        assert_eq!(run["state"], "done", "{run:#}");
        let now = world.get(&deal).await;
        assert_eq!((&now["why"], &now["name"]), (&json!(why), &json!("Deal!")), "{now:#}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_needed_counts_as_approved_and_what_is_taken_back_as_not() {
    let world = world().await;
    let (deal, request) = raised(&world, "5").await;
    assert_eq!(request, Value::Null);
    assert_eq!(world.get(&deal).await["why"], "agreed");
    let (deal, request) = raised(&world, "20").await;
    world.act(&world.rep, &request, "withdraw", json!({})).await.expect_status(200);
    runs(&world, "agree").await;
    assert_eq!(world.get(&deal).await["why"], "refused");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_an_else_a_run_ends_where_it_is_not_approved() {
    let world = world().await;
    let deal = world.deal(json!({ "reviewer": world.board[0].id })).await;
    let path = format!("/api/v1/records/deal/{deal}");
    let care = world.app.request(axum::http::Method::PATCH, &path).token(&world.rep.token).json(&json!({ "kind": "care" }));
    care.send().await.expect_status(200);
    runs(&world, "plain").await;
    let all = world.app.get(&format!("{path}/approvals")).await.expect_status(200).json();
    world.decide(&world.board[0], &all["data"][0], "reject").await.expect_status(200);
    let run = runs(&world, "plain").await;
    assert_eq!((&run["state"], &world.get(&deal).await["name"]), (&json!("done"), &json!("Deal")), "{run:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_may_not_ask_fails_and_says_so() {
    let world = world().await;
    let deal = world.deal(json!({ "reviewer": world.board[0].id })).await;
    let path = format!("/api/v1/records/deal/{deal}");
    let care = world.app.request(axum::http::Method::PATCH, &path).token(&world.director.token).json(&json!({ "kind": "care" }));
    care.send().await.expect_status(200);
    let run = runs(&world, "plain").await;
    assert_eq!(run["state"], "failed", "{run:#}");
    assert!(run["reason"].as_str().unwrap_or_default().contains("may ask"), "{run:#}");
}
