//! Upserts, many records at once, batches: several saves in one unit of work.

use std::collections::HashMap;

use serde_json::Value as Json;

use super::error::{FieldFault, RecordError};
use super::input::{Input, nearest, parse_id};
use super::many::{Batch, BatchResult, Done, ManyResult, ManyUpdate, OneUpdate, Operation, OperationKind};
use super::options::{Saved, WriteOptions};
use super::unit::RecordTx;
use crate::access::{Write, WriteKind, authorise_write};
use crate::base::{EntityIx, RecordId, Value};
use crate::schema::catalog::{Catalog, Entity, Unique};
use crate::store::compile::Lock;
use crate::store::{Dialect, StoreError, compile};

/// Records that one `PATCH` by filter may change.
pub const MAX_AFFECTED: u64 = 10_000;

impl RecordTx<'_> {
    pub(super) async fn upsert_record(
        &mut self,
        entity: EntityIx,
        unique: &str,
        key: Vec<Value>,
        mut input: Input,
        options: &WriteOptions,
    ) -> Result<Saved, RecordError> {
        let compiled = self.scope.compiled.clone();
        let definition = compiled.entity(entity);
        let found = find_unique(definition, unique)?;
        if key.len() != found.fields.len() || key.iter().any(Value::is_empty) {
            let names: Vec<&str> = found.fields.iter().map(|ix| definition.field(*ix).name.as_str()).collect();
            return Err(RecordError::BadRequest {
                message: format!("`{unique}` needs a value for each of {}", names.join(", ")),
                hint: None,
            });
        }
        // Whoever made the record first between the look and the insert wins: then it is an update after all.
        for attempt in 0..2 {
            if let Some(id) = self.find_by_unique(entity, found, &key).await? {
                if !self.readable(entity, &[id]).await?.contains(&id) {
                    return Err(self.taken(definition, found));
                }
                let old = self.load_live(entity, id, Lock::Change).await?;
                if options.if_match.is_some() {
                    self.expect_version(&old, options).await?;
                }
                let options = WriteOptions { if_match: Some(old.version), ..options.clone() };
                return self.update_record(entity, id, input, &options).await;
            }
            if options.if_match.is_some() {
                return Err(RecordError::NotFound { entity: definition.slug.clone(), id: "that key".to_owned() });
            }
            for (ix, value) in found.fields.iter().zip(&key) {
                if input.get(*ix).is_none() {
                    input.set(*ix, value.clone());
                }
            }
            self.begin_part().await?;
            match self.create_record(entity, input.clone(), options).await {
                Ok(saved) => {
                    self.keep_part().await?;
                    return Ok(saved);
                }
                Err(RecordError::Unique { name, .. }) if name == found.name && attempt == 0 => self.rollback_part().await?,
                Err(error) => {
                    self.rollback_part().await?;
                    return Err(error);
                }
            }
        }
        Err(RecordError::Busy)
    }

    /// The answer of a create that meets a record the asker may not see.
    fn taken(&self, entity: &Entity, unique: &Unique) -> RecordError {
        self.explain(&self.scope.compiled, entity.ix, StoreError::UniqueViolation { index: unique.index.clone() })
    }

    /// The live record that holds these values of a unique.
    pub(super) async fn find_by_unique(
        &mut self,
        entity: EntityIx,
        unique: &Unique,
        key: &[Value],
    ) -> Result<Option<RecordId>, RecordError> {
        let compiled = self.scope.compiled.clone();
        let request = authorise_write(&compiled.catalog, &self.scope.actor, Write { entity, kind: WriteKind::Load, fields: Vec::new() })?;
        let statement = compile::by_unique(&compiled.catalog, self.store.dialect(), &request, unique, key);
        Ok(self.store.query(&statement).await?.one_int().map(RecordId))
    }

    /// See [`super::Records::update_many`]; all in this unit, each record in a part of its own.
    pub(super) async fn update_many(
        &mut self,
        entity: EntityIx,
        many: ManyUpdate,
        options: &WriteOptions,
    ) -> Result<ManyResult, RecordError> {
        let updates: Vec<OneUpdate> = match many {
            ManyUpdate::Each(updates) => {
                let limit = super::many::MAX_OPERATIONS;
                if updates.len() > limit {
                    return Err(RecordError::TooMany { what: "records".to_owned(), got: updates.len() as u64, limit: limit as u64 });
                }
                updates
            }
            ManyUpdate::Where { request, set, max_affected } => {
                let compiled = self.scope.compiled.clone();
                let limit = max_affected.min(MAX_AFFECTED);
                let most = u32::try_from(limit).unwrap_or(u32::MAX - 1) + 1;
                let actor = self.scope.actor.clone();
                let mut ids =
                    self.ids_of(&actor, &compiled, entity, request.filter.clone(), request.search.clone(), request.deleted, most).await?;
                if ids.len() as u64 > limit {
                    return Err(RecordError::TooMany { what: "records found by the filter".to_owned(), got: ids.len() as u64, limit });
                }
                ids.sort_unstable();
                ids.into_iter().map(|id| OneUpdate { id, version: None, set: set.clone() }).collect()
            }
        };
        // The filter itself said which records: no version is asked for.
        let base = WriteOptions { idempotency_key: None, if_match: None, ..options.clone() };
        self.lock_in_order(updates.iter().map(|update| (entity, update.id, Lock::Change)).collect()).await?;
        let mut results = Vec::with_capacity(updates.len());
        for OneUpdate { id, version, set } in updates {
            let options = WriteOptions { if_match: version, ..base.clone() };
            self.begin_part().await?;
            let result = self.update_record(entity, id, set, &options).await;
            let result = self.end_part(result).await?;
            results.push((id, result));
        }
        Ok(ManyResult { results })
    }

    /// Keeps or undoes the innermost part by its result. Faults that concern the whole unit are handed on.
    pub(super) async fn end_part<T>(&mut self, result: Result<T, RecordError>) -> Result<Result<T, RecordError>, RecordError> {
        match result {
            Ok(value) => {
                self.keep_part().await?;
                Ok(Ok(value))
            }
            Err(error @ (RecordError::Store(_) | RecordError::Busy | RecordError::TooLong | RecordError::StaleCatalog)) => Err(error),
            Err(error) => {
                self.rollback_part().await?;
                Ok(Err(error))
            }
        }
    }

    /// Locks records in the order of their ids, whatever order they are written in: units that write the same ones then
    /// wait in a row instead of for each other. SQLite has one writer and needs none of this.
    async fn lock_in_order(&mut self, mut wanted: Vec<(EntityIx, RecordId, Lock)>) -> Result<(), RecordError> {
        wanted.sort_unstable();
        if self.store.dialect() != Dialect::Postgres || wanted.len() < 2 {
            return Ok(());
        }
        for same in wanted.chunk_by(|one, other| one.0 == other.0) {
            let mut ids: Vec<RecordId> = same.iter().map(|(_, id, _)| *id).collect();
            ids.dedup();
            // One statement, so that the order holds: where one is deleted, all are locked as if they were.
            if let Some((entity, _, lock)) = same.iter().max_by_key(|(_, _, lock)| *lock) {
                self.load(*entity, &ids, *lock).await?;
            }
        }
        Ok(())
    }

    /// See [`super::Records::batch`].
    pub(super) async fn batch(&mut self, batch: Batch, options: &WriteOptions) -> Result<BatchResult, RecordError> {
        // Names are read as the asker knows them.
        let catalog = self.scope.actor.sees(&self.scope.compiled.catalog);
        let named = batch.operations.iter().filter_map(|operation| {
            let entity = catalog.find_entity(&operation.entity)?;
            let lock = if operation.kind == OperationKind::Delete { Lock::Remove } else { Lock::Change };
            Some((entity.ix, parse_id(&catalog, entity.ix, operation.id.as_ref()?.as_str()?)?, lock))
        });
        self.lock_in_order(named.collect()).await?;
        let mut earlier = Earlier::default();
        let mut results = Vec::with_capacity(batch.operations.len());
        for (index, operation) in batch.operations.into_iter().enumerate() {
            let name = operation.name.clone();
            self.begin_part().await?;
            let result = self.operate(&catalog, operation, &earlier, options).await;
            let result = self.end_part(result).await?;
            match result {
                Ok(done) => {
                    earlier.note(name, done.saved.id.display(&catalog.entity(done.entity).prefix));
                    results.push(Ok(done));
                }
                Err(error) if batch.atomic => return Err(RecordError::Operation { index, error: Box::new(error) }),
                Err(error) => {
                    earlier.miss(name);
                    results.push(Err(error));
                }
            }
        }
        Ok(BatchResult { results })
    }

    async fn operate(
        &mut self,
        catalog: &Catalog,
        operation: Operation,
        earlier: &Earlier,
        options: &WriteOptions,
    ) -> Result<Done, RecordError> {
        let Some(entity) = catalog.find_entity(&operation.entity) else {
            let near = nearest(&operation.entity, catalog.known_entities().map(|entity| entity.slug.as_str()));
            return Err(RecordError::UnknownEntity { name: operation.entity, near });
        };
        let options = WriteOptions { if_match: operation.version, idempotency_key: None, ..options.clone() };
        let mut values = operation.values;
        earlier.resolve(&mut values)?;
        let mut input = Input::from_json(catalog, entity, &values).map_err(RecordError::Invalid)?;
        let id = || -> Result<RecordId, RecordError> {
            let mut id = operation.id.clone().unwrap_or(Json::Null);
            earlier.resolve(&mut id)?;
            let text = id.as_str().unwrap_or_default();
            parse_id(catalog, entity.ix, text).ok_or_else(|| RecordError::NotFound { entity: entity.slug.clone(), id: text.to_owned() })
        };
        let saved = match operation.kind {
            OperationKind::Create => self.create_record(entity.ix, input, &options).await?,
            OperationKind::Update => self.update_record(entity.ix, id()?, input, &options).await?,
            OperationKind::Delete => self.delete_record(entity.ix, id()?, &options).await?,
            OperationKind::Restore => self.restore_record(entity.ix, id()?, &options).await?,
            OperationKind::Upsert => {
                let name = operation.unique.unwrap_or_default();
                let unique = find_unique(entity, &name)?;
                let mut key = Vec::new();
                for ix in &unique.fields {
                    let value = input.get(*ix).cloned().unwrap_or_default();
                    if value.is_empty() {
                        let field = &entity.field(*ix).name;
                        return Err(RecordError::fault(
                            FieldFault::at(field, "required", format!("`{field}` is part of the key")).with("field", field.as_str()),
                        ));
                    }
                    key.push(value);
                }
                input.is_checked = true;
                self.upsert_record(entity.ix, &name, key, input, &options).await?
            }
        };
        Ok(Done { entity: entity.ix, kind: operation.kind, saved })
    }
}

/// A unique by its name, or by the name of its only field.
pub(super) fn find_unique<'e>(entity: &'e Entity, name: &str) -> Result<&'e Unique, RecordError> {
    let by_field = || {
        let ix = entity.find_field(name)?.ix;
        entity.uniques.iter().find(|unique| unique.fields == [ix] && unique.filter.is_none())
    };
    entity.uniques.iter().find(|unique| unique.name == name).or_else(by_field).ok_or_else(|| {
        let known: Vec<&str> = entity.uniques.iter().map(|unique| unique.name.as_str()).collect();
        let hint =
            if known.is_empty() { format!("`{}` has no unique at all", entity.slug) } else { format!("known are {}", known.join(", ")) };
        RecordError::BadRequest { message: format!("`{}` has no unique `{name}`", entity.slug), hint: Some(hint) }
    })
}

/// The ids earlier operations gave.
#[derive(Default)]
struct Earlier {
    by_index: Vec<Option<String>>,
    by_name: HashMap<String, Option<String>>,
}

impl Earlier {
    fn note(&mut self, name: Option<String>, id: String) {
        if let Some(name) = name {
            self.by_name.insert(name, Some(id.clone()));
        }
        self.by_index.push(Some(id));
    }

    fn miss(&mut self, name: Option<String>) {
        if let Some(name) = name {
            self.by_name.insert(name, None);
        }
        self.by_index.push(None);
    }

    /// Replaces each `{"$ref": …}` by the id it stands for.
    fn resolve(&self, json: &mut Json) -> Result<(), RecordError> {
        match json {
            Json::Object(map) if map.len() == 1 && map.contains_key("$ref") => {
                let wanted = &map["$ref"];
                let found = match wanted {
                    Json::Number(number) => number.as_u64().and_then(|at| self.by_index.get(usize::try_from(at).ok()?)),
                    Json::String(name) => self.by_name.get(name),
                    _ => None,
                };
                match found {
                    Some(Some(id)) => {
                        *json = Json::String(id.clone());
                        Ok(())
                    }
                    Some(None) => {
                        Err(RecordError::BadRequest { message: format!("the operation that `$ref` {wanted} names failed"), hint: None })
                    }
                    None => Err(RecordError::BadRequest {
                        message: format!("`$ref` {wanted} names no earlier operation"),
                        hint: Some("refer to an earlier operation by its number from 0, or by its `as`".to_owned()),
                    }),
                }
            }
            Json::Object(map) => map.values_mut().try_for_each(|value| self.resolve(value)),
            Json::Array(items) => items.iter_mut().try_for_each(|item| self.resolve(item)),
            _ => Ok(()),
        }
    }
}
