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
