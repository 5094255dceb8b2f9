//! What a save costs in statements: fixed numbers, so that a change that adds one is noticed.

use relata::record::{RecordError, RecordTx, Source, WriteOptions};
use serde_json::{Value as Json, json};

use super::workspace::Workspace;

const DEFINITIONS: &str = r#"
kind: entity
id: shop.plain
title: "{name}"
fields:
  name: {type: text, required: true, search: true}
  note: {type: text}
  amount: {type: decimal}
  doubled: {type: formula, returns: decimal, scale: 2, expr: "amount * 2", stored: true}
---
kind: entity
id: shop.linked
title: "{name}"
fields:
  name: {type: text, required: true}
  plain: {type: link, to: shop.plain}
  words: {type: tags}
---
kind: entity
id: shop.parent
title: "{name}"
fields:
  name: {type: text}
  items: {type: children, of: shop.item, by: parent}
  total: {type: rollup, of: items, agg: "sum(price)"}
---
kind: entity
id: shop.item
title: "{name}"
features: {owner: false}
fields:
  name: {type: text}
  price: {type: decimal}
  parent: {type: link, to: shop.parent, on_delete: cascade}
---
kind: entity
id: shop.staged
title: "{name}"
fields:
  name: {type: text}
  stage: {type: select, options: [new, done, won], default: new}
  plain: {type: link, to: shop.plain}
pipelines:
  - id: work
    field: stage
    stages: [{key: new}, {key: done}, {key: won, closed: won}]
    gates:
      - {id: named, to: done, require: [{fields: [name]}]}
      - {id: paid, to: won, require: [{expr: "plain.amount > 0", message: Pay}]}
---
kind: entity
id: shop.guarded
title: "{name}"
fields:
  name: {type: text}
  note: {type: text}
  price: {type: decimal}
approvals:
  - {id: agreed, fields: [price], steps: [{id: one, roles: [admin]}]}
"#;

/// Statements of one operation beyond the look at the version of the definitions. On SQLite the search text is written at
/// the commit and not counted here.
async fn cost(space: &Workspace, slug: &str, id: Option<relata::base::RecordId>, values: Json) -> (relata::base::RecordId, u64) {
    let entity = space.entity(slug).ix;
    let input = space.input(slug, &values).unwrap();
    space
        .records
        .unit(&space.actor, Source::Api, Vec::new(), move |tx: &mut RecordTx<'_>| {
            let input = input.clone();
            Box::pin(async move {
                let before = tx.store().statements();
                let options = WriteOptions::default();
                let saved = match id {
                    Some(id) => tx.update(entity, id, input, &options).await?,
                    None => tx.create(entity, input, &options).await?,
                };
                Ok::<_, RecordError>((saved.id, tx.store().statements() - before))
            })
        })
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_save_runs_as_few_statements_as_it_can() {
    let space = Workspace::new(DEFINITIONS).await;
    let searches = u64::from(space.store.dialect() == relata::store::Dialect::Postgres);
    // Row, history, event (and the search text).
    let (plain, statements) = cost(&space, "plain", None, json!({ "name": "A", "amount": "2" })).await;
    assert_eq!(statements, 3 + searches, "create");
    // Load, row, history, event.
    assert_eq!(cost(&space, "plain", Some(plain), json!({ "note": "x" })).await.1, 4, "update");
    assert_eq!(cost(&space, "plain", Some(plain), json!({ "name": "B" })).await.1, 4 + searches, "update of a search field");
    assert_eq!(cost(&space, "plain", Some(plain), json!({ "name": "B" })).await.1, 1, "no change");
    // One look at the linked record, one statement for the words.
    let link = space.show("plain", plain);
    let (linked, statements) = cost(&space, "linked", None, json!({ "name": "L", "plain": link, "words": ["a", "b", "c"] })).await;
    assert_eq!(statements, 5, "create with a link and words");
    // The link is not looked at again when it stays.
    assert_eq!(cost(&space, "linked", Some(linked), json!({ "name": "M", "plain": link })).await.1, 4, "update beside a link");
    // A child: the look at its parent, row, history, event; then the parent's load, its rows, row, history, event.
    let (parent, statements) = cost(&space, "parent", None, json!({ "name": "P" })).await;
    assert_eq!(statements, 3, "create a parent");
    let parent = space.show("parent", parent);
    assert_eq!(cost(&space, "item", None, json!({ "parent": parent, "price": "1" })).await.1, 9, "create a child");
    // Ten children at once: their parent is computed once.
    let items: Vec<Json> = (0..10).map(|number| json!({ "name": number.to_string(), "price": "1" })).collect();
    let (_, statements) = cost(&space, "parent", None, json!({ "name": "Q", "items": items })).await;
    assert_eq!(statements, 10 * 3 + 5, "create a parent with ten children");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pipeline_costs_one_statement_where_a_record_moves_and_none_elsewhere() {
    let space = Workspace::new(DEFINITIONS).await;
    // Row, history, event, the stage.
    let (staged, statements) = cost(&space, "staged", None, json!({ "name": "A" })).await;
    assert_eq!(statements, 4, "create");
    // Load, row, history, event.
    assert_eq!(cost(&space, "staged", Some(staged), json!({ "name": "B" })).await.1, 4, "an update that moves nothing");
    // And what its gates read beyond the record: no gate of this entity reads anything where there is no link.
    assert_eq!(cost(&space, "staged", Some(staged), json!({ "stage": "done" })).await.1, 5, "a move");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approval_is_looked_for_only_where_what_it_decides_on_changes() {
    let space = Workspace::new(DEFINITIONS).await;
    let (guarded, statements) = cost(&space, "guarded", None, json!({ "name": "A", "price": "1" })).await;
    assert_eq!(statements, 3, "nothing was asked about a new record");
    assert_eq!(cost(&space, "guarded", Some(guarded), json!({ "note": "x" })).await.1, 4, "another field");
    assert_eq!(cost(&space, "guarded", Some(guarded), json!({ "note": "y", "price": "1" })).await.1, 4, "the value it has");
    assert_eq!(cost(&space, "guarded", Some(guarded), json!({ "price": "2" })).await.1, 5, "one look for what runs");
}
