//! One save, from the request to its last effect inside the transaction.
//!
//! The order is that of `ENGINE.md` 4e: load and compare the version, prepare (`prepare`), write the row, the rows below it,
//! history, search text and outbox, the rollups of the records above, then the `after_write` hooks and the jobs that
//! deliver the event after the commit. A save that changes nothing writes nothing and emits nothing.

use std::sync::Arc;

use super::check::Rules;
use super::error::{FieldFault, RecordError};
use super::hooks::{BoxFuture, EventKind, HookPoint, Record, RecordEvent};
use super::input::Input;
use super::options::{Saved, Source, WriteOptions};
use super::plan::Compiled;
use super::prepare::{NestedKind, Prepared, Target};
use super::trace::Trace;
use super::unit::{MAX_DEPTH, MAX_SCRIPT_WRITES, RecordTx};
use super::world::World;
use crate::access::{Action, Write, WriteKind, authorise_write};
use crate::base::{EntityIx, FieldIx, RecordId, Sealed, Value};
use crate::store::compile::Lock;
use crate::store::{Statement, StoreError, compile};

impl RecordTx<'_> {
    pub(super) async fn create_record(&mut self, entity: EntityIx, input: Input, options: &WriteOptions) -> Result<Saved, RecordError> {
        self.count_write()?;
        let id = options.id.unwrap_or_else(|| self.mint());
        let prepared = self.prepare(entity, Target::Create(id), input, Vec::new(), options).await?;
        self.write(prepared, options).await
    }

    pub(super) async fn update_record(
        &mut self,
        entity: EntityIx,
        id: RecordId,
        input: Input,
        options: &WriteOptions,
    ) -> Result<Saved, RecordError> {
        self.count_write()?;
        let old = self.load_live(entity, id, Lock::Change).await?;
        self.expect_may(Action::Update, &old, Some(&input)).await?;
        self.expect_version(&old, options).await?;
        let prepared = self.prepare(entity, Target::Update(old), input, Vec::new(), options).await?;
        self.write(prepared, options).await
    }

    /// The record to be changed; one in the recycle bin is not found.
    pub(super) async fn load_live(&mut self, entity: EntityIx, id: RecordId, lock: Lock) -> Result<Record, RecordError> {
        let compiled = self.scope.compiled.clone();
        let definition = compiled.entity(entity);
        match self.load(entity, &[id], lock).await?.pop() {
            Some(record) if !record.is_deleted(definition) => Ok(record),
            _ => Err(RecordError::NotFound { entity: definition.slug.clone(), id: id.display(&definition.prefix) }),
        }
    }

    /// `If-Match`, and whether the entity insists on it.
    pub(super) async fn expect_version(&mut self, old: &Record, options: &WriteOptions) -> Result<(), RecordError> {
        let compiled = self.scope.compiled.clone();
        let entity = compiled.entity(old.entity);
        match options.if_match {
            Some(version) if version == old.version => Ok(()),
            Some(version) => Err(RecordError::Stale { current: old.version, changed: self.changed_since(entity, old.id, version).await? }),
            None if entity.requires_if_match && matches!(options.source, Source::Api) => Err(RecordError::PreconditionRequired),
            None => Ok(()),
        }
    }

    /// Writes what was prepared and all that follows from it.
    pub(super) fn write<'a>(&'a mut self, prepared: Prepared, options: &'a WriteOptions) -> BoxFuture<'a, Result<Saved, RecordError>> {
        Box::pin(async move {
            let Prepared { mut record, old, mut changed, by_script, warnings, nested, has_late_rules, mut moves, has_late_gates, asked } =
                prepared;
            let compiled = self.scope.compiled.clone();
            let mut saved = Saved {
                id: record.id,
                version: record.version,
                created: old.is_none(),
                changed: Vec::new(),
                warnings,
                stale: Vec::new(),
                replayed: false,
                written: None,
            };
            if old.is_some() && changed.is_empty() && nested.is_empty() {
                saved.version = record.version - 1;
                return Ok(saved);
            }
            let kind = if old.is_none() { EventKind::Create } else { EventKind::Update };
            let has_row = old.is_none() || !changed.is_empty();
            if nested.is_empty() {
                let stored = self.closed(&compiled, &record).await?;
                let statements = self.row_statements(&compiled, &stored, old.as_ref(), &changed)?;
                self.run_all(&compiled, record.entity, &statements).await?;
            } else {
                if has_row {
                    let stored = self.closed(&compiled, &record).await?;
                    let statements = self.row_statements(&compiled, &stored, old.as_ref(), &changed)?;
                    self.run_all(&compiled, record.entity, &statements).await?;
                }
                self.scope.deferred.push((record.entity, record.id));
                let below = self.write_nested(nested, options).await;
                self.scope.deferred.pop();
                below?;
                let late = self.settle(&compiled, &mut record, old.as_ref(), &mut changed, has_row, has_late_rules).await?;
                if changed.is_empty() && old.is_some() {
                    saved.version = record.version - 1;
                    return Ok(saved);
                }
                self.run_all(&compiled, record.entity, &late).await?;
            }
            if has_late_gates {
                self.judge_late(&compiled, &record, old.as_ref(), &mut moves, options).await?;
            }
            if let Some(asked) = asked.filter(|_| old.is_none()) {
                self.expect_made(record.entity, record.id, &asked).await?;
            }
            let change = Trace { kind, record: &record, old: old.as_ref(), changed: &changed, by_script: &by_script };
            self.trace(&compiled, change, options).await?;
            self.note_moves(&compiled, &record, &moves, options).await?;
            self.make_stage_tasks(&compiled, &record, old.is_none(), &moves, options).await?;
            saved.changed = changed.clone();
            let event = RecordEvent { kind, entity: record.entity, id: record.id, version: record.version, old, record, changed };
            let key = (event.entity, event.id);
            saved.stale = self.after(&compiled, event, options).await?;
            // A hook, or a rollup over what it wrote, may have saved the record again.
            saved.version = self.scope.versions.get(&key).copied().unwrap_or(saved.version);
            Ok(saved)
        })
    }

    /// What follows a written row: rollups above, hooks, deliveries. Gives the rollups that are computed later.
    pub(super) async fn after(
        &mut self,
        compiled: &Arc<Compiled>,
        event: RecordEvent,
        options: &WriteOptions,
    ) -> Result<Vec<String>, RecordError> {
        self.expect_administrator(&event).await?;
        let stale = self.refresh_dependents(compiled, &event).await?;
        if options.without_hooks {
            return Ok(stale);
        }
        let hooks = self.scope.hooks.clone();
        if hooks.matches(&compiled.catalog, event.entity, HookPoint::AfterWrite) {
            self.scope.depth += 1;
            let result = if self.scope.depth > MAX_DEPTH {
                Err(RecordError::TooDeep { depth: self.scope.depth })
            } else {
                hooks.after_write(self, &event).await
            };
            self.scope.depth -= 1;
            result?;
        }
        if hooks.matches(&compiled.catalog, event.entity, HookPoint::AfterCommit) {
            let handlers = hooks.deliveries(&compiled.catalog, &event);
            self.enqueue_deliveries(compiled, &event, handlers).await?;
        }
        Ok(stale)
    }

    async fn write_nested(&mut self, nested: Vec<super::prepare::NestedWrite>, options: &WriteOptions) -> Result<(), RecordError> {
        let options = WriteOptions {
            source: options.source,
            without_hooks: options.without_hooks,
            allow_duplicates: options.allow_duplicates,
            ..WriteOptions::default()
        };
        for below in nested {
            self.count_write()?;
            let result = match below.what {
                NestedKind::Save(prepared) => self.write(*prepared, &options).await.map(|_| ()),
                NestedKind::Remove(entity, id) => self.delete_below(entity, id, &options).await.map(|_| ()),
            };
            result.map_err(|error| error.below(&below.path))?;
        }
        Ok(())
    }

    /// Once the rows below are written: rollups and formulas of the record, and the rules that read those rows. Gives the
    /// statements that bring its row up to date.
    async fn settle(
        &mut self,
        compiled: &Arc<Compiled>,
        record: &mut Record,
        old: Option<&Record>,
        changed: &mut Vec<FieldIx>,
        has_row: bool,
        has_late_rules: bool,
    ) -> Result<Vec<Statement>, RecordError> {
        let before = record.clone();
        let entity = compiled.entity(record.entity);
        let mut world = World::default();
        let plan = compiled.plan(record.entity);
        self.gather(&mut world, std::slice::from_ref(record), &plan.computed_needs, false).await?;
        if has_late_rules {
            self.gather(&mut world, std::slice::from_ref(record), &plan.save_needs, false).await?;
        }
        let setting = self.setting(compiled);
        setting.recompute(&world, record, old);
        if has_late_rules {
            let mut faults: Vec<FieldFault> = Vec::new();
            setting.check_rules(&world, record, old, Rules::OverRows, &mut faults);
            if !faults.is_empty() {
                return Err(RecordError::Invalid(self.keep_back(record.entity, faults)));
            }
        }
        drop(setting);
        let later: Vec<FieldIx> = plan
            .computed
            .iter()
            .copied()
            .filter(|ix| !super::convert::same(&compiled.catalog, entity.field(*ix), before.get(*ix), record.get(*ix)))
            .collect();
        for ix in &later {
            if !changed.contains(ix) {
                changed.push(*ix);
            }
        }
        // Junction changes alone count as a change of the record: its version goes up too.
        let stamps = if has_row || changed.is_empty() { Vec::new() } else { self.stamps(compiled, record) };
        if later.is_empty() && stamps.is_empty() {
            return Ok(Vec::new());
        }
        let mut changes: Vec<(FieldIx, Value)> = later.iter().map(|ix| (*ix, record.get(*ix).clone())).collect();
        changes.extend(stamps);
        self.update_statements(compiled, record, &changes)
    }

    /// `version`, `updated_at`, `updated_by` as the record holds them.
    pub(super) fn stamps(&self, compiled: &Compiled, record: &Record) -> Vec<(FieldIx, Value)> {
        let plan = compiled.plan(record.entity);
        [plan.version, plan.updated_at, plan.updated_by].into_iter().flatten().map(|ix| (ix, record.get(ix).clone())).collect()
    }

    /// The statements that write the row itself.
    fn row_statements(
        &self,
        compiled: &Compiled,
        record: &Record,
        old: Option<&Record>,
        changed: &[FieldIx],
    ) -> Result<Vec<Statement>, RecordError> {
        if old.is_none() {
            let request = authorise_write(
                &compiled.catalog,
                &self.scope.actor,
                Write { entity: record.entity, kind: WriteKind::Create, fields: changed.to_vec() },
            )?;
            let text = compiled.insert_text(record.entity);
            return Ok(compile::insert(&compiled.catalog, self.store.dialect(), &request, &record.values, text));
        }
        let mut changes: Vec<(FieldIx, Value)> = changed.iter().map(|ix| (*ix, record.get(*ix).clone())).collect();
        changes.extend(self.stamps(compiled, record));
        self.update_statements(compiled, record, &changes)
    }

    /// The statements that write some fields of a stored row; the row is locked, so no version is compared again.
    pub(super) fn update_statements(
        &self,
        compiled: &Compiled,
        record: &Record,
        changes: &[(FieldIx, Value)],
    ) -> Result<Vec<Statement>, RecordError> {
        let entity = compiled.entity(record.entity);
        let changes: Vec<(FieldIx, Value)> = changes
            .iter()
            .filter(|(ix, _)| !entity.field(*ix).columns.is_empty() || entity.field(*ix).side_table.is_some())
            // What was not closed stays as it is stored.
            .filter(|(ix, value)| !entity.field(*ix).encrypted || value.as_text().is_none_or(|text| Sealed::parse(text).is_some()))
            .cloned()
            .collect();
        let fields = changes.iter().map(|(ix, _)| *ix).collect();
        let request =
            authorise_write(&compiled.catalog, &self.scope.actor, Write { entity: record.entity, kind: WriteKind::Update, fields })?;
        let update = compile::update(
            &compiled.catalog,
            self.store.dialect(),
            &request,
            record.id,
            None,
            &changes,
            compiled.update_texts(record.entity),
        );
        Ok(update.row.into_iter().chain(update.sides).collect())
    }

    /// Runs statements; a unique that is hit becomes the fault of its fields.
    pub(super) async fn run_all(&mut self, compiled: &Compiled, entity: EntityIx, statements: &[Statement]) -> Result<(), RecordError> {
        let result = match statements {
            [] => return Ok(()),
            [one] => self.store.execute(one).await,
            many => self.store.execute_many(many).await,
        };
        result.map(|_| ()).map_err(|error| self.explain(compiled, entity, error))
    }

    /// What a database fault means for the record.
    pub(super) fn explain(&self, compiled: &Compiled, entity: EntityIx, error: StoreError) -> RecordError {
        let definition = compiled.entity(entity);
        match error {
            StoreError::UniqueViolation { index } => match definition.uniques.iter().find(|unique| unique.index == index) {
                Some(unique) => {
                    let fields: Vec<String> = unique.fields.iter().map(|ix| definition.field(*ix).name.clone()).collect();
                    let message = match unique.message.get(self.scope.actor.locale) {
                        "" => format!("another {} has the same {}", definition.slug, fields.join(", ")),
                        text => text.to_owned(),
                    };
                    let error = RecordError::Unique { entity: definition.slug.clone(), name: unique.name.clone(), fields, message };
                    self.keep_back_unique(entity, &unique.fields, error)
                }
                None => RecordError::State { message: "another record with the same id or values exists".to_owned() },
            },
            StoreError::ForeignKey { .. } => {
                RecordError::State { message: "a linked record disappeared meanwhile, or this one is still linked to".to_owned() }
            }
            other => other.into(),
        }
    }

    /// Counts a write that a script started.
    pub(super) fn count_write(&mut self) -> Result<(), RecordError> {
        if self.scope.depth == 0 {
            return Ok(());
        }
        self.scope.script_writes += 1;
        if self.scope.script_writes > MAX_SCRIPT_WRITES {
            return Err(RecordError::TooMany {
                what: "records written by scripts in one request".to_owned(),
                got: u64::from(self.scope.script_writes),
                limit: u64::from(MAX_SCRIPT_WRITES),
            });
        }
        Ok(())
    }

    pub(super) fn mint(&self) -> RecordId {
        self.scope.ids.next()
    }
}
