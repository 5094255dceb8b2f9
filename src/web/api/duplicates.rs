//! Whether there is such a record already.

use axum::body::Body;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;

use super::answer;
use super::body::JSON;
use super::head::EntityHead;
use crate::record::{Duplicates, Input};
use crate::web::Problem;

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
