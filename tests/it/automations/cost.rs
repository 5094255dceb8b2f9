//! What automations cost a save that starts none of them.

use std::fmt::Write as _;

use relata::base::Stopwatch;
use relata::store::jobs;
use serde_json::json;

use super::world::World;

/// Saves that are timed.
const SAVES: usize = 60;

/// A thousand automations of the same entity: most watch another field, the others wait for another event.
fn thousand() -> String {
    let mut text = String::new();
    for number in 0..1_000 {
        let trigger = match number % 4 {
            0 => "{event: deleted}",
            1 => "{event: stage, to: won}",
            _ => "{event: updated, watch: [grade]}",
        };
        let _ = write!(
            text,
            "kind: automation\nfor: deal\nid: idle_{number}\ntrigger: {trigger}\nsteps: [{{do: create, entity: account, values: {{name: x}}}}]\n---\n"
        );
    }
    text.push_str("kind: app\nid: shop\nentities: [deal]\n");
    text
}

/// The median save of a field that nobody watches, in microseconds.
async fn median(world: &World) -> u128 {
    let deal = world.deal(json!({})).await;
    let mut taken = Vec::new();
    for number in 0..SAVES {
        let watch = Stopwatch::start();
        world.patch(&deal, json!({ "number": number })).await.expect_status(200);
        taken.push(watch.elapsed().as_micros());
    }
    taken.sort_unstable();
    taken[SAVES / 2]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_that_do_not_match_write_nothing() {
    let (none, many) = (World::new("kind: app\nid: shop\nentities: [deal]\n").await, World::new(&thousand()).await);
    // The first round warms both.
    let _ = (median(&none).await, median(&many).await);
    let (alone, beside) = (median(&none).await, median(&many).await);
    eprintln!("median save: {alone} us without automations, {beside} us beside 1,000 that do not match");
    assert_eq!(jobs::counts(&many.app.workspace.store).await.expect("counts"), vec![]);
    assert_eq!(many.app.get("/api/v1/runs").await.expect_status(200).json()["data"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_that_match_cost_a_save_one_job() {
    let mut text = String::new();
    for number in 0..20 {
        let _ = write!(
            text,
            "kind: automation\nfor: deal\nid: busy_{number}\ntrigger: {{event: updated, watch: [number]}}\nsteps: [{{do: set, values: {{other: {number}}}}}]\n---\n"
        );
    }
    text.push_str("kind: app\nid: shop\nentities: [deal]\n");
    let world = World::new(&text).await;
    let deal = world.deal(json!({})).await;
    world.patch(&deal, json!({ "number": 5 })).await.expect_status(200);
    let waiting = jobs::list(&world.app.workspace.store, "ready", 100).await.expect("lists");
    assert_eq!(waiting.len(), 1);
    world.work().await;
    let told = world.app.get("/api/v1/runs?limit=200").await.expect_status(200).json();
    assert_eq!(told["data"].as_array().expect("runs").iter().filter(|run| run["state"] == "done").count(), 20);
}
