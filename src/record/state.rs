//! Works out the state of a form: the same conditions, formulas and options a save would use, nothing written.

use std::collections::HashSet;
use std::sync::Arc;

use super::check::{allowed, is_required};
use super::convert::{link_id, merged};
use super::error::{FieldFault, RecordError, pointer};
use super::form::{FieldState, FormState};
use super::hooks::Record;
use super::input::Input;
use super::load::{MAX_ROWS, Reader};
use super::plan::Compiled;
use super::rights::{names_others, says_who_sees, writes};
use super::service::Records;
use super::world::{Setting, World};
use crate::access::{Action, Actor, Granted, Mask};
use crate::base::sealed::HIDDEN;
use crate::base::{EntityIx, RecordId, Value};
use crate::schema::catalog::{Allowed, Catalog, Default as FieldDefault, Entity, Field, FieldType, Options};
use crate::schema::field_type;
use crate::store::compile::Lock;

impl Records {
    /// What a form shows for these values: of the stored record `id`, or of a new one.
    pub async fn form_state(
        &self,
        actor: &Actor,
        catalog: &Arc<Catalog>,
        entity: EntityIx,
        id: Option<RecordId>,
        input: &Input,
    ) -> Result<FormState, RecordError> {
        let compiled = self.compiled(&catalog.whole());
        let standing = actor.standing(&compiled.catalog)?;
        let granted = standing.part().cloned();
        let shown_to = granted.as_deref().map(|granted| (granted, self.clock().now()));
        let definition = compiled.entity(entity);
        let mut reader = self.reader(&compiled, actor, shown_to);
        let mut old = match id {
            None => None,
            Some(id) => {
                let found = reader.load(entity, &[id], Lock::None).await?.pop().filter(|record| !record.is_deleted(definition));
                Some(found.ok_or_else(|| RecordError::NotFound { entity: definition.slug.clone(), id: id.display(&definition.prefix) })?)
            }
        };
        if let (Some(old), Some(granted)) = (&mut old, &granted) {
            only_known_links(&mut reader, granted, definition, old).await?;
        }
        let plan = compiled.plan(entity);
        let mut world = World::default();
        let mut record = match &old {
            Some(old) => old.clone(),
            None => {
                let values = vec![Value::Null; definition.fields.len()];
                Record { entity, id: RecordId(0), version: 0, values }
            }
        };
        if old.is_none() {
            reader.gather(&mut world, std::slice::from_ref(&record), &plan.default_needs, true).await?;
            let setting = self.form_setting(&compiled, actor);
            fill(&setting, &world, definition, &mut record, input);
        }
        lay_over(&compiled.catalog, definition, &mut record, old.as_ref(), input);
        reader.gather(&mut world, std::slice::from_ref(&record), &plan.form_needs, old.is_none()).await?;
        if let Some(old) = &old {
            reader.gather(&mut world, std::slice::from_ref(old), &plan.readonly_needs, false).await?;
        }
        let setting = self.form_setting(&compiled, actor);
        setting.recompute(&world, &mut record, old.as_ref());
        let mut fields: Vec<FieldState> =
            definition.fields.iter().map(|field| field_state(&setting, &world, definition, field, &record, old.as_ref(), input)).collect();
        for (state, field) in fields.iter_mut().zip(&definition.fields) {
            let is_stored = old.as_ref().is_some_and(|old| *old.get(field.ix) == state.value);
            if field.is_secret() && is_stored && !state.value.is_null() {
                state.value = Value::Text(HIDDEN.to_owned());
            }
        }
        if let Some(granted) = &granted {
            self.hold_back(&compiled, granted, actor, entity, id, &mut fields).await?;
        }
        if let Some(id) = id {
            let shown = fields.iter().filter(|state| !state.value.is_null()).map(|state| state.field);
            self.witness_fields(actor, &compiled, entity, id, shown).await?;
        }
        Ok(FormState { fields, faults: Vec::new() })
    }

    /// Fields that may not be read are not there, those that may not be written are read-only.
    async fn hold_back(
        &self,
        compiled: &Compiled,
        granted: &Granted,
        actor: &Actor,
        entity: EntityIx,
        id: Option<RecordId>,
        fields: &mut [FieldState],
    ) -> Result<(), RecordError> {
        let definition = compiled.entity(entity);
        // What decides who sees the record is offered to those whose roles let them change it without a share.
        let mut own = None;
        let (seen, grants) = match id {
            Some(id) => {
                let mut eyes = self.eyes(compiled, granted, actor);
                let seen = eyes.seen(entity, &[id]).await?.remove(&id);
                if granted.asks_shares(entity, Action::Update) {
                    let rights = granted.without_shares(entity);
                    let grants = eyes.grants_of(&rights, Action::Update, entity, id).await?.unwrap_or_default();
                    own = Some((granted.policy.deciding(&compiled.catalog), grants));
                }
                (seen, eyes.grants(Action::Update, entity, id).await?.unwrap_or_default())
            }
            None => {
                let making = granted.entity(entity).grants.iter().filter(|(_, grant)| grant.create != Allowed::None);
                (None, making.map(|(_, grant)| grant.clone()).collect())
            }
        };
        for state in fields {
            let is_hidden = match &seen {
                Some(seen) => seen.hides(state.field),
                None => granted.rules().mask(entity, state.field) == Some(&Mask::Hidden),
            };
            if is_hidden {
                state.visible = false;
                state.required = false;
                state.value = Value::Null;
                state.faults.clear();
            }
            let by_share_alone = own.as_ref().is_some_and(|(deciding, own)| {
                let rows = match &definition.field(state.field).ty {
                    FieldType::Children { of, .. } => deciding.has_rows(*of) && own.is_empty(),
                    _ => false,
                };
                rows || (says_who_sees(deciding, definition, state.field) && !writes(own, state.field))
            });
            if is_hidden || by_share_alone || !writes(&grants, state.field) {
                state.readonly = true;
                state.required = false;
            }
        }
        Ok(())
    }

    fn form_setting<'c>(&self, compiled: &'c super::plan::Compiled, actor: &Actor) -> Setting<'c> {
        Setting::new(compiled, self.clock().now(), actor)
    }
}

/// Takes out of a record's lists of links what may not be read. A save of the form leaves it where it is.
async fn only_known_links(reader: &mut Reader<'_>, granted: &Granted, entity: &Entity, record: &mut Record) -> Result<(), RecordError> {
    for field in entity.fields.iter().filter(|field| names_others(granted, entity, field.ix)) {
        let FieldType::Links { to, through, near, far } = field.ty else { continue };
        let Value::List(mut links) = record.get(field.ix).clone() else { continue };
        let rows = reader.load_by(through, near, &[record.id], MAX_ROWS, Lock::None).await?;
        let ids: Vec<RecordId> = rows.iter().filter_map(|row| link_id(row.get(far))).collect();
        let known: HashSet<RecordId> = reader.load(to, &ids, Lock::None).await?.into_iter().map(|found| found.id).collect();
        links.retain(|link| link_id(link).is_some_and(|id| known.contains(&id)));
        record.values[field.ix.0 as usize] = if links.is_empty() { Value::Null } else { Value::List(links) };
    }
    Ok(())
}

/// Defaults of a new record.
fn fill(setting: &Setting<'_>, world: &World, entity: &Entity, record: &mut Record, input: &Input) {
    let plan = setting.compiled.plan(entity.ix);
    if let (Some(owner), Some(me)) = (plan.owner, setting.me) {
        record.values[owner.0 as usize] = Value::Link(me);
    }
    for ix in &plan.defaults {
        if input.get(*ix).is_some() {
            continue;
        }
        let value = match &entity.field(*ix).default {
            Some(FieldDefault::Value(value)) => value.clone(),
            Some(FieldDefault::Expr(expr)) => setting.eval(world, expr, record, None),
            None => continue,
        };
        record.values[ix.0 as usize] = value;
    }
}

fn lay_over(catalog: &Catalog, entity: &Entity, record: &mut Record, old: Option<&Record>, input: &Input) {
    for (ix, value) in &input.values {
        if super::sealing::is_kept(entity.field(*ix), value) {
            continue;
        }
        let written = input.partial.iter().find(|(known, _)| known == ix).map(|(_, json)| json);
        let field = entity.field(*ix);
        record.values[ix.0 as usize] = match (old.map(|old| old.get(*ix)), written) {
            (Some(before), Some(written)) if !before.is_null() => merged(catalog, field, before, written).unwrap_or_else(|_| value.clone()),
            _ => value.clone(),
        };
    }
}

fn field_state(
    setting: &Setting<'_>,
    world: &World,
    entity: &Entity,
    field: &Field,
    record: &Record,
    old: Option<&Record>,
    input: &Input,
) -> FieldState {
    let holds = |condition: &Option<crate::expr::Typed>, record: &Record| {
        condition.as_ref().is_some_and(|condition| setting.holds(world, condition, record, old))
    };
    // An any_link is its text here: expressions alone know it as an id without its entity.
    let value = match &field.ty {
        FieldType::AnyLink { .. } => record.get(field.ix).clone(),
        _ => setting.value(world, record, field.ix),
    };
    let is_writable_system = field.is_system && field.name == "owner";
    let readonly = (field.read_only && !is_writable_system) || holds(&field.readonly_if, old.unwrap_or(record));
    let required = !readonly && is_required(setting, world, field, record, old);
    let mut faults = Vec::new();
    if input.get(field.ix).is_some() {
        if let Err(fault) = field_type::check(&setting.compiled.catalog, field, &value) {
            faults.push(FieldFault::from(fault).below(&pointer(&field.name)));
        } else if required && value.is_empty() {
            faults
                .push(FieldFault::at(&field.name, "required", format!("`{}` is required", field.name)).with("field", field.name.as_str()));
        }
    }
    let options = options_now(field, record);
    if let (Some(options), Value::Text(key)) = (&options, &value)
        && !options.contains(key)
        && old.is_none_or(|old| old.get(field.ix) != &value)
    {
        let fault = FieldFault::at(&field.name, "option_not_allowed", format!("`{key}` is not allowed now")).with("option", key.as_str());
        faults.push(fault.with("allowed", options.clone()));
    }
    let visible = field.visible_if.is_none() || holds(&field.visible_if, record);
    let _ = entity;
    FieldState { field: field.ix, visible, required, readonly, options, faults, value }
}

/// The options offered now: not retired (but the one chosen), allowed by the select they depend on.
fn options_now(field: &Field, record: &Record) -> Option<Vec<String>> {
    let (FieldType::Select(Options { list, depends_on }) | FieldType::MultiSelect { options: Options { list, depends_on }, .. }) =
        &field.ty
    else {
        return None;
    };
    let chosen = |key: &str| match record.get(field.ix) {
        Value::Text(text) => text == key,
        Value::List(items) => items.iter().any(|item| item.as_text() == Some(key)),
        _ => false,
    };
    let allowed = depends_on.as_ref().map(|depends_on| allowed(depends_on, record));
    let offered = list.options.iter().filter(|option| !option.retired || chosen(&option.key));
    let offered = offered.filter(|option| allowed.is_none_or(|allowed| allowed.contains(&option.key)));
    Some(offered.map(|option| option.key.clone()).collect())
}
