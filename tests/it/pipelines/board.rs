//! The board of a pipeline.

use axum::http::Method;
use serde_json::json;

use super::world::World;
use crate::access::world::{Person, get};
use crate::support::Answer;

fn plain(answer: Answer) -> String {
    answer.text().replace("&#x2f;", "/").replace("&#x27;", "'").replace("&amp;", "&")
}

/// The part of a board that is one column.
fn column<'t>(board: &'t str, key: &str) -> &'t str {
    let from = board.find(&format!("id=\"column-{key}\"")).unwrap_or_else(|| panic!("no column {key}: {board}"));
    board[from..].split("</section>").next().unwrap()
}

async fn board(world: &World, person: &Person) -> String {
    plain(get(&world.app, person, "/records/deal/board/sales").await.expect_status(200))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_stage_has_its_records_with_their_number_and_sum() {
    let world = World::new().await;
    for amount in ["10", "32.5"] {
        world.ripe(json!({ "amount": amount })).await;
    }
    world.ripe(json!({ "name": "Ripe", "stage": "talk" })).await;
    world.ripe(json!({ "name": "Elsewhere", "kind": "tender" })).await;
    let shown = board(&world, &world.clerk).await;
    let new = column(&shown, "new");
    assert_eq!(new.matches("draggable=\"true\"").count(), 2, "{new}");
    assert!(new.contains("2 records") && new.contains("42.5"), "{new}");
    assert!(column(&shown, "talk").contains("Ripe") && column(&shown, "offer").contains("Nothing here"), "{shown}");
    assert!(!shown.contains("Elsewhere") && !shown.contains("column-old"), "{shown}");
    let tender = plain(get(&world.app, &world.clerk, "/records/deal/board/tender").await.expect_status(200));
    assert!(column(&tender, "new").contains("Elsewhere") && column(&tender, "new").contains("one record"), "{tender}");
    get(&world.app, &world.clerk, "/records/deal/board/nothing").await.expect_status(404);
    let list = plain(get(&world.app, &world.clerk, "/records/deal").await.expect_status(200));
    assert!(list.contains("/records/deal/board/sales"), "the list leads to it: {list}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_card_tells_how_long_it_has_been_there() {
    let world = World::new().await;
    world.deal(json!({})).await;
    assert!(board(&world, &world.clerk).await.contains("since today"));
    world.app.clock.set(relata::base::DateTime::parse("2026-11-26T09:00:00Z").unwrap());
    let late = board(&world, &world.clerk).await;
    assert!(late.contains("<small class=\"late\">") && late.contains("5 days"), "{late}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_column_goes_on() {
    let world = World::new().await;
    for number in 0..31 {
        world.deal(json!({ "name": format!("Deal {number}") })).await;
    }
    let shown = board(&world, &world.clerk).await;
    let new = column(&shown, "new");
    assert_eq!(new.matches("draggable").count(), 25, "{new}");
    assert!(new.contains("31 records"), "the head counts all: {new}");
    let next = new.split("href=\"").find(|part| part.contains("cursor=")).and_then(|part| part.split('"').next()).unwrap();
    let next = next.split('#').next().unwrap();
    let rest = plain(get(&world.app, &world.clerk, next).await.expect_status(200));
    assert_eq!(column(&rest, "new").matches("draggable").count(), 6);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_card_that_is_moved_comes_back_to_the_board_or_says_what_is_missing() {
    let world = World::new().await;
    let id = world.deal(json!({})).await;
    let send = |to: &'static str| {
        world
            .app
            .request(Method::POST, &format!("/records/deal/{id}/move"))
            .token(&world.clerk.token)
            .header("content-type", "application/x-www-form-urlencoded")
            .text(format!("_pipeline=sales&_to={to}&_version=1&_return=/records/deal/board/sales"))
            .send()
    };
    let refused = plain(send("offer").await.expect_status(422));
    assert!(refused.contains("2 things before this can move to Offer") && refused.contains("name=\"_return\""), "{refused}");
    // What the board puts over itself leads back to it; an address elsewhere does not count.
    let ask = format!("/records/deal/{id}/move?pipeline=sales&to=offer&_return=");
    let asked = plain(get(&world.app, &world.clerk, &format!("{ask}/records/deal/board/sales")).await.expect_status(200));
    assert!(asked.contains("data-move-form") && asked.contains("href=\"/records/deal/board/sales\" data-cancel"), "{asked}");
    let elsewhere = plain(get(&world.app, &world.clerk, &format!("{ask}//example.org/records/deal/board/")).await.expect_status(200));
    assert!(elsewhere.contains(&format!("href=\"/records/deal/{id}\" data-cancel")) && !elsewhere.contains("example.org"), "{elsewhere}");
    let moved = send("dropped").await.expect_status(303);
    assert_eq!(moved.header("location"), "/records/deal/board/sales?done=moved&what=Dropped");
    assert!(column(&board(&world, &world.clerk).await, "dropped").contains(&id));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_learns_more_from_a_board_than_from_a_list() {
    let world = World::new().await;
    world.deal(json!({ "name": "Secret", "amount": "5" })).await;
    let nobody = crate::access::world::person(&world.app, "nobody", &[], json!({})).await;
    get(&world.app, &nobody, "/records/deal/board/sales").await.expect_status(404);
    let outsider = board(&world, &world.outsider).await;
    assert!(outsider.contains("Secret") && !outsider.contains("margin"), "{outsider}");
}
