//! The page of the definitions: what the files would change and for whom, applied with what was accepted, versions.

use axum::http::Method;
use serde_json::json;

use super::world::{World, get};
use crate::identity::{PASSWORD, sign_in};
use relata::auth::NewUser;

const REP: &str = "definitions/sales/roles/rep.yaml";

/// Writes another text into a file of the workspace.
fn change(world: &World, path: &str, from: &str, to: &str) {
    let file = world.app.workspace.folders.resolve(path);
    let text = std::fs::read_to_string(&file).expect("the file");
    assert!(text.contains(from), "{path}: {from}");
    std::fs::write(file, text.replace(from, to)).expect("written");
}

#[tokio::test]
async fn administrators_see_whom_a_change_concerns_and_apply_it_with_what_they_accept() {
    let world = World::new().await;
    for name in ["a", "b", "c"] {
        world.deal(&world.stranger, json!({"name": name})).await;
    }
    let app = &world.app;
    get(app, &world.rep, "/definitions").await.expect_status(403);
    let ask = |path: &str| app.request(Method::GET, path);
    let page = app.get("/definitions").await.expect_status(200).text();
    assert!(page.contains("Nothing: the definitions in force") && page.contains("in force"), "{page}");
    change(&world, REP, "rows: \"owner = me() or owner.team in my_teams()\"", "rows: \"owner is not null\"");
    let page = app.get("/definitions").await.expect_status(200).text();
    assert!(page.contains("3 people") && page.contains("Read: 3 records of Deal") && page.contains("widens access"), "{page}");
    for (locale, words) in [("zh-CN", "扩大权限"), ("zh-TW", "擴大權限")] {
        let page = ask("/definitions").header("accept-language", locale).send().await.text();
        assert!(page.contains(words) || page.contains("widens access"), "{locale}: {page}");
    }
    let field = |name: &str| {
        let rest = page.split(&format!("name=\"{name}\" value=\"")).nth(1).unwrap_or_else(|| panic!("{name}: {page}"));
        rest.split('"').next().unwrap_or("").replace("&#x2f;", "/")
    };
    let (plan, accept) = (field("plan"), field("accept"));
    let form = "application/x-www-form-urlencoded";
    let post = async |body: String| app.request(Method::POST, "/definitions/apply").header("content-type", form).text(body).send().await;
    let rep = app.request(Method::POST, "/definitions/apply").token(&world.rep.token).header("content-type", form);
    rep.text(format!("plan={plan}")).send().await.expect_status(403);
    assert!(post(format!("plan={plan}")).await.expect_status(422).text().contains("Not everything"));
    let stale = post(format!("plan=p_000000000000&accept={accept}")).await.expect_status(409).text();
    assert!(stale.contains("have changed meanwhile"), "{stale}");
    post(String::new()).await.expect_status(422);
    assert_eq!(world.ids(&world.rep, "deal").await.len(), 0);
    post(format!("plan={plan}&accept={accept}")).await.expect_status(303);
    assert_eq!(world.ids(&world.rep, "deal").await.len(), 3);
    let page = app.get("/definitions?done=applied").await.expect_status(200).text();
    assert!(page.contains("The definitions are in force.") && page.contains("Nothing: "), "{page}");
    // Files with faults: told with their places, and nothing is offered.
    change(&world, REP, "owner is not null", "ownr is not null");
    let page = app.get("/definitions").await.expect_status(200).text().replace("&#x2f;", "/");
    assert!(page.contains("rep.yaml:") && page.contains("ownr") && !page.contains("name=\"plan\""), "{page}");
}

#[tokio::test]
async fn applying_wants_the_password_again_after_a_while() {
    let world = World::new().await;
    let app = &world.app;
    let email = "second.admin@example.com".to_owned();
    let new = NewUser { name: "Second".into(), email: email.clone(), password: PASSWORD.into(), locale: None, admin: true };
    app.workspace.auth.create_user(new).await.expect("made");
    let cookie = sign_in(app, &email).await;
    app.clock.advance_ms(11 * 60 * 1000);
    change(&world, REP, "delete: \"owner = me() and stage = 'new'\"", "delete: false");
    let page = app.request(Method::GET, "/definitions").session(&cookie).send().await.expect_status(200).text();
    assert!(page.contains("name=\"_password\""), "{page}");
    let plan = page.split("name=\"plan\" value=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a plan").to_owned();
    let post = async |body: String| {
        let ask = app.request(Method::POST, "/definitions/apply").session(&cookie).header("origin", "http://localhost:8080");
        ask.header("content-type", "application/x-www-form-urlencoded").text(body).send().await
    };
    post(format!("plan={plan}")).await.expect_status(422);
    post(format!("plan={plan}&_password=wrong")).await.expect_status(422);
    let before = app.workspace.catalog.load().version;
    post(format!("plan={plan}&_password={}", PASSWORD.replace(' ', "+"))).await.expect_status(303);
    assert_eq!(app.workspace.catalog.load().version, before + 1);
}
