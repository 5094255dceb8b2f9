//! Writing many records in one request: many of one entity, and batches.

use axum::body::Body;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Map, Value, json};

use super::answer;
use super::body::{JSON, PATCH};
use super::head::{EntityHead, Head};
use crate::access::entities_of_list;
use crate::query;
use crate::record::many::MAX_OPERATIONS;
use crate::record::{Batch, Done, Input, ManyUpdate, OneUpdate, OperationKind, RecordError, Saved, parse_id, pointer};
use crate::schema::catalog::{Catalog, Entity};
use crate::web::{Fault, Problem, Requester, State};

/// `PATCH /records/{entity}`
pub(super) async fn update_many(mut head: EntityHead, body: Body) -> Result<Response, Problem> {
    let options = head.options()?;
    if options.if_match.is_some() {
        return Err(Problem::new("WEB400", "`If-Match` belongs to one record").with_hint("give each item its `version`"));
    }
    let asked = head.json(body, PATCH).await?;
    let many = head
        .read(|head| match &asked {
            Value::Array(items) => Ok(ManyUpdate::Each(each(&head.catalog, head.entity(), items)?)),
            Value::Object(map) => by_filter(&head.state, &head.catalog, head.entity(), map),
            _ => Err(bad_shape("send a list of `{id, version, set}`, or `{filter, set, max_affected}`")),
        })
        .await?;
    let entity = head.entity();
    let (requester, catalog) = (&head.requester, &head.catalog);
    match &many {
        ManyUpdate::Each(items) => items.iter().try_for_each(|item| requester.may_write_input(catalog, entity, &item.set))?,
        ManyUpdate::Where { request, set, .. } => {
            requester.may_write_input(catalog, entity, set)?;
            if requester.limits().is_some() {
                requester.may_read(catalog, entities_of_list(catalog, request))?;
            }
        }
    }
    let result = head.state.records.update_many(&head.actor, &head.catalog, entity.ix, many, options).await?;
    let results: Vec<Value> = result
        .results
        .iter()
        .map(|(id, outcome)| match outcome {
            Ok(saved) => saved_item(entity, saved, "update"),
            Err(error) => failed_item(
                error.clone(),
                &head.requester,
                &[("entity", entity.slug.as_str().into()), ("id", id.display(&entity.prefix).into())],
            ),
        })
        .collect();
    Ok(answer::json(StatusCode::OK, &json!({ "results": results, "changed": result.changed(), "failed": result.failed() })))
}

fn bad_shape(hint: &str) -> Problem {
    Problem::new("WEB422", "the body has not the shape of this request").with_hint(hint)
}

fn each(catalog: &Catalog, entity: &Entity, items: &[Value]) -> Result<Vec<OneUpdate>, Problem> {
    if items.len() > MAX_OPERATIONS {
        return Err(RecordError::TooMany { what: "items".into(), got: items.len() as u64, limit: MAX_OPERATIONS as u64 }.into());
    }
    let mut updates = Vec::with_capacity(items.len());
    let mut faults: Vec<Fault> = Vec::new();
    for (index, item) in items.iter().enumerate() {
        match one_update(catalog, entity, item) {
            Ok(update) => updates.push(update),
            Err(found) => faults.extend(found.into_iter().map(|fault| Fault { path: format!("/{index}{}", fault.path), ..fault })),
        }
    }
    if faults.is_empty() {
        return Ok(updates);
    }
    let mut problem = Problem::new("WEB422", format!("{} of the items cannot be read; nothing was written", faults.len()));
    problem.errors = faults;
    Err(problem)
}

fn one_update(catalog: &Catalog, entity: &Entity, item: &Value) -> Result<OneUpdate, Vec<Fault>> {
    let Value::Object(map) = item else {
        return Err(vec![fault("", "not_an_object", "must be `{id, version, set}`")]);
    };
    if let Some(name) = map.keys().find(|name| !matches!(name.as_str(), "id" | "version" | "set")) {
        return Err(vec![fault(&pointer(name), "unknown_property", "is not known here; there are `id`, `version` and `set`")]);
    }
    let id = map.get("id").and_then(Value::as_str).and_then(|text| parse_id(catalog, entity.ix, text));
    let Some(id) = id else {
        return Err(vec![fault("/id", "bad_id", &format!("must be the id of a {}", entity.slug))]);
    };
    let version = match map.get("version") {
        None | Some(Value::Null) => None,
        Some(version) => match version.as_i64() {
            Some(version) => Some(version),
            None => return Err(vec![fault("/version", "bad_version", "must be a whole number")]),
        },
    };
    let Some(set) = map.get("set") else {
        return Err(vec![fault("/set", "required", "is missing: the fields to change")]);
    };
    let set = Input::from_json(catalog, entity, set).map_err(|faults| {
        Problem::from(faults).errors.into_iter().map(|fault| Fault { path: format!("/set{}", fault.path), ..fault }).collect::<Vec<_>>()
    })?;
    Ok(OneUpdate { id, version, set })
}

fn fault(path: &str, code: &str, message: &str) -> Fault {
    Fault { path: path.to_owned(), code: code.to_owned(), message: message.to_owned(), params: json!({}) }
}

fn by_filter(state: &State, catalog: &Catalog, entity: &Entity, map: &Map<String, Value>) -> Result<ManyUpdate, Problem> {
    if let Some(name) = map.keys().find(|name| !matches!(name.as_str(), "filter" | "set" | "max_affected")) {
        return Err(bad_shape("`filter`, `set` and `max_affected` are known here").with_fault(
            pointer(name),
            "unknown_property",
            "is not known here",
            json!({}),
        ));
    }
    let (Some(filter), Some(set)) = (map.get("filter"), map.get("set")) else {
        return Err(bad_shape("`filter` says which records, `set` what to change, `max_affected` how many at most"));
    };
    let most = map.get("max_affected").and_then(Value::as_u64).filter(|most| (1..=10_000).contains(most)).ok_or_else(|| {
        bad_shape("`max_affected` is a whole number from 1 to 10000; nothing is written when the filter finds more").with_fault(
            "/max_affected",
            "required",
            "must be a whole number from 1 to 10000",
            json!({ "min": 1, "max": 10_000 }),
        )
    })?;
    let request = query::parse_list_json(catalog, state.records.cursor_key(), entity.ix, &json!({ "filter": filter }))?;
    let set = Input::from_json(catalog, entity, set).map_err(|faults| {
        let mut problem = Problem::from(faults);
        for fault in &mut problem.errors {
            fault.path = format!("/set{}", fault.path);
        }
        problem
    })?;
    Ok(ManyUpdate::Where { request: Box::new(request), set, max_affected: most })
}

/// `POST /batch`
pub(super) async fn batch(head: Head, body: Body) -> Result<Response, Problem> {
    let options = head.options()?;
    let batch = Batch::from_json(&head.json(body, JSON).await?)?;
    if head.requester.limits().is_some() {
        for operation in &batch.operations {
            let Some(ix) = head.catalog.by_slug.get(&operation.entity) else { continue };
            let entity = head.catalog.entity(*ix);
            head.requester.may_write(entity)?;
            head.requester.may_write_below(&head.catalog, entity, &operation.values)?;
        }
    }
    let entities: Vec<String> = batch.operations.iter().map(|operation| operation.entity.clone()).collect();
    let result = head.state.records.batch(&head.actor, &head.catalog, batch, options).await?;
    // Definitions may have changed under the batch: names are told by the catalog that is in force now.
    let catalog = head.actor.sees(&head.state.catalog());
    let results: Vec<Value> = result
        .results
        .into_iter()
        .enumerate()
        .map(|(index, outcome)| match outcome {
            Ok(Done { entity, kind, saved }) => saved_item(catalog.entity(entity), &saved, kind_name(kind)),
            Err(error) => failed_item(error, &head.requester, &[("entity", entities.get(index).cloned().unwrap_or_default().into())]),
        })
        .collect();
    let failed = results.iter().filter(|item| item["status"] == "failed").count();
    Ok(answer::json(StatusCode::OK, &json!({ "results": results, "failed": failed })))
}

fn kind_name(kind: OperationKind) -> &'static str {
    match kind {
        OperationKind::Create => "create",
        OperationKind::Update => "update",
        OperationKind::Delete => "delete",
        OperationKind::Restore => "restore",
        OperationKind::Upsert => "upsert",
    }
}

fn saved_item(entity: &Entity, saved: &Saved, op: &str) -> Value {
    let mut item = json!({ "status": "saved", "op": op, "entity": entity.slug });
    if let (Some(item), Value::Object(summary)) = (item.as_object_mut(), answer::summary(entity, saved)) {
        item.extend(summary);
    }
    item
}

fn failed_item(error: RecordError, requester: &Requester, named: &[(&str, Value)]) -> Value {
    let problem = Problem::from(error);
    let mut item = Map::new();
    item.insert("status".into(), "failed".into());
    for (name, value) in named {
        item.insert((*name).to_owned(), value.clone());
    }
    item.insert("error".into(), problem.to_json(&requester.request_id));
    Value::Object(item)
}
