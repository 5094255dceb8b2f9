//! Merging records that are one: what leads to the others leads to the one that stays, values are chosen field by field, the
//! others go to the recycle bin and their ids answer with where they went.
//!
//! All of it is one unit of work. Links are moved by a few statements a field, not record by record: a merge of records with
//! tens of thousands of links takes moments, and nobody sees half of it. The records themselves go through the writer, with its
//! rights, rules, gates and events; a link that is led elsewhere is a change of that record (its version, history and event
//! tell it), but no edit of it: its own rules and scripts are not asked.

mod relink;
mod undo;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use relink::{Relink, Stale};

use super::convert::link_id;
use super::error::{FieldFault, RecordError};
use super::hooks::{BoxFuture, HookPoint, Record};
use super::input::Input;
use super::moved::Moved;
use super::options::{Source, WriteOptions};
use super::plan::Compiled;
use super::prepare::Target;
use super::service::Records;
use super::unit::RecordTx;
use crate::access::{Action, Actor, Rights};
use crate::base::{DateTime, EntityIx, FieldIx, RecordId, Value};
use crate::schema::catalog::{Catalog, Entity, FieldType};
use crate::schema::field_type;
use crate::store::compile::Lock;
use crate::store::merges;

/// Records merged into one at once.
pub const MOST_MERGED: usize = 9;
/// What the id of a merge begins with.
pub const MERGE_PREFIX: &str = "merge";

/// What shall become one.
#[derive(Debug, Clone)]
pub struct MergeRequest {
    pub from: Vec<RecordId>,
    /// Fields whose value is taken from one of those.
    pub take: Vec<(FieldIx, RecordId)>,
}

/// What a merge did.
#[derive(Debug, Clone)]
pub struct Merged {
    pub version: i64,
    pub parts: Vec<MergedPart>,
}

/// One record that went into another.
#[derive(Debug, Clone)]
pub struct MergedPart {
    pub id: RecordId,
    pub from: RecordId,
    /// Links that lead to the one that stays now.
    pub moved: u64,
}

/// What taking a merge apart did.
#[derive(Debug, Clone)]
pub struct Unmerged {
    pub from: RecordId,
    pub survivor: RecordId,
    pub moved: u64,
    /// Fields that were changed since the merge and keep that.
    pub kept_fields: Vec<String>,
    /// Links that were changed since, or are gone.
    pub kept_links: u64,
}

/// One merge, as it is listed.
#[derive(Debug, Clone)]
pub struct MergeEntry {
    pub id: RecordId,
    pub from: RecordId,
    pub at: DateTime,
    pub actor: Option<RecordId>,
    pub undone_at: Option<DateTime>,
}

/// Whether a value of this field can be taken from another record.
pub fn is_takeable(entity: &Entity, field: FieldIx) -> bool {
    let field = entity.field(field);
    let is_own = !matches!(
        field.ty,
        FieldType::Children { .. }
            | FieldType::Links { .. }
            | FieldType::AutoNumber { .. }
            | FieldType::Formula { .. }
            | FieldType::Rollup { .. }
            | FieldType::Lookup { .. }
    );
    is_own && (!field.is_system || field.name == "owner") && !field.read_only && !field.is_locked && !field.is_hidden && !field.encrypted
}

impl Records {
    /// Merges records into this one.
    ///
    /// # Errors
    /// What changing the one and deleting the others may be refused with; `REC011` where a link cannot be moved, since a record
    /// with it is there.
    pub async fn merge(
        &self,
        actor: &Actor,
        catalog: &Arc<Catalog>,
        entity: EntityIx,
        survivor: RecordId,
        request: MergeRequest,
        options: WriteOptions,
    ) -> Result<Merged, RecordError> {
        let (from, request, options) = (catalog.whole(), Arc::new(request), Arc::new(options));
        let (source, is_rehearsal) = (options.source, options.dry_run);
        self.run_whole(actor, source, is_rehearsal, move |tx| {
            let (from, request, options) = (from.clone(), request.clone(), options.clone());
            Box::pin(async move {
                let moved = Moved::new(&from, tx.catalog(), entity)?;
                if !moved.is_same {
                    return Err(RecordError::StaleCatalog);
                }
                tx.merge_records(moved.entity, survivor, &request, &options).await
            })
        })
        .await
    }

    /// Takes a merge apart: everything is as it was before, but what was changed since.
    ///
    /// # Errors
    /// `REC002` for a merge that is not there; `REC013` where it cannot be taken apart any more, with the reason.
    pub async fn unmerge(
        &self,
        actor: &Actor,
        catalog: &Arc<Catalog>,
        entity: EntityIx,
        survivor: RecordId,
        merge: RecordId,
        options: WriteOptions,
    ) -> Result<Unmerged, RecordError> {
        let (from, options) = (catalog.whole(), Arc::new(options));
        let (source, is_rehearsal) = (options.source, options.dry_run);
        self.run_whole(actor, source, is_rehearsal, move |tx| {
            let (from, options) = (from.clone(), options.clone());
            Box::pin(async move {
                let moved = Moved::new(&from, tx.catalog(), entity)?;
                tx.unmerge_record(moved.entity, survivor, merge, &options).await
            })
        })
        .await
    }

    /// A unit of work that is kept, or only tried.
    pub(super) async fn run_whole<T, F>(&self, actor: &Actor, source: Source, is_rehearsal: bool, unit: F) -> Result<T, RecordError>
    where
        T: Send + 'static,
        F: for<'a, 't> Fn(&'a mut RecordTx<'t>) -> BoxFuture<'a, Result<T, RecordError>> + Send + Sync + Clone + 'static,
    {
        match is_rehearsal {
            true => self.rehearse(actor, source, Vec::new(), unit).await,
            false => self.unit(actor, source, Vec::new(), unit).await,
        }
    }

    /// The merges into a record, newest first. Ask only about one that may be read.
    pub async fn merges(&self, record: RecordId) -> Result<Vec<MergeEntry>, RecordError> {
        let found = merges::list(self.store(), record).await?;
        Ok(found
            .into_iter()
            .map(|merge| MergeEntry {
                id: merge.id,
                from: merge.loser,
                at: merge.at,
                actor: (merge.actor != 0).then_some(RecordId(merge.actor)),
                undone_at: merge.undone_at,
            })
            .collect())
    }

    /// The live record that this one was merged into, if the actor may read that.
    pub async fn merged_into(
        &self,
        actor: &Actor,
        catalog: &Arc<Catalog>,
        entity: EntityIx,
        id: RecordId,
    ) -> Result<Option<RecordId>, RecordError> {
        let mut last = id;
        // Longer chains are nobody's.
        for _ in 0..20 {
            match merges::into(self.store(), last).await? {
                Some(next) => last = next,
                None => break,
            }
        }
        if last == id || !self.reads(actor, catalog, entity, last).await? {
            return Ok(None);
        }
        Ok(Some(last))
    }
}

fn refused(message: impl Into<String>) -> RecordError {
    RecordError::State { message: message.into() }
}

impl RecordTx<'_> {
    /// The same work with every right over records, on behalf of the same person: after their rights were asked.
    fn raised(&mut self) -> Actor {
        let raised = Actor { rights: Rights::Everything, ..self.scope.actor.clone() };
        std::mem::replace(&mut self.scope.actor, raised)
    }

    async fn merge_records(
        &mut self,
        entity: EntityIx,
        survivor: RecordId,
        request: &MergeRequest,
        options: &WriteOptions,
    ) -> Result<Merged, RecordError> {
        let compiled = self.scope.compiled.clone();
        let definition = compiled.entity(entity);
        expect_request(definition, survivor, request)?;
        let mut ids: Vec<RecordId> = request.from.iter().copied().chain([survivor]).collect();
        ids.sort_unstable();
        let found = self.load(entity, &ids, Lock::Remove).await?;
        let mut records: BTreeMap<RecordId, Record> =
            found.into_iter().filter(|record| !record.is_deleted(definition)).map(|record| (record.id, record)).collect();
        let missing = |id: RecordId| RecordError::NotFound { entity: definition.slug.clone(), id: id.display(&definition.prefix) };
        let Some(old) = records.remove(&survivor) else { return Err(missing(survivor)) };
        let mut input = Input::new();
        for (field, from) in &request.take {
            let value = records.get(from).ok_or_else(|| missing(*from))?.get(*field).clone();
            // A record that named the one it goes into would lead to itself.
            let is_self = link_id(&value) == Some(survivor) || link_id(&value).is_some_and(|id| request.from.contains(&id));
            input.set(*field, if is_self && is_own_link(definition, *field, entity) { Value::Null } else { value });
        }
        self.expect_may(Action::Update, &old, Some(&input)).await?;
        self.expect_version(&old, options).await?;
        for id in &request.from {
            let loser = records.get(id).ok_or_else(|| missing(*id))?.clone();
            self.expect_may(Action::Delete, &loser, None).await?;
        }
        self.expect_takeable(&compiled, entity, request).await?;
        let mut taken: BTreeMap<RecordId, Vec<FieldIx>> = BTreeMap::new();
        for (field, from) in &request.take {
            taken.entry(*from).or_default().push(*field);
        }
        // The one that stays led to one that goes.
        for reference in compiled.plan(entity).referenced.iter().filter(|reference| reference.entity == entity) {
            if let Some(id) = link_id(old.get(reference.field)).filter(|id| request.from.contains(id))
                && input.get(reference.field).is_none()
            {
                input.set(reference.field, Value::Null);
                taken.entry(id).or_default().push(reference.field);
            }
        }
        let asker = self.raised();
        let merged = self.put_together(&compiled, old, request, input, taken, options).await;
        self.scope.actor = asker;
        merged
    }

    async fn put_together(
        &mut self,
        compiled: &Arc<Compiled>,
        old: Record,
        request: &MergeRequest,
        input: Input,
        taken: BTreeMap<RecordId, Vec<FieldIx>>,
        options: &WriteOptions,
    ) -> Result<Merged, RecordError> {
        let (entity, survivor) = (old.entity, old.id);
        let definition = compiled.entity(entity);
        let mut parts = Vec::with_capacity(request.from.len());
        let mut stale = Stale::default();
        for from in &request.from {
            let id = self.mint();
            let relink = Relink { compiled, entity, merge: id, from: *from, to: survivor, options };
            let moved = self.move_links(&relink, true, &mut stale).await?;
            merges::lead_shares(self.store, id, &definition.uid, (*from, survivor)).await?;
            parts.push(MergedPart { id, from: *from, moved });
        }
        // Nothing leads to them any more, so that nothing goes with them. Their values are free for the one that stays.
        for from in &request.from {
            let Some(loser) = self.load_one(entity, *from).await? else { continue };
            self.put_away(compiled, loser, options).await?;
        }
        let own = WriteOptions { allow_duplicates: true, if_match: None, ..options.clone() };
        let now = self.load_live(entity, survivor, Lock::Change).await?;
        let prepared = self.prepare(entity, Target::Update(now), input, Vec::new(), &own).await?;
        self.write(prepared, &own).await?;
        stale.put(entity, survivor);
        self.settle_stale(compiled, stale).await?;
        let now = self.load_live(entity, survivor, Lock::Change).await?;
        for part in &parts {
            let fields = taken.get(&part.from).map(Vec::as_slice).unwrap_or_default();
            let mut values = Map::new();
            for field in fields.iter().map(|field| definition.field(*field)) {
                let told = |record: &Record| field_type::to_json(&compiled.catalog, field, record.get(field.ix));
                values.insert(field.uid.clone(), json!([told(&old), told(&now)]));
            }
            let merge = merges::Merge {
                id: part.id,
                entity_uid: definition.uid.clone(),
                survivor,
                loser: part.from,
                at: self.now(),
                actor: self.scope.actor.user_id(),
                taken_json: Json::Object(values).to_string(),
                undone_at: None,
            };
            merges::put(self.store, &merge).await?;
        }
        Ok(Merged { version: now.version, parts })
    }

    /// Into the recycle bin, without what hung on it: that has moved.
    async fn put_away(&mut self, compiled: &Arc<Compiled>, loser: Record, options: &WriteOptions) -> Result<(), RecordError> {
        let hooks = self.scope.hooks.clone();
        if !options.without_hooks && hooks.matches(&compiled.catalog, loser.entity, HookPoint::BeforeDelete) {
            hooks.before_delete(self, &loser).await?;
        }
        let below = WriteOptions { source: options.source, without_hooks: options.without_hooks, ..WriteOptions::default() };
        self.write_delete(compiled, loser, &below).await?;
        Ok(())
    }

    /// Whether the actor may read the values that are taken.
    async fn expect_takeable(&mut self, compiled: &Arc<Compiled>, entity: EntityIx, request: &MergeRequest) -> Result<(), RecordError> {
        let Some(granted) = self.granted()? else { return Ok(()) };
        let definition = compiled.entity(entity);
        let seen = self.eyes(compiled, &granted).seen(entity, &request.from).await?;
        let mut faults = Vec::new();
        for (field, from) in &request.take {
            if seen.get(from).is_none_or(|seen| seen.hides(*field)) {
                let name = &definition.field(*field).name;
                faults.push(FieldFault::at(
                    name,
                    "not_readable",
                    format!("you may not read `{name}` of {}", from.display(&definition.prefix)),
                ));
            }
        }
        if faults.is_empty() { Ok(()) } else { Err(RecordError::Invalid(faults)) }
    }
}

fn is_own_link(entity: &Entity, field: FieldIx, target: EntityIx) -> bool {
    matches!(&entity.field(field).ty, FieldType::Link { to, .. } if *to == target)
        || matches!(&entity.field(field).ty, FieldType::AnyLink { to, .. } if to.contains(&target))
}

fn expect_request(entity: &Entity, survivor: RecordId, request: &MergeRequest) -> Result<(), RecordError> {
    let bad = |message: String| Err(RecordError::fault(FieldFault::at("from", "bad_merge", message)));
    if !entity.is_mergeable() {
        return Err(refused(format!("records of {} cannot be merged", entity.slug)));
    }
    let others: BTreeSet<RecordId> = request.from.iter().copied().collect();
    if others.is_empty() {
        return bad("name the records that go into this one".to_owned());
    }
    if request.from.len() > MOST_MERGED {
        return bad(format!("at most {MOST_MERGED} records go into another at once"));
    }
    if others.len() < request.from.len() || others.contains(&survivor) {
        return bad("name each record once, and not the one that stays".to_owned());
    }
    let mut faults = Vec::new();
    let mut fields = BTreeSet::new();
    for (field, from) in &request.take {
        let name = &entity.field(*field).name;
        if !others.contains(from) {
            faults.push(FieldFault::at(name, "bad_merge", format!("`{name}` is taken from a record that is not merged")));
        } else if !is_takeable(entity, *field) {
            faults.push(FieldFault::at(name, "bad_merge", format!("`{name}` cannot be taken from another record")));
        } else if !fields.insert(*field) {
            faults.push(FieldFault::at(name, "bad_merge", format!("`{name}` is taken twice")));
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(RecordError::Invalid(faults)) }
}
