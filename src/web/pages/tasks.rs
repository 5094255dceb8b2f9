//! The tasks of the stage a record is in: shown with its path, checked off there, and made where they are missing.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;

use super::form_model::whole_message;
use super::page::{Page, encode, is_own_path};
use super::post::Post;
use super::record::record_page;
use crate::base::{RecordId, Value};
use crate::record::{Condition, Input, RecordError, Source, Standing, TaskState, WriteOptions, parse_id};
use crate::render::context::{Notice, TaskRow};
use crate::render::show::Titles;
use crate::render::{Arg, format};
use crate::schema::catalog::{Entity, Pipeline, StageTask};
use crate::web::Problem;

const TASK: &str = "core.task";

/// `POST /records/{entity}/{id}/tasks`
pub(super) async fn act(page: Page, Path((slug, id_text)): Path<(String, String)>, post: Post) -> Result<Response, Problem> {
    let entity = page.entity(&slug)?;
    let id = parse_id(&page.catalog, entity.ix, &id_text).ok_or_else(Problem::not_found)?;
    let acted = match post.get("_do") {
        "add" => {
            let place = (post.get("_pipeline"), post.get("_task"));
            page.state.records.add_stage_task(&page.actor, &page.catalog, entity.ix, id, place, Source::Form).await
        }
        "done" => set_done(&page, post.get("_record"), true).await?,
        "open" => set_done(&page, post.get("_record"), false).await?,
        _ => return Err(Problem::new("WEB400", "the form does not say what is to be done with the task")),
    };
    let Err(error) = acted else { return Ok(page.go(&after(&post, &slug, &id_text))) };
    let told = whole_message(&page, &error).or_else(|| error.faults().first().map(|fault| page.fault_text(fault)));
    let Some(text) = told else { return Err(error.into()) };
    let notice = Notice { kind: "error".to_owned(), text, detail: None, action: None };
    record_page(&page, &slug, &id_text, StatusCode::UNPROCESSABLE_ENTITY, Some(notice)).await
}

async fn set_done(page: &Page, record: &str, done: bool) -> Result<Result<(), RecordError>, Problem> {
    let tasks = page.catalog.find_entity(TASK).ok_or_else(Problem::not_found)?;
    let field = tasks.find_field("done").ok_or_else(Problem::not_found)?;
    let id = parse_id(&page.catalog, tasks.ix, record).ok_or_else(Problem::not_found)?;
    let mut input = Input::default();
    input.set(field.ix, Value::Bool(done));
    let options = WriteOptions::from(Source::Form);
    Ok(page.state.records.update(&page.actor, &page.catalog, tasks.ix, id, input, options).await.map(|_| ()))
}

/// Back to the move the task was asked for by, or to the record.
fn after(post: &Post, slug: &str, id_text: &str) -> String {
    let href = format!("/records/{slug}/{id_text}");
    let to = post.get("_to");
    if to.is_empty() {
        return format!("{href}?done=saved");
    }
    let board = Some(post.get("_return")).filter(|board| is_own_path(board));
    let board = board.map(|board| format!("&_return={}", encode(board))).unwrap_or_default();
    format!("{href}/move?pipeline={}&to={}{board}", encode(post.get("_pipeline")), encode(to))
}

impl Page {
    /// Who does the tasks of these standings.
    pub(super) async fn task_people(&self, standings: &[Standing]) -> Result<Titles, Problem> {
        let ids: Vec<String> =
            standings.iter().flat_map(|standing| &standing.tasks).filter_map(|task| self.person_of(&task.state)).collect();
        self.titles(ids.iter().map(String::as_str)).await
    }

    fn person_of(&self, state: &TaskState) -> Option<String> {
        let TaskState::There { assignee: Some(assignee), .. } = state else { return None };
        Some(assignee.display(&self.catalog.find_entity("core.user")?.prefix))
    }

    fn task_id(&self, id: RecordId) -> String {
        self.catalog.find_entity(TASK).map(|tasks| id.display(&tasks.prefix)).unwrap_or_default()
    }

    /// What can be done with a task here, and what the button says.
    fn offer(&self, entity: &Entity, row: &mut TaskRow) {
        let may_check = self.catalog.find_entity(TASK).is_some_and(|tasks| tasks.may.update);
        let (act, word) = match row.state.as_str() {
            "missing" if entity.may.update => ("add", "stage-task-add"),
            "open" if may_check => ("done", "stage-task-done"),
            "done" if may_check => ("open", "stage-task-open"),
            _ => return,
        };
        row.act = act.to_owned();
        row.act_label = self.say(word, &[]);
        row.act_name = self.say("stage-task-of", &[("act", Arg::Text(&row.act_label)), ("subject", Arg::Text(&row.subject))]);
    }

    fn bare_task(&self, entity: &Entity, task: &StageTask, state: &str, record: Option<RecordId>) -> TaskRow {
        let record = record.map(|id| self.task_id(id)).unwrap_or_default();
        let href = crate::render::show::record_href(&self.catalog, &record).unwrap_or_default();
        let subject = task.subject.get(self.ui.locale).to_owned();
        let mut row = TaskRow {
            task: task.id.clone(),
            subject,
            required: task.required,
            state: state.to_owned(),
            record,
            href,
            ..TaskRow::default()
        };
        self.offer(entity, &mut row);
        row
    }

    /// The tasks of the stage a record is in.
    pub(super) fn task_rows(&self, entity: &Entity, pipeline: &Pipeline, standing: &Standing, people: &Titles) -> Vec<TaskRow> {
        let tasks = standing.stage.as_deref().and_then(|key| pipeline.stage(key)).map_or(&[][..], |at| &pipeline.stages[at].tasks[..]);
        let today = self.ui.now.date_in(&self.ui.zone);
        let row = |(task, standing): (&StageTask, &crate::record::TaskStanding)| match &standing.state {
            TaskState::Missing => self.bare_task(entity, task, "missing", None),
            TaskState::Hidden => self.bare_task(entity, task, "hidden", None),
            TaskState::There { id, done, due, .. } => {
                let row = self.bare_task(entity, task, if *done { "done" } else { "open" }, Some(*id));
                let who = self.person_of(&standing.state).and_then(|id| people.get(&id).cloned());
                TaskRow {
                    due: due.map(|due| format::date(due, self.ui.locale)).unwrap_or_default(),
                    is_late: !done && due.is_some_and(|due| due < today),
                    who: who.unwrap_or_default(),
                    ..row
                }
            }
        };
        tasks.iter().zip(&standing.tasks).map(row).collect()
    }

    /// The task that a move waits for.
    pub(super) fn awaited(&self, entity: &Entity, pipeline: &Pipeline, condition: &Condition) -> Option<TaskRow> {
        let (stage, at) = condition.task.filter(|_| condition.is_open && !condition.holds)?;
        let task = pipeline.stages.get(stage)?.tasks.get(at)?;
        let state = if condition.task_record.is_some() { "open" } else { "missing" };
        Some(self.bare_task(entity, task, state, condition.task_record))
    }
}
