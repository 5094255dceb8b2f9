//! Why somebody may or may not.

use relata::access::Action;
use relata::base::RecordId;
use serde_json::json;

use super::world::{World, get, person};

#[tokio::test]
async fn each_role_is_named_with_what_it_says_and_whether_it_holds() {
    let world = World::new().await;
    let both = person(&world.app, "both", &["rep", "auditor"], json!({})).await;
    let won = world.deal(&world.stranger, json!({"name": "Won", "stage": "won"})).await;
    let records = &world.app.workspace.records;
    let catalog = records.catalog();
    let deal = catalog.find_entity("deal").expect("deals").ix;
    let id = |text: &str| RecordId::parse(text).expect("an id").1;
    let why = records.why(id(&both.id), &catalog, deal, id(&won)).await.expect("asked").expect("there");
    type Told<'a> = Vec<(Action, bool, Vec<(&'a str, bool)>)>;
    let told: Told<'_> = why
        .actions
        .iter()
        .map(|(action, holds, reasons)| (*action, *holds, reasons.iter().map(|one| (one.role.as_str(), one.holds)).collect()))
        .collect();
    assert_eq!(
        told,
        [
            (Action::Read, true, vec![("auditor", true), ("rep", false)]),
            (Action::Create, true, vec![("auditor", false), ("rep", false)]),
            (Action::Update, false, vec![("auditor", false), ("rep", false)]),
            (Action::Delete, false, vec![("auditor", false), ("rep", false)]),
            (Action::Share, false, vec![("auditor", false), ("rep", false)]),
            (Action::Export, false, vec![("auditor", false), ("rep", false)]),
            (Action::Import, false, vec![("auditor", false), ("rep", false)]),
            (Action::Admin, false, vec![("auditor", false), ("rep", false)]),
        ]
        .map(|(action, holds, reasons)| (action, holds && action == Action::Read, reasons))
    );
    assert!(why.actions[0].2[0].rule.contains("stage = 'won'"), "{why:?}");
    assert!(why.hidden.contains(&"amount".to_owned()) && !why.hidden.contains(&"margin".to_owned()), "{why:?}");
    // A rule that asks for all records is told as all, an administrator as everything.
    let admin = catalog.find_entity("user").expect("people");
    let ada = world.app.get("/api/v1/records/user?filter=email%20%3D%20'admin%40example.com'").await.json()["data"][0]["id"].clone();
    let why = records.why(id(ada.as_str().expect("an id")), &catalog, deal, id(&won)).await.expect("asked").expect("there");
    assert!(why.is_everything && why.hidden.is_empty());
    assert!(records.why(id(&both.id), &catalog, admin.ix, RecordId(1)).await.expect("asked").is_none());
    let seen = records.seen_by(id(&both.id)).await.expect("asked").expect("a person");
    let deals = seen.iter().find(|one| one.entity == "deal").expect("deals");
    assert_eq!((deals.records, deals.is_more), (Some(1), false));
    assert!(deals.masked.contains(&"margin".to_owned()) && deals.hidden.contains(&"remark".to_owned()), "{deals:?}");
    let margin = catalog.entity(deal).find_field("margin").expect("margin").ix;
    let readers: Vec<String> = records.readers(&catalog, deal, Some(margin)).into_keys().collect();
    let reads = |role: &str| readers.iter().any(|known| known == role);
    assert!(reads("auditor") && reads("manager") && reads("looker") && !reads("rep") && !reads("filer"), "{readers:?}");
    // A formula is shown to nobody from whom its input is hidden, unless it is exposed.
    for (name, is_shown) in [("profit", false), ("grade", true)] {
        let field = catalog.entity(deal).find_field(name).expect("a formula").ix;
        let readers = records.readers(&catalog, deal, Some(field));
        assert_eq!((readers.contains_key("rep"), readers.contains_key("manager")), (is_shown, true), "{name}: {readers:?}");
    }
    let rep = records.seen_with("rep").await.expect("asked").expect("a role");
    let deals = rep.iter().find(|one| one.entity == "deal").expect("deals");
    assert!(deals.hidden.contains(&"profit".to_owned()) && !deals.masked.contains(&"profit".to_owned()), "{deals:?}");
}

#[tokio::test]
async fn why_is_told_to_those_it_concerns_and_to_administrators() {
    let world = World::new().await;
    let keeper = "kind: role\nid: keeper\npermissions:\n  user: read\n  deal: {rows: \"stage = 'new'\", admin: true}\n";
    let mut files = super::world::SALES.to_vec();
    files.push(("definitions/sales/roles/keeper.yaml", keeper));
    let kept = crate::support::TestApp::with_files(&files).await;
    let mine = world.deal(&world.rep, json!({"name": "Mine"})).await;
    let ask =
        |person: Option<&str>| format!("/api/v1/access/why?record={mine}{}", person.map(|id| format!("&person={id}")).unwrap_or_default());
    // What one may not see one is told nothing about; others are for administrators.
    get(&world.app, &world.stranger, &ask(None)).await.expect_status(404);
    get(&world.app, &world.mate, &ask(Some(&world.rep.id))).await.expect_problem(403, "ACL002");
    get(&world.app, &world.stranger, &ask(Some(&world.rep.id))).await.expect_problem(403, "ACL002");
    get(&world.app, &world.rep, "/api/v1/access/why?record=nothing").await.expect_status(400);
    get(&world.app, &world.rep, "/api/v1/access/who?of=deal").await.expect_problem(403, "ACL002");
    get(&world.app, &world.rep, "/api/v1/access/as?role=rep").await.expect_problem(403, "ACL002");
    get(&world.app, &world.rep, &format!("/api/v1/access/as?person={}", world.mate.id)).await.expect_problem(403, "ACL002");
    let own = get(&world.app, &world.rep, &ask(None)).await.expect_status(200).json();
    assert_eq!(own["actions"][0]["allowed"], true);
    let text = own.to_string();
    assert!(!text.contains("margin") && !text.contains("owner ="), "no rule and no hidden name: {text}");
    let shared = json!({"person": world.stranger.id, "may": "edit", "until": "2026-12-01T00:00:00Z"});
    super::world::send(&world.app, &world.rep, axum::http::Method::POST, &format!("/api/v1/records/deal/{mine}/shares"), &shared).await;
    let why = world.app.get(&ask(Some(&world.stranger.id))).await.expect_status(200).json();
    assert_eq!(why["shares"], json!([{"with": "person", "who": world.stranger.id, "may": "edit", "until": "2026-12-01T00:00:00Z"}]));
    assert!(why["actions"][0]["roles"][0]["rule"].as_str().is_some_and(|rule| rule.contains("owner = me()")), "{why:#}");
    let who = world.app.get("/api/v1/access/who?of=deal.margin").await.expect_status(200).json();
    assert!(who["data"].as_array().is_some_and(|roles| roles.iter().all(|role| role["role"] != "rep")), "{who:#}");
    let seen = world.app.get("/api/v1/access/as?role=rep").await.expect_status(200).json();
    let deals = seen["data"].as_array().and_then(|rows| rows.iter().find(|row| row["entity"] == "deal")).expect("deals").clone();
    assert_eq!((&deals["records"], &deals["hidden"][0]), (&json!(null), &json!("margin")), "{deals:#}");
    let own = get(&world.app, &world.rep, "/api/v1/access/as").await.expect_status(200).json();
    assert!(!own.to_string().contains("margin"), "{own:#}");
    world.app.get("/api/v1/access/as?role=nothing").await.expect_status(404);
    // Those who look after the deals ask about them, and see their shares.
    let keeper = person(&kept, "keeper", &["keeper"], json!({})).await;
    let other = person(&kept, "other", &["rep"], json!({})).await;
    let deal = kept.create_id("deal", json!({"name": "A"})).await;
    let path = format!("/api/v1/access/why?record={deal}&person={}", other.id);
    let why = get(&kept, &keeper, &path).await.expect_status(200).json();
    assert_eq!(why["actions"][0]["allowed"], false, "{why:#}");
    get(&kept, &keeper, &format!("/api/v1/records/deal/{deal}/shares")).await.expect_status(200);
    get(&kept, &keeper, "/api/v1/access/who?of=deal").await.expect_problem(403, "ACL002");
    // Only about people they read: of others not even that they are there.
    let narrow =
        "kind: role\nid: narrow\npermissions:\n  user: {rows: \"name = 'other'\"}\n  deal: {rows: \"stage = 'new'\", admin: true}\n";
    let blind = "kind: role\nid: blind\npermissions:\n  deal: {rows: \"stage = 'new'\", admin: true}\n";
    let mut files = super::world::SALES.to_vec();
    files.push(("definitions/sales/roles/narrow.yaml", narrow));
    files.push(("definitions/sales/roles/blind.yaml", blind));
    let kept = crate::support::TestApp::with_files(&files).await;
    let (narrow, blind) = (person(&kept, "narrow", &["narrow"], json!({})).await, person(&kept, "blind", &["blind"], json!({})).await);
    let (other, third) = (person(&kept, "other", &["rep"], json!({})).await, person(&kept, "third", &["rep"], json!({})).await);
    let deal = kept.create_id("deal", json!({"name": "A"})).await;
    for (asker, about, status) in [
        (&narrow, other.id.as_str(), 200),
        (&narrow, narrow.id.as_str(), 200),
        (&narrow, third.id.as_str(), 404),
        (&narrow, "user_0000000000001", 404),
        (&blind, blind.id.as_str(), 200),
        (&blind, other.id.as_str(), 404),
        (&blind, "user_0000000000001", 404),
    ] {
        let answer = get(&kept, asker, &format!("/api/v1/access/why?record={deal}&person={about}")).await.expect_status(status);
        assert_eq!(answer.json()["code"], if status == 404 { json!("WEB404") } else { json!(null) }, "{about}");
    }
    let page = format!("/records/deal/{deal}/access?person=");
    get(&kept, &narrow, &format!("{page}{}", other.id)).await.expect_status(200);
    get(&kept, &narrow, &format!("{page}{}", third.id)).await.expect_status(404);
}

#[tokio::test]
async fn pages_say_why_and_what() {
    let world = World::new().await;
    let mine = world.deal(&world.rep, json!({"name": "Mine"})).await;
    let page = format!("/records/deal/{mine}/access");
    get(&world.app, &world.stranger, &page).await.expect_status(404);
    get(&world.app, &world.mate, &format!("{page}?person={}", world.rep.id)).await.expect_status(403);
    get(&world.app, &world.rep, "/access").await.expect_status(403);
    get(&world.app, &world.rep, &format!("/people/{}/access", world.rep.id)).await.expect_status(403);
    let own = get(&world.app, &world.rep, &page).await.expect_status(200).text();
    assert!(own.contains("Mine") && !own.contains("margin") && !own.contains("Margin"), "{own}");
    let other = world.app.get(&format!("{page}?person={}", world.stranger.id)).await.expect_status(200).text();
    assert!(other.contains("owner = me()") && other.contains("Margin"), "{other}");
    let seen = world.app.get(&format!("/people/{}/access", world.rep.id)).await.expect_status(200).text();
    assert!(seen.contains("Margin"), "{seen}");
    let asked = world.app.get("/access?of=deal.margin").await.expect_status(200).text();
    assert!(asked.contains("stage = "), "{asked}");
    let asked = world.app.get("/access?role=rep").await.expect_status(200).text();
    assert!(asked.contains("Margin"), "{asked}");
    world.app.get("/access?role=nothing").await.expect_status(404);
    world.app.get("/access?of=deal.nothing").await.expect_status(404);
}
