//! Seed and sample records of packages.
//!
//! A record has a key of its own inside its package, or is known by its values. What was loaded is remembered under that, so
//! that loading again makes nothing twice. `$key` in a link refers to another record; a text that begins with `=` is an expression
//! (`=today() - 3`), so that sample data is never stale; `=me()` is whoever loads it.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Map, Value as Json};

use super::TransferError;
use crate::access::Actor;
use crate::base::Value;
use crate::expr;
use crate::record::{Input, RecordError, RecordTx, Records, Source, WriteOptions};
use crate::schema::catalog::{Catalog, Entity, FieldType};
use crate::schema::{DataKind, DataSet};
use crate::store::seeds::{self, Seed};

/// What loading did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Loaded {
    pub created: u64,
    /// Records that had been loaded before.
    pub known: u64,
}

/// Loads all data sets of a kind in one transaction, in their order. Links may point to records of any set.
///
/// # Errors
/// A record that the rules refuse, with its file and line; then nothing is loaded.
pub async fn load_data(records: &Records, actor: &Actor, sets: &[DataSet], kind: DataKind) -> Result<Loaded, TransferError> {
    let sets: Arc<Vec<DataSet>> = Arc::new(sets.iter().filter(|set| set.kind == kind).cloned().collect());
    let fault: Arc<std::sync::Mutex<Option<String>>> = Arc::default();
    let place = fault.clone();
    let actor_of_unit = actor.clone();
    let result = records
        .unit(actor, Source::System, Vec::new(), move |tx| {
            let (sets, place, actor) = (sets.clone(), place.clone(), actor_of_unit.clone());
            Box::pin(async move { load_sets(tx, &actor, &sets, &place).await })
        })
        .await;
    result.map_err(|error| {
        let place = fault.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
        match place {
            Some(place) => TransferError::Data { place, message: error.to_string() },
            None => error.into(),
        }
    })
}

async fn load_sets(
    tx: &mut RecordTx<'_>,
    actor: &Actor,
    sets: &[DataSet],
    place: &std::sync::Mutex<Option<String>>,
) -> Result<Loaded, RecordError> {
    let catalog = tx.catalog().clone();
    let mut done = Loaded::default();
    let mut ids: HashMap<(String, String), String> = HashMap::new();
    let mut alike: HashMap<(String, String), u32> = HashMap::new();
    for set in sets {
        let Some(entity) = catalog.find_entity(&set.entity) else { continue };
        for record in &set.records {
            *place.lock().unwrap_or_else(std::sync::PoisonError::into_inner) =
                Some(format!("{}:{}:{}", record.place.file, record.place.line, record.place.column));
            let key = match &record.key {
                Some(key) => key.clone(),
                None => {
                    let unnamed = key_of_values(set.kind, entity, &record.values);
                    let count = alike.entry((set.package.clone(), unnamed.clone())).or_default();
                    *count += 1;
                    format!("{unnamed}.{count}")
                }
            };
            if let Some(id) = seeds::find(tx.store(), &set.package, &key).await? {
                ids.insert((set.package.clone(), key), id.display(&entity.prefix));
                done.known += 1;
                continue;
            }
            let values =
                Filler { catalog: &catalog, actor, tx_now: tx.now(), package: &set.package, ids: &ids }.object(entity, &record.values)?;
            let input = Input::from_json(&catalog, entity, &Json::Object(values)).map_err(RecordError::Invalid)?;
            let options = WriteOptions { without_hooks: true, ..WriteOptions::from(Source::System) };
            let saved = tx.create(entity.ix, input, &options).await?;
            done.created += 1;
            let seed = Seed {
                package: set.package.clone(),
                key: key.clone(),
                entity_uid: entity.uid.clone(),
                record: saved.id,
                hash: hash(&record.values),
                is_sample: set.kind == DataKind::Sample,
            };
            if !seeds::add(tx.store(), &seed).await? {
                // Another process loads the same: what it made is found when this begins anew.
                return Err(RecordError::Busy);
            }
            ids.insert((set.package.clone(), key), saved.id.display(&entity.prefix));
        }
    }
    *place.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = None;
    Ok(done)
}

/// Stands for the key of a record that has none: its values as written, in whatever order, whatever its entity and fields
/// are called by now.
fn key_of_values(kind: DataKind, entity: &Entity, values: &Map<String, Json>) -> String {
    let kind = if kind == DataKind::Sample { "sample" } else { "seed" };
    let named = |(name, value): (&String, &Json)| (entity.find_field(name).map_or(name.clone(), |field| field.uid.clone()), value.clone());
    let mut named: Vec<(String, Json)> = values.iter().map(named).collect();
    named.sort_by(|one, other| one.0.cmp(&other.0));
    let values: Map<String, Json> = named.into_iter().collect();
    format!("#{kind}.{}.{}", entity.uid, hash(&values).get(..32).unwrap_or_default())
}

/// What the values were when they were loaded.
fn hash(values: &Map<String, Json>) -> String {
    use sha2::{Digest, Sha256};
    crate::base::text::hex(&Sha256::digest(serde_json::to_string(values).unwrap_or_default()))
}

/// Expressions of data files know no record.
struct NoRow;

impl expr::Row for NoRow {
    fn value(&self, _path: &expr::Path) -> Value {
        Value::Null
    }

    fn rows<'a>(&'a self, _over: &expr::Over) -> Vec<Box<dyn expr::Row + 'a>> {
        Vec::new()
    }
}

/// Replaces `$key` by ids and `=expression` by values.
struct Filler<'a> {
    catalog: &'a Catalog,
    actor: &'a Actor,
    tx_now: crate::base::DateTime,
    package: &'a str,
    ids: &'a HashMap<(String, String), String>,
}

impl Filler<'_> {
    fn object(&self, entity: &Entity, values: &Map<String, Json>) -> Result<Map<String, Json>, RecordError> {
        let mut filled = Map::new();
        for (name, value) in values {
            let value = match entity.find_field(name) {
                Some(field) => self.value(entity, field, value)?,
                None => value.clone(),
            };
            filled.insert(name.clone(), value);
        }
        Ok(filled)
    }

    fn value(&self, entity: &Entity, field: &crate::schema::catalog::Field, value: &Json) -> Result<Json, RecordError> {
        match (value, &field.ty) {
            (Json::String(text), FieldType::Date { .. } | FieldType::DateTime | FieldType::User { .. }) if text.starts_with('=') => {
                self.computed(entity, field, &text[1..])
            }
            (Json::String(text), FieldType::Link { .. } | FieldType::User { .. } | FieldType::AnyLink { .. }) => self.reference(text),
            (Json::Array(items), FieldType::Children { of, .. }) => self.nested(self.catalog.entity(*of), items),
            (Json::Array(items), FieldType::Links { through, far, .. }) => {
                let junction = self.catalog.entity(*through);
                let far = &junction.field(*far).name;
                items.iter().map(|item| self.link_item(junction, far, item)).collect::<Result<Vec<_>, _>>().map(Json::Array)
            }
            _ => Ok(value.clone()),
        }
    }

    fn nested(&self, of: &Entity, items: &[Json]) -> Result<Json, RecordError> {
        items
            .iter()
            .map(|item| match item {
                Json::Object(map) => self.object(of, map).map(Json::Object),
                other => Ok(other.clone()),
            })
            .collect::<Result<Vec<_>, _>>()
            .map(Json::Array)
    }

    /// `$key`, or an object of the junction's fields in which `id` or the far link's name refers to the record.
    fn link_item(&self, junction: &Entity, far: &str, item: &Json) -> Result<Json, RecordError> {
        match item {
            Json::String(text) => self.reference(text),
            Json::Object(map) => {
                let mut filled = Map::new();
                for (name, value) in map {
                    match value.as_str() {
                        Some(text) if name == "id" || name == far => {
                            filled.insert("id".into(), self.reference(text)?);
                        }
                        _ => {
                            let value = match junction.find_field(name) {
                                Some(field) => self.value(junction, field, value)?,
                                None => value.clone(),
                            };
                            filled.insert(name.clone(), value);
                        }
                    }
                }
                Ok(Json::Object(filled))
            }
            other => Ok(other.clone()),
        }
    }

    fn reference(&self, text: &str) -> Result<Json, RecordError> {
        let Some(key) = text.strip_prefix('$') else {
            return Ok(Json::String(text.to_owned()));
        };
        let (package, key) = key.split_once(':').unwrap_or((self.package, key));
        match self.ids.get(&(package.to_owned(), key.to_owned())) {
            Some(id) => Ok(Json::String(id.clone())),
            None => Err(RecordError::Invalid(vec![crate::record::FieldFault::whole(
                "unknown_key",
                format!("no record with the key `{key}` stands before this one in package `{package}`"),
            )])),
        }
    }

    fn computed(&self, entity: &Entity, field: &crate::schema::catalog::Field, text: &str) -> Result<Json, RecordError> {
        let faulty = |message: String| RecordError::Invalid(vec![crate::record::FieldFault::at(&field.name, "expression", message)]);
        let scope = crate::schema::CatalogScope::new(self.catalog);
        let typed = expr::compile(text, &scope, entity.ix, &expr::Expected::Any)
            .map_err(|faults| faulty(faults.first().map(ToString::to_string).unwrap_or_default()))?;
        let zone = expr::Zone::named(&self.catalog.settings.time_zone_name).unwrap_or_else(expr::Zone::utc);
        let context = expr::EvalContext { now: self.tx_now, zone, me: self.actor.user, old: None };
        Ok(match expr::eval(&typed, &NoRow, &context) {
            Value::Date(date) => date.to_string().into(),
            Value::DateTime(at) => at.to_string().into(),
            Value::Link(person) => self.catalog.find_entity("core.user").map_or(Json::Null, |people| person.display(&people.prefix).into()),
            _ => Json::Null,
        })
    }
}
