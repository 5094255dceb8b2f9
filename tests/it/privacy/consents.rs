//! Consents of people: what is refused, where they stand, and that they can be asked for.

use serde_json::json;

use crate::support::TestApp;

#[tokio::test]
async fn consents_have_a_purpose_and_a_source_and_are_withdrawn_not_lost() {
    let app = TestApp::shipped("crm").await;
    let contact = json!({"name": {"given": "Ada", "family": "W"}, "email": "ada@example.org"});
    let ada = app.create_id("contact", contact).await;
    let bob = app.create_id("contact", json!({"name": {"given": "Bob"}, "email": "bob@example.org"})).await;
    for bad in [
        json!({"contact": ada, "source": "paper"}),
        json!({"contact": ada, "purpose": "newsletter"}),
        json!({"contact": ada, "purpose": "everything", "source": "paper"}),
        json!({"contact": ada, "purpose": "newsletter", "source": "paper", "withdrawn_on": "2020-01-01"}),
    ] {
        app.post("/api/v1/records/consent", bad).await.expect_problem(422, "REC010");
    }
    let given = app.create("consent", json!({"contact": ada, "purpose": "newsletter", "source": "web_form"})).await;
    assert_eq!((&given["given_on"], &given["valid"]), (&json!("2026-11-21"), &json!(true)));
    app.create("consent", json!({"contact": bob, "purpose": "newsletter", "source": "paper", "valid_until": "2026-11-20"})).await;
    let agreed = "/api/v1/records/contact?select=id&filter=exists(consents%20where%20purpose%20%3D%20'newsletter'%20and%20valid)";
    let found = app.get(agreed).await.expect_status(200).json();
    assert_eq!(found["data"], json!([{"id": ada}]), "what has run out is no consent");
    let page = app.get(&format!("/records/contact/{ada}?tab=consents")).await.expect_status(200).text();
    assert!(page.contains("Consents") && page.contains("Newsletter"), "{page}");

    let path = format!("/api/v1/records/consent/{}", given["id"].as_str().expect("an id"));
    assert_eq!(app.patch(&path, json!({"withdrawn_on": "2026-11-21"})).await.expect_status(200).json()["valid"], false);
    assert_eq!(app.get(agreed).await.expect_status(200).json()["data"], json!([]));
    let history = app.get(&format!("{path}/history")).await.expect_status(200).json();
    assert_eq!(history["data"][0]["changes"][0]["new"], "2026-11-21");
    // That it was given outlives the erasure of whom it is of.
    app.post(&format!("/api/v1/records/contact/{ada}/erase"), json!({})).await.expect_status(200);
    assert_eq!(app.get(&path).await.expect_status(200).json()["purpose"], "newsletter");
}
