//! Reading records: lists, one record, groups and measures, history, the feed of changes.

use axum::body::Body;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};

use super::answer;
use super::body::JSON;
use super::head::{EntityHead, Head};
use super::headers::{has_version, set_etag};
use super::locate;
use super::stream;
use crate::access::{entities_of_aggregate, entities_of_get, entities_of_list};
use crate::query::{self, Params};
use crate::record::{ChangeEvent, HistoryEntry, Page, Row};
use crate::schema::catalog::{Catalog, Entity, FieldType};
use crate::web::Problem;

/// `GET /records/{entity}`
pub(super) async fn list(mut head: EntityHead) -> Result<Response, Problem> {
    let page = match listed(&head).await {
        Err(refused) if head.may_be_known_now(&refused).await => listed(&head).await?,
        outcome => outcome?,
    };
    Ok(page_answer(&page))
}

async fn listed(head: &EntityHead) -> Result<Page, Problem> {
    if head.requester.limits().is_some() {
        let asked =
            query::parse_list(&head.catalog, head.state.records.cursor_key(), head.entity().ix, &Params::parse(head.query_text()?))?;
        head.requester.may_read(&head.catalog, entities_of_list(&head.catalog, &asked))?;
    }
    Ok(head.state.records.list_url(&head.actor, &head.catalog, head.entity().ix, head.query_text()?).await?)
}

/// `POST /records/{entity}/query`
pub(super) async fn query_list(mut head: EntityHead, body: Body) -> Result<Response, Problem> {
    head.params(&[])?;
    let asked = head.json(body, JSON).await?;
    let request =
        head.read(|head| Ok(query::parse_list_json(&head.catalog, head.state.records.cursor_key(), head.entity().ix, &asked)?)).await?;
    if head.requester.limits().is_some() {
        head.requester.may_read(&head.catalog, entities_of_list(&head.catalog, &request))?;
    }
    let page = head.state.records.list(&head.actor, &head.catalog, request).await?;
    Ok(page_answer(&page))
}

pub(super) fn page_answer(page: &Page) -> Response {
    let mut text = String::with_capacity(256 + page.rows.len() * 512);
    text.push_str("{\"data\":");
    page.write_json(&mut text);
    text.push_str(",\"next_cursor\":");
    match &page.next_cursor {
        Some(cursor) => text.push_str(&Value::String(cursor.clone()).to_string()),
        None => text.push_str("null"),
    }
    if let Some(total) = page.count {
        text.push_str(&format!(",\"total\":{{\"value\":{},\"exact\":{}}}", total.value, total.exact));
    }
    text.push('}');
    answer::json_text(StatusCode::OK, text)
}

/// `GET /records/{entity}/{id}`
pub(super) async fn get(mut head: EntityHead) -> Result<Response, Problem> {
    let row = match got(&head).await {
        Err(refused) if head.may_be_known_now(&refused).await => got(&head).await?,
        outcome => outcome?,
    };
    let (entity, text) = (head.entity(), head.query_text()?);
    let Some(row) = row else {
        return super::merge::elsewhere(&head).await?.ok_or_else(|| locate::no_record(entity, head.part("id")));
    };
    if text.is_empty() && has_version(&head.headers, row.version()) && head.catalog.whole.is_none() && version_says_all(entity) {
        let mut response = answer::empty(StatusCode::NOT_MODIFIED);
        set_etag(response.headers_mut(), row.version());
        return Ok(response);
    }
    Ok(answer::record(StatusCode::OK, &row))
}

async fn got(head: &EntityHead) -> Result<Option<Row>, Problem> {
    if head.requester.limits().is_some() {
        let asked = query::parse_get(&head.catalog, head.entity().ix, head.id()?, &Params::parse(head.query_text()?))?;
        head.requester.may_read(&head.catalog, entities_of_get(&head.catalog, &asked))?;
    }
    Ok(head.state.records.get_url(&head.actor, &head.catalog, head.entity().ix, head.id()?, head.query_text()?).await?)
}

/// Whether nothing in a record's representation can change without its version: no value is computed while reading.
fn version_says_all(entity: &Entity) -> bool {
    entity.fields.iter().all(|field| match &field.ty {
        FieldType::Lookup { .. } => false,
        FieldType::Formula { stored, .. } | FieldType::Rollup { stored, .. } => *stored,
        _ => true,
    })
}

/// `POST /records/{entity}/aggregate`
pub(super) async fn aggregate(mut head: EntityHead, body: Body) -> Result<Response, Problem> {
    head.params(&[])?;
    let asked = head.json(body, JSON).await?;
    let request = head.read(|head| Ok(query::parse_aggregate_json(&head.catalog, head.entity().ix, &asked)?)).await?;
    if head.requester.limits().is_some() {
        head.requester.may_read(&head.catalog, entities_of_aggregate(&head.catalog, &request))?;
    }
    let rows = head.state.records.aggregate(&head.actor, &head.catalog, request).await?;
    Ok(answer::json(StatusCode::OK, &json!({ "data": rows })))
}

/// `GET /records/{entity}/{id}/history`
pub(super) async fn history(head: EntityHead) -> Result<Response, Problem> {
    let id = head.id()?;
    let params = head.params(&["cursor", "limit"])?;
    let limit = u32::try_from(locate::number(&params, "limit", 50, 1..=200)?).unwrap_or(50);
    let page = head.state.records.history(&head.actor, head.entity().ix, id, params.get("cursor"), limit).await?;
    let data: Vec<Value> = page.entries.iter().map(|entry| history_entry(&head.catalog, entry)).collect();
    Ok(answer::json(StatusCode::OK, &json!({ "data": data, "next_cursor": page.next_cursor })))
}

fn history_entry(catalog: &Catalog, entry: &HistoryEntry) -> Value {
    let changes: Vec<Value> = entry
        .changes
        .iter()
        .map(|change| json!({ "field": change.field, "old": change.old, "new": change.new, "by_script": change.by_script }))
        .collect();
    json!({
        "version": entry.version,
        "kind": entry.kind,
        "at": entry.at.to_string(),
        "by": user_text(catalog, entry.by),
        "source": entry.source,
        "changes": changes,
    })
}

/// `GET /changes`
pub(super) async fn changes(head: Head) -> Result<Response, Problem> {
    if stream::is_wanted(&head.headers) {
        return stream::open(head).await;
    }
    let params = head.params(&["since", "limit"])?;
    let since = locate::number(&params, "since", 0, 0..=i64::MAX)?;
    let since = params.get("since").map(|_| since);
    let limit = u32::try_from(locate::number(&params, "limit", 100, 1..=1000)?).unwrap_or(100);
    let page = head.state.records.changes(&head.actor, since, limit).await?;
    let data: Vec<Value> = page.events.iter().map(|event| change_event(&head.catalog, event)).collect();
    Ok(answer::json(StatusCode::OK, &json!({ "data": data, "next": page.next, "more": page.more })))
}

pub(super) fn change_event(catalog: &Catalog, event: &ChangeEvent) -> Value {
    let entity = catalog.entity(event.entity);
    json!({
        "seq": event.seq,
        "at": event.at.to_string(),
        "kind": event.kind,
        "entity": entity.slug,
        "id": event.id.display(&entity.prefix),
        "version": event.version,
        "changed": event.changed,
        "by": user_text(catalog, event.by),
    })
}

/// The id of a `core.user`; null for the system.
fn user_text(catalog: &Catalog, user: Option<crate::base::RecordId>) -> Option<String> {
    let prefix = catalog.find_entity("core.user").map_or("user", |entity| entity.prefix.as_str());
    user.map(|id| id.display(prefix))
}
