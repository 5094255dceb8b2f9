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

#[tokio::test]
async fn nobody_gives_themselves_rights_with_the_row_that_says_so() {
    let app = TestApp::shipped("crm").await;
    let team = app.create_id("team", json!({"name": "North"})).await;
    let seller = person(&app, "seller", &["sales_rep"], json!({"team": team})).await;
    let mate = person(&app, "mate", &["sales_rep"], json!({"team": team})).await;
    let account = app.create_id("account", json!({"name": "Acme"})).await;
    let amount = json!({"amount": "10.00", "currency": "USD"});
    let deal = |owner: &str| json!({"name": "One", "account": account, "owner": owner, "amount": amount});
    let (theirs, own) = (app.create_id("deal", deal(&seller.id)).await, app.create_id("deal", deal(&mate.id)).await);
    let product = app.create_id("product", json!({"name": "Bolt", "code": "B", "price": "1.00"})).await;
    // Seen, since it is of their team, and not theirs to change: also not by a row that would make it so.
    let row = |deal: &str| json!({"deal": deal, "person": mate.id, "part": "sales", "may_edit": true});
    let members = "/api/v1/records/deal_member";
    send(&app, &mate, Method::POST, members, &row(&theirs)).await.expect_problem(403, "ACL005");
    let many = json!({"operations": [{"op": "create", "entity": "deal_member", "values": row(&theirs)}]});
    assert!(send(&app, &mate, Method::POST, "/api/v1/batch", &many).await.status.is_client_error());
    // Nor by one that is made elsewhere and moved there, whatever kind of row it is.
    let made = send(&app, &mate, Method::POST, members, &row(&own)).await.expect_status(201).json();
    let one = format!("{members}/{}", made["id"].as_str().expect("an id"));
    send(&app, &mate, Method::PATCH, &one, &json!({"deal": theirs})).await.expect_problem(403, "ACL005");
    let line = json!({"deal": own, "product": product, "price": "1.00"});
    let made = send(&app, &mate, Method::POST, "/api/v1/records/deal_line", &line).await.expect_status(201).json();
    let line = format!("/api/v1/records/deal_line/{}", made["id"].as_str().expect("an id"));
    send(&app, &mate, Method::PATCH, &line, &json!({"deal": theirs})).await.expect_problem(403, "ACL005");
    send(&app, &mate, Method::PATCH, &line, &json!({"deal": own, "quantity": "2"})).await.expect_status(200);
    // With the deal itself they come along, and who may change it adds them.
    let mut new = deal(&mate.id);
    new["members"] = json!([{"person": seller.id, "part": "sales"}]);
    send(&app, &mate, Method::POST, "/api/v1/records/deal", &new).await.expect_status(201);
    send(&app, &seller, Method::POST, members, &row(&theirs)).await.expect_status(201);
    send(&app, &mate, Method::PATCH, &line, &json!({"deal": theirs})).await.expect_status(200);
}
