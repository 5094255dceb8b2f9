//! Whether there is such a record already, and which are there twice.

use axum::body::Body;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;

use super::answer;
use super::body::JSON;
use super::head::EntityHead;
use crate::base::RecordId;
use crate::record::{Duplicates, Group, Input, parse_id};
use crate::schema::catalog::Entity;
use crate::web::Problem;

/// Groups of one page.
const LIMIT: usize = 20;
const MOST: usize = 100;

/// `POST /records/{entity}/duplicates`: the values of a record that is not there yet; nothing is written.
pub(super) async fn look(mut head: EntityHead, body: Body) -> Result<Response, Problem> {
    head.params(&[])?;
    let asked = head.json(body, JSON).await?;
    let input = head.read(|head| Ok(Input::from_json(&head.catalog, head.entity(), &asked)?)).await?;
    let found = head.state.records.duplicates(&head.actor, &head.catalog, head.entity().ix, None, input).await?;
    let object = json!({
        "duplicates": found.iter().map(Duplicates::to_json).collect::<Vec<_>>(),
        "may_save": found.iter().all(|one| !one.refuses),
    });
    Ok(answer::json(StatusCode::OK, &object))
}

/// `GET /records/{entity}/duplicates`: groups of records that the last look found alike.
pub(super) async fn list(head: EntityHead) -> Result<Response, Problem> {
    let params = head.params(&["limit", "offset"])?;
    let entity = head.entity();
    head.requester.may_read(&head.catalog, [entity.ix])?;
    if !entity.may.read {
        return Err(Problem::not_found());
    }
    let number = |name: &str, usual: usize, least: usize, most: usize| match params.get(name) {
        None => Ok(usual),
        Some(text) => text.parse().ok().filter(|number| (least..=most).contains(number)).ok_or_else(|| {
            let message = format!("must be a whole number from {least} to {most}");
            Problem::new("WEB400", format!("the parameter `{name}` is not readable")).with_fault(name, "out_of_range", &message, json!({}))
        }),
    };
    let (limit, offset) = (number("limit", LIMIT, 1, MOST)?, number("offset", 0, 0, 10_000)?);
    let found = head.state.records.twins(&head.actor, &head.catalog, entity.ix, offset, limit).await?;
    let look = found.look.map(|look| {
        json!({
            "state": if look.ended_at.is_some() { "done" } else { "running" },
            "begun_at": look.begun_at.to_string(),
            "ended_at": look.ended_at.map(|at| at.to_string()),
        })
    });
    let data: Vec<_> = found.groups.iter().map(|group| group_json(entity, group)).collect();
    Ok(answer::json(StatusCode::OK, &json!({ "data": data, "next_offset": found.next, "look": look })))
}

fn group_json(entity: &Entity, group: &Group) -> serde_json::Value {
    json!({
        "records": group.records.iter().map(|one| json!({ "id": one.id.display(&entity.prefix), "title": one.title })).collect::<Vec<_>>(),
        "likeness": group.likeness,
        "rules": group.rules,
    })
}

/// `POST /records/{entity}/duplicates/look`: a job looks through all records.
pub(super) async fn begin(head: EntityHead) -> Result<Response, Problem> {
    head.params(&[])?;
    head.requester.may_write_input(&head.catalog, head.entity(), &Input::default())?;
    let begun = head.state.records.look_for_twins(&head.actor, &head.catalog, head.entity().ix).await?;
    Ok(answer::json(StatusCode::ACCEPTED, &json!({ "begun": begun })))
}

/// `POST /records/{entity}/duplicates/apart`: `{"records": [ids], "apart": true}` says that they are not the same.
pub(super) async fn apart(mut head: EntityHead, body: Body) -> Result<Response, Problem> {
    head.params(&[])?;
    let asked = head.json(body, JSON).await?;
    head.requester.may_write_input(&head.catalog, head.entity(), &Input::default())?;
    let fault = |path: String, code: &str, message: &str| {
        Problem::new("WEB422", "the body names no records")
            .with_hint("send `{\"records\": [ids]}`, with `\"apart\": false` to take it back")
            .with_fault(path, code, message, json!({}))
    };
    let (ids, are_apart) = head
        .read(|head| {
            let map = asked.as_object().ok_or_else(|| fault(String::new(), "not_an_object", "must be an object"))?;
            if let Some(name) = map.keys().find(|name| !matches!(name.as_str(), "records" | "apart")) {
                let place = crate::record::pointer(name);
                return Err(fault(place, "unknown_property", "is not known here; there are `records` and `apart`"));
            }
            let are_apart = match map.get("apart") {
                None | Some(serde_json::Value::Null) => true,
                Some(value) => value.as_bool().ok_or_else(|| fault("/apart".to_owned(), "wrong_type", "must be true or false"))?,
            };
            let listed = map.get("records").and_then(serde_json::Value::as_array);
            let listed = listed.ok_or_else(|| fault("/records".to_owned(), "required", "must be a list of ids"))?;
            let mut ids: Vec<RecordId> = Vec::with_capacity(listed.len());
            for (position, value) in listed.iter().enumerate() {
                let id = value.as_str().and_then(|text| parse_id(&head.catalog, head.entity().ix, text));
                let bad = || fault(format!("/records/{position}"), "bad_id", &format!("must be the id of a {}", head.entity().slug));
                ids.push(id.ok_or_else(bad)?);
            }
            Ok((ids, are_apart))
        })
        .await?;
    head.state.records.tell_twins_apart(&head.actor, &head.catalog, head.entity().ix, ids, are_apart).await?;
    Ok(answer::json(StatusCode::OK, &json!({ "apart": are_apart })))
}
