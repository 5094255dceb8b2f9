//! People as an administrator has to do with them: inviting, shutting out with handing records over, letting in again.
//! All of it wants a proof of who asks that is a short time old; what a person is called is a record of `core.user`.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use serde_json::{Value, json};

use super::answer;
use super::head::Head;
use super::identity::{bad, read_object, texts};
use crate::auth::{Invitation, Invited};
use crate::base::RecordId;
use crate::record::parse_id;
use crate::web::{Problem, mailing};

/// `GET /people`
pub(super) async fn people(head: Head) -> Result<Response, Problem> {
    head.administrator()?;
    let people = head.state.auth.people().await?;
    let data: Vec<Value> = people
        .iter()
        .map(|person| {
            json!({
                "id": display(&head, person.id), "name": person.name, "email": person.email, "roles": person.roles, "active": person.active,
                "has_password": person.has_password, "invited_until": person.invited_until.map(|at| at.to_string()),
                "second_factor": person.has_totp, "sessions": person.sessions, "last_seen_at": person.seen_at.map(|at| at.to_string()),
            })
        })
        .collect();
    Ok(answer::json(StatusCode::OK, &json!({ "data": data })))
}

/// `POST /people/invite`: the answer is the only one with the link.
pub(super) async fn invite(head: Head, body: Body) -> Result<Response, Problem> {
    head.fresh_administrator()?;
    let asked = read_object(&head, body, &["email", "name", "roles"]).await?;
    let text = |name: &str| asked.get(name).and_then(Value::as_str).map(str::trim).filter(|text| !text.contains('\0'));
    let email = text("email").filter(|email| !email.is_empty() && email.len() <= 254);
    let email = email.ok_or_else(|| bad("/email", "is missing: the address of whom to invite"))?.to_owned();
    let name = match asked.get("name") {
        None | Some(Value::Null) => String::new(),
        Some(_) => text("name").ok_or_else(|| bad("/name", "must be a text"))?.to_owned(),
    };
    let roles = match asked.get("roles") {
        None | Some(Value::Null) => vec![crate::access::EVERYDAY.to_owned()],
        Some(list) => texts(list).ok_or_else(|| bad("/roles", "must be a list of roles"))?,
    };
    let invited = head.state.auth.invite(&head.actor, Invitation { name, email, roles }).await?;
    link_answer(&head, StatusCode::CREATED, &invited).await
}

/// `POST /people/{id}/invite`: a new link; the one before ends.
pub(super) async fn invite_again(head: Head) -> Result<Response, Problem> {
    head.fresh_administrator()?;
    let invited = head.state.auth.invite_again(id(&head).await?).await?;
    link_answer(&head, StatusCode::OK, &invited).await
}

/// Where a mail server is named, the link is sent too.
async fn link_answer(head: &Head, status: StatusCode, invited: &Invited) -> Result<Response, Problem> {
    let link = head.state.config.public_url.join(&invited.path);
    let is_sent = mailing::invite(&head.state, invited.user, &link).await?;
    let mut response = answer::json(status, &json!({ "id": display(head, invited.user), "link": link, "mailed": is_sent }));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// `GET /people/{id}/records`: what names them, and would be handed over.
pub(super) async fn held(head: Head) -> Result<Response, Problem> {
    head.administrator()?;
    let held = head.state.auth.records_of(&head.actor, id(&head).await?).await?;
    let data: Vec<Value> = held
        .iter()
        .map(|held| {
            let entity = head.catalog.entity(held.entity);
            json!({ "entity": entity.slug, "field": entity.field(held.field).name, "count": held.count })
        })
        .collect();
    Ok(answer::json(StatusCode::OK, &json!({ "data": data })))
}

/// `POST /people/{id}/deactivate`: out at once on every node; `heir` takes over what names them.
pub(super) async fn deactivate(head: Head, body: Body) -> Result<Response, Problem> {
    head.fresh_administrator()?;
    let user = id(&head).await?;
    let asked = read_object(&head, body, &["heir"]).await?;
    let heir = match asked.get("heir") {
        None | Some(Value::Null) => None,
        Some(heir) => Some(heir.as_str().and_then(|text| person(&head, text)).ok_or_else(|| bad("/heir", "must be the id of a person"))?),
    };
    let done = head.state.auth.deactivate(&head.actor, user, heir).await?;
    Ok(answer::json(StatusCode::OK, &json!({ "moved": done.moved, "left": done.left })))
}

/// `POST /people/{id}/reactivate`
pub(super) async fn reactivate(head: Head) -> Result<Response, Problem> {
    head.fresh_administrator()?;
    head.state.auth.reactivate(&head.actor, id(&head).await?).await?;
    Ok(answer::empty(StatusCode::NO_CONTENT))
}

/// `DELETE /people/{id}/sessions`
pub(super) async fn end_sessions(head: Head) -> Result<Response, Problem> {
    head.fresh_administrator()?;
    let user = id(&head).await?;
    head.state.auth.end_sessions_of(user).await?;
    Ok(answer::empty(StatusCode::NO_CONTENT))
}

/// The person of the address, who is there.
async fn id(head: &Head) -> Result<RecordId, Problem> {
    let user = person(head, head.part("id")).ok_or_else(Problem::not_found)?;
    if head.state.auth.is_person(user).await? { Ok(user) } else { Err(Problem::not_found()) }
}

fn person(head: &Head, text: &str) -> Option<RecordId> {
    parse_id(&head.catalog, head.catalog.find_entity("core.user")?.ix, text)
}

fn display(head: &Head, user: RecordId) -> String {
    user.display(head.catalog.find_entity("core.user").map_or("user", |entity| entity.prefix.as_str()))
}
