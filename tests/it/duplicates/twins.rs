//! Duplicates that are there already: found by a job, listed, told apart.

use axum::http::Method;
use serde_json::{Value, json};

use super::world::World;
use crate::access::world::{get, send};

const FIRMS: &str = "/api/v1/records/firm";
const TWINS: &str = "/api/v1/records/firm/duplicates";

impl World {
    async fn twin(&self, values: Value) -> String {
        let answer = self.app.request(Method::POST, FIRMS).header("prefer", "allow-duplicates").json(&values).send().await;
        answer.expect_status(201).json()["id"].as_str().expect("an id").to_owned()
    }

    async fn look(&self) {
        let begun = self.app.post(&format!("{TWINS}/look"), json!({})).await.expect_status(202).json();
        assert_eq!(begun["begun"], true, "{begun:#}");
        // One at a time.
        assert_eq!(self.app.post(&format!("{TWINS}/look"), json!({})).await.expect_status(202).json()["begun"], false);
        assert_eq!(self.app.get(TWINS).await.expect_status(200).json()["look"]["state"], "running");
        self.app.workspace.runner.run_until_idle().await.expect("jobs run");
        assert_eq!(self.app.get(TWINS).await.expect_status(200).json()["look"]["state"], "done");
    }
}

/// Groups by the ids of their records.
fn groups(answer: &Value) -> Vec<Vec<String>> {
    let ids = |group: &Value| {
        let records = group["records"].as_array().expect("records").iter();
        records.map(|one| one["id"].as_str().unwrap_or_default().to_owned()).collect()
    };
    answer["data"].as_array().expect("groups").iter().map(ids).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_look_finds_groups_likest_first_and_tells_them_in_pages() {
    let world = World::new().await;
    let nobody = world.app.get(TWINS).await.expect_status(200).json();
    assert_eq!((groups(&nobody).len(), &nobody["look"]), (0, &Value::Null));
    let mut same = Vec::new();
    for name in ["Acme", "Zeta", "Other"] {
        same.push(world.twin(json!({"name": name, "phone": "010-1234567"})).await);
    }
    let near = [
        world.twin(json!({"name": "Northwind Traders", "kind": "plain"})).await,
        world.twin(json!({"name": "Northwind Trader", "kind": "plain"})).await,
    ];
    // Numbers tell them apart.
    for number in 1..4 {
        world.twin(json!({"name": format!("Northwind {number}"), "kind": "plain"})).await;
    }
    world.look().await;
    let found = world.app.get(TWINS).await.expect_status(200).json();
    assert_eq!(groups(&found), [same.clone(), near.to_vec()], "{found:#}");
    assert_eq!((&found["data"][0]["likeness"], &found["data"][0]["rules"]), (&json!(100), &json!(["same_phone"])));
    assert_eq!((&found["data"][1]["rules"], &found["data"][0]["records"][1]["title"]), (&json!(["near_name"]), &json!("Zeta")));
    let first = world.app.get(&format!("{TWINS}?limit=1")).await.expect_status(200).json();
    assert_eq!((groups(&first).len(), &first["next_offset"]), (1, &json!(1)));
    let second = world.app.get(&format!("{TWINS}?limit=1&offset=1")).await.expect_status(200).json();
    assert_eq!((groups(&second), &second["next_offset"]), (vec![near.to_vec()], &Value::Null));
    // What was changed or deleted since is not told any more.
    world.app.patch(&format!("{FIRMS}/{}", near[1]), json!({"name": "Southwind"})).await.expect_status(200);
    world.app.delete(&format!("{FIRMS}/{}", same[0])).await.expect_status(204);
    let found = world.app.get(TWINS).await.expect_status(200).json();
    assert_eq!(groups(&found), [same[1..].to_vec()], "{found:#}");
    for bad in ["limit=0", "limit=101", "offset=-1", "offset=x", "more=1"] {
        assert_eq!(world.app.get(&format!("{TWINS}?{bad}")).await.status.as_u16(), 400, "{bad}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_told_of_what_they_may_not_read() {
    let world = World::new().await;
    let own = |name: &str| json!({"name": name, "phone": "010-1234567", "owner": world.clerk.id});
    let mine = [world.twin(own("A")).await, world.twin(own("B")).await];
    let hidden = world.twin(json!({"name": "Hidden", "phone": "010-1234567"})).await;
    world.look().await;
    let all = world.app.get(TWINS).await.expect_status(200).json();
    assert_eq!(groups(&all)[0].len(), 3);
    let told = get(&world.app, &world.clerk, TWINS).await.expect_status(200);
    assert!(!told.text().contains(&hidden), "{}", told.text());
    assert_eq!(groups(&told.json()), [mine.to_vec()]);
    // Who may not read what the rule compares is told of nothing it found.
    let told = get(&world.app, &world.blind, TWINS).await.expect_status(200).json();
    assert_eq!(groups(&told).len(), 0, "{told:#}");
    let apart = |ids: Value| json!({ "records": ids });
    let path = format!("{TWINS}/apart");
    send(&world.app, &world.clerk, Method::POST, &path, &apart(json!([mine[0], hidden]))).await.expect_problem(404, "REC002");
    send(&world.app, &world.clerk, Method::POST, &path, &apart(json!(mine))).await.expect_status(200);
    assert_eq!(groups(&get(&world.app, &world.clerk, TWINS).await.json()).len(), 0);
    // To somebody who sees the third one they still hang together.
    assert_eq!(groups(&world.app.get(TWINS).await.json())[0].len(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_the_same_is_not_asked_about_again() {
    let world = World::new().await;
    let one = world.twin(json!({"name": "Acme", "phone": "010-1234567"})).await;
    let other = world.twin(json!({"name": "Beta", "phone": "010-1234567"})).await;
    world.look().await;
    let path = format!("{TWINS}/apart");
    let edit = json!({"phone": "010 123 4567"});
    world.app.patch(&format!("{FIRMS}/{one}"), edit.clone()).await.expect_problem(409, "REC014");
    world.app.post(&path, json!({"records": [one, other]})).await.expect_status(200);
    assert_eq!(groups(&world.app.get(TWINS).await.json()).len(), 0);
    world.app.patch(&format!("{FIRMS}/{one}"), edit).await.expect_status(200);
    // A third one is.
    world.app.post(FIRMS, json!({"name": "Gamma", "phone": "010-1234567"})).await.expect_problem(409, "REC014");
    // What a rule refuses stays refused.
    world.app.patch(&format!("{FIRMS}/{one}"), json!({"city": "Basel"})).await.expect_status(200);
    world.app.patch(&format!("{FIRMS}/{other}"), json!({"name": "ACME Inc", "city": "Basel"})).await.expect_problem(409, "REC014");
    // Another look does not forget it; taking it back does.
    world.look().await;
    assert_eq!(groups(&world.app.get(TWINS).await.json()).len(), 0);
    world.app.post(&path, json!({"records": [one, other], "apart": false})).await.expect_status(200);
    assert_eq!(groups(&world.app.get(TWINS).await.json()), [[one.clone(), other.clone()]]);
    let bad = [
        json!([]),
        json!({}),
        json!({"records": [one]}),
        json!({"records": [one, one]}),
        json!({"records": [one, 7]}),
        json!({"records": [one, other], "apart": 1}),
        json!({"records": [one, other], "more": 1}),
    ];
    for body in bad {
        assert_eq!(world.app.post(&path, body.clone()).await.status.as_u16(), 422, "{body}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_lists_them_to_be_merged_or_told_apart() {
    let world = World::new().await;
    let one = world.twin(json!({"name": "Acme", "phone": "010-1234567"})).await;
    let other = world.twin(json!({"name": "Beta", "phone": "010-1234567"})).await;
    let page = "/records/firm/duplicates";
    assert!(world.app.get("/records/firm").await.text().replace("&#x2f;", "/").contains("href=\"/records/firm/duplicates\""));
    assert!(world.app.get(page).await.expect_status(200).text().contains("Nobody has looked through the records yet."));
    let post =
        |body: String| world.app.request(Method::POST, page).header("content-type", "application/x-www-form-urlencoded").text(body).send();
    assert_eq!(post("_do=look".to_owned()).await.status.as_u16(), 303);
    assert!(world.app.get(page).await.text().contains("All records are being looked through."));
    world.app.workspace.runner.run_until_idle().await.expect("jobs run");
    for (tongue, wanted) in [("en", "Same phone"), ("zh-CN", "电话相同"), ("zh-TW", "電話相同")] {
        let shown = world.app.request(Method::GET, page).header("accept-language", tongue).send().await.expect_status(200).text();
        let shown = shown.replace("&#x2f;", "/");
        assert!(shown.contains(wanted) && shown.contains(&format!("/records/firm/{one}/merge?with={other}")), "{tongue}: {shown}");
    }
    let apart = post(format!("_do=apart&_records={one}%2C{other}")).await;
    assert_eq!(apart.header("location"), "/records/firm/duplicates?done=twins-apart");
    assert!(world.app.get(page).await.text().contains("No records look the same."));
    assert_eq!(post("_do=nothing".to_owned()).await.status.as_u16(), 404);
    assert_eq!(world.app.get("/records/plain/duplicates").await.status.as_u16(), 404);
}
