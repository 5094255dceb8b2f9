//! The first half of a save: from what is wanted to a checked record, nothing written yet.
//!
//! Steps 3 to 8 of the save order (`ENGINE.md` 4e): writable fields, values laid over the stored record, defaults, numbers,
//! base amounts, `before_save` hooks, stored formulas, validation. All faults are collected, those of nested records too.

use std::sync::Arc;

use super::check::Rules;
use super::error::{FieldFault, RecordError};
use super::gates::StageMove;
use super::hooks::{BoxFuture, Draft, HookPoint, Record};
use super::input::Input;
use super::options::{Source, WriteOptions};
use super::plan::Compiled;
use super::steps::changed_fields;
use super::unit::RecordTx;
use super::world::{Setting, World};
use crate::base::{EntityIx, FieldIx, RecordId, Value};
use crate::schema::catalog::{Default as FieldDefault, Entity, FieldType};
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
    /// Moves along pipelines.
    pub moves: Vec<StageMove>,
    /// Gates that read such rows.
    pub has_late_gates: bool,
    /// The fields the asker named, to be held against their rights once a new record is there; `None` for rows that come
    /// with the record that lists them.
    pub asked: Option<Vec<FieldIx>>,
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
    /// A record that the engine makes, with what it is given: the actor's rights are not asked.
    Make(RecordId),
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
            let comes_along = matches!(target, Target::Make(_)) || (definition.is_made && !given.is_empty());
            if matches!(target, Target::Create(_)) && !comes_along {
                self.expect_may_create(entity, &input)?;
            }
            let stored = if let Target::Update(old) = &target { Some(old) } else { None };
            self.expect_links(entity, &input, stored).await?;
            if !comes_along {
                self.expect_above(entity, &input, &given, stored).await?;
            }
            let asked = (!comes_along).then(|| super::rights::asked(&input).collect());
            let mut faults = Vec::new();
            let mut draft = self.setting(&compiled).draft(definition, target, &input, &given, &mut faults);
            if draft.old.is_none() {
                self.fill_defaults(&compiled, definition, &mut draft, &input).await?;
            }
            self.setting(&compiled).stamp(&mut draft);
            self.run_before_save(&compiled, &mut draft, options, &mut faults).await?;
            self.setting(&compiled).rebase_money(&mut draft);

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
            // Rows below the record are read by its rules only after they are written.
            let has_late_rules = brings_rows && plan.reads_rows.contains(&true);
            let which = if has_late_rules { Rules::WithoutRows } else { Rules::All };
            let setting = self.setting(&compiled);
            setting.compute(&world, &mut record, old.as_ref());
            if options.source != Source::System {
                setting.check_readonly(&world, &record, old.as_ref(), &input, &mut faults);
            }
            setting.check_own(&world, &record, old.as_ref(), &input, &by_script, &draft_children, which, &mut faults);
            let mut moves = if definition.pipelines.is_empty() { Vec::new() } else { setting.stage_moves(&record, old.as_ref()) };
            drop(setting);
            // What the program itself fills in (sample data, seeds) is taken as it is.
            let is_judged = !moves.is_empty() && options.source != Source::System;
            let has_late_gates = is_judged && brings_rows && plan.gates_read_rows;
            if is_judged && !has_late_gates {
                self.judge(&compiled, &mut world, &record, old.as_ref(), &mut moves, options, false, &mut faults).await?;
            }
            self.check_links(&world, definition, &record, old.as_ref(), &given, &mut faults).await?;
            self.check_filters(definition, &record, old.as_ref(), &mut faults).await?;

            let changed = changed_fields(&compiled, &record, old.as_ref());
            if old.is_some() && options.source != Source::System {
                self.expect_unlocked(&compiled, &record, &changed, &mut faults).await?;
                self.expect_unconverted(definition, record.id, &changed, &mut faults).await?;
                self.expect_claim_kept(&compiled, &record, &changed, &mut faults).await?;
            }
            let nested = Vec::new();
            let mut prepared = Prepared { record, old, changed, by_script, warnings, nested, has_late_rules, moves, has_late_gates, asked };
            self.prepare_nested(&compiled, &mut prepared, &input, draft_children, options, &mut faults).await?;
            if !faults.is_empty() {
                return Err(RecordError::Invalid(self.keep_back(entity, faults)));
            }
            let more = self.expect_no_duplicate(&compiled, &prepared.record, prepared.old.as_ref(), options).await?;
            prepared.warnings.extend(more);
            Ok(prepared)
        })
    }

    pub(super) fn setting<'c>(&self, compiled: &'c Compiled) -> Setting<'c> {
        Setting::new(compiled, self.now(), &self.scope.actor)
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
        self.setting(compiled).fill_owner(draft, input);
        let mut world = World::default();
        let mut is_loaded = plan.default_needs.paths.is_empty() && plan.default_needs.children.is_empty();
        for ix in &plan.defaults {
            if input.get(*ix).is_some() || !draft.get(*ix).is_null() {
                continue;
            }
            if !is_loaded && matches!(entity.field(*ix).default, Some(FieldDefault::Expr(_))) {
                let record = draft.record(1);
                self.gather(&mut world, std::slice::from_ref(&record), &plan.default_needs, true).await?;
                is_loaded = true;
            }
            self.setting(compiled).fill_default(&world, draft, *ix);
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
