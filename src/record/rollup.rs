//! Stored values of other records that read a changed one: computed anew in the same transaction.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::convert::{link_id, same};
use super::error::RecordError;
use super::hooks::{BoxFuture, EventKind, Record, RecordEvent};
use super::options::{Source, WriteOptions};
use super::plan::Compiled;
use super::trace::Trace;
use super::unit::RecordTx;
use super::world::{Setting, World};
use crate::base::{EntityIx, FieldIx, RecordId, Value};
use crate::schema::catalog::{Dependent, FieldType, Via};
use crate::store::compile::Lock;

/// More records than this are computed by a job.
const MAX_AT_ONCE: usize = 200;
/// Records that may read one changed record over a link.
const MAX_FOUND: u32 = 10_000;
/// Rollups of rollups this deep; deeper ones are left to a job.
const MAX_LEVELS: u32 = 6;
/// The same while a person is erased, when nothing may stay for later.
const MAX_LEVELS_ERASING: u32 = 100;

impl Setting<'_> {
    /// Formulas and rollups anew, inputs first.
    pub(super) fn recompute(&self, world: &World, record: &mut Record, old: Option<&Record>) {
        let entity = self.compiled.entity(record.entity);
        for ix in &self.compiled.plan(record.entity).computed {
            let expr = match &entity.field(*ix).ty {
                FieldType::Formula { expr, .. } => expr,
                FieldType::Rollup { aggregate, .. } => aggregate,
                _ => {
                    self.run_clock(world, record, old, *ix);
                    continue;
                }
            };
            let value = self.with_base(self.eval(world, expr, record, old));
            record.values[ix.0 as usize] = value;
        }
    }
}

impl RecordTx<'_> {
    /// Computes the stored rollups and formulas elsewhere that read the changed record. Gives the names of those left to a job.
    pub(super) fn refresh_dependents<'a>(
        &'a mut self,
        compiled: &'a Arc<Compiled>,
        event: &'a RecordEvent,
    ) -> BoxFuture<'a, Result<Vec<String>, RecordError>> {
        Box::pin(async move {
            let dependents = &compiled.entity(event.entity).dependents;
            let mut owners: BTreeMap<EntityIx, BTreeSet<RecordId>> = BTreeMap::new();
            let mut names: BTreeMap<EntityIx, Vec<String>> = BTreeMap::new();
            for dependent in dependents {
                let owner = compiled.entity(dependent.entity);
                if owner.field(dependent.field).columns.is_empty() || !concerns(event, dependent) {
                    continue;
                }
                let found = self.owners_of(event, dependent).await?;
                if !found.is_empty() {
                    owners.entry(dependent.entity).or_default().extend(found);
                    names.entry(dependent.entity).or_default().push(format!("{}.{}", owner.slug, owner.field(dependent.field).name));
                }
            }
            let mut stale = Vec::new();
            for (entity, mut ids) in owners {
                ids.retain(|id| !self.scope.deferred.contains(&(entity, *id)));
                let deepest = if self.scope.erases { MAX_LEVELS_ERASING } else { MAX_LEVELS };
                if ids.len() > MAX_AT_ONCE || self.scope.levels >= deepest {
                    stale.extend(names.remove(&entity).unwrap_or_default());
                    self.enqueue_recalculation(compiled, entity, ids.into_iter().collect()).await?;
                    continue;
                }
                let ids: Vec<RecordId> = ids.into_iter().collect();
                self.scope.levels += 1;
                let result = self.recalculate(compiled, entity, &ids).await;
                self.scope.levels -= 1;
                result?;
            }
            Ok(stale)
        })
    }

    /// The records whose stored value reads the changed one, before and after the change.
    async fn owners_of(&mut self, event: &RecordEvent, dependent: &Dependent) -> Result<Vec<RecordId>, RecordError> {
        match dependent.via {
            Via::ChildLink(link) => {
                let before = event.old.as_ref().and_then(|old| link_id(old.get(link)));
                let after = link_id(event.record.get(link));
                Ok(before.into_iter().chain(after).collect())
            }
            Via::ParentLink(link) => {
                let found = self.load_by(dependent.entity, link, &[event.id], MAX_FOUND, Lock::None).await?;
                Ok(found.into_iter().map(|record| record.id).collect())
            }
        }
    }

    /// Computes the stored values of these records and writes those that differ, with all that follows. Locks them in the
    /// order of their ids.
    pub(super) async fn recalculate(&mut self, compiled: &Arc<Compiled>, entity: EntityIx, ids: &[RecordId]) -> Result<usize, RecordError> {
        let definition = compiled.entity(entity);
        let plan = compiled.plan(entity);
        let stored: Vec<Record> =
            self.load(entity, ids, Lock::Change).await?.into_iter().filter(|record| !record.is_deleted(definition)).collect();
        let mut world = World::default();
        self.gather(&mut world, &stored, &plan.computed_needs, false).await?;
        let options = WriteOptions::from(Source::System);
        let mut written = 0;
        for mut old in stored {
            let mut record = old.clone();
            let setting = self.setting(compiled);
            setting.recompute(&world, &mut record, Some(&old));
            drop(setting);
            let changed: Vec<FieldIx> = plan
                .computed
                .iter()
                .copied()
                .filter(|ix| !same(&compiled.catalog, definition.field(*ix), old.get(*ix), record.get(*ix)))
                .collect();
            if changed.is_empty() {
                continue;
            }
            if self.scope.erases {
                changed.iter().for_each(|ix| old.values[ix.0 as usize] = Value::Null);
            }
            record.version = old.version + 1;
            let mut changes: Vec<(FieldIx, Value)> = changed.iter().map(|ix| (*ix, record.get(*ix).clone())).collect();
            if let Some(version) = plan.version {
                record.values[version.0 as usize] = Value::Int(record.version);
                changes.push((version, Value::Int(record.version)));
            }
            let statements = self.update_statements(compiled, &record, &changes)?;
            self.run_all(compiled, entity, &statements).await?;
            let change = Trace { kind: EventKind::Update, record: &record, old: Some(&old), changed: &changed, by_script: &[] };
            self.trace(compiled, change, &options).await?;
            written += 1;
            let event =
                RecordEvent { kind: EventKind::Update, entity, id: record.id, version: record.version, old: Some(old), record, changed };
            let hooks = self.scope.hooks.clone();
            self.refresh_dependents(compiled, &event).await?;
            if hooks.matches(&compiled.catalog, entity, super::hooks::HookPoint::AfterCommit) {
                let handlers = hooks.deliveries(&compiled.catalog, &event);
                self.enqueue_deliveries(compiled, &event, handlers).await?;
            }
        }
        Ok(written)
    }
}

/// Whether the change touches what the dependent value reads.
fn concerns(event: &RecordEvent, dependent: &Dependent) -> bool {
    match (event.kind, dependent.via) {
        (EventKind::Update, _) => {}
        // Nobody links to a record that was just made.
        (EventKind::Create, Via::ParentLink(_)) => return false,
        _ => return true,
    }
    let link = match dependent.via {
        Via::ChildLink(link) => Some(link),
        Via::ParentLink(_) => None,
    };
    event.changed.iter().any(|ix| dependent.reads.contains(ix) || Some(*ix) == link)
}
