//! Operations on the pipelines of a record.

use serde_json::{Map, Value, json};

use super::operation::Operation;
use super::records::{id_of, name};
use super::small::{object, text_or_null};
use crate::schema::catalog::{Entity, Pipeline};

const JSON: &[&str] = &["application/json"];

pub(super) fn add(entity: &Entity, base: &str, paths: &mut Map<String, Value>) {
    let mut moves = json!({ "get": list(entity) });
    if entity.may.update {
        moves["post"] = make(entity);
    }
    paths.insert(format!("{base}/{{id}}/moves"), moves);
    paths.insert(format!("{base}/{{id}}/stages"), json!({ "get": stages(entity) }));
    if entity.may.update && entity.pipelines.iter().any(|pipeline| pipeline.task_fields.is_some()) {
        paths.insert(format!("{base}/{{id}}/tasks"), json!({ "post": add_task(entity) }));
    }
}

fn operation(verb: &str, entity: &Entity, summary: &str) -> Operation {
    id_of(Operation::new(&format!("{verb}_{}", entity.slug), &entity.slug, &format!("{summary} {}", name(entity))), entity)
}

/// The keys of all stages that records move to.
fn keys(entity: &Entity) -> Value {
    let mut keys: Vec<&str> = Vec::new();
    for stage in entity.pipelines.iter().flat_map(|pipeline| &pipeline.stages).filter(|stage| !stage.retired) {
        if !keys.contains(&stage.key.as_str()) {
            keys.push(&stage.key);
        }
    }
    json!({ "type": "string", "enum": keys })
}

fn ids(entity: &Entity) -> Value {
    json!({ "type": "string", "enum": entity.pipelines.iter().map(|pipeline| pipeline.id.as_str()).collect::<Vec<_>>() })
}

fn standings(entity: &Entity) -> Value {
    let condition = object(&[
        (
            "gate",
            json!({ "type": "string", "description": "the gate's id; `order`, `roles`, `reason` or `tasks` for what the pipeline itself demands" }),
        ),
        ("kind", json!({ "type": "string", "enum": ["order", "role", "field", "expression", "task", "approval", "registration"] })),
        (
            "state",
            json!({ "type": "string", "enum": ["met", "missing", "hidden"], "description": "`hidden`: it depends on what you may not read" }),
        ),
        ("field", json!({ "type": ["string", "null"], "description": "the field to fill in" })),
        ("task", json!({ "type": ["string", "null"], "description": "the stage's task that must be done" })),
        ("record", json!({ "type": ["string", "null"], "description": "the record of that task; null where it is not there" })),
        ("approval", json!({ "type": ["string", "null"], "description": "the approval that must be given" })),
        ("request", json!({ "type": ["string", "null"], "description": "the request for it that was made last" })),
        ("registration", json!({ "type": ["string", "null"], "description": "the registration by which it must be protected" })),
        ("claim", json!({ "type": ["string", "null"], "description": "the claim on it that was filed last, or protects it" })),
        ("code", text_or_null()),
        ("message", json!({ "type": ["string", "null"], "description": "what is said when it does not hold, in your language" })),
    ]);
    let one = object(&[
        ("to", keys(entity)),
        ("label", json!({ "type": "string" })),
        ("passes", json!({ "type": "boolean", "description": "all that you may know of holds" })),
        ("can_override", json!({ "type": "boolean", "description": "it goes with a `reason` of yours" })),
        ("conditions", json!({ "type": "array", "items": condition })),
    ]);
    let stage = object(&[
        ("stage", json!({ "type": "string" })),
        ("label", json!({ "type": "string" })),
        ("probability", json!({ "type": ["integer", "null"] })),
        ("max_days", json!({ "type": ["integer", "null"] })),
        ("closed", json!({ "type": ["string", "null"], "description": "the outcome, where it ends" })),
        ("guidance", json!({ "type": "string" })),
        ("fields", json!({ "type": "array", "items": { "type": "string" } })),
        ("tasks", json!({ "type": "array", "items": { "type": "string" } })),
    ]);
    let task = object(&[
        ("task", json!({ "type": "string" })),
        ("subject", json!({ "type": "string", "description": "in your language" })),
        ("required", json!({ "type": "boolean", "description": "it must be done before the record goes on" })),
        (
            "state",
            json!({ "type": "string", "enum": ["open", "done", "missing", "hidden"], "description": "`missing`: there is none; `hidden`: you may not read it" }),
        ),
        ("record", text_or_null()),
        ("due", json!({ "type": ["string", "null"], "format": "date" })),
        ("assignee", text_or_null()),
    ]);
    let standing = object(&[
        ("tasks", json!({ "type": "array", "items": task, "description": "tasks of the stage it is in" })),
        ("pipeline", ids(entity)),
        ("label", json!({ "type": "string" })),
        ("field", json!({ "type": "string", "description": "the field that holds the stage" })),
        ("stage", text_or_null()),
        ("since", json!({ "type": ["string", "null"], "format": "date-time" })),
        ("days", json!({ "type": ["integer", "null"], "description": "whole days in this stage" })),
        ("max_days", json!({ "type": ["integer", "null"] })),
        ("may_override", json!({ "type": "boolean" })),
        ("stages", json!({ "type": "array", "items": stage })),
        ("moves", json!({ "type": "array", "items": one })),
    ]);
    object(&[("data", json!({ "type": "array", "items": standing }))])
}

fn list(entity: &Entity) -> Value {
    operation("list_moves_of", entity, "Where in its pipelines stands one")
        .describe("Each pipeline the record follows, and what every move from its stage would need. A save is held against the same.")
        .answers("200", "its pipelines", standings(entity))
        .build()
}

fn add_task(entity: &Entity) -> Value {
    let tasks = || {
        entity
            .pipelines
            .iter()
            .flat_map(|pipeline| pipeline.stages.iter().flat_map(move |stage| stage.tasks.iter().map(move |task| (pipeline, task))))
    };
    let mut names: Vec<&str> = tasks().map(|(_, task)| task.id.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let body = json!({
        "type": "object",
        "required": ["pipeline", "task"],
        "properties": { "pipeline": ids(entity), "task": { "type": "string", "enum": names } },
        "additionalProperties": false,
    });
    let example = tasks().next().map(|(pipeline, task)| json!({ "pipeline": pipeline.id, "task": task.id }));
    operation("add_task_of", entity, "Make a task of a stage that is missing for one")
        .describe(
            "A record gets the tasks of a stage when it comes into it. This makes one that is not there; where it is, nothing is done.",
        )
        .body(JSON, body, example)
        .answers("200", "where it stands now", standings(entity))
        .build()
}

fn make(entity: &Entity) -> Value {
    let body = json!({
        "type": "object",
        "required": ["to"],
        "properties": {
            "to": keys(entity),
            "pipeline": ids(entity),
            "set": { "type": "object", "description": "fields to change on the way, as in PATCH" },
            "reason": { "type": "string", "maxLength": 1000, "description": "why it goes against the order or a gate, where you may" },
        },
        "additionalProperties": false,
    });
    let record = super::operation::schema_ref(&format!("{}.record", entity.slug));
    let answer = json!({ "anyOf": [record, super::operation::schema_ref("Saved")] });
    let first: Option<&Pipeline> = entity.pipelines.first();
    let example = first.and_then(|pipeline| pipeline.stages.last()).map(|stage| json!({ "to": stage.key }));
    operation("move", entity, "Move one")
        .shared("IfMatch")
        .shared("IdempotencyKey")
        .shared("Prefer")
        .body(JSON, body, example)
        .answers_with("200", "the record as it is now, or what a dry run would do", answer, &["ETag"])
        .answers_empty("204", "moved; the client asked for no body", &["ETag"])
        .fails(&["409", "412", "428"])
        .build()
}

fn stages(entity: &Entity) -> Value {
    let stay = object(&[
        ("pipeline", json!({ "type": ["string", "null"], "description": "null where what decides which one is followed may not be read" })),
        ("field", json!({ "type": "string" })),
        ("from", text_or_null()),
        ("to", text_or_null()),
        ("at", json!({ "type": "string", "format": "date-time" })),
        ("until", json!({ "type": ["string", "null"], "format": "date-time", "description": "null for the stage it is in" })),
        ("seconds", json!({ "type": "integer", "format": "int64", "description": "how long it stayed, until now for the last" })),
        ("by", text_or_null()),
        ("reason", json!({ "type": ["string", "null"], "description": "why the move went against the order or a gate" })),
    ]);
    operation("list_stages_of", entity, "Through which stages went one")
        .answers("200", "its moves, oldest first", object(&[("data", json!({ "type": "array", "items": stay }))]))
        .build()
}

/// The pipelines of an entity, for its schema.
pub(super) fn facts(entity: &Entity) -> Value {
    let pipeline = |pipeline: &Pipeline| {
        let names = |list: &[usize]| list.iter().map(|at| pipeline.stages[*at].key.as_str()).collect::<Vec<_>>();
        json!({
            "id": pipeline.id,
            "label": pipeline.label.0,
            "field": entity.field(pipeline.field).name,
            "skip": pipeline.may_skip,
            "back": pipeline.may_go_back,
            "start": pipeline.start.as_deref().map(names),
            "stages": pipeline.stages.iter().map(|stage| json!({
                "key": stage.key, "probability": stage.probability, "max_days": stage.max_days, "closed": stage.closed,
                "guidance": stage.guidance.0, "retired": stage.retired,
                "fields": stage.fields.iter().map(|field| entity.field(*field).name.as_str()).collect::<Vec<_>>(),
                "tasks": stage.tasks.iter().map(|task| json!({ "id": task.id, "subject": task.subject.0, "required": task.required })).collect::<Vec<_>>(),
            })).collect::<Vec<_>>(),
            "moves": pipeline.moves.iter().map(|rule| json!({ "from": names(&rule.from), "to": names(&rule.to), "roles": rule.roles })).collect::<Vec<_>>(),
            "gates": pipeline.gates.iter().map(|gate| json!({ "id": gate.id, "from": names(&gate.from), "to": names(&gate.to) })).collect::<Vec<_>>(),
        })
    };
    entity.pipelines.iter().map(pipeline).collect()
}
