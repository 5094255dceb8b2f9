//! The pages of pools, as a browser without scripts uses them.

use axum::http::Method;
use serde_json::json;

use super::world::World;
use crate::access::world::get;
use crate::support::Answer;

async fn post(world: &World, token: &str, path: &str, body: &str) -> Answer {
    let ask = world.app.request(Method::POST, path).token(token).header("content-type", "application/x-www-form-urlencoded");
    ask.text(body.to_owned()).send().await
}

#[tokio::test]
async fn somebody_finds_claims_and_gives_back() {
    let world = World::new().await;
    let (ulm, bonn) = (
        world.lead(json!({ "name": "Anna", "city": "Ulm", "phone": "98765" })).await,
        world.lead(json!({ "name": "Bert", "city": "Bonn" })).await,
    );
    let home = get(&world.app, &world.rep, "/").await.text();
    assert!(home.contains("href=\"/pools\""), "the pools are in the sidebar");
    let list = get(&world.app, &world.rep, "/pools").await.expect_status(200).text();
    assert!(list.contains("Open leads") && list.contains("You hold 0 of 2") && !list.contains("Large leads"), "{list}");
    let page = get(&world.app, &world.rep, "/pools/lead/public").await.expect_status(200).text();
    assert!(page.contains("Anna") && page.contains("Bert") && !page.contains("98765") && page.contains("without activity"), "{page}");
    let found = get(&world.app, &world.rep, "/pools/lead/public?q=ulm&f-kind=open&sort=-name").await.expect_status(200).text();
    assert!(found.contains("Anna") && !found.contains("Bert"));
    let odd = get(&world.app, &world.rep, "/pools/lead/public?q=%27%29+or+1%3D1&sort=phone&f-kind=zzz&cursor=x").await;
    assert!(!odd.status.is_server_error());
    let claimed = post(&world, &world.rep.token, "/pools/lead/public/claim", &format!("record={ulm}")).await.expect_status(303);
    assert!(claimed.header("location").starts_with(&format!("/records/lead/{ulm}")));
    let record = get(&world.app, &world.rep, &format!("/records/lead/{ulm}?done=claimed")).await.expect_status(200).text();
    assert!(record.contains("This record is yours now.") && record.contains("Give back") && record.contains("98765"), "{record}");
    let both =
        post(&world, &world.rep.token, "/pools/lead/public/claim", &format!("record={ulm}&record={bonn}")).await.expect_status(200).text();
    assert!(both.contains("One record is yours now.") && both.contains("somebody else was faster"), "{both}");
    let none = post(&world, &world.rep.token, "/pools/lead/public/claim", "").await.expect_status(422).text();
    assert!(none.contains("Choose 1 to 100 records"));
    let held = get(&world.app, &world.rep, "/pools/lead/public?show=held").await.expect_status(200).text();
    assert!(held.contains("Anna") && held.contains("Bert") && held.contains("You hold 2 of 2"));
    let bare = post(&world, &world.rep.token, &format!("/records/lead/{ulm}/return"), "reason=").await.expect_status(422).text();
    assert!(bare.contains("Say why it is given back"), "{bare}");
    post(&world, &world.rep.token, &format!("/records/lead/{ulm}/return"), "reason=Busy").await.expect_status(303);
    let shown = get(&world.app, &world.chief, &format!("/records/lead/{ulm}")).await.expect_status(200).text();
    assert!(shown.contains("Nobody holds this now.") && shown.contains("Busy"), "{shown}");
}

#[tokio::test]
async fn only_managers_are_offered_handing_out() {
    let world = World::new().await;
    world.lead(json!({ "name": "Anna" })).await;
    let page = get(&world.app, &world.rep, "/pools/lead/public").await.text();
    assert!(page.contains("Anna") && !page.contains("Hand out"));
    let refused = post(&world, &world.rep.token, "/pools/lead/public/hand-out", "most=1").await.expect_status(422).text();
    assert!(refused.contains("only a manager hands out"), "{refused}");
    assert!(get(&world.app, &world.chief, "/pools/lead/public").await.text().contains("Hand out"));
    let given = post(&world, &world.chief.token, "/pools/lead/public/hand-out", "most=5").await.expect_status(200).text();
    assert!(given.contains("One record was handed out."), "{given}");
    let odd = post(&world, &world.chief.token, "/pools/lead/public/hand-out", "most=x").await.expect_status(422).text();
    assert!(odd.contains("Give a number from 1 to 1,000"), "{odd}");
    let home = get(&world.app, &crate::access::world::person(&world.app, "stranger", &["stranger"], json!({})).await, "/").await.text();
    assert!(!home.contains("href=\"/pools\""));
}
