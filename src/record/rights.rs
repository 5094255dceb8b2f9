//! What the actor may do with a record, decided before anything else is looked at.
//!
//! The engine itself reads and writes with all rights: formulas, rules, cascades and keys are the same for everybody. What an
//! asker wants to see or to change is held against their roles here, record by record, with one statement for each question.
//! Somebody from whom nothing is kept costs none.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::check::target_of;
use super::convert::{link_id, same};
use super::error::{FieldFault, RecordError};
use super::hooks::Record;
use super::input::Input;
use super::plan::Compiled;
use super::unit::RecordTx;
use crate::access::{AccessError, Action, Deciding, EntityRights, Granted, Mask};
use crate::base::{DateTime, EntityIx, FieldIx, RecordId, Value};
use crate::expr::{EvalContext, Hop, Typed, Zone, needs};
use crate::schema::catalog::{Allowed, Entity, FieldType, Grant};
use crate::store::Dialect;
use crate::store::compile::{self, Source};

/// Records asked for in one statement.
const AT_ONCE: usize = 400;

/// Looks at records with the eyes of somebody's roles.
pub(super) struct Eyes<'a> {
    pub source: Source<'a>,
    pub dialect: Dialect,
    pub compiled: &'a Compiled,
    pub granted: &'a Granted,
    pub now: DateTime,
    pub zone: Zone,
    pub me: Option<RecordId>,
}

/// A record that may be read.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    /// By field: its value may not be read here.
    pub hidden: Vec<bool>,
}

impl Seen {
    pub fn hides(&self, field: FieldIx) -> bool {
        self.hidden.get(field.0 as usize).copied().unwrap_or(true)
    }

    /// Takes out of a record what may not be read.
    pub fn blank(&self, record: &mut Record) {
        for (value, hidden) in record.values.iter_mut().zip(&self.hidden) {
            if *hidden {
                *value = Value::Null;
            }
        }
    }
}

impl Eyes<'_> {
    /// For each record that is there, in the recycle bin or not, which of the conditions hold.
    pub async fn truths(
        &mut self,
        entity: EntityIx,
        ids: &[RecordId],
        conditions: &[&Typed],
    ) -> Result<HashMap<RecordId, Vec<bool>>, RecordError> {
        let mut found = HashMap::with_capacity(ids.len());
        for part in ids.chunks(AT_ONCE) {
            let statement = {
                let context = EvalContext { now: self.now, zone: self.zone.clone(), me: self.me, old: None };
                compile::truths(&self.compiled.catalog, self.dialect, entity, part, conditions, &context)
            };
            let rows = self.source.query(&statement).await?;
            for row in rows.iter() {
                let Some(id) = row.first().and_then(crate::base::Cell::as_int) else { continue };
                let holds = row[1..].iter().map(|cell| cell.as_int() == Some(1)).collect();
                found.insert(RecordId(id), holds);
            }
        }
        Ok(found)
    }

    /// Those of the records that may be read, with what is hidden in them.
    pub async fn seen(&mut self, entity: EntityIx, ids: &[RecordId]) -> Result<HashMap<RecordId, Seen>, RecordError> {
        let rules = self.granted.rules();
        let fields = self.compiled.entity(entity).fields.len();
        let mut always = vec![false; fields];
        let mut masks: Vec<(FieldIx, &Typed)> = Vec::new();
        for (field, mask) in rules.masks(entity) {
            match mask {
                Mask::Hidden => always[field.0 as usize] = true,
                Mask::Where(condition) => masks.push((field, condition)),
            }
        }
        let rule = rules.of(entity);
        if rule.is_none() && masks.is_empty() {
            return Ok(ids.iter().map(|id| (*id, Seen { hidden: always.clone() })).collect());
        }
        let mut conditions: Vec<&Typed> = rule.into_iter().collect();
        let first_mask = conditions.len();
        let mut place = Vec::with_capacity(masks.len());
        for (_, mask) in &masks {
            let known = conditions[first_mask..].iter().position(|known| known == mask);
            place.push(first_mask + known.unwrap_or(conditions.len() - first_mask));
            if known.is_none() {
                conditions.push(mask);
            }
        }
        let found = self.truths(entity, ids, &conditions).await?;
        let readable = found.into_iter().filter(|(_, holds)| rule.is_none() || holds.first() == Some(&true));
        Ok(readable
            .map(|(id, holds)| {
                let mut hidden = always.clone();
                for ((field, _), at) in masks.iter().zip(&place) {
                    hidden[field.0 as usize] = holds.get(*at) != Some(&true);
                }
                (id, Seen { hidden })
            })
            .collect())
    }

    /// The grants under which an action is allowed on a record; none when it may not even be read.
    pub async fn grants(&mut self, action: Action, entity: EntityIx, id: RecordId) -> Result<Option<Vec<Grant>>, RecordError> {
        let granted = self.granted;
        self.grants_of(granted.entity(entity), action, entity, id).await
    }

    /// Those of these rights.
    pub async fn grants_of(
        &mut self,
        rights: &EntityRights,
        action: Action,
        entity: EntityIx,
        id: RecordId,
    ) -> Result<Option<Vec<Grant>>, RecordError> {
        let rules = self.granted.rules();
        // A record that was just made by the actor need not be theirs to read.
        let rule = rules.of(entity).filter(|_| !matches!(action, Action::Create | Action::Import));
        let mut conditions: Vec<&Typed> = rule.into_iter().collect();
        conditions.extend(rights.grants.iter().filter_map(|(_, grant)| match action.of(grant) {
            Allowed::Where(condition) => Some(condition),
            _ => None,
        }));
        let holds = if conditions.is_empty() {
            Vec::new()
        } else {
            match self.truths(entity, &[id], &conditions).await?.remove(&id) {
                Some(holds) => holds,
                None => return Ok(None),
            }
        };
        let mut holds = holds.into_iter();
        if rule.is_some() && holds.next() != Some(true) {
            return Ok(None);
        }
        let allowing = rights.grants.iter().filter(|(_, grant)| match action.of(grant) {
            Allowed::All => true,
            Allowed::None => false,
            Allowed::Where(_) => holds.next() == Some(true),
        });
        Ok(Some(allowing.map(|(_, grant)| grant.clone()).collect()))
    }
}

/// Whether a field is one that nobody changes who may change the record by a share alone.
pub(super) fn says_who_sees(deciding: &Deciding, entity: &Entity, field: FieldIx) -> bool {
    let definition = entity.field(field);
    (definition.is_system && definition.name == "owner") || deciding.has(entity.ix, field)
}

/// Whether one of the grants lets the field be written.
pub(super) fn writes(grants: &[Grant], field: FieldIx) -> bool {
    grants.iter().any(|grant| grant.writable.get(field.0 as usize).copied().unwrap_or(false))
}

fn not_allowed(action: Action, entity: &Entity) -> RecordError {
    AccessError::NotAllowed { action: action.word(), entity: entity.slug.clone() }.into()
}

fn not_writable(entity: &Entity, field: FieldIx) -> RecordError {
    AccessError::NotWritable { entity: entity.slug.clone(), field: entity.field(field).name.clone() }.into()
}

fn missing(entity: &Entity, id: RecordId) -> RecordError {
    RecordError::NotFound { entity: entity.slug.clone(), id: id.display(&entity.prefix) }
}

impl RecordTx<'_> {
    /// `None`: nothing is kept from the actor.
    pub(super) fn granted(&self) -> Result<Option<Arc<Granted>>, RecordError> {
        Ok(self.scope.actor.standing(&self.scope.compiled.catalog)?.part().cloned())
    }

    /// Rights the actor has on an entity that are less than all.
    fn rights(granted: &Granted, entity: EntityIx) -> Option<&EntityRights> {
        Some(granted.entity(entity)).filter(|rights| !rights.is_full())
    }

    pub(super) fn eyes<'a>(&'a mut self, compiled: &'a Compiled, granted: &'a Granted) -> Eyes<'a> {
        let (now, zone, me) = (self.now(), compiled.zone.clone(), self.scope.actor.user);
        Eyes { dialect: self.store.dialect(), source: Source::Tx(self.store), compiled, granted, now, zone, me }
    }

    /// Whether the actor may do this with a stored record, and write these values to it.
    ///
    /// # Errors
    /// As for a record that is not there where it may not be read; `ACL005` and `ACL006` otherwise.
    pub(super) async fn expect_may(&mut self, action: Action, old: &Record, input: Option<&Input>) -> Result<(), RecordError> {
        let Some(granted) = self.granted()? else { return Ok(()) };
        if Self::rights(&granted, old.entity).is_none() {
            return Ok(());
        }
        let compiled = self.scope.compiled.clone();
        let entity = compiled.entity(old.entity);
        let Some(grants) = self.eyes(&compiled, &granted).grants(action, old.entity, old.id).await? else {
            return Err(missing(entity, old.id));
        };
        if grants.is_empty() {
            return Err(not_allowed(action, entity));
        }
        let by_share = granted.asks_shares(old.entity, action);
        let rules = by_share.then(|| granted.policy.deciding(&compiled.catalog));
        if action == Action::Delete && rules.is_some_and(|rules| rules.has_rows(old.entity)) {
            self.expect_own_rows(&granted, action, entity, old.id).await?;
        }
        let Some(input) = input else { return Ok(()) };
        let decides = |field: FieldIx| rules.is_some_and(|rules| says_who_sees(rules, entity, field));
        let mut deciding: Vec<FieldIx> = Vec::new();
        let has_masks = granted.rules().masks(old.entity).next().is_some();
        let seen = if has_masks { self.eyes(&compiled, &granted).seen(old.entity, &[old.id]).await?.remove(&old.id) } else { None };
        for field in asked(input) {
            // Whether a value is the one that is hidden must not be found out by writing it.
            let is_hidden = seen.as_ref().is_some_and(|seen| seen.hides(field));
            let is_unchanged = || match input.get(field) {
                Some(value) => same(&compiled.catalog, entity.field(field), old.get(field), value),
                None => false,
            };
            if is_hidden || (!writes(&grants, field) && !is_unchanged()) {
                return Err(not_writable(entity, field));
            }
            // Whoever could say who sees a shared record would have more of it than was shared.
            if action == Action::Update && decides(field) && !is_unchanged() {
                deciding.push(field);
            }
        }
        if deciding.is_empty() {
            return Ok(());
        }
        let own = self.own_grants(&granted, action, old.entity, old.id).await?;
        match deciding.iter().find(|field| !writes(&own, **field)) {
            Some(field) => Err(AccessError::OnlyShared { entity: entity.slug.clone(), field: entity.field(*field).name.clone() }.into()),
            None => Ok(()),
        }
    }

    /// Whether the actor may change a record at all.
    ///
    /// # Errors
    /// As for a record that is not there where it may not be read; `ACL005` where it may not be changed.
    pub async fn expect_may_update(&mut self, record: &Record) -> Result<(), RecordError> {
        self.expect_may(Action::Update, record, None).await
    }

    /// The grants under which an action is allowed on a record, whatever was shared.
    async fn own_grants(&mut self, granted: &Granted, action: Action, entity: EntityIx, id: RecordId) -> Result<Vec<Grant>, RecordError> {
        let compiled = self.scope.compiled.clone();
        let own = granted.without_shares(entity);
        Ok(self.eyes(&compiled, granted).grants_of(&own, action, entity, id).await?.unwrap_or_default())
    }

    /// A record that says who has rights in another one, such as a row of a deal's team, is not written by a share in that.
    async fn expect_own_rows(&mut self, granted: &Granted, action: Action, entity: &Entity, id: RecordId) -> Result<(), RecordError> {
        match self.own_grants(granted, action, entity.ix, id).await?.is_empty() {
            true => Err(AccessError::OnlySharedRows { entity: entity.slug.clone() }.into()),
            false => Ok(()),
        }
    }

    /// Whether the actor may create such a record at all: what can be said before it is there.
    pub(super) fn expect_may_create(&self, entity: EntityIx, input: &Input) -> Result<(), RecordError> {
        let Some(granted) = self.granted()? else { return Ok(()) };
        let Some(rights) = Self::rights(&granted, entity) else { return Ok(()) };
        let definition = self.scope.compiled.entity(entity);
        let grants: Vec<Grant> =
            rights.grants.iter().filter(|(_, grant)| grant.create != Allowed::None).map(|(_, grant)| grant.clone()).collect();
        if grants.is_empty() {
            return Err(not_allowed(Action::Create, definition));
        }
        match asked(input).find(|field| !writes(&grants, *field)) {
            Some(field) => Err(not_writable(definition, field)),
            None => Ok(()),
        }
    }

    /// Whether the record that was just written is one the actor may create with these values.
    pub(super) async fn expect_made(&mut self, entity: EntityIx, id: RecordId, asked: &[FieldIx]) -> Result<(), RecordError> {
        let Some(granted) = self.granted()? else { return Ok(()) };
        let Some(rights) = Self::rights(&granted, entity) else { return Ok(()) };
        let all_at_once =
            |grant: &Grant| grant.create == Allowed::All && asked.iter().all(|field| writes(std::slice::from_ref(grant), *field));
        if rights.grants.iter().any(|(_, grant)| all_at_once(grant)) {
            return Ok(());
        }
        let compiled = self.scope.compiled.clone();
        let definition = compiled.entity(entity);
        let grants = self.eyes(&compiled, &granted).grants(Action::Create, entity, id).await?.unwrap_or_default();
        if grants.is_empty() {
            return Err(not_allowed(Action::Create, definition));
        }
        if let Some(field) = asked.iter().find(|field| !writes(&grants, **field)) {
            return Err(not_writable(definition, *field));
        }
        Ok(())
    }

    /// What is written over a link, as `inherit` says, is put below records that the actor may change as they are before the
    /// row is there, or the row itself could give the right to make it. Where such rows say who has rights in the record above,
    /// a share in that does not count.
    pub(super) async fn expect_above(
        &mut self,
        entity: EntityIx,
        input: &Input,
        given: &[(FieldIx, Value)],
        old: Option<&Record>,
    ) -> Result<(), RecordError> {
        let Some(granted) = self.granted()? else { return Ok(()) };
        let Some(rights) = Self::rights(&granted, entity) else { return Ok(()) };
        let compiled = self.scope.compiled.clone();
        let definition = compiled.entity(entity);
        let has_rows = granted.policy.deciding(&compiled.catalog).has_rows(entity);
        if (old.is_none() && !has_rows) || rights.grants.iter().any(|(_, grant)| grant.create == Allowed::All) {
            return Ok(());
        }
        let creating: Vec<&Typed> = rights
            .grants
            .iter()
            .filter_map(|(_, grant)| if let Allowed::Where(condition) = &grant.create { Some(condition) } else { None })
            .collect();
        for (ix, value) in input.values.iter().chain(given) {
            let field = definition.field(*ix);
            let (FieldType::Link { to, .. }, Value::Link(id)) = (&field.ty, value) else { continue };
            if old.is_some_and(|old| same(&compiled.catalog, field, old.get(*ix), value)) {
                continue;
            }
            if creating.is_empty() || !creating.iter().all(|condition| leads_over(condition, *ix)) {
                continue;
            }
            let mut eyes = self.eyes(&compiled, &granted);
            // None: it is made by this very request, or was told as missing.
            let Some(grants) = eyes.grants(Action::Update, *to, *id).await? else { continue };
            if grants.is_empty() {
                return Err(not_allowed(Action::Update, compiled.entity(*to)));
            }
            if has_rows && self.own_grants(&granted, Action::Update, *to, *id).await?.is_empty() {
                return Err(AccessError::OnlySharedRows { entity: definition.slug.clone() }.into());
            }
        }
        Ok(())
    }

    /// Whether the record that an import has just written is one the actor may import.
    ///
    /// # Errors
    /// `ACL005` where no role allows it.
    pub(crate) async fn expect_imported(&mut self, entity: EntityIx, id: RecordId) -> Result<(), RecordError> {
        let Some(granted) = self.granted()? else { return Ok(()) };
        let compiled = self.scope.compiled.clone();
        let allowed = granted.entity(entity).allowed(Action::Import);
        let holds = match allowed {
            None => false,
            Some(None) => true,
            Some(Some(_)) => {
                let grants = self.eyes(&compiled, &granted).grants(Action::Import, entity, id).await?;
                grants.is_some_and(|grants| !grants.is_empty())
            }
        };
        if holds { Ok(()) } else { Err(not_allowed(Action::Import, compiled.entity(entity))) }
    }

    /// Of these records those the actor may read; all of them when nothing is kept from the actor.
    pub(super) async fn readable(&mut self, entity: EntityIx, ids: &[RecordId]) -> Result<BTreeSet<RecordId>, RecordError> {
        let Some(granted) = self.granted()? else { return Ok(ids.iter().copied().collect()) };
        if granted.rules().of(entity).is_none() {
            return Ok(ids.iter().copied().collect());
        }
        let compiled = self.scope.compiled.clone();
        let seen = self.eyes(&compiled, &granted).seen(entity, ids).await?;
        // What this unit has prepared and not written yet is the actor's own.
        let pending =
            self.scope.pending.iter().filter(|record| record.entity == entity && ids.contains(&record.id)).map(|record| record.id);
        Ok(seen.into_keys().chain(pending).collect())
    }

    /// Links a request sets must lead to records the actor may read: any other is answered like one that is not there, before
    /// a rule or a script could tell more.
    pub(super) async fn expect_links(&mut self, entity: EntityIx, input: &Input, old: Option<&Record>) -> Result<(), RecordError> {
        let Some(granted) = self.granted()? else { return Ok(()) };
        let compiled = self.scope.compiled.clone();
        let definition = compiled.entity(entity);
        let mut wanted: BTreeMap<EntityIx, Vec<(FieldIx, RecordId)>> = BTreeMap::new();
        for (ix, value) in &input.values {
            let field = definition.field(*ix);
            if value.is_null() || old.is_some_and(|old| same(&compiled.catalog, field, old.get(*ix), value)) {
                continue;
            }
            if let Some((to, id)) = target_of(&compiled.catalog, &field.ty, value) {
                let is_self = field.is_system && self.scope.actor.user == Some(id);
                if !is_self && granted.rules().of(to).is_some() {
                    wanted.entry(to).or_default().push((*ix, id));
                }
            }
        }
        let mut faults = Vec::new();
        for (to, links) in wanted {
            let ids: Vec<RecordId> = links.iter().map(|(_, id)| *id).collect();
            let readable = self.readable(to, &ids).await?;
            let target = compiled.entity(to);
            for (field, id) in links.into_iter().filter(|(_, id)| !readable.contains(id)) {
                let shown = id.display(&target.prefix);
                faults.push(
                    FieldFault::at(&definition.field(field).name, "not_found", format!("there is no {} `{shown}`", target.slug))
                        .with("entity", target.slug.as_str())
                        .with("id", shown),
                );
            }
        }
        self.expect_own_files(definition, input, old, &mut faults).await?;
        if faults.is_empty() { Ok(()) } else { Err(RecordError::Invalid(faults)) }
    }

    /// A file is attached by whoever brought it: naming somebody else's would be a way to read it.
    async fn expect_own_files(
        &mut self,
        entity: &Entity,
        input: &Input,
        old: Option<&Record>,
        faults: &mut Vec<FieldFault>,
    ) -> Result<(), RecordError> {
        let mut wanted: Vec<(FieldIx, usize, RecordId)> = Vec::new();
        for (ix, value) in &input.values {
            if let (FieldType::File { .. } | FieldType::Image { .. }, Value::List(items)) = (&entity.field(*ix).ty, value) {
                let there: Vec<RecordId> = match old.map(|old| old.get(*ix)) {
                    Some(Value::List(items)) => items.iter().filter_map(link_id).collect(),
                    _ => Vec::new(),
                };
                let named = items.iter().enumerate().filter_map(|(at, item)| Some((*ix, at, link_id(item)?)));
                wanted.extend(named.filter(|(_, _, id)| !there.contains(id)));
            }
        }
        if wanted.is_empty() {
            return Ok(());
        }
        let ids: Vec<i64> = wanted.iter().map(|(_, _, id)| id.0).collect();
        let known = crate::store::files::load_in(self.store, &ids).await?;
        let me = self.scope.actor.user_id();
        for (field, at, id) in wanted {
            if !known.iter().any(|file| file.id == id.0 && file.created_by == me) {
                let name = &entity.field(field).name;
                let mut fault = FieldFault::at(name, "not_found", "there is no such file; upload it first");
                fault.path = format!("{}/{at}", super::error::pointer(name));
                faults.push(fault);
            }
        }
        Ok(())
    }

    /// Rows below a record without those the actor may not read: they are left as they are.
    pub(super) async fn only_readable(&mut self, rows: Vec<Record>) -> Result<Vec<Record>, RecordError> {
        let Some(first) = rows.first() else { return Ok(rows) };
        if self.granted()?.is_none() {
            return Ok(rows);
        }
        let (entity, ids): (EntityIx, Vec<RecordId>) = (first.entity, rows.iter().map(|row| row.id).collect());
        let readable = self.readable(entity, &ids).await?;
        Ok(rows.into_iter().filter(|row| readable.contains(&row.id)).collect())
    }

    /// Records as the actor may see them: without those that may not be read, and without values that may not.
    pub(super) async fn shown(&mut self, mut records: Vec<Record>) -> Result<Vec<Record>, RecordError> {
        let (Some(granted), Some(first)) = (self.granted()?, records.first()) else { return Ok(records) };
        let compiled = self.scope.compiled.clone();
        let ids: Vec<RecordId> = records.iter().map(|record| record.id).collect();
        let seen = self.eyes(&compiled, &granted).seen(first.entity, &ids).await?;
        records.retain_mut(|record| match seen.get(&record.id) {
            Some(seen) => {
                seen.blank(record);
                true
            }
            None => false,
        });
        Ok(records)
    }

    /// Faults without the names of fields the actor may not know of: such a fault says no more than that it was refused.
    pub(super) fn keep_back(&self, entity: EntityIx, faults: Vec<FieldFault>) -> Vec<FieldFault> {
        let Ok(Some(granted)) = self.granted() else { return faults };
        let definition = self.scope.compiled.entity(entity);
        let mut told: Vec<FieldFault> = Vec::with_capacity(faults.len());
        for fault in faults {
            let head = fault.path.split('/').nth(1).unwrap_or("");
            let field = definition.find_field(head).map(|field| field.ix);
            let is_hidden = field.is_some_and(|field| granted.rules().mask(entity, field) == Some(&Mask::Hidden));
            let fault = if is_hidden { refused() } else { fault };
            if !told.contains(&fault) {
                told.push(fault);
            }
        }
        told
    }

    /// A unique that was hit, without the names of fields the actor may not know of.
    pub(super) fn keep_back_unique(&self, entity: EntityIx, fields: &[FieldIx], error: RecordError) -> RecordError {
        let Ok(Some(granted)) = self.granted() else { return error };
        let is_hidden = |field: &FieldIx| granted.rules().mask(entity, *field) == Some(&Mask::Hidden);
        if fields.iter().any(is_hidden) { RecordError::Invalid(vec![refused()]) } else { error }
    }

    /// Records that stand in the way of a delete, without what the actor may not know of them.
    pub(super) fn keep_back_restrict(&self, entity: EntityIx, error: RecordError) -> RecordError {
        let Ok(Some(granted)) = self.granted() else { return error };
        let is_open = granted.entity(entity).actions().read && granted.rules().of(entity).is_none();
        if is_open { error } else { RecordError::State { message: "this record cannot be deleted: others refer to it".to_owned() } }
    }

    /// Names of fields without those whose values the actor may not read in this record.
    pub(super) async fn readable_names(&mut self, entity: &Entity, id: RecordId, names: Vec<String>) -> Result<Vec<String>, RecordError> {
        let Some(granted) = self.granted()? else { return Ok(names) };
        let compiled = self.scope.compiled.clone();
        let Some(seen) = self.eyes(&compiled, &granted).seen(entity.ix, &[id]).await?.remove(&id) else { return Ok(Vec::new()) };
        Ok(names.into_iter().filter(|name| entity.find_field(name).is_some_and(|field| !seen.hides(field.ix))).collect())
    }
}

/// Whether a condition is about the record that a link leads to.
fn leads_over(condition: &Typed, link: FieldIx) -> bool {
    let needed = needs(condition);
    let first = |hops: &[Hop]| hops.first().is_some_and(|hop| hop.field == link);
    needed.paths.iter().any(|path| first(&path.hops)) || needed.children.iter().any(|child| first(&child.over.hops))
}

/// What is said of a rule about something that may not be known of.
pub(super) fn refused() -> FieldFault {
    FieldFault::whole("refused", "the record was refused")
}

/// The fields a request names.
pub(super) fn asked(input: &Input) -> impl Iterator<Item = FieldIx> + '_ {
    input.values.iter().map(|(field, _)| *field).chain(input.children.iter().map(|(field, _)| *field))
}

/// Whether the history of a field names records of which some may not be known: lists of links to entities with rules.
pub(super) fn names_others(granted: &Granted, entity: &Entity, field: FieldIx) -> bool {
    match &entity.field(field).ty {
        FieldType::Links { to, through, .. } => granted.rules().of(*to).is_some() || granted.rules().of(*through).is_some(),
        FieldType::Children { of, .. } => granted.rules().of(*of).is_some(),
        _ => false,
    }
}
