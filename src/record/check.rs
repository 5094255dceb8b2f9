//! Validation of a record about to be written: everything that needs the whole record or other records.

use std::collections::{HashMap, HashSet};

use super::convert::{link_id, same};
use super::error::{FieldFault, RecordError, pointer};
use super::hooks::Record;
use super::input::Nested;
use super::prepare::Given;
use super::unit::RecordTx;
use super::world::{Setting, World};
use crate::base::{EntityIx, FieldIx, RecordId, Value};
use crate::schema::catalog::{Catalog, DependsOn, Entity, Field, FieldType, Options, Rule};
use crate::schema::field_type;
use crate::store::Dialect;
use crate::store::compile::Lock;

/// Which rules are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rules {
    All,
    /// Those that do not read rows below the record.
    WithoutRows,
    /// The others, once those rows are written.
    OverRows,
}

impl Setting<'_> {
    /// The rules of the entity; those that fail give their own code and message.
    pub(super) fn check_rules(&self, world: &World, record: &Record, old: Option<&Record>, which: Rules, faults: &mut Vec<FieldFault>) {
        let entity = self.compiled.entity(record.entity);
        for (rule, reads_rows) in entity.rules.iter().zip(&self.compiled.plan(record.entity).reads_rows) {
            match which {
                Rules::WithoutRows if *reads_rows => continue,
                Rules::OverRows if !reads_rows => continue,
                _ => {}
            }
            let applies = rule.when.as_ref().is_none_or(|when| self.holds(world, when, record, old));
            if applies && !self.holds(world, &rule.assert, record, old) {
                faults.push(self.rule_fault(entity, rule));
            }
        }
    }

    fn rule_fault(&self, entity: &Entity, rule: &Rule) -> FieldFault {
        let message = match rule.message.get(self.locale) {
            "" => format!("the rule `{}` does not hold", rule.id),
            text => text.to_owned(),
        };
        let code = if rule.code.is_empty() { rule.id.as_str() } else { rule.code.as_str() };
        let fault = match rule.at {
            Some(field) => FieldFault::at(&entity.field(field).name, code, message),
            None => FieldFault::whole(code, message),
        };
        fault.with("rule", rule.id.as_str())
    }
}

/// Where the links of a record that changed lead, and the files attached to it.
#[derive(Debug, Default)]
pub(super) struct Leads {
    pub places: Vec<(FieldIx, EntityIx, RecordId)>,
    /// Field, position in its list, file.
    pub uploads: Vec<(FieldIx, usize, RecordId)>,
}

impl Setting<'_> {
    /// What [`RecordTx::check_links`] has to look for.
    pub(super) fn leads(&self, record: &Record, old: Option<&Record>, given: &[Given]) -> Leads {
        let catalog = &self.compiled.catalog;
        let (plan, entity) = (self.compiled.plan(record.entity), self.compiled.entity(record.entity));
        let mut leads = Leads::default();
        for ix in plan.links.iter().chain(&plan.sides) {
            let field = entity.field(*ix);
            let value = record.get(*ix);
            if value.is_null() || given.iter().any(|(known, _)| known == ix) {
                continue;
            }
            if old.is_some_and(|old| same(catalog, field, old.get(*ix), value)) {
                continue;
            }
            match (&field.ty, value) {
                (FieldType::File { .. } | FieldType::Image { .. }, Value::List(items)) => {
                    leads.uploads.extend(items.iter().enumerate().filter_map(|(at, item)| Some((*ix, at, link_id(item)?))));
                }
                (ty, value) => {
                    if let Some((to, id)) = target_of(catalog, ty, value) {
                        // An owner defaulted from the actor is who signed in.
                        if field.is_system && self.me == Some(id) {
                            continue;
                        }
                        leads.places.push((*ix, to, id));
                    }
                }
            }
        }
        leads
    }
}

impl RecordTx<'_> {
    /// Every link that changed must lead to a live record.
    pub(super) async fn check_links(
        &mut self,
        world: &World,
        entity: &Entity,
        record: &Record,
        old: Option<&Record>,
        given: &[Given],
        faults: &mut Vec<FieldFault>,
    ) -> Result<(), RecordError> {
        let compiled = self.scope.compiled.clone();
        let Leads { places, uploads } = self.setting(&compiled).leads(record, old, given);
        let mut wanted: HashMap<EntityIx, Vec<RecordId>> = HashMap::new();
        // Where others write meanwhile, what is linked is locked against being deleted, whether it was read or not.
        let is_shared = self.store.dialect() == Dialect::Postgres;
        for (_, to, id) in &places {
            if (is_shared || !world.records.contains_key(&(*to, *id))) && (*to, *id) != (record.entity, record.id) {
                wanted.entry(*to).or_default().push(*id);
            }
        }
        let mut wanted: Vec<_> = wanted.into_iter().collect();
        wanted.sort_by_key(|(to, _)| *to);
        // Only whether they are there matters here, not what they hold.
        let mut live: HashSet<(EntityIx, RecordId)> = HashSet::new();
        for (to, mut ids) in wanted {
            ids.sort_unstable();
            ids.dedup();
            live.extend(self.live(to, &ids).await?.into_iter().map(|id| (to, id)));
        }
        for (field, to, id) in places {
            let is_self = to == record.entity && id == record.id;
            let is_known = !is_shared && world.records.get(&(to, id)).is_some_and(Option::is_some);
            if !is_self && !is_known && !live.contains(&(to, id)) {
                let target = compiled.entity(to);
                let shown = id.display(&target.prefix);
                faults.push(
                    FieldFault::at(&entity.field(field).name, "not_found", format!("there is no {} `{shown}`", target.slug))
                        .with("entity", target.slug.as_str())
                        .with("id", shown),
                );
            }
        }
        self.check_uploads(entity, &uploads, faults).await
    }

    /// Every link that changed must lead to a record that its filter takes. A record that was linked before stays, whatever
    /// has become of it.
    pub(super) async fn check_filters(
        &mut self,
        entity: &Entity,
        record: &Record,
        old: Option<&Record>,
        faults: &mut Vec<FieldFault>,
    ) -> Result<(), RecordError> {
        let compiled = self.scope.compiled.clone();
        for (ix, needs) in &compiled.plan(record.entity).filters {
            let (field, value) = (entity.field(*ix), record.get(*ix));
            let FieldType::Link { to, filter: Some(filter), .. } = &field.ty else { continue };
            let Some(id) = value.as_link() else { continue };
            if old.is_some_and(|old| same(&compiled.catalog, field, old.get(*ix), value)) {
                continue;
            }
            let unwritten = self.scope.pending.iter().chain([record]).find(|known| known.entity == *to && known.id == id).cloned();
            let target = match unwritten {
                Some(target) => target,
                None => match self.load(*to, &[id], Lock::None).await?.pop() {
                    Some(target) => target,
                    // Told by `check_links`.
                    None => continue,
                },
            };
            let mut world = World::default();
            self.gather(&mut world, std::slice::from_ref(&target), needs, false).await?;
            if target.is_deleted(compiled.entity(*to)) || self.setting(&compiled).holds(&world, filter, &target, None) {
                continue;
            }
            let shown = id.display(&compiled.entity(*to).prefix);
            let told = compiled.catalog.described.get(&field.uid).and_then(|told| told.properties.get("filter")?.as_str());
            let message = match told {
                Some(told) => format!("`{}` takes only records with `{told}`, which `{shown}` has not", field.name),
                None => format!("`{}` does not take `{shown}`", field.name),
            };
            faults.push(FieldFault::at(&field.name, "not_taken", message).with("id", shown).with("filter", told.unwrap_or_default()));
        }
        Ok(())
    }

    /// Every file that was attached must have been uploaded, be small enough and of a kind the field takes.
    async fn check_uploads(
        &mut self,
        entity: &Entity,
        uploads: &[(FieldIx, usize, RecordId)],
        faults: &mut Vec<FieldFault>,
    ) -> Result<(), RecordError> {
        if uploads.is_empty() {
            return Ok(());
        }
        let ids: Vec<i64> = uploads.iter().map(|(_, _, id)| id.0).collect();
        let known = crate::store::files::load_in(self.store, &ids).await?;
        for (field, at, id) in uploads {
            let field = entity.field(*field);
            let fault = |code: &str, message: String| {
                let mut fault = FieldFault::at(&field.name, code, message);
                fault.path = format!("{}/{at}", pointer(&field.name));
                fault
            };
            let Some(file) = known.iter().find(|file| file.id == id.0) else {
                faults.push(fault("not_found", "there is no such file; upload it first".to_owned()));
                continue;
            };
            let (limit, takes) = match &field.ty {
                FieldType::Image { max_size_bytes, .. } => (*max_size_bytes, file.width.is_some()),
                FieldType::File { max_size_bytes, accept, .. } => {
                    (*max_size_bytes, accept.is_empty() || accept.iter().any(|kind| is_accepted(kind, file)))
                }
                _ => continue,
            };
            if u64::try_from(file.size_bytes).unwrap_or(u64::MAX) > limit {
                faults.push(fault("too_large", format!("`{}` has more than {limit} bytes", file.name)).with("max", limit));
            }
            if !takes {
                faults.push(
                    fault("wrong_type", format!("`{}` is {}, which this field does not take", file.name, file.media_type))
                        .with("type", file.media_type.as_str()),
                );
            }
        }
        Ok(())
    }
}

/// An option that was taken out of the definitions stays with the records that hold it; none may take it anew.
pub(super) fn check_retired(entity: &Entity, record: &Record, old: Option<&Record>, faults: &mut Vec<FieldFault>) {
    for field in &entity.fields {
        let value = record.get(field.ix);
        if value.is_null() || field_type::retired_option(field, value).is_none() {
            continue;
        }
        let kept = old.map(|old| old.get(field.ix));
        let retired = match (value, kept) {
            (Value::List(now), Some(Value::List(before))) => {
                let added = now.iter().filter(|item| !before.contains(item)).cloned().collect();
                field_type::retired_option(field, &Value::List(added))
            }
            (now, Some(before)) if now == before => None,
            (now, _) => field_type::retired_option(field, now),
        };
        if let Some(key) = retired {
            faults
                .push(FieldFault::at(&field.name, "not_an_option", format!("`{key}` is no longer one of the options")).with("value", key));
        }
    }
}

/// `image/png`, `image/*` or `.pdf`.
fn is_accepted(kind: &str, file: &crate::store::files::StoredFile) -> bool {
    if let Some(group) = kind.strip_suffix("/*") {
        return file.media_type.split('/').next() == Some(group);
    }
    if kind.starts_with('.') {
        return file.name.to_lowercase().ends_with(&kind.to_lowercase());
    }
    file.media_type.eq_ignore_ascii_case(kind)
}

/// The entity and record a link leads to.
pub(super) fn target_of(catalog: &Catalog, ty: &FieldType, value: &Value) -> Option<(EntityIx, RecordId)> {
    match ty {
        FieldType::Link { to, .. } | FieldType::User { to, .. } => Some((*to, value.as_link()?)),
        FieldType::AnyLink { to, .. } => {
            let (prefix, id) = RecordId::parse(value.as_text()?)?;
            let entity = catalog.by_prefix.get(prefix)?;
            to.contains(entity).then_some((*entity, id))
        }
        _ => None,
    }
}

/// Whether the field must hold something now.
pub(super) fn is_required(setting: &Setting<'_>, world: &World, field: &Field, record: &Record, old: Option<&Record>) -> bool {
    field.required || field.required_if.as_ref().is_some_and(|condition| setting.holds(world, condition, record, old))
}

pub(super) fn check_required(
    setting: &Setting<'_>,
    world: &World,
    entity: &Entity,
    record: &Record,
    old: Option<&Record>,
    children: &[(FieldIx, Nested)],
    faults: &mut Vec<FieldFault>,
) {
    for field in entity.fields.iter().filter(|field| !field.read_only && !field.is_system) {
        if !field.required && field.required_if.is_none() {
            continue;
        }
        let is_empty = match &field.ty {
            // Rows below are known only where the request brings them; rows that are there are not counted again.
            FieldType::Children { .. } | FieldType::Links { .. } => {
                let named = children.iter().find(|(ix, _)| *ix == field.ix).map(|(_, nested)| nested.items.is_empty());
                let listed = if record.get(field.ix).is_null() { None } else { Some(record.get(field.ix).is_empty()) };
                named.or(listed).unwrap_or(old.is_none())
            }
            _ => record.get(field.ix).is_empty(),
        };
        if is_empty && is_required(setting, world, field, record, old) {
            faults
                .push(FieldFault::at(&field.name, "required", format!("`{}` is required", field.name)).with("field", field.name.as_str()));
        }
    }
}

/// The keys another select allows now; `None` when all are.
pub(super) fn allowed<'a>(depends_on: &'a DependsOn, record: &Record) -> &'a [String] {
    match record.get(depends_on.field) {
        Value::Text(key) => depends_on.allow.get(key).map_or(&[], Vec::as_slice),
        _ => &[],
    }
}

pub(super) fn check_dependent(
    catalog: &Catalog,
    entity: &Entity,
    dependent: &[FieldIx],
    record: &Record,
    old: Option<&Record>,
    faults: &mut Vec<FieldFault>,
) {
    for ix in dependent {
        let field = entity.field(*ix);
        let (FieldType::Select(Options { depends_on: Some(depends_on), .. })
        | FieldType::MultiSelect { options: Options { depends_on: Some(depends_on), .. }, .. }) = &field.ty
        else {
            continue;
        };
        let unchanged = |ix: FieldIx| old.is_some_and(|old| same(catalog, entity.field(ix), old.get(ix), record.get(ix)));
        if unchanged(*ix) && unchanged(depends_on.field) {
            continue;
        }
        let allowed = allowed(depends_on, record);
        let chosen: Vec<&str> = match record.get(*ix) {
            Value::Text(key) => vec![key],
            Value::List(keys) => keys.iter().filter_map(Value::as_text).collect(),
            _ => Vec::new(),
        };
        let other = &entity.field(depends_on.field).name;
        for key in chosen.iter().filter(|key| !allowed.iter().any(|allowed| allowed == **key)) {
            faults.push(
                FieldFault::at(&field.name, "option_not_allowed", format!("`{key}` is not allowed with this `{other}`"))
                    .with("option", *key)
                    .with("field", other.as_str())
                    .with("allowed", allowed.to_vec()),
            );
        }
    }
}
