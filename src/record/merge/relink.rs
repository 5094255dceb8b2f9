//! Links that led to one record lead to another: by a few statements a field, whatever their number, with history, events and
//! what is computed from them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::json;

use super::refused;
use crate::base::{EntityIx, FieldIx, RecordId};
use crate::record::error::RecordError;
use crate::record::options::WriteOptions;
use crate::record::plan::{Compiled, Reference};
use crate::record::unit::RecordTx;
use crate::schema::catalog::{Entity, FieldType, Via};
use crate::store::compile::Lock;
use crate::store::{history, merges, outbox};

/// Links that one merge moves.
const MOST_LINKS: u64 = 200_000;
/// Records computed at once; more are left to jobs.
const AT_ONCE: usize = 200;

/// Records whose stored values read something that changed.
#[derive(Debug, Default)]
pub(super) struct Stale(BTreeMap<EntityIx, BTreeSet<RecordId>>);

impl Stale {
    pub(super) fn put(&mut self, entity: EntityIx, id: RecordId) {
        self.0.entry(entity).or_default().insert(id);
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

/// Links that led to one record and shall lead to another, on behalf of a merge.
#[derive(Clone, Copy)]
pub(super) struct Relink<'a> {
    pub(super) compiled: &'a Arc<Compiled>,
    /// Of the two records.
    pub(super) entity: EntityIx,
    pub(super) merge: RecordId,
    pub(super) from: RecordId,
    pub(super) to: RecordId,
    pub(super) options: &'a WriteOptions,
}

impl RecordTx<'_> {
    /// Leads all links from one record to another, and tells how many; `marks`: those that lead there now, else those that were
    /// marked before.
    pub(super) async fn move_links(&mut self, relink: &Relink<'_>, marks: bool, stale: &mut Stale) -> Result<u64, RecordError> {
        let Relink { compiled, entity, merge, from, to, .. } = *relink;
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
            self.tell_moved(relink, &lead, stale).await?;
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
    async fn tell_moved(&mut self, relink: &Relink<'_>, lead: &Lead<'_>, stale: &mut Stale) -> Result<(), RecordError> {
        let Relink { compiled, entity: target, merge, from, to, options } = *relink;
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
        self.note_stale(relink, lead, &ids, stale).await
    }

    /// Which stored values read over the links of these records.
    async fn note_stale(&mut self, relink: &Relink<'_>, lead: &Lead<'_>, ids: &[RecordId], stale: &mut Stale) -> Result<(), RecordError> {
        let Relink { compiled, from, to, .. } = *relink;
        let (ix, field) = (lead.reference.entity, lead.reference.field);
        let entity = compiled.entity(ix);
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
    pub(super) async fn settle_stale(&mut self, compiled: &Arc<Compiled>, stale: Stale) -> Result<(), RecordError> {
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
}
