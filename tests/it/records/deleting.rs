//! Deleting, what hangs on a record, and the recycle bin.

use relata::record::RecordError;
use serde_json::{Value as Json, json};

use super::saving::DEFINITIONS;
use super::workspace::Workspace;

#[tokio::test(flavor = "multi_thread")]
async fn what_restricts_stands_in_the_way() {
    let space = Workspace::new(DEFINITIONS).await;
    let account = space.create("account", json!({ "name": "A" })).await.unwrap().id;
    let link = space.show("account", account);
    let deal = space.create("deal", json!({ "name": "D", "account": link })).await.unwrap().id;
    let contact = space.create("contact", json!({ "name": "C", "account": link })).await.unwrap().id;
    match space.delete("account", account).await {
        Err(RecordError::Restrict { entity, field, count }) => assert_eq!((entity.as_str(), field.as_str(), count), ("deal", "account", 1)),
        other => panic!("{other:?}"),
    }
    // Nothing of the refused delete is left.
    assert_eq!(space.get("contact", contact).await["account"], json!(link));
    space.delete("deal", deal).await.unwrap();
    space.delete("account", account).await.unwrap();
    assert_eq!(space.get("contact", contact).await["account"], Json::Null);
    assert_eq!(space.get("account", account).await, Json::Null);
    assert_eq!(space.list("account", "deleted=deleted").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cascade_goes_and_comes_back_as_one() {
    let space = Workspace::new(DEFINITIONS).await;
    let lines = json!([{ "product": "A", "price": "1" }, { "product": "B", "price": "2" }]);
    let deal = space.create("deal", json!({ "name": "D", "lines": lines })).await.unwrap().id;
    let shown = space.get_selected("deal", deal, "select=lines(id)").await;
    let gone_before = relata::base::RecordId::parse(shown["lines"][0]["id"].as_str().unwrap()).unwrap().1;
    space.delete("line", gone_before).await.unwrap();
    space.clock.advance_ms(1_000);
    space.delete("deal", deal).await.unwrap();
    assert!(space.list("line", "").await.is_empty());
    space.restore("deal", deal).await.unwrap();
    // The line deleted on its own stays in the bin.
    let lines = space.list("line", "select=product").await;
    assert_eq!(lines, [json!({ "product": "B" })]);
    assert_eq!(space.get("deal", deal).await["total"], "2.00");
    assert!(matches!(space.restore("deal", deal).await, Err(RecordError::State { .. })));
    let update = space.delete("deal", relata::base::RecordId(5)).await;
    assert!(matches!(update, Err(RecordError::NotFound { .. })));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_record_cannot_be_changed_or_linked() {
    let space = Workspace::new(DEFINITIONS).await;
    let account = space.create("account", json!({ "name": "A" })).await.unwrap().id;
    space.delete("account", account).await.unwrap();
    assert!(matches!(space.update("account", account, json!({ "name": "B" })).await, Err(RecordError::NotFound { .. })));
    let error = space.create("deal", json!({ "name": "D", "account": space.show("account", account) })).await.unwrap_err();
    assert_eq!(super::workspace::faults(&error), [("/account".to_owned(), "not_found".to_owned())]);
}

/// A plan with versions, and a use of a version that keeps it from going alone.
const RESTRICTED: &str = r#"
kind: entity
id: shop.plan
title: "{name}"
features: {owner: false, soft_delete: {bin}}
fields:
  name: {type: text}
---
kind: entity
id: shop.edition
title: "{name}"
features: {owner: false, soft_delete: {bin}}
fields:
  name: {type: text}
  plan: {type: link, to: shop.plan, on_delete: cascade}
---
kind: entity
id: shop.usage
title: "{name}"
features: {owner: false, soft_delete: {bin}}
fields:
  name: {type: text}
  edition: {type: link, to: shop.edition, on_delete: restrict}
  plan: {type: link, to: shop.plan, on_delete: cascade}
"#;

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_with_the_same_delete_does_not_restrict_it() {
    for bin in ["true", "false"] {
        let space = Workspace::new(&RESTRICTED.replace("{bin}", bin)).await;
        let plan = space.create("plan", json!({ "name": "P" })).await.unwrap().id;
        let other = space.create("plan", json!({ "name": "Q" })).await.unwrap().id;
        let edition = space.create("edition", json!({ "name": "E", "plan": space.show("plan", plan) })).await.unwrap().id;
        let links = |plan| json!({ "name": "U", "edition": space.show("edition", edition), "plan": space.show("plan", plan) });
        let usage = space.create("usage", links(other)).await.unwrap().id;
        let restricted = |outcome| match outcome {
            Err(RecordError::Restrict { entity, field, count }) => {
                assert_eq!((entity.as_str(), field.as_str(), count), ("usage", "edition", 1))
            }
            other => panic!("{other:?}"),
        };
        // This use stays, for it hangs on another plan.
        restricted(space.delete("plan", plan).await.map(|_| ()));
        restricted(space.delete("edition", edition).await.map(|_| ()));
        space.update("usage", usage, links(plan)).await.unwrap();
        restricted(space.delete("edition", edition).await.map(|_| ()));
        space.delete("plan", plan).await.unwrap();
        assert_eq!((space.list("edition", "").await.len(), space.list("usage", "").await.len()), (0, 0), "bin {bin}");
    }
}

/// Two records that each go with the other.
#[tokio::test(flavor = "multi_thread")]
async fn cascades_in_a_circle_end() {
    let space = Workspace::new(
        r#"
kind: entity
id: shop.twin
title: "{name}"
features: {owner: false}
fields:
  name: {type: text}
  other: {type: link, to: shop.twin, on_delete: cascade}
"#,
    )
    .await;
    let first = space.create("twin", json!({ "name": "A" })).await.unwrap().id;
    let second = space.create("twin", json!({ "name": "B", "other": space.show("twin", first) })).await.unwrap().id;
    space.update("twin", first, json!({ "other": space.show("twin", second) })).await.unwrap();
    space.delete("twin", first).await.unwrap();
    assert!(space.list("twin", "").await.is_empty());
}
