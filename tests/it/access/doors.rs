//! Every other door: pages, search, history, files, descriptions.

use axum::http::Method;
use serde_json::json;

use super::world::{World, get, person};

#[tokio::test]
async fn row_25_no_door_tells_what_the_api_keeps() {
    let world = World::new().await;
    let secret = world.app.create_id("account", json!({"name": "Geheimnis", "secret": true})).await;
    let deal = json!({"name": "Visible", "margin": "4242.00", "remark": "canaryremark", "account": secret});
    let mine = world.deal(&world.rep, deal).await;
    let theirs = world.deal(&world.stranger, json!({"name": "Canaryforeign"})).await;
    world.app.patch(&format!("/api/v1/records/deal/{mine}"), json!({"margin": "4243.00", "name": "Renamed"})).await.expect_status(200);
    let paths = [
        "/".to_owned(),
        "/records/deal".to_owned(),
        "/records/deal?view=all".to_owned(),
        format!("/records/deal/{mine}"),
        format!("/records/deal/{mine}?tab=history"),
        format!("/records/deal/{mine}/edit"),
        format!("/records/deal/{mine}/delete"),
        "/records/deal/new".to_owned(),
        "/records/deal/choices?q=Canaryforeign".to_owned(),
        "/records/account/choices?q=Geheimnis".to_owned(),
        "/records/account".to_owned(),
        "/search?q=canaryremark".to_owned(),
        "/search?q=Geheimnis".to_owned(),
        "/search?q=Canaryforeign".to_owned(),
        format!("/records/deal/{theirs}"),
        "/api/v1/schema".to_owned(),
        "/api/v1/schema/deal".to_owned(),
        "/api/v1/openapi.json".to_owned(),
        "/api/v1/changes".to_owned(),
        format!("/api/v1/records/deal/{mine}"),
        format!("/api/v1/records/deal/{mine}/history"),
        format!("/api/v1/records/deal/{mine}?select=id,_title"),
        "/api/v1/records/deal?q=canaryremark".to_owned(),
        "/api/v1/records/deal?q=Renamed".to_owned(),
    ];
    for path in paths {
        let answer = get(&world.app, &world.rep, &path).await;
        let text = answer.text();
        assert!(!answer.status.is_server_error(), "{path}: {text}");
        for word in ["4242", "4243", "margin", "Margin"] {
            assert!(!text.contains(word), "{path} tells `{word}`: {text}");
        }
        // What was asked for stands in the page that found nothing.
        let asked = path.rsplit("q=").next().filter(|_| path.contains("q=")).unwrap_or("-");
        for word in ["canaryremark", "Canaryforeign", "Geheimnis"] {
            assert!(asked == word || !text.contains(word), "{path} tells `{word}`: {text}");
        }
    }
    assert_eq!(world.ids(&world.rep, "deal?q=canaryremark").await, Vec::<String>::new());
    assert_eq!(world.ids(&world.rep, "deal?q=renam").await, std::slice::from_ref(&mine));
    assert_eq!(world.app.get("/api/v1/records/deal?q=canaryremark").await.json()["data"].as_array().map(Vec::len), Some(1));
    let history = get(&world.app, &world.rep, &format!("/api/v1/records/deal/{mine}/history")).await.json();
    assert_eq!(history["data"][0]["changes"][0]["field"], "name", "{history:#}");
    assert_eq!(history["data"][0]["changes"].as_array().map(Vec::len), Some(1), "{history:#}");
}

#[tokio::test]
async fn buttons_are_where_they_may_be_pressed() {
    let world = World::new().await;
    let mine = world.deal(&world.rep, json!({"name": "Mine"})).await;
    let ours = world.deal(&world.mate, json!({"name": "Ours"})).await;
    let own = get(&world.app, &world.rep, &format!("/records/deal/{mine}")).await.expect_status(200).text().replace("&#x2f;", "/");
    assert!(own.contains(&format!("/records/deal/{mine}/edit")) && own.contains(&format!("/records/deal/{mine}/delete")));
    let other = get(&world.app, &world.rep, &format!("/records/deal/{ours}")).await.expect_status(200).text().replace("&#x2f;", "/");
    assert!(!other.contains("/edit\"") && !other.contains("/delete\""), "{other}");
    let form = get(&world.app, &world.rep, &format!("/records/deal/{mine}/edit")).await.expect_status(200).text().replace("&#x2f;", "/");
    assert!(form.contains("name=\"name\"") && !form.contains("name=\"amount\"") && !form.contains("name=\"owner\""), "{form}");
    let list = get(&world.app, &world.rep, "/records/contact").await.expect_status(200).text().replace("&#x2f;", "/");
    assert!(!list.contains("/records/contact/new"), "{list}");
    let nobody = person(&world.app, "nobody", &[], json!({})).await;
    let home = get(&world.app, &nobody, "/").await.expect_status(200).text().replace("&#x2f;", "/");
    assert!(!home.contains("/records/deal"), "{home}");
}

#[tokio::test]
async fn a_file_is_read_by_those_who_read_a_record_it_is_attached_to() {
    let world = World::new().await;
    let upload = |token: String| {
        world
            .app
            .request(Method::POST, "/api/v1/files?name=offer.txt")
            .token(&token)
            .header("content-type", "application/octet-stream")
            .bytes(*b"secret words")
            .send()
    };
    let file = upload(world.stranger.token.clone()).await.expect_status(201).json()["id"].as_str().expect("an id").to_owned();
    let path = format!("/files/{file}");
    get(&world.app, &world.stranger, &path).await.expect_status(200);
    get(&world.app, &world.rep, &path).await.expect_status(404);
    let deal = world.deal(&world.stranger, json!({"name": "Theirs", "papers": [file]})).await;
    get(&world.app, &world.rep, &path).await.expect_status(404);
    // Naming a file of somebody else does not make it one's own.
    let attach = json!({"name": "Mine", "papers": [file]});
    super::world::send(&world.app, &world.rep, Method::POST, "/api/v1/records/deal", &attach).await.expect_status(422);
    world.app.patch(&format!("/api/v1/records/deal/{deal}"), json!({"owner": world.mate.id})).await.expect_status(200);
    get(&world.app, &world.rep, &path).await.expect_status(200);
}
