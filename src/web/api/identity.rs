//! A person's own sessions and API tokens.

use axum::body::Body;
use axum::http::{StatusCode, header};
use axum::response::Response;
use serde_json::{Map, Value, json};

use super::answer;
use super::body::JSON;
use super::head::Head;
use crate::access::AccessError;
use crate::auth::{NewToken, TokenInfo};
use crate::web::{Problem, session_cookie};

/// Longest life of a token, in days.
const MOST_DAYS: i64 = 3650;

/// `GET /sessions`
pub(super) async fn sessions(head: Head) -> Result<Response, Problem> {
    let sessions = head.state.auth.list_sessions(head.signed_in()?).await?;
    let data: Vec<Value> = sessions
        .into_iter()
        .map(|session| {
            json!({
                "id": session.id, "address": session.ip, "agent": session.agent, "began_at": session.created_at.to_string(),
                "last_used_at": session.seen_at.to_string(), "own": session.is_own,
            })
        })
        .collect();
    Ok(answer::json(StatusCode::OK, &json!({ "data": data })))
}

/// `DELETE /sessions/{id}`; `others` stands for all but the one that asks.
pub(super) async fn end_session(head: Head) -> Result<Response, Problem> {
    let identity = head.signed_in()?;
    let id = head.part("id");
    if id == "others" {
        head.state.auth.end_other_sessions(identity).await?;
    } else {
        head.state.auth.end_session(identity, id).await?;
    }
    Ok(answer::empty(StatusCode::NO_CONTENT))
}

/// `POST /session/confirm`: the password again, within a session; the session goes on under a new cookie.
pub(super) async fn confirm(head: Head, body: Body) -> Result<Response, Problem> {
    let asked = read_object(&head, body, &["password"]).await?;
    let Some(password) = asked.get("password").and_then(Value::as_str) else {
        return Err(bad("/password", "is missing: the password of the one who is signed in"));
    };
    let identity = head.signed_in()?;
    if !head.requester.by_session {
        return Err(Problem::new("WEB422", "there is no session to confirm").with_hint("a token needs no confirmation: its scopes decide"));
    }
    let start = head.state.auth.confirm(identity, password).await?;
    let mut response = answer::empty(StatusCode::NO_CONTENT);
    response.headers_mut().insert(header::SET_COOKIE, session_cookie(&head.state.config, &start));
    Ok(response)
}

/// `GET /tokens`
pub(super) async fn tokens(head: Head) -> Result<Response, Problem> {
    let tokens = head.state.auth.list_own_tokens(head.signed_in()?).await?;
    let data: Vec<Value> = tokens.iter().map(token_json).collect();
    Ok(answer::json(StatusCode::OK, &json!({ "data": data })))
}

fn token_json(token: &TokenInfo) -> Value {
    json!({
        "id": token.id.to_string(),
        "name": token.name,
        "hint": token.hint,
        "scopes": token.scopes.words(),
        "networks": token.networks.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "created_at": token.created_at.to_string(),
        "expires_at": token.expires_at.map(|at| at.to_string()),
        "last_used_at": token.used_at.map(|at| at.to_string()),
        "revoked_at": token.revoked_at.map(|at| at.to_string()),
    })
}

/// `POST /tokens`: the answer is the only one with the secret.
pub(super) async fn create_token(head: Head, body: Body) -> Result<Response, Problem> {
    let asked = read_object(&head, body, &["name", "scopes", "days", "networks"]).await?;
    let identity = head.signed_in()?;
    if !head.requester.is_fresh {
        return Err(AccessError::StepUpNeeded.into());
    }
    let name = asked.get("name").and_then(Value::as_str).map(str::trim).filter(|name| !name.is_empty() && name.chars().count() <= 100);
    let name = name.ok_or_else(|| bad("/name", "must be a text of at most 100 characters that says what the token is for"))?;
    if name.contains('\0') {
        return Err(bad("/name", "contains a null character"));
    }
    let words = match asked.get("scopes") {
        None | Some(Value::Null) => vec!["write".to_owned()],
        Some(list) => texts(list).ok_or_else(|| bad("/scopes", "must be a list such as `[\"read\", \"write:crm.deal\"]`"))?,
    };
    let networks = match asked.get("networks") {
        None | Some(Value::Null) => Vec::new(),
        Some(list) => texts(list).ok_or_else(|| bad("/networks", "must be a list of addresses or blocks"))?,
    };
    let days = match asked.get("days") {
        None | Some(Value::Null) => None,
        Some(days) => Some(
            days.as_i64()
                .filter(|days| (0..=MOST_DAYS).contains(days))
                .and_then(|days| u32::try_from(days).ok())
                .ok_or_else(|| bad("/days", "must be a whole number from 0 (never ends) to 3650"))?,
        ),
    };
    let limits = head.state.auth.token_limits(&words, &networks.join(","))?;
    if let Some(own) = &identity.scopes
        && !own.covers(&limits.scopes)
    {
        return Err(AccessError::OutOfScope { needed: limits.scopes.words().join(" ") }.into());
    }
    let token = NewToken { email: identity.email.clone(), name: name.to_owned(), days };
    let made = head.state.auth.create_limited_token(token, limits.clone()).await?;
    let mut response = answer::json(
        StatusCode::CREATED,
        &json!({
            "id": made.id.to_string(),
            "token": made.secret,
            "scopes": limits.scopes.words(),
            "expires_at": made.expires_at.map(|at| at.to_string()),
        }),
    );
    response.headers_mut().insert(header::CACHE_CONTROL, header::HeaderValue::from_static("no-store"));
    Ok(response)
}

/// `DELETE /tokens/{id}`
pub(super) async fn revoke_token(head: Head) -> Result<Response, Problem> {
    let id = head.part("id").parse().map_err(|_| Problem::not_found())?;
    head.state.auth.revoke_own_token(head.signed_in()?, id).await?;
    Ok(answer::empty(StatusCode::NO_CONTENT))
}

pub(super) async fn read_object(head: &Head, body: Body, known: &[&str]) -> Result<Map<String, Value>, Problem> {
    let Value::Object(map) = head.json(body, JSON).await? else {
        return Err(bad("", "must be an object"));
    };
    match map.keys().find(|name| !known.contains(&name.as_str())) {
        Some(name) => Err(bad(&crate::record::pointer(name), &format!("is not known here; there are {}", known.join(", ")))),
        None => Ok(map),
    }
}

pub(super) fn texts(value: &Value) -> Option<Vec<String>> {
    value.as_array()?.iter().map(|item| item.as_str().map(str::to_owned)).collect()
}

pub(super) fn bad(path: &str, message: &str) -> Problem {
    Problem::new("WEB422", "the body has not the shape of this request").with_fault(path, "bad_shape", message, json!({}))
}
