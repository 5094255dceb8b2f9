//! Reading sensitive values is audited: who was shown which fields of which records, never the values. One entry for each
//! entity of an answer. Where no field is sensitive nothing is looked at.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::error::RecordError;
use super::plan::{Compiled, rows_by};
use super::service::Records;
use crate::access::{Actor, ActorKind};
use crate::base::{EntityIx, FieldIx, RecordId};
use crate::expr::{Needs, Typed, needs};
use crate::query::{AggregateRequest, GroupBy};
use crate::schema::catalog::{Catalog, FieldType};
use crate::store::audit::{self, Entry};
use crate::store::compile::{Row, RowSet, What};

/// Records named in one entry; of more only the number is told.
const MOST_NAMED: usize = 100;

/// The sensitive fields of all entities, with those that are computed from such ones.
pub(super) type Sensitive = HashSet<(EntityIx, FieldIx)>;

/// What one answer shows of the records of an entity.
#[derive(Debug, Default)]
struct Shown {
    fields: BTreeSet<FieldIx>,
    records: BTreeSet<RecordId>,
    count: usize,
}

pub(super) fn sensitive(catalog: &Catalog) -> Sensitive {
    let mut found: Sensitive = catalog
        .entities
        .iter()
        .flat_map(|entity| entity.fields.iter().filter(|field| field.is_sensitive()).map(|field| (entity.ix, field.ix)))
        .collect();
    // Computed values may read computed values: until nothing is added.
    while !found.is_empty() {
        let before = found.len();
        for entity in &catalog.entities {
            for field in &entity.fields {
                let reads = match &field.ty {
                    FieldType::Formula { expr, .. } => reads_any(entity.ix, &needs(expr), &found),
                    FieldType::Rollup { aggregate, .. } => reads_any(entity.ix, &needs(aggregate), &found),
                    FieldType::Lookup { via, field: looked, .. } => match &entity.field(*via).ty {
                        FieldType::Link { to, .. } | FieldType::User { to, .. } => found.contains(&(*to, *looked)),
                        _ => false,
                    },
                    _ => false,
                };
                if reads {
                    found.insert((entity.ix, field.ix));
                }
            }
        }
        if found.len() == before {
            break;
        }
    }
    found
}

fn reads_any(entity: EntityIx, needs: &Needs, sensitive: &Sensitive) -> bool {
    needs.fields.iter().any(|field| sensitive.contains(&(entity, *field)))
        || needs.paths.iter().any(|path| path.hops.last().is_some_and(|hop| sensitive.contains(&(hop.to, path.field))))
        || needs.children.iter().any(|child| reads_any(rows_by(&child.over).0, &child.needs, sensitive))
}

/// Whether what somebody reads is audited.
fn is_watched(actor: &Actor, compiled: &Compiled) -> bool {
    !compiled.sensitive.is_empty() && matches!(actor.kind, ActorKind::Person | ActorKind::Token)
}

impl Records {
    /// Notes what of these records is sensitive and was shown.
    pub(super) async fn witness(&self, actor: &Actor, compiled: &Compiled, set: &RowSet) -> Result<(), RecordError> {
        if !is_watched(actor, compiled) {
            return Ok(());
        }
        let mut found = BTreeMap::new();
        for row in set.iter() {
            look(&row, &compiled.sensitive, &mut found);
        }
        self.note_shown(compiled, found).await
    }

    /// Notes that fields of one record were shown.
    pub(super) async fn witness_fields(
        &self,
        actor: &Actor,
        compiled: &Compiled,
        entity: EntityIx,
        id: RecordId,
        fields: impl Iterator<Item = FieldIx>,
    ) -> Result<(), RecordError> {
        if !is_watched(actor, compiled) {
            return Ok(());
        }
        let fields: BTreeSet<FieldIx> = fields.filter(|field| compiled.sensitive.contains(&(entity, *field))).collect();
        if fields.is_empty() {
            return Ok(());
        }
        let shown = Shown { fields, records: BTreeSet::from([id]), count: 1 };
        self.note_shown(compiled, BTreeMap::from([(entity, shown)])).await
    }

    /// Notes that groups or measures of sensitive values were shown.
    pub(super) async fn witness_groups(
        &self,
        actor: &Actor,
        compiled: &Compiled,
        asked: &AggregateRequest,
        rows: usize,
    ) -> Result<(), RecordError> {
        if !is_watched(actor, compiled) || rows == 0 {
            return Ok(());
        }
        let groups = asked.group.iter().map(|group| match &group.by {
            GroupBy::Value(typed) | GroupBy::Period { first_day: typed, .. } => typed,
        });
        let measures = asked.measures.iter().filter_map(|measure| measure.of.as_ref());
        let is_told = |typed: &Typed| reads_any(asked.entity, &needs(typed), &compiled.sensitive);
        if !groups.chain(measures).any(is_told) {
            return Ok(());
        }
        let shown = Shown { count: rows, ..Shown::default() };
        self.note_shown(compiled, BTreeMap::from([(asked.entity, shown)])).await
    }

    /// Who cannot be noted is shown nothing: the fault is the answer's.
    async fn note_shown(&self, compiled: &Compiled, found: BTreeMap<EntityIx, Shown>) -> Result<(), RecordError> {
        for (entity, shown) in found {
            if audit::here().is_some_and(|here| !here.is_new(&(entity, &shown.fields, &shown.records, shown.count))) {
                continue;
            }
            let entity = compiled.entity(entity);
            let names: Vec<&str> = shown.fields.iter().map(|field| entity.field(*field).name.as_str()).collect();
            let mut entry = match (shown.records.len(), shown.records.first()) {
                (1, Some(record)) => Entry::new("records.read").on(&entity.id, record.0),
                _ => Entry::new("records.read").of(&entity.id),
            };
            if let [one] = names[..] {
                entry = entry.field(one);
            } else if !names.is_empty() {
                entry = entry.fact("fields", names);
            }
            if shown.count > 1 || shown.records.is_empty() {
                entry = entry.fact("count", shown.count);
            }
            if shown.records.len() > 1 {
                let ids: Vec<String> = shown.records.iter().take(MOST_NAMED).map(|id| id.display(&entity.prefix)).collect();
                entry = entry.fact("records", ids);
            }
            audit::note(self.store(), entry).await?;
        }
        Ok(())
    }
}

/// Collects what a row and those it is expanded with show.
fn look(row: &Row<'_>, sensitive: &Sensitive, found: &mut BTreeMap<EntityIx, Shown>) {
    let shape = row.shape();
    let mut note = |entity: EntityIx, field: FieldIx, at: usize| {
        if sensitive.contains(&(entity, field)) && !row.cell(at).is_null() {
            let shown: &mut Shown = found.entry(entity).or_default();
            shown.fields.insert(field);
            if shown.records.insert(row.id()) {
                shown.count += 1;
            }
        }
    };
    for output in &shape.outputs {
        match &output.what {
            What::Value { field, at, .. } => note(shape.entity, *field, *at),
            What::Own { entity, field, at, .. } => note(*entity, *field, *at),
            _ => {}
        }
    }
    for output in &shape.outputs {
        match &output.what {
            What::One { field, .. } => row.one(*field).iter().for_each(|row| look(row, sensitive, found)),
            What::Many { field, .. } => row.many(*field).for_each(|row| look(&row, sensitive, found)),
            _ => {}
        }
    }
}
