//! Deleting with all that hangs on a record, and bringing it back.

use std::collections::HashSet;
use std::sync::Arc;

use super::convert::link_id;
use super::error::{FieldFault, RecordError};
use super::hooks::{BoxFuture, EventKind, HookPoint, Record, RecordEvent};
use super::options::{Saved, WriteOptions};
use super::plan::{Compiled, Reference};
use super::trace::Trace;
use super::unit::RecordTx;
use super::world::World;
use crate::access::{Action, Actor, ShareWith, Write, WriteKind, authorise_list, authorise_write};
use crate::base::{EntityIx, FieldIx, RecordId, Value};
use crate::expr::{CompareOp, EvalContext, Node, Path, Root, Type, Typed};
use crate::query::{Count, Deleted, Item, ListRequest, Paging, Select};
use crate::schema::catalog::OnDelete;
use crate::store::compile::{self, Lock, Source};
use crate::store::shares;

/// Records that one delete may touch by way of others.
const MAX_CASCADE: u32 = 5_000;
/// Cascades of cascades.
const MAX_LEVELS: u32 = 10;

/// One delete with all that goes with it.
struct Going {
    root: (EntityIx, RecordId),
    /// Deleted already, or being deleted.
    begun: HashSet<(EntityIx, RecordId)>,
    /// All that goes; known once something asked.
    all: Option<HashSet<(EntityIx, RecordId)>>,
}

/// What the deletes and changes below take from the one that was asked for.
fn inner(options: &WriteOptions) -> WriteOptions {
    WriteOptions { source: options.source, without_hooks: options.without_hooks, ..WriteOptions::default() }
}

impl RecordTx<'_> {
    pub(super) async fn delete_record(&mut self, entity: EntityIx, id: RecordId, options: &WriteOptions) -> Result<Saved, RecordError> {
        self.count_write()?;
        let old = self.load_live(entity, id, Lock::Remove).await?;
        self.expect_may(Action::Delete, &old, None).await?;
        self.expect_version(&old, options).await?;
        self.remove_with_all(old, options).await
    }

    async fn remove_with_all(&mut self, old: Record, options: &WriteOptions) -> Result<Saved, RecordError> {
        let mut going = Going { root: (old.entity, old.id), begun: HashSet::new(), all: None };
        let saved = self.remove(old, options, 0, &mut going).await?;
        let compiled = self.scope.compiled.clone();
        self.forget_later(&compiled, going.begun, None).await?;
        Ok(saved)
    }

    /// [`Self::delete_record`] for those inside a save: the future is boxed because saves and deletes call each other. Rows
    /// between two records go with the field that lists them.
    pub(super) fn delete_below<'a>(
        &'a mut self,
        entity: EntityIx,
        id: RecordId,
        options: &'a WriteOptions,
    ) -> BoxFuture<'a, Result<Saved, RecordError>> {
        Box::pin(async move {
            if !self.scope.compiled.entity(entity).is_made {
                return self.delete_record(entity, id, options).await;
            }
            self.count_write()?;
            let old = self.load_live(entity, id, Lock::Remove).await?;
            self.remove_with_all(old, options).await
        })
    }

    fn remove<'a>(
        &'a mut self,
        old: Record,
        options: &'a WriteOptions,
        level: u32,
        going: &'a mut Going,
    ) -> BoxFuture<'a, Result<Saved, RecordError>> {
        Box::pin(async move {
            going.begun.insert((old.entity, old.id));
            let compiled = self.scope.compiled.clone();
            let hooks = self.scope.hooks.clone();
            if level > MAX_LEVELS {
                return Err(RecordError::TooMany {
                    what: "levels of records deleted with others".to_owned(),
                    got: u64::from(level),
                    limit: u64::from(MAX_LEVELS),
                });
            }
            if !options.without_hooks && hooks.matches(&compiled.catalog, old.entity, HookPoint::BeforeDelete) {
                hooks.before_delete(self, &old).await?;
            }
            let references = compiled.plan(old.entity).referenced.clone();
            // The record's own rollups need not follow the rows that go with it.
            self.scope.deferred.push((old.entity, old.id));
            let mut released = self.release(&compiled, &old, &references, options, level, going).await;
            if released.is_ok() {
                released = self.expect_free(&compiled, &old, &references, options, level, going).await;
            }
            self.scope.deferred.pop();
            released?;
            self.write_delete(&compiled, old, options).await
        })
    }

    /// Cascades and clears links; what restricts is looked at afterwards, when the rest is gone.
    async fn release(
        &mut self,
        compiled: &Arc<Compiled>,
        old: &Record,
        references: &[Reference],
        options: &WriteOptions,
        level: u32,
        going: &mut Going,
    ) -> Result<(), RecordError> {
        let inner = inner(options);
        for reference in references.iter().filter(|reference| reference.on_delete != OnDelete::Restrict) {
            let lock = if reference.on_delete == OnDelete::Cascade { Lock::Remove } else { Lock::Change };
            let found = self.load_by(reference.entity, reference.field, &[old.id], MAX_CASCADE + 1, lock).await?;
            if found.len() > MAX_CASCADE as usize {
                return Err(RecordError::TooMany {
                    what: format!("{} records that hang on this one", compiled.entity(reference.entity).slug),
                    got: found.len() as u64,
                    limit: u64::from(MAX_CASCADE),
                });
            }
            for record in found {
                if going.begun.contains(&(record.entity, record.id)) {
                    continue;
                }
                if reference.on_delete == OnDelete::Cascade {
                    // Another branch of the cascade may have taken it already.
                    if level > 0
                        && self.load_one(record.entity, record.id).await?.is_none_or(|now| now.is_deleted(compiled.entity(now.entity)))
                    {
                        continue;
                    }
                    self.remove(record, &inner, level + 1, going).await?;
                } else {
                    self.clear_link(compiled, record, reference.field, &inner).await?;
                }
            }
        }
        Ok(())
    }

    /// Sets a link to nothing without asking the record's rules: its target goes.
    async fn clear_link(
        &mut self,
        compiled: &Arc<Compiled>,
        old: Record,
        field: FieldIx,
        options: &WriteOptions,
    ) -> Result<(), RecordError> {
        let mut record = old.clone();
        record.values[field.0 as usize] = Value::Null;
        self.touch(compiled, &mut record);
        let mut changes = vec![(field, Value::Null)];
        changes.extend(self.stamps(compiled, &record));
        let changed = vec![field];
        let statements = self.update_statements(compiled, &record, &changes)?;
        self.run_all(compiled, record.entity, &statements).await?;
        let change = Trace { kind: EventKind::Update, record: &record, old: Some(&old), changed: &changed, by_script: &[] };
        self.trace(compiled, change, options).await?;
        let event = RecordEvent {
            kind: EventKind::Update,
            entity: record.entity,
            id: record.id,
            version: record.version,
            old: Some(old),
            record,
            changed,
        };
        self.after(compiled, event, options).await?;
        Ok(())
    }

    /// The next version, now, by this actor.
    pub(super) fn touch(&self, compiled: &Compiled, record: &mut Record) {
        let plan = compiled.plan(record.entity);
        record.version += 1;
        let user = self.scope.actor.user.map_or(Value::Null, Value::Link);
        for (field, value) in
            [(plan.version, Value::Int(record.version)), (plan.updated_at, Value::DateTime(self.now())), (plan.updated_by, user)]
        {
            if let Some(field) = field {
                record.values[field.0 as usize] = value;
            }
        }
    }

    /// Refuses when something that stays restricts. What restricts and goes with the same delete goes first.
    async fn expect_free(
        &mut self,
        compiled: &Arc<Compiled>,
        old: &Record,
        references: &[Reference],
        options: &WriteOptions,
        level: u32,
        going: &mut Going,
    ) -> Result<(), RecordError> {
        const COUNTED: u32 = 1_000;
        for reference in references.iter().filter(|reference| reference.on_delete == OnDelete::Restrict) {
            let mut found = self.load_by(reference.entity, reference.field, &[old.id], COUNTED, Lock::None).await?;
            found.retain(|record| record.id != old.id || record.entity != old.entity);
            if found.is_empty() {
                continue;
            }
            if level > 0 {
                self.find_all(compiled, going).await?;
            }
            let all = going.all.clone().unwrap_or_default();
            let (with_it, staying): (Vec<Record>, Vec<Record>) =
                found.into_iter().partition(|record| all.contains(&(record.entity, record.id)));
            if !staying.is_empty() {
                let entity = compiled.entity(reference.entity);
                let error = RecordError::Restrict {
                    entity: entity.slug.clone(),
                    field: entity.field(reference.field).name.clone(),
                    count: i64::try_from(staying.len()).unwrap_or(i64::MAX),
                };
                return Err(self.keep_back_restrict(reference.entity, error));
            }
            for record in with_it {
                if !going.begun.contains(&(record.entity, record.id)) {
                    self.remove(record, &inner(options), level + 1, going).await?;
                }
            }
        }
        Ok(())
    }

    /// Everything that the cascades from the root reach, found once: the root stands until the last.
    async fn find_all(&mut self, compiled: &Arc<Compiled>, going: &mut Going) -> Result<(), RecordError> {
        if going.all.is_some() {
            return Ok(());
        }
        let mut all = HashSet::from([going.root]);
        let mut level = vec![going.root];
        while !level.is_empty() && all.len() <= MAX_CASCADE as usize {
            let mut next = Vec::new();
            level.sort_unstable();
            for same in level.chunk_by(|one, other| one.0 == other.0) {
                let ids: Vec<RecordId> = same.iter().map(|(_, id)| *id).collect();
                let cascades = compiled.plan(same[0].0).referenced.iter().filter(|reference| reference.on_delete == OnDelete::Cascade);
                for reference in cascades {
                    let found = self.load_by(reference.entity, reference.field, &ids, MAX_CASCADE + 1, Lock::None).await?;
                    next.extend(found.into_iter().map(|record| (record.entity, record.id)).filter(|found| all.insert(*found)));
                }
            }
            level = next;
        }
        going.all = Some(all);
        Ok(())
    }

    pub(super) async fn write_delete(
        &mut self,
        compiled: &Arc<Compiled>,
        old: Record,
        options: &WriteOptions,
    ) -> Result<Saved, RecordError> {
        let entity = old.entity;
        let mut record = old.clone();
        self.touch(compiled, &mut record);
        let statements = match compiled.plan(entity).deleted_at {
            Some(field) if compiled.entity(entity).features.soft_delete => {
                record.values[field.0 as usize] = Value::DateTime(self.now());
                let mut changes = vec![(field, Value::DateTime(self.now()))];
                changes.extend(self.stamps(compiled, &record));
                self.update_statements(compiled, &record, &changes)?
            }
            _ => {
                let request =
                    authorise_write(&compiled.catalog, &self.scope.actor, Write { entity, kind: WriteKind::Delete, fields: Vec::new() })?;
                compile::delete(&compiled.catalog, self.store.dialect(), &request, old.id)
            }
        };
        self.run_all(compiled, entity, &statements).await?;
        self.end_shares(compiled, &old).await?;
        self.end_approvals(compiled, &old).await?;
        let change = Trace { kind: EventKind::Delete, record: &record, old: Some(&old), changed: &[], by_script: &[] };
        self.trace(compiled, change, options).await?;
        let mut saved = Saved {
            id: old.id,
            version: record.version,
            created: false,
            changed: Vec::new(),
            warnings: Vec::new(),
            stale: Vec::new(),
            replayed: false,
            written: None,
        };
        let event = RecordEvent {
            kind: EventKind::Delete,
            entity,
            id: old.id,
            version: record.version,
            record: old.clone(),
            old: Some(old),
            changed: Vec::new(),
        };
        saved.stale = self.after(compiled, event, options).await?;
        Ok(saved)
    }

    /// What was shared with a person or team ends with them; the shares of a record last as long as its row.
    async fn end_shares(&mut self, compiled: &Compiled, old: &Record) -> Result<(), RecordError> {
        let entity = compiled.entity(old.entity);
        match entity.id.as_str() {
            "core.user" => shares::forget_with(self.store, &ShareWith::Person(old.id)).await?,
            "core.team" => shares::forget_with(self.store, &ShareWith::Team(old.id)).await?,
            _ if !entity.features.soft_delete && entity.is_shareable() => shares::forget_record(self.store, &entity.uid, old.id).await?,
            _ => 0,
        };
        Ok(())
    }

    pub(super) async fn restore_record(&mut self, entity: EntityIx, id: RecordId, options: &WriteOptions) -> Result<Saved, RecordError> {
        self.count_write()?;
        let compiled = self.scope.compiled.clone();
        let definition = compiled.entity(entity);
        let Some(old) = self.load_one(entity, id).await? else {
            return Err(RecordError::NotFound { entity: definition.slug.clone(), id: id.display(&definition.prefix) });
        };
        if !old.is_deleted(definition) {
            self.expect_may(Action::Delete, &old, None).await?;
            return Err(RecordError::State { message: format!("this {} is not in the recycle bin", definition.slug) });
        }
        self.expect_may(Action::Delete, &old, None).await?;
        self.expect_not_merged(definition, id).await?;
        self.expect_version(&old, &WriteOptions { source: super::options::Source::System, ..options.clone() }).await?;
        self.bring_back(&compiled, old, options, 0).await
    }

    pub(super) fn bring_back<'a>(
        &'a mut self,
        compiled: &'a Arc<Compiled>,
        old: Record,
        options: &'a WriteOptions,
        level: u32,
    ) -> BoxFuture<'a, Result<Saved, RecordError>> {
        Box::pin(async move {
            let entity = compiled.entity(old.entity);
            let mut faults: Vec<FieldFault> = Vec::new();
            self.check_links(&World::default(), entity, &old, None, &[], &mut faults).await?;
            if !faults.is_empty() {
                return Err(RecordError::Invalid(faults));
            }
            let mut record = old.clone();
            self.touch(compiled, &mut record);
            let mut changes = Vec::new();
            if let Some(field) = compiled.plan(old.entity).deleted_at {
                record.values[field.0 as usize] = Value::Null;
                changes.push((field, Value::Null));
            }
            changes.extend(self.stamps(compiled, &record));
            let statements = self.update_statements(compiled, &record, &changes)?;
            self.run_all(compiled, record.entity, &statements).await?;
            let change = Trace { kind: EventKind::Restore, record: &record, old: Some(&old), changed: &[], by_script: &[] };
            self.trace(compiled, change, options).await?;
            let inner = inner(options);
            if level < MAX_LEVELS {
                for record in self.deleted_with(compiled, &old).await? {
                    self.bring_back(compiled, record, &inner, level + 1).await?;
                }
            }
            let mut saved = Saved {
                id: record.id,
                version: record.version,
                created: false,
                changed: Vec::new(),
                warnings: Vec::new(),
                stale: Vec::new(),
                replayed: false,
                written: None,
            };
            let (ix, id) = (record.entity, record.id);
            let event = RecordEvent {
                kind: EventKind::Restore,
                entity: record.entity,
                id: record.id,
                version: record.version,
                old: Some(old),
                record,
                changed: Vec::new(),
            };
            saved.stale = self.after(compiled, event, options).await?;
            // What its stored values read may have gone or changed while it lay in the recycle bin, where nothing is computed.
            if !compiled.plan(ix).computed.is_empty() {
                self.recalculate(compiled, ix, &[id]).await?;
                if let Some(now) = self.load_one(ix, id).await? {
                    saved.version = now.version;
                }
            }
            Ok(saved)
        })
    }

    /// Records that went into the recycle bin with this one by a cascade: same moment, linked to it.
    async fn deleted_with(&mut self, compiled: &Arc<Compiled>, old: &Record) -> Result<Vec<Record>, RecordError> {
        let Some(moment) = compiled.plan(old.entity).deleted_at.map(|field| old.get(field).clone()) else {
            return Ok(Vec::new());
        };
        let mut found = Vec::new();
        for reference in compiled.plan(old.entity).referenced.iter().filter(|reference| reference.on_delete == OnDelete::Cascade) {
            let Some(deleted_at) = compiled.plan(reference.entity).deleted_at else {
                continue;
            };
            let filter = Typed::all_of(vec![
                equals(reference.field, Type::Link(vec![old.entity]), Value::Link(old.id)),
                equals(deleted_at, Type::DateTime, moment.clone()),
            ]);
            // What went with the record comes back with it, whoever may read it.
            let engine = Actor::system();
            let ids = self.ids_of(&engine, compiled, reference.entity, Some(filter), None, Deleted::Deleted, MAX_CASCADE).await?;
            let records = self.load(reference.entity, &ids, Lock::Change).await?;
            found.extend(records.into_iter().filter(|record| {
                link_id(record.get(reference.field)) == Some(old.id) && record.is_deleted(compiled.entity(reference.entity))
            }));
        }
        Ok(found)
    }

    /// Ids of the records a condition finds, in no order.
    #[expect(clippy::too_many_arguments, reason = "each is one part of a list request")]
    pub(super) async fn ids_of(
        &mut self,
        actor: &Actor,
        compiled: &Arc<Compiled>,
        entity: EntityIx,
        filter: Option<Typed>,
        search: Option<String>,
        deleted: Deleted,
        limit: u32,
    ) -> Result<Vec<RecordId>, RecordError> {
        let id = compiled.plan(entity).id.map(Item::Field);
        let select = Select { entity, items: id.into_iter().collect() };
        let request = ListRequest {
            entity,
            select,
            filter,
            sort: Vec::new(),
            paging: Paging::First,
            limit,
            count: Count::None,
            search,
            deleted,
            digest: [0; 8],
        };
        self.ids_by(actor, compiled, request).await
    }

    /// Ids of the records a list request finds, in its order.
    pub(super) async fn ids_by(
        &mut self,
        actor: &Actor,
        compiled: &Arc<Compiled>,
        request: ListRequest,
    ) -> Result<Vec<RecordId>, RecordError> {
        let authorised = authorise_list(&compiled.catalog, actor, request)?;
        let plan = {
            let context = EvalContext { now: self.now(), zone: compiled.zone.clone(), me: actor.user, old: None };
            compile::list(&compiled.catalog, self.store.dialect(), &authorised, &context)
        };
        let page = compile::fetch_list(&mut Source::Tx(self.store), &plan, &self.scope.cursor_key.clone()).await?;
        Ok(page.rows.iter().map(|row| row.id()).collect())
    }
}

/// `field = value` about a record.
pub(super) fn equals(field: FieldIx, ty: Type, value: Value) -> Typed {
    let path = Node::Path(Path { root: Root::Record, hops: Vec::new(), field, part: None });
    let left = Box::new(Typed::new(ty.clone(), path, 0..0));
    let right = Box::new(Typed::literal(ty, value));
    Typed::new(Type::Bool, Node::Compare { op: CompareOp::Eq, left, right }, 0..0)
}
