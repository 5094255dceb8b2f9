//! The gates inside a save: refuses a move that does not meet what it must, and keeps what was moved.

use std::sync::Arc;

use super::error::{FieldFault, RecordError};
use super::gates::{Condition, StageMove, may_override};
use super::hooks::Record;
use super::options::WriteOptions;
use super::plan::Compiled;
use super::rights::refused;
use super::unit::RecordTx;
use super::world::World;
use crate::access::RowRules;
use crate::schema::catalog::Entity;
use crate::store::{approvals, audit, registrations, stages};

impl RecordTx<'_> {
    /// Holds the moves of a save against the pipelines. What does not hold becomes a fault, or is passed over where the actor
    /// may and gives a reason.
    #[expect(clippy::too_many_arguments, reason = "each says another part of one save")]
    pub(super) async fn judge(
        &mut self,
        compiled: &Arc<Compiled>,
        world: &mut World,
        record: &Record,
        old: Option<&Record>,
        moves: &mut [StageMove],
        options: &WriteOptions,
        is_written: bool,
        faults: &mut Vec<FieldFault>,
    ) -> Result<(), RecordError> {
        let plan = compiled.plan(record.entity);
        self.gather(world, std::slice::from_ref(record), &plan.move_needs, old.is_none() && !is_written).await?;
        if let Some(old) = old.filter(|_| !plan.move_needs.old_paths.is_empty()) {
            let needs = crate::expr::Needs { paths: plan.move_needs.old_paths.clone(), ..Default::default() };
            self.gather(world, std::slice::from_ref(old), &needs, false).await?;
        }
        let entity = compiled.entity(record.entity);
        let fields = moves.iter().find_map(|wanted| entity.pipelines[wanted.pipeline].task_fields);
        if let Some(fields) = fields.filter(|_| old.is_some() || is_written) {
            self.gather_tasks(compiled, world, record.id, fields).await?;
        }
        let waits = moves.iter().any(|wanted| entity.pipelines[wanted.pipeline].waits_for_approval());
        if waits && (old.is_some() || is_written) {
            world.approvals.insert(record.id, approvals::of_record_in(self.store, record.id).await?);
        }
        let waits = moves.iter().any(|wanted| entity.pipelines[wanted.pipeline].waits_for_registration());
        if waits && (old.is_some() || is_written) {
            world.claims.insert(record.id, registrations::of_record_in(self.store, record.id).await?);
        }
        let granted = self.granted()?;
        let rules = granted.as_ref().map_or(RowRules::none(), |granted| granted.rules());
        for wanted in moves.iter_mut() {
            let found = self.setting(compiled).conditions(world, record, old, wanted, &self.scope.actor, rules);
            let missing: Vec<Condition> = found.into_iter().filter(|condition| !condition.holds).collect();
            wanted.passed_over = self.pass_over(entity, wanted, missing, options, faults);
        }
        Ok(())
    }

    /// [`RecordTx::judge`] once the rows below the record are written.
    pub(super) async fn judge_late(
        &mut self,
        compiled: &Arc<Compiled>,
        record: &Record,
        old: Option<&Record>,
        moves: &mut [StageMove],
        options: &WriteOptions,
    ) -> Result<(), RecordError> {
        let (mut world, mut faults) = (World::default(), Vec::new());
        self.judge(compiled, &mut world, record, old, moves, options, true, &mut faults).await?;
        if faults.is_empty() { Ok(()) } else { Err(RecordError::Invalid(self.keep_back(record.entity, faults))) }
    }

    /// Tells what is missing, or names what was passed over.
    fn pass_over(
        &self,
        entity: &Entity,
        wanted: &StageMove,
        missing: Vec<Condition>,
        options: &WriteOptions,
        faults: &mut Vec<FieldFault>,
    ) -> Vec<String> {
        if missing.is_empty() {
            return Vec::new();
        }
        let pipeline = &entity.pipelines[wanted.pipeline];
        let may = may_override(&self.scope.actor, pipeline);
        let has_reason = options.override_reason.is_some();
        if has_reason && may && missing.iter().all(Condition::can_be_passed_over) {
            let mut gates: Vec<String> = missing.into_iter().map(|condition| condition.gate).collect();
            gates.dedup();
            return gates;
        }
        if has_reason && !may {
            let message = format!("no role of yours may move against the gates of `{}`", pipeline.id);
            let stage = &entity.field(pipeline.field).name;
            faults.push(FieldFault::at(stage, "override_not_allowed", message).with("pipeline", pipeline.id.as_str()));
        }
        for condition in missing {
            let fault = if condition.is_open { condition.fault } else { refused() };
            // A field that is missed already is not missed twice.
            let is_told = |known: &FieldFault| known == &fault || (known.code == "required" && known.path == fault.path);
            if !faults.iter().any(is_told) {
                faults.push(fault);
            }
        }
        Vec::new()
    }

    /// Writes down the moves of a save, and in the audit those against the order or a gate.
    pub(super) async fn note_moves(
        &mut self,
        compiled: &Compiled,
        record: &Record,
        moves: &[StageMove],
        options: &WriteOptions,
    ) -> Result<(), RecordError> {
        let entity = compiled.entity(record.entity);
        for made in moves {
            let pipeline = &entity.pipelines[made.pipeline];
            let is_override = !made.passed_over.is_empty();
            let entry = stages::Entry {
                record: record.id,
                version: record.version,
                field_uid: entity.field(pipeline.field).uid.clone(),
                pipeline: pipeline.id.clone(),
                from: made.from.clone(),
                to: made.to.clone(),
                at: self.now(),
                actor: self.scope.actor.user_id(),
                // Also where it was not needed: whether it was may depend on what some readers must not know.
                reason: options.override_reason.clone(),
            };
            stages::append(self.store, &entry).await?;
            if is_override {
                let entry = audit::Entry::new("stage.override")
                    .on(&entity.id, record.id.0)
                    .fact("pipeline", pipeline.id.as_str())
                    .fact("from", made.from.as_deref())
                    .fact("to", made.to.as_deref())
                    .fact("gates", made.passed_over.clone());
                audit::append(self.store, entry).await?;
            }
        }
        Ok(())
    }
}
