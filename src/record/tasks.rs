//! Tasks of stages: made when a record comes into a stage, and looked at by the gates it leaves it through.
//!
//! A task remembers which template it was made from in a field that only the engine writes, so that it is known again
//! whatever else becomes of it. What a record has already is not made twice.

use std::sync::Arc;

use super::error::{FieldFault, RecordError};
use super::gates::{StageMove, is_open};
use super::hooks::Record;
use super::input::Input;
use super::load::Reader;
use super::moved::Moved;
use super::options::{Source, WriteOptions};
use super::plan::Compiled;
use super::prepare::{Given, Target};
use super::service::Records;
use super::unit::RecordTx;
use super::world::{Setting, World};
use crate::access::{Action, Actor, RowRules};
use crate::base::{Date, EntityIx, FieldIx, RecordId, Value};
use crate::schema::catalog::{Catalog, FieldType, Pipeline, StageTask, TaskFields};
use crate::store::compile::Lock;

/// Tasks about one record that are looked at.
const MOST: u32 = 2_000;

/// A task of the stage a record is in.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskStanding {
    /// Position in the tasks of the stage.
    pub task: usize,
    pub state: TaskState,
}

#[derive(Debug, Clone, PartialEq)]
pub enum TaskState {
    /// There is none: the record came here before the stage had this task, or it was deleted.
    Missing,
    /// There is one that the actor may not read.
    Hidden,
    There {
        id: RecordId,
        done: bool,
        due: Option<Date>,
        assignee: Option<RecordId>,
    },
}

impl Setting<'_> {
    /// How a record stands with a task of a stage, as far as somebody with these rules may know.
    pub(super) fn task_state(&self, world: &World, record: RecordId, pipeline: &Pipeline, task: &StageTask, rules: &RowRules) -> TaskState {
        let Some(fields) = pipeline.task_fields else { return TaskState::Missing };
        let Some(found) = self.task_of(world, record, pipeline, task) else { return TaskState::Missing };
        let shows = |field: FieldIx| is_open(rules, fields.entity, field);
        if world.unseen.contains(&found.id) || !shows(fields.template) || !shows(fields.done) {
            return TaskState::Hidden;
        }
        let due = match found.get(fields.due) {
            Value::Date(due) if shows(fields.due) => Some(*due),
            _ => None,
        };
        let assignee = super::convert::link_id(found.get(fields.assignee)).filter(|_| shows(fields.assignee));
        TaskState::There { id: found.id, done: found.get(fields.done).as_bool() == Some(true), due, assignee }
    }

    /// Whether a record has done a task of a stage, whoever asks.
    pub(super) fn has_done(&self, world: &World, record: RecordId, pipeline: &Pipeline, task: &StageTask) -> bool {
        let done = pipeline.task_fields.map(|fields| fields.done);
        self.task_of(world, record, pipeline, task).zip(done).is_some_and(|(found, done)| found.get(done).as_bool() == Some(true))
    }

    /// The task a record has of a template: of several the one that is done.
    fn task_of<'w>(&self, world: &'w World, record: RecordId, pipeline: &Pipeline, task: &StageTask) -> Option<&'w Record> {
        let fields = pipeline.task_fields?;
        let key = pipeline.task_key(task);
        let found = world.tasks.get(&record)?.iter().filter(|found| found.get(fields.template).as_text() == Some(key.as_str()));
        found.max_by_key(|found| (found.get(fields.done).as_bool() == Some(true), std::cmp::Reverse(found.id)))
    }

    /// What a new task of a template holds.
    fn task_values(&self, world: &World, record: &Record, pipeline: &Pipeline, fields: TaskFields, task: &StageTask) -> Vec<Given> {
        let catalog = &self.compiled.catalog;
        let entity = self.compiled.entity(record.entity);
        let link = match &catalog.entity(fields.entity).field(fields.link).ty {
            FieldType::AnyLink { .. } => Value::Text(record.id.display(&entity.prefix)),
            _ => Value::Link(record.id),
        };
        let owner = self.compiled.plan(record.entity).owner.map_or(Value::Null, |owner| record.get(owner).clone());
        let assignee = match &task.assignee {
            Some(expr) => self.eval(world, expr, record, None),
            None if owner.is_null() => self.me.map_or(Value::Null, Value::Link),
            None => owner,
        };
        let due = task.due.as_ref().map_or(Value::Null, |due| self.eval(world, due, record, None));
        vec![
            (fields.link, link),
            (fields.template, Value::Text(pipeline.task_key(task))),
            (fields.subject, Value::Text(task.subject.get(catalog.settings.locale).to_owned())),
            (fields.due, due),
            (fields.assignee, assignee),
            (fields.done, Value::Bool(false)),
        ]
    }
}

impl Reader<'_> {
    /// Loads the tasks about a record that stages made.
    pub(super) async fn gather_tasks(&mut self, world: &mut World, record: RecordId, fields: TaskFields) -> Result<(), RecordError> {
        let mut found = self.load_by(fields.entity, fields.link, &[record], MOST, Lock::None).await?;
        found.retain(|task| !task.get(fields.template).is_empty());
        world.tasks.insert(record, found);
        Ok(())
    }
}

impl RecordTx<'_> {
    /// Loads what gates and the path of a record need to know of its tasks.
    pub(super) async fn gather_tasks(
        &mut self,
        compiled: &Arc<Compiled>,
        world: &mut World,
        record: RecordId,
        fields: TaskFields,
    ) -> Result<(), RecordError> {
        self.reader().gather_tasks(world, record, fields).await?;
        let Some(granted) = self.granted()? else { return Ok(()) };
        let ids = world.task_ids(record);
        let seen = self.eyes(compiled, &granted).seen(fields.entity, &ids).await?;
        world.unseen.extend(ids.into_iter().filter(|id| !seen.contains_key(id)));
        Ok(())
    }

    /// Makes the tasks of the stages a record came into. What the program itself fills in gets none.
    pub(super) async fn make_stage_tasks(
        &mut self,
        compiled: &Arc<Compiled>,
        record: &Record,
        is_new: bool,
        moves: &[StageMove],
        options: &WriteOptions,
    ) -> Result<(), RecordError> {
        if options.source == Source::System || options.replays {
            return Ok(());
        }
        for made in moves {
            let pipeline = &compiled.entity(record.entity).pipelines[made.pipeline];
            let stage = made.to.as_deref().and_then(|to| pipeline.stage(to)).map(|at| &pipeline.stages[at]);
            let tasks: Vec<&StageTask> = stage.into_iter().flat_map(|stage| &stage.tasks).collect();
            self.make_tasks(compiled, record, is_new, pipeline, &tasks, options).await?;
        }
        Ok(())
    }

    /// Makes those of these tasks that the record has not.
    async fn make_tasks(
        &mut self,
        compiled: &Arc<Compiled>,
        record: &Record,
        is_new: bool,
        pipeline: &Pipeline,
        tasks: &[&StageTask],
        options: &WriteOptions,
    ) -> Result<(), RecordError> {
        let Some(fields) = pipeline.task_fields.filter(|_| !tasks.is_empty()) else { return Ok(()) };
        let mut world = World::default();
        if !is_new {
            self.reader().gather_tasks(&mut world, record.id, fields).await?;
        }
        self.gather(&mut world, std::slice::from_ref(record), &compiled.plan(record.entity).task_needs, false).await?;
        let missing: Vec<(String, Vec<Given>)> = {
            let setting = self.setting(compiled);
            let missing = tasks.iter().filter(|task| setting.task_of(&world, record.id, pipeline, task).is_none());
            missing.map(|task| (task.id.clone(), setting.task_values(&world, record, pipeline, fields, task))).collect()
        };
        let below = WriteOptions { source: options.source, without_hooks: options.without_hooks, ..WriteOptions::default() };
        for (task, given) in missing {
            self.count_write()?;
            let target = Target::Make(self.mint());
            let prepared = self.prepare(fields.entity, target, Input::default(), given, &below).await;
            let made = match prepared {
                Ok(prepared) => self.write(prepared, &below).await.map(|_| ()),
                Err(error) => Err(error),
            };
            let stage = &compiled.entity(record.entity).field(pipeline.field).name;
            made.map_err(|error| error.below(&format!("/{stage}/{task}")))?;
        }
        Ok(())
    }
}

impl Records {
    /// Makes a task (`place`: ids of pipeline and task) that a record has not: it came into the stage before the stage had
    /// this task, or the task was deleted. Where it has one, nothing is done.
    ///
    /// # Errors
    /// No such record, pipeline or task; whoever may not change the record.
    pub async fn add_stage_task(
        &self,
        actor: &Actor,
        catalog: &Arc<Catalog>,
        entity: EntityIx,
        id: RecordId,
        place: (&str, &str),
        source: Source,
    ) -> Result<(), RecordError> {
        let (from, pipeline, task) = (catalog.whole(), place.0.to_owned(), place.1.to_owned());
        self.unit(actor, source, Vec::new(), move |tx| {
            let (from, pipeline, task) = (from.clone(), pipeline.clone(), task.clone());
            Box::pin(async move {
                let entity = Moved::new(&from, tx.catalog(), entity)?.entity;
                let compiled = tx.scope.compiled.clone();
                let record = tx.load_live(entity, id, Lock::Change).await?;
                tx.expect_may(Action::Update, &record, None).await?;
                let followed = tx.setting(&compiled).all_followed(&record);
                let known = followed.into_iter().map(|at| &compiled.entity(entity).pipelines[at]).find(|known| known.id == pipeline);
                let found = known.and_then(|known| known.find_task(&task).map(|(stage, at)| (known, &known.stages[stage].tasks[at])));
                let Some((known, template)) = found else {
                    let message = format!("`{task}` is no task of the pipeline `{pipeline}` that the record follows");
                    return Err(RecordError::Invalid(vec![FieldFault::at("task", "unknown_task", message)]));
                };
                tx.make_tasks(&compiled, &record, false, known, &[template], &WriteOptions::from(source)).await
            })
        })
        .await
    }
}
