//! Many people on the same few records: deletes, inserts and changes below one parent.

use std::sync::{Arc, Mutex};

use relata::base::{Random, RecordId, SeededRandom};
use relata::record::RecordError;
use serde_json::{Value as Json, json};

use super::workspace::Workspace;

const PEOPLE: u64 = 8;
const ROUNDS: u64 = 20;

/// An order with rows below it that go with it, and a sum over them. `{bin}` says whether both have a recycle bin.
const DEFINITIONS: &str = r#"
kind: entity
id: shop.order
title: "{name}"
features: {owner: false, soft_delete: {bin}}
fields:
  name: {type: text}
  lines: {type: children, of: shop.line, by: order}
  total: {type: rollup, of: lines, agg: sum(price), returns: integer}
---
kind: entity
id: shop.line
title: "{price}"
features: {owner: false, soft_delete: {bin}}
fields:
  order: {type: link, to: shop.order, on_delete: cascade, required: true}
  price: {type: integer}
"#;

#[tokio::test(flavor = "multi_thread")]
async fn deletes_and_inserts_below_one_parent_never_fail_each_other() {
    for bin in ["false", "true"] {
        let space = Arc::new(Workspace::new(&DEFINITIONS.replace("{bin}", bin)).await);
        let order = space.create("order", json!({ "name": "O" })).await.unwrap().id;
        let shared = Arc::new(Mutex::new((order, Vec::<RecordId>::new())));
        let mut people = tokio::task::JoinSet::new();
        for person in 0..PEOPLE {
            let (space, shared) = (space.clone(), shared.clone());
            people.spawn(async move {
                let dice = SeededRandom::new(person);
                for _ in 0..ROUNDS {
                    let (order, line) = {
                        let shared = shared.lock().unwrap();
                        let lines = &shared.1;
                        let at = usize::try_from(dice.next_u64() % 1_000).unwrap();
                        (shared.0, (!lines.is_empty()).then(|| lines[at % lines.len()]))
                    };
                    let link = space.show("order", order);
                    let outcome = match (dice.next_u64() % 10, line) {
                        (0, _) => {
                            let outcome = space.delete("order", order).await;
                            let next = space.create("order", json!({ "name": "O" })).await.unwrap().id;
                            *shared.lock().unwrap() = (next, Vec::new());
                            outcome
                        }
                        (1..=2, Some(line)) => space.delete("line", line).await,
                        (3..=4, Some(line)) => space.update("line", line, json!({ "price": 3 })).await,
                        _ => {
                            let made = space.create("line", json!({ "order": link, "price": 2 })).await;
                            if let Ok(made) = &made {
                                let mut shared = shared.lock().unwrap();
                                if shared.0 == order {
                                    shared.1.push(made.id);
                                }
                            }
                            made
                        }
                    };
                    match outcome {
                        Ok(_) | Err(RecordError::NotFound { .. }) => {}
                        // Its order was deleted meanwhile.
                        Err(RecordError::Invalid(faults)) => assert_eq!(faults[0].path, "/order"),
                        Err(error) => panic!("bin {bin}: {error:?}"),
                    }
                }
            });
        }
        people.join_all().await;
        let orders = space.list("order", "select=id,total,lines(price;limit=200)&limit=500").await;
        let mut below = 0;
        for order in orders {
            let prices = order["lines"].as_array().unwrap();
            below += prices.len();
            let sum: i64 = prices.iter().map(|line| line["price"].as_i64().unwrap()).sum();
            assert_eq!(order["total"].as_i64().unwrap_or(0), sum, "bin {bin}: {order}");
        }
        let lines: Vec<Json> = space.list("line", "select=id&limit=500").await;
        assert_eq!(lines.len(), below, "bin {bin}: rows without an order");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_of_different_fields_at_one_moment_all_hold() {
    let fields: String = (0..PEOPLE).map(|person| format!("  f{person}: {{type: integer}}\n")).collect();
    let definitions = format!("kind: entity\nid: shop.part\nfeatures: {{owner: false}}\nfields:\n{fields}");
    let space = Arc::new(Workspace::new(&definitions).await);
    let part = space.create("part", json!({})).await.unwrap().id;
    let mut people = tokio::task::JoinSet::new();
    for person in 0..PEOPLE {
        let space = space.clone();
        people.spawn(async move {
            for round in 1..=ROUNDS {
                space.update("part", part, json!({ format!("f{person}"): round })).await.unwrap();
            }
        });
    }
    people.join_all().await;
    let stored = space.get("part", part).await;
    for person in 0..PEOPLE {
        assert_eq!(stored[format!("f{person}")], json!(ROUNDS), "{stored}");
    }
    assert_eq!(stored["version"], json!(1 + PEOPLE * ROUNDS), "each save is a version of its own");
}
