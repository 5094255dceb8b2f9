//! Hooks: where they stand in a save, what they may do, what keeps them from running away.

use std::sync::Arc;

use relata::base::{EntityIx, Value};
use relata::record::{
    BoxFuture, Cause, DELIVER, Delivery, Draft, EventKind, HookPoint, Input, Record, RecordError, RecordEvent, RecordHooks, RecordTx,
    Source, WriteOptions,
};
use relata::schema::catalog::Catalog;
use serde_json::json;

use super::saving::DEFINITIONS;
use super::workspace::{Workspace, faults};

/// On deals: names in capitals, none called NO, a line for each new one; counts upwards without end when asked to.
struct Busy;

impl RecordHooks for Busy {
    fn matches(&self, catalog: &Catalog, entity: EntityIx, _: HookPoint) -> bool {
        catalog.entity(entity).slug == "deal"
    }

    fn before_save<'a>(&'a self, tx: &'a mut RecordTx<'_>, draft: &'a mut Draft) -> BoxFuture<'a, Result<(), RecordError>> {
        Box::pin(async move {
            let catalog = tx.catalog().clone();
            let entity = catalog.entity(draft.entity);
            let name = entity.find_field("name").unwrap().ix;
            let Some(text) = draft.get(name).as_text().map(str::to_uppercase) else {
                return Ok(());
            };
            if text == "NO" {
                draft.reject(entity, Some(name), "not_no", "must not be no");
            }
            draft.set(name, Value::Text(text));
            draft.warnings.push("shouted".to_owned());
            Ok(())
        })
    }

    fn before_delete<'a>(&'a self, _: &'a mut RecordTx<'_>, _: &'a Record) -> BoxFuture<'a, Result<(), RecordError>> {
        Box::pin(async {
            Err(RecordError::Hook { script: "busy".to_owned(), file: "busy.rhai".to_owned(), line: Some(3), message: "never".to_owned() })
        })
    }

    fn after_write<'a>(&'a self, tx: &'a mut RecordTx<'_>, event: &'a RecordEvent) -> BoxFuture<'a, Result<(), RecordError>> {
        Box::pin(async move {
            let catalog = tx.catalog().clone();
            let deal = catalog.entity(event.entity);
            let name = deal.find_field("name").unwrap().ix;
            if event.record.get(name).as_text() == Some("ENDLESS") {
                let discount = deal.find_field("discount").unwrap().ix;
                let next = match event.record.get(discount) {
                    Value::Decimal(number) => number.units / 100 + 1,
                    _ => 1,
                };
                let mut input = Input::new();
                input.set(discount, Value::Decimal(relata::base::Decimal::new(next * 100, 2)));
                return tx.update(event.entity, event.id, input, &WriteOptions::from(Source::Script)).await.map(|_| ());
            }
            let cause = Cause { handler: "busy".to_owned(), entity: event.entity, id: event.id };
            if event.kind != EventKind::Create || !tx.enter(cause) {
                return Ok(());
            }
            let line = catalog.find_entity("line").unwrap();
            let mut input = Input::new();
            input.set(line.find_field("deal").unwrap().ix, Value::Link(event.id));
            input.set(line.find_field("product").unwrap().ix, "gift");
            input.set(line.find_field("price").unwrap().ix, Value::Decimal(relata::base::Decimal::new(500, 2)));
            let result = tx.create(line.ix, input, &WriteOptions::from(Source::Script)).await;
            tx.leave();
            result.map(|_| ())
        })
    }

    fn deliveries(&self, _: &Catalog, event: &RecordEvent) -> Vec<String> {
        if event.kind == EventKind::Create { vec!["mailer".to_owned()] } else { Vec::new() }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hooks_change_refuse_and_follow() {
    let space = Workspace::with_hooks(DEFINITIONS, Arc::new(Busy)).await;
    let saved = space.create("deal", json!({ "name": "gold" })).await.unwrap();
    assert_eq!(saved.warnings, ["shouted"]);
    // The rollup over the line the hook made saved the deal once more.
    assert_eq!(saved.version, 2);
    let shown = space.get("deal", saved.id).await;
    assert_eq!((&shown["name"], &shown["total"]), (&json!("GOLD"), &json!("5.00")));
    let error = space.create("deal", json!({ "name": "no", "stage": "lost" })).await.unwrap_err();
    let mut found = faults(&error);
    found.sort();
    assert_eq!(found, [("/name".to_owned(), "not_no".to_owned()), ("/reason".to_owned(), "required".to_owned())]);
    assert!(matches!(space.delete("deal", saved.id).await, Err(RecordError::Hook { line: Some(3), .. })));
    let page = space.records.history(&space.actor, space.entity("deal").ix, saved.id, None, 10).await.unwrap();
    let first = page.entries.last().unwrap();
    assert!(first.changes.iter().any(|change| change.field == "name" && change.by_script));
    // The delivery waits in the queue, with the values.
    let jobs = relata::store::jobs::claim(&space.store, 10, std::time::Duration::from_secs(5)).await.unwrap();
    assert_eq!(jobs.len(), 1);
    assert_eq!(jobs[0].handler, DELIVER);
    let delivery = Delivery::from_json(&serde_json::from_str(&jobs[0].payload_json).unwrap()).unwrap();
    assert_eq!((delivery.handler.as_str(), delivery.entity.as_str(), delivery.id), ("mailer", "deal", saved.id));
    assert_eq!(delivery.values["name"], "GOLD");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hook_that_starts_itself_is_stopped() {
    let space = Workspace::with_hooks(DEFINITIONS, Arc::new(Busy)).await;
    let error = space.create("deal", json!({ "name": "endless" })).await.unwrap_err();
    assert!(matches!(error, RecordError::TooDeep { depth: 6 }), "{error:?}");
    assert!(space.list("deal", "").await.is_empty());
}
