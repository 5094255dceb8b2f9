//! Leads of the package `crm`, by those who sell.

use axum::http::Method;
use serde_json::json;

use super::world::{path, record, told};
use crate::access::world::{get, person, send};
use crate::support::TestApp;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sales_representative_converts_a_lead() {
    let app = TestApp::shipped("crm").await;
    let rep = person(&app, "rep", &["sales_rep"], json!({})).await;
    let make = async |entity: &str, values| {
        let made = send(&app, &rep, Method::POST, &format!("/api/v1/records/{entity}"), &values).await.expect_status(201).json();
        made["id"].as_str().expect("an id").to_owned()
    };
    let one = async |entity: &str, id: &str| get(&app, &rep, &format!("/api/v1/records/{entity}/{id}")).await.expect_status(200).json();
    let lead =
        make("lead", json!({"name": "Ada Lovelace", "company": "Engines & Co", "email": "ada@example.com", "expected": "11000"})).await;
    let task = make("task", json!({"subject": "Call", "about": lead})).await;
    let consent = make("consent", json!({"purpose": "contact", "source": "phone", "lead": lead})).await;
    let address = format!("/api/v1/records/lead/{lead}");
    // By hand it is not said.
    let by_hand = send(&app, &rep, Method::PATCH, &address, &json!({"status": "converted"})).await.expect_problem(422, "REC010");
    assert_eq!(told(&by_hand), [("/status".to_owned(), "convert_it".to_owned())]);
    let done = send(&app, &rep, Method::POST, &path(&lead), &json!({})).await.expect_status(200).json();
    assert_eq!(done["carried"], 2, "{done:#}");
    let (account, contact, deal) = (record(&done, "account"), record(&done, "contact"), record(&done, "deal"));
    assert_eq!(one("account", &account).await["name"], "Engines & Co");
    assert_eq!(one("contact", &contact).await["account"], account.as_str());
    let made = get(&app, &rep, &format!("/api/v1/records/deal/{deal}?select=*,contacts(id)")).await.expect_status(200).json();
    assert_eq!((&made["stage"], &made["account"], &made["origin"]), (&json!("new"), &json!(account), &json!(lead)), "{made:#}");
    assert_eq!((&made["amount"]["amount"], &made["contacts"]), (&json!("11000.00"), &json!([{ "id": contact }])), "{made:#}");
    assert_eq!(one("task", &task).await["about"], deal.as_str());
    assert_eq!(one("consent", &consent).await["contact"], contact.as_str());
    let now = one("lead", &lead).await;
    assert_eq!((&now["status"], &now["deal"]), (&json!("converted"), &json!(deal)), "{now:#}");
    send(&app, &rep, Method::PATCH, &address, &json!({"score": 5})).await.expect_problem(422, "REC010");
    // The next lead of that company is asked about it.
    let next =
        make("lead", json!({"name": "Charles Babbage", "company": "ENGINES and Co.", "email": "c@example.com", "expected": "5"})).await;
    let problem = send(&app, &rep, Method::POST, &path(&next), &json!({})).await.expect_problem(409, "REC014");
    assert_eq!(problem["duplicates"][0]["records"][0]["id"], account.as_str(), "{problem:#}");
    let chosen = json!({"targets": {"account": {"use": account}, "deal": null}});
    let done = send(&app, &rep, Method::POST, &path(&next), &chosen).await.expect_status(200).json();
    assert_eq!((record(&done, "account"), done["targets"].as_array().map(Vec::len)), (account, Some(2)));
}
