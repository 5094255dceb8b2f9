//! Endpoints that are told over HTTP what happens to records, for administrators, and what was sent to them.

use axum::body::Body;
use axum::http::{StatusCode, header};
use axum::response::Response;
use serde_json::{Map, Value, json};

use super::answer;
use super::head::Head;
use super::identity::{bad, read_object, texts};
use super::paging::{MOST, Paging, bad_parameter};
use crate::base::RecordId;
use crate::jobs::endpoints::{self, Asked, Made};
use crate::jobs::webhooks::message_id;
use crate::record::RecordError;
use crate::store::StoreError;
use crate::store::webhooks::{self, Delivery, STATES, Webhook};
use crate::web::Problem;

/// `GET /webhooks`
pub(super) async fn list(head: Head) -> Result<Response, Problem> {
    head.administrator()?;
    let found = webhooks::list(head.state.records.store()).await.map_err(failed)?;
    let data: Vec<Value> = found.iter().map(|endpoint| to_json(&head, endpoint)).collect();
    Ok(answer::json(StatusCode::OK, &json!({ "data": data })))
}

/// `GET /webhooks/{id}`
pub(super) async fn get(head: Head) -> Result<Response, Problem> {
    head.administrator()?;
    let endpoint = endpoint(&head).await?;
    Ok(answer::json(StatusCode::OK, &to_json(&head, &endpoint)))
}

/// `POST /webhooks`: the answer is the only one with the secret.
pub(super) async fn make(head: Head, body: Body) -> Result<Response, Problem> {
    head.fresh_administrator()?;
    let asked = read_object(&head, body, &["name", "url", "events", "active"]).await?;
    let asked = read(&asked, Asked { is_active: true, ..Asked::default() })?;
    let edit = endpoints::check(&head.catalog, &asked).map_err(|fault| bad(&format!("/{}", fault.field), &fault.message))?;
    let by = head.requester.identity()?.user.0;
    let (id, secret) = done(endpoints::make(head.state.records.store(), edit, by).await.map_err(failed)?)?;
    let endpoint = webhooks::get(head.state.records.store(), id).await.map_err(failed)?.ok_or_else(Problem::not_found)?;
    let mut told = to_json(&head, &endpoint);
    told["secret"] = secret.into();
    Ok(unkept(answer::json(StatusCode::CREATED, &told)))
}

/// `PATCH /webhooks/{id}`
pub(super) async fn change(head: Head, body: Body) -> Result<Response, Problem> {
    head.fresh_administrator()?;
    let endpoint = endpoint(&head).await?;
    let asked = read_object(&head, body, &["name", "url", "events", "active"]).await?;
    let now = Asked {
        name: endpoint.name.clone(),
        url: endpoint.url.clone(),
        events: endpoints::words(&head.catalog, &endpoint.events),
        is_active: endpoint.is_active,
    };
    let asked = read(&asked, now)?;
    let edit = endpoints::check(&head.catalog, &asked).map_err(|fault| bad(&format!("/{}", fault.field), &fault.message))?;
    done(endpoints::change(head.state.records.store(), endpoint.id, edit).await.map_err(failed)?)?;
    let endpoint = self::endpoint(&head).await?;
    Ok(answer::json(StatusCode::OK, &to_json(&head, &endpoint)))
}

/// `DELETE /webhooks/{id}`
pub(super) async fn delete(head: Head) -> Result<Response, Problem> {
    head.fresh_administrator()?;
    let endpoint = endpoint(&head).await?;
    endpoints::delete(head.state.records.store(), &endpoint).await.map_err(failed)?;
    Ok(answer::empty(StatusCode::NO_CONTENT))
}

/// `POST /webhooks/{id}/rotate`: another secret, told this once.
pub(super) async fn rotate(head: Head) -> Result<Response, Problem> {
    head.fresh_administrator()?;
    let endpoint = endpoint(&head).await?;
    let secret = done(endpoints::rotate(head.state.records.store(), &endpoint).await.map_err(failed)?)?;
    let former = webhooks::get(head.state.records.store(), endpoint.id).await.map_err(failed)?.and_then(|endpoint| endpoint.former_until);
    Ok(unkept(answer::json(StatusCode::OK, &json!({ "secret": secret, "former_until": former.map(|at| at.to_string()) }))))
}

/// `POST /webhooks/{id}/test`
pub(super) async fn test(head: Head) -> Result<Response, Problem> {
    head.administrator()?;
    let endpoint = endpoint(&head).await?;
    let id = endpoints::test(head.state.records.store(), endpoint.id).await.map_err(failed)?;
    Ok(answer::json(StatusCode::ACCEPTED, &json!({ "delivery": id.to_string(), "message": message_id(id) })))
}

/// `GET /webhooks/{id}/deliveries`
pub(super) async fn deliveries(head: Head) -> Result<Response, Problem> {
    head.requester.administrator()?;
    let endpoint = endpoint(&head).await?;
    let params = head.params(&["state", "before", "limit"])?;
    let state = params.get("state");
    if state.is_some_and(|state| !STATES.contains(&state)) {
        return Err(bad_parameter("state", &format!("must be one of {}", STATES.join(", "))));
    }
    let paging = Paging::read(&params, "a delivery", MOST)?;
    let store = head.state.records.store();
    let mut found =
        webhooks::deliveries(store, endpoint.id, state, paging.before.unwrap_or(i64::MAX), paging.wanted()).await.map_err(failed)?;
    let next = paging.cut(&mut found, |one| one.id);
    let data: Vec<Value> = found.iter().map(delivery_json).collect();
    Ok(answer::json(StatusCode::OK, &json!({ "data": data, "next": next })))
}

/// `POST /webhooks/{id}/deliveries/{delivery}/send`: once more, with the same id.
pub(super) async fn send_again(head: Head) -> Result<Response, Problem> {
    head.administrator()?;
    let endpoint = endpoint(&head).await?;
    let id = head.part("delivery").parse().map_err(|_| Problem::not_found())?;
    match endpoints::send_again(head.state.records.store(), endpoint.id, id).await.map_err(failed)? {
        Some(_) => Ok(answer::empty(StatusCode::ACCEPTED)),
        None => Err(Problem::not_found()),
    }
}

async fn endpoint(head: &Head) -> Result<Webhook, Problem> {
    let id = head.part("id").parse().map_err(|_| Problem::not_found())?;
    webhooks::get(head.state.records.store(), id).await.map_err(failed)?.ok_or_else(Problem::not_found)
}

/// What was said, over what is so now.
fn read(asked: &Map<String, Value>, now: Asked) -> Result<Asked, Problem> {
    let text = |name: &str, now: String| match asked.get(name) {
        None => Ok(now),
        Some(Value::String(text)) => Ok(text.clone()),
        Some(_) => Err(bad(&format!("/{name}"), "must be a text")),
    };
    let events = match asked.get("events") {
        None => now.events,
        Some(list) => texts(list).ok_or_else(|| bad("/events", "must be a list such as `[\"deal.created\", \"account.*\"]`"))?,
    };
    let is_active = match asked.get("active") {
        None => now.is_active,
        Some(Value::Bool(is)) => *is,
        Some(_) => return Err(bad("/active", "must be true or false")),
    };
    Ok(Asked { name: text("name", now.name)?, url: text("url", now.url)?, events, is_active })
}

fn done<T>(made: Made<T>) -> Result<T, Problem> {
    match made {
        Made::Done(it) => Ok(it),
        Made::Taken => Err(bad("/name", "is taken: another endpoint has this name")),
        Made::Gone => Err(Problem::not_found()),
        Made::TooMany => Err(RecordError::State { message: "there are as many endpoints as there may be".to_owned() }.into()),
    }
}

fn to_json(head: &Head, endpoint: &Webhook) -> Value {
    let user = head.catalog.find_entity("core.user").map_or("user", |entity| entity.prefix.as_str());
    json!({
        "id": endpoint.id.to_string(), "name": endpoint.name, "url": endpoint.url,
        "events": endpoints::words(&head.catalog, &endpoint.events), "active": endpoint.is_active, "stopped_why": endpoint.stopped_why,
        "failures": endpoint.failures, "failing_since": endpoint.failing_since.map(|at| at.to_string()),
        "former_until": endpoint.former_until.filter(|until| *until > head.state.clock.now()).map(|at| at.to_string()),
        "made_by": (endpoint.made_by != 0).then(|| RecordId(endpoint.made_by).display(user)), "made_at": endpoint.made_at.to_string(),
    })
}

fn delivery_json(one: &Delivery) -> Value {
    json!({
        "id": one.id.to_string(), "message": message_id(one.id), "type": one.kind, "body": one.body, "state": one.state,
        "attempts": one.attempts, "status": one.status, "error": one.error, "took_ms": one.took_ms,
        "run": one.step.as_ref().map(|(run, _)| run.to_string()), "made_at": one.made_at.to_string(),
        "sent_at": one.sent_at.map(|at| at.to_string()),
    })
}

fn unkept(mut response: Response) -> Response {
    response.headers_mut().insert(header::CACHE_CONTROL, header::HeaderValue::from_static("no-store"));
    response
}

fn failed(error: StoreError) -> Problem {
    RecordError::from(error).into()
}
