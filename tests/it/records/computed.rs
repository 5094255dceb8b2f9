//! Formulas, rollups and lookups follow what they read, in the same transaction.

use serde_json::{Value as Json, json};

use super::saving::DEFINITIONS;
use super::workspace::Workspace;

#[tokio::test(flavor = "multi_thread")]
async fn a_formula_follows_its_fields() {
    let space = Workspace::new(DEFINITIONS).await;
    let deal = space.create("deal", json!({ "name": "D", "amount": "100", "discount": "12.5" })).await.unwrap().id;
    assert_eq!(space.get("deal", deal).await["net"]["amount"], "87.50");
    space.update("deal", deal, json!({ "discount": 50 })).await.unwrap();
    assert_eq!(space.get("deal", deal).await["net"]["amount"], "50.00");
    space.update("deal", deal, json!({ "amount": null })).await.unwrap();
    assert_eq!(space.get("deal", deal).await["net"], Json::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollup_follows_its_rows() {
    let space = Workspace::new(DEFINITIONS).await;
    let first = space.create("deal", json!({ "name": "1" })).await.unwrap().id;
    let second = space.create("deal", json!({ "name": "2" })).await.unwrap().id;
    assert_eq!(space.get("deal", first).await["total"], "0.00");
    let (one, two) = (space.show("deal", first), space.show("deal", second));
    let line = space.create("line", json!({ "deal": one, "product": "A", "qty": 2, "price": "3" })).await.unwrap().id;
    space.create("line", json!({ "deal": one, "product": "B", "price": "0.50" })).await.unwrap();
    let totals = async || (space.get("deal", first).await["total"].clone(), space.get("deal", second).await["total"].clone());
    assert_eq!(totals().await, (json!("6.50"), json!("0.00")));
    // The record above changed, so its version does.
    assert_eq!(space.get("deal", first).await["version"], 3);
    space.update("line", line, json!({ "product": "A2" })).await.unwrap();
    assert_eq!(space.get("deal", first).await["version"], 3);
    space.update("line", line, json!({ "deal": two })).await.unwrap();
    assert_eq!(totals().await, (json!("0.50"), json!("6.00")));
    space.delete("line", line).await.unwrap();
    assert_eq!(totals().await, (json!("0.50"), json!("0.00")));
    space.restore("line", line).await.unwrap();
    assert_eq!(totals().await, (json!("0.50"), json!("6.00")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_is_told_what_holds_now() {
    let space = Workspace::new(DEFINITIONS).await;
    let entity = space.entity("deal");
    let state = async |id, values: Json| {
        let input = space.input("deal", &values).unwrap();
        space.records.form_state(&space.actor, &space.catalog, entity.ix, id, &input).await.unwrap()
    };
    let field = |name: &str| entity.find_field(name).unwrap().ix;
    let new = state(None, json!({ "stage": "lost", "amount": "10", "discount": 10 })).await;
    assert!(new.field(field("reason")).unwrap().required);
    assert!(!new.field(field("amount")).unwrap().readonly);
    assert_eq!(new.field(field("stage")).unwrap().options.as_deref(), Some(&["new".to_owned(), "won".to_owned(), "lost".to_owned()][..]));
    let net = relata::schema::field_type::to_json(&space.catalog, entity.field(field("net")), &new.field(field("net")).unwrap().value);
    assert_eq!(net["amount"], "9.00");
    let close_on = &new.field(field("close_on")).unwrap().value;
    assert_eq!(relata::schema::field_type::to_json(&space.catalog, entity.field(field("close_on")), close_on), "2026-01-03");
    let deal = space.create("deal", json!({ "name": "D", "stage": "won", "lines": [{ "product": "A", "price": "1" }] })).await.unwrap().id;
    let stored = state(Some(deal), json!({})).await;
    assert!(stored.field(field("amount")).unwrap().readonly);
    assert!(!stored.field(field("reason")).unwrap().required);
    let account = space.entity("account");
    let input = space.input("account", &json!({ "industry": "retail" })).unwrap();
    let state = space.records.form_state(&space.actor, &space.catalog, account.ix, None, &input).await.unwrap();
    let segment = state.field(account.find_field("segment").unwrap().ix).unwrap();
    assert_eq!(segment.options.as_deref(), Some(&["smb".to_owned()][..]));
}
