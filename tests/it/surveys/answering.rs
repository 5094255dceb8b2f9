//! The page of an invitation: what it shows, what it takes, and what it does not tell.

use relata::base::{DateTime, Random, SeededRandom};
use serde_json::json;

use super::world::{SHOWN, World};

#[tokio::test(flavor = "multi_thread")]
async fn links_that_are_not_right_tell_nothing_at_all() {
    let world = World::new("").await;
    let request = world.request(json!({})).await;
    let (answer, path) = world.ask(&request, "desk.satisfaction").await;
    let id = answer.strip_prefix("feedback_").expect("its prefix");
    let token = path.strip_prefix("/survey/").expect("a page");
    let other = world.ask(&request, "desk.satisfaction").await.1;
    let mixed = format!("{}{}", &token[..13], &other["/survey/".len() + 13..]);
    let wrong = world.look("/survey/x").await.expect_status(404).text();
    assert!(!wrong.contains("Printer") && wrong.contains("This link is not open"), "{wrong}");
    let flipped = format!("{}{}", &token[..token.len() - 1], if token.ends_with('0') { '1' } else { '0' });
    for bad in [
        id,
        "0",
        &mixed,
        &flipped,
        &token[..20],
        &format!("{token}0"),
        "%F0%9F%98%80%F0%9F%98%80%F0%9F%98%80%F0%9F%98%80",
        &token.to_uppercase(),
    ] {
        let told = world.look(&format!("/survey/{bad}")).await.expect_status(404);
        assert_eq!(told.text(), wrong, "{bad}");
        assert_eq!((told.header("cache-control"), told.header("x-robots-tag")), ("no-store", "noindex, nofollow"));
    }
    // Over, deleted, about something that is gone, taken out of the definitions: the same.
    let deleted = world.ask(&request, "desk.satisfaction").await;
    world.app.delete(&format!("/api/v1/records/feedback/{}", deleted.0)).await.expect_status(204);
    let gone = world.request(json!({})).await;
    let orphan = world.ask(&gone, "desk.satisfaction").await.1;
    world.app.delete(&format!("/api/v1/records/request/{gone}")).await.expect_status(204);
    for path in [&deleted.1, &orphan] {
        assert_eq!(world.look(path).await.expect_status(404).text(), wrong, "{path}");
        assert_eq!(world.send(path, &format!("{SHOWN}&score=5")).await.expect_status(404).text(), wrong, "{path}");
    }
    world.look(&path).await.expect_status(200);
    let now: DateTime = relata::base::Clock::now(world.app.clock.as_ref());
    world.app.clock.set(DateTime(now.0 + 14 * 86_400_000_000));
    assert_eq!(world.look(&path).await.expect_status(404).text(), wrong);
    assert_eq!(world.send(&path, &format!("{SHOWN}&score=5")).await.expect_status(404).text(), wrong);
    assert_eq!(world.read(&answer).await["survey_state"], "asked");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_a_record_and_looking_writes_nothing() {
    let world = World::new("").await;
    let request = world.request_of("zh-CN").await;
    let (answer, path) = world.ask(&request, "desk.satisfaction").await;
    let before = world.read(&answer).await;
    assert_eq!(before["survey"], "satisfaction");
    assert_eq!((&before["survey_state"], &before["survey_language"]), (&json!("asked"), &json!("zh-CN")));
    assert_eq!(before["contact"], world.app.get(&format!("/api/v1/records/request/{request}")).await.json()["contact"]);
    let page = world.look(&format!("{path}?score=4")).await.expect_status(200).text();
    assert!(page.contains("lang=\"zh-CN\"") && page.contains("我们做得怎么样？") && page.contains("您满意吗？"), "{page}");
    assert!(page.contains("value=\"4\" checked") && !page.contains("Printer") && !page.contains("<script>"), "{page}");
    assert!(!page.contains("name=\"reason\""), "it is asked only of those who are not content");
    let english = world.look(&format!("{path}?lang=en")).await.expect_status(200).text();
    assert!(english.contains("How content are you?") && english.contains("Not at all"), "{english}");
    assert_eq!(world.read(&answer).await, before, "looking changes nothing");

    // Nothing chosen, and not on the scale.
    for (form, told) in [("", "Fill this in."), ("&score=", "Fill this in."), ("&score=6", "Choose one of the values."), ("&score=x", "")] {
        let page = world.send(&format!("{path}?lang=en"), &format!("{SHOWN}{form}")).await.expect_status(422).text();
        assert!(page.contains(told) && page.contains("aria-invalid"), "{form}: {page}");
    }
    assert_eq!(world.read(&answer).await, before);

    // An answer that leads to one more question; what was written stays.
    let more = world.send(&path, &format!("{SHOWN}&score=2&liked=people&liked=words&why=%E6%85%A2")).await.expect_status(200).text();
    assert!(more.contains("name=\"reason\"") && more.contains("慢") && more.contains("value=\"words\" checked"), "{more}");
    assert_eq!(world.read(&answer).await["survey_state"], "asked");
    let shown = "_shown=score,solved,reason,liked,why";
    world.send(&path, &format!("{shown}&score=2")).await.expect_status(422);
    let form = format!("{shown}&score=2&reason=tone&solved=false&liked=&liked=people&liked=words&why=%E6%85%A2");
    world.answer(&path, &form).await;
    let saved = world.read(&answer).await;
    assert_eq!((&saved["score"], &saved["reason"], &saved["solved"]), (&json!(2), &json!("tone"), &json!(false)));
    assert_eq!((&saved["liked"], &saved["why"], &saved["survey_state"]), (&json!(["people", "words"]), &json!("慢"), &json!("answered")));
    assert!(saved["survey_answered_at"].is_string());
    assert!(world.look(&path).await.expect_status(200).text().contains("非常感谢"));

    // Once is once.
    let again = world.send(&path, &format!("{SHOWN}&score=5")).await.expect_status(200).text();
    assert!(again.contains("非常感谢"), "{again}");
    assert_eq!(world.read(&answer).await["score"], 2);
    // What is not asked any more is not kept.
    let second = world.ask(&request, "desk.satisfaction").await;
    world.answer(&second.1, &format!("{shown}&score=5&reason=tone&survey_state=asked&contact=x")).await;
    let saved = world.read(&second.0).await;
    assert_eq!((&saved["score"], &saved["reason"]), (&json!(5), &json!(null)));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_may_be_changed_where_the_survey_says_so() {
    let world = World::new("").await;
    let request = world.request(json!({})).await;
    let (answer, path) = world.ask(&request, "desk.loyalty").await;
    world.answer(&path, "_shown=recommend&recommend=3").await;
    assert!(world.look(&path).await.text().contains("edit=1"));
    let page = world.look(&format!("{path}?edit=1")).await.expect_status(200).text();
    assert!(page.contains("value=\"3\" checked"), "{page}");
    world.answer(&path, "_shown=recommend&recommend=10").await;
    assert_eq!(world.read(&answer).await["recommend"], 10);
    // Two at once: nothing is lost, nothing fails.
    let (one, other) = tokio::join!(world.send(&path, "_shown=recommend&recommend=1"), world.send(&path, "_shown=recommend&recommend=2"));
    assert_eq!((one.status.as_u16(), other.status.as_u16()), (303, 303));
    assert!([1, 2].contains(&world.read(&answer).await["recommend"].as_i64().unwrap()));
}

#[tokio::test(flavor = "multi_thread")]
async fn erasing_shuts_the_link() {
    let world = World::new("").await;
    let request = world.request(json!({})).await;
    let (answer, path) = world.ask(&request, "desk.loyalty").await;
    world.answer(&path, "_shown=recommend&recommend=3").await;
    let second = world.ask(&request, "desk.satisfaction").await;
    world.answer(&second.1, &format!("{SHOWN}&score=3&why=Anna+was+rude")).await;
    for id in [&answer, &second.0] {
        world.app.post(&format!("/api/v1/records/feedback/{id}/erase"), json!({})).await.expect_status(200);
    }
    let saved = world.read(&second.0).await;
    assert_eq!((&saved["why"], &saved["survey_language"], &saved["score"]), (&json!(null), &json!(null), &json!(3)));
    world.look(&path).await.expect_status(404);
    world.send(&path, "_shown=recommend&recommend=9").await.expect_status(404);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_tries_links_must_wait() {
    let world = World::new("").await;
    let request = world.request(json!({})).await;
    let (_, path) = world.ask(&request, "desk.loyalty").await;
    let mut last = 404;
    for _ in 0..60 {
        last = world.send("/survey/0123456789abc0123456789abcdef0123456789", "_shown=x").await.status.as_u16();
        if last == 429 {
            break;
        }
    }
    assert_eq!(last, 429);
    // Looking stays free: somebody behind the same address must be able to read their page.
    world.look(&path).await.expect_status(200);
}

/// The page is open to everybody: whatever is sent, it answers.
#[tokio::test(flavor = "multi_thread")]
async fn no_request_makes_the_page_fail() {
    let world = World::new("").await;
    let dice = SeededRandom::new(11);
    let below = |limit: usize| usize::try_from(dice.next_u64() % limit as u64).unwrap_or(0);
    let request = world.request(json!({})).await;
    let (_, good) = world.ask(&request, "desk.loyalty").await;
    let (_, many) = world.ask(&request, "desk.satisfaction").await;
    let names =
        ["score", "solved", "reason", "liked", "why", "recommend", "_shown", "survey_state", "id", "score.x", "liked.0.id", "", "contact"];
    let values = [
        "",
        "1",
        "5",
        "-1",
        "99999999999999999999",
        "true",
        "people",
        "x",
        "%00",
        "%ff",
        "%F0%9F%98%80",
        "=1",
        "score,reason",
        "0.5",
        "慢",
    ];
    let tails = ["", "?lang=zh-TW", "?lang=%ff", "?edit=1&score=7", "?score=%3Cscript%3E", "?lang=xx&edit", "/x", "?%00"];
    let mut taken = 0;
    for number in 0..600 {
        let path = match below(4) {
            0 => good.clone(),
            1 => many.clone(),
            2 => format!("/survey/{}", &good[8 + below(20)..]),
            _ => format!("/survey/{}", ["%", "..", "%2e%2e%2f", "a%00b", "慢慢慢慢慢", "0"][below(6)]),
        };
        let path = format!("{path}{}", tails[below(tails.len())]);
        let pairs: Vec<String> =
            (0..below(8)).map(|_| format!("{}={}", names[below(names.len())], values[below(values.len())].repeat(1 + below(3)))).collect();
        if axum::http::Uri::try_from(path.as_str()).is_err() {
            continue;
        }
        let answer = if number % 3 == 0 { world.look(&path).await } else { world.send(&path, &pairs.join("&")).await };
        assert!(!answer.status.is_server_error(), "{path} {pairs:?}: {} {}", answer.status, answer.text());
        assert!(!answer.text().contains("<script>"), "{path}");
        taken += usize::from(answer.status.as_u16() < 400);
        if answer.status == 429 {
            let now = relata::base::Clock::now(world.app.clock.as_ref());
            world.app.clock.set(DateTime(now.0 + 3_600_000_000));
        }
    }
    assert!(taken > 60, "{taken}");
    assert_eq!(world.app.get("/healthz").await.json()["panics"], 0);
}
