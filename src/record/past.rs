//! What records were at a moment, read from what they are and from their history; and the same laid down in another workspace,
//! as it is: no rules, no hooks, no history. For what-if, which plays the past again in a copy.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value as Json;

use super::error::RecordError;
use super::hooks::{EventKind, Record};
use super::load::Reader;
use super::options::Source;
use super::plan::Compiled;
use super::read::field_of;
use super::sealing::{self, open_json};
use super::service::Records;
use super::unit::RecordTx;
use crate::access::{Actor, Write, WriteKind, authorise_write};
use crate::base::{DateTime, EntityIx, FieldIx, RecordId, Value};
use crate::schema::catalog::{Catalog, Entity, Field, FieldType};
use crate::schema::field_type;
use crate::store::compile::{self, Lock};
use crate::store::history::Entry;
use crate::store::{history, measure, outbox};

/// Records of one transaction.
const CHUNK: usize = 200;

/// A stretch of an entity's records as they were.
#[derive(Debug)]
pub struct Former {
    pub records: Vec<Record>,
    /// The last id that was looked at; `None` behind the last record.
    pub last: Option<i64>,
}

/// Something that happened to a record, with what its history tells of it.
#[derive(Debug, Clone)]
pub struct Happened {
    pub seq: i64,
    pub kind: EventKind,
    pub entity: EntityIx,
    pub id: RecordId,
    pub version: i64,
    pub at: DateTime,
    /// The user, 0 for none.
    pub by: i64,
    /// (handler, entity, id) of what led to it.
    pub chain: Vec<(String, String, i64)>,
    /// `None`: no history is kept of it.
    pub told: Option<Told>,
}

/// What the history tells of a change.
#[derive(Debug, Clone)]
pub struct Told {
    /// It was the program itself: sample data, computed values.
    pub by_program: bool,
    pub changes: Vec<Change>,
}

/// One field of a change.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    pub field: FieldIx,
    pub old: Value,
    pub new: Value,
    pub by_script: bool,
}

impl Records {
    /// The records of an entity behind the id `after` as they were at a moment, at most `limit`: those that were there, in the
    /// recycle bin too. What changed meanwhile without a history stays as it is now.
    ///
    /// # Errors
    /// The database.
    pub async fn as_of(&self, entity: EntityIx, after: i64, limit: u32, moment: DateTime) -> Result<Former, RecordError> {
        let catalog = self.catalog();
        let compiled = self.compiled(&catalog);
        let definition = compiled.entity(entity);
        let ids = measure::ids_behind(self.store(), &definition.table, after, limit).await?;
        let Some(last) = ids.last().map(|id| id.0) else { return Ok(Former { records: Vec::new(), last: None }) };
        let system = Actor::system();
        let mut reader: Reader<'_> = self.reader(&compiled, &system, None);
        let found = reader.load(entity, &ids, Lock::None).await?;
        // Read behind the rows: what is in a row is in its history, and what came later is told apart by its version.
        let numbers: Vec<i64> = ids.iter().map(|id| id.0).collect();
        let mut entries: HashMap<RecordId, Vec<Entry>> = HashMap::new();
        for entry in history::between(self.store(), &numbers, moment, DateTime(i64::MAX)).await? {
            entries.entry(entry.record).or_default().push(entry);
        }
        let mut records = Vec::with_capacity(found.len());
        for record in found {
            match entries.remove(&record.id) {
                None if self.is_younger(definition, &record, moment) => {}
                None => records.push(record),
                Some(entries) => records.extend(self.turned_back(&compiled, record, &entries, moment).await?),
            }
        }
        Ok(Former { records, last: Some(last) })
    }

    /// Of what has no history it is known at least when it was made.
    fn is_younger(&self, entity: &Entity, record: &Record, moment: DateTime) -> bool {
        let made = entity.find_field("created_at").map(|field| record.get(field.ix));
        matches!(made, Some(Value::DateTime(at)) if *at >= moment) && !entity.features.history
    }

    /// A record before these entries, the newest of them first; `None` where it was not there.
    async fn turned_back(
        &self,
        compiled: &Arc<Compiled>,
        mut record: Record,
        entries: &[Entry],
        moment: DateTime,
    ) -> Result<Option<Record>, RecordError> {
        let entity = compiled.entity(record.entity);
        let plan = compiled.plan(record.entity);
        let put = |record: &mut Record, field: Option<FieldIx>, value: Value| {
            if let Some(place) = field.and_then(|field| record.values.get_mut(field.0 as usize)) {
                *place = value;
            }
        };
        let version = record.version;
        for entry in entries.iter().filter(|entry| entry.version <= version) {
            match EventKind::parse(&entry.action) {
                Some(EventKind::Create) => return Ok(None),
                Some(EventKind::Delete) => put(&mut record, plan.deleted_at, Value::Null),
                Some(EventKind::Restore) => put(&mut record, plan.deleted_at, Value::DateTime(moment)),
                _ => {}
            }
            for change in self.changes_in(&compiled.catalog, entity, &entry.changes_json).await? {
                put(&mut record, Some(change.field), change.old);
            }
            record.version = entry.version - 1;
            put(&mut record, plan.version, Value::Int(entry.version - 1));
            put(&mut record, plan.updated_at, Value::DateTime(moment));
        }
        Ok(Some(record))
    }

    /// Changes of an entry, those of fields that hold values of their own.
    async fn changes_in(&self, catalog: &Catalog, entity: &Entity, changes_json: &str) -> Result<Vec<Change>, RecordError> {
        let Ok(Json::Object(map)) = crate::base::json::parse(changes_json.as_bytes()) else { return Ok(Vec::new()) };
        let mut found: Vec<(&Field, Json, Json, bool)> = map
            .into_iter()
            .filter_map(|(uid, pair)| {
                let field = field_of(entity, &uid).filter(|field| !field.columns.is_empty() || field.side_table.is_some())?;
                let part = |at: usize| pair.get(at).cloned().unwrap_or(Json::Null);
                Some((field, part(0), part(1), pair.get(2) == Some(&Json::Bool(true))))
            })
            .collect();
        let sealed = found.iter_mut().filter(|(field, ..)| field.encrypted);
        let sealed = sealed.flat_map(|(field, old, new, _)| [(*field, old), (*field, new)]).collect();
        open_json(&mut compile::Source::Store(self.store()), sealed, sealing::Reader::Engine).await?;
        let value = |field: &Field, json: &Json| field_type::read_json(catalog, field, json);
        let change = |(field, old, new, by_script): (&Field, Json, Json, bool)| Change {
            field: field.ix,
            old: value(field, &old),
            new: value(field, &new),
            by_script,
        };
        Ok(found.into_iter().map(change).collect())
    }

    /// What happened after a position of the feed, at most `limit` events, with the values that the history keeps. Events of
    /// entities that are gone are left out. Gives the position of the last one, too; `None` behind the newest.
    ///
    /// # Errors
    /// The database.
    pub async fn happened(&self, after: i64, limit: u32) -> Result<(Vec<Happened>, Option<i64>), RecordError> {
        let catalog = self.catalog();
        let events = outbox::since(self.store(), after, limit).await?;
        let Some(last) = events.last().map(|event| event.seq) else { return Ok((Vec::new(), None)) };
        let mut records: Vec<i64> = events.iter().map(|event| event.record.0).collect();
        records.sort_unstable();
        records.dedup();
        let moments = || events.iter().map(|event| event.at);
        let (from, to) = (moments().min().unwrap_or(DateTime(0)), moments().max().unwrap_or(DateTime(0)));
        let entries = history::between(self.store(), &records, from, to).await?;
        let entries: HashMap<(RecordId, i64), Entry> = entries.into_iter().map(|entry| ((entry.record, entry.version), entry)).collect();
        let mut found = Vec::with_capacity(events.len());
        for event in events {
            let entity = catalog.entities.iter().find(|entity| entity.uid == event.entity_uid);
            let (Some(entity), Some(kind)) = (entity, EventKind::parse(&event.event)) else { continue };
            let told = match entries.get(&(event.record, event.version)) {
                Some(entry) => Some(Told {
                    by_program: entry.actor_kind == Source::System.as_str(),
                    changes: self.changes_in(&catalog, entity, &entry.changes_json).await?,
                }),
                None => None,
            };
            found.push(Happened {
                seq: event.seq,
                kind,
                entity: entity.ix,
                id: event.record,
                version: event.version,
                at: event.at,
                by: event.actor,
                chain: serde_json::from_str(&event.chain_json).unwrap_or_default(),
                told,
            });
        }
        Ok((found, Some(last)))
    }

    /// Writes records as they are, with their ids and versions.
    ///
    /// # Errors
    /// The database.
    pub async fn lay_down(&self, records: Vec<Record>) -> Result<(), RecordError> {
        for chunk in records.chunks(CHUNK) {
            let chunk: Arc<[Record]> = chunk.into();
            self.unit(&Actor::system(), Source::System, Vec::new(), move |tx| {
                let chunk = Arc::clone(&chunk);
                Box::pin(async move {
                    for record in chunk.iter() {
                        tx.lay(record).await?;
                    }
                    Ok(())
                })
            })
            .await?;
        }
        Ok(())
    }
}

impl RecordTx<'_> {
    async fn lay(&mut self, record: &Record) -> Result<(), RecordError> {
        let compiled = self.scope.compiled.clone();
        let entity = compiled.entity(record.entity);
        let stored = self.closed(&compiled, record).await?;
        let fields = entity.fields.iter().map(|field| field.ix).collect();
        let write = Write { entity: entity.ix, kind: WriteKind::Create, fields };
        let request = authorise_write(&compiled.catalog, &self.scope.actor, write)?;
        let text = compiled.insert_text(entity.ix);
        let statements = compile::insert(&compiled.catalog, self.store.dialect(), &request, &stored.values, text);
        self.run_all(&compiled, entity.ix, &statements).await?;
        if !record.is_deleted(entity) {
            self.write_search(&compiled, record).await?;
            if !entity.duplicates.is_empty() {
                self.write_matches(&compiled, record, true).await?;
            }
        }
        if matches!(entity.id.as_str(), "core.user" | "core.team" | "core.user_teams") {
            self.store.identity_changed().await?;
        }
        Ok(())
    }
}

/// Whether a value of this field was given by somebody, and not worked out by the program.
pub fn is_given(entity: &Entity, field: &Field) -> bool {
    let is_stored = !field.columns.is_empty() || field.side_table.is_some();
    let is_own = !field.is_system || field.name == "owner";
    // The contents of files are not laid down with the records.
    let is_told = !matches!(field.ty, FieldType::Lookup { .. } | FieldType::File { .. } | FieldType::Image { .. });
    is_stored && is_own && is_told && !entity.computed_order.contains(&field.ix)
}
