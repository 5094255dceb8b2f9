//! The steps of a save that need nothing of the database: values laid over the stored record, defaults, stamps, base
//! amounts, stored formulas, checks of one record. `prepare` runs them inside a unit of work, `ready` before one.

use super::check::{Rules, check_dependent, check_required, check_retired};
use super::convert::{merged, same};
use super::error::{FieldFault, pointer};
use super::hooks::{Draft, Record};
use super::input::{Input, Nested};
use super::plan::Compiled;
use super::prepare::{Given, Target};
use super::world::{Setting, World};
use crate::base::{FieldIx, Value};
use crate::schema::catalog::{Default as FieldDefault, Entity, FieldType};
use crate::schema::field_type;

impl Setting<'_> {
    /// The stored record with the wanted values laid over it.
    pub(super) fn draft(&self, entity: &Entity, target: Target, input: &Input, given: &[Given], faults: &mut Vec<FieldFault>) -> Draft {
        let (id, old) = match target {
            Target::Create(id) | Target::Make(id) => (id, None),
            Target::Update(old) => (old.id, Some(old)),
        };
        let mut values = old.as_ref().map_or_else(|| vec![Value::Null; entity.fields.len()], |old| old.values.clone());
        for (ix, value) in &input.values {
            let Some(field) = entity.fields.get(ix.0 as usize) else {
                continue;
            };
            if super::sealing::is_kept(field, value) {
                continue;
            }
            let written = input.partial.iter().find(|(known, _)| known == ix).map(|(_, json)| json);
            let value = match (&old, written) {
                (Some(old), Some(written)) if !old.get(*ix).is_null() => {
                    match merged(&self.compiled.catalog, field, old.get(*ix), written) {
                        Ok(value) => value,
                        Err(fault) => {
                            faults.push(fault.below(&pointer(&field.name)));
                            continue;
                        }
                    }
                }
                _ => value.clone(),
            };
            values[ix.0 as usize] = match value {
                Value::List(items) if items.is_empty() => Value::Null,
                value => value,
            };
        }
        for (ix, value) in given {
            values[ix.0 as usize] = value.clone();
        }
        Draft {
            entity: entity.ix,
            id,
            values,
            old,
            children: input.children.clone(),
            faults: Vec::new(),
            warnings: Vec::new(),
            by_script: Vec::new(),
        }
    }

    /// A new record belongs to who makes it, unless the request names another owner.
    pub(super) fn fill_owner(&self, draft: &mut Draft, input: &Input) {
        if let (Some(owner), Some(user)) = (self.compiled.plan(draft.entity).owner, self.me)
            && input.get(owner).is_none()
        {
            draft.values[owner.0 as usize] = Value::Link(user);
        }
    }

    /// Gives a field of a new record its default.
    pub(super) fn fill_default(&self, world: &World, draft: &mut Draft, ix: FieldIx) {
        let value = match &self.compiled.entity(draft.entity).field(ix).default {
            Some(FieldDefault::Value(value)) => value.clone(),
            Some(FieldDefault::Expr(expr)) => self.eval(world, expr, &draft.record(1), None),
            None => Value::Null,
        };
        draft.values[ix.0 as usize] = value;
    }

    /// Who and when.
    pub(super) fn stamp(&self, draft: &mut Draft) {
        let plan = self.compiled.plan(draft.entity);
        let now = Value::DateTime(self.now);
        let user = self.me.map_or(Value::Null, Value::Link);
        let version = draft.old.as_ref().map_or(1, |old| old.version + 1);
        let id = Value::Link(draft.id);
        let mut set = |field: Option<FieldIx>, value: Value| {
            if let Some(place) = field.and_then(|field| draft.values.get_mut(field.0 as usize)) {
                *place = value;
            }
        };
        if draft.old.is_none() {
            set(plan.id, id);
            set(plan.created_at, now.clone());
            set(plan.created_by, user.clone());
        }
        set(plan.updated_at, now);
        set(plan.updated_by, user);
        set(plan.version, Value::Int(version));
    }

    /// Freezes the base amount of each money that changed at the rate of today.
    pub(super) fn rebase_money(&self, draft: &mut Draft) {
        let settings = &self.compiled.catalog.settings;
        for field in &self.compiled.entity(draft.entity).fields {
            if !matches!(field.ty, FieldType::Money { .. }) {
                continue;
            }
            let before = draft.old.as_ref().map(|old| old.get(field.ix).clone());
            if let Some(Value::Money(money)) = draft.values.get_mut(field.ix.0 as usize) {
                money.base = match before {
                    Some(Value::Money(before))
                        if before.amount == money.amount && before.currency == money.currency && before.base.is_some() =>
                    {
                        before.base
                    }
                    _ => field_type::base_amount(settings, money, self.now.date_in(&settings.time_zone)),
                };
            }
        }
    }

    /// Fills the stored formulas of `record` (rollups keep what they hold), inputs first.
    pub(super) fn compute(&self, world: &World, record: &mut Record, old: Option<&Record>) {
        let entity = self.compiled.entity(record.entity);
        for ix in &self.compiled.plan(record.entity).computed {
            let value = match &entity.field(*ix).ty {
                FieldType::Formula { expr, .. } => self.eval(world, expr, record, old),
                // A new record has no rows below it yet; a stored one keeps its value until they change.
                FieldType::Rollup { aggregate, .. } if old.is_none() => self.eval(world, aggregate, record, old),
                _ => {
                    self.run_clock(world, record, old, *ix);
                    continue;
                }
            };
            let value = self.with_base(value);
            record.values[ix.0 as usize] = value;
        }
    }

    /// A computed money gets the base amount of today.
    pub(super) fn with_base(&self, value: Value) -> Value {
        let settings = &self.compiled.catalog.settings;
        match value {
            Value::Money(mut money) if money.base.is_none() => {
                money.base = field_type::base_amount(settings, &money, self.now.date_in(&settings.time_zone));
                Value::Money(money)
            }
            other => other,
        }
    }

    /// All checks of the record that need nothing but `world`: read-only fields, limits, required fields, options, rules.
    #[expect(clippy::too_many_arguments, reason = "each says another part of one save")]
    pub(super) fn check_own(
        &self,
        world: &World,
        record: &Record,
        old: Option<&Record>,
        input: &Input,
        by_script: &[FieldIx],
        children: &[(FieldIx, Nested)],
        which: Rules,
        faults: &mut Vec<FieldFault>,
    ) {
        let entity = self.compiled.entity(record.entity);
        if !input.is_checked || !by_script.is_empty() {
            check_values(self.compiled, entity, record, old, input, by_script, faults);
        }
        check_required(self, world, entity, record, old, children, faults);
        check_dependent(&self.compiled.catalog, entity, &self.compiled.plan(record.entity).dependent, record, old, faults);
        check_retired(entity, record, old, faults);
        self.check_rules(world, record, old, which, faults);
    }

    /// Refuses changes of fields whose `readonly_if` holds on the stored record (on the new one for a create).
    pub(super) fn check_readonly(&self, world: &World, record: &Record, old: Option<&Record>, input: &Input, faults: &mut Vec<FieldFault>) {
        let entity = self.compiled.entity(record.entity);
        for (ix, _) in &input.values {
            let field = entity.field(*ix);
            let Some(condition) = &field.readonly_if else {
                continue;
            };
            let before = old.map_or(&Value::Null, |old| old.get(*ix));
            let is_changed = !same(&self.compiled.catalog, field, before, record.get(*ix));
            if is_changed && self.holds(world, condition, old.unwrap_or(record), old) {
                faults.push(
                    FieldFault::at(&field.name, "readonly_now", format!("`{}` cannot be changed now", field.name))
                        .with("field", field.name.as_str()),
                );
            }
        }
    }
}

/// Checks values that did not come through a reader of texts or JSON.
fn check_values(
    compiled: &Compiled,
    entity: &Entity,
    record: &Record,
    old: Option<&Record>,
    input: &Input,
    by_script: &[FieldIx],
    faults: &mut Vec<FieldFault>,
) {
    let from_input = input.values.iter().map(|(field, _)| *field).filter(|_| !input.is_checked);
    for ix in from_input.chain(by_script.iter().copied()) {
        let field = entity.field(ix);
        if old.is_some_and(|old| same(&compiled.catalog, field, old.get(ix), record.get(ix))) {
            continue;
        }
        if let Err(fault) = field_type::check(&compiled.catalog, field, record.get(ix)) {
            let fault = FieldFault::from(fault).below(&pointer(&field.name));
            if !faults.iter().any(|known| known.path == fault.path && known.code == fault.code) {
                faults.push(fault);
            }
        }
    }
}

/// Fields whose stored values differ; on create those that hold something. Stamps do not count.
pub(super) fn changed_fields(compiled: &Compiled, record: &Record, old: Option<&Record>) -> Vec<FieldIx> {
    let plan = compiled.plan(record.entity);
    let entity = compiled.entity(record.entity);
    let stamps = [plan.version, plan.updated_at, plan.updated_by];
    plan.stored
        .iter()
        .chain(&plan.sides)
        .copied()
        .filter(|ix| !stamps.contains(&Some(*ix)))
        .filter(|ix| match old {
            Some(old) => !same(&compiled.catalog, entity.field(*ix), old.get(*ix), record.get(*ix)),
            None => !record.get(*ix).is_empty(),
        })
        .collect()
}
