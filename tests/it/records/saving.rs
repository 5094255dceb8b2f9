//! One save: versions, defaults, rules, uniques, nested records, idempotency.

use relata::record::{RecordError, Source, WriteOptions};
use serde_json::{Value as Json, json};

use super::workspace::{Workspace, faults};

pub const DEFINITIONS: &str = r#"
kind: entity
id: shop.account
title: "{name}"
fields:
  name: {type: text, required: true, unique: true, search: true}
  industry: {type: select, options: [software, retail]}
  segment:
    type: select
    options: [smb, ent]
    depends_on: {field: industry, allow: {software: [smb, ent], retail: [smb]}}
---
kind: entity
id: shop.deal
title: "{number} · {name}"
fields:
  number: {type: auto_number, format: "D-{seq:3}"}
  name: {type: text, required: true, search: true}
  account: {type: link, to: shop.account, on_delete: restrict, inverse: deals}
  stage: {type: select, options: [new, won, lost], default: new}
  reason: {type: text, required_if: "stage = 'lost'"}
  amount: {type: money, currency: CNY, readonly_if: "stage = 'won'"}
  discount: {type: percent, scale: 2, default: 0, max: 60}
  net: {type: formula, returns: money, expr: "amount * (1 - discount / 100)", stored: true}
  close_on: {type: date, default: "=today() + 2"}
  lines: {type: children, of: shop.line, by: deal}
  total: {type: rollup, of: lines, agg: "sum(total)"}
  contacts: {type: links, to: shop.contact, through: shop.deal_contact}
rules:
  - {id: close_late, assert: "close_on is null or close_on >= date(created_at)", at: close_on, code: close_in_past, message: {en: Closes before it was made, zh-CN: 早于创建}}
  - {id: won_has_lines, when: "stage = 'won'", assert: "count(lines) >= 1", message: Add a line}
---
kind: entity
id: shop.line
title: "{product}"
features: {owner: false}
fields:
  deal: {type: link, to: shop.deal, required: true, on_delete: cascade}
  product: {type: text, required: true}
  qty: {type: integer, default: 1, min: 1}
  price: {type: decimal, scale: 2, required: true}
  total: {type: formula, returns: decimal, scale: 2, expr: "qty * price", stored: true}
---
kind: entity
id: shop.contact
title: "{name}"
fields:
  name: {type: text, required: true}
  account: {type: link, to: shop.account, on_delete: set_null}
---
kind: entity
id: shop.deal_contact
title: "{contact}"
features: {owner: false, soft_delete: false}
fields:
  deal: {type: link, to: shop.deal, required: true, on_delete: cascade}
  contact: {type: link, to: shop.contact, required: true, on_delete: cascade}
  role: {type: select, options: [buyer, user]}
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_new_record_has_its_defaults_number_and_stamps() {
    let space = Workspace::new(DEFINITIONS).await;
    let saved = space.create("deal", json!({ "name": "Big" })).await.unwrap();
    assert!(saved.created);
    let shown = space.get("deal", saved.id).await;
    let user = space.show("user", space.actor.user.unwrap());
    for (field, wanted) in [
        ("id", json!(space.show("deal", saved.id))),
        ("version", json!(1)),
        ("number", json!("D-001")),
        ("stage", json!("new")),
        ("discount", json!("0.00")),
        ("close_on", json!("2026-01-03")),
        ("owner", json!(user)),
        ("created_by", json!(user)),
        ("created_at", json!("2026-01-01T00:00:00Z")),
        ("deleted_at", Json::Null),
        ("net", Json::Null),
    ] {
        assert_eq!(shown[field], wanted, "{field}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_save_that_changes_nothing_writes_nothing() {
    let space = Workspace::new(DEFINITIONS).await;
    let saved = space.create("deal", json!({ "name": "Big" })).await.unwrap();
    space.clock.advance_ms(5_000);
    let before = space.records.changes(&space.actor, None, 100).await.unwrap().next;
    let again = space.update("deal", saved.id, json!({ "name": "Big", "stage": "new" })).await.unwrap();
    assert_eq!((again.version, again.changed.len()), (1, 0));
    assert_eq!(space.get("deal", saved.id).await["updated_at"], "2026-01-01T00:00:00Z");
    assert_eq!(space.records.changes(&space.actor, None, 100).await.unwrap().next, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stale_version_is_refused_with_what_changed() {
    let space = Workspace::new(DEFINITIONS).await;
    let saved = space.create("deal", json!({ "name": "Big" })).await.unwrap();
    space.update("deal", saved.id, json!({ "name": "Bigger" })).await.unwrap();
    let options = WriteOptions::from(Source::Api).if_match(Some(1));
    match space.update_with("deal", saved.id, json!({ "stage": "won" }), options).await {
        Err(RecordError::Stale { current: 2, changed }) => assert_eq!(changed, ["name"]),
        other => panic!("{other:?}"),
    }
    let options = WriteOptions::from(Source::Api).if_match(Some(2));
    assert_eq!(space.update_with("deal", saved.id, json!({ "stage": "lost", "reason": "price" }), options).await.unwrap().version, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn all_faults_are_told_at_once() {
    let space = Workspace::new(DEFINITIONS).await;
    let error = space
        .create(
            "deal",
            json!({ "stage": "lost", "close_on": "2025-12-01", "lines": [{ "qty": 0, "price": "1" }, { "product": "B", "price": "2" }] }),
        )
        .await
        .unwrap_err();
    // A value of the wrong kind is told before anything else is looked at.
    assert_eq!(faults(&error)[0].0, "/lines/0/qty");
    let error = space
        .create("deal", json!({ "stage": "lost", "close_on": "2025-12-01", "lines": [{ "qty": 1, "price": "1" }, { "product": "B" }] }))
        .await
        .unwrap_err();
    let mut found = faults(&error);
    found.sort();
    let wanted: Vec<(String, String)> = [
        ("/close_on", "close_in_past"),
        ("/lines/0/product", "required"),
        ("/lines/1/price", "required"),
        ("/name", "required"),
        ("/reason", "required"),
    ]
    .map(|(path, code)| (path.to_owned(), code.to_owned()))
    .into();
    assert_eq!(found, wanted);
    assert!(space.list("deal", "").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn conditions_of_fields_bind_every_door() {
    let space = Workspace::new(DEFINITIONS).await;
    let saved = space.create("deal", json!({ "name": "A", "amount": "10", "lines": [{ "product": "P", "price": "1" }] })).await.unwrap();
    space.update("deal", saved.id, json!({ "stage": "won", "amount": "11" })).await.unwrap();
    let error = space.update("deal", saved.id, json!({ "amount": "12" })).await.unwrap_err();
    assert_eq!(faults(&error), [("/amount".to_owned(), "readonly_now".to_owned())]);
    // The same value is no change.
    space.update("deal", saved.id, json!({ "amount": "11.00", "name": "B" })).await.unwrap();
    let error = space.create("account", json!({ "name": "X", "industry": "retail", "segment": "ent" })).await.unwrap_err();
    assert_eq!(faults(&error), [("/segment".to_owned(), "option_not_allowed".to_owned())]);
    let account = space.create("account", json!({ "name": "X", "industry": "software", "segment": "ent" })).await.unwrap();
    let error = space.update("account", account.id, json!({ "industry": "retail" })).await.unwrap_err();
    assert_eq!(faults(&error), [("/segment".to_owned(), "option_not_allowed".to_owned())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_unique_holds_over_live_records_and_folded_text() {
    let space = Workspace::new(DEFINITIONS).await;
    let first = space.create("account", json!({ "name": "Acme" })).await.unwrap();
    match space.create("account", json!({ "name": "ＡＣＭＥ" })).await {
        Err(RecordError::Unique { entity, fields, .. }) => assert_eq!((entity.as_str(), fields), ("account", vec!["name".to_owned()])),
        other => panic!("{other:?}"),
    }
    space.delete("account", first.id).await.unwrap();
    let second = space.create("account", json!({ "name": "acme" })).await.unwrap();
    assert!(matches!(space.restore("account", first.id).await, Err(RecordError::Unique { .. })));
    space.delete("account", second.id).await.unwrap();
    space.restore("account", first.id).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn nested_records_are_saved_with_their_parent() {
    let space = Workspace::new(DEFINITIONS).await;
    let lines = json!([{ "product": "A", "qty": 2, "price": "1.50" }, { "product": "B", "price": "4" }]);
    let saved = space.create("deal", json!({ "name": "D", "stage": "won", "lines": lines })).await.unwrap();
    assert_eq!(saved.version, 1);
    let shown = space.get_selected("deal", saved.id, "select=version,total,lines(id,product,qty,total;sort=product)").await;
    assert_eq!(shown["total"], "7.00");
    assert_eq!(shown["version"], 1);
    assert_eq!(shown["lines"][0]["total"], "3.00");
    let (a, b) = (shown["lines"][0]["id"].clone(), shown["lines"][1]["id"].clone());
    // Change one, add one, leave one out: it goes.
    let lines = json!([{ "id": a, "qty": 3 }, { "product": "C", "price": "10" }]);
    space.update("deal", saved.id, json!({ "lines": lines })).await.unwrap();
    let shown = space.get_selected("deal", saved.id, "select=version,total,lines(id,product;sort=product)").await;
    assert_eq!(shown["total"], "14.50");
    assert_eq!(shown["version"], 2);
    assert_eq!(shown["lines"][1]["product"], "C");
    assert_eq!(shown["lines"].as_array().unwrap().len(), 2);
    // Merge leaves what is not named.
    space.update("deal", saved.id, json!({ "lines": { "merge": [{ "product": "D", "price": "1" }] } })).await.unwrap();
    assert_eq!(space.get_selected("deal", saved.id, "select=total").await["total"], "15.50");
    // A rule over the rows sees them as they will be.
    let error = space.update("deal", saved.id, json!({ "lines": [] })).await.unwrap_err();
    assert_eq!(faults(&error), [(String::new(), "won_has_lines".to_owned())]);
    // A line of another record is not taken over.
    let other = space.create("deal", json!({ "name": "E" })).await.unwrap();
    let error = space.update("deal", other.id, json!({ "lines": [{ "id": b, "qty": 1 }] })).await.unwrap_err();
    assert_eq!(faults(&error), [("/lines/0/id".to_owned(), "not_found".to_owned())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn links_keep_their_own_fields() {
    let space = Workspace::new(DEFINITIONS).await;
    let mut ids = Vec::new();
    for name in ["Ann", "Bob", "Cid"] {
        ids.push(space.show("contact", space.create("contact", json!({ "name": name })).await.unwrap().id));
    }
    let saved = space.create("deal", json!({ "name": "D", "contacts": [{ "id": ids[0], "role": "buyer" }, ids[1]] })).await.unwrap();
    let shown = space.get("deal", saved.id).await;
    assert_eq!(shown["contacts"].as_array().unwrap().len(), 2);
    let rows = space.list("deal_contact", "select=contact,role&sort=id").await;
    assert_eq!(rows[0], json!({ "contact": ids[0], "role": "buyer" }));
    // A plain list: what stays keeps its fields, the version goes up because the record shows other links.
    let again = space.update("deal", saved.id, json!({ "contacts": [ids[0], ids[2]] })).await.unwrap();
    assert_eq!(again.version, 2);
    let rows = space.list("deal_contact", "select=contact,role&sort=id").await;
    assert_eq!(rows, [json!({ "contact": ids[0], "role": "buyer" }), json!({ "contact": ids[2], "role": null })]);
    let same = space.update("deal", saved.id, json!({ "contacts": [ids[2], ids[0]] })).await.unwrap();
    assert_eq!(same.version, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idempotency_key_gives_the_first_answer() {
    let space = Workspace::new(DEFINITIONS).await;
    let options = || WriteOptions { idempotency_key: Some("k1".to_owned()), ..WriteOptions::default() };
    let first = space.create_with("deal", json!({ "name": "A" }), options()).await.unwrap();
    let second = space.create_with("deal", json!({ "name": "A" }), options()).await.unwrap();
    assert_eq!((first.id, first.version, &first.changed), (second.id, second.version, &second.changed));
    assert!(second.replayed && !first.replayed);
    assert!(matches!(space.create_with("deal", json!({ "name": "B" }), options()).await, Err(RecordError::KeyReused)));
    assert_eq!(space.list("deal", "").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_leaves_nothing() {
    let space = Workspace::new(DEFINITIONS).await;
    let options = WriteOptions { dry_run: true, ..WriteOptions::default() };
    let saved = space.create_with("deal", json!({ "name": "A" }), options.clone()).await.unwrap();
    assert!(saved.created);
    assert!(space.create_with("deal", json!({}), options).await.is_err());
    assert!(space.list("deal", "").await.is_empty());
    let kept = space.create("deal", json!({ "name": "A" })).await.unwrap();
    assert_eq!(space.get("deal", kept.id).await["number"], "D-001");
}
