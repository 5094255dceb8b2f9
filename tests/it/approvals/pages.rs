//! The pages: the box of a record, the inbox, a request; as plain forms.

use axum::http::Method;
use serde_json::json;

use super::world::World;
use crate::access::world::{Person, get};
use crate::support::{Answer, TestApp};

fn plain(answer: Answer) -> String {
    answer.text().replace("&#x2f;", "/").replace("&#x27;", "'").replace("&amp;", "&")
}

async fn post(app: &TestApp, who: &Person, path: &str, body: &str) -> Answer {
    let form = app.request(Method::POST, path).token(&who.token).header("content-type", "application/x-www-form-urlencoded");
    form.text(body.to_owned()).send().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn asked_on_the_record_decided_in_the_inbox() {
    let world = World::new().await;
    let deal = world.deal(json!({ "name": "Harbour", "discount": "20" })).await;
    let record = format!("/records/deal/{deal}");
    // The move says what is missing and leads to the form.
    let page = plain(get(&world.app, &world.rep, &format!("{record}/move?pipeline=sales&to=offer")).await.expect_status(200));
    assert!(page.contains(&format!("{record}?ask=discount#approvals")), "{page}");
    let page = plain(get(&world.app, &world.rep, &format!("{record}?ask=discount")).await.expect_status(200));
    assert!(page.contains("Ask for: Discount over 15 %") && page.contains("<details class=\"disclosure\" open>"), "{page}");
    let answer = post(&world.app, &world.rep, &format!("{record}/approvals"), "approval=discount&comment=Good+customer").await;
    assert_eq!(answer.header("location"), format!("{record}?done=approval-asked#approvals"));
    let again = post(&world.app, &world.rep, &format!("{record}/approvals"), "approval=discount").await.expect_status(422);
    assert!(again.text().contains("asked for already"), "{}", again.text());
    let edit = plain(get(&world.app, &world.rep, &format!("{record}/edit")).await.expect_status(200));
    assert!(edit.contains("these cannot be changed: ") && edit.contains("Discount"), "{edit}");
    let inbox = plain(get(&world.app, &world.manager, "/approvals").await.expect_status(200));
    assert!(inbox.contains("Harbour") && inbox.contains("Discount over 15 %"), "{inbox}");
    let from = inbox.find("/approvals/").expect("a link");
    let link: String = inbox[from..].chars().take_while(|c| *c != '"').collect();
    let page = plain(get(&world.app, &world.manager, &link).await.expect_status(200));
    assert!(page.contains("Good customer") && page.contains("Locked") | page.contains("20"), "{page}");
    let silent = post(&world.app, &world.manager, &format!("{link}/decide"), "_do=reject&comment=").await.expect_status(422);
    assert!(silent.text().contains("Say why it is rejected"), "{}", silent.text());
    let answer = post(&world.app, &world.manager, &format!("{link}/decide"), "_do=approve&comment=Fine").await;
    assert_eq!(answer.header("location"), format!("{link}?done=approval-approved"), "{}", answer.text());
    let late = post(&world.app, &world.manager, &format!("{link}/decide"), "_do=approve").await.expect_status(422);
    assert!(late.text().contains("over already"), "{}", late.text());
    let decided = plain(get(&world.app, &world.manager, "/approvals?show=decided").await.expect_status(200));
    assert!(decided.contains("Harbour") && decided.contains("Approved"), "{decided}");
    let page = plain(get(&world.app, &world.rep, &record).await.expect_status(200));
    assert!(page.contains("Fine") && page.contains("Approved"), "{page}");
    world.app.patch(&format!("/api/v1/records/deal/{deal}"), json!({ "discount": "25" })).await.expect_status(200);
    let page = plain(get(&world.app, &world.rep, &record).await.expect_status(200));
    assert!(page.contains("Approved for other values") && page.contains("changed since"), "{page}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_speak_the_readers_language_and_refuse_what_is_not_theirs() {
    let world = World::new().await;
    let deal = world.deal(json!({ "discount": "20" })).await;
    let request = world.ask(&deal, "discount").await;
    let link = format!("/approvals/{}", request["id"].as_str().unwrap());
    for (tag, words) in [("zh-CN", "折扣超过 15%"), ("zh-TW", "折扣超過 15%")] {
        for path in ["/approvals", link.as_str()] {
            let ask = world.app.request(Method::GET, path).token(&world.manager.token).header("accept-language", tag);
            let page = ask.send().await.expect_status(200).text();
            assert!(page.contains(words), "{tag} {path}: {page}");
        }
    }
    let refused = post(&world.app, &world.rep, &format!("{link}/decide"), "_do=approve").await.expect_status(422);
    assert!(refused.text().contains("somebody else"), "{}", refused.text());
    let nobody = post(&world.app, &world.manager, &format!("{link}/hand-on"), "to=").await.expect_status(422);
    assert!(nobody.text().contains("Choose a person"), "{}", nobody.text());
    let handed = post(&world.app, &world.manager, &format!("{link}/hand-on"), &format!("to={}", world.board[0].id)).await;
    assert_eq!(handed.header("location"), format!("{link}?done=approval-handed-on"), "{}", handed.text());
    let back = post(&world.app, &world.rep, &format!("{link}/withdraw"), "").await;
    assert_eq!(back.header("location"), format!("{link}?done=approval-withdrawn"), "{}", back.text());
    for path in ["/approvals/0", "/approvals/x", "/approvals/0/decide", &format!("{link}/burn")] {
        let answer = if path.matches('/').count() > 2 { post(&world.app, &world.rep, path, "").await } else { world.app.get(path).await };
        assert_eq!(answer.status.as_u16(), 404, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn standing_in_is_said_on_the_page() {
    let world = World::new().await;
    let body = |until: &str| format!("stand_in={}&from=&until={until}", world.board[0].id);
    let bad = post(&world.app, &world.manager, "/approvals/stand-ins", &body("x")).await.expect_status(422);
    assert!(bad.text().contains("role=\"alert\""), "{}", bad.text());
    let past = post(&world.app, &world.manager, "/approvals/stand-ins", &body("2020-01-01")).await.expect_status(422);
    assert!(past.text().contains("over already"), "{}", past.text());
    let made = post(&world.app, &world.manager, "/approvals/stand-ins", &body("2026-12-24")).await;
    assert_eq!(made.header("location"), "/approvals?done=stand-in-added", "{}", made.text());
    let page = plain(get(&world.app, &world.manager, "/approvals").await.expect_status(200));
    assert!(page.contains("board0 decides for manager"), "{page}");
    let from = page.find("/approvals/stand-ins/").expect("a form");
    let end: String = page[from..].chars().take_while(|c| *c != '"').collect();
    let ended = post(&world.app, &world.manager, &end, "").await;
    assert_eq!(ended.header("location"), "/approvals?done=stand-in-ended", "{end}: {}", ended.text());
}
