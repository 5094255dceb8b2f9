//! The doors of a record: each way by which somebody can set values of a deal.

use axum::http::Method;
use relata::access::Actor;
use relata::record::{Input, Source, WriteOptions};
use serde_json::{Value, json};

use super::{Answer, TestApp};

/// Doors through which a stage can be changed.
pub const DOORS: [&str; 13] =
    ["patch", "moves", "many", "filter", "batch", "upsert", "nested", "form", "move form", "button", "automation", "merge", "convert"];

/// What the form of a deal shows, where the workspace has it.
const FORM: [&str; 9] = ["name", "code", "kind", "stage", "amount", "discount", "margin", "close_on", "why"];

/// What a door of `deal` answers when these values are set: nothing where it saved. The workspace has `account` with `deals`,
/// the script button `push`, `wish`, whose automation `fulfil` sets them, and a conversion that sets
/// those of the deal's `wish`.
pub async fn through(app: &TestApp, door: &str, id: &str, code: &str, set: &Value) -> Option<String> {
    let path = format!("/api/v1/records/deal/{id}");
    let refused = |answer: Answer| (answer.status.as_u16() >= 300).then(|| answer.text());
    let of_many = |answer: Answer| {
        let told = answer.expect_status(200).json();
        (told["failed"] == 1).then(|| told.to_string())
    };
    let form = |path: String, body: String| {
        app.request(Method::POST, &path).header("content-type", "application/x-www-form-urlencoded").text(body)
    };
    match door {
        "patch" => refused(app.patch(&path, set.clone()).await),
        "moves" => {
            let mut others = set.clone();
            match others.as_object_mut()?.remove("stage") {
                Some(to) => refused(app.post(&format!("{path}/moves"), json!({ "to": to, "set": others })).await),
                None => refused(app.patch(&path, others).await),
            }
        }
        "many" => of_many(app.patch("/api/v1/records/deal", json!([{ "id": id, "set": set }])).await),
        "filter" => {
            let body = json!({ "filter": format!("code = '{code}'"), "set": set, "max_affected": 1 });
            of_many(app.patch("/api/v1/records/deal", body).await)
        }
        "batch" => {
            let operations = json!([{ "op": "update", "entity": "deal", "id": id, "values": set }]);
            refused(app.post("/api/v1/batch", json!({ "operations": operations })).await)
        }
        "upsert" => refused(app.put(&format!("/api/v1/records/deal/by/code/{code}"), set.clone()).await),
        "nested" => {
            let deal = app.get(&path).await.expect_status(200).json();
            let account = match deal["account"].as_str() {
                Some(account) => account.to_owned(),
                None => app.create_id("account", json!({ "name": "A" })).await,
            };
            app.patch(&path, json!({ "account": account })).await.expect_status(200);
            let mut row = set.clone();
            row["id"] = id.into();
            refused(app.patch(&format!("/api/v1/records/account/{account}"), json!({ "deals": [row] })).await)
        }
        "form" => {
            let deal = app.get(&path).await.expect_status(200).json();
            let text = |name: &str| set.get(name).unwrap_or(&deal[name]).as_str().unwrap_or_default().to_owned();
            let fields = FORM.iter().filter(|name| deal.get(name).is_some());
            let pairs: Vec<String> = fields.map(|name| format!("{name}={}", text(name))).collect();
            let answer = form(format!("/records/deal/{id}"), format!("_version={}&{}", deal["version"], pairs.join("&"))).send().await;
            (answer.status.as_u16() != 303).then(|| answer.text())
        }
        "move form" => {
            let deal = app.get(&path).await.expect_status(200).json();
            let others = set.as_object()?.iter().filter(|(name, _)| *name != "stage");
            let pairs: Vec<String> = others.map(|(name, value)| format!("&{name}={}", value.as_str().unwrap_or_default())).collect();
            let to = set["stage"].as_str().unwrap_or("lost");
            let pipeline = if deal["kind"] == "care" { "care" } else { "sales" };
            let body = format!("_version={}&_pipeline={pipeline}&_to={to}{}", deal["version"], pairs.concat());
            let answer = form(format!("/records/deal/{id}/move"), body).send().await;
            (!answer.header("location").contains("done=moved")).then(|| answer.text())
        }
        "button" => refused(app.post(&format!("{path}/actions/push"), set.clone()).await),
        "automation" => {
            let mut wish = set.clone();
            wish["deal"] = id.into();
            app.create_id("wish", wish).await;
            app.workspace.runner.run_until_idle().await.expect("jobs run");
            let runs = app.get("/api/v1/runs?automation=shop.fulfil&limit=1").await.expect_status(200).json();
            let run = &runs["data"][0];
            (run["state"] != "done").then(|| run["reason"].as_str().unwrap_or_default().to_owned())
        }
        "merge" => {
            // The program itself may make one that stands where nobody could bring it.
            let records = &app.workspace.records;
            let catalog = records.catalog();
            let deals = catalog.find_entity("deal")?;
            let mut twin = set.clone();
            twin["name"] = "Twin".into();
            let input = Input::from_json(&catalog, deals, &twin).expect("an input");
            let made = records.create(&Actor::system(), &catalog, deals.ix, input, WriteOptions::from(Source::System)).await.expect("made");
            let twin = made.id.display(&deals.prefix);
            let take: serde_json::Map<String, Value> = set.as_object()?.keys().map(|name| (name.clone(), twin.clone().into())).collect();
            refused(app.post(&format!("{path}/merge"), json!({ "from": [twin], "take": take })).await)
        }
        "convert" => {
            // The deal itself is marked with what was wished for.
            let mut wish = set.clone();
            wish["deal"] = app.create_id("deal", json!({ "name": "Another" })).await.into();
            let wished = app.create_id("wish", wish).await;
            app.patch(&path, json!({ "wish": wished })).await.expect_status(200);
            refused(app.post(&format!("{path}/convert"), json!({})).await)
        }
        other => panic!("no door {other}"),
    }
}
