//! History, the feed of changes, search and titles.

use serde_json::{Value as Json, json};

use super::saving::DEFINITIONS;
use super::workspace::Workspace;

#[tokio::test(flavor = "multi_thread")]
async fn the_history_tells_every_change() {
    let space = Workspace::new(DEFINITIONS).await;
    let deal = space.create("deal", json!({ "name": "A" })).await.unwrap().id;
    space.clock.advance_ms(60_000);
    space.update("deal", deal, json!({ "name": "B", "amount": "3" })).await.unwrap();
    space.delete("deal", deal).await.unwrap();
    let entity = space.entity("deal").ix;
    let page = space.records.history(&space.actor, entity, deal, None, 2).await.unwrap();
    let kinds: Vec<_> = page.entries.iter().map(|entry| (entry.kind.as_str(), entry.version)).collect();
    assert_eq!(kinds, [("delete", 3), ("update", 2)]);
    let mut changes: Vec<(String, Json, Json)> =
        page.entries[1].changes.iter().map(|change| (change.field.clone(), change.old.clone(), change.new.clone())).collect();
    changes.sort_by(|a, b| a.0.cmp(&b.0));
    assert_eq!(changes[1], ("name".to_owned(), json!("A"), json!("B")));
    assert_eq!(changes.iter().map(|change| change.0.as_str()).collect::<Vec<_>>(), ["amount", "name", "net"]);
    assert_eq!(page.entries[1].at.to_string(), "2026-01-01T00:01:00Z");
    assert_eq!(page.entries[1].by, space.actor.user);
    let rest = space.records.history(&space.actor, entity, deal, page.next_cursor.as_deref(), 2).await.unwrap();
    assert_eq!(rest.entries.len(), 1);
    assert!(rest.next_cursor.is_none());
    assert!(space.records.history(&space.actor, entity, relata::base::RecordId(9), None, 2).await.is_err());
    assert!(space.records.history(&space.actor, entity, deal, Some("junk"), 2).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_feed_gives_each_event_once() {
    let space = Workspace::new(DEFINITIONS).await;
    let start = space.records.changes(&space.actor, None, 100).await.unwrap().next;
    let deal = space.create("deal", json!({ "name": "A" })).await.unwrap().id;
    space.update("deal", deal, json!({ "name": "B" })).await.unwrap();
    space.create("deal", json!({})).await.unwrap_err();
    let page = space.records.changes(&space.actor, Some(start), 1).await.unwrap();
    assert!(page.more);
    assert_eq!((page.events[0].kind.as_str(), page.events[0].id), ("create", deal));
    let page = space.records.changes(&space.actor, Some(page.next), 10).await.unwrap();
    assert_eq!(page.events.len(), 1);
    assert_eq!((page.events[0].changed.clone(), page.events[0].version, page.more), (vec!["name".to_owned()], 2, false));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_saved_is_found() {
    let space = Workspace::new(DEFINITIONS).await;
    let deal = space.create("deal", json!({ "name": "华为 Mobile" })).await.unwrap().id;
    for (words, found) in [("华为", 1), ("mob", 1), ("hw", 1), ("华强", 0)] {
        assert_eq!(space.list("deal", &format!("q={words}")).await.len(), found, "{words}");
    }
    space.update("deal", deal, json!({ "name": "小米" })).await.unwrap();
    assert_eq!(space.list("deal", "q=华为").await.len(), 0);
    assert_eq!(space.list("deal", "q=小米").await.len(), 1);
    space.delete("deal", deal).await.unwrap();
    assert_eq!(space.list("deal", "q=小米").await.len(), 0);
    space.restore("deal", deal).await.unwrap();
    assert_eq!(space.list("deal", "q=小米").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn titles_are_looked_up_together() {
    let space = Workspace::new(DEFINITIONS).await;
    let account = space.create("account", json!({ "name": "Acme" })).await.unwrap().id;
    let deal = space.create("deal", json!({ "name": "Big" })).await.unwrap().id;
    let wanted =
        [(space.entity("account").ix, account), (space.entity("deal").ix, deal), (space.entity("deal").ix, relata::base::RecordId(5))];
    let titles = space.records.titles(&space.actor, &wanted).await.unwrap();
    assert_eq!(titles.len(), 2);
    assert_eq!(titles[&account], "Acme");
    assert_eq!(titles[&deal], "D-001 · Big");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_by_a_virtual_field_goes_with_the_time() {
    let space = Workspace::new(
        "kind: entity\nid: shop.ticket\ntitle: \"{name}\"\nfields:\n  name: {type: text}\n  \
         age: {type: formula, returns: integer, expr: \"days_between(created_at, now())\", stored: false}\n",
    )
    .await;
    space.create("ticket", json!({ "name": "A" })).await.unwrap();
    let ticket = space.entity("ticket").ix;
    let count = async |query: &str| space.records.list_url(&space.actor, &space.catalog, ticket, query).await.unwrap().rows.len();
    // The same requests again and again: what was worked out for one moment is not kept for the next.
    assert_eq!([count("select=name&filter=age >= 2").await, count("select=name&filter=age < 2").await], [0, 1]);
    space.clock.advance_ms(3 * 24 * 3_600_000);
    assert_eq!([count("select=name&filter=age >= 2").await, count("select=name&filter=age < 2").await], [1, 0]);
}
