//! Converting a record into others: what would be made of it, and making it.

use axum::body::Body;
use axum::http::StatusCode;
use axum::http::header::HeaderValue;
use axum::response::Response;
use serde_json::{Map, Value, json};

use super::answer;
use super::body::JSON;
use super::head::EntityHead;
use super::headers::{IDEMPOTENT_REPLAYED, preferences, set_etag};
use super::locate;
use crate::record::{Choice, ConvertRequest, ConvertedInto, ConvertedTarget, Duplicates, Input, Offer, OfferedTarget, parse_id, pointer};
use crate::schema::catalog::{Catalog, Conversion, Entity};
use crate::schema::field_type;
use crate::web::Problem;

/// `GET /records/{entity}/{id}/convert`
pub(super) async fn list(head: EntityHead) -> Result<Response, Problem> {
    let id = head.id()?;
    head.params(&[])?;
    let entity = head.entity();
    head.requester.may_read(&head.catalog, [entity.ix])?;
    if !head.state.records.reads(&head.actor, &head.catalog, entity.ix, id).await? {
        return Err(locate::no_record(entity, head.part("id")));
    }
    let converted = head.state.records.converted_into(&head.actor, &head.catalog, entity.ix, id).await?;
    let offers = match converted {
        Some(_) => Vec::new(),
        None => head.state.records.offers(&head.actor, &head.catalog, entity.ix, id).await?,
    };
    let data: Vec<Value> =
        offers.iter().filter_map(|offer| Some(offer_json(&head, entity.find_conversion(&offer.conversion)?, offer))).collect();
    Ok(answer::json(StatusCode::OK, &json!({ "data": data, "converted": converted.map(|into| into_json(&head, &into)) })))
}

/// `POST /records/{entity}/{id}/convert`:
/// `{"conversion": "qualify", "targets": {"account": {"use": "account_…"}, "contact": {"values": {…}}, "deal": null}}`.
pub(super) async fn convert(mut head: EntityHead, body: Body) -> Result<Response, Problem> {
    let (id, options) = (head.id()?, head.options()?);
    let asked = head.json(body, JSON).await?;
    let request = head.read(|head| read(&head.catalog, head.entity(), &asked)).await?;
    let entity = head.entity();
    head.requester.may_write_input(&head.catalog, entity, &Input::default())?;
    for target in entity.find_conversion(&request.conversion).map(|known| known.targets.as_slice()).unwrap_or_default() {
        let choice = request.targets.iter().find(|(name, _)| *name == target.id).map(|(_, choice)| choice);
        let none = Input::default();
        let input = match choice {
            Some(Choice::Leave) => continue,
            Some(Choice::Make(input)) => input,
            _ => &none,
        };
        head.requester.may_write_input(&head.catalog, head.catalog.entity(target.entity), input)?;
    }
    let conversion = request.conversion.clone();
    let done = head.state.records.convert(&head.actor, &head.catalog, entity.ix, id, request, options).await?;
    let object = json!({
        "id": id.display(&entity.prefix),
        "version": done.version,
        "conversion": conversion,
        "targets": done.targets.iter().map(|target| target_json(&head.catalog, target)).collect::<Vec<_>>(),
        "carried": done.carried,
        "warnings": done.warnings,
        "dry_run": preferences(&head.headers).dry_run,
    });
    let mut response = answer::json(StatusCode::OK, &object);
    set_etag(response.headers_mut(), done.version);
    if done.replayed {
        response.headers_mut().insert(IDEMPOTENT_REPLAYED, HeaderValue::from_static("true"));
    }
    Ok(response)
}

fn fault(path: String, code: &str, message: &str) -> Problem {
    Problem::new("WEB422", "the body is no conversion")
        .with_hint(
            "send `{\"conversion\": id, \"targets\": {target: {\"use\": id} or {\"values\": {…}} or null}}`, as `GET …/convert` tells them",
        )
        .with_fault(path, code, message, json!({}))
}

fn read(catalog: &Catalog, entity: &Entity, asked: &Value) -> Result<ConvertRequest, Problem> {
    let Some(map) = asked.as_object() else { return Err(fault(String::new(), "not_an_object", "must be an object")) };
    if let Some(name) = map.keys().find(|name| !matches!(name.as_str(), "conversion" | "targets")) {
        return Err(fault(pointer(name), "unknown_property", "is not known here; there are `conversion` and `targets`"));
    }
    let ids = || entity.conversions.iter().map(|one| one.id.as_str()).collect::<Vec<_>>().join(", ");
    let found = match (map.get("conversion"), entity.conversions.as_slice()) {
        (None | Some(Value::Null), [only]) => Some(only),
        (Some(Value::String(id)), _) => entity.find_conversion(id),
        _ => None,
    };
    let conversion = found.ok_or_else(|| fault("/conversion".to_owned(), "unknown", &format!("must be one of: {}", ids())))?;
    let mut targets = Vec::new();
    if let Some(named) = map.get("targets").filter(|named| !named.is_null()) {
        let named = named.as_object().ok_or_else(|| fault("/targets".to_owned(), "not_an_object", "must be an object of targets"))?;
        for (name, said) in named {
            targets.push((name.clone(), choice(catalog, conversion, name, said)?));
        }
    }
    Ok(ConvertRequest { conversion: conversion.id.clone(), targets })
}

fn choice(catalog: &Catalog, conversion: &Conversion, name: &str, said: &Value) -> Result<Choice, Problem> {
    let place = format!("/targets{}", pointer(name));
    let Some(target) = conversion.targets.iter().find(|target| target.id == name) else {
        let ids: Vec<&str> = conversion.targets.iter().map(|target| target.id.as_str()).collect();
        return Err(fault(place, "unknown_target", &format!("is no target of it; there are {}", ids.join(", "))));
    };
    let entity = catalog.entity(target.entity);
    let said = match said {
        Value::Null => return Ok(Choice::Leave),
        Value::Object(said) if said.len() == 1 => said,
        _ => return Err(fault(place, "bad_shape", "must be `{\"use\": id}`, `{\"values\": {…}}` or null")),
    };
    match (said.get("use"), said.get("values")) {
        (Some(id), _) => {
            let id = id.as_str().and_then(|text| parse_id(catalog, entity.ix, text));
            let id = id.ok_or_else(|| fault(format!("{place}/use"), "bad_id", &format!("must be the id of a {}", entity.slug)))?;
            Ok(Choice::Use(id))
        }
        (_, Some(values)) => match Input::from_json(catalog, entity, values) {
            Ok(input) => Ok(Choice::Make(input)),
            Err(faults) => {
                let below = faults.into_iter().map(|fault| fault.below(&format!("{place}/values"))).collect::<Vec<_>>();
                Err(below.into())
            }
        },
        _ => Err(fault(place, "bad_shape", "must be `{\"use\": id}`, `{\"values\": {…}}` or null")),
    }
}

/// A record that a conversion led to. What the asker may not read is not here.
fn target_json(catalog: &Catalog, target: &ConvertedTarget) -> Value {
    let entity = catalog.entity(target.entity);
    json!({
        "target": target.target,
        "entity": entity.slug,
        "record": target.record.display(&entity.prefix),
        "made": target.is_new,
        "filled": target.filled,
    })
}

fn into_json(head: &EntityHead, into: &ConvertedInto) -> Value {
    let user = head.catalog.find_entity("core.user").map_or("user", |user| user.prefix.as_str());
    json!({
        "conversion": into.conversion,
        "at": into.at.to_string(),
        "by": into.by.map(|by| by.display(user)),
        "targets": into.targets.iter().map(|target| target_json(&head.catalog, target)).collect::<Vec<_>>(),
        "may_edit": into.may_edit,
    })
}

fn offer_json(head: &EntityHead, conversion: &Conversion, offer: &Offer) -> Value {
    let known = offer.targets.iter().filter(|offered| head.catalog.entity(offered.entity).may.is_any());
    let targets = known.filter_map(|offered| {
        let target = conversion.targets.iter().find(|target| target.id == offered.target)?;
        let entity = head.catalog.entity(offered.entity);
        Some(json!({
            "target": target.id,
            "label": target.label.get(head.actor.locale),
            "entity": entity.slug,
            "optional": target.is_optional,
            "existing": target.existing.word(),
            "fills": target.fills,
            "may_create": entity.may.create,
            "values": values(&head.catalog, entity, offered),
            "rows": rows(entity, offered),
            "similar": offered.similar.iter().map(Duplicates::to_json).collect::<Vec<_>>(),
        }))
    });
    json!({
        "conversion": conversion.id,
        "label": conversion.label.get(head.actor.locale),
        "targets": targets.collect::<Vec<_>>(),
        "faults": offer.faults.iter().map(crate::record::FieldFault::to_json).collect::<Vec<_>>(),
    })
}

/// How many records would be made below it, by field.
fn rows(entity: &Entity, offered: &OfferedTarget) -> Map<String, Value> {
    let known = offered.input.children.iter().map(|(field, nested)| (entity.field(*field), nested)).filter(|(field, _)| !field.is_hidden);
    known.map(|(field, nested)| (field.name.clone(), nested.items.len().into())).collect()
}

/// The values a target would be made with, as far as the asker may know of its fields.
fn values(catalog: &Catalog, entity: &Entity, offered: &OfferedTarget) -> Map<String, Value> {
    let known = offered.input.values.iter().map(|(field, value)| (entity.field(*field), value)).filter(|(field, _)| !field.is_hidden);
    known.map(|(field, value)| (field.name.clone(), field_type::to_json(catalog, field, value))).collect()
}
