//! What a save leaves behind besides the row: history, search text, the event of the outbox, and the jobs that deliver it.

use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use super::delivery::{DELIVER, Delivery};
use super::error::RecordError;
use super::hooks::{EventKind, Record, RecordEvent};
use super::options::WriteOptions;
use super::plan::Compiled;
use super::unit::RecordTx;
use crate::base::{EntityIx, FieldIx, Locale, RecordId};
use crate::schema::catalog::{Entity, Field};
use crate::schema::field_type;
use crate::store::{history, jobs, outbox, search};

/// The kind of job that computes stored values left over by a large change; its payload is for
/// [`Records::recalculate`](super::Records::recalculate).
pub const RECALCULATE: &str = "recalculate";

/// Records of one recalculation job.
const PER_JOB: usize = 1_000;

/// One written change.
pub(super) struct Trace<'a> {
    pub kind: EventKind,
    pub record: &'a Record,
    pub old: Option<&'a Record>,
    pub changed: &'a [FieldIx],
    pub by_script: &'a [FieldIx],
}

impl RecordTx<'_> {
    /// Writes history, search text and the event.
    pub(super) async fn trace(&mut self, compiled: &Compiled, change: Trace<'_>, options: &WriteOptions) -> Result<(), RecordError> {
        let entity = compiled.entity(change.record.entity);
        let actor = self.scope.actor.user_id();
        self.scope.versions.insert((entity.ix, change.record.id), change.record.version);
        if entity.features.history {
            let source = if self.scope.depth > 0 { "script" } else { options.source.as_str() };
            let entry = history::Entry {
                record: change.record.id,
                version: change.record.version,
                entity_uid: entity.uid.clone(),
                action: change.kind.as_str().to_owned(),
                at: self.now(),
                actor,
                actor_kind: source.to_owned(),
                changes_json: changes_json(compiled, entity, &change),
            };
            history::append(self.store, &entry).await?;
        }
        self.trace_search(compiled, entity, &change).await?;
        if matches!(entity.id.as_str(), "core.user" | "core.team") {
            self.store.identity_changed().await?;
        }
        let changed: Vec<&str> = change.changed.iter().map(|ix| uid_of(entity.field(*ix))).collect();
        let chain: Vec<(&str, &str, i64)> = self
            .scope
            .chain
            .iter()
            .map(|cause| (cause.handler.as_str(), compiled.entity(cause.entity).slug.as_str(), cause.id.0))
            .collect();
        let event = outbox::NewEvent {
            entity_uid: entity.uid.clone(),
            record: change.record.id,
            version: change.record.version,
            event: change.kind.as_str().to_owned(),
            changed_json: json!(changed).to_string(),
            actor,
            chain_json: json!(chain).to_string(),
            schema_version: compiled.catalog.version,
        };
        Ok(outbox::append(self.store, &event).await?)
    }

    async fn trace_search(&mut self, compiled: &Compiled, entity: &Entity, change: &Trace<'_>) -> Result<(), RecordError> {
        let fields = &compiled.plan(entity.ix).search;
        if fields.is_empty() {
            return Ok(());
        }
        let concerns = match change.kind {
            EventKind::Create | EventKind::Restore => true,
            EventKind::Delete => return Ok(search::remove(self.store, change.record.id).await?),
            EventKind::Update => change.changed.iter().any(|ix| fields.contains(ix)),
        };
        if concerns {
            let text = search_text(compiled, entity, change.record);
            search::put(self.store, change.record.id, &text, change.kind == EventKind::Create).await?;
        }
        Ok(())
    }

    /// Queues one delivery for each handler.
    pub(super) async fn enqueue_deliveries(
        &mut self,
        compiled: &Arc<Compiled>,
        event: &RecordEvent,
        handlers: Vec<String>,
    ) -> Result<(), RecordError> {
        if handlers.is_empty() {
            return Ok(());
        }
        let mut delivery = self.delivery(compiled, event);
        for handler in handlers {
            delivery.handler = handler;
            let job = jobs::NewJob {
                handler: DELIVER.to_owned(),
                payload_json: delivery.to_json().to_string(),
                // In order per record and handler: one that fails holds up nobody else.
                lane: Some(format!("{}:{}", delivery.handler, event.id.0)),
                ..jobs::NewJob::default()
            };
            jobs::enqueue(self.store, &job).await?;
        }
        Ok(())
    }

    fn delivery(&self, compiled: &Compiled, event: &RecordEvent) -> Delivery {
        let entity = compiled.entity(event.entity);
        let all: Vec<FieldIx> = entity.fields.iter().map(|field| field.ix).collect();
        let shown: &[FieldIx] = if event.kind == EventKind::Update { &event.changed } else { &all };
        let values_of = |record: &Record| -> Map<String, Json> {
            let with_value =
                shown.iter().map(|ix| entity.field(*ix)).filter(|field| !record.get(field.ix).is_null() || event.kind == EventKind::Update);
            with_value.map(|field| (field.name.clone(), field_type::to_json(&compiled.catalog, field, record.get(field.ix)))).collect()
        };
        Delivery {
            handler: String::new(),
            kind: event.kind,
            entity: entity.slug.clone(),
            id: event.id,
            version: event.version,
            changed: event.changed.iter().map(|ix| entity.field(*ix).name.clone()).collect(),
            old: event.old.as_ref().map(values_of).unwrap_or_default(),
            values: values_of(&event.record),
            by: self.scope.actor.user_id(),
            chain: self
                .scope
                .chain
                .iter()
                .map(|cause| (cause.handler.clone(), compiled.entity(cause.entity).slug.clone(), cause.id.0))
                .collect(),
        }
    }

    /// Leaves the computing of many records to jobs.
    pub(super) async fn enqueue_recalculation(
        &mut self,
        compiled: &Compiled,
        entity: EntityIx,
        ids: Vec<RecordId>,
    ) -> Result<(), RecordError> {
        for part in ids.chunks(PER_JOB) {
            let ids: Vec<i64> = part.iter().map(|id| id.0).collect();
            let payload = json!({ "entity": compiled.entity(entity).uid, "ids": ids });
            let job = jobs::NewJob { handler: RECALCULATE.to_owned(), payload_json: payload.to_string(), ..jobs::NewJob::default() };
            jobs::enqueue(self.store, &job).await?;
        }
        Ok(())
    }
}

/// What definitions and history know a field by.
fn uid_of(field: &Field) -> &str {
    if field.uid.is_empty() { &field.name } else { &field.uid }
}

/// `{"<field uid>": [old, new]}`, with `true` behind the values a script set.
fn changes_json(compiled: &Compiled, entity: &Entity, change: &Trace<'_>) -> String {
    let mut map = Map::new();
    for ix in change.changed {
        let field = entity.field(*ix);
        if field.is_system && field.name != "owner" {
            continue;
        }
        let json =
            |record: Option<&Record>| record.map_or(Json::Null, |record| field_type::to_json(&compiled.catalog, field, record.get(*ix)));
        let mut pair = vec![json(change.old), json(Some(change.record))];
        if change.by_script.contains(ix) {
            pair.push(Json::Bool(true));
        }
        map.insert(uid_of(field).to_owned(), Json::Array(pair));
    }
    Json::Object(map).to_string()
}

impl RecordTx<'_> {
    /// Writes a record's search text anew, whatever changed.
    pub(super) async fn write_search(&mut self, compiled: &Compiled, record: &Record) -> Result<(), RecordError> {
        let entity = compiled.entity(record.entity);
        let text = search_text(compiled, entity, record);
        Ok(search::put(self.store, record.id, &text, false).await?)
    }
}

/// The text of all search fields; labels of options in every language.
fn search_text(compiled: &Compiled, entity: &Entity, record: &Record) -> String {
    let mut text = String::new();
    let zone = &compiled.catalog.settings.time_zone;
    for ix in &compiled.plan(entity.ix).search {
        let mut last = String::new();
        for locale in Locale::ALL {
            let part = field_type::to_text(&compiled.catalog, entity.field(*ix), record.get(*ix), locale, zone);
            if part != last {
                text.push_str(&part);
                text.push(' ');
                last = part;
            }
        }
    }
    text
}
