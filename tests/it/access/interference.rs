//! What a person may not read has no part in any answer to a read: two workspaces that differ in nothing else give the same
//! bytes, whatever is asked.
//!
//! Schema, roles, data and questions are made at random from a seed. `tests/run long access` asks 20,000 questions on each
//! database; `RELATA_SEED` and `RELATA_QUESTIONS` choose others. What differed once has a test of its own.

pub mod plan;
mod questions;
mod side;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Request, header};
use http_body_util::BodyExt;
use serde_json::Value;
use tower::ServiceExt;

use self::plan::{Dice, plan};
use self::questions::{Asking, Question};
use self::side::{Side, side};
use super::matrix;
use crate::support::log::variable;
use crate::support::{Answer, TestApp};

/// What is read before or without signing in, and files of the program itself: nothing of anybody's records is in them.
const OF_NOBODY: [&str; 6] = ["/sign-in", "/sign-in/link", "/sign-in/sso/callback", "/setup", "/invitation", "/assets/{hash}/{*file}"];
/// Where a name or a value can stand in what is asked.
const POSITIONS: [&str; 28] = [
    "filter",
    "count",
    "sort",
    "cursor",
    "expand",
    "search",
    "recycle bin",
    "select",
    "titles",
    "group",
    "having",
    "bucket",
    "measure",
    "one",
    "history",
    "shares",
    "export",
    "export filter",
    "export search",
    "changes",
    "stream",
    "file",
    "explain",
    "moves",
    "view",
    "board",
    "clicked filter",
    "autocomplete",
];

/// How many answers there were to questions at each route and in each position.
type Asked = BTreeMap<&'static str, (usize, usize)>;

/// What an asker gets, without what says which request it was.
fn told(answer: &Answer) -> String {
    let text = answer.text();
    let body = match serde_json::from_str::<Value>(&text) {
        Ok(mut body) => {
            if let Some(body) = body.as_object_mut() {
                body.remove("request_id");
            }
            body.to_string()
        }
        Err(_) => text.lines().filter(|line| !line.contains(answer.header("x-request-id"))).collect(),
    };
    // A form has a key of its own each time it is shown.
    let (body, has_key) = match body.split_once("name=\"_key\" value=\"") {
        Some((before, rest)) => (format!("{before}{}", rest.split_once('"').map_or("", |(_, after)| after)), true),
        None => (body, false),
    };
    let headers = ["content-type", "content-disposition", "location", "link", "allow"].map(|name| answer.header(name));
    format!("{} {headers:?} {} {body}", answer.status, if has_key { "" } else { answer.header("etag") })
}

/// With the asker's own token, or in the session of an administrator who looks through their eyes.
async fn ask(side: &Side, question: &Question, as_viewer: bool) -> Answer {
    let request = side.app.request(question.method.clone(), &question.path).header("sec-fetch-site", "same-origin");
    let request = if as_viewer { request.session(&side.viewer) } else { request.token(&side.asker.token) };
    match &question.body {
        Some(body) => request.json(body).send().await,
        None => request.send().await,
    }
}

/// The feed as server-sent events, until the newest change.
async fn listen(side: &Side, question: &Question, as_viewer: bool) -> String {
    let request = Request::builder().method(Method::GET).uri(&question.path).header(header::HOST, "localhost:8080");
    let request = request.header(header::ACCEPT, "text/event-stream");
    let request = if as_viewer {
        request.header(header::COOKIE, &side.viewer)
    } else {
        request.header(header::AUTHORIZATION, format!("Bearer {}", side.asker.token))
    };
    let response =
        side.app.router.clone().oneshot(request.body(Body::empty()).expect("a request")).await.expect("the router is infallible");
    let mut text = format!("{} ", response.status());
    let mut body = response.into_body();
    let end = format!("id: {}\n", side.known.newest);
    while !text.contains(&end) {
        let frame = tokio::time::timeout(Duration::from_secs(20), body.frame()).await;
        let Some(frame) = frame.unwrap_or_else(|_| panic!("never heard {end}: {text}")) else { break };
        text.push_str(&String::from_utf8_lossy(&frame.expect("a piece").into_data().expect("data")));
    }
    text
}

/// Both sides' answers to a question, for the comparison, and whether there was one at all.
async fn both(left: &Side, right: &Side, question: &Question, as_viewer: bool) -> (String, String, bool) {
    if question.listens {
        let (one, two) = (listen(left, question, as_viewer).await, listen(right, question, as_viewer).await);
        let answered = one.starts_with("200");
        return (one, two, answered);
    }
    let (one, two) = (ask(left, question, as_viewer).await, ask(right, question, as_viewer).await);
    assert!(!one.status.is_server_error(), "{question:?}: {}", one.text());
    let (mut first, mut second) = (told(&one), told(&two));
    if question.goes_on && one.status.is_success() && first == second {
        let behind = |answer: &Answer| {
            let cursor = answer.json()["next_cursor"].as_str().map(str::to_owned);
            cursor.map(|cursor| Question { path: format!("{}&cursor={cursor}", question.path), ..question.clone() })
        };
        if let (Some(one), Some(two)) = (behind(&one), behind(&two)) {
            first.push_str(&told(&ask(left, &one, as_viewer).await));
            second.push_str(&told(&ask(right, &two, as_viewer).await));
        }
    }
    (first, second, one.status.is_success())
}

/// Whether a change of something kept in a record that may be read is told by its version: those answers differ lawfully.
fn tells_versions(question: &Question) -> bool {
    let shows_none = matches!(
        question.position,
        "count" | "group" | "having" | "bucket" | "measure" | "search" | "view" | "schema" | "shut" | "health" | "own"
    );
    // What is found by words comes with all its values where no page shows it.
    !shows_none || question.position == "search" && question.route == questions::LIST
}

async fn compare(seed: u64, questions: usize, asked: &mut Asked) {
    let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    let plan = plan(&mut dice);
    let data = dice.0;
    let (left, right) = (side(&plan, data, false).await, side(&plan, data, true).await);
    assert_eq!(left.known, right.known, "seed {seed}: ids and positions are seeded");
    let asking = Asking { plan: &plan, known: &left.known };
    for number in 0..questions {
        // Each kind once, then by chance.
        let kind = if number < Asking::KINDS { number } else { dice.below(Asking::KINDS) };
        let question = asking.ask(kind, &mut dice);
        let as_viewer = dice.one_in(4);
        if plan.keeps_totals && tells_versions(&question) {
            continue;
        }
        let (one, two, answered) = both(&left, &right, &question, as_viewer).await;
        assert!(one == two, "seed {seed}, question {number} ({as_viewer}): {question:#?}\n{}\n{one}\n\n{two}", plan.files[2].1);
        for key in [question.route, question.position] {
            let counts = asked.entry(key).or_default();
            *counts = (counts.0 + 1, counts.1 + usize::from(answered));
        }
    }
}

/// Every route that is read from was asked.
async fn expect_every_route(asked: &Asked) {
    let routes = read_routes().await;
    let unasked: Vec<&String> = routes.iter().filter(|route| !asked.contains_key(route.as_str())).collect();
    assert!(unasked.is_empty(), "no question is asked at {unasked:?}: add one");
}

/// Some question in every position was answered, which takes many.
fn expect_every_position(asked: &Asked) {
    let unanswered: Vec<&&str> = POSITIONS.iter().filter(|position| asked.get(**position).is_none_or(|(_, good)| *good == 0)).collect();
    assert!(unanswered.is_empty(), "no question was answered in {unanswered:?}: {asked:#?}");
}

/// Addresses that answer `GET`, as the OpenAPI document of a workspace and the routes of the pages say.
async fn read_routes() -> BTreeSet<String> {
    let app = TestApp::seeded(&[], 1).await;
    let document = app.get("/api/v1/openapi.json").await.expect_status(200).json();
    let operations = matrix::operations(&document).into_iter().filter(|(method, _)| method == "GET");
    let api = operations.map(|(_, path)| matrix::template(&path).0);
    let pages = matrix::page_routes().into_iter().filter(|(method, _)| *method == "GET").map(|(_, path)| path);
    api.chain(pages).filter(|path| !OF_NOBODY.contains(&path.as_str())).collect()
}

#[tokio::test]
async fn what_may_not_be_read_changes_no_answer() {
    let mut asked = Asked::new();
    for seed in 1..=6 {
        compare(seed, Asking::KINDS + 30, &mut asked).await;
    }
    expect_every_route(&asked).await;
}

/// `tests/run long access`.
#[tokio::test]
async fn long_what_may_not_be_read_changes_no_answer() {
    if variable("RELATA_LONG").is_none() {
        return;
    }
    let number = |name: &str, default: u64| variable(name).and_then(|text| text.parse().ok()).unwrap_or(default);
    let (first, total) = (number("RELATA_SEED", 100), number("RELATA_QUESTIONS", 20_000));
    let (mut asked, mut seed) = (Asked::new(), first);
    let answers = |asked: &Asked| {
        asked.iter().filter(|(key, _)| key.starts_with('/') || key.starts_with("POST")).map(|(_, (all, _))| *all as u64).sum::<u64>()
    };
    while answers(&asked) < total {
        compare(seed, 250, &mut asked).await;
        seed += 1;
    }
    println!("{} questions, seeds {first} to {}: {asked:?}", answers(&asked), seed - 1);
    if total >= 20_000 {
        expect_every_route(&asked).await;
        expect_every_position(&asked);
    }
}
