//! The same by pages, without any script of the browser.

use axum::http::Method;
use serde_json::json;

use super::world::{World, path};

/// Texts as they are read.
fn plain(page: String) -> String {
    page.replace("&#x2f;", "/")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_shows_what_is_made_and_makes_it() {
    let world = World::new().await;
    let there = world.app.create_id("firm", json!({"name": "Engines Ltd"})).await;
    let lead = world.lead(json!({"email": null})).await;
    let page = plain(world.app.get(&format!("/records/lead/{lead}")).await.expect_status(200).text());
    assert!(page.contains(&format!("/records/lead/{lead}/convert?conversion=qualify")), "{page}");
    let href = format!("/records/lead/{lead}/convert");
    for (tongue, wanted) in [
        ("en", ["Qualify: Ada Lovelace", "Another record", "None"]),
        ("zh-CN", ["转化：Ada Lovelace", "其他记录", "不需要"]),
        ("zh-TW", ["轉換：Ada Lovelace", "其他記錄", "不需要"]),
    ] {
        let page = plain(world.app.request(Method::GET, &href).header("accept-language", tongue).send().await.expect_status(200).text());
        for wanted in wanted {
            assert!(page.contains(wanted), "{tongue} {wanted}: {page}");
        }
    }
    let page = plain(world.app.get(&href).await.text());
    for wanted in [
        there.as_str(),
        "Engines Ltd",
        "100 % alike",
        "name=\"firm.name\"",
        "value=\"Engines\"",
        "name=\"human.email\"",
        "name=\"deal.amount\"",
    ] {
        assert!(page.contains(wanted), "{wanted}: {page}");
    }
    assert!(!page.contains("name=\"deal.firm\""), "the conversion makes this link: {page}");
    let post =
        |body: String| world.app.request(Method::POST, &href).header("content-type", "application/x-www-form-urlencoded").text(body).send();
    let base = "_conversion=qualify&_version=1&human.name.given=Ada&deal.name=D&deal.amount=20";
    // Asked about the one that is there, and told what is missing, with what was typed.
    let refused = post(format!("{base}&firm.name=Engines&human.email=&_use.deal=new")).await;
    assert_eq!(refused.status.as_u16(), 422, "{}", refused.text());
    assert!(refused.text().contains("Give an address") && refused.text().contains("value=\"20\""), "{}", refused.text());
    let asked = post(format!("{base}&firm.name=Engines&human.email=a%40example.com")).await;
    assert_eq!(asked.status.as_u16(), 409, "{}", asked.text());
    assert!(asked.text().contains("Save anyway"), "{}", asked.text());
    let none = post(format!("{base}&_use.firm=other&_other.firm=nothing&human.email=a%40example.com")).await;
    assert_eq!(none.status.as_u16(), 422, "{}", none.text());
    assert!(none.text().contains("Name a record by its address or id."), "{}", none.text());
    let chosen = post(format!(
        "{base}&_use.firm=other&_other.firm=http%3A%2F%2Flocalhost%2Frecords%2Ffirm%2F{there}&human.email=a%40example.com&_use.deal=leave"
    ))
    .await;
    assert_eq!(
        (chosen.status.as_u16(), chosen.header("location")),
        (303, format!("/records/lead/{lead}?done=converted").as_str()),
        "{}",
        chosen.text()
    );
    let page = plain(world.app.get(&format!("/records/lead/{lead}?done=converted")).await.expect_status(200).text());
    assert!(page.contains("Converted") && page.contains("Engines Ltd"), "{page}");
    assert!(!page.contains("/convert?conversion="), "{page}");
    // Once more it leads to what it is now.
    assert_eq!(world.app.get(&href).await.status.as_u16(), 303);
    let told = world.app.get(&path(&lead)).await.expect_status(200).json();
    assert_eq!(told["converted"]["targets"].as_array().map(Vec::len), Some(2));
    let unknown = post("_conversion=nothing".to_owned()).await;
    assert_eq!(unknown.status.as_u16(), 404);
}
