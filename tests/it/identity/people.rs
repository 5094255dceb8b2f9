//! Invitations work once and for a week; who leaves is out at once and hands their records over.

use axum::http::Method;
use relata::access::Actor;
use relata::auth::{AuthError, Caller, Invitation};
use serde_json::json;

use super::{PASSWORD, new_cookie, post_form, sign_in, signed_in};
use crate::support::TestApp;

fn link_of(page: &str) -> String {
    let link = page.split("id=\"new-link\">").nth(1).unwrap_or_else(|| panic!("no link in {page}"));
    let link = link.split('<').next().unwrap_or_default();
    link.split("token=").nth(1).unwrap_or_default().to_owned()
}

#[tokio::test]
async fn an_invitation_gives_an_account_with_its_roles_once() {
    let app = TestApp::crm().await;
    let admin = signed_in(&app, "bo@example.com", true).await;
    let eve = signed_in(&app, "eve@example.com", false).await;
    post_form(&app, &eve, "/people/invite", "email=a%40b.example").await.expect_status(403);
    app.request(Method::GET, "/people").session(&eve).send().await.expect_status(403);
    post_form(&app, &admin, "/people/invite", "email=nobody").await.expect_status(422);
    post_form(&app, &admin, "/people/invite", "email=a%40b.example&role=boss").await.expect_status(422);
    let first = link_of(&post_form(&app, &admin, "/people/invite", "email=New%40b.example&role=admin").await.expect_status(200).text());
    let page = app.request(Method::GET, "/people").session(&admin).send().await.expect_status(200).text();
    assert!(page.contains("new@b.example") && page.contains("invited") && !page.contains(&first), "{page}");
    let second = link_of(&post_form(&app, &admin, "/people/invite", "email=new%40b.example").await.expect_status(200).text());
    let look = |token: &str| app.request(Method::GET, &format!("/invitation?token={token}")).anonymous();
    assert!(look(&first).send().await.expect_status(200).text().contains("not valid"));
    assert!(look(&second).send().await.expect_status(200).text().contains("new@b.example"));
    let accept = |token: &str, password: &str| format!("token={token}&password={password}");
    post_form(&app, "x=y", "/invitation", &accept(&second, "short")).await.expect_status(422);
    let done = post_form(&app, "x=y", "/invitation", &accept(&second, "correct+horse+battery")).await.expect_status(303);
    let cookie = new_cookie(&done);
    app.request(Method::GET, "/people").session(&cookie).send().await.expect_status(200);
    post_form(&app, "x=y", "/invitation", &accept(&second, "another+long+sentence")).await.expect_status(422);
    app.workspace.auth.sign_in("new@b.example", PASSWORD, "192.0.2.1".parse().expect("an address")).await.expect("in");
    let again = app.workspace.auth.invite(&Actor::system(), invitation("new@b.example")).await;
    assert!(matches!(again, Err(AuthError::CannotInvite)));
    let late = app.workspace.auth.invite(&Actor::system(), invitation("late@b.example")).await.expect("invited");
    app.clock.advance_ms(7 * 24 * 3600 * 1000 + 1);
    let token = late.path.split("token=").nth(1).expect("a token").to_owned();
    let from: Caller = "192.0.2.1".parse::<std::net::IpAddr>().expect("an address").into();
    let over = app.workspace.auth.accept_invitation(&token, PASSWORD, &from).await;
    assert!(matches!(over, Err(AuthError::BadLink)));
}

fn invitation(email: &str) -> Invitation {
    Invitation { name: String::new(), email: email.to_owned(), roles: vec!["user".to_owned()] }
}

#[tokio::test]
async fn who_leaves_is_out_at_once_and_their_records_go_to_someone_else() {
    let app = TestApp::crm().await;
    let admin = signed_in(&app, "bo@example.com", true).await;
    let eve = signed_in(&app, "eve@example.com", false).await;
    let id = |email: &str| {
        let path = format!("/api/v1/records/user?filter=email%20%3D%20%27{}%27", email.replace('@', "%40"));
        let app = &app;
        async move { app.get(&path).await.json()["data"][0]["id"].as_str().expect("an id").to_owned() }
    };
    let (bo, eve_id) = (id("bo@example.com").await, id("eve@example.com").await);
    let account = app.create_id("account", json!({ "name": "Acme", "owner": eve_id })).await;
    for number in 0..450 {
        app.create("deal", json!({ "name": format!("D{number}"), "account": account, "owner": eve_id })).await;
    }
    let task = app.create_id("task", json!({ "subject": "Call", "assignee": eve_id, "owner": bo })).await;
    let person = format!("/people/{eve_id}");
    let page = app.request(Method::GET, &person).session(&admin).send().await.expect_status(200).text();
    assert!(page.contains("<td>450</td>") && page.contains("<td>1</td>"), "{page}");
    app.request(Method::GET, &person).session(&eve).send().await.expect_status(403);
    let leave = format!("{person}/deactivate");
    post_form(&app, &admin, &leave, &format!("heir={eve_id}")).await.expect_status(422);
    post_form(&app, &eve, &leave, "").await.expect_status(403);
    app.request(Method::GET, "/api/v1/records/deal").session(&eve).send().await.expect_status(200);
    let done = post_form(&app, &admin, &leave, &format!("heir={bo}")).await.expect_status(303);
    assert!(done.header("location").ends_with("done=person-inactive&moved=452&left=0"), "{}", done.header("location"));
    app.request(Method::GET, "/api/v1/records/deal").session(&eve).send().await.expect_status(401);
    let path = format!("/api/v1/records/deal?filter=owner%20%3D%20%27{eve_id}%27");
    assert_eq!(app.get(&path).await.json()["data"], json!([]));
    assert_eq!(app.get(&format!("/api/v1/records/task/{task}")).await.json()["assignee"], json!(bo));
    post_form(&app, &admin, &leave, &format!("heir={eve_id}")).await.expect_status(422);
    post_form(&app, &admin, &format!("{person}/reactivate"), "").await.expect_status(303);
    app.request(Method::GET, "/api/v1/records/deal").session(&eve).send().await.expect_status(401);
    let back = sign_in(&app, "eve@example.com").await;
    app.request(Method::GET, "/api/v1/records/deal").session(&back).send().await.expect_status(200);
    post_form(&app, &admin, &format!("{person}/end-sessions"), "").await.expect_status(303);
    app.request(Method::GET, "/api/v1/records/deal").session(&back).send().await.expect_status(401);
    post_form(&app, &admin, &format!("{person}/nothing"), "").await.expect_status(404);
    app.clock.advance_ms(11 * 60 * 1000);
    let asked = post_form(&app, &admin, &leave, "").await.expect_status(422).text();
    assert!(asked.contains("Give your password"), "{asked}");
}

#[tokio::test]
async fn people_are_invited_shut_out_and_let_in_over_the_api() {
    let app = TestApp::crm().await;
    let admin = signed_in(&app, "bo@example.com", true).await;
    let eve = signed_in(&app, "eve@example.com", false).await;
    let post = |cookie: &str, path: &str, body: serde_json::Value| {
        app.request(Method::POST, path).session(cookie).json(&body).header("origin", "http://localhost:8080")
    };
    let invite = "/api/v1/people/invite";
    let guest = json!({ "email": "New@b.example", "roles": ["user"] });
    post(&eve, invite, guest.clone()).send().await.expect_problem(403, "ACL002");
    app.request(Method::GET, "/api/v1/people").session(&eve).send().await.expect_problem(403, "ACL002");
    for (body, code) in [
        (json!({}), "WEB422"),
        (json!({ "email": 1 }), "WEB422"),
        (json!({ "email": "a@b.example", "role": "user" }), "WEB422"),
        (json!({ "email": "a@b.example", "roles": ["boss"] }), "ATH013"),
        (json!({ "email": "nobody" }), "REC010"),
        (json!({ "email": "eve@example.com" }), "ATH014"),
    ] {
        post(&admin, invite, body).send().await.expect_problem(422, code);
    }
    let made = post(&admin, invite, guest).send().await.expect_status(201);
    assert_eq!(made.header("cache-control"), "no-store");
    let made = made.json();
    let person = format!("/api/v1/people/{}", made["id"].as_str().expect("an id"));
    let again = post(&admin, &format!("{person}/invite"), json!({})).send().await.expect_status(200).json();
    let token_of = |link: &serde_json::Value| link.as_str().and_then(|link| link.split("token=").nth(1)).expect("a token").to_owned();
    let from: Caller = "192.0.2.1".parse::<std::net::IpAddr>().expect("an address").into();
    let auth = &app.workspace.auth;
    auth.accept_invitation(&token_of(&made["link"]), PASSWORD, &from).await.err().expect("the first link has ended");
    let start = auth.accept_invitation(&token_of(&again["link"]), PASSWORD, &from).await.expect("signed in");
    let guest = format!("relata={}", start.cookie);
    let listed = app.request(Method::GET, "/api/v1/people").session(&admin).send().await.expect_status(200).json();
    let row = listed["data"].as_array().into_iter().flatten().find(|row| row["id"] == made["id"]).expect("listed").clone();
    assert_eq!(
        (&row["email"], &row["roles"], &row["has_password"], &row["sessions"]),
        (&json!("new@b.example"), &json!(["user"]), &json!(true), &json!(1))
    );

    let account = post(&guest, "/api/v1/records/account", json!({ "name": "Theirs" })).send().await.expect_status(201).json();
    let held = app.request(Method::GET, &format!("{person}/records")).session(&admin).send().await.expect_status(200).json();
    assert_eq!(held["data"], json!([{ "entity": "account", "field": "owner", "count": 1 }]));
    let out = format!("{person}/deactivate");
    post(&eve, &out, json!({})).send().await.expect_problem(403, "ACL002");
    post(&admin, &out, json!({ "heir": "account_x" })).send().await.expect_problem(422, "WEB422");
    post(&admin, &out, json!({ "heir": made["id"] })).send().await.expect_problem(422, "ATH015");
    post(&admin, "/api/v1/people/user_0000000000001/deactivate", json!({})).send().await.expect_status(404);
    let bo = listed["data"].as_array().into_iter().flatten().find(|row| row["email"] == "bo@example.com").expect("listed")["id"].clone();
    let done = post(&admin, &out, json!({ "heir": bo })).send().await.expect_status(200).json();
    assert_eq!(done, json!({ "moved": 1, "left": 0 }));
    app.request(Method::GET, "/api/v1/records/account").session(&guest).send().await.expect_status(401);
    let path = format!("/api/v1/records/account/{}", account["id"].as_str().expect("an id"));
    assert_eq!(app.get(&path).await.expect_status(200).json()["owner"], bo);
    post(&admin, &format!("{person}/invite"), json!({})).send().await.expect_problem(422, "ATH014");
    post(&admin, &format!("{person}/reactivate"), json!({})).send().await.expect_status(204);
    app.request(Method::GET, "/api/v1/records/account").session(&guest).send().await.expect_status(401);
    sign_in(&app, "new@b.example").await;
    let end = app.request(Method::DELETE, &format!("{person}/sessions")).session(&admin).header("origin", "http://localhost:8080");
    end.send().await.expect_status(204);
    let listed = app.request(Method::GET, "/api/v1/people").session(&admin).send().await.expect_status(200).json();
    let row = listed["data"].as_array().into_iter().flatten().find(|row| row["id"] == made["id"]).expect("listed").clone();
    assert_eq!(row["sessions"], 0);
    app.clock.advance_ms(11 * 60 * 1000);
    post(&admin, &out, json!({})).send().await.expect_problem(403, "ACL004");
}
