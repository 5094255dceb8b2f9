//! Merging records that are one: what leads to the others leads to the one that stays, values are chosen field by field, the
//! others go to the recycle bin and their ids answer with where they went.
//!
//! All of it is one unit of work. Links are moved by a few statements a field, not record by record: a merge of records with
//! tens of thousands of links takes moments, and nobody sees half of it. The records themselves go through the writer, with its
//! rights, rules, gates and events; a link that is led elsewhere is a change of that record (its version, history and event
//! tell it), but no edit of it: its own rules and scripts are not asked.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use super::convert::{from_json, link_id};
use super::error::{FieldFault, RecordError};
use super::hooks::{BoxFuture, HookPoint, Record};
use super::input::Input;
use super::moved::Moved;
use super::options::{Source, WriteOptions};
use super::plan::{Compiled, Reference};
use super::prepare::Target;
use super::service::Records;
use super::unit::RecordTx;
use crate::access::{Action, Actor, Rights};
use crate::base::{DateTime, EntityIx, FieldIx, RecordId, Value};
use crate::schema::catalog::{Catalog, Entity, FieldType, Via};
use crate::schema::field_type;
use crate::store::compile::Lock;
use crate::store::{history, merges, outbox};

/// Records merged into one at once.
pub const MOST_MERGED: usize = 9;
/// Links that one merge moves.
const MOST_LINKS: u64 = 200_000;
/// Records computed at once; more are left to jobs.
const AT_ONCE: usize = 200;
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
        self.run_merge(actor, source, is_rehearsal, move |tx| {
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
        self.run_merge(actor, source, is_rehearsal, move |tx| {
            let (from, options) = (from.clone(), options.clone());
            Box::pin(async move {
                let moved = Moved::new(&from, tx.catalog(), entity)?;
                tx.unmerge_record(moved.entity, survivor, merge, &options).await
            })
        })
        .await
    }

    async fn run_merge<T, F>(&self, actor: &Actor, source: Source, is_rehearsal: bool, unit: F) -> Result<T, RecordError>
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

/// A field elsewhere that leads to the records that are merged, and the column it does so by.
struct Lead<'c> {
    reference: Reference,
    column: &'c str,
    /// Rows between two records: the column of the far end, and the one that says that a row is deleted.
    twin: Option<(&'c str, Option<&'c str>)>,
}

impl<'c> Lead<'c> {
    fn link(&self, compiled: &'c Compiled) -> merges::Link<'c> {
        let entity = compiled.entity(self.reference.entity);
        let plan = compiled.plan(self.reference.entity);
        let column = |field: Option<FieldIx>| Some(entity.field(field?).columns.first()?.name.as_str());
        merges::Link {
            field_uid: &entity.field(self.reference.field).uid,
            table: &entity.table,
            column: self.column,
            version: column(plan.version),
            updated_at: column(plan.updated_at),
            updated_by: column(plan.updated_by),
        }
    }
}

/// All fields that lead to records of an entity.
fn leads(compiled: &Compiled, target: EntityIx) -> Vec<Lead<'_>> {
    let mut found = Vec::new();
    for reference in &compiled.plan(target).referenced {
        let entity = compiled.entity(reference.entity);
        let field = entity.field(reference.field);
        let position = match &field.ty {
            FieldType::AnyLink { to, .. } => to.iter().position(|to| *to == target),
            _ => Some(0),
        };
        let Some(column) = position.and_then(|at| field.columns.get(at)) else { continue };
        let twin = if entity.is_junction { far_end(entity, reference.field) } else { None };
        found.push(Lead { reference: *reference, column: &column.name, twin });
    }
    found
}

/// The other link of a row between two records.
fn far_end(entity: &Entity, near: FieldIx) -> Option<(&str, Option<&str>)> {
    let far = entity
        .fields
        .iter()
        .find(|field| field.ix != near && !field.is_system && matches!(field.ty, FieldType::Link { .. } | FieldType::User { .. }))?;
    let deleted = entity.find_field("deleted_at").filter(|field| field.is_system && entity.features.soft_delete);
    Some((far.columns.first()?.name.as_str(), deleted.and_then(|field| field.columns.first()).map(|column| column.name.as_str())))
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
            let moved = self.move_links(compiled, entity, id, (*from, survivor), true, options, &mut stale).await?;
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

    /// Leads all links from one record to another; `marks`: those that lead there now, else those that were marked before.
    #[expect(clippy::too_many_arguments, reason = "each says another part of one move")]
    async fn move_links(
        &mut self,
        compiled: &Arc<Compiled>,
        entity: EntityIx,
        merge: RecordId,
        (from, to): (RecordId, RecordId),
        marks: bool,
        options: &WriteOptions,
        stale: &mut Stale,
    ) -> Result<u64, RecordError> {
        let mut count = 0;
        for lead in leads(compiled, entity) {
            let link = lead.link(compiled);
            if marks {
                let marked = merges::mark(self.store, merge, link, (from, to), lead.twin).await?;
                if count + marked > MOST_LINKS {
                    return Err(RecordError::TooMany {
                        what: "links of merged records".to_owned(),
                        got: count + marked,
                        limit: MOST_LINKS,
                    });
                }
                if marked == 0 {
                    continue;
                }
            }
            self.expect_undecided(compiled, merge, &lead).await?;
            let by = self.scope.actor.user_id();
            let led = merges::lead(self.store, merge, link, (from, to), by).await;
            let led = led.map_err(|error| self.explain(compiled, lead.reference.entity, error))?;
            if led == 0 {
                continue;
            }
            count += led;
            self.tell_moved(compiled, entity, merge, &lead, (from, to), options, stale).await?;
        }
        Ok(count)
    }

    /// What is being decided on stays as it was seen: a link that an approval locks is not led elsewhere.
    async fn expect_undecided(&mut self, compiled: &Compiled, merge: RecordId, lead: &Lead<'_>) -> Result<(), RecordError> {
        let (entity, field) = (compiled.entity(lead.reference.entity), lead.reference.field);
        let locking: Vec<&str> =
            entity.approvals.iter().filter(|approval| approval.fields.contains(&field)).map(|approval| approval.id.as_str()).collect();
        if locking.is_empty() {
            return Ok(());
        }
        let field = entity.field(field);
        match merges::decided_on(self.store, merge, &field.uid, &locking).await? {
            0 => Ok(()),
            count => {
                let message = format!(
                    "`{}` of {count} {} is locked while something is decided about it: have that decided first",
                    field.name, entity.slug
                );
                Err(refused(message))
            }
        }
    }

    /// History, events, keys and stored values of the records whose link was led elsewhere.
    #[expect(clippy::too_many_arguments, reason = "each says another part of one move")]
    async fn tell_moved(
        &mut self,
        compiled: &Arc<Compiled>,
        target: EntityIx,
        merge: RecordId,
        lead: &Lead<'_>,
        (from, to): (RecordId, RecordId),
        options: &WriteOptions,
        stale: &mut Stale,
    ) -> Result<(), RecordError> {
        let (ix, field) = (lead.reference.entity, lead.reference.field);
        let (entity, link) = (compiled.entity(ix), lead.link(compiled));
        let prefix = &compiled.entity(target).prefix;
        if entity.features.history {
            let entry = history::Entry {
                record: RecordId(0),
                version: 0,
                entity_uid: entity.uid.clone(),
                action: "update".to_owned(),
                at: self.now(),
                actor: self.scope.actor.user_id(),
                actor_kind: options.source.as_str().to_owned(),
                changes_json: json!({ entity.field(field).uid.as_str(): [from.display(prefix), to.display(prefix)] }).to_string(),
            };
            merges::trace(self.store, merge, link, to, &entry).await?;
        }
        let moved = merges::moved(self.store, merge, link, to).await?;
        let changed_json = json!([entity.field(field).uid]).to_string();
        let events: Vec<outbox::NewEvent> = moved
            .iter()
            .map(|(record, version)| outbox::NewEvent {
                entity_uid: entity.uid.clone(),
                record: *record,
                version: *version,
                event: "update".to_owned(),
                changed_json: changed_json.clone(),
                actor: self.scope.actor.user_id(),
                chain_json: "[]".to_owned(),
                schema_version: compiled.catalog.version,
            })
            .collect();
        outbox::append_all(self.store, &events.iter().collect::<Vec<_>>()).await?;
        for (record, version) in &moved {
            self.scope.versions.insert((ix, *record), *version);
        }
        let ids: Vec<RecordId> = moved.into_iter().map(|(id, _)| id).collect();
        if entity.duplicates.iter().any(|rule| rule.reads(field)) {
            for part in ids.chunks(AT_ONCE) {
                for record in self.load(ix, part, Lock::None).await? {
                    self.write_matches(compiled, &record, false).await?;
                }
            }
        }
        // Their own stored values, where those read over this link.
        let needs = &compiled.plan(ix).computed_needs;
        let over = |hops: &[crate::expr::Hop]| hops.first().is_some_and(|hop| hop.field == field);
        if needs.paths.iter().any(|path| over(&path.hops)) || needs.children.iter().any(|child| over(&child.over.hops)) {
            ids.iter().for_each(|id| stale.put(ix, *id));
        }
        for dependent in &entity.dependents {
            let owner = compiled.entity(dependent.entity);
            if owner.field(dependent.field).columns.is_empty() {
                continue;
            }
            match dependent.via {
                Via::ChildLink(own) if own == field => [from, to].into_iter().for_each(|id| stale.put(dependent.entity, id)),
                Via::ChildLink(own) if dependent.reads.contains(&field) => {
                    let Some(column) = entity.field(own).columns.first() else { continue };
                    for part in ids.chunks(10_000) {
                        let owners = merges::held(self.store, &entity.table, &column.name, part).await?;
                        owners.into_iter().for_each(|id| stale.put(dependent.entity, id));
                    }
                }
                Via::ParentLink(own) if dependent.reads.contains(&field) => {
                    let Some(column) = owner.field(own).columns.first() else { continue };
                    for part in ids.chunks(10_000) {
                        let owners = merges::holding(self.store, &owner.table, &column.name, part).await?;
                        owners.into_iter().for_each(|id| stale.put(dependent.entity, id));
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Computes what read over links that lead elsewhere: some at once, many by jobs.
    async fn settle_stale(&mut self, compiled: &Arc<Compiled>, stale: Stale) -> Result<(), RecordError> {
        for (entity, ids) in stale.0 {
            if compiled.plan(entity).computed.is_empty() {
                continue;
            }
            let ids: Vec<RecordId> = ids.into_iter().collect();
            match ids.len() > AT_ONCE {
                true => self.enqueue_recalculation(compiled, entity, ids).await?,
                false => drop(self.recalculate(compiled, entity, &ids).await?),
            }
        }
        Ok(())
    }

    async fn unmerge_record(
        &mut self,
        entity: EntityIx,
        survivor: RecordId,
        id: RecordId,
        options: &WriteOptions,
    ) -> Result<Unmerged, RecordError> {
        let compiled = self.scope.compiled.clone();
        let definition = compiled.entity(entity);
        let no_merge = || RecordError::NotFound { entity: "merge".to_owned(), id: id.display(MERGE_PREFIX) };
        let found = merges::find(self.store, id).await?;
        let merge = found.filter(|merge| merge.entity_uid == definition.uid && merge.survivor == survivor).ok_or_else(no_merge)?;
        let mut ids = [merge.survivor, merge.loser];
        ids.sort_unstable();
        let records = self.load(entity, &ids, Lock::Remove).await?;
        let stays = records.iter().find(|record| record.id == merge.survivor);
        let gone = records.iter().find(|record| record.id == merge.loser);
        // Who may not read the one that stays is told of nothing.
        let Some(stays) = stays else { return Err(no_merge()) };
        self.expect_may(Action::Update, stays, None).await?;
        if merge.undone_at.is_some() {
            return Err(refused("this merge was undone already"));
        }
        if stays.is_deleted(definition) {
            let message = match merges::into_in(self.store, merge.survivor).await? {
                Some(next) => {
                    format!("this {} was merged into `{}` since: undo that first", definition.slug, next.display(&definition.prefix))
                }
                None => format!("this {} is in the recycle bin: restore it first", definition.slug),
            };
            return Err(refused(message));
        }
        let Some(gone) = gone.cloned() else {
            return Err(refused(format!("`{}` was deleted for good and cannot be brought back", merge.loser.display(&definition.prefix))));
        };
        self.expect_may(Action::Delete, &gone, None).await?;
        if !gone.is_deleted(definition) {
            return Err(refused(format!("`{}` is not in the recycle bin any more", merge.loser.display(&definition.prefix))));
        }
        self.expect_version(&stays.clone(), options).await?;
        let asker = self.raised();
        let done = self.take_apart(&compiled, stays.clone(), gone, &merge, options).await;
        self.scope.actor = asker;
        done
    }

    async fn take_apart(
        &mut self,
        compiled: &Arc<Compiled>,
        stays: Record,
        gone: Record,
        merge: &merges::Merge,
        options: &WriteOptions,
    ) -> Result<Unmerged, RecordError> {
        let entity = stays.entity;
        let definition = compiled.entity(entity);
        let own = WriteOptions { allow_duplicates: true, if_match: None, ..options.clone() };
        // A link to the one that comes back is set once it is there.
        let (mut input, mut later, mut kept_fields) = (Input::new(), Input::new(), Vec::new());
        let taken = crate::base::json::parse(merge.taken_json.as_bytes()).unwrap_or_default();
        for (uid, pair) in taken.as_object().into_iter().flatten() {
            let Some(field) = definition.fields.iter().find(|field| field.uid == *uid) else { continue };
            let now = field_type::to_json(&compiled.catalog, field, stays.get(field.ix));
            let before = pair.get(0).map(|before| from_json(&compiled.catalog, field, before));
            match before {
                Some(Ok(before)) if pair.get(1) == Some(&now) => {
                    let leads_back = is_own_link(definition, field.ix, entity) && link_id(&before) == Some(merge.loser);
                    if leads_back {
                        later.set(field.ix, before)
                    } else {
                        input.set(field.ix, before)
                    };
                }
                _ => kept_fields.push(field.name.clone()),
            }
        }
        let prepared = self.prepare(entity, Target::Update(stays), input, Vec::new(), &own).await?;
        self.write(prepared, &own).await?;
        let marked = merges::count(self.store, merge.id).await?;
        let mut stale = Stale::default();
        let moved = self.move_links(compiled, entity, merge.id, (merge.survivor, merge.loser), false, options, &mut stale).await?;
        merges::lead_shares_back(self.store, merge.id, (merge.survivor, merge.loser)).await?;
        merges::note_undone(self.store, merge.id).await?;
        // Its version may have grown, where it was linked to the other itself.
        let gone = self.load_one(entity, gone.id).await?.unwrap_or(gone);
        let below = WriteOptions { source: options.source, without_hooks: options.without_hooks, ..WriteOptions::default() };
        self.bring_back(compiled, gone, &below, 0).await?;
        if !later.is_empty() {
            let stays = self.load_live(entity, merge.survivor, Lock::Change).await?;
            let prepared = self.prepare(entity, Target::Update(stays), later, Vec::new(), &own).await?;
            self.write(prepared, &own).await?;
        }
        stale.put(entity, merge.survivor);
        stale.put(entity, merge.loser);
        self.settle_stale(compiled, stale).await?;
        Ok(Unmerged { from: merge.loser, survivor: merge.survivor, moved, kept_fields, kept_links: marked.saturating_sub(moved) })
    }

    /// A record that went into another comes back by taking the merge apart, not by itself.
    pub(super) async fn expect_not_merged(&mut self, entity: &Entity, id: RecordId) -> Result<(), RecordError> {
        match merges::into_in(self.store, id).await? {
            Some(into) => {
                let into = into.display(&entity.prefix);
                Err(refused(format!("this {} was merged into `{into}`: undo that merge to bring it back", entity.slug)))
            }
            None => Ok(()),
        }
    }
}

/// Records whose stored values read something that changed.
#[derive(Debug, Default)]
struct Stale(BTreeMap<EntityIx, BTreeSet<RecordId>>);

impl Stale {
    fn put(&mut self, entity: EntityIx, id: RecordId) {
        self.0.entry(entity).or_default().insert(id);
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
