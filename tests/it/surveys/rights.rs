//! Who asks, who reads what came back, and with whose rights an answer is saved.

use axum::http::Method;
use relata::auth::NewToken;
use serde_json::{Value, json};

use super::world::{SHOWN, World};

pub async fn token(world: &World, role: &str) -> String {
    let email = format!("{role}@example.com");
    world.app.create_id("user", json!({ "name": role, "email": email, "roles": [role] })).await;
    let token = NewToken { email, name: "t".to_owned(), days: None };
    world.app.workspace.auth.create_token(token).await.expect("a token").secret
}

#[tokio::test(flavor = "multi_thread")]
async fn rights_hold_on_every_way() {
    let world = World::new("").await;
    let (agent, clerk) = (token(&world, "agent").await, token(&world, "clerk").await);
    let request = world.request(json!({})).await;
    let path = format!("/api/v1/records/request/{request}/surveys");
    let ask = |token: &str, survey: &str| {
        let body: Value = json!({ "survey": survey });
        world.app.request(Method::POST, &path).token(token).json(&body).send()
    };
    // Whoever may not change the record asks nobody about it.
    ask(&clerk, "desk.satisfaction").await.expect_status(403);
    ask(&agent, "desk.none").await.expect_status(422);
    // The agent may not create answers; the survey may.
    let told = ask(&agent, "desk.satisfaction").await.expect_status(201).json();
    let link = told["link"].as_str().unwrap().strip_prefix("http://localhost:8080").unwrap().to_owned();
    world.answer(&link, &format!("{SHOWN}&score=3&why=slow")).await;
    let (_, good) = world.ask(&request, "desk.satisfaction").await;
    world.answer(&good, &format!("{SHOWN}&score=4")).await;
    // Records, counts and pages: what may not be read has no part in them.
    let results = |token: String| world.app.request(Method::GET, "/api/v1/surveys/desk.satisfaction").token(&token).send();
    let told = results(agent.clone()).await.expect_status(200).json();
    assert_eq!((&told["asked"], &told["answered"]), (&json!(1), &json!(1)), "{told:#}");
    assert_eq!(told["questions"][0]["spread"][2], json!({"value": 3, "count": 0}));
    results(clerk.clone()).await.expect_status(404);
    let told = world.app.request(Method::GET, "/api/v1/surveys").token(&clerk).send().await.expect_status(200).json();
    assert_eq!(told["data"], json!([]));
    // Nobody writes what the program keeps, whatever their rights.
    let all = world.app.get("/api/v1/records/feedback").await.json();
    let id = all["data"][0]["id"].as_str().unwrap();
    for name in ["survey", "survey_state", "survey_expires_at", "survey_answered_at", "survey_language"] {
        world.app.patch(&format!("/api/v1/records/feedback/{id}"), json!({ name: null })).await.expect_status(422);
    }
    // Who saved an answer is nobody of the workspace.
    let history = world.app.get(&format!("/api/v1/records/feedback/{id}/history")).await.expect_status(200).json();
    assert!(history.to_string().contains("survey_state"), "{history:#}");
}
