//! The first page of somebody who sees a part stays right while records come, go and change hands: where it ended last time
//! is remembered, and must never hide or repeat a record.

use serde_json::json;

use super::interference::plan::Dice;
use super::world::{World, get};

const CHANGES: usize = 160;
const LIMIT: usize = 4;

struct Deal {
    id: String,
    is_owned: bool,
    share: Option<String>,
}

/// The ids of all deals, the newest first, as somebody sees them whom no rule keeps from any.
async fn all(world: &World) -> Vec<String> {
    let answer = world.app.get("/api/v1/records/deal?select=id&limit=200").await.expect_status(200).json();
    assert!(answer["next_cursor"].is_null(), "all of them");
    answer["data"].as_array().expect("rows").iter().map(|row| row["id"].as_str().expect("an id").to_owned()).collect()
}

async fn check(world: &World, deals: &[Deal], after: &str) {
    let seen = |id: &String| deals.iter().any(|deal| deal.id == *id && (deal.is_owned || deal.share.is_some()));
    let wanted: Vec<String> = all(world).await.into_iter().filter(seen).collect();
    let answer = get(&world.app, &world.rep, &format!("/api/v1/records/deal?limit={LIMIT}&count=exact")).await.expect_status(200).json();
    let found: Vec<&str> = answer["data"].as_array().expect("rows").iter().map(|row| row["id"].as_str().expect("an id")).collect();
    assert_eq!(found, wanted.iter().take(LIMIT).collect::<Vec<_>>(), "after {after}: {answer:#}");
    assert_eq!(answer["next_cursor"].is_string(), wanted.len() > LIMIT, "after {after}");
    assert_eq!(answer["total"]["value"], wanted.len(), "after {after}");
}

#[tokio::test]
async fn a_first_page_is_right_whatever_has_changed_since() {
    let world = World::new().await;
    let mut dice = Dice(7);
    let mut deals: Vec<Deal> = Vec::new();
    check(&world, &deals, "nothing").await;
    for change in 0..CHANGES {
        let what = if deals.len() < 20 { 0 } else { dice.below(8) };
        let at = dice.below(deals.len().max(1));
        let (people, path) = ([&world.rep, &world.mate, &world.stranger], |deal: &Deal| format!("/api/v1/records/deal/{}", deal.id));
        // Of ten new ones two are seen.
        let owner = dice.below(10).min(2);
        let told = match what {
            0 | 1 => {
                let id = world.deal(people[owner], json!({"name": format!("Deal {change}")})).await;
                deals.push(Deal { id, is_owned: owner < 2, share: None });
                "a new one"
            }
            2 | 3 => {
                let gone = deals.swap_remove(at);
                world.app.delete(&path(&gone)).await.expect_status(204);
                "one gone"
            }
            4 => {
                let answer = world.app.patch(&path(&deals[at]), json!({"owner": people[owner].id})).await;
                answer.expect_status(200);
                deals[at].is_owned = owner < 2;
                "another owner"
            }
            5 | 6 if deals[at].share.is_none() => {
                let answer = world.app.post(&format!("{}/shares", path(&deals[at])), json!({"person": world.rep.id})).await;
                deals[at].share = answer.expect_status(201).json()["id"].as_str().map(str::to_owned);
                "a share"
            }
            _ => {
                let Some(share) = deals[at].share.take() else { continue };
                world.app.delete(&format!("{}/shares/{share}", path(&deals[at]))).await.expect_status(204);
                "no share any more"
            }
        };
        check(&world, &deals, &format!("{told} ({change})")).await;
    }
    // All of one's own go at once, and more than a few pages come at once.
    for deal in deals.drain(..) {
        world.app.delete(&format!("/api/v1/records/deal/{}", deal.id)).await.expect_status(204);
    }
    check(&world, &deals, "all gone").await;
    for n in 0..40 {
        deals.push(Deal { id: world.deal(&world.rep, json!({"name": format!("New {n}")})).await, is_owned: true, share: None });
    }
    check(&world, &deals, "forty new ones").await;
    check(&world, &deals, "forty new ones, once more").await;
}
