//! Where a record stands in its pipelines: what each move would need, and which stages it went through.

use std::collections::HashMap;
use std::sync::Arc;

use super::error::RecordError;
use super::gates::{Condition, StageMove, may_override};
use super::hooks::Record;
use super::plan::Compiled;
use super::rights::writes;
use super::service::Records;
use super::tasks::TaskStanding;
use super::world::{Setting, World};
use crate::access::{Action, Actor, Granted, RowRules};
use crate::base::{DateTime, EntityIx, FieldIx, RecordId};
use crate::expr::needs;
use crate::query::{Deleted, GetRequest, Item, Select};
use crate::schema::catalog::{Catalog, Entity, Grant, Pipeline};
use crate::store::compile::Lock;
use crate::store::{approvals, registrations, stages};

/// A record in one pipeline.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    /// Position in the entity's pipelines.
    pub pipeline: usize,
    /// Key of the stage; none before the first.
    pub stage: Option<String>,
    /// Since when, as far as it was written down.
    pub since: Option<DateTime>,
    /// The actor may pass over the order and the gates, with a reason.
    pub may_override: bool,
    /// The tasks of the stage, in order.
    pub tasks: Vec<TaskStanding>,
    /// To every other stage that is not retired, in order.
    pub moves: Vec<PossibleMove>,
}

/// What a move would need.
#[derive(Debug, Clone, PartialEq)]
pub struct PossibleMove {
    /// Position of the stage.
    pub to: usize,
    /// Everything holds, as far as the actor may know.
    pub passes: bool,
    /// It would go with a reason of the actor.
    pub can_override: bool,
    pub conditions: Vec<Condition>,
}

/// A stage a record was in.
#[derive(Debug, Clone, PartialEq)]
pub struct Stay {
    pub field: FieldIx,
    /// None where what decides which one is followed may not all be read.
    pub pipeline: Option<String>,
    pub from: Option<String>,
    pub to: Option<String>,
    pub at: DateTime,
    /// Until it moved on; none for the one it is in.
    pub until: Option<DateTime>,
    pub by: Option<RecordId>,
    /// Why, as whoever moved it said.
    pub reason: Option<String>,
}

impl Records {
    /// Where a record stands in the pipelines it follows, and what each move from there would need. What is kept from the
    /// actor has no part in it.
    ///
    /// # Errors
    /// As for a record that is not there where it may not be read; the database.
    pub async fn moves(&self, actor: &Actor, catalog: &Arc<Catalog>, entity: EntityIx, id: RecordId) -> Result<Vec<Standing>, RecordError> {
        let compiled = self.compiled(&catalog.whole());
        let granted = actor.standing(&compiled.catalog)?.part().cloned();
        let definition = compiled.entity(entity);
        let now = self.clock().now();
        let missing = || RecordError::NotFound { entity: definition.slug.clone(), id: id.display(&definition.prefix) };
        let mut reader = self.reader(&compiled, actor, granted.as_deref().map(|granted| (granted, now)));
        let record = reader.load(entity, &[id], Lock::None).await?.pop().filter(|record| !record.is_deleted(definition));
        let record = record.ok_or_else(missing)?;
        if definition.pipelines.is_empty() {
            return Ok(Vec::new());
        }
        let plan = compiled.plan(entity);
        let mut world = World::default();
        reader.gather(&mut world, std::slice::from_ref(&record), &plan.move_needs, false).await?;
        reader.gather(&mut world, std::slice::from_ref(&record), &plan.computed_needs, false).await?;
        if let Some(fields) = definition.pipelines.iter().find_map(|pipeline| pipeline.task_fields) {
            self.reader(&compiled, actor, None).gather_tasks(&mut world, id, fields).await?;
            let ids = world.task_ids(id);
            if let Some(granted) = granted.as_deref().filter(|_| !ids.is_empty()) {
                let seen = self.eyes(&compiled, granted, actor).seen(fields.entity, &ids).await?;
                world.unseen.extend(ids.into_iter().filter(|id| !seen.contains_key(id)));
            }
        }
        if definition.pipelines.iter().any(Pipeline::waits_for_approval) {
            world.approvals.insert(id, approvals::of_record(self.store(), id).await?);
        }
        if definition.pipelines.iter().any(Pipeline::waits_for_registration) {
            world.claims.insert(id, registrations::of_record(self.store(), id).await?);
        }
        let entered = stages::list(self.store(), id).await?;
        let grants = self.writable(&compiled, granted.as_deref(), actor, entity, id).await?;
        let none = RowRules::none();
        let rules = granted.as_deref().map_or(none, Granted::rules);
        let setting = Setting::new(&compiled, now, actor);
        let look = Look { setting: &setting, world: &world, record: &record, actor, rules };
        let mut found = Vec::new();
        for at in setting.all_followed(&record) {
            let pipeline = &definition.pipelines[at];
            // One whose stage or condition is kept from the actor is not known of; `catalog` is as they see it.
            if !catalog.entity(entity).pipelines.iter().any(|known| known.id == pipeline.id) || rules.mask(entity, pipeline.field).is_some()
            {
                continue;
            }
            let uid = &definition.field(pipeline.field).uid;
            let since = entered.iter().rev().find(|entry| &entry.field_uid == uid && entry.from != entry.to).map(|entry| entry.at);
            let may_write = grants.as_ref().is_none_or(|grants| writes(grants, pipeline.field));
            found.push(look.standing(at, since, may_write));
        }
        Ok(found)
    }

    /// What lets the actor change a record; none where nothing is kept from them.
    async fn writable(
        &self,
        compiled: &Compiled,
        granted: Option<&Granted>,
        actor: &Actor,
        entity: EntityIx,
        id: RecordId,
    ) -> Result<Option<Vec<Grant>>, RecordError> {
        Ok(match granted {
            None => None,
            Some(granted) => Some(self.eyes(compiled, granted, actor).grants(Action::Update, entity, id).await?.unwrap_or_default()),
        })
    }

    /// When each of these records, which the asker may read, came into its stage.
    ///
    /// # Errors
    /// The database.
    pub async fn in_stage_since(
        &self,
        entity: &Entity,
        pipeline: &Pipeline,
        ids: &[RecordId],
    ) -> Result<HashMap<RecordId, DateTime>, RecordError> {
        Ok(stages::since(self.store(), &entity.field(pipeline.field).uid, ids).await?)
    }

    /// The stages a record went through, oldest first. A record in the recycle bin still has them.
    ///
    /// # Errors
    /// As for a record that is not there where it may not be read; the database.
    pub async fn stages(&self, actor: &Actor, entity: EntityIx, id: RecordId) -> Result<Vec<Stay>, RecordError> {
        let catalog = &self.catalog();
        let Some(definition) = catalog.entities.get(entity.0 as usize) else { return Ok(Vec::new()) };
        let Some(own) = definition.find_field("id").map(|field| field.ix) else { return Ok(Vec::new()) };
        let select = Select { entity, items: vec![Item::Field(own)] };
        if self.get(actor, catalog, GetRequest { entity, id, select, deleted: Deleted::All }).await?.is_none() {
            return Err(RecordError::NotFound { entity: definition.slug.clone(), id: id.display(&definition.prefix) });
        }
        let mut entries = stages::list(self.store(), id).await?;
        let sight = self.sight(actor, catalog, entity, &[id]).await?;
        let shown = |uid: &str| {
            let field = definition.known_fields().find(|field| field.uid == uid)?;
            sight.as_ref().is_none_or(|sight| sight.shows(definition, id, &field.name)).then_some(field.ix)
        };
        let knows_pipelines = |uid: &str| {
            let Some(sight) = &sight else { return true };
            let pipelines = definition.pipelines.iter().filter(|pipeline| definition.field(pipeline.field).uid == uid);
            let mut deciding = pipelines.filter_map(|pipeline| pipeline.when.as_ref()).flat_map(|when| needs(when).fields);
            deciding.all(|field| sight.shows(definition, id, &definition.field(field).name))
        };
        // Another pipeline in the same stage tells of what decided that.
        entries.retain(|entry| entry.from != entry.to || knows_pipelines(&entry.field_uid));
        let stay = |(at, entry): (usize, &stages::Entry)| {
            let until = entries[at + 1..].iter().find(|next| next.field_uid == entry.field_uid).map(|next| next.at);
            Some(Stay {
                field: shown(&entry.field_uid)?,
                pipeline: knows_pipelines(&entry.field_uid).then(|| entry.pipeline.clone()),
                from: entry.from.clone(),
                to: entry.to.clone(),
                at: entry.at,
                until,
                by: (entry.actor != 0).then_some(RecordId(entry.actor)),
                reason: entry.reason.clone(),
            })
        };
        Ok(entries.iter().enumerate().filter_map(stay).collect())
    }
}

/// Looks at the moves of one record.
struct Look<'a> {
    setting: &'a Setting<'a>,
    world: &'a World,
    record: &'a Record,
    actor: &'a Actor,
    rules: &'a RowRules,
}

impl Look<'_> {
    fn standing(&self, at: usize, since: Option<DateTime>, may_write: bool) -> Standing {
        let pipeline = &self.setting.compiled.entity(self.record.entity).pipelines[at];
        let stage = self.record.get(pipeline.field).as_text().filter(|key| !key.is_empty()).map(str::to_owned);
        let may_override = may_write && may_override(self.actor, pipeline);
        let others = pipeline.stages.iter().enumerate().filter(|(_, other)| !other.retired && Some(&other.key) != stage.as_ref());
        let tasks = stage.as_deref().and_then(|key| pipeline.stage(key)).map_or(&[][..], |at| &pipeline.stages[at].tasks[..]);
        let state = |task| self.setting.task_state(self.world, self.record.id, pipeline, task, self.rules);
        let tasks = tasks.iter().enumerate().map(|(at, task)| TaskStanding { task: at, state: state(task) }).collect();
        let moves = others.map(|(to, _)| self.possible(at, to, may_write, may_override)).collect();
        Standing { pipeline: at, stage, since, may_override, tasks, moves }
    }

    fn possible(&self, at: usize, to: usize, may_write: bool, may_override: bool) -> PossibleMove {
        let pipeline = &self.setting.compiled.entity(self.record.entity).pipelines[at];
        let mut moved = self.record.clone();
        moved.values[pipeline.field.0 as usize] = crate::base::Value::Text(pipeline.stages[to].key.clone());
        self.setting.recompute(self.world, &mut moved, Some(self.record));
        // The stage may be what decides which pipeline is followed.
        let known = self.setting.stage_moves(&moved, Some(self.record)).into_iter().find(|known| known.pipeline == at);
        let wanted = known.unwrap_or_else(|| StageMove {
            pipeline: at,
            from: self.record.get(pipeline.field).as_text().map(str::to_owned),
            to: Some(pipeline.stages[to].key.clone()),
            is_entry: false,
            passed_over: Vec::new(),
        });
        let conditions = self.setting.conditions(self.world, &moved, Some(self.record), &wanted, self.actor, self.rules);
        let passes = may_write && conditions.iter().all(|condition| condition.holds || !condition.is_open);
        let waits: Vec<&Condition> = conditions.iter().filter(|condition| !condition.holds && condition.is_open).collect();
        let can_override = may_override && !passes && !waits.is_empty() && waits.iter().all(|condition| condition.can_be_passed_over());
        PossibleMove { to, passes, can_override, conditions }
    }
}
