//! Reading sensitive values is audited: who was shown which fields of which records, or asked by them, never the values. One
//! entry for each entity of an answer. Where no field is sensitive nothing is looked at.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use super::error::RecordError;
use super::plan::{Compiled, rows_by};
use super::service::Records;
use crate::access::{Actor, ActorKind, Granted, Mask};
use crate::base::{Cell, EntityIx, FieldIx, RecordId};
use crate::expr::{Needs, Typed, needs};
use crate::query::{AggregateRequest, GroupBy, Item, ListRequest, Select, SortBy, SortKey};
use crate::schema::catalog::{Catalog, Field, FieldType};
use crate::store::audit::{self, Entry};
use crate::store::compile::{Row, RowSet, What};
use crate::store::files;

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
    with_computed(catalog, Field::is_sensitive)
}

/// Some fields of all entities, with all that is computed from them.
pub(super) fn with_computed(catalog: &Catalog, is_one: impl Fn(&Field) -> bool) -> HashSet<(EntityIx, FieldIx)> {
    let mut found: HashSet<(EntityIx, FieldIx)> = catalog
        .entities
        .iter()
        .flat_map(|entity| entity.fields.iter().filter(|field| is_one(field)).map(|field| (entity.ix, field.ix)))
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

/// The sensitive fields a request asks by, of each entity, and in which parts of it.
struct Asked<'c> {
    compiled: &'c Compiled,
    /// What the asker may read; `None` for everything.
    granted: Option<Arc<Granted>>,
    found: BTreeMap<EntityIx, (BTreeSet<FieldIx>, BTreeSet<&'static str>)>,
}

impl<'c> Asked<'c> {
    fn new(actor: &Actor, compiled: &'c Compiled) -> Result<Self, RecordError> {
        let granted = actor.standing(&compiled.catalog)?.part().cloned();
        Ok(Self { compiled, granted, found: BTreeMap::new() })
    }

    fn field(&mut self, entity: EntityIx, field: FieldIx, how: &'static str) {
        // What somebody may not read has no part in what they are answered.
        let is_kept_back = |granted: &Arc<Granted>| granted.rules().mask(entity, field).is_some_and(Mask::is_never);
        if self.compiled.sensitive.contains(&(entity, field)) && !self.granted.as_ref().is_some_and(is_kept_back) {
            let (fields, ways) = self.found.entry(entity).or_default();
            fields.insert(field);
            ways.insert(how);
        }
    }

    fn expression(&mut self, entity: EntityIx, typed: &Typed, how: &'static str) {
        self.needs(entity, &needs(typed), how);
    }

    fn needs(&mut self, entity: EntityIx, needs: &Needs, how: &'static str) {
        needs.fields.iter().for_each(|field| self.field(entity, *field, how));
        for path in &needs.paths {
            self.field(path.hops.last().map_or(entity, |hop| hop.to), path.field, how);
        }
        for child in &needs.children {
            self.needs(rows_by(&child.over).0, &child.needs, how);
        }
    }

    fn sort(&mut self, entity: EntityIx, keys: &[SortKey]) {
        for key in keys {
            match &key.by {
                SortBy::Field { field, .. } | SortBy::Folded { field } => self.field(entity, *field, "sort"),
                // No title has a sensitive field.
                SortBy::Title { .. } => {}
                SortBy::Value(value) => self.expression(entity, value, "sort"),
            }
        }
    }

    fn search(&mut self, entity: EntityIx, words: Option<&String>) {
        if words.is_some() {
            let compiled = self.compiled;
            compiled.plan(entity).search.iter().for_each(|field| self.field(entity, *field, "search"));
        }
    }

    fn select(&mut self, select: &Select) {
        for item in &select.items {
            let Item::Expand(expand) = item else { continue };
            for target in &expand.targets {
                self.select(target);
                self.sort(target.entity, &expand.sort);
                expand.filter.iter().for_each(|filter| self.expression(target.entity, filter, "filter"));
            }
        }
    }

    fn list(&mut self, request: &ListRequest) {
        self.select(&request.select);
        request.filter.iter().for_each(|filter| self.expression(request.entity, filter, "filter"));
        self.sort(request.entity, &request.sort);
        self.search(request.entity, request.search.as_ref());
    }

    fn aggregate(&mut self, request: &AggregateRequest) {
        request.filter.iter().for_each(|filter| self.expression(request.entity, filter, "filter"));
        self.search(request.entity, request.search.as_ref());
        for group in &request.group {
            match &group.by {
                GroupBy::Value(typed) | GroupBy::Period { first_day: typed, .. } => self.expression(request.entity, typed, "group"),
            }
        }
        for (position, measure) in request.measures.iter().enumerate() {
            let Some(of) = &measure.of else { continue };
            self.expression(request.entity, of, "measure");
            if request.having.iter().any(|having| having.measure == position) {
                self.expression(request.entity, of, "having");
            }
        }
    }
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
            look(&row, compiled, &mut found);
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

    /// Notes by which sensitive fields a list was filtered, sorted and searched: who comes back tells of their values.
    pub(super) async fn witness_list(&self, actor: &Actor, compiled: &Compiled, request: &ListRequest) -> Result<(), RecordError> {
        if !is_watched(actor, compiled) {
            return Ok(());
        }
        let mut asked = Asked::new(actor, compiled)?;
        asked.list(request);
        self.note_asked(compiled, asked, None).await
    }

    /// The same of what a selection expands.
    pub(super) async fn witness_select(&self, actor: &Actor, compiled: &Compiled, select: &Select) -> Result<(), RecordError> {
        if !is_watched(actor, compiled) {
            return Ok(());
        }
        let mut asked = Asked::new(actor, compiled)?;
        asked.select(select);
        self.note_asked(compiled, asked, None).await
    }

    /// The same of groups and measures, which are shown too.
    pub(super) async fn witness_groups(
        &self,
        actor: &Actor,
        compiled: &Compiled,
        request: &AggregateRequest,
        rows: usize,
    ) -> Result<(), RecordError> {
        if !is_watched(actor, compiled) {
            return Ok(());
        }
        let mut asked = Asked::new(actor, compiled)?;
        asked.aggregate(request);
        self.note_asked(compiled, asked, Some(rows)).await
    }

    /// Notes that a file was handed out, where a sensitive field holds it.
    ///
    /// # Errors
    /// The database: what cannot be noted is not shown.
    pub async fn witness_file(&self, actor: &Actor, file: RecordId) -> Result<(), RecordError> {
        let compiled = self.compiled(&self.catalog());
        if !is_watched(actor, &compiled) {
            return Ok(());
        }
        let mut found = BTreeMap::new();
        for entity in &compiled.catalog.entities {
            let holding = entity.fields.iter().filter(|field| compiled.sensitive.contains(&(entity.ix, field.ix)));
            for field in holding.filter(|field| matches!(field.ty, FieldType::File { .. } | FieldType::Image { .. })) {
                let holders = files::holders(self.store(), field, file.0).await?;
                if !holders.is_empty() {
                    let shown: &mut Shown = found.entry(entity.ix).or_default();
                    shown.fields.insert(field.ix);
                    shown.records.extend(holders);
                    shown.count = shown.records.len();
                }
            }
        }
        self.note_shown(&compiled, found).await
    }

    /// One entry for each entity: which fields, and what was asked by them.
    async fn note_asked(&self, compiled: &Compiled, asked: Asked<'_>, rows: Option<usize>) -> Result<(), RecordError> {
        for (entity, (fields, how)) in asked.found {
            if audit::here().is_some_and(|here| !here.is_new(&("asked", entity, &fields, &how, rows))) {
                continue;
            }
            let entity = compiled.entity(entity);
            let names: Vec<&str> = fields.iter().map(|field| entity.field(*field).name.as_str()).collect();
            let mut entry = Entry::new("records.read").of(&entity.id).fact("asked", Vec::from_iter(how));
            entry = match names[..] {
                [one] => entry.field(one),
                _ => entry.fact("fields", names),
            };
            if let Some(rows) = rows {
                entry = entry.fact("count", rows);
            }
            audit::note(self.store(), entry).await?;
        }
        Ok(())
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
fn look(row: &Row<'_>, compiled: &Compiled, found: &mut BTreeMap<EntityIx, Shown>) {
    let shape = row.shape();
    let mut note = |entity: EntityIx, field: FieldIx, at: usize| {
        let is_empty =
            |cell: &Cell| cell.is_null() || (cell.as_text() == Some("[]") && compiled.entity(entity).field(field).side_table.is_some());
        if compiled.sensitive.contains(&(entity, field)) && !is_empty(row.cell(at)) {
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
            What::One { field, .. } => row.one(*field).iter().for_each(|row| look(row, compiled, found)),
            What::Many { field, .. } => row.many(*field).for_each(|row| look(&row, compiled, found)),
            _ => {}
        }
    }
}
