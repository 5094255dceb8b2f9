//! Several saves in one request.

use relata::base::Value;
use relata::query::{self, Params};
use relata::record::{Batch, ManyUpdate, OneUpdate, RecordError, WriteOptions};
use serde_json::json;

use super::saving::DEFINITIONS;
use super::workspace::Workspace;

#[tokio::test(flavor = "multi_thread")]
async fn an_upsert_twice_changes_nothing_the_second_time() {
    let space = Workspace::new(DEFINITIONS).await;
    let entity = space.entity("account");
    let upsert = async |name: &str, values: serde_json::Value| {
        let input = space.input("account", &values).unwrap();
        space.records.upsert(&space.actor, &space.catalog, entity.ix, "name", vec![Value::from(name)], input, WriteOptions::default()).await
    };
    let first = upsert("Acme", json!({ "industry": "retail" })).await.unwrap();
    assert!(first.created);
    let second = upsert("acme", json!({ "industry": "retail" })).await.unwrap();
    assert_eq!((second.id, second.created, second.changed.len()), (first.id, false, 0));
    let third = upsert("ACME", json!({ "industry": "software" })).await.unwrap();
    assert_eq!((third.id, third.version), (first.id, 2));
    assert_eq!(space.get("account", first.id).await["name"], "Acme");
    assert!(matches!(upsert("", json!({})).await, Err(RecordError::BadRequest { .. })));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_record_of_many_stands_alone() {
    let space = Workspace::new(DEFINITIONS).await;
    let mut ids = Vec::new();
    for name in ["a", "b", "c"] {
        ids.push(space.create("deal", json!({ "name": name })).await.unwrap().id);
    }
    let set = |values: serde_json::Value| space.input("deal", &values).unwrap();
    let updates = vec![
        OneUpdate { id: ids[0], version: Some(1), set: set(json!({ "name": "A" })) },
        OneUpdate { id: ids[1], version: Some(7), set: set(json!({ "name": "B" })) },
        OneUpdate { id: ids[2], version: None, set: set(json!({ "stage": "lost" })) },
    ];
    let entity = space.entity("deal").ix;
    let result =
        space.records.update_many(&space.actor, &space.catalog, entity, ManyUpdate::Each(updates), WriteOptions::default()).await.unwrap();
    assert_eq!((result.changed(), result.failed()), (1, 2));
    assert!(matches!(result.results[1].1, Err(RecordError::Stale { current: 1, .. })));
    assert!(matches!(result.results[2].1, Err(RecordError::Invalid(_))));
    assert_eq!(space.get("deal", ids[0]).await["name"], "A");
    // By filter, with a cap.
    let request = |filter: &str| {
        let query = format!("filter={filter}");
        Box::new(query::parse_list(&space.catalog, space.records.cursor_key(), entity, &Params::parse(&query)).unwrap())
    };
    let many = |max_affected| ManyUpdate::Where {
        request: request("stage+=+'new'"),
        set: set(json!({ "stage": "lost", "reason": "x" })),
        max_affected,
    };
    let error = space.records.update_many(&space.actor, &space.catalog, entity, many(2), WriteOptions::default()).await.unwrap_err();
    assert!(matches!(error, RecordError::TooMany { limit: 2, .. }));
    let result = space.records.update_many(&space.actor, &space.catalog, entity, many(3), WriteOptions::default()).await.unwrap();
    assert_eq!(result.changed(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_refers_to_earlier_results() {
    let space = Workspace::new(DEFINITIONS).await;
    let run = async |batch: serde_json::Value| {
        let batch = Batch::from_json(&batch)?;
        space.records.batch(&space.actor, &space.catalog, batch, WriteOptions::default()).await
    };
    let result = run(json!({ "operations": [
        { "op": "create", "entity": "account", "values": { "name": "A" }, "as": "a" },
        { "op": "create", "entity": "deal", "values": { "name": "D", "account": { "$ref": "a" } } },
        { "op": "update", "entity": "deal", "id": { "$ref": 1 }, "values": { "name": "D2" } },
        { "op": "upsert", "entity": "account", "unique": "name", "values": { "name": "a", "industry": "retail" } },
    ] }))
    .await
    .unwrap();
    let done: Vec<_> = result.results.into_iter().map(Result::unwrap).collect();
    assert_eq!(done[2].saved.id, done[1].saved.id);
    assert_eq!(done[3].saved.id, done[0].saved.id);
    let shown = space.get("deal", done[1].saved.id).await;
    assert_eq!((&shown["name"], &shown["account"]), (&json!("D2"), &json!(space.show("account", done[0].saved.id))));
    // Atomic: nothing of it is kept.
    let broken = json!([
        { "op": "create", "entity": "account", "values": { "name": "B" } },
        { "op": "create", "entity": "deal", "values": {} },
    ]);
    match run(json!({ "operations": broken })).await {
        Err(RecordError::Operation { index: 1, error }) => assert!(matches!(*error, RecordError::Invalid(_))),
        other => panic!("{other:?}"),
    }
    assert_eq!(space.list("account", "").await.len(), 1);
    // Each on its own: the good one stays.
    let result = run(json!({ "atomic": false, "operations": broken })).await.unwrap();
    assert!(result.results[0].is_ok() && result.results[1].is_err());
    assert_eq!(space.list("account", "").await.len(), 2);
    for bad in [
        json!([]),
        json!({ "operations": [{ "op": "fly", "entity": "deal" }] }),
        json!({ "operations": [{ "op": "update", "entity": "deal" }] }),
    ] {
        assert!(matches!(run(bad).await, Err(RecordError::BadRequest { .. })));
    }
    let unknown = run(json!({ "operations": [{ "op": "create", "entity": "account", "values": { "name": { "$ref": "zz" } } }] })).await;
    assert!(matches!(unknown, Err(RecordError::Operation { .. })));
}
