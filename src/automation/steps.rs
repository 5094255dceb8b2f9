//! What steps do. All writes go through the one writer of records, with its rules, gates and rights.

use serde_json::{Map, Value as Json, json};

use super::assign::choose;
use super::begin::call;
use super::bridge::{Automation, Stopped};
use super::email::{self, Letters};
use super::hooks::sound;
use super::log;
use super::notify::notify;
use super::translate::{data_of, refusal};
use super::webhook;
use crate::base::{DateTime, EntityIx, FieldIx, RecordId, Value};
use crate::expr::{CompareOp, Node, Path, Root, Type, Typed};
use crate::query::{CursorKey, Paging, parse_list_json};
use crate::record::{ApprovalFor, ConvertRequest, ConvertedTarget, Delivery, Input, Record, RecordError, RecordTx, Source, WriteOptions};
use crate::schema::catalog::{Act, Catalog, FieldType, Given, GivenValue, Step};

/// Ids that the log names of many records.
const NAMED: usize = 20;
/// Records that one statement finds.
const PAGE: u32 = 500;

/// What a step is about.
pub(super) struct About<'a> {
    pub delivery: &'a Delivery,
    /// As it stands now, or as it was told where it is gone.
    pub record: &'a Record,
    pub old: Option<&'a Record>,
    /// Until when the run waited at this step.
    pub waited: Option<DateTime>,
    pub began_at: DateTime,
    pub is_gone: bool,
    pub run: i64,
    /// Id of the automation.
    pub name: &'a str,
    /// What the step says to people, where it writes to some.
    pub letters: Option<&'a Letters>,
    /// Of whom it chooses one, where it does.
    pub people: Option<&'a [RecordId]>,
}

/// What a step did.
pub(super) struct Did {
    /// Position of the step that comes next.
    pub next: Option<usize>,
    pub input: Json,
    pub output: Json,
}

impl Automation {
    /// Does one step.
    pub(super) async fn act(&self, tx: &mut RecordTx<'_>, step: &Step, about: &About<'_>) -> Result<Did, RecordError> {
        let About { record, old, .. } = *about;
        let catalog = tx.catalog().clone();
        let did = |input: Json, output: Json| Did { next: step.next, input, output };
        match &step.act {
            Act::Set(values) => {
                let (input, shown) = given(tx, record.entity, values, record, old).await?;
                let output = update(tx, &catalog, record.entity, record.id, input).await?;
                Ok(did(json!({ "values": shown }), output))
            }
            Act::Create { entity, values } => {
                let (input, shown) = given(tx, *entity, values, record, old).await?;
                let saved = tx.create(*entity, input, &WriteOptions::from(Source::Automation)).await?;
                let definition = catalog.entity(*entity);
                let output = json!({ "created": saved.id.display(&definition.prefix) });
                Ok(did(json!({ "entity": definition.slug, "values": shown }), output))
            }
            Act::Update { entity, matching, filter, values, limit } => {
                let (input, shown) = given(tx, *entity, values, record, old).await?;
                let mut parts = Vec::new();
                for given in matching {
                    let value = value_of(tx, given, record, old).await?;
                    parts.push(compare(given.field, &given.ty, CompareOp::Eq, value));
                }
                parts.extend(filter.clone());
                let found = find(tx, *entity, parts, *limit).await?;
                let definition = catalog.entity(*entity);
                let mut changed: Vec<RecordId> = Vec::new();
                for id in found.iter().copied() {
                    let saved = tx.update(*entity, id, input.clone(), &WriteOptions::from(Source::Automation)).await?;
                    changed.extend((!saved.changed.is_empty()).then_some(id));
                }
                let named: Vec<String> = changed.iter().take(NAMED).map(|id| id.display(&definition.prefix)).collect();
                let output = json!({ "found": found.len(), "changed": changed.len(), "records": named });
                Ok(did(json!({ "entity": definition.slug, "values": shown }), output))
            }
            Act::Loop { entity, matching, filter, limit, automation } => {
                let mut parts = Vec::new();
                for given in matching {
                    let value = value_of(tx, given, record, old).await?;
                    parts.push(compare(given.field, &given.ty, CompareOp::Eq, value));
                }
                parts.extend(filter.clone());
                let found = find(tx, *entity, parts, *limit).await?;
                let definition = catalog.entity(*entity);
                let (mut begun, mut not_run) = (0, Vec::new());
                for id in found.iter().copied() {
                    let each = Delivery { by: about.delivery.by, ..Delivery::about(&definition.slug, id) };
                    match call(tx, &each, automation).await? {
                        Ok(_) => begun += 1,
                        Err(reason) => not_run.push(json!([id.display(&definition.prefix), reason])),
                    }
                }
                not_run.truncate(NAMED);
                let output = json!({ "found": found.len(), "begun": begun, "not_run": not_run });
                Ok(did(json!({ "entity": definition.slug, "automation": automation }), output))
            }
            // Who they are is looked up before; then the run comes here again.
            Act::Assign { by, field, .. } => {
                let people = about.people.ok_or_else(|| RecordError::State { message: "nobody was looked up".to_owned() })?;
                let (chosen, input, mut output) = choose(tx, step, by, *field, people, about).await?;
                let mut values = Input::new();
                values.set(*field, Value::Link(chosen));
                output["changed"] = update(tx, &catalog, record.entity, record.id, values).await?["changed"].take();
                Ok(did(input, output))
            }
            Act::Notify { to, texts } => {
                let (input, output) = notify(tx, step, to, texts, about).await?;
                Ok(did(input, output))
            }
            // Where it is not written yet the run has that done, and comes here again.
            Act::Email { template, .. } => {
                let letters = about.letters.ok_or_else(email::unwritten)?;
                let (input, output) = email::send(tx, step, template, letters, about).await?;
                Ok(did(input, output))
            }
            Act::Survey { survey, template, .. } => {
                let (input, output) = email::ask(tx, step, (survey, template), about.letters, about).await?;
                Ok(did(input, output))
            }
            Act::Webhook { to, kind, values } => {
                let (input, output) = webhook::send(tx, step, to, kind, values, about).await?;
                Ok(did(input, output))
            }
            Act::Script(at) => {
                let compiled = self.cache.scripts(&catalog);
                let ready = sound(&compiled[*at])?;
                let input = self.event_input(tx, "automation", data_of(record.clone()), old.cloned().map(data_of));
                let outcome = self.run_script(tx, ready, input, None).await;
                let outcome = outcome.map_err(|stopped @ (Stopped::Script(_) | Stopped::Busy)| refusal(ready, &stopped))?;
                Ok(did(json!({ "script": catalog.scripts[*at].id }), json!({ "answer": log::short(outcome.answer) })))
            }
            Act::Branch { condition, otherwise } => {
                let holds = tx.holds(condition, record, old).await?;
                let next = if holds { step.next } else { *otherwise };
                Ok(Did { next, input: json!({}), output: json!({ "holds": holds }) })
            }
            Act::Wait(seconds) => Ok(did(json!({ "seconds": seconds }), json!({ "until": about.waited.map(|at| at.to_string()) }))),
            Act::WaitFor { condition, seconds, otherwise } => {
                let holds = tx.holds(condition, record, old).await?;
                let next = if holds { step.next } else { *otherwise };
                Ok(Did { next, input: json!({ "seconds": seconds }), output: json!({ "holds": holds }) })
            }
            // Where it is not decided the run waits, and does not come here.
            Act::Approval { approval, otherwise, ends } => {
                let state = match tx.approval_for(record, approval, about.began_at).await? {
                    ApprovalFor::Ended(state) => state,
                    ApprovalFor::Missing | ApprovalFor::Running => "running".to_owned(),
                };
                let next = match (state.as_str(), ends) {
                    ("approved" | "not_needed", _) => step.next,
                    (_, true) => None,
                    (_, false) => *otherwise,
                };
                Ok(Did { next, input: json!({ "approval": approval }), output: json!({ "state": state }) })
            }
            Act::Convert(conversion) => {
                let request = ConvertRequest { conversion: conversion.clone(), targets: Vec::new() };
                let done = tx.convert_record(record.entity, record.id, &request, &WriteOptions::from(Source::Automation)).await?;
                let named = |target: &ConvertedTarget| {
                    (target.target.clone(), Json::from(target.record.display(&catalog.entity(target.entity).prefix)))
                };
                let targets: Map<String, Json> = done.targets.iter().map(named).collect();
                Ok(did(json!({ "conversion": conversion }), json!({ "targets": targets, "carried": done.carried })))
            }
            Act::Run(name) => {
                let output = match call(tx, about.delivery, name).await? {
                    Ok(run) => json!({ "run": run.to_string() }),
                    Err(reason) => json!({ "not_run": reason }),
                };
                Ok(did(json!({ "automation": name }), output))
            }
        }
    }
}

async fn update(tx: &mut RecordTx<'_>, catalog: &Catalog, entity: EntityIx, id: RecordId, input: Input) -> Result<Json, RecordError> {
    let saved = tx.update(entity, id, input, &WriteOptions::from(Source::Automation)).await?;
    let definition = catalog.entity(entity);
    let changed: Vec<&str> = saved.changed.iter().map(|field| definition.field(*field).name.as_str()).collect();
    Ok(json!({ "record": id.display(&definition.prefix), "changed": changed }))
}

/// The values of a step, and as the log shows them: what says something of a person is not kept there.
async fn given(
    tx: &mut RecordTx<'_>,
    entity: EntityIx,
    values: &[Given],
    record: &Record,
    old: Option<&Record>,
) -> Result<(Input, Map<String, Json>), RecordError> {
    let catalog = tx.catalog().clone();
    let definition = catalog.entity(entity);
    let (mut input, mut shown) = (Input::new(), Map::new());
    for given in values {
        let value = value_of(tx, given, record, old).await?;
        let value = match &definition.field(given.field).ty {
            FieldType::AnyLink { .. } => named(tx, &catalog, given, value).await?,
            _ => value,
        };
        shown.insert(definition.field(given.field).name.clone(), log::value(&catalog, (entity, record.entity), given, &value));
        input.set(given.field, value);
    }
    Ok((input, shown))
}

async fn value_of(tx: &mut RecordTx<'_>, given: &Given, record: &Record, old: Option<&Record>) -> Result<Value, RecordError> {
    match &given.value {
        GivenValue::Plain(value) => Ok(value.clone()),
        GivenValue::Expr(expr) => tx.value(expr, record, old).await,
    }
}

/// A link as a field that leads to records of several entities holds it: with the entity's prefix.
async fn named(tx: &mut RecordTx<'_>, catalog: &Catalog, given: &Given, value: Value) -> Result<Value, RecordError> {
    let (Value::Link(id), GivenValue::Expr(expr)) = (&value, &given.value) else { return Ok(value) };
    let Type::Link(entities) = &expr.ty else { return Ok(value) };
    for entity in entities {
        // No two records have the same id, whichever entity they are of.
        if entities.len() == 1 || tx.get_kept(*entity, *id).await?.is_some() {
            return Ok(Value::Text(id.display(&catalog.entity(*entity).prefix)));
        }
    }
    Ok(Value::Null)
}

/// The records for which all of `parts` hold; refused when there are more than `limit`.
pub(super) async fn find(tx: &mut RecordTx<'_>, entity: EntityIx, parts: Vec<Typed>, limit: u32) -> Result<Vec<RecordId>, RecordError> {
    let catalog = tx.actor().sees(tx.catalog());
    // No cursor is read or given, so the key that signs them does not matter.
    let key = CursorKey::from_secret(b"automations page by offset");
    let mut list = parse_list_json(&catalog, &key, entity, &json!({})).map_err(RecordError::Query)?;
    list.filter = Some(Typed::all_of(parts));
    let mut found: Vec<RecordId> = Vec::new();
    loop {
        let skipped = u32::try_from(found.len()).unwrap_or(u32::MAX);
        list.limit = PAGE.min(limit + 1 - skipped);
        list.paging = Paging::Offset(skipped);
        let page = tx.find(list.clone()).await?;
        let before = found.len();
        found.extend(page.iter().map(|row| row.id()));
        if found.len() > limit as usize {
            let what = format!("records of `{}`", catalog.entity(entity).slug);
            return Err(RecordError::TooMany { what, got: found.len() as u64, limit: u64::from(limit) });
        }
        if found.len() - before < list.limit as usize {
            return Ok(found);
        }
    }
}

/// A comparison of a field with a value.
pub(super) fn compare(field: FieldIx, ty: &Type, op: CompareOp, value: Value) -> Typed {
    let path = Node::Path(Path { root: Root::Record, hops: Vec::new(), field, part: None });
    let left = Box::new(Typed::new(ty.clone(), path, 0..0));
    let right = Box::new(Typed::literal(ty.clone(), value));
    Typed::new(Type::Bool, Node::Compare { op, left, right }, 0..0)
}
