//! Merging records that are one, and taking a merge apart.

use axum::body::Body;
use axum::http::StatusCode;
use axum::http::header::{HeaderValue, LOCATION};
use axum::response::Response;
use serde_json::{Value, json};

use super::answer;
use super::body::JSON;
use super::head::EntityHead;
use super::headers::{preferences, set_etag};
use super::locate;
use crate::base::RecordId;
use crate::record::{Input, MERGE_PREFIX, MergeRequest, WriteOptions, parse_id, pointer};
use crate::schema::catalog::{Catalog, Entity};
use crate::web::Problem;

/// `POST /records/{entity}/{id}/merge`: `{"from": ["account_…"], "take": {"phone": "account_…"}}`.
pub(super) async fn merge(mut head: EntityHead, body: Body) -> Result<Response, Problem> {
    let (id, options) = (head.id()?, options(&head)?);
    head.requester.may_write_input(&head.catalog, head.entity(), &Input::default())?;
    let asked = head.json(body, JSON).await?;
    let request = head.read(|head| read(&head.catalog, head.entity(), &asked)).await?;
    let merged = head.state.records.merge(&head.actor, &head.catalog, head.entity().ix, id, request, options).await?;
    let entity = head.entity();
    let parts: Vec<Value> = merged
        .parts
        .iter()
        .map(|part| json!({ "id": part.id.display(MERGE_PREFIX), "from": part.from.display(&entity.prefix), "moved": part.moved }))
        .collect();
    let object = json!({
        "id": id.display(&entity.prefix), "version": merged.version, "merges": parts, "dry_run": preferences(&head.headers).dry_run,
    });
    let mut response = answer::json(StatusCode::OK, &object);
    set_etag(response.headers_mut(), merged.version);
    Ok(response)
}

/// What a merge takes from its headers: done again it finds the others merged, which no key has to remember.
fn options(head: &EntityHead) -> Result<WriteOptions, Problem> {
    let options = head.options()?;
    if options.idempotency_key.is_some() {
        let message = "is not known for merges";
        return Err(Problem::new("WEB400", format!("the header `Idempotency-Key` {message}"))
            .with_hint("leave it out: a merge that is asked for again finds the others merged and changes nothing")
            .with_fault("Idempotency-Key", "not_supported", message, json!({})));
    }
    Ok(options)
}

fn read(catalog: &Catalog, entity: &Entity, asked: &Value) -> Result<MergeRequest, Problem> {
    let fault = |path: String, code: &str, message: &str| {
        Problem::new("WEB422", "the body names nothing to merge")
            .with_hint("send `{\"from\": [ids of those that go], \"take\": {field: id}}`")
            .with_fault(path, code, message, json!({}))
    };
    let Some(map) = asked.as_object() else { return Err(fault(String::new(), "not_an_object", "must be an object of `from` and `take`")) };
    if let Some(name) = map.keys().find(|name| !matches!(name.as_str(), "from" | "take")) {
        return Err(fault(pointer(name), "unknown_property", "is not known here; there are `from` and `take`"));
    }
    let id_of = |value: &Value| value.as_str().and_then(|text| parse_id(catalog, entity.ix, text));
    let mut from = Vec::new();
    let listed = map.get("from").and_then(Value::as_array).ok_or_else(|| fault("/from".to_owned(), "required", "must be a list of ids"))?;
    for (position, value) in listed.iter().enumerate() {
        let bad = || fault(format!("/from/{position}"), "bad_id", &format!("must be the id of a {}", entity.slug));
        from.push(id_of(value).ok_or_else(bad)?);
    }
    let mut take = Vec::new();
    if let Some(taken) = map.get("take").filter(|taken| !taken.is_null()) {
        let taken = taken.as_object().ok_or_else(|| fault("/take".to_owned(), "not_an_object", "must be fields with ids"))?;
        for (name, value) in taken {
            let place = || format!("/take{}", pointer(name));
            let field = entity.find_field(name).ok_or_else(|| fault(place(), "unknown_field", "is not a field of it"))?;
            let id = id_of(value).ok_or_else(|| fault(place(), "bad_id", &format!("must be the id of a {}", entity.slug)))?;
            take.push((field.ix, id));
        }
    }
    Ok(MergeRequest { from, take })
}

/// `GET /records/{entity}/{id}/merges`
pub(super) async fn list(head: EntityHead) -> Result<Response, Problem> {
    let id = head.id()?;
    head.params(&[])?;
    head.requester.may_read(&head.catalog, [head.entity().ix])?;
    let entity = head.entity();
    if !head.state.records.reads(&head.actor, &head.catalog, entity.ix, id).await? {
        return Err(locate::no_record(entity, head.part("id")));
    }
    let found = head.state.records.merges(id).await?;
    let user = head.catalog.find_entity("core.user").map_or("user", |user| user.prefix.as_str());
    let data: Vec<Value> = found
        .iter()
        .map(|merge| {
            json!({
                "id": merge.id.display(MERGE_PREFIX),
                "from": merge.from.display(&entity.prefix),
                "at": merge.at.to_string(),
                "by": merge.actor.map(|actor| actor.display(user)),
                "undone_at": merge.undone_at.map(|at| at.to_string()),
            })
        })
        .collect();
    Ok(answer::json(StatusCode::OK, &json!({ "data": data })))
}

/// `POST /records/{entity}/{id}/merges/{merge}/undo`
pub(super) async fn undo(head: EntityHead) -> Result<Response, Problem> {
    let (id, options) = (head.id()?, options(&head)?);
    head.requester.may_write_input(&head.catalog, head.entity(), &Input::default())?;
    let merge = RecordId::parse(head.part("merge")).filter(|(prefix, _)| *prefix == MERGE_PREFIX).ok_or_else(Problem::not_found)?.1;
    let entity = head.entity();
    let done = head.state.records.unmerge(&head.actor, &head.catalog, entity.ix, id, merge, options).await?;
    let object = json!({
        "id": id.display(&entity.prefix),
        "from": done.from.display(&entity.prefix),
        "moved": done.moved,
        "kept_fields": done.kept_fields,
        "kept_links": done.kept_links,
        "dry_run": preferences(&head.headers).dry_run,
    });
    Ok(answer::json(StatusCode::OK, &object))
}

/// Where a record is that is not there any more, when it was merged into one that the asker may read.
pub(super) async fn elsewhere(head: &EntityHead) -> Result<Option<Response>, Problem> {
    let entity = head.entity();
    if !entity.is_mergeable() {
        return Ok(None);
    }
    let Some(into) = head.state.records.merged_into(&head.actor, &head.catalog, entity.ix, head.id()?).await? else { return Ok(None) };
    let into = into.display(&entity.prefix);
    let mut response = answer::json(StatusCode::MOVED_PERMANENTLY, &json!({ "merged_into": into }));
    if let Ok(place) = HeaderValue::from_str(&format!("/api/v1/records/{}/{into}", entity.slug)) {
        response.headers_mut().insert(LOCATION, place);
    }
    Ok(Some(response))
}
