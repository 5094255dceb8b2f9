//! Messages of other programs: who may send them, what becomes of them, and that each counts once.

use axum::http::Method;
use relata::base::{Clock, DateTime};
use relata::outbound::webhook::sign;
use serde_json::{Value, json};

use super::world::World;
use crate::support::Answer;

const TAKING: &str = r#"
kind: automation
for: deal
id: order
trigger:
  event: received
  match: {grade: order.id}
  values: {name: customer.name, amount: order.total, number: order.lines.0.count, note: customer.phone, story: {value: from the shop}}
when: "amount > 10"
run_as: [taker]
steps:
  - {do: set, values: {other: 7}}
---
kind: role
id: taker
permissions: {deal: {read: true, create: true, update: true, fields: {read_only: [close_on]}}}
"#;

struct Sender<'a> {
    world: &'a World,
    secret: String,
}

impl Sender<'_> {
    async fn new(world: &World) -> Sender<'_> {
        let told = world.app.post("/api/v1/automations/shop.order/secret", json!({})).await.expect_status(200).json();
        assert_eq!(told["url"], "http://localhost:8080/api/v1/received/shop.order");
        Sender { world, secret: told["secret"].as_str().expect("a secret").to_owned() }
    }

    fn seconds(&self) -> i64 {
        let now: DateTime = self.world.app.clock.now();
        now.0 / 1_000_000
    }

    async fn send(&self, id: &str, body: &str) -> Answer {
        self.signed(id, self.seconds(), &sign(&self.secret, id, self.seconds(), body).expect("a signature"), body).await
    }

    async fn signed(&self, id: &str, timestamp: i64, signature: &str, body: &str) -> Answer {
        let ask = self.world.app.request(Method::POST, "/api/v1/received/shop.order").anonymous();
        let ask = ask.header("content-type", "application/json").header("webhook-id", id);
        ask.header("webhook-timestamp", &timestamp.to_string()).header("webhook-signature", signature).text(body).send().await
    }
}

fn order(id: &str, total: &str) -> String {
    json!({ "order": { "id": id, "total": total, "lines": [{ "count": 3 }] }, "customer": { "name": "林檎", "phone": "+49 30 1" }, "more": [1, { "x": null }] })
        .to_string()
}

async fn deals(world: &World) -> Vec<Value> {
    world.app.get("/api/v1/records/deal").await.expect_status(200).json()["data"].as_array().expect("deals").clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_signed_as_it_must_be_is_refused_alike() {
    let world = World::new(TAKING).await;
    let body = order("A-1", "20");
    let nobody = Sender { world: &world, secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned() };
    // Before there is a secret, nothing is taken.
    let told = |problem: Value| (problem["code"].clone(), problem["detail"].clone(), problem["hint"].clone());
    let refused = told(nobody.send("m1", &body).await.expect_problem(401, "ATH021"));
    let sender = Sender::new(&world).await;
    let now = sender.seconds();
    let good = sign(&sender.secret, "m1", now, &body).expect("a signature");
    let changed = body.replace("20", "21");
    let old = sign(&sender.secret, "m1", now - 301, &body).expect("a signature");
    world.app.clock.advance_ms(3_600_000);
    let now = sender.seconds();
    let fresh = sign(&sender.secret, "m1", now, &body).expect("a signature");
    for (id, timestamp, signature, body) in [
        ("m2", now, fresh.as_str(), body.as_str()),
        ("m1", now, &fresh, &changed),
        ("m1", now + 1, &fresh, &body),
        ("m1", now - 3_600, &good, &body),
        ("m1", now - 3_901, &old, &body),
        ("m1", i64::MIN, &fresh, &body),
        ("m1", i64::MAX, &fresh, &body),
        ("m1", now, "v1,", &body),
        ("m1", now, &fresh[3..], &body),
    ] {
        let answer = sender.signed(id, timestamp, signature, body).await;
        if answer.status == 429 {
            break;
        }
        assert_eq!(told(answer.expect_problem(401, "ATH021")), refused, "{id} {timestamp} {signature}");
        world.app.clock.advance_ms(0);
    }
    assert!(deals(&world).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_becomes_a_record_once_and_the_automation_begins() {
    let world = World::new(TAKING).await;
    let sender = Sender::new(&world).await;
    let first = sender.send("m1", &order("A-1", "20.50")).await.expect_status(202).json();
    assert_eq!((&first["created"], &first["not_run"]), (&json!(true), &Value::Null), "{first:#}");
    let again = sender.send("m1", &order("A-1", "20.50")).await.expect_status(202);
    assert_eq!((again.header("idempotent-replayed"), again.json()), ("true", first.clone()));
    sender.send("m1", &order("A-1", "99")).await.expect_status(422);
    world.work().await;
    let deal = &deals(&world).await[0];
    assert_eq!(
        (&deal["name"], &deal["amount"], &deal["number"], &deal["grade"]),
        (&json!("林檎"), &json!("20.50"), &json!(3), &json!("A-1"))
    );
    assert_eq!((&deal["other"], &deal["story"], &deal["note"]), (&json!(7), &json!("from the shop"), &json!("+49 30 1")));
    // Found by its key: changed, and where `when` does not hold the run says so.
    let second = sender.send("m2", &order("A-1", "5")).await.expect_status(202).json();
    assert_eq!((&second["created"], &second["record"]), (&json!(false), &first["record"]));
    assert!(second["not_run"].as_str().unwrap_or_default().starts_with("condition:"), "{second:#}");
    assert_eq!(deals(&world).await.len(), 1);
    let runs = world.app.get("/api/v1/runs?automation=shop.order").await.json();
    assert_eq!((&runs["data"][1]["event"], &runs["data"][1]["id"]), (&json!("received"), &first["run"]), "{runs:#}");
    // Nothing that a message said of a person is in the log.
    let run = world.app.get(&format!("/api/v1/runs/{}", first["run"].as_str().unwrap())).await.json().to_string();
    assert!(!run.contains("+49 30 1"), "{run}");
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_that_do_not_fit_say_why_and_leave_nothing() {
    let world = World::new(TAKING).await;
    let sender = Sender::new(&world).await;
    for (number, (body, status, told)) in [
        (json!({ "order": { "total": "1" } }).to_string(), 422, "order.id"),
        (order("A-1", "many"), 422, "amount"),
        (json!({ "order": { "id": "A-2", "total": "1" } }).to_string(), 422, "name"),
        ("[1, 2]".to_owned(), 422, "order.id"),
        ("{\"a\": 1, \"a\": 2}".to_owned(), 400, "once"),
        ("{".to_owned(), 400, "JSON"),
        ("[".repeat(200), 400, "JSON"),
        (format!("\"{}\"", "x".repeat(70_000)), 413, ""),
    ]
    .into_iter()
    .enumerate()
    {
        let answer = sender.send(&format!("m{number}"), &body).await;
        assert_eq!(answer.status, status, "{number}: {}", answer.text());
        assert!(answer.text().contains(told), "{number}: {}", answer.text());
    }
    assert!(deals(&world).await.is_empty());
    // What was refused may be sent again under its id, once it is right.
    sender.send("m0", &order("A-1", "20")).await.expect_status(202);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_secret_and_the_one_before() {
    let world = World::new(TAKING).await;
    let first = Sender::new(&world).await;
    let second = Sender::new(&world).await;
    assert_ne!(first.secret, second.secret);
    first.send("m1", &order("A-1", "20")).await.expect_status(202);
    second.send("m2", &order("A-2", "20")).await.expect_status(202);
    world.app.clock.advance_ms(86_400_000);
    first.send("m3", &order("A-3", "20")).await.expect_status(401);
    second.send("m4", &order("A-4", "20")).await.expect_status(202);
    assert_eq!(deals(&world).await.len(), 3);
    let page = world.app.get("/automations").await.expect_status(200).text();
    assert!(page.contains("New secret") && !page.contains("whsec_"), "{page}");
}
