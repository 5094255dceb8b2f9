//! Rights from rows that name somebody: the team of a deal, as the package `crm` has it.

use axum::http::Method;
use serde_json::json;

use super::world::{get, person, send};
use crate::support::TestApp;

#[tokio::test]
async fn who_works_on_a_deal_sees_it_and_changes_it_where_the_team_says_so() {
    let app = TestApp::shipped("crm").await;
    let seller = person(&app, "seller", &["sales_rep"], json!({})).await;
    let helper = person(&app, "helper", &["sales_rep"], json!({})).await;
    let other = person(&app, "other", &["sales_rep"], json!({})).await;
    let account = app.create_id("account", json!({"name": "Acme"})).await;
    let deal = |name: &str| json!({"name": name, "account": account, "owner": seller.id, "amount": {"amount": "10.00", "currency": "USD"}, "stage": "new"});
    let (one, two) = (app.create_id("deal", deal("One")).await, app.create_id("deal", deal("Two")).await);
    let path = format!("/api/v1/records/deal/{one}");
    let name = json!({"next_step": "Call"});
    let ids = async |who| {
        let rows = get(&app, who, "/api/v1/records/deal?select=id&count=exact").await.expect_status(200).json();
        let sorted = get(&app, who, "/api/v1/records/deal?select=id&sort=name").await.expect_status(200).json();
        assert_eq!(rows["total"]["value"].as_u64(), sorted["data"].as_array().map(|rows| rows.len() as u64));
        rows["data"].as_array().expect("rows").iter().map(|row| row["id"].as_str().expect("an id").to_owned()).collect::<Vec<_>>()
    };
    get(&app, &helper, &path).await.expect_problem(404, "REC002");
    assert!(ids(&helper).await.is_empty());
    // Nobody makes themselves part of a deal they may not change.
    let member = |who: &str, edits: bool| json!({"deal": one, "person": who, "part": "presales", "may_edit": edits});
    let joined = send(&app, &helper, Method::POST, "/api/v1/records/deal_member", &member(&helper.id, true)).await;
    assert!(joined.status.is_client_error(), "{}", joined.text());
    let made = send(&app, &seller, Method::POST, "/api/v1/records/deal_member", &member(&helper.id, false)).await.expect_status(201).json();
    assert_eq!(ids(&helper).await, std::slice::from_ref(&one));
    assert!(ids(&other).await.is_empty());
    send(&app, &helper, Method::PATCH, &path, &name).await.expect_problem(403, "ACL005");
    let row = format!("/api/v1/records/deal_member/{}", made["id"].as_str().expect("an id"));
    send(&app, &helper, Method::PATCH, &row, &json!({"may_edit": true})).await.expect_problem(403, "ACL005");
    send(&app, &seller, Method::PATCH, &row, &json!({"may_edit": true})).await.expect_status(200);
    send(&app, &helper, Method::PATCH, &path, &name).await.expect_status(200);
    send(&app, &helper, Method::DELETE, &path, &json!({})).await.expect_problem(403, "ACL005");
    send(&app, &seller, Method::DELETE, &row, &json!({})).await.expect_status(204);
    get(&app, &helper, &path).await.expect_problem(404, "REC002");
    assert_eq!(ids(&seller).await.len(), 2);
    assert!(ids(&seller).await.contains(&two));
}
