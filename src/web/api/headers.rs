//! Conditional requests, preferences and idempotency keys.

use axum::http::HeaderMap;
use axum::http::header::{ETAG, HeaderName, HeaderValue, IF_MATCH, IF_NONE_MATCH};

use crate::record::{Source, WriteOptions};
use crate::web::Problem;

const PREFER: HeaderName = HeaderName::from_static("prefer");
pub(super) const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
pub(super) const IDEMPOTENT_REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// `"v7"`.
pub(super) fn etag(version: i64) -> HeaderValue {
    HeaderValue::from_str(&format!("\"v{version}\"")).unwrap_or_else(|_| HeaderValue::from_static("\"v0\""))
}

pub(super) fn set_etag(headers: &mut HeaderMap, version: i64) {
    headers.insert(ETAG, etag(version));
}

/// The version `If-Match` asks for; `None` without the header or with `*`.
pub(super) fn if_match(headers: &HeaderMap) -> Result<Option<i64>, Problem> {
    let mut values = headers.get_all(IF_MATCH).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return if headers.contains_key(IF_MATCH) { Err(bad_if_match()) } else { Ok(None) };
    };
    let text = value.to_str().map_err(|_| bad_if_match())?.trim();
    if text == "*" {
        return Ok(None);
    }
    version_of(text).map(Some).ok_or_else(bad_if_match)
}

fn bad_if_match() -> Problem {
    Problem::new("WEB400", "the header `If-Match` is not readable")
        .with_hint("send one entity tag as an answer gave it, `If-Match: \"v7\"`")
        .with_fault("If-Match", "bad_etag", "must be `\"v<version>\"`", serde_json::json!({}))
}

/// `"v7"` or `W/"v7"` (a proxy that compresses weakens the tag).
fn version_of(tag: &str) -> Option<i64> {
    let tag = tag.strip_prefix("W/").unwrap_or(tag);
    let digits = tag.strip_prefix("\"v")?.strip_suffix('"')?;
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
}

/// Whether `If-None-Match` already has this version.
pub(super) fn has_version(headers: &HeaderMap, version: i64) -> bool {
    headers
        .get_all(IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|text| text.split(','))
        .any(|tag| tag.trim() == "*" || version_of(tag.trim()) == Some(version))
}

/// What the client would like (RFC 7240). Unknown preferences are ignored, as the RFC wants.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Preferences {
    /// `return=minimal`: no body.
    pub minimal: bool,
    /// `dry-run`: do everything, then undo it.
    pub dry_run: bool,
    /// `allow-duplicates`: save also where a rule warns of one.
    pub allow_duplicates: bool,
}

pub(super) fn preferences(headers: &HeaderMap) -> Preferences {
    let mut found = Preferences::default();
    for preference in headers.get_all(PREFER).iter().filter_map(|value| value.to_str().ok()).flat_map(|text| text.split([',', ';'])) {
        match preference.trim().to_ascii_lowercase().as_str() {
            "return=minimal" => found.minimal = true,
            "return=representation" => found.minimal = false,
            "dry-run" | "dry-run=true" => found.dry_run = true,
            "allow-duplicates" | "allow-duplicates=true" => found.allow_duplicates = true,
            _ => {}
        }
    }
    found
}

/// Everything a write takes from its headers.
pub(super) fn write_options(headers: &HeaderMap) -> Result<WriteOptions, Problem> {
    let mut options = WriteOptions::from(Source::Api).if_match(if_match(headers)?);
    let preferences = preferences(headers);
    options.dry_run = preferences.dry_run;
    options.allow_duplicates = preferences.allow_duplicates;
    options.shows_record = !preferences.minimal;
    options.idempotency_key = idempotency_key(headers)?;
    Ok(options)
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let mut values = headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let key = value.to_str().unwrap_or("");
    let readable = !key.is_empty() && key.len() <= 200 && key.bytes().all(|byte| byte.is_ascii_graphic());
    if !readable || values.next().is_some() {
        return Err(Problem::new("WEB400", "the header `Idempotency-Key` is not readable")
            .with_hint("send 1 to 200 visible ASCII characters, for example a UUID")
            .with_fault("Idempotency-Key", "bad_key", "must be 1 to 200 visible ASCII characters", serde_json::json!({ "max": 200 })));
    }
    Ok(Some(key.to_owned()))
}
