//! Reading a request's body: size, media type, JSON, and the character no database text holds.

use axum::body::Body;
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use serde_json::Value;

use crate::base::json;
use crate::web::Problem;

/// A JSON body or merge patch.
pub(super) const JSON: &[&str] = &["application/json"];
pub(super) const PATCH: &[&str] = &["application/merge-patch+json", "application/json"];

/// The media type in lower case, without parameters.
pub(super) fn media_type(headers: &HeaderMap) -> String {
    let text = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    text.split(';').next().unwrap_or("").trim().to_ascii_lowercase()
}

/// Refuses a body of another media type, another charset than UTF-8, or compressed.
pub(super) fn expect_media_type(headers: &HeaderMap, accepted: &'static [&'static str]) -> Result<(), Problem> {
    let refused = |detail: String| {
        let mut problem = Problem::new("WEB415", detail).with_hint(format!("send `Content-Type: {}`", accepted[0]));
        problem.accepts = Some(accepted[0]);
        problem
    };
    if headers.get(CONTENT_ENCODING).is_some_and(|value| value != "identity") {
        return Err(refused("the body is compressed".into()));
    }
    let found = media_type(headers);
    if !accepted.contains(&found.as_str()) {
        let named = if found.is_empty() { "the body has no media type".to_owned() } else { format!("the body is `{found}`") };
        return Err(refused(named));
    }
    let charset = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).and_then(|text| {
        let lower = text.to_ascii_lowercase();
        lower.split(';').skip(1).find_map(|part| part.trim().strip_prefix("charset=").map(|name| name.trim_matches('"').to_owned()))
    });
    match charset.as_deref() {
        None | Some("utf-8" | "utf8") => Ok(()),
        Some(other) => Err(refused(format!("the body is in `{other}`; JSON is UTF-8"))),
    }
}

/// The whole body, at most `limit` bytes.
pub(in crate::web) async fn read_bytes(body: Body, limit: usize) -> Result<axum::body::Bytes, Problem> {
    axum::body::to_bytes(body, limit).await.map_err(|error| {
        let mut source: Option<&(dyn std::error::Error + 'static)> = Some(&error);
        while let Some(cause) = source {
            if cause.is::<std::io::Error>() {
                return Problem::new("WEB408", "the body did not arrive in time");
            }
            if cause.to_string().contains("length limit exceeded") {
                return Problem::new("WEB413", format!("the body has more than {limit} bytes"))
                    .with_hint("split it: many records go through `POST /api/v1/batch` in parts, files through `POST /api/v1/files`");
            }
            source = cause.source();
        }
        Problem::new("WEB400", "the body could not be read")
    })
}

/// A JSON body: duplicate keys, deep nesting and null characters are refused.
pub(super) async fn read_json(headers: &HeaderMap, body: Body, accepted: &'static [&'static str], limit: usize) -> Result<Value, Problem> {
    expect_media_type(headers, accepted)?;
    let bytes = read_bytes(body, limit).await?;
    parse_json(&bytes)
}

/// [`read_json`] once the bytes are there.
pub(super) fn parse_json(bytes: &[u8]) -> Result<Value, Problem> {
    if bytes.is_empty() {
        return Err(Problem::new("WEB401", "the body is empty").with_hint("send a JSON document"));
    }
    let value = json::parse(bytes).map_err(|error| {
        Problem::new("WEB401", format!("the body is not JSON: {error}")).with_hint("keys once, UTF-8, at most 127 levels deep")
    })?;
    let may_hold_null = bytes.windows(5).any(|five| five == br"u0000");
    if may_hold_null && let Some(path) = find_null(&value, String::new()) {
        return Err(Problem::new("WEB422", "the body contains the null character").with_fault(
            path,
            "null_character",
            "must not contain the null character",
            serde_json::json!({}),
        ));
    }
    Ok(value)
}

/// JSON pointer of the first text or key that contains U+0000.
fn find_null(value: &Value, path: String) -> Option<String> {
    match value {
        Value::String(text) => text.contains('\0').then_some(path),
        Value::Array(items) => items.iter().enumerate().find_map(|(index, item)| find_null(item, format!("{path}/{index}"))),
        Value::Object(map) => map.iter().find_map(|(key, item)| {
            if key.contains('\0') {
                Some(path.clone())
            } else {
                find_null(item, format!("{path}/{}", key.replace('~', "~0").replace('/', "~1")))
            }
        }),
        _ => None,
    }
}
