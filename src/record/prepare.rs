//! The first half of a save: from what is wanted to a checked record, nothing written yet.
//!
//! Steps 3 to 8 of the save order (`ENGINE.md` 4e): writable fields, values laid over the stored record, defaults, numbers,
//! base amounts, `before_save` hooks, stored formulas, validation. All faults are collected, those of nested records too.

use std::sync::Arc;

use super::convert::{merged, same};
use super::error::{FieldFault, RecordError, pointer};
use super::hooks::{BoxFuture, Draft, HookPoint, Record};
use super::input::Input;
use super::options::{Source, WriteOptions};
use super::plan::Compiled;
use super::unit::RecordTx;
use super::world::{Setting, World};
use crate::base::{DateTime, EntityIx, FieldIx, RecordId, Value};
use crate::schema::catalog::{Default as FieldDefault, Entity, FieldType};
use crate::schema::field_type;
use crate::store::sequences;

/// A record ready to be written.
#[derive(Debug)]
pub(super) struct Prepared {
    pub record: Record,
    pub old: Option<Record>,
    pub changed: Vec<FieldIx>,
    pub by_script: Vec<FieldIx>,
    pub warnings: Vec<String>,
    /// Nested records: at which place of the request, and what.
    pub nested: Vec<NestedWrite>,
    /// Rules that read rows which are only written after this record.
    pub has_late_rules: bool,
}

#[derive(Debug)]
pub(super) struct NestedWrite {
    /// `/lines/0`.
    pub path: String,
    pub what: NestedKind,
}

#[derive(Debug)]
pub(super) enum NestedKind {
    Save(Box<Prepared>),
    Remove(EntityIx, RecordId),
}

/// What is to be saved.
pub(super) enum Target {
    Create(RecordId),
    Update(Record),
}

/// A value the record around sets: a child's link to its parent.
pub(super) type Given = (FieldIx, Value);

impl RecordTx<'_> {
    /// # Errors
    /// `Invalid` with every fault found; hook failures and database faults as they are.
    pub(super) fn prepare<'a>(
        &'a mut self,
        entity: EntityIx,
        target: Target,
        input: Input,
        given: Vec<Given>,
        options: &'a WriteOptions,
    ) -> BoxFuture<'a, Result<Prepared, RecordError>> {
        Box::pin(async move {
            let compiled = self.scope.compiled.clone();
            let definition = compiled.entity(entity);
            let mut faults = Vec::new();
            let mut draft = self.draft(&compiled, definition, target, &input, &given, &mut faults).await?;
            if draft.old.is_none() {
                self.fill_defaults(&compiled, definition, &mut draft, &input).await?;
            }
            self.stamp(&compiled, definition, &mut draft);
            self.run_before_save(&compiled, &mut draft, options, &mut faults).await?;
            rebase_money(&compiled, definition, &mut draft, self.now());

            let lists_links = |ix: &FieldIx| matches!(definition.field(*ix).ty, FieldType::Links { .. });
            let brings_rows = !draft.children.is_empty() || input.values.iter().any(|(ix, _)| lists_links(ix));
            let draft_children = std::mem::take(&mut draft.children);
            let Draft { id, values, old, by_script, warnings, .. } = draft;
            let mut record = Record { entity, id, version: old.as_ref().map_or(1, |old| old.version + 1), values };
            let mut world = World::default();
            let is_new = old.is_none();
            let plan = compiled.plan(entity);
            self.gather(&mut world, std::slice::from_ref(&record), &plan.save_needs, is_new).await?;
            if let Some(old) = &old {
                let mut needs = plan.readonly_needs.clone();
                needs.paths.extend(plan.save_needs.old_paths.iter().cloned());
                self.gather(&mut world, std::slice::from_ref(old), &needs, false).await?;
            }
            let setting = self.setting(&compiled);
            setting.compute(&world, &mut record, old.as_ref());
            if options.source != Source::System {
                check_readonly(&setting, &world, definition, &record, old.as_ref(), &input, &mut faults);
            }
            drop(setting);
            if !input.is_checked || !by_script.is_empty() {
                check_values(&compiled, definition, &record, old.as_ref(), &input, &by_script, &mut faults);
            }
            // Rows below the record are read by its rules only after they are written.
            let has_late_rules = brings_rows && plan.reads_rows.contains(&true);
            self.check(&world, &record, old.as_ref(), &given, &draft_children, has_late_rules, &mut faults).await?;

            let changed = changed_fields(&compiled, definition, &record, old.as_ref());
            let mut prepared = Prepared { record, old, changed, by_script, warnings, nested: Vec::new(), has_late_rules };
            self.prepare_nested(&compiled, &mut prepared, &input, draft_children, options, &mut faults).await?;
            if faults.is_empty() { Ok(prepared) } else { Err(RecordError::Invalid(faults)) }
        })
    }

    pub(super) fn setting<'c>(&self, compiled: &'c Compiled) -> Setting<'c> {
        Setting { compiled, now: self.now(), zone: compiled.zone.clone(), me: self.scope.actor.user }
    }

    /// The stored record with the wanted values laid over it.
    async fn draft(
        &mut self,
        compiled: &Arc<Compiled>,
        entity: &Entity,
        target: Target,
        input: &Input,
        given: &[Given],
        faults: &mut Vec<FieldFault>,
    ) -> Result<Draft, RecordError> {
        let (id, old) = match target {
            Target::Create(id) => (id, None),
            Target::Update(old) => (old.id, Some(old)),
        };
        let values = old.as_ref().map_or_else(|| vec![Value::Null; entity.fields.len()], |old| old.values.clone());
        let mut draft = Draft {
            entity: entity.ix,
            id,
            values,
            old,
            children: input.children.clone(),
            faults: Vec::new(),
            warnings: Vec::new(),
            by_script: Vec::new(),
        };
        for (ix, value) in &input.values {
            let Some(field) = entity.fields.get(ix.0 as usize) else {
                continue;
            };
            let written = input.partial.iter().find(|(known, _)| known == ix).map(|(_, json)| json);
            let value = match (&draft.old, written) {
                (Some(old), Some(written)) if !old.get(*ix).is_null() => match merged(&compiled.catalog, field, old.get(*ix), written) {
                    Ok(value) => value,
                    Err(fault) => {
                        faults.push(fault.below(&pointer(&field.name)));
                        continue;
                    }
                },
                _ => value.clone(),
            };
            draft.values[ix.0 as usize] = match value {
                Value::List(items) if items.is_empty() => Value::Null,
                value => value,
            };
        }
        for (ix, value) in given {
            draft.values[ix.0 as usize] = value.clone();
        }
        Ok(draft)
    }

    /// Values for fields nobody set, in the order of the definition, then numbers.
    async fn fill_defaults(
        &mut self,
        compiled: &Arc<Compiled>,
        entity: &Entity,
        draft: &mut Draft,
        input: &Input,
    ) -> Result<(), RecordError> {
        let plan = compiled.plan(entity.ix);
        if let Some(owner) = plan.owner
            && input.get(owner).is_none()
            && let Some(user) = self.scope.actor.user
        {
            draft.values[owner.0 as usize] = Value::Link(user);
        }
        let mut world = World::default();
        let mut is_loaded = plan.default_needs.paths.is_empty() && plan.default_needs.children.is_empty();
        for ix in &plan.defaults {
            if input.get(*ix).is_some() || !draft.get(*ix).is_null() {
                continue;
            }
            let value = match &entity.field(*ix).default {
                Some(FieldDefault::Value(value)) => value.clone(),
                Some(FieldDefault::Expr(expr)) => {
                    let record = Record { entity: entity.ix, id: draft.id, version: 1, values: draft.values.clone() };
                    if !is_loaded {
                        self.gather(&mut world, std::slice::from_ref(&record), &plan.default_needs, true).await?;
                        is_loaded = true;
                    }
                    self.setting(compiled).eval(&world, expr, &record, None)
                }
                None => Value::Null,
            };
            draft.values[ix.0 as usize] = value;
        }
        for ix in &plan.auto_numbers {
            if !draft.get(*ix).is_null() && self.scope.source != Source::Api && self.scope.source != Source::Form {
                continue; // An import brings its own numbers.
            }
            let field = entity.field(*ix);
            if let FieldType::AutoNumber { format, reset } = &field.ty {
                let today = self.now().date_in(&compiled.catalog.settings.time_zone);
                let name = format!("{}/{}", field.uid, super::number::period(*reset, today));
                let sequence = sequences::take(self.store, &name, 1).await?;
                draft.values[ix.0 as usize] = Value::Text(super::number::format(format, sequence, today));
            }
        }
        Ok(())
    }

    /// Who and when.
    fn stamp(&self, compiled: &Compiled, entity: &Entity, draft: &mut Draft) {
        let plan = compiled.plan(entity.ix);
        let now = Value::DateTime(self.now());
        let user = self.scope.actor.user.map_or(Value::Null, Value::Link);
        let version = draft.old.as_ref().map_or(1, |old| old.version + 1);
        let mut stamps = vec![(plan.updated_at, now.clone()), (plan.updated_by, user.clone()), (plan.version, Value::Int(version))];
        if draft.old.is_none() {
            stamps.extend([(plan.id, Value::Link(draft.id)), (plan.created_at, now), (plan.created_by, user)]);
        }
        for (field, value) in stamps {
            if let Some(field) = field {
                draft.values[field.0 as usize] = value;
            }
        }
    }

    async fn run_before_save(
        &mut self,
        compiled: &Arc<Compiled>,
        draft: &mut Draft,
        options: &WriteOptions,
        faults: &mut Vec<FieldFault>,
    ) -> Result<(), RecordError> {
        let hooks = self.scope.hooks.clone();
        if options.without_hooks || !hooks.matches(&compiled.catalog, draft.entity, HookPoint::BeforeSave) {
            return Ok(());
        }
        // A hook sees the formulas as they are now, not as they were.
        let mut record = Record { entity: draft.entity, id: draft.id, version: 0, values: std::mem::take(&mut draft.values) };
        let mut world = World::default();
        let is_new = draft.old.is_none();
        self.gather(&mut world, std::slice::from_ref(&record), &compiled.plan(draft.entity).save_needs, is_new).await?;
        self.setting(compiled).compute(&world, &mut record, draft.old.as_ref());
        draft.values = record.values;
        hooks.before_save(self, draft).await?;
        faults.append(&mut draft.faults);
        Ok(())
    }
}

impl Setting<'_> {
    /// Fills the stored formulas of `record` (rollups keep what they hold), inputs first.
    pub(super) fn compute(&self, world: &World, record: &mut Record, old: Option<&Record>) {
        let entity = self.compiled.entity(record.entity);
        for ix in &self.compiled.plan(record.entity).computed {
            let value = match &entity.field(*ix).ty {
                FieldType::Formula { expr, .. } => self.eval(world, expr, record, old),
                // A new record has no rows below it yet; a stored one keeps its value until they change.
                FieldType::Rollup { aggregate, .. } if old.is_none() => self.eval(world, aggregate, record, old),
                _ => continue,
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
}

/// Freezes the base amount of each money that changed at the rate of today.
fn rebase_money(compiled: &Compiled, entity: &Entity, draft: &mut Draft, now: DateTime) {
    let settings = &compiled.catalog.settings;
    for field in &entity.fields {
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
                _ => field_type::base_amount(settings, money, now.date_in(&settings.time_zone)),
            };
        }
    }
}

/// Refuses changes of fields whose `readonly_if` holds on the stored record (on the new one for a create).
fn check_readonly(
    setting: &Setting<'_>,
    world: &World,
    entity: &Entity,
    record: &Record,
    old: Option<&Record>,
    input: &Input,
    faults: &mut Vec<FieldFault>,
) {
    for (ix, _) in &input.values {
        let field = entity.field(*ix);
        let Some(condition) = &field.readonly_if else {
            continue;
        };
        let before = old.map_or(&Value::Null, |old| old.get(*ix));
        let is_changed = !same(&setting.compiled.catalog, field, before, record.get(*ix));
        if is_changed && setting.holds(world, condition, old.unwrap_or(record), old) {
            faults.push(
                FieldFault::at(&field.name, "readonly_now", format!("`{}` cannot be changed now", field.name))
                    .with("field", field.name.as_str()),
            );
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
fn changed_fields(compiled: &Compiled, entity: &Entity, record: &Record, old: Option<&Record>) -> Vec<FieldIx> {
    let plan = compiled.plan(entity.ix);
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
