//! The shares of a record: with whom, how far, until when.

use axum::body::Body;
use axum::http::StatusCode;
use axum::http::header::{HeaderValue, IF_MATCH, LOCATION};
use axum::response::Response;
use serde_json::{Map, Value, json};

use super::answer;
use super::body::{JSON, PATCH};
use super::head::EntityHead;
use super::headers::{PREFERENCE_APPLIED, preferences};
use crate::access::ShareWith;
use crate::base::{DateTime, RecordId};
use crate::record::{NewShare, ShareChange};
use crate::schema::catalog::Catalog;
use crate::store::shares::Share;
use crate::web::Problem;

const PREFIX: &str = "share";

/// `GET /records/{entity}/{id}/shares`
pub(super) async fn list(head: EntityHead) -> Result<Response, Problem> {
    let id = head.id()?;
    head.params(&[])?;
    let shares = head.state.records.shares(&head.actor, &head.catalog, head.entity().ix, id).await?;
    let data: Vec<Value> = shares.iter().map(|share| share_json(&head.catalog, share)).collect();
    Ok(answer::json(StatusCode::OK, &json!({ "data": data })))
}

/// `POST /records/{entity}/{id}/shares`: in place of what was shared with the same person, team or role.
pub(super) async fn add(head: EntityHead, body: Body) -> Result<Response, Problem> {
    let id = head.id()?;
    let dry_run = dry_run(&head)?;
    let asked = object(head.json(body, JSON).await?, &["person", "team", "role", "may", "until"])?;
    let new = NewShare {
        with: with(&head.catalog, &asked)?,
        may_edit: may(&asked)?.unwrap_or(false),
        ends_at: until(&asked)?.unwrap_or_default(),
    };
    let (share, is_new) = head.state.records.share(&head.actor, &head.catalog, head.entity().ix, id, new, dry_run).await?;
    let status = if is_new && !dry_run { StatusCode::CREATED } else { StatusCode::OK };
    let mut response = answer::json(status, &share_json(&head.catalog, &share));
    let place = format!("/api/v1/records/{}/{}/shares/{}", head.entity().slug, head.part("id"), share.id.display(PREFIX));
    if let (true, Ok(place)) = (is_new && !dry_run, HeaderValue::from_str(&place)) {
        response.headers_mut().insert(LOCATION, place);
    }
    Ok(told(response, dry_run))
}

/// `PATCH /records/{entity}/{id}/shares/{share}`
pub(super) async fn change(head: EntityHead, body: Body) -> Result<Response, Problem> {
    let (id, share) = (head.id()?, share_of(&head)?);
    let dry_run = dry_run(&head)?;
    let asked = object(head.json(body, PATCH).await?, &["may", "until"])?;
    let change = ShareChange { may_edit: may(&asked)?, ends_at: until(&asked)? };
    let changed = head.state.records.change_share(&head.actor, &head.catalog, head.entity().ix, id, share, change, dry_run).await?;
    let changed = changed.ok_or_else(Problem::not_found)?;
    Ok(told(answer::json(StatusCode::OK, &share_json(&head.catalog, &changed)), dry_run))
}

/// `DELETE /records/{entity}/{id}/shares/{share}`
pub(super) async fn end(head: EntityHead) -> Result<Response, Problem> {
    let (id, share) = (head.id()?, share_of(&head)?);
    let dry_run = dry_run(&head)?;
    match head.state.records.end_share(&head.actor, &head.catalog, head.entity().ix, id, share, dry_run).await? {
        true => Ok(told(answer::empty(StatusCode::NO_CONTENT), dry_run)),
        false => Err(Problem::not_found()),
    }
}

/// Whether nothing shall be kept; a header that would be passed over is refused.
fn dry_run(head: &EntityHead) -> Result<bool, Problem> {
    head.params(&[])?;
    for (header, name) in [(IF_MATCH.as_str(), "If-Match"), ("idempotency-key", "Idempotency-Key")] {
        if head.headers.contains_key(header) {
            let message = "is not known for shares";
            return Err(Problem::new("WEB400", format!("the header `{name}` {message}"))
                .with_hint("leave it out: a share has no version, and sharing once more with the same person, team or role is one share")
                .with_fault(name, "not_supported", message, json!({})));
        }
    }
    Ok(preferences(&head.headers).dry_run)
}

fn told(mut response: Response, dry_run: bool) -> Response {
    if dry_run {
        response.headers_mut().insert(PREFERENCE_APPLIED, HeaderValue::from_static("dry-run"));
    }
    response
}

fn share_of(head: &EntityHead) -> Result<RecordId, Problem> {
    let found = RecordId::parse(head.part("share")).filter(|(prefix, _)| *prefix == PREFIX);
    found.map(|(_, id)| id).ok_or_else(Problem::not_found)
}

fn share_json(catalog: &Catalog, share: &Share) -> Value {
    let shown = |entity: &str, id: RecordId| {
        id.display(catalog.whole.as_deref().unwrap_or(catalog).find_entity(entity).map_or("", |found| &found.prefix))
    };
    let mut object = json!({
        "id": share.id.display(PREFIX),
        "person": null,
        "team": null,
        "role": null,
        "may": if share.may_edit { "edit" } else { "read" },
        "until": share.ends_at.map(|at| at.to_string()),
        "created_at": share.created_at.to_string(),
        "created_by": (share.created_by != 0).then(|| shown("core.user", RecordId(share.created_by))),
    });
    object[share.with.word()] = match &share.with {
        ShareWith::Person(id) => shown("core.user", *id).into(),
        ShareWith::Team(id) => shown("core.team", *id).into(),
        ShareWith::Role(role) => role.as_str().into(),
    };
    object
}

fn object(body: Value, known: &[&str]) -> Result<Map<String, Value>, Problem> {
    let Value::Object(map) = body else { return Err(bad("", "must be an object")) };
    match map.keys().find(|name| !known.contains(&name.as_str())) {
        Some(name) => Err(bad(&crate::record::pointer(name), &format!("is not known here; there are {}", known.join(", ")))),
        None => Ok(map),
    }
}

/// Exactly one of a person, a team and a role.
fn with(catalog: &Catalog, asked: &Map<String, Value>) -> Result<ShareWith, Problem> {
    let named: Vec<(&str, &Value)> = ["person", "team", "role"]
        .into_iter()
        .filter_map(|name| Some((name, asked.get(name)?)))
        .filter(|(_, value)| !value.is_null())
        .collect();
    let [(name, value)] = named[..] else { return Err(bad("", "must name one of `person`, `team` and `role`")) };
    let path = format!("/{name}");
    let text = value.as_str().filter(|text| !text.contains('\0')).ok_or_else(|| bad(&path, "must be a text"))?;
    let id = |entity: &str| {
        let whole = catalog.whole.as_deref().unwrap_or(catalog);
        let found = whole.find_entity(entity).and_then(|entity| crate::record::parse_id(whole, entity.ix, text));
        found.ok_or_else(|| bad(&path, &format!("must be the id of a {name}")))
    };
    Ok(match name {
        "person" => ShareWith::Person(id("core.user")?),
        "team" => ShareWith::Team(id("core.team")?),
        _ => ShareWith::Role(text.to_owned()),
    })
}

fn may(asked: &Map<String, Value>) -> Result<Option<bool>, Problem> {
    match asked.get("may").map(Value::as_str) {
        None => Ok(None),
        Some(Some("read")) => Ok(Some(false)),
        Some(Some("edit")) => Ok(Some(true)),
        Some(_) => Err(bad("/may", "must be `read` or `edit`")),
    }
}

/// `Some(None)`: without an end.
fn until(asked: &Map<String, Value>) -> Result<Option<Option<DateTime>>, Problem> {
    match asked.get("until") {
        None => Ok(None),
        Some(Value::Null) => Ok(Some(None)),
        Some(value) => {
            let at = value.as_str().and_then(DateTime::parse);
            at.map(|at| Some(Some(at))).ok_or_else(|| bad("/until", "must be a moment such as `2027-01-31T18:00:00Z`, or null"))
        }
    }
}

fn bad(path: &str, message: &str) -> Problem {
    Problem::new("WEB422", "the body has not the shape of this request").with_fault(path, "bad_shape", message, json!({}))
}
