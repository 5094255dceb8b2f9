//! Writing answers.

use axum::body::Body;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, HeaderValue, LOCATION};
use axum::response::Response;
use serde_json::{Value, json};

use super::headers::{IDEMPOTENT_REPLAYED, PREFERENCE_APPLIED, Preferences, set_etag};
use crate::record::{Row, Saved};
use crate::schema::catalog::Entity;

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// JSON text that is already written.
pub(super) fn json_text(status: StatusCode, text: String) -> Response {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, JSON);
    response
}

pub(super) fn json(status: StatusCode, value: &Value) -> Response {
    json_text(status, value.to_string())
}

pub(super) fn empty(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

/// One record with its tag.
pub(super) fn record(status: StatusCode, row: &Row) -> Response {
    let mut text = String::with_capacity(512);
    row.write_json(&mut text);
    let mut response = json_text(status, text);
    set_etag(response.headers_mut(), row.version());
    response
}

/// The address of a record.
pub(super) fn location(entity: &Entity, saved: &Saved) -> String {
    let mut path = format!("/api/v1/records/{}/", entity.slug);
    saved.id.write(&entity.prefix, &mut path);
    path
}

/// Headers that tell what a write did, whatever its body.
pub(super) fn tell(response: &mut Response, entity: &Entity, saved: &Saved, preferences: Preferences) {
    let headers = response.headers_mut();
    if !preferences.dry_run {
        set_etag(headers, saved.version);
        if saved.created
            && let Ok(place) = HeaderValue::from_str(&location(entity, saved))
        {
            headers.insert(LOCATION, place);
        }
    }
    if saved.replayed {
        headers.insert(IDEMPOTENT_REPLAYED, HeaderValue::from_static("true"));
    }
    let applied = match (preferences.dry_run, preferences.minimal) {
        (true, _) => Some("dry-run"),
        (false, true) => Some("return=minimal"),
        (false, false) => None,
    };
    if let Some(applied) = applied {
        headers.insert(PREFERENCE_APPLIED, HeaderValue::from_static(applied));
    }
}

/// What a write would do or did, without the record itself.
pub(super) fn summary(entity: &Entity, saved: &Saved) -> Value {
    json!({
        "id": saved.id.display(&entity.prefix),
        "version": saved.version,
        "created": saved.created,
        "changed": saved.changed.iter().map(|field| entity.field(*field)).filter(|field| !field.is_hidden).map(|field| field.name.as_str()).collect::<Vec<_>>(),
        "warnings": saved.warnings,
        "stale": saved.stale,
    })
}
