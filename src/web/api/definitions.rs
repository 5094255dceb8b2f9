//! Definitions over the API: check, plan, apply, versions; and what programs learn about the catalog.

use axum::body::Body;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Map, Value, json};

use super::answer;
use super::body::{JSON, read_json};
use super::head::{EntityHead, Head};
use crate::contract;
use crate::web::{Problem, SourceFile};

/// Definitions may be larger than records.
const LIMIT_BYTES: usize = 16 * 1024 * 1024;

/// `POST /definitions/check`
pub(super) async fn check(head: Head, body: Body) -> Result<Response, Problem> {
    head.administrator()?;
    let asked = asked(&head, body, &["files"]).await?;
    Ok(answer::json(StatusCode::OK, &head.state.definitions.check(files(&asked)?).await?))
}

/// `POST /definitions/plan`
pub(super) async fn plan(head: Head, body: Body) -> Result<Response, Problem> {
    head.administrator()?;
    let asked = asked(&head, body, &["files"]).await?;
    Ok(answer::json(StatusCode::OK, &head.state.definitions.plan(files(&asked)?).await?))
}

/// `POST /definitions/apply`
pub(super) async fn apply(head: Head, body: Body) -> Result<Response, Problem> {
    let by = head.fresh_administrator()?.user.0;
    let asked = asked(&head, body, &["files", "plan", "accept"]).await?;
    let plan = match asked.get("plan") {
        None | Some(Value::Null) => None,
        Some(Value::String(id)) => Some(id.clone()),
        Some(_) => return Err(bad("/plan", "must be the id of a plan")),
    };
    let accept = match asked.get("accept") {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(items)) => items
            .iter()
            .map(|item| item.as_str().map(str::to_owned).ok_or_else(|| bad("/accept", "must be a list of texts")))
            .collect::<Result<_, _>>()?,
        Some(_) => return Err(bad("/accept", "must be a list of texts such as `lossy:fld_s2`")),
    };
    Ok(answer::json(StatusCode::OK, &head.state.definitions.apply(files(&asked)?, plan, accept, by).await?))
}

/// `GET /definitions/versions`
pub(super) async fn versions(head: Head) -> Result<Response, Problem> {
    head.administrator()?;
    Ok(answer::json(StatusCode::OK, &json!({ "data": head.state.definitions.versions().await? })))
}

async fn asked(head: &Head, body: Body, known: &[&str]) -> Result<Map<String, Value>, Problem> {
    let Value::Object(map) = read_json(&head.headers, body, JSON, LIMIT_BYTES).await? else {
        return Err(bad("", "must be an object"));
    };
    if let Some(name) = map.keys().find(|name| !known.contains(&name.as_str())) {
        return Err(bad(&crate::record::pointer(name), &format!("is not known here; there are {}", known.join(", "))));
    }
    Ok(map)
}

fn bad(path: &str, message: &str) -> Problem {
    Problem::new("WEB422", "the body has not the shape of this request")
        .with_hint("`{}` means the server's own definitions; else `{\"files\": [{\"path\": \"crm/entities/deal.yaml\", \"text\": \"…\"}]}`")
        .with_fault(path, "bad_shape", message, json!({}))
}

fn files(asked: &Map<String, Value>) -> Result<Vec<SourceFile>, Problem> {
    let list = match asked.get("files") {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Array(list)) => list,
        Some(_) => return Err(bad("/files", "must be a list")),
    };
    if list.len() > 5000 {
        return Err(bad("/files", "more than 5000 files"));
    }
    list.iter()
        .enumerate()
        .map(|(index, file)| {
            let text = |name: &str| file.get(name).and_then(Value::as_str).map(str::to_owned);
            let (Some(path), Some(text)) = (text("path"), text("text")) else {
                return Err(bad(&format!("/files/{index}"), "must be `{path, text}`"));
            };
            let is_inside = !path.is_empty()
                && !path.starts_with('/')
                && !path.contains('\\')
                && path.split('/').all(|part| !matches!(part, "" | "." | ".."));
            if !is_inside || path.len() > 300 {
                return Err(bad(&format!("/files/{index}/path"), "must be a path below the definitions folder"));
            }
            Ok(SourceFile { path, text })
        })
        .collect()
}

/// `GET /schema/{entity}`
pub(super) async fn schema(head: EntityHead) -> Result<Response, Problem> {
    head.signed_in()?;
    Ok(answer::json(StatusCode::OK, &contract::entity_schema(&head.catalog, head.entity())))
}

/// `GET /schema`: the entities there are.
pub(super) async fn schemas(head: Head) -> Result<Response, Problem> {
    head.signed_in()?;
    let data: Vec<Value> = head
        .catalog
        .known_entities()
        .map(|entity| {
            json!({
                "entity": entity.slug,
                "id": entity.id,
                "prefix": entity.prefix,
                "label": entity.label.get(head.requester.locale),
                "label_plural": entity.label_plural.get(head.requester.locale),
                "junction": entity.is_junction,
                "schema": format!("/api/v1/schema/{}", entity.slug),
                "records": format!("/api/v1/records/{}", entity.slug),
            })
        })
        .collect();
    Ok(answer::json(StatusCode::OK, &json!({ "data": data, "version": head.catalog.version })))
}

/// `GET /openapi.json`
pub(super) async fn openapi(head: Head) -> Result<Response, Problem> {
    head.signed_in()?;
    Ok(answer::json_text(
        StatusCode::OK,
        head.state.openapi_text(&head.catalog, head.actor.view(&head.catalog.whole())).as_ref().to_owned(),
    ))
}
