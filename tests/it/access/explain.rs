//! Why somebody may or may not.

use relata::access::Action;
use relata::base::RecordId;
use serde_json::json;

use super::world::{World, person};

#[tokio::test]
async fn each_role_is_named_with_what_it_says_and_whether_it_holds() {
    let world = World::new().await;
    let both = person(&world.app, "both", &["rep", "auditor"], json!({})).await;
    let won = world.deal(&world.stranger, json!({"name": "Won", "stage": "won"})).await;
    let records = &world.app.workspace.records;
    let catalog = records.catalog();
    let deal = catalog.find_entity("deal").expect("deals").ix;
    let id = |text: &str| RecordId::parse(text).expect("an id").1;
    let why = records.why(id(&both.id), deal, id(&won)).await.expect("asked").expect("there");
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
        ]
        .map(|(action, holds, reasons)| (action, holds && action == Action::Read, reasons))
    );
    assert!(why.actions[0].2[0].rule.contains("stage = 'won'"), "{why:?}");
    assert!(why.hidden.contains(&"amount".to_owned()) && !why.hidden.contains(&"margin".to_owned()), "{why:?}");
    // A rule that asks for all records is told as all, an administrator as everything.
    let admin = catalog.find_entity("user").expect("people");
    let ada = world.app.get("/api/v1/records/user?filter=email%20%3D%20'admin%40example.com'").await.json()["data"][0]["id"].clone();
    let why = records.why(id(ada.as_str().expect("an id")), deal, id(&won)).await.expect("asked").expect("there");
    assert!(why.is_everything && why.hidden.is_empty());
    assert!(records.why(id(&both.id), admin.ix, RecordId(1)).await.expect("asked").is_none());
    let seen = records.seen_by(id(&both.id)).await.expect("asked").expect("a person");
    let deals = seen.iter().find(|one| one.entity == "deal").expect("deals");
    assert_eq!((deals.records, deals.is_more), (1, false));
    assert!(deals.masked.contains(&"margin".to_owned()) && deals.hidden.contains(&"remark".to_owned()), "{deals:?}");
    let margin = catalog.entity(deal).find_field("margin").expect("margin").ix;
    let readers: Vec<String> = records.readers(deal, Some(margin)).into_keys().collect();
    let reads = |role: &str| readers.iter().any(|known| known == role);
    assert!(reads("auditor") && reads("manager") && reads("looker") && !reads("rep") && !reads("filer"), "{readers:?}");
}
