//! Moves along pipelines: what each would need, making one, and the stages a record went through.

use axum::body::Body;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Map, Value, json};

use super::answer;
use super::body::JSON;
use super::head::EntityHead;
use super::write::written;
use crate::base::{DateTime, RecordId};
use crate::record::{Condition, Input, LONGEST_REASON, PossibleMove, Source, Standing, Stay, TaskStanding, TaskState, is_reason};
use crate::schema::catalog::{Entity, FieldType, Pipeline, Stage, StageTask};
use crate::web::Problem;
use crate::web::middleware::fault_words;

/// `GET /records/{entity}/{id}/moves`
pub(super) async fn list(head: EntityHead) -> Result<Response, Problem> {
    let id = head.id()?;
    head.params(&[])?;
    standings(&head, id).await
}

async fn standings(head: &EntityHead, id: RecordId) -> Result<Response, Problem> {
    let found = head.state.records.moves(&head.actor, &head.catalog, head.entity().ix, id).await?;
    let now = head.state.records.clock().now();
    let data: Vec<Value> = found.iter().map(|standing| standing_json(head, standing, now)).collect();
    Ok(answer::json(StatusCode::OK, &json!({ "data": data })))
}

/// `POST /records/{entity}/{id}/moves`: `{"to": "proposal", "set": {…}, "reason": "…"}`.
pub(super) async fn make(mut head: EntityHead, body: Body) -> Result<Response, Problem> {
    let (id, mut options) = (head.id()?, head.options()?);
    let asked = head.json(body, JSON).await?;
    let (input, reason) = head
        .read(|head| {
            let asked = read(&asked)?;
            let pipeline = pipeline(head.entity(), asked.pipeline)?;
            let mut set = asked.set.clone();
            set.insert(head.entity().field(pipeline.field).name.clone(), Value::from(asked.to));
            let input = Input::from_json(&head.catalog, head.entity(), &Value::Object(set))?;
            Ok((input, asked.reason.map(str::to_owned)))
        })
        .await?;
    head.requester.may_write_input(&head.catalog, head.entity(), &input)?;
    options.override_reason = reason;
    let saved = head.state.records.update(&head.actor, &head.catalog, head.entity().ix, id, input, options).await?;
    written(&head, &saved).await
}

/// `POST /records/{entity}/{id}/tasks`: `{"pipeline": "sales", "task": "send_quote"}` makes a task that the record has not.
pub(super) async fn add_task(head: EntityHead, body: Body) -> Result<Response, Problem> {
    let id = head.id()?;
    head.params(&[])?;
    let asked = head.json(body, JSON).await?;
    let known = ["pipeline", "task"];
    let is_known = |name: &String| known.contains(&name.as_str());
    let Some(map) = asked.as_object().filter(|map| map.keys().all(is_known)) else {
        return Err(no_task("", "must be an object of `pipeline` and `task`"));
    };
    let text = |name: &str| map.get(name).and_then(Value::as_str).ok_or_else(|| no_task(name, "must be a text"));
    let (pipeline, task) = (text("pipeline")?, text("task")?);
    head.requester.may_write_input(&head.catalog, head.entity(), &Input::default())?;
    head.state.records.add_stage_task(&head.actor, &head.catalog, head.entity().ix, id, (pipeline, task), Source::Api).await?;
    standings(&head, id).await
}

fn no_task(name: &str, message: &str) -> Problem {
    Problem::new("WEB422", "the body names no task")
        .with_hint("`{\"pipeline\": \"<pipeline>\", \"task\": \"<task>\"}`, as `GET …/moves` tells them")
        .with_fault(name, "bad_shape", message, json!({}))
}

/// `GET /records/{entity}/{id}/stages`
pub(super) async fn stages(head: EntityHead) -> Result<Response, Problem> {
    let id = head.id()?;
    head.params(&[])?;
    let now = head.state.records.clock().now();
    let stays = head.state.records.stages(&head.actor, head.entity().ix, id).await?;
    let data: Vec<Value> = stays.iter().map(|stay| stay_json(&head, stay, now)).collect();
    Ok(answer::json(StatusCode::OK, &json!({ "data": data })))
}

/// A move as it was asked for.
struct Asked<'a> {
    to: &'a str,
    pipeline: Option<&'a str>,
    set: Map<String, Value>,
    reason: Option<&'a str>,
}

fn read(asked: &Value) -> Result<Asked<'_>, Problem> {
    let known = ["to", "pipeline", "set", "reason"];
    let Value::Object(map) = asked else { return Err(bad("", "must be an object")) };
    if let Some(name) = map.keys().find(|name| !known.contains(&name.as_str())) {
        return Err(bad(name, &format!("is not known here; there are {}", known.join(", "))));
    }
    let text = |name: &str| match map.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if !text.trim().is_empty() && !text.contains('\0') => Ok(Some(text.trim())),
        Some(_) => Err(bad(name, "must be a text that is not empty")),
    };
    let to = text("to")?.ok_or_else(|| bad("to", "must name a stage"))?;
    let reason = text("reason")?;
    if reason.is_some_and(|reason| !is_reason(reason)) {
        return Err(bad("reason", &format!("must have at most {LONGEST_REASON} characters")));
    }
    let set = match map.get("set") {
        None | Some(Value::Null) => Map::new(),
        Some(Value::Object(set)) => set.clone(),
        Some(_) => return Err(bad("set", "must be an object of fields")),
    };
    Ok(Asked { to, pipeline: text("pipeline")?, set, reason })
}

fn bad(name: &str, message: &str) -> Problem {
    Problem::new("WEB422", "the body is no move")
        .with_hint("`{\"to\": \"<stage>\"}`, with `set` for fields to fill in on the way and `reason` to pass over a gate")
        .with_fault(name, "bad_shape", message, json!({}))
}

/// The pipeline that is meant: the one that is named, else the only one, or the first of those over the only select.
fn pipeline<'a>(entity: &'a Entity, name: Option<&str>) -> Result<&'a Pipeline, Problem> {
    let all = &entity.pipelines;
    if let Some(name) = name {
        let found = all.iter().find(|known| known.id == name);
        let ids = || all.iter().map(|known| known.id.as_str()).collect::<Vec<_>>().join(", ");
        return found.ok_or_else(|| bad("pipeline", &format!("there is no pipeline `{name}`; there are: {}", ids())));
    }
    match all.first() {
        None => Err(Problem::new("WEB422", format!("`{}` has no pipeline", entity.slug))
            .with_hint("change its fields with PATCH")
            .with_fault("pipeline", "no_pipeline", "there is none", json!({}))),
        Some(first) if all.iter().all(|known| known.field == first.field) => Ok(first),
        Some(_) => Err(bad("pipeline", "must say which pipeline is meant: the records have several")),
    }
}

fn days(since: DateTime, until: DateTime) -> i64 {
    (until.0 - since.0).max(0) / 86_400_000_000
}

fn standing_json(head: &EntityHead, standing: &Standing, now: DateTime) -> Value {
    let (entity, locale) = (head.entity(), head.actor.locale);
    let Some(pipeline) = head.catalog.whole().entity(entity.ix).pipelines.get(standing.pipeline).cloned() else { return Value::Null };
    // As the asker may know of it.
    let pipeline = entity.pipelines.iter().find(|known| known.id == pipeline.id).cloned().unwrap_or(pipeline);
    let here = standing.stage.as_deref().and_then(|key| pipeline.stage(key));
    let stage = |stage: &Stage| {
        json!({
            "stage": stage.key,
            "label": label(entity, &pipeline, &stage.key, locale),
            "probability": stage.probability,
            "max_days": stage.max_days,
            "closed": stage.closed,
            "guidance": stage.guidance.get(locale),
            "fields": stage.fields.iter().map(|field| entity.field(*field).name.as_str()).collect::<Vec<_>>(),
            "tasks": stage.tasks.iter().map(|task| task.id.as_str()).collect::<Vec<_>>(),
        })
    };
    let tasks = here.map_or(&[][..], |at| &pipeline.stages[at].tasks[..]).iter().zip(&standing.tasks);
    json!({
        "tasks": tasks.map(|(task, standing)| task_json(head, task, standing)).collect::<Vec<_>>(),
        "pipeline": pipeline.id,
        "label": pipeline.label.get(locale),
        "field": entity.field(pipeline.field).name,
        "stage": standing.stage,
        "since": standing.since.map(|since| since.to_string()),
        "days": standing.since.map(|since| days(since, now)),
        "max_days": here.and_then(|at| pipeline.stages[at].max_days),
        "may_override": standing.may_override,
        "stages": pipeline.stages.iter().filter(|one| !one.retired).map(stage).collect::<Vec<_>>(),
        "moves": standing.moves.iter().map(|one| move_json(head, &pipeline, one)).collect::<Vec<_>>(),
    })
}

/// A task of the stage the record is in.
fn task_json(head: &EntityHead, task: &StageTask, standing: &TaskStanding) -> Value {
    let (record, state, due, assignee) = match &standing.state {
        TaskState::Missing => (None, "missing", None, None),
        TaskState::Hidden => (None, "hidden", None, None),
        TaskState::There { id, done, due, assignee } => (Some(*id), if *done { "done" } else { "open" }, *due, *assignee),
    };
    json!({
        "task": task.id,
        "subject": task.subject.get(head.actor.locale),
        "required": task.required,
        "state": state,
        "record": record.map(|id| shown(head, "core.task", id)),
        "due": due.map(|due| due.to_string()),
        "assignee": assignee.map(|id| shown(head, "core.user", id)),
    })
}

/// An id as people know it.
fn shown(head: &EntityHead, entity: &str, id: RecordId) -> String {
    head.catalog.whole().find_entity(entity).map_or_else(|| id.to_string(), |entity| id.display(&entity.prefix))
}

fn move_json(head: &EntityHead, pipeline: &Pipeline, one: &PossibleMove) -> Value {
    let entity = head.entity();
    let conditions: Vec<Value> = one.conditions.iter().map(|condition| condition_json(head, condition)).collect();
    let stage = &pipeline.stages[one.to];
    json!({
        "to": stage.key,
        "label": label(entity, pipeline, &stage.key, head.actor.locale),
        "passes": one.passes,
        "can_override": one.can_override,
        "conditions": conditions,
    })
}

/// A condition about what is kept from the asker says no more than that there is one.
fn condition_json(head: &EntityHead, condition: &Condition) -> Value {
    if !condition.is_open {
        return json!({ "gate": condition.gate, "kind": condition.kind.as_str(), "state": "hidden", "field": null, "task": null, "record": null, "approval": null, "request": null, "registration": null, "claim": null, "code": null, "message": null });
    }
    let fault = &condition.fault;
    let params = Value::Object(fault.params.clone());
    let entity = head.entity();
    json!({
        "gate": condition.gate,
        "kind": condition.kind.as_str(),
        "state": if condition.holds { "met" } else { "missing" },
        "field": condition.field.map(|field| entity.field(field).name.as_str()),
        "task": params.get("task"),
        "record": condition.task_record.map(|id| shown(head, "core.task", id)),
        "approval": params.get("approval"),
        "request": params.get("request"),
        "registration": params.get("registration"),
        "claim": params.get("claim"),
        "code": fault.code,
        "message": fault_words(&head.state, head.actor.locale, &fault.code, &params, &fault.message),
    })
}

fn stay_json(head: &EntityHead, stay: &Stay, now: DateTime) -> Value {
    let entity = head.entity();
    let people = head.catalog.find_entity("core.user").map_or("user", |entity| entity.prefix.as_str());
    json!({
        "pipeline": stay.pipeline,
        "field": entity.field(stay.field).name,
        "from": stay.from,
        "to": stay.to,
        "at": stay.at.to_string(),
        "until": stay.until.map(|until| until.to_string()),
        "seconds": (stay.until.unwrap_or(now).0 - stay.at.0).max(0) / 1_000_000,
        "by": stay.by.map(|id| id.display(people)),
        "reason": stay.reason,
    })
}

/// What people call a stage: the label of its option.
pub(in crate::web) fn label(entity: &Entity, pipeline: &Pipeline, key: &str, locale: crate::base::Locale) -> String {
    let FieldType::Select(options) = &entity.field(pipeline.field).ty else { return key.to_owned() };
    let option = options.list.options.iter().find(|option| option.key == key);
    option.map_or_else(|| key.to_owned(), |option| option.label.get(locale).to_owned())
}
