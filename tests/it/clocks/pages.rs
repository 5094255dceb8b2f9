//! Clocks on the page of a record and in lists.

use axum::http::Method;
use serde_json::json;

use super::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn the_page_of_a_record_says_how_much_time_is_left() {
    let world = World::new("").await;
    let id = world.request(json!({})).await;
    let page = || async { world.app.get(&format!("/records/request/{id}")).await.expect_status(200).text() };
    world.go("10-09 17:00");
    let text = page().await;
    assert!(text.contains("First answer") && text.contains("3h left") && text.contains("1h of 4h used"), "{text}");
    assert!(text.contains("Office hours") && text.contains("Running"), "{text}");
    // The page knows that it is over before the job has noted it.
    world.go("10-10 14:00");
    let text = page().await;
    assert!(text.contains("overdue by 2h") && text.contains("was due"), "{text}");
    world.patch(&id, json!({ "status": "waiting" })).await.expect_status(200);
    let text = page().await;
    assert!(text.contains("on hold, 10h left") && text.contains("6h of 16h used"), "{text}");
    for (locale, words) in [("zh-CN", "已暂停，剩余 10 小时"), ("zh-TW", "已暫停，剩餘 10 小時")] {
        let asked = world.app.request(Method::GET, &format!("/records/request/{id}")).header("accept-language", locale).send().await;
        assert!(asked.expect_status(200).text().contains(words), "{locale}");
    }
    world.patch(&id, json!({ "status": "done" })).await.expect_status(200);
    assert!(page().await.contains("Met"));
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_show_and_forms_do_not_ask_for_clocks() {
    let world = World::new("").await;
    world.request(json!({})).await;
    let list = world.app.get("/records/request?view=due").await.expect_status(200).text();
    assert!(list.contains("First answer: state") && list.contains("Running"), "{list}");
    let form = world.app.get("/records/request/new").await.expect_status(200).text();
    assert!(!form.contains("name=\"response_due\"") && !form.contains("name=\"response_state\""), "{form}");
}
