//! What steps do. All writes go through the one writer of records, with its rules, gates and rights.

use serde_json::{Map, Value as Json, json};

use super::bridge::{Automation, Stopped};
use super::hooks::sound;
use super::translate::{data_of, refusal};
use crate::base::{EntityIx, FieldIx, RecordId, Value};
use crate::expr::{CompareOp, Node, Path, Root, Type, Typed};
use crate::query::{CursorKey, Paging, parse_list_json};
use crate::record::{Input, Record, RecordError, RecordTx, Source, WriteOptions};
use crate::schema::catalog::{Act, Catalog, Entity, Given, GivenValue, Step};
use crate::schema::field_type;

/// Ids that the log names of many records.
const NAMED: usize = 20;
/// Records that one statement finds.
const PAGE: u32 = 500;

/// What a step did.
pub(super) struct Did {
    /// Position of the step that comes next.
    pub next: Option<usize>,
    pub input: Json,
    pub output: Json,
}

impl Automation {
    /// Does one step about `record`, as it stands now.
    pub(super) async fn act(
        &self,
        tx: &mut RecordTx<'_>,
        step: &Step,
        record: &Record,
        old: Option<&Record>,
        is_gone: bool,
    ) -> Result<Did, RecordError> {
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
                let found = find(tx, *entity, matching, filter.as_ref(), *limit, record, old).await?;
                let definition = catalog.entity(*entity);
                for id in &found {
                    update(tx, &catalog, *entity, *id, input.clone()).await?;
                }
                let named: Vec<String> = found.iter().take(NAMED).map(|id| id.display(&definition.prefix)).collect();
                let output = json!({ "changed": found.len(), "records": named });
                Ok(did(json!({ "entity": definition.slug, "values": shown }), output))
            }
            Act::Script(at) => {
                let compiled = self.cache.scripts(&catalog);
                let ready = sound(&compiled[*at])?;
                let input = self.event_input(tx, "automation", data_of(record.clone()), old.cloned().map(data_of));
                let outcome = self.run_script(tx, ready, input, None).await;
                let outcome = outcome.map_err(|stopped @ (Stopped::Script(_) | Stopped::Busy)| refusal(ready, &stopped))?;
                Ok(did(json!({ "script": catalog.scripts[*at].id }), json!({ "answer": outcome.answer })))
            }
            Act::Branch { condition, otherwise } => {
                let holds = tx.holds(condition, record, old).await?;
                let next = if holds { step.next } else { *otherwise };
                Ok(Did { next, input: json!({ "is_gone": is_gone }), output: json!({ "holds": holds }) })
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
        shown.insert(definition.field(given.field).name.clone(), shown_value(&catalog, definition, given.field, &value));
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

fn shown_value(catalog: &Catalog, entity: &Entity, field: FieldIx, value: &Value) -> Json {
    let field = entity.field(field);
    if field.class.is_some() || field.encrypted {
        return Json::from("(personal)");
    }
    field_type::to_json(catalog, field, value)
}

/// The records a step changes; refused when there are more than it may change.
async fn find(
    tx: &mut RecordTx<'_>,
    entity: EntityIx,
    matching: &[Given],
    filter: Option<&Typed>,
    limit: u32,
    record: &Record,
    old: Option<&Record>,
) -> Result<Vec<RecordId>, RecordError> {
    let mut parts = Vec::new();
    for given in matching {
        let value = value_of(tx, given, record, old).await?;
        parts.push(equals(given.field, &given.ty, value));
    }
    parts.extend(filter.cloned());
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
            let what = format!("records of `{}` that one step may change", catalog.entity(entity).slug);
            return Err(RecordError::TooMany { what, got: found.len() as u64, limit: u64::from(limit) });
        }
        if found.len() - before < list.limit as usize {
            return Ok(found);
        }
    }
}

fn equals(field: FieldIx, ty: &Type, value: Value) -> Typed {
    let path = Node::Path(Path { root: Root::Record, hops: Vec::new(), field, part: None });
    let left = Box::new(Typed::new(ty.clone(), path, 0..0));
    let right = Box::new(Typed::literal(ty.clone(), value));
    Typed::new(Type::Bool, Node::Compare { op: CompareOp::Eq, left, right }, 0..0)
}
