//! Endpoints are told over HTTP: real requests to a server inside this test, signatures checked by a reading of the
//! specification of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use relata::outbound::{Allow, Egress, EgressOptions};
use ring::hmac;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::Mutex;

use super::world::World;
use crate::support::TestApp;

/// What came in: header names in lower case, and the body.
#[derive(Debug, Clone)]
struct Seen {
    headers: Vec<(String, String)>,
    body: String,
}

impl Seen {
    fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("JSON")
    }
}

/// A server that takes messages and answers with the status of the moment.
struct Receiver {
    port: u16,
    status: Arc<AtomicU16>,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Receiver {
    async fn listen() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let (status, seen) = (Arc::new(AtomicU16::new(200)), Arc::new(Mutex::new(Vec::new())));
        let (answers, taken) = (status.clone(), seen.clone());
        tokio::spawn(async move {
            loop {
                let Ok((mut stream, _)) = listener.accept().await else { return };
                let mut bytes = Vec::new();
                let mut buffer = [0; 4096];
                let (head, length) = loop {
                    let Ok(read) = stream.read(&mut buffer).await else { break (String::new(), 0) };
                    bytes.extend_from_slice(&buffer[..read]);
                    if read == 0 {
                        break (String::new(), 0);
                    }
                    let text = String::from_utf8_lossy(&bytes).into_owned();
                    let Some(end) = text.find("\r\n\r\n") else { continue };
                    let length = text[..end]
                        .lines()
                        .filter_map(|line| line.split_once(':'))
                        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
                        .and_then(|(_, value)| value.trim().parse::<usize>().ok());
                    let length = length.unwrap_or(0);
                    if bytes.len() >= end + 4 + length {
                        break (text[..end].to_owned(), end + 4);
                    }
                };
                let headers = head.lines().skip(1).filter_map(|line| line.split_once(':'));
                let headers = headers.map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned())).collect();
                let body = String::from_utf8_lossy(&bytes[length..]).into_owned();
                taken.lock().await.push(Seen { headers, body });
                let answer = format!(
                    "HTTP/1.1 {} x\r\ncontent-length: 0\r\nconnection: close\r\nlocation: http://127.0.0.1:1/\r\n\r\n",
                    answers.load(Ordering::SeqCst)
                );
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        });
        Self { port, status, seen }
    }

    fn answer(&self, status: u16) {
        self.status.store(status, Ordering::SeqCst);
    }

    async fn take(&self) -> Vec<Seen> {
        std::mem::take(&mut *self.seen.lock().await)
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}/hook?key=1", self.port)
    }
}

/// The specification, read once more: base64 of HMAC-SHA256 over id, seconds and body; any of the signatures may fit.
fn is_signed(seen: &Seen, body: &str, secret: &str) -> bool {
    let key = STANDARD.decode(secret.strip_prefix("whsec_").expect("the prefix of secrets")).expect("base64");
    assert!((24..=64).contains(&key.len()));
    let signed = format!("{}.{}.{body}", seen.header("webhook-id"), seen.header("webhook-timestamp"));
    let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
    seen.header("webhook-signature").split(' ').any(|one| {
        let Some(signature) = one.strip_prefix("v1,").and_then(|text| STANDARD.decode(text).ok()) else { return false };
        hmac::verify(&key, signed.as_bytes(), &signature).is_ok()
    })
}

const SENDING: &str = r#"
kind: automation
for: deal
id: won
trigger: {event: stage, to: offer}
steps:
  - id: send
    do: webhook
    to: billing
    type: deal.offered
    values: {name: "=name", amount: "=amount", account: "=account", plan: basic, on: "=today()"}
"#;

/// A shop that may reach the receiver.
async fn shop(receiver: &Receiver) -> World {
    let allow = vec![Allow::parse(&format!("127.0.0.1:{}", receiver.port)).expect("an exception")];
    let http = Egress::new(EgressOptions { allow, ..EgressOptions::default() }).expect("a client");
    World { app: TestApp::with_http(&super::world::files(SENDING), Arc::new(http)).await }
}

async fn endpoint(world: &World, url: &str, events: Value) -> (String, String) {
    let made =
        world.app.post("/api/v1/webhooks", json!({ "name": "billing", "url": url, "events": events })).await.expect_status(201).json();
    (made["id"].as_str().expect("an id").to_owned(), made["secret"].as_str().expect("a secret").to_owned())
}

async fn sent(world: &World, id: &str) -> Vec<Value> {
    let told = world.app.get(&format!("/api/v1/webhooks/{id}/deliveries")).await.expect_status(200).json();
    told["data"].as_array().expect("deliveries").clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn events_become_messages_that_can_be_verified() {
    let receiver = Receiver::listen().await;
    let world = shop(&receiver).await;
    world.deal(json!({ "name": "Before" })).await;
    let (id, secret) = endpoint(&world, &receiver.url(), json!(["deal.created", "*.deleted"])).await;
    let deal = world.deal(json!({ "name": "Harbin", "amount": "5", "note": "Ada is ill" })).await;
    world.patch(&deal, json!({ "name": "Dalian" })).await.expect_status(200);
    world.app.create_id("account", json!({ "name": "A" })).await;
    world.app.delete(&format!("/api/v1/records/deal/{deal}")).await.expect_status(204);
    world.work().await;
    let mut seen = receiver.take().await;
    seen.sort_by_key(|seen| seen.json()["type"].to_string());
    assert_eq!(seen.len(), 2, "{seen:?}");
    let message = seen[0].json();
    assert_eq!((&message["type"], &message["data"]["id"], &message["data"]["version"]), (&json!("deal.created"), &json!(deal), &json!(1)));
    assert!(message["data"]["changed"].as_array().expect("names").contains(&json!("note")), "{message}");
    assert!(!seen[0].body.contains("Harbin") && !seen[0].body.contains("Ada"), "no value: {}", seen[0].body);
    assert_eq!(seen[1].json()["type"], "deal.deleted");
    for one in &seen {
        assert!(is_signed(one, &one.body, &secret), "{one:?}");
        assert!(!is_signed(one, &one.body.replacen("deal", "dealt", 1), &secret), "a changed body does not verify");
        assert!(!is_signed(one, &one.body, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"));
        assert!(one.header("webhook-id").starts_with("msg_"));
        assert_eq!(one.header("content-type"), "application/json");
    }
    let log = sent(&world, &id).await;
    assert_eq!((log.len(), &log[0]["state"], &log[0]["status"], &log[0]["attempts"]), (2, &json!("delivered"), &json!(200), &json!(1)));
    // Once more, with the same id.
    let again = log.iter().find(|one| one["type"] == "deal.created").expect("it was sent");
    let path = format!("/api/v1/webhooks/{id}/deliveries/{}/send", again["id"].as_str().expect("an id"));
    world.app.post(&path, json!({})).await.expect_status(202);
    world.work().await;
    let more = receiver.take().await;
    assert_eq!((more.len(), more[0].header("webhook-id"), &more[0].body), (1, seen[0].header("webhook-id"), &seen[0].body));
    // A new secret: for a day both verify.
    let fresh = world.app.post(&format!("/api/v1/webhooks/{id}/rotate"), json!({})).await.expect_status(200).json();
    let fresh = fresh["secret"].as_str().expect("a secret").to_owned();
    assert_ne!(fresh, secret);
    for (hours, is_former_good) in [(23, true), (2, false)] {
        world.app.clock.advance_ms(hours * 3_600_000);
        world.app.post(&format!("/api/v1/webhooks/{id}/test"), json!({})).await.expect_status(202);
        world.work().await;
        let seen = receiver.take().await.remove(0);
        assert_eq!((is_signed(&seen, &seen.body, &fresh), is_signed(&seen, &seen.body, &secret)), (true, is_former_good));
    }
    // Nobody is told the secret again.
    for path in ["/api/v1/webhooks".to_owned(), format!("/api/v1/webhooks/{id}"), format!("/webhooks/{id}")] {
        assert!(!world.app.get(&path).await.expect_status(200).text().contains("whsec_"), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_taken_is_sent_again_with_the_same_id_until_it_is() {
    let receiver = Receiver::listen().await;
    let world = shop(&receiver).await;
    let (id, _) = endpoint(&world, &receiver.url(), json!(["deal.*"])).await;
    receiver.answer(500);
    world.deal(json!({})).await;
    world.work().await;
    let first = receiver.take().await;
    assert_eq!(first.len(), 1);
    let log = sent(&world, &id).await;
    assert_eq!((&log[0]["state"], &log[0]["status"], &log[0]["error"]), (&json!("waiting"), &json!(500), &json!("answered 500")));
    // While it is left alone, others are not tried either.
    world.deal(json!({})).await;
    world.work().await;
    assert_eq!(receiver.take().await.len(), 0);
    // A redirect is no yes, and is not followed.
    receiver.answer(302);
    world.app.clock.advance_ms(15_000);
    world.work().await;
    assert!(!receiver.take().await.is_empty());
    receiver.answer(204);
    world.app.clock.advance_ms(3_600_000);
    world.work().await;
    world.work().await;
    let last = receiver.take().await;
    let ids: Vec<&str> = last.iter().map(|seen| seen.header("webhook-id")).collect();
    assert!(ids.len() == 2 && ids.contains(&first[0].header("webhook-id")), "{ids:?}");
    let states: Vec<Value> = sent(&world, &id).await.iter().map(|one| one["state"].clone()).collect();
    assert_eq!(states, [json!("delivered"), json!("delivered")]);
    // One that says it is gone is asked no more, and administrators are told.
    receiver.answer(410);
    world.deal(json!({})).await;
    world.work().await;
    let told = world.app.get(&format!("/api/v1/webhooks/{id}")).await.expect_status(200).json();
    assert_eq!((&told["active"], &told["stopped_why"]), (&json!(false), &json!("gone")));
    assert!(world.app.get("/notifications").await.expect_status(200).text().contains("billing"));
    receiver.take().await;
    world.deal(json!({})).await;
    world.work().await;
    assert_eq!(receiver.take().await.len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_sends_what_it_names_and_says_what_became_of_it() {
    let receiver = Receiver::listen().await;
    let world = shop(&receiver).await;
    let deal = world.deal(json!({ "name": "Harbin", "amount": "5" })).await;
    world.patch(&deal, json!({ "stage": "offer" })).await.expect_status(200);
    world.work().await;
    let run = world.run("won").await;
    assert_eq!(run["state"], "failed", "nobody is there: {run:#}");
    assert!(run["reason"].as_str().expect("a reason").contains("there is no endpoint `billing`"), "{run:#}");
    let (_, secret) = endpoint(&world, &receiver.url(), json!([])).await;
    world.app.post(&format!("/api/v1/jobs/{}/retry", run["id"].as_str().expect("an id")), json!({})).await.expect_status(204);
    world.work().await;
    let seen = receiver.take().await.remove(0);
    assert!(is_signed(&seen, &seen.body, &secret));
    let values = json!({ "name": "Harbin", "amount": "5.00", "account": null, "plan": "basic", "on": "2026-11-21" });
    assert_eq!((&seen.json()["type"], &seen.json()["data"]["values"]), (&json!("deal.offered"), &values));
    let run = world.run("won").await;
    let last = run["steps"].as_array().expect("steps").last().expect("a step").clone();
    assert_eq!((&run["state"], &last["step"], &last["output"]), (&json!("done"), &json!("send"), &json!({ "status": 200 })), "{run:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_may_not_be_reached_or_is_badly_named_is_refused() {
    let receiver = Receiver::listen().await;
    let world = shop(&receiver).await;
    let good = json!({ "name": "billing", "url": "https://example.com/x", "events": ["deal.created"] });
    let with = |name: &str, value: Value| {
        let mut asked = good.clone();
        asked[name] = value;
        asked
    };
    for (wrong, told) in [
        (with("name", json!("Billing hook")), "lower-case letters"),
        (with("url", json!("ftp://example.com")), "neither https nor http"),
        (with("url", json!("https://me:secret@example.com/")), "user name or password"),
        (with("url", json!("nowhere")), "cannot be read"),
        (with("url", json!(7)), "must be a text"),
        (with("events", json!(["dael.created"])), "did you mean `deal`"),
        (with("events", json!(["deal.moved"])), "does not happen to records"),
        (with("events", json!(["deal"])), "is no event"),
        (with("events", json!("deal.created")), "must be a list"),
        (with("active", json!("yes")), "must be true or false"),
        (with("secret", json!("whsec_x")), "is not known here"),
    ] {
        let problem = world.app.post("/api/v1/webhooks", wrong.clone()).await.expect_problem(422, "WEB422");
        assert!(problem.to_string().contains(told), "{wrong}: {problem}");
    }
    world.app.post("/api/v1/webhooks", good.clone()).await.expect_status(201);
    world.app.post("/api/v1/webhooks", good.clone()).await.expect_problem(422, "WEB422");
    // Addresses of the own network are refused when they are reached for, whatever they are called.
    for url in ["http://127.0.0.1/", "http://10.0.0.1/", "http://[::1]/", "http://2130706433/", "http://169.254.169.254/latest"] {
        let made = world.app.post("/api/v1/webhooks", json!({ "name": "inside", "url": url })).await.expect_status(201).json();
        let id = made["id"].as_str().expect("an id");
        world.app.post(&format!("/api/v1/webhooks/{id}/test"), json!({})).await.expect_status(202);
        world.work().await;
        let log = sent(&world, id).await;
        assert!(log[0]["error"].as_str().expect("an error").contains("may not be reached"), "{url}: {log:?}");
        world.app.delete(&format!("/api/v1/webhooks/{id}")).await.expect_status(204);
        world.app.get(&format!("/api/v1/webhooks/{id}/deliveries")).await.expect_status(404);
    }
    assert_eq!(receiver.take().await.len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn administrators_manage_endpoints_on_their_page() {
    let receiver = Receiver::listen().await;
    let world = shop(&receiver).await;
    let form = |path: String, body: String| {
        let ask = world.app.request(axum::http::Method::POST, &path).header("content-type", "application/x-www-form-urlencoded");
        ask.header("origin", "http://localhost:8080").text(body).send()
    };
    let wrong = form("/webhooks".into(), "name=A+B&url=https%3A%2F%2Fexample.com%2F&events=*".into()).await.expect_status(422).text();
    assert!(wrong.contains("lower-case letters"), "{wrong}");
    let url = receiver.url().replace(':', "%3A").replace('/', "%2F").replace('?', "%3F").replace('=', "%3D");
    let made = form("/webhooks".into(), format!("name=erp&url={url}&events=deal.created%0Aaccount.*")).await.expect_status(201).text();
    assert!(made.contains("whsec_"), "{made}");
    let id = world.app.get("/api/v1/webhooks").await.expect_status(200).json()["data"][0]["id"].as_str().expect("an id").to_owned();
    form(format!("/webhooks/{id}/test"), String::new()).await.expect_status(303);
    world.work().await;
    let page = world.app.get(&format!("/webhooks/{id}")).await.expect_status(200).text();
    assert!(page.contains("webhook.test") && page.contains("Delivered") && page.contains("Send again"), "{page}");
    let delivery = sent(&world, &id).await[0]["id"].as_str().expect("an id").to_owned();
    form(format!("/webhooks/{id}/deliveries/{delivery}"), String::new()).await.expect_status(303);
    world.work().await;
    assert_eq!(receiver.take().await.len(), 2);
    form(format!("/webhooks/{id}/stop"), String::new()).await.expect_status(303);
    assert_eq!(world.app.get(&format!("/api/v1/webhooks/{id}")).await.expect_status(200).json()["active"], false);
    form(format!("/webhooks/{id}/start"), String::new()).await.expect_status(303);
    assert!(form(format!("/webhooks/{id}/rotate"), String::new()).await.expect_status(200).text().contains("whsec_"));
    form(format!("/webhooks/{id}/nothing"), String::new()).await.expect_status(404);
    form(format!("/webhooks/{id}/delete"), String::new()).await.expect_status(303);
    world.app.get(&format!("/webhooks/{id}")).await.expect_status(404);
}
