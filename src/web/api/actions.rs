//! Custom actions of a record: the buttons of its page.

use axum::body::Body;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::Response;
use serde_json::{Value, json};

use super::answer;
use super::body::{JSON, expect_media_type, parse_json, read_bytes};
use super::head::EntityHead;
use crate::automation::run_button;
use crate::query::{Deleted, GetRequest, default_select};
use crate::web::Problem;

/// `POST /records/{entity}/{id}/actions/{name}`: a JSON body, if there is one, is what the script sees as `ctx.payload`.
pub(super) async fn run(head: EntityHead, body: Body) -> Result<Response, Problem> {
    let (entity, id, name) = (head.entity(), head.id()?, head.part("name"));
    if !entity.buttons.iter().any(|button| button.id == name) {
        return Err(Problem::not_found());
    }
    head.params(&[])?;
    let bytes = read_bytes(body, head.state.config.body_limit_bytes).await?;
    let payload = if bytes.is_empty() && !head.headers.contains_key(CONTENT_TYPE) {
        Value::Null
    } else {
        expect_media_type(&head.headers, JSON)?;
        parse_json(&bytes)?
    };
    let done = run_button(&head.state.automation, &head.state.records, &head.actor, entity.ix, id, name, payload).await?;
    let request = GetRequest { entity: entity.ix, id, select: default_select(entity), deleted: Deleted::Live };
    let mut text = format!("{{\"answer\":{},\"warnings\":{},\"record\":", done.answer, json!(done.warnings));
    match head.state.records.get(&head.actor, &head.catalog, request).await? {
        Some(row) => row.write_json(&mut text),
        None => text.push_str("null"),
    }
    text.push('}');
    Ok(answer::json_text(StatusCode::OK, text))
}
