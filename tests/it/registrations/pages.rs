//! The pages of registrations, as a browser without scripts uses them.

use axum::http::Method;

use super::world::World;
use crate::access::world::{Person, get};
use crate::support::Answer;

async fn post(world: &World, who: &Person, path: &str, body: &str) -> Answer {
    let ask = world.app.request(Method::POST, path).token(&who.token).header("content-type", "application/x-www-form-urlencoded");
    ask.text(body.to_owned()).send().await
}

#[tokio::test]
async fn somebody_files_and_an_arbiter_decides() {
    let world = World::new().await;
    let (first, second) = (world.project(&world.one, "Acme").await, world.project(&world.two, "Acme").await);
    let page = get(&world.app, &world.one, &format!("/records/project/{first}")).await.expect_status(200).text();
    assert!(
        page.contains("Register: Project") && page.contains("For 90 days nobody else") && page.contains("href=\"/registrations\""),
        "{page}"
    );
    let filed = post(&world, &world.one, &format!("/records/project/{first}/registrations"), "registration=project&comment=Fair").await;
    assert!(filed.expect_status(303).header("location").contains("done=registration-protected"));
    let again = post(&world, &world.one, &format!("/records/project/{first}/registrations"), "registration=project")
        .await
        .expect_status(422)
        .text();
    assert!(again.contains("is filed for this record already"), "{again}");
    let met =
        post(&world, &world.two, &format!("/records/project/{second}/registrations"), "registration=project").await.expect_status(303);
    assert!(met.header("location").contains("done=registration-contested"));
    let mine = get(&world.app, &world.two, "/registrations").await.expect_status(200).text();
    assert!(mine.contains("To be decided") && mine.contains("not shown to you") && !mine.contains("Fair"), "{mine}");
    let inbox = get(&world.app, &world.judge, "/registrations?show=contested").await.expect_status(200).text();
    assert!(inbox.contains("Grant, and end the other claims") && inbox.contains("Filed by one"), "{inbox}");
    let id = inbox.split("id=\"claim-").nth(1).and_then(|rest| rest.split('"').next()).expect("a claim").to_owned();
    let bare = post(&world, &world.judge, &format!("/registrations/{id}/decide"), "_do=grant&reason=").await.expect_status(422).text();
    assert!(bare.contains("Say why."), "{bare}");
    let decided = post(&world, &world.judge, &format!("/registrations/{id}/decide"), "_do=grant&reason=Earlier").await.expect_status(303);
    assert!(decided.header("location").contains("done=registration-decided"));
    let lost = get(&world.app, &world.one, "/registrations").await.expect_status(200).text();
    assert!(lost.contains("Taken away") && lost.contains("Earlier"), "{lost}");
    post(&world, &world.two, &format!("/registrations/{id}/extend"), "").await.expect_status(303);
    let shown =
        get(&world.app, &world.two, &format!("/records/project/{second}?done=registration-extended")).await.expect_status(200).text();
    assert!(shown.contains("extended once") && shown.contains("The protection was extended."), "{shown}");
    post(&world, &world.two, &format!("/registrations/{id}/withdraw"), "").await.expect_status(303);
    for path in [format!("/registrations/{id}/other"), "/registrations/x/extend".to_owned(), "/registrations/1/extend".to_owned()] {
        assert_eq!(post(&world, &world.two, &path, "").await.status, 404, "{path}");
    }
}
