//! What came back, as the API and the pages tell it.

use relata::base::DateTime;
use relata::record::{Figure, figure};
use relata::schema::catalog::QuestionKind;
use serde_json::json;

use super::world::{SHOWN, World};

/// How often each value was given.
type Spread = &'static [(i64, i64)];

/// Computed by hand.
const NPS: [(Spread, Option<i64>); 8] = [
    (&[], None),
    (&[(10, 1)], Some(100)),
    (&[(0, 1)], Some(-100)),
    (&[(7, 3), (8, 2)], Some(0)),
    (&[(9, 1), (6, 1)], Some(0)),
    // 50 % promoters, 20 % detractors of ten.
    (&[(10, 3), (9, 2), (8, 3), (6, 1), (0, 1)], Some(30)),
    // Two of three less none: 66.67.
    (&[(9, 2), (7, 1)], Some(67)),
    // One less two of three: -33.3.
    (&[(9, 1), (1, 2)], Some(-33)),
];

#[test]
fn figures_of_scales() {
    for (spread, wanted) in NPS {
        assert_eq!(figure(QuestionKind::Nps, spread), wanted.map(Figure::Nps), "{spread:?}");
    }
    assert_eq!(figure(QuestionKind::Csat, &[(1, 1), (3, 2), (4, 3), (5, 2)]), Some(Figure::Csat(63)));
    assert_eq!(figure(QuestionKind::Rating(5), &[(4, 1), (5, 2)]), Some(Figure::Mean(47)));
    assert_eq!(figure(QuestionKind::Rating(5), &[]), None);
    assert_eq!(figure(QuestionKind::YesNo, &[]), None);
    assert_eq!((Figure::Nps(30).text(), Figure::Nps(-33).text(), Figure::Mean(47).text()), ("+30".into(), "-33".into(), "4.7".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn how_many_were_asked_and_what_they_said() {
    let world = World::new("").await;
    let request = world.request(json!({})).await;
    for score in [5, 5, 3] {
        let (_, path) = world.ask(&request, "desk.satisfaction").await;
        world.answer(&path, &format!("{SHOWN}&score={score}&solved=true")).await;
    }
    world.ask(&request, "desk.satisfaction").await;
    let list = world.app.get("/api/v1/surveys").await.expect_status(200).json();
    let ids: Vec<&str> = list["data"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["desk.satisfaction", "desk.loyalty"]);
    let told = world.app.get("/api/v1/surveys/desk.satisfaction").await.expect_status(200).json();
    assert_eq!((&told["asked"], &told["answered"]), (&json!(4), &json!(3)), "{told:#}");
    let score = &told["questions"][0];
    assert_eq!((&score["kind"], &score["answers"], &score["figure"]), (&json!("csat"), &json!(3), &json!({"name": "csat", "value": "67"})));
    assert_eq!(score["spread"][4], json!({"value": 5, "count": 2}));
    assert_eq!(told["questions"][1]["spread"], json!([{"value": true, "count": 3}, {"value": false, "count": 0}]));
    world.app.get("/api/v1/surveys/desk.satisfaction?days=0").await.expect_problem(422, "WEB422");
    let page = world.app.get("/surveys/desk.satisfaction").await.expect_status(200).text();
    assert!(page.contains("75 %") && page.contains("67 %") && page.contains("CSAT"), "{page}");
    let page = world.app.get("/surveys").await.expect_status(200).text();
    assert!(page.contains("3 of 4 answered") && page.contains("Satisfaction") && page.contains("Loyalty"), "{page}");
    let page = world.app.get(&format!("/records/request/{request}")).await.expect_status(200).text();
    assert!(page.contains("3 of 4 answered") && page.contains("Make a link"), "{page}");
    let form = world.app.request(axum::http::Method::POST, &format!("/records/request/{request}/surveys"));
    let form = form.header("content-type", "application/x-www-form-urlencoded").text("survey=desk.loyalty");
    let page = form.send().await.expect_status(200);
    assert!(page.text().contains("localhost:8080&#x2f;survey&#x2f;"), "{}", page.text());
    assert_eq!(page.header("cache-control"), "no-store");
    // Of who was asked long ago nothing is told in a short time.
    let now = relata::base::Clock::now(world.app.clock.as_ref());
    world.app.clock.set(DateTime(now.0 + 40 * 86_400_000_000));
    let told = world.app.get("/api/v1/surveys/desk.satisfaction?days=30").await.expect_status(200).json();
    assert_eq!((&told["asked"], &told["questions"][0]["figure"]), (&json!(0), &json!(null)), "{told:#}");
}
