//! Tasks of stages: templates of records of `core.task`, which must be able to say which stage they come from and what
//! they are about.

use super::expressions::bare_value;
use super::{Work, labels};
use crate::base::{EntityIx, FieldIx};
use crate::expr::{Expected, Type};
use crate::schema::catalog::{FieldType, Requirement, Stage, StageTask, TaskFields};
use crate::schema::diagnostic::{Diagnostic, nearest};
use crate::schema::node::Node;

const TASK: &str = "core.task";
const PERSON: &str = "core.user";
/// All tasks of the stage that a record leaves.
const ALL: &str = "all";

/// The tasks of one stage; `before` are the stages read already.
pub(super) fn read(work: &mut Work, ix: EntityIx, stage: &Node, before: &[Stage]) -> Vec<StageTask> {
    let written: Vec<Node> = stage.get("tasks").map(|list| list.items().to_vec()).unwrap_or_default();
    let mut found: Vec<StageTask> = Vec::new();
    for task in &written {
        let Some(id_node) = task.get("id") else { continue };
        let Some(id) = id_node.as_text() else { continue };
        if before.iter().flat_map(|stage| &stage.tasks).chain(&found).any(|known| known.id == id) {
            let fault = Diagnostic::error("DEF201", &id_node.place, format!("the pipeline has the task `{id}` twice"))
                .hint("give one of the two another id: gates name tasks by it");
            work.fault(fault);
            continue;
        }
        let Some(subject) = labels::of(task.get("subject")) else { continue };
        let due = task.get("due").and_then(|due| bare_value(work, due, ix, &Expected::Value(Type::Date)));
        let people = work.catalog.find_entity(PERSON).map(|people| people.ix);
        let assignee = task.get("assignee").zip(people);
        let assignee = assignee.and_then(|(node, people)| bare_value(work, node, ix, &Expected::Value(Type::Link(vec![people]))));
        found.push(StageTask { id: id.to_owned(), subject, due, assignee, required: task.flag("required").unwrap_or(false) });
    }
    found
}

/// The fields of tasks, where a stage has some.
pub(super) fn fields(work: &mut Work, ix: EntityIx, stages: &[Stage], node: &Node) -> Option<TaskFields> {
    if stages.iter().all(|stage| stage.tasks.is_empty()) {
        return None;
    }
    let written = node.get("stages").map(|list| list.items().to_vec()).unwrap_or_default();
    let place = written.iter().find_map(|stage| stage.entry("tasks").map(|(key, _)| key.place.clone()))?;
    let Some(task) = work.catalog.find_entity(TASK).map(|task| task.ix) else {
        let fault = Diagnostic::error("DEF352", &place, format!("tasks of stages are records of `{TASK}`, which is not there"))
            .hint("take the package `core` as it is shipped");
        work.fault(fault);
        return None;
    };
    if task == ix {
        let fault = Diagnostic::error("DEF353", &place, "a task does not make tasks of its own")
            .hint("give stages of other entities tasks, and tasks a pipeline without");
        work.fault(fault);
        return None;
    }
    let named = |name: &str, fits: &dyn Fn(&FieldType) -> bool| {
        work.entity(task).find_field(name).filter(|field| fits(&field.ty)).map(|field| field.ix).ok_or_else(|| name.to_owned())
    };
    let is_text = |ty: &FieldType| matches!(ty, FieldType::Text { .. });
    let found = || -> Result<_, String> {
        Ok((
            named("stage_task", &is_text)?,
            named("subject", &is_text)?,
            named("due_on", &|ty| matches!(ty, FieldType::Date { .. }))?,
            named("assignee", &|ty| matches!(ty, FieldType::User { .. }))?,
            named("done", &|ty| matches!(ty, FieldType::Boolean))?,
        ))
    };
    let (template, subject, due, assignee, done) = match found() {
        Ok(found) => found,
        Err(name) => {
            let fault = Diagnostic::error("DEF352", &place, format!("`{TASK}` has no field `{name}` of the type it is shipped with"))
                .hint(format!("add `{name}` to your `core` as the shipped package has it"));
            work.fault(fault);
            return None;
        }
    };
    let Some(link) = link(work, task, ix) else {
        let id = work.entity(ix).id.clone();
        let fault = Diagnostic::error("DEF354", &place, format!("no link of `{TASK}` leads to `{id}`")).hint(format!(
            "extend it: `{{kind: extension, of: {TASK}, fields: {{about: {{type: any_link, to: [{id}], on_delete: cascade}}}}}}`"
        ));
        work.fault(fault);
        return None;
    };
    Some(TaskFields { entity: task, link, template, subject, due, assignee, done })
}

/// The field of tasks that says what they are about: `about`, else the first that can.
fn link(work: &Work, task: EntityIx, to: EntityIx) -> Option<FieldIx> {
    let leads = |ty: &FieldType| match ty {
        FieldType::Link { to: target, .. } => *target == to,
        FieldType::AnyLink { to: targets, .. } => targets.contains(&to),
        _ => false,
    };
    let mut links = work.entity(task).fields.iter().filter(|field| !field.is_system && leads(&field.ty));
    let about = links.clone().find(|field| field.name == "about");
    about.or_else(|| links.next()).map(|field| field.ix)
}

/// `tasks: all` or `tasks: [call, offer]` of a gate.
pub(super) fn requirement(work: &mut Work, node: &Node, stages: &[Stage]) -> Option<Requirement> {
    let known = || stages.iter().flat_map(|stage| &stage.tasks).map(|task| task.id.as_str());
    if node.as_text() == Some(ALL) && known().next().is_some() {
        return Some(Requirement::AllTasks);
    }
    let mut found = Vec::new();
    let items: Vec<Node> = node.one_or_many().into_iter().cloned().collect();
    for item in &items {
        let Some(id) = item.as_text() else { continue };
        let place = stages.iter().enumerate().find_map(|(at, stage)| Some((at, stage.tasks.iter().position(|task| task.id == id)?)));
        match place {
            Some(place) if !found.contains(&place) => found.push(place),
            Some(_) => {}
            None => {
                let all: Vec<&str> = known().collect();
                let hint = match all.is_empty() {
                    true => "give a stage `tasks`".to_owned(),
                    false => format!("tasks: {}; or `{ALL}` for those of the stage that is left", all.join(", ")),
                };
                let fault = Diagnostic::error("DEF355", &item.place, format!("no stage of the pipeline has a task `{id}`"))
                    .near(nearest(id, all.iter().copied()))
                    .hint(hint);
                work.fault(fault);
            }
        }
    }
    (!found.is_empty()).then_some(Requirement::Tasks(found))
}
