//! What is below a record is made anew below what it becomes; and conversions after which the record goes on as it is.

use axum::http::Method;
use serde_json::{Value, json};

use super::world::{record, target, told};
use crate::access::world::{Person, get, person, send};
use crate::support::TestApp;

const SHOP: [(&str, &str); 2] = [
    ("relata.yaml", "name: Shop\ncurrency: CNY\n"),
    (
        "definitions/shop/package.yaml",
        r#"
kind: package
id: shop
version: 1.0.0
---
kind: entity
id: shop.cart
title: "{name}"
fields:
  name: {type: text, required: true}
  closed: {type: boolean, default: false}
  order: {type: link, to: shop.order, on_delete: set_null, readonly_if: "true"}
  wishes: {type: children, of: shop.wish, by: cart}
conversions:
  - id: offer
    label: {en: Make an offer, zh-CN: 生成报价, zh-TW: 產生報價}
    again: true
    targets:
      - id: order
        entity: shop.order
        existing: never
        values: {name: "=concat('Offer of ', name)"}
        rows:
          - {from: wishes, into: items, when: "number > 0", values: {name: =name, number: "=number * 2", cost: =secret}}
  - id: order
    label: {en: Order}
    targets:
      - id: order
        entity: shop.order
        fill: true
        values: {name: =name}
        rows:
          - {from: wishes, into: items, values: {name: =name, number: =number}}
    set: {closed: true}
    links: {order: order}
---
kind: entity
id: shop.wish
title: "{name}"
features: {owner: false}
fields:
  cart: {type: link, to: shop.cart, on_delete: cascade, required: true}
  name: {type: text}
  number: {type: integer}
  secret: {type: integer}
---
kind: entity
id: shop.order
title: "{name}"
fields:
  name: {type: text, required: true}
  items: {type: children, of: shop.item, by: order}
  pieces: {type: rollup, of: items, agg: "sum(number)", returns: integer, stored: true}
rules:
  - {id: has_items, assert: "exists(items)", at: name, code: empty, message: {en: Nothing in it, zh-CN: 没有内容, zh-TW: 沒有內容}}
---
kind: entity
id: shop.item
title: "{name}"
features: {owner: false}
fields:
  order: {type: link, to: shop.order, on_delete: cascade, required: true}
  name: {type: text, max: 5}
  number: {type: integer, max: 100}
  cost: {type: integer}
scripts:
  - id: named
    trigger: before_save
    source: |
      fn run(rec, old, ctx) {
          let order = get("order", rec.order);
          if rec.name == () { rec.name = if order == () { "alone" } else { order.name.sub_string(0, 5) }; }
      }
---
kind: role
id: clerk
permissions:
  cart: {create: true, update: true}
  wish: {inherit: cart, fields: {hide: [secret]}}
  order: {create: true}
  item: {create: true}
---
kind: role
id: looker
permissions:
  cart: {create: true, update: true}
  wish: {inherit: cart}
  order: {create: true}
  item: read
"#,
    ),
];

async fn cart(app: &TestApp, wishes: Value) -> String {
    app.create_id("cart", json!({"name": "Ada", "wishes": wishes})).await
}

fn path(cart: &str) -> String {
    format!("/api/v1/records/cart/{cart}/convert")
}

async fn items(app: &TestApp, order: &str) -> Vec<Value> {
    let query = format!("/api/v1/records/item?select=name,number,cost&sort=number&filter=order%20%3D%20'{order}'");
    app.get(&query).await.expect_status(200).json()["data"].as_array().expect("items").clone()
}

async fn as_clerk(app: &TestApp, who: &Person, cart: &str, conversion: &str) -> crate::support::Answer {
    send(app, who, Method::POST, &path(cart), &json!({ "conversion": conversion })).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_with_a_row_is_told_at_its_place_and_nothing_is_made() {
    let app = TestApp::with_files(&SHOP).await;
    let id = cart(&app, json!([{"name": "rope", "number": 1}, {"name": "far too long", "number": 101}])).await;
    let problem = app.post(&path(&id), json!({"conversion": "order"})).await.expect_problem(422, "REC010");
    let faults: Vec<String> = told(&problem).into_iter().map(|(path, _)| path).collect();
    assert_eq!(faults, ["/targets/order/items/1/name", "/targets/order/items/1/number"], "{problem:#}");
    // Rules look at what comes with the same conversion.
    let empty = cart(&app, json!([])).await;
    let problem = app.post(&path(&empty), json!({"conversion": "order"})).await.expect_problem(422, "REC010");
    assert_eq!(told(&problem), [("/targets/order/name".to_owned(), "empty".to_owned())]);
    assert_eq!(app.get("/api/v1/records/order").await.json()["data"], json!([]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_goes_on_and_is_converted_again() {
    let app = TestApp::with_files(&SHOP).await;
    let id = cart(&app, json!([{"name": "rope", "number": 2, "secret": 7}, {"name": "none", "number": 0}, {"number": 3}])).await;
    let offered = app.get(&path(&id)).await.expect_status(200).json();
    assert_eq!(offered["data"][0]["targets"][0]["rows"], json!({"items": 2}), "{offered:#}");
    let done = app.post(&path(&id), json!({"conversion": "offer"})).await.expect_status(200).json();
    let order = record(&done, "order");
    // A script of a row reads the record above it, which is made in the same moment.
    let wanted = [json!({"name": "rope", "number": 4, "cost": 7}), json!({"name": "Offer", "number": 6, "cost": null})];
    let known: Vec<Value> = items(&app, &order)
        .await
        .into_iter()
        .map(|mut item| {
            item.as_object_mut().expect("item").remove("id");
            item
        })
        .collect();
    assert_eq!(known, wanted);
    let second = record(&app.post(&path(&id), json!({"conversion": "offer"})).await.expect_status(200).json(), "order");
    assert_ne!(order, second);
    app.patch(&format!("/api/v1/records/cart/{id}"), json!({"name": "Ada L."})).await.expect_status(200);
    // What whoever converts says of the rows goes before what the definition says.
    let own = json!({"conversion": "offer", "targets": {"order": {"values": {"items": [{"name": "own", "number": 1}]}}}});
    let third = record(&app.post(&path(&id), own).await.expect_status(200).json(), "order");
    assert_eq!(items(&app, &third).await.len(), 1);
    // Until one that closes it.
    let last = record(&app.post(&path(&id), json!({"conversion": "order"})).await.expect_status(200).json(), "order");
    assert_eq!(items(&app, &last).await.len(), 3);
    app.post(&path(&id), json!({"conversion": "offer"})).await.expect_problem(409, "REC013");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_that_is_there_keeps_what_is_below_it() {
    let app = TestApp::with_files(&SHOP).await;
    let there = app.create_id("order", json!({"name": "There", "items": [{"name": "one", "number": 1}]})).await;
    let id = cart(&app, json!([{"name": "rope", "number": 2}])).await;
    let chosen = json!({"conversion": "order", "targets": {"order": {"use": there}}});
    let done = app.post(&path(&id), chosen).await.expect_status(200).json();
    assert_eq!(target(&done, "order")["made"], false);
    assert_eq!(items(&app, &there).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_are_made_with_the_rights_of_whoever_converts() {
    let app = TestApp::with_files(&SHOP).await;
    let clerk = person(&app, "clerk", &["clerk"], json!({})).await;
    let looker = person(&app, "looker", &["looker"], json!({})).await;
    let id = cart(&app, json!([{"name": "rope", "number": 2, "secret": 7}])).await;
    // One conversion copies what the clerk may not read: it is not there for them.
    let offered = get(&app, &clerk, &path(&id)).await.expect_status(200).json();
    let ids: Vec<&Value> = offered["data"].as_array().expect("offers").iter().map(|offer| &offer["conversion"]).collect();
    assert_eq!(ids, ["order"], "{offered:#}");
    as_clerk(&app, &clerk, &id, "offer").await.expect_problem(422, "WEB422");
    let refused = as_clerk(&app, &looker, &id, "offer").await;
    assert_eq!(refused.status.as_u16(), 403, "{}", refused.text());
    as_clerk(&app, &clerk, &id, "order").await.expect_status(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_says_what_goes_along_and_leads_to_what_was_made() {
    let app = TestApp::with_files(&SHOP).await;
    let id = cart(&app, json!([{"name": "rope", "number": 2}])).await;
    let href = format!("/records/cart/{id}/convert");
    for (tongue, wanted) in [("en", "Items: 1 go along"), ("zh-CN", "Items：带入 1 条"), ("zh-TW", "Items：帶入 1 筆")] {
        let page = app.request(Method::GET, &href).header("accept-language", tongue).send().await.expect_status(200).text();
        assert!(page.contains(wanted), "{tongue}: {page}");
    }
    let post = |body: &str| {
        app.request(Method::POST, &href).header("content-type", "application/x-www-form-urlencoded").text(body.to_owned()).send()
    };
    let made = post("_conversion=offer&_version=1&order.name=Mine").await.expect_status(303);
    let place = made.header("location").to_owned();
    assert!(place.starts_with("/records/order/order_") && place.ends_with("?done=created"), "{place}");
    let closed = post("_conversion=order&_version=1&order.name=Mine").await.expect_status(303);
    assert_eq!(closed.header("location"), format!("/records/cart/{id}?done=converted"));
}
