//! Custom actions of a record: the buttons of its page.

use axum::body::Body;
use axum::extract::{RawQuery, State as Shared};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::{Value, json};

use super::answer;
use super::body::{JSON, expect_media_type, parse_json, read_bytes};
use super::locate::{self, Located};
use crate::automation::run_button;
use crate::query::{Deleted, GetRequest, default_select};
use crate::web::{Problem, Requester, State};

/// `POST /records/{entity}/{id}/actions/{name}`: a JSON body, if there is one, is what the script sees as `ctx.payload`.
pub(super) async fn run(
    Shared(state): Shared<State>,
    requester: Requester,
    Located((slug, id_text, name)): Located<(String, String, String)>,
    RawQuery(raw): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let catalog = state.catalog();
    let entity = locate::entity(&catalog, &slug)?;
    let id = locate::record_id(&catalog, entity, &id_text)?;
    if !entity.buttons.iter().any(|button| button.id == name) {
        return Err(Problem::not_found());
    }
    locate::only_params(raw.as_deref(), &[])?;
    let bytes = read_bytes(body, state.config.body_limit_bytes).await?;
    let payload = if bytes.is_empty() && !headers.contains_key(CONTENT_TYPE) {
        Value::Null
    } else {
        expect_media_type(&headers, JSON)?;
        parse_json(&bytes)?
    };
    let actor = requester.actor(&catalog);
    let done = run_button(&state.automation, &state.records, &actor, entity.ix, id, &name, payload).await?;
    let request = GetRequest { entity: entity.ix, id, select: default_select(entity), deleted: Deleted::Live };
    let mut text = format!("{{\"answer\":{},\"warnings\":{},\"record\":", done.answer, json!(done.warnings));
    match state.records.get(&actor, &catalog, request).await? {
        Some(row) => row.write_json(&mut text),
        None => text.push_str("null"),
    }
    text.push('}');
    Ok(answer::json_text(StatusCode::OK, text))
}
