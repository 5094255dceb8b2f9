//! Doors × gate × outcomes: a move that waits for a registration gives the same answer everywhere.

use axum::http::Method;
use serde_json::{Value, json};

use crate::access::world::{get, send};
use crate::approvals::world::{SHOP, World, codes};
use crate::support::Answer;
use crate::support::doors::{DOORS, through};

const REGISTERED: &str = r#"
kind: extension
of: shop.deal
duplicates:
  - {id: same, match: [{field: code}]}
registrations:
  - id: project
    label: {en: Project, zh-CN: 项目报备, zh-TW: 專案報備}
    when: "discount > 5"
    rules: same
    protect: 90d
    arbiters: [board]
pipelines:
  - id: sales
    field: stage
    override: [boss]
    stages:
      - {key: new}
      - {key: offer}
      - {key: won, closed: won}
      - {key: lost, closed: lost}
    gates:
      - {id: registered, to: [offer, won], require: [{registration: project}]}
"#;

/// How a deal stands with its registration before it moves.
const STANDINGS: [(&str, &str, &str); 8] = [
    ("not needed", "", ""),
    ("protected", "", ""),
    ("granted", "", ""),
    ("missing", "must be registered first", "registration_missing"),
    ("contested", "not decided yet", "registration_contested"),
    ("refused", "was refused", "registration_refused"),
    ("lost", "was taken away", "registration_lost"),
    ("expired", "is over", "registration_expired"),
];
const DAY_MS: i64 = 24 * 3_600_000;

async fn shop() -> World {
    World::with(&[SHOP[0], SHOP[1], ("definitions/site/registered.yaml", REGISTERED)]).await
}

async fn file(world: &World, deal: &str) -> Value {
    let path = format!("/api/v1/records/deal/{deal}/registrations");
    send(&world.app, &world.rep, Method::POST, &path, &json!({ "registration": "project" })).await.expect_status(201).json()
}

async fn act(world: &World, claim: &Value, act: &str, body: Value) -> Answer {
    let path = format!("/api/v1/registrations/{}/{act}", claim["id"].as_str().expect("an id"));
    send(&world.app, &world.board[0], Method::POST, &path, &body).await
}

/// A deal whose code is what it is registered by.
async fn deal(world: &World, code: &str, discount: &str) -> String {
    let values = json!({ "name": "Deal", "code": code, "discount": discount, "amount": "100", "owner": world.rep.id });
    let ask = world.app.request(Method::POST, "/api/v1/records/deal").json(&values).header("prefer", "allow-duplicates");
    ask.send().await.expect_status(201).json()["id"].as_str().expect("an id").to_owned()
}

async fn stand(world: &World, standing: &str, code: &str) -> String {
    let own = deal(world, code, if standing == "not needed" { "5" } else { "10" }).await;
    match standing {
        "protected" => drop(file(world, &own).await),
        "lost" => {
            let claim = file(world, &own).await;
            act(world, &claim, "withdraw", json!({ "reason": "Nobody called" })).await.expect_status(200);
        }
        "expired" => {
            file(world, &own).await;
            world.app.clock.advance_ms(90 * DAY_MS);
        }
        "granted" | "contested" | "refused" => {
            let other = deal(world, &format!("{code}."), "10").await;
            file(world, &other).await;
            let claim = file(world, &own).await;
            assert_eq!(claim["state"], "contested", "{claim:#}");
            let decision = json!({ "decision": if standing == "granted" { "grant" } else { "refuse" }, "reason": "They met them" });
            if standing != "contested" {
                act(world, &claim, "decide", decision).await.expect_status(200);
            }
        }
        _ => {}
    }
    own
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_door_waits_for_the_registration_alike() {
    let world = shop().await;
    let mut count = 0;
    for (standing, reason, _) in STANDINGS {
        for door in DOORS {
            let code = format!("{door}-{standing}").replace(' ', "-");
            let deal = stand(&world, standing, &code).await;
            let told = through(&world.app, door, &deal, &code, &json!({ "stage": "offer" })).await;
            let stage = if reason.is_empty() { "offer" } else { "new" };
            assert_eq!(world.get(&deal).await["stage"], stage, "{door} {standing}: {told:?}");
            assert_eq!(told.is_none(), reason.is_empty(), "{door} {standing}: {told:?}");
            assert!(told.clone().unwrap_or_default().contains(reason), "{door} {standing} does not tell `{reason}`: {told:?}");
            count += 1;
        }
    }
    assert_eq!(count, 104);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_move_would_need_is_told_as_data_and_leads_to_filing() {
    let world = shop().await;
    for (standing, reason, code) in STANDINGS {
        let deal = stand(&world, standing, &standing.replace(' ', "-")).await;
        let moves = world.app.get(&format!("/api/v1/records/deal/{deal}/moves")).await.expect_status(200).json();
        let offer = moves["data"][0]["moves"].as_array().unwrap().iter().find(|one| one["to"] == "offer").unwrap().clone();
        assert_eq!(offer["passes"], code.is_empty(), "{standing}: {offer:#}");
        let condition = &offer["conditions"][0];
        if standing == "not needed" {
            assert!(condition.is_null(), "{offer:#}");
            continue;
        }
        let state = if code.is_empty() { "met" } else { "missing" };
        assert_eq!(
            (&condition["kind"], &condition["state"], &condition["registration"]),
            (&json!("registration"), &json!(state), &json!("project")),
            "{standing}"
        );
        assert_eq!(condition["claim"].is_null(), standing == "missing", "{standing}: {offer:#}");
        if code.is_empty() {
            continue;
        }
        assert_eq!(condition["code"], code, "{standing}");
        let page = world.app.get(&format!("/records/deal/{deal}/move?pipeline=sales&to=offer")).await.expect_status(200).text();
        let (before, rest) = page.split_once("#registrations\">").expect("a link to where it is filed");
        assert!(rest.split("</a>").next().unwrap().contains(reason), "{standing}: {page}");
        let href = before.rsplit("href=\"").next().unwrap().replace("&#x2f;", "/");
        assert_eq!(href, format!("/records/deal/{deal}?file=project"));
        let asked = world.app.request(Method::GET, &href).token(&world.rep.token).send().await.expect_status(200).text();
        let is_offered = standing != "contested";
        assert_eq!(asked.contains("<details class=\"disclosure\" open><summary><span class=\"link-button\">Register: Project"), is_offered);
    }
    // So do the page of a conversion and a form that are refused for it.
    let deal = stand(&world, "missing", "converted").await;
    let wish = world.app.create_id("wish", json!({ "deal": stand(&world, "not needed", "another").await, "stage": "offer" })).await;
    world.app.patch(&format!("/api/v1/records/deal/{deal}"), json!({ "wish": wish })).await.expect_status(200);
    let way = format!("<a href=\"&#x2f;records&#x2f;deal&#x2f;{deal}?file=project#registrations\">");
    let page = world.app.get(&format!("/records/deal/{deal}/convert")).await.expect_status(200).text();
    assert!(page.contains(&way) || page.contains(&way.replace("&#x2f;", "/")), "{page}");
    let page = through(&world.app, "form", &deal, "converted", &json!({ "stage": "offer" })).await.expect("a refusal");
    assert!(page.contains(&way) || page.contains(&way.replace("&#x2f;", "/")), "{page}");
    // Whoever does not read what it hangs on is told that there is a condition, no more.
    let hidden = "kind: role\nid: narrow\npermissions: {core.user: read, deal: {read: true, update: true, fields: {hide: [discount]}}}\n";
    let (head, tail) = SHOP[1].1.split_once("kind: role\nid: narrow").expect("the role");
    let shop = format!("{head}{hidden}---\n{}", tail.split_once("---\n").expect("more roles").1);
    let world = World::with(&[SHOP[0], (SHOP[1].0, &shop), ("definitions/site/registered.yaml", REGISTERED)]).await;
    for standing in ["missing", "protected"] {
        let deal = stand(&world, standing, standing).await;
        let moves = get(&world.app, &world.manager, &format!("/api/v1/records/deal/{deal}/moves")).await.expect_status(200).json();
        let offer = moves["data"][0]["moves"].as_array().unwrap().iter().find(|one| one["to"] == "offer").unwrap().clone();
        let told = &offer["conditions"][0];
        assert_eq!((&told["state"], &told["registration"], &told["claim"]), (&json!("hidden"), &Value::Null, &Value::Null), "{offer:#}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reason_stands_in_for_it_and_a_record_is_not_made_without_it() {
    let world = shop().await;
    let made = json!({ "name": "X", "stage": "offer", "discount": "20" });
    let problem = world.app.post("/api/v1/records/deal", made).await.expect_problem(422, "REC010");
    assert_eq!(codes(&problem), ["registration_missing"], "{problem:#}");
    let params = &problem["errors"][0]["params"];
    assert_eq!((&params["registration"], &params["label"], &params["claim"]), (&json!("project"), &json!("Project"), &Value::Null));
    world.app.post("/api/v1/records/deal", json!({ "name": "X", "stage": "offer", "discount": "5" })).await.expect_status(201);

    let open = deal(&world, "open", "10").await;
    let path = format!("/api/v1/records/deal/{open}/moves");
    let reason = json!({ "to": "offer", "reason": "We know them" });
    let ask = |who| send(&world.app, who, Method::POST, &path, &reason);
    let problem = ask(&world.rep).await.expect_problem(422, "REC010");
    assert!(codes(&problem).contains(&"override_not_allowed".to_owned()), "{problem:#}");
    ask(&world.director).await.expect_status(200);

    // In the language of who asks.
    let other = deal(&world, "other", "10").await;
    for (tag, words) in [("zh-CN", "“项目报备”尚未提交"), ("zh-TW", "「專案報備」尚未提交")] {
        let ask = world.app.request(Method::PATCH, &format!("/api/v1/records/deal/{other}")).json(&json!({ "stage": "offer" }));
        let told = ask.header("content-type", "application/merge-patch+json").header("accept-language", tag).send().await.text();
        assert!(told.contains(words), "{told}");
    }
    // Given up: it is as if nothing had been filed.
    let claim = file(&world, &other).await;
    let give_up = format!("/api/v1/registrations/{}/withdraw", claim["id"].as_str().unwrap());
    send(&world.app, &world.rep, Method::POST, &give_up, &json!({})).await.expect_status(200);
    let problem =
        world.app.patch(&format!("/api/v1/records/deal/{other}"), json!({ "stage": "offer" })).await.expect_problem(422, "REC010");
    assert_eq!(codes(&problem), ["registration_missing"], "{problem:#}");
}
