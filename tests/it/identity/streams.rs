//! The feed of changes as a stream: who may listen, what they hear, and when it ends.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Request, Response, header};
use http_body_util::BodyExt;
use serde_json::json;
use tower::ServiceExt;

use crate::access::world::{Person, World};
use crate::support::TestApp;

/// Somebody's open stream.
struct Listener {
    body: Body,
    text: String,
}

fn request(path: &str, token: &str) -> axum::http::request::Builder {
    let builder = Request::builder().uri(path).header(header::HOST, "localhost:8080").header(header::ACCEPT, "text/event-stream");
    builder.header(header::AUTHORIZATION, format!("Bearer {token}"))
}

impl Listener {
    async fn open(app: &TestApp, person: &Person, path: &str) -> Self {
        let request = request(path, &person.token).body(Body::empty()).expect("a request");
        let response: Response<Body> = app.router.clone().oneshot(request).await.expect("the router is infallible");
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert_eq!(response.headers()["cache-control"], "no-store");
        Self { body: response.into_body(), text: String::new() }
    }

    /// Reads until the text is there; `false` when the stream ended first.
    async fn hears(&mut self, word: &str) -> bool {
        let waited = tokio::time::timeout(Duration::from_secs(10), async {
            while !self.text.contains(word) {
                let Some(frame) = self.body.frame().await else { return false };
                let bytes = frame.expect("a piece").into_data().expect("data");
                self.text.push_str(&String::from_utf8_lossy(&bytes));
            }
            true
        });
        waited.await.unwrap_or_else(|_| panic!("never heard `{word}`: {}", self.text))
    }

    /// Reads to the end.
    async fn rest(mut self) -> String {
        assert!(!self.hears("\u{0}").await);
        self.text
    }
}

#[tokio::test]
async fn a_stream_is_refused_like_any_request_before_it_begins() {
    let app = TestApp::crm().await;
    let stream = |token: &str| app.request(Method::GET, "/api/v1/changes").token(token).header("accept", "text/event-stream");
    stream("rl_x").send().await.expect_problem(401, "ATH001");
    stream(&app.token).header("last-event-id", "x").send().await.expect_problem(400, "WEB400");
    let limits = app.workspace.auth.token_limits(&["read:shop.deal".to_owned()], "").expect("scopes");
    let asked = relata::auth::NewToken { email: "admin@example.com".into(), name: "deals".into(), days: None };
    let narrow = app.workspace.auth.create_limited_token(asked, limits).await.expect("made").secret;
    stream(&narrow).send().await.expect_problem(403, "ACL003");
    let odd = app.request(Method::GET, "/api/v1/changes?since=x").header("accept", "text/event-stream");
    odd.send().await.expect_status(400);
    let unknown = app.request(Method::GET, "/api/v1/changes?limit=5").header("accept", "text/event-stream");
    unknown.send().await.expect_status(400);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_27_everyone_hears_what_they_may_read_at_that_moment() {
    let world = World::new().await;
    world.deal(&world.rep, json!({"name": "Before"})).await;
    let mut rep = Listener::open(&world.app, &world.rep, "/api/v1/changes").await;
    let mut stranger = Listener::open(&world.app, &world.stranger, "/api/v1/changes").await;
    let mine = world.deal(&world.rep, json!({"name": "Mine", "margin": "1.00"})).await;
    let theirs = world.deal(&world.stranger, json!({"name": "Theirs"})).await;
    assert!(rep.hears(&mine).await && stranger.hears(&theirs).await);
    world.app.patch(&format!("/api/v1/records/deal/{mine}"), json!({"margin": "2.00"})).await.expect_status(200);
    world.app.patch(&format!("/api/v1/records/deal/{mine}"), json!({"name": "Ours"})).await.expect_status(200);
    assert!(rep.hears("\"version\":3").await);
    assert!(!rep.text.contains("margin") && !rep.text.contains(&theirs) && rep.text.contains("event: change"), "{}", rep.text);
    // Rights change: the deal is somebody else's from now on.
    world.app.patch(&format!("/api/v1/records/deal/{mine}"), json!({"owner": world.stranger.id})).await.expect_status(200);
    assert!(stranger.hears(&mine).await);
    let heard = rep.text.len();
    let last = world.deal(&world.rep, json!({"name": "Last"})).await;
    assert!(rep.hears(&last).await);
    assert!(!rep.text[heard..].contains(&mine), "{}", rep.text);
    assert!(!stranger.text.contains(&last));
    // Coming back with the last id: nothing is missed, nothing is told twice.
    let position = rep.text.lines().rev().find_map(|line| line.strip_prefix("id: ")).expect("an id").to_owned();
    let missed = world.deal(&world.rep, json!({"name": "Missed"})).await;
    let path = format!("/api/v1/changes?since={position}");
    let mut again = Listener::open(&world.app, &world.rep, &path).await;
    assert!(again.hears(&missed).await && !again.text.contains(&last), "{}", again.text);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_ends_with_the_one_who_listens() {
    let world = World::new().await;
    let app = &world.app;
    let mut left = Listener::open(app, &world.rep, "/api/v1/changes").await;
    let mut revoked = Listener::open(app, &world.mate, "/api/v1/changes").await;
    let mut goes_on = Listener::open(app, &world.stranger, "/api/v1/changes").await;
    for listener in [&mut left, &mut revoked, &mut goes_on] {
        assert!(listener.hears("retry:").await);
    }
    app.patch(&format!("/api/v1/records/user/{}", world.rep.id), json!({"active": false})).await.expect_status(200);
    let tokens = app.request(Method::GET, "/api/v1/tokens").token(&world.mate.token).send().await.expect_status(200).json();
    let own = format!("/api/v1/tokens/{}", tokens["data"][0]["id"].as_str().expect("an id"));
    app.request(Method::DELETE, &own).token(&world.mate.token).send().await.expect_status(204);
    for listener in [left, revoked] {
        let text = listener.rest().await;
        assert!(text.contains("event: end") && text.contains("ATH001"), "{text}");
    }
    let deal = world.deal(&world.stranger, json!({"name": "Theirs"})).await;
    assert!(goes_on.hears(&deal).await);
    // Roles taken away: the stream goes on and tells nothing of what may no longer be read.
    app.patch(&format!("/api/v1/records/user/{}", world.stranger.id), json!({"roles": []})).await.expect_status(200);
    let unseen = world.deal(&world.stranger, json!({"name": "Unseen"})).await;
    let heard = goes_on.text.len();
    app.patch(&format!("/api/v1/records/user/{}", world.stranger.id), json!({"roles": ["looker"]})).await.expect_status(200);
    let seen = world.deal(&world.rep, json!({"name": "Seen"})).await;
    assert!(goes_on.hears(&seen).await);
    let _ = (unseen, heard);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_person_keeps_a_bounded_number_of_streams() {
    let world = World::new().await;
    let mut open = Vec::new();
    for _ in 0..64 {
        open.push(Listener::open(&world.app, &world.rep, "/api/v1/changes").await);
    }
    let more = || world.app.request(Method::GET, "/api/v1/changes").token(&world.rep.token).header("accept", "text/event-stream");
    more().send().await.expect_problem(429, "WEB429");
    Listener::open(&world.app, &world.mate, "/api/v1/changes").await;
    // A place is free again once a client has gone.
    drop(open.pop());
    let mut is_free = false;
    for _ in 0..500 {
        let request = request("/api/v1/changes", &world.rep.token).body(Body::empty()).expect("a request");
        let response = world.app.router.clone().oneshot(request).await.expect("the router is infallible");
        if response.status() == 200 {
            is_free = true;
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(is_free, "the place of a client that has gone stays taken");
}

/// Many streams cost no more statements than few: the feed is read once for all, and what may be told once for all whose eyes
/// are alike. Somebody whose rules ask who they are is looked up once, however many streams they have.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_streams_read_the_feed_once() {
    const EACH: usize = 60;
    let world = World::new().await;
    let app = &world.app;
    let mut people = Vec::new();
    for (name, role) in [("ann", "looker"), ("ben", "looker"), ("cid", "looker"), ("dan", "rep"), ("eve", "auditor")] {
        people.push(crate::access::world::person(app, name, &[role], json!({})).await);
    }
    let mut open = Vec::new();
    for person in people.iter().cycle().take(EACH * people.len()) {
        open.push(Listener::open(app, person, "/api/v1/changes").await);
    }
    for listener in &mut open {
        assert!(listener.hears("retry:").await);
    }
    let store = &app.workspace.store;
    let before = store.reads();
    let mut last = String::new();
    for number in 0..5 {
        last = world.deal(&people[3], json!({"name": format!("Deal {number}"), "stage": "won"})).await;
    }
    for listener in &mut open {
        assert!(listener.hears(&last).await);
    }
    let reads = store.reads() - before;
    assert!(reads < open.len() as u64, "{reads} statements for {} streams", open.len());
    // Each is told by its own rights, in the same words as others with the same.
    for (at, listener) in open.iter().enumerate() {
        let told: Vec<&str> = listener.text.lines().filter(|line| line.starts_with("data: ") && line.contains("\"deal\"")).collect();
        assert_eq!(told.len(), 5, "{}", listener.text);
        // The auditor reads what was won, without the account and the owner.
        assert!(!listener.text.contains("margin") || at % people.len() != 3, "{}", listener.text);
    }
    // Whoever is let go hears nothing more, and everybody else does.
    app.patch(&format!("/api/v1/records/user/{}", people[0].id), json!({"active": false})).await.expect_status(200);
    app.patch(&format!("/api/v1/records/user/{}", people[1].id), json!({"roles": ["filer"]})).await.expect_status(200);
    let secret = world.deal(&people[3], json!({"name": "After", "stage": "won"})).await;
    let newest = format!("id: {}\n", app.get("/api/v1/changes?limit=1000").await.json()["next"]);
    for (at, mut listener) in open.into_iter().enumerate() {
        match at % people.len() {
            0 => {
                let text = listener.rest().await;
                assert!(text.contains("event: end") && !text.contains(&secret), "{text}");
            }
            1 => {
                // The position behind it is told, and nothing else.
                assert!(listener.hears(&newest).await);
                assert!(!listener.text.contains(&secret), "{}", listener.text);
            }
            _ => assert!(listener.hears(&secret).await),
        }
    }
}
