//! Definitions that are applied while a request is under way: it is answered for the record it asked about, with the rights of
//! the definitions it runs with.

use relata::base::RecordId;
use relata::record::{Input, NewShare, WriteOptions};
use relata::schema::SourceFile;
use serde_json::json;

use super::world::{World, person};

/// Applies the files with other texts, whatever it widens.
async fn apply(world: &World, change: impl Fn(&mut SourceFile)) {
    let mut files = relata::deploy::read(&world.app.workspace.folders).expect("the files are readable");
    files.iter_mut().for_each(change);
    let plan = relata::deploy::plan(&world.app.workspace.store, &files).await.expect("a plan");
    assert!(!plan.is_empty());
    let accept: Vec<String> = plan.confirmations.iter().map(|needed| needed.name.clone()).collect();
    world.app.workspace.apply(&files, None, &accept, 0).await.expect("applied");
}

fn id(text: &str) -> RecordId {
    RecordId::parse(text).expect("an id").1
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_asks_about_the_entity_it_named() {
    let world = World::new().await;
    let deal = world.deal(&world.rep, json!({"name": "Mine"})).await;
    let records = &world.app.workspace.records;
    let actor = records.actor_of(id(&world.rep.id)).await.expect("asked").expect("a person");
    let old = records.catalog();
    let entity = old.find_entity("deal").expect("deals").ix;
    let may = records.may(&actor, &old, entity, id(&deal)).await.expect("asked");
    assert!(may.share && may.update);
    // Every entity behind the new one has another place from now on.
    apply(&world, |file| {
        if file.path.ends_with("entities/all.yaml") {
            file.text =
                format!("kind: entity\nid: sales.aaa\nfeatures: {{owner: false}}\nfields:\n  name: {{type: text}}\n---{}", file.text);
        }
    })
    .await;
    assert_ne!(records.catalog().find_entity("deal").map(|found| found.ix), Some(entity));
    assert_eq!(records.may(&actor, &old, entity, id(&deal)).await.expect("asked"), may);
    let why = records.why(id(&world.rep.id), &old, entity, id(&deal)).await.expect("asked");
    assert!(why.expect("there").reads());
    assert!(records.reads(&actor, &old, entity, id(&deal)).await.expect("asked"));
    let with = relata::access::ShareWith::Person(id(&world.stranger.id));
    let new = NewShare { with, may_edit: false, ends_at: None };
    let (share, _) = records.share(&actor, &old, entity, id(&deal), new, false).await.expect("shared");
    assert_eq!(records.shares(&actor, &old, entity, id(&deal)).await.expect("asked").len(), 1);
    assert_eq!(world.ids(&world.stranger, "deal").await, std::slice::from_ref(&deal));
    assert!(records.end_share(&actor, &old, entity, id(&deal), share.id, false).await.expect("ended"));
    assert!(world.ids(&world.stranger, "deal").await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn new_rules_are_answered_with_what_they_ask_about_a_person() {
    let world = World::new().await;
    let boss = person(&world.app, "boss", &["manager"], json!({})).await;
    world.app.patch(&format!("/api/v1/records/user/{}", world.rep.id), json!({"manager": boss.id})).await.expect_status(200);
    let records = &world.app.workspace.records;
    let others = "definitions/sales/roles/others.yaml";
    let rule = ("rows: \"owner in my_reports()\"", "rows: \"owner = me()\"");
    apply(&world, |file| {
        if file.path == others {
            file.text = file.text.replace(rule.0, rule.1);
        }
    })
    .await;
    let deal = world.deal(&world.rep, json!({"name": "Theirs"})).await;
    // Read when no rule asked who reports to whom.
    let actor = records.actor_of(id(&boss.id)).await.expect("asked").expect("a person");
    let old = records.catalog();
    let entity = old.find_entity("deal").expect("deals");
    let input = Input::from_json(&old, entity, &json!({"name": "Ours"})).expect("an input");
    apply(&world, |_| ()).await;
    let saved = records.update(&actor, &old, entity.ix, id(&deal), input, WriteOptions::default()).await.expect("saved");
    assert_eq!(saved.changed.len(), 1);
}
