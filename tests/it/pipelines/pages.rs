//! The path on a record's page, and moving by a form.

use axum::http::Method;
use serde_json::json;

use super::world::World;
use crate::access::world::{Person, get};
use crate::support::{Answer, TestApp};

/// A page as text, with its addresses readable.
fn plain(answer: Answer) -> String {
    answer.text().replace("&#x2f;", "/").replace("&#x27;", "'").replace("&amp;", "&")
}

async fn post(app: &TestApp, person: &Person, path: &str, pairs: &[(&str, &str)]) -> Answer {
    let body: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={}", value.replace(' ', "+"))).collect();
    app.request(Method::POST, path)
        .token(&person.token)
        .header("content-type", "application/x-www-form-urlencoded")
        .text(body.join("&"))
        .send()
        .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_shows_where_a_record_stands_and_what_to_do_there() {
    let world = World::new().await;
    let id = world.deal(json!({ "amount": "7" })).await;
    let page = plain(get(&world.app, &world.clerk, &format!("/records/deal/{id}")).await.expect_status(200));
    assert!(page.contains("Ask what they need") && page.contains("3 days at most"), "{page}");
    assert!(page.contains(&format!("/records/deal/{id}/move?pipeline=sales&to=offer")), "{page}");
    assert!(page.contains("one thing missing"), "close_on: {page}");
    assert!(page.contains("<button class=\"button small\">Move to Dropped</button>"), "it needs nothing: {page}");
    assert!(!page.contains("to=old"), "nothing moves to a retired stage");
    let chinese = world.app.request(Method::GET, &format!("/records/deal/{id}")).header("accept-language", "zh-CN").send().await;
    assert!(chinese.text().contains("询问需求"), "{}", chinese.text());
    world.app.clock.set(relata::base::DateTime::parse("2026-11-25T09:00:00Z").unwrap());
    let page = plain(get(&world.app, &world.clerk, &format!("/records/deal/{id}")).await.expect_status(200));
    assert!(page.contains("longer than it should"), "{page}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_missing_is_filled_in_on_the_way() {
    let world = World::new().await;
    let id = world.deal(json!({})).await;
    let (record, path) = (format!("/records/deal/{id}"), format!("/records/deal/{id}/move"));
    let page = plain(get(&world.app, &world.clerk, &format!("{path}?pipeline=sales&to=offer")).await.expect_status(200));
    assert!(page.contains("2 things before this can move to Offer"), "{page}");
    assert!(page.contains("name=\"close_on\"") && page.contains("Enter an amount"), "{page}");
    let to_offer = |more: &[(&'static str, &'static str)]| [&[("_pipeline", "sales"), ("_to", "offer"), ("_version", "1")], more].concat();
    let refused = post(&world.app, &world.clerk, &path, &to_offer(&[("close_on", "2026-12-31")])).await.expect_status(422);
    let refused = plain(refused);
    assert!(refused.contains("Enter an amount") && refused.contains("value=\"2026-12-31\""), "what was typed is kept: {refused}");
    assert_eq!(world.stage(&id).await, "new");
    // What is filled in may be kept without moving.
    let stay = to_offer(&[("close_on", "2026-12-31"), ("_do", "stay")]);
    assert!(post(&world.app, &world.clerk, &path, &stay).await.expect_status(303).header("location").contains("done=saved"));
    assert_eq!(world.stage(&id).await, "new");
    let stale = plain(post(&world.app, &world.clerk, &path, &to_offer(&[])).await.expect_status(422));
    assert!(stale.contains("changed this record meanwhile") && stale.contains("name=\"_version\" value=\"2\""), "{stale}");
    world.app.patch(&format!("/api/v1{record}"), json!({ "amount": "5" })).await.expect_status(200);
    let moved = post(&world.app, &world.clerk, &path, &[("_pipeline", "sales"), ("_to", "offer"), ("_version", "3")]).await;
    assert_eq!(moved.expect_status(303).header("location"), format!("{record}?done=moved&what=Offer"));
    assert_eq!(world.stage(&id).await, "offer");
    let stages = plain(get(&world.app, &world.clerk, &format!("{record}?tab=stages")).await.expect_status(200));
    assert!(stages.contains("Entered") && stages.contains(">Offer<") && stages.contains("clerk"), "{stages}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_may_moves_anyway_with_a_reason() {
    let world = World::new().await;
    let id = world.ripe(json!({ "stage": "talk", "margin": "1" })).await;
    let path = format!("/records/deal/{id}/move");
    let ask = format!("{path}?pipeline=sales&to=won");
    let clerk = plain(get(&world.app, &world.clerk, &ask).await.expect_status(200));
    assert!(clerk.contains("Your role may not make this move") || clerk.contains("only boss"), "{clerk}");
    assert!(!clerk.contains("value=\"override\""), "{clerk}");
    let boss = plain(get(&world.app, &world.boss, &ask).await.expect_status(200));
    assert!(boss.contains("value=\"override\"") && boss.contains("It earns too little"), "{boss}");
    let anyway =
        |reason: &'static str| [("_pipeline", "sales"), ("_to", "won"), ("_version", "1"), ("_do", "override"), ("_reason", reason)];
    let refused = plain(post(&world.app, &world.boss, &path, &anyway("")).await.expect_status(422));
    assert!(refused.contains("why it moves anyway"), "{refused}");
    post(&world.app, &world.boss, &path, &anyway("An old friend")).await.expect_status(303);
    assert_eq!(world.stage(&id).await, "won");
    let stages = plain(get(&world.app, &world.clerk, &format!("/records/deal/{id}?tab=stages")).await.expect_status(200));
    assert!(stages.contains("An old friend"), "{stages}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_move_to_nowhere_is_not_found() {
    let world = World::new().await;
    let id = world.deal(json!({})).await;
    for query in ["", "?pipeline=sales", "?pipeline=sales&to=nowhere", "?pipeline=nothing&to=offer", "?pipeline=tender&to=talk"] {
        get(&world.app, &world.clerk, &format!("/records/deal/{id}/move{query}")).await.expect_status(404);
    }
    // It stands there already.
    let there = get(&world.app, &world.clerk, &format!("/records/deal/{id}/move?pipeline=sales&to=new")).await.expect_status(303);
    assert_eq!(there.header("location"), format!("/records/deal/{id}"));
    let page = plain(get(&world.app, &world.outsider, &format!("/records/deal/{id}/move?pipeline=sales&to=won")).await.expect_status(200));
    assert!(page.contains("something you may not read") && !page.contains("earns too little"), "{page}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_may_only_read_a_record_is_told_so_where_they_are() {
    let reader = (
        "definitions/shop/reader.yaml",
        "kind: role\nid: reader\npermissions:\n  \"*\": all\n  shop.deal: {read: true, update: \"name = 'Mine'\"}\n",
    );
    let mut files = super::world::SHOP.to_vec();
    files.push(reader);
    let world = World::with(&files).await;
    let reader = crate::access::world::person(&world.app, "reader", &["reader"], json!({})).await;
    let id = world.deal(json!({"amount": "5", "close_on": "2026-12-24"})).await;
    let moved = [("_pipeline", "sales"), ("_to", "offer"), ("_version", "1")];
    let page = plain(post(&world.app, &reader, &format!("/records/deal/{id}/move"), &moved).await.expect_status(422));
    assert!(page.contains("You may read this record, but not move it"), "{page}");
    assert_eq!(world.stage(&id).await, "new");
}
