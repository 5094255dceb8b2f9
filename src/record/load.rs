//! Reading inside a unit of work: whole records, and the world around one that its expressions need.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::convert::link_id;
use super::error::RecordError;
use super::hooks::{BoxFuture, Record};
use super::plan::{Compiled, rows_by};
use super::rights::Eyes;
use super::sealing;
use super::service::Records;
use super::unit::RecordTx;
use super::world::World;
use crate::access::{Actor, Granted, Write, WriteKind, authorise_write};
use crate::base::{DateTime, EntityIx, FieldIx, RecordId, Value};
use crate::expr::{Hop, Needs, Rows};
use crate::store::Dialect;
use crate::store::compile::{self, Lock, RowSet, Source};

/// Rows of one to-many field that are read at most.
pub(super) const MAX_ROWS: u32 = 20_000;

/// Reads whole records, inside a unit of work or outside.
pub(super) struct Reader<'a> {
    pub source: Source<'a>,
    pub dialect: Dialect,
    pub compiled: &'a Arc<Compiled>,
    pub actor: &'a Actor,
    /// Records that are not written yet and stand for themselves.
    pub pending: &'a [Record],
    /// For what is shown: only what these rights let be read is loaded.
    pub shown_to: Option<(&'a Granted, DateTime)>,
}

impl Records {
    /// Reads outside of any unit of work; for what is shown, only what `shown_to` lets be read.
    pub(super) fn reader<'a>(
        &'a self,
        compiled: &'a Arc<Compiled>,
        actor: &'a Actor,
        shown_to: Option<(&'a Granted, DateTime)>,
    ) -> Reader<'a> {
        Reader { source: Source::Store(self.store()), dialect: self.store().dialect(), compiled, actor, pending: &[], shown_to }
    }
}

impl RecordTx<'_> {
    pub(super) fn reader(&mut self) -> Reader<'_> {
        Reader {
            dialect: self.store.dialect(),
            source: Source::Tx(self.store),
            compiled: &self.scope.compiled,
            actor: &self.scope.actor,
            pending: &self.scope.pending,
            shown_to: None,
        }
    }

    /// See [`Reader::load`].
    pub(super) async fn load(&mut self, entity: EntityIx, ids: &[RecordId], lock: Lock) -> Result<Vec<Record>, RecordError> {
        self.reader().load(entity, ids, lock).await
    }

    /// One record to be changed: locked, deleted ones too.
    pub(super) async fn load_one(&mut self, entity: EntityIx, id: RecordId) -> Result<Option<Record>, RecordError> {
        Ok(self.load(entity, &[id], Lock::Change).await?.pop())
    }

    /// See [`Reader::load_by`].
    pub(super) async fn load_by(
        &mut self,
        entity: EntityIx,
        field: FieldIx,
        targets: &[RecordId],
        limit: u32,
        lock: Lock,
    ) -> Result<Vec<Record>, RecordError> {
        self.reader().load_by(entity, field, targets, limit, lock).await
    }

    /// See [`Reader::gather`].
    pub(super) async fn gather(&mut self, world: &mut World, roots: &[Record], needs: &Needs, is_new: bool) -> Result<(), RecordError> {
        self.reader().gather(world, roots, needs, is_new).await
    }

    /// Those of `ids` that are live records, or will be when this unit has written what it prepared.
    pub(super) async fn live(&mut self, entity: EntityIx, ids: &[RecordId]) -> Result<BTreeSet<RecordId>, RecordError> {
        let is_pending = |id: &&RecordId| self.scope.pending.iter().any(|record| record.entity == entity && record.id == **id);
        let mut found: BTreeSet<RecordId> = ids.iter().filter(is_pending).copied().collect();
        let to_ask: Vec<RecordId> = ids.iter().filter(|id| !found.contains(id)).copied().collect();
        if to_ask.is_empty() {
            return Ok(found);
        }
        let catalog = self.scope.compiled.catalog.clone();
        let request = authorise_write(&catalog, &self.scope.actor, Write { entity, kind: WriteKind::Load, fields: Vec::new() })?;
        let statement = compile::live(&catalog, self.store.dialect(), &request, &to_ask);
        found.extend(self.store.query(&statement).await?.cells.iter().filter_map(|cell| cell.as_int().map(RecordId)));
        Ok(found)
    }
}

impl Reader<'_> {
    /// Records by id, deleted ones too, with side tables. Ids that are not there are left out.
    pub async fn load(&mut self, entity: EntityIx, ids: &[RecordId], lock: Lock) -> Result<Vec<Record>, RecordError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let catalog = self.compiled.catalog.clone();
        let request = authorise_write(&catalog, self.actor, Write { entity, kind: WriteKind::Load, fields: Vec::new() })?;
        let known = match ids {
            // Nobody's rows are hidden: the statement is the same for all.
            [id] if request.rows().is_empty() => self.compiled.load(entity, *id, lock),
            _ => None,
        };
        let (statement, plan) = known.unwrap_or_else(|| {
            let (statement, plan) = compile::load(&catalog, self.dialect, &request, ids, lock);
            if ids.len() == 1 && request.rows().is_empty() {
                self.compiled.keep_load(entity, lock, &statement, &plan);
            }
            (statement, plan)
        });
        let mut rows = compile::fetch_rows(&mut self.source, &statement, &plan).await?;
        sealing::open_rows(&mut self.source, &mut rows, sealing::Reader::Engine).await?;
        let records = self.records(entity, &rows);
        self.shown(entity, records).await
    }

    /// Live records whose link leads to one of `targets`.
    pub async fn load_by(
        &mut self,
        entity: EntityIx,
        field: FieldIx,
        targets: &[RecordId],
        limit: u32,
        lock: Lock,
    ) -> Result<Vec<Record>, RecordError> {
        if targets.is_empty() {
            return Ok(Vec::new());
        }
        let catalog = self.compiled.catalog.clone();
        let request = authorise_write(&catalog, self.actor, Write { entity, kind: WriteKind::Load, fields: Vec::new() })?;
        let (statement, plan) = compile::load_by(&catalog, self.dialect, &request, field, targets, limit, lock);
        let mut rows = compile::fetch_rows(&mut self.source, &statement, &plan).await?;
        sealing::open_rows(&mut self.source, &mut rows, sealing::Reader::Engine).await?;
        let records = self.records(entity, &rows);
        self.shown(entity, records).await
    }

    /// What of the records may be shown.
    async fn shown(&mut self, entity: EntityIx, mut records: Vec<Record>) -> Result<Vec<Record>, RecordError> {
        let Some((granted, now)) = self.shown_to.filter(|_| !records.is_empty()) else { return Ok(records) };
        let Source::Store(store) = &self.source else { return Ok(records) };
        let zone = self.compiled.zone.clone();
        let source = Source::Store(store);
        let mut eyes = Eyes { source, dialect: self.dialect, compiled: self.compiled, granted, now, zone, me: self.actor.user };
        let ids: Vec<RecordId> = records.iter().map(|record| record.id).collect();
        let seen = eyes.seen(entity, &ids).await?;
        records.retain_mut(|record| seen.get(&record.id).map(|seen| seen.blank(record)).is_some());
        Ok(records)
    }

    fn records(&self, entity: EntityIx, rows: &RowSet) -> Vec<Record> {
        let compiled = self.compiled;
        let version = compiled.plan(entity).version;
        rows.iter()
            .map(|row| {
                let mut values = row.values(&compiled.catalog);
                for value in &mut values {
                    if matches!(value, Value::List(items) if items.is_empty()) {
                        *value = Value::Null;
                    }
                }
                let version = version.and_then(|field| values.get(field.0 as usize)).and_then(Value::as_int).unwrap_or(0);
                Record { entity, id: row.id(), version, values }
            })
            .collect()
    }

    /// Loads into `world` what `needs` reads around the `roots`, level by level: one statement an entity and level.
    pub fn gather<'a>(
        &'a mut self,
        world: &'a mut World,
        roots: &'a [Record],
        needs: &'a Needs,
        is_new: bool,
    ) -> BoxFuture<'a, Result<(), RecordError>> {
        Box::pin(async move {
            if needs.paths.is_empty() && needs.children.is_empty() && needs.old_paths.is_empty() {
                return Ok(());
            }
            let mut ways: Vec<&[Hop]> = needs.paths.iter().chain(&needs.old_paths).map(|path| path.hops.as_slice()).collect();
            ways.extend(needs.children.iter().map(|child| child.over.hops.as_slice()));
            self.follow(world, roots, &ways).await?;
            for child in &needs.children {
                let (entity, by) = rows_by(&child.over);
                let owners: BTreeSet<RecordId> = roots
                    .iter()
                    .filter_map(|root| walk(world, root, &child.over.hops).map(|owner| owner.id))
                    .filter(|owner| !world.rows.contains_key(&(entity, by, *owner)))
                    .collect();
                // A record that is not written yet has no rows below it.
                let to_load: Vec<RecordId> =
                    if is_new && child.over.hops.is_empty() { Vec::new() } else { owners.iter().copied().collect() };
                let mut rows = self.load_by(entity, by, &to_load, MAX_ROWS, Lock::None).await?;
                if let Rows::Links { far, to, .. } = &child.over.rows {
                    self.follow(world, &rows, &[&[Hop { field: *far, to: *to }]]).await?;
                    rows.retain(|row| walk(world, row, &[Hop { field: *far, to: *to }]).is_some());
                }
                self.gather(world, &rows, &child.needs, false).await?;
                for owner in &owners {
                    world.rows.entry((entity, by, *owner)).or_default();
                }
                for row in rows {
                    if let Some(owner) = link_id(row.get(by)) {
                        world.rows.entry((entity, by, owner)).or_default().push(row);
                    }
                }
            }
            Ok(())
        })
    }

    /// Loads the records the hops lead to.
    async fn follow(&mut self, world: &mut World, roots: &[Record], ways: &[&[Hop]]) -> Result<(), RecordError> {
        let longest = ways.iter().map(|way| way.len()).max().unwrap_or(0);
        for level in 0..longest {
            let mut wanted: HashMap<EntityIx, BTreeSet<RecordId>> = HashMap::new();
            for way in ways.iter().filter(|way| way.len() > level) {
                let hop = way[level];
                for root in roots {
                    let target = walk(world, root, &way[..level]).and_then(|record| link_id(record.get(hop.field)));
                    if let Some(id) = target.filter(|id| !world.records.contains_key(&(hop.to, *id))) {
                        wanted.entry(hop.to).or_default().insert(id);
                    }
                }
            }
            let mut wanted: Vec<_> = wanted.into_iter().collect();
            wanted.sort_by_key(|(entity, _)| *entity);
            for (entity, ids) in wanted {
                self.load_into(world, entity, ids.into_iter().collect()).await?;
            }
        }
        Ok(())
    }

    /// Loads records of one entity into `world`; those that are missing or deleted are noted as such.
    pub async fn load_into(&mut self, world: &mut World, entity: EntityIx, mut ids: Vec<RecordId>) -> Result<(), RecordError> {
        ids.retain(|id| match self.pending.iter().find(|record| record.entity == entity && record.id == *id) {
            Some(record) => {
                world.records.insert((entity, *id), Some(record.clone()));
                false
            }
            None => true,
        });
        let found = self.load(entity, &ids, Lock::None).await?;
        for id in ids {
            world.records.insert((entity, id), None);
        }
        for record in found {
            if !record.is_deleted(self.compiled.entity(entity)) {
                world.records.insert((entity, record.id), Some(record));
            }
        }
        Ok(())
    }
}

/// The record at the end of the hops, as far as the world knows it.
pub(super) fn walk<'a>(world: &'a World, root: &'a Record, hops: &[Hop]) -> Option<&'a Record> {
    let mut record = root;
    for hop in hops {
        let id = link_id(record.get(hop.field))?;
        record = world.records.get(&(hop.to, id))?.as_ref()?;
    }
    Some(record)
}
