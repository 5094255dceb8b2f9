//! What a save leaves behind besides the row: history, search text, the event of the outbox, and the jobs that deliver it.

use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use super::delivery::{DELIVER, Delivery};
use super::error::RecordError;
use super::hooks::{EventKind, Record, RecordEvent};
use super::options::WriteOptions;
use super::plan::Compiled;
use super::unit::RecordTx;
use super::world::Setting;
use crate::base::{EntityIx, FieldIx, Locale, RecordId, Value};
use crate::schema::catalog::{Entity, Field, FieldType};
use crate::schema::field_type;
use crate::store::{Dialect, Statement, Tx, audit, history, jobs, outbox, search};

/// The kind of job that computes stored values left over by a large change; its payload is for
/// [`Records::recalculate`](super::Records::recalculate).
pub const RECALCULATE: &str = "recalculate";

/// Records of one recalculation job.
const PER_JOB: usize = 1_000;

/// Fields that say who signs in and with which rights: their changes are audited.
const DECIDING: [&str; 6] = ["roles", "role", "active", "email", "team", "teams"];

/// One written change.
#[derive(Debug)]
pub(super) struct Trace<'a> {
    pub kind: EventKind,
    pub record: &'a Record,
    pub old: Option<&'a Record>,
    pub changed: &'a [FieldIx],
    pub by_script: &'a [FieldIx],
}

/// What a change leaves behind, ready to be written.
#[derive(Debug)]
pub(super) struct Left {
    pub history: Option<Statement>,
    pub event: outbox::NewEvent,
    search: SearchChange,
}

/// What becomes of the search tokens.
#[derive(Debug)]
enum SearchChange {
    Keep,
    Put { tokens: Arc<str>, is_new: bool },
    Remove,
}

impl Setting<'_> {
    /// Works out what a change leaves behind. `source` and `chain_json` say how it came about.
    pub(super) fn left(&self, dialect: Dialect, change: &Trace<'_>, source: &str, chain_json: &str) -> Left {
        let compiled = self.compiled;
        let entity = compiled.entity(change.record.entity);
        let actor = self.me.map_or(0, |user| user.0);
        let history = entity.features.history.then(|| history::Entry {
            record: change.record.id,
            version: change.record.version,
            entity_uid: entity.uid.clone(),
            action: change.kind.as_str().to_owned(),
            at: self.now,
            actor,
            actor_kind: source.to_owned(),
            changes_json: changes_json(compiled, entity, change),
        });
        let event = outbox::NewEvent {
            entity_uid: entity.uid.clone(),
            record: change.record.id,
            version: change.record.version,
            event: change.kind.as_str().to_owned(),
            changed_json: list_json(change.changed.iter().map(|ix| uid_of(entity.field(*ix)))),
            actor,
            chain_json: chain_json.to_owned(),
            schema_version: compiled.catalog.version,
        };
        Left { history: history.map(|entry| history::insert(dialect, &entry)), event, search: search_change(compiled, entity, change) }
    }
}

fn search_change(compiled: &Compiled, entity: &Entity, change: &Trace<'_>) -> SearchChange {
    let fields = &compiled.plan(entity.ix).search;
    let concerns = match change.kind {
        _ if fields.is_empty() => false,
        EventKind::Create | EventKind::Restore => true,
        EventKind::Delete => return SearchChange::Remove,
        EventKind::Update => change.changed.iter().any(|ix| fields.contains(ix)),
    };
    if !concerns {
        return SearchChange::Keep;
    }
    SearchChange::Put {
        tokens: search::tokens(&search_text(compiled, entity, change.record)).into(),
        is_new: change.kind == EventKind::Create,
    }
}

/// A JSON array of texts.
fn list_json<'t>(texts: impl Iterator<Item = &'t str>) -> String {
    let mut out = String::from("[");
    for (position, text) in texts.enumerate() {
        if position > 0 {
            out.push(',');
        }
        crate::base::json::write_text(text, &mut out);
    }
    out.push(']');
    out
}

impl RecordTx<'_> {
    /// Writes history, search text and the event.
    pub(super) async fn trace(&mut self, compiled: &Compiled, change: Trace<'_>, options: &WriteOptions) -> Result<(), RecordError> {
        self.scope.versions.insert((change.record.entity, change.record.id), change.record.version);
        if matches!(compiled.entity(change.record.entity).id.as_str(), "core.user" | "core.team" | "core.user_teams") {
            self.store.identity_changed().await?;
            audit_person(self.store, compiled.entity(change.record.entity), &change).await?;
        }
        if !compiled.entity(change.record.entity).duplicates.is_empty() {
            self.trace_matches(compiled, &change).await?;
        }
        self.trace_hold(compiled, &change, options).await?;
        if change.kind == EventKind::Delete && !compiled.entity(change.record.entity).registrations.is_empty() {
            self.end_claims(change.record.id).await?;
        }
        let source = if self.scope.depth > 0 { "script" } else { options.source.as_str() };
        let chain: Vec<(&str, &str, i64)> = self
            .scope
            .chain
            .iter()
            .map(|cause| (cause.handler.as_str(), compiled.entity(cause.entity).slug.as_str(), cause.id.0))
            .collect();
        let chain = json!(chain).to_string();
        let sealed = &compiled.plan(change.record.entity).sealed;
        if change.changed.iter().any(|ix| sealed.contains(ix)) {
            let record = self.closed(compiled, change.record).await?;
            let old = match change.old {
                Some(old) => Some(self.closed(compiled, old).await?),
                None => None,
            };
            let closed = Trace { record: &record, old: old.as_deref(), ..change };
            let left = self.setting(compiled).left(self.store.dialect(), &closed, source, &chain);
            return self.write_left(&left).await;
        }
        let left = self.setting(compiled).left(self.store.dialect(), &change, source, &chain);
        self.write_left(&left).await
    }

    /// Writes what a change leaves behind.
    pub(super) async fn write_left(&mut self, left: &Left) -> Result<(), RecordError> {
        if let Some(entry) = &left.history {
            self.store.execute(entry).await?;
        }
        self.write_left_search(left).await?;
        Ok(outbox::append(self.store, &left.event).await?)
    }

    /// Writes the search tokens alone.
    pub(super) async fn write_left_search(&mut self, left: &Left) -> Result<(), RecordError> {
        let record = left.event.record;
        match &left.search {
            SearchChange::Keep => {}
            SearchChange::Put { tokens, is_new } => search::put_tokens(self.store, record, tokens, *is_new).await?,
            SearchChange::Remove => search::remove(self.store, record).await?,
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
        let mut delivery = if compiled.plan(event.entity).sealed.is_empty() {
            self.delivery(compiled, event)
        } else {
            let record = self.closed(compiled, &event.record).await?.into_owned();
            let old = match &event.old {
                Some(old) => Some(self.closed(compiled, old).await?.into_owned()),
                None => None,
            };
            self.delivery(compiled, &RecordEvent { record, old, ..event.clone() })
        };
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
    let mut out = String::with_capacity(32 + 48 * change.changed.len());
    out.push('{');
    for ix in change.changed {
        let field = entity.field(*ix);
        if field.is_system && field.name != "owner" {
            continue;
        }
        if out.len() > 1 {
            out.push(',');
        }
        crate::base::json::write_text(uid_of(field), &mut out);
        out.push_str(":[");
        write_value(compiled, field, change.old, &mut out);
        out.push(',');
        write_value(compiled, field, Some(change.record), &mut out);
        out.push_str(if change.by_script.contains(ix) { ",true]" } else { "]" });
    }
    out.push('}');
    out
}

/// Appends a field's value in the JSON form of the API.
fn write_value(compiled: &Compiled, field: &Field, record: Option<&Record>, out: &mut String) {
    match record.map(|record| record.get(field.ix)) {
        None | Some(Value::Null) => out.push_str("null"),
        Some(value) => match field_type::to_json(&compiled.catalog, field, value) {
            Json::String(text) => crate::base::json::write_text(&text, out),
            json => out.push_str(&json.to_string()),
        },
    }
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
        let field = entity.field(*ix);
        // A text is the same in every language.
        if let (Value::Text(words), FieldType::Text { .. } | FieldType::LongText { .. } | FieldType::Email) = (record.get(*ix), &field.ty) {
            text.push_str(words);
            text.push(' ');
            continue;
        }
        let mut last = String::new();
        for locale in Locale::ALL {
            let part = field_type::to_text(&compiled.catalog, field, record.get(*ix), locale, zone);
            if part != last {
                text.push_str(&part);
                text.push(' ');
                last = part;
            }
        }
    }
    text
}

/// Notes who made, removed or changed the rights of a person or team. Rights are names of the definitions; an address is
/// told as changed, not as a value.
async fn audit_person(tx: &mut Tx, entity: &Entity, change: &Trace<'_>) -> Result<(), RecordError> {
    let mut entry = audit::Entry::new("person.change").on(&entity.id, change.record.id.0).fact("kind", change.kind.as_str());
    let mut decides = change.kind != EventKind::Update;
    for field in change.changed.iter().map(|ix| entity.field(*ix)).filter(|field| DECIDING.contains(&field.name.as_str())) {
        decides = true;
        let value = match change.record.get(field.ix) {
            Value::Bool(active) => json!(active),
            Value::List(items) => items.iter().filter_map(|item| item.as_text()).collect(),
            Value::Text(text) if matches!(field.name.as_str(), "role" | "roles") => json!(text),
            _ => json!("changed"),
        };
        entry = entry.fact(&field.name, value);
    }
    if decides {
        audit::append(tx, entry).await?;
    }
    Ok(())
}
