//! Bringing records in from a file: CSV with a header line; a row is kept whole or not at all.

use axum::body::Body;
use axum::http::StatusCode;
use axum::http::header::HeaderValue;
use axum::response::Response;
use serde_json::json;

use super::answer;
use super::body::{expect_media_type, read_bytes};
use super::head::EntityHead;
use super::headers::{PREFERENCE_APPLIED, preferences};
use crate::record::{LONGEST_REASON, is_reason};
use crate::web::Problem;
use crate::web::importing::{self, Order};

const CSV: &[&str] = &["text/csv"];

/// `POST /records/{entity}/import?match=number&existing=keep&reason=…`
pub(super) async fn import(head: EntityHead, body: Body) -> Result<Response, Problem> {
    let params = head.params(&["match", "existing", "reason"])?;
    let keeps = match params.get("existing") {
        None | Some("update") => false,
        Some("keep") => true,
        Some(_) => {
            let message = "must be `update` or `keep`";
            return Err(Problem::new("QRY004", format!("`existing` {message}")).with_fault("existing", "QRY004", message, json!({})));
        }
    };
    let matched = params.get("match").into_iter().flat_map(|names| names.split(',')).map(|name| name.trim().to_owned());
    let matched = matched.filter(|name| !name.is_empty()).collect();
    let reason = params.get("reason").map(str::trim);
    if reason.is_some_and(|reason| !is_reason(reason)) {
        let message = format!("must say in at most {LONGEST_REASON} characters why rows pass over a gate");
        return Err(Problem::new("QRY004", format!("`reason` {message}")).with_fault("reason", "QRY004", &message, json!({})));
    }
    let preferences = preferences(&head.headers);
    let (dry_run, allow_duplicates) = (preferences.dry_run, preferences.allow_duplicates);
    let order = Order { matched, keeps, dry_run, reason: reason.map(str::to_owned), allow_duplicates };
    head.requester.may_write(head.entity())?;
    importing::expect_allowed(&head.catalog, &head.actor, head.entity())?;
    expect_media_type(&head.headers, CSV)?;
    let bytes = read_bytes(body, head.state.config.upload_limit_bytes).await?;
    let (report, _) = importing::run(&head.state, &head.actor, &head.catalog, head.entity(), bytes.into(), order).await?;
    let mut object = report.to_json();
    object["dry_run"] = dry_run.into();
    let mut response = answer::json(StatusCode::OK, &object);
    if dry_run {
        response.headers_mut().insert(PREFERENCE_APPLIED, HeaderValue::from_static("dry-run"));
    }
    Ok(response)
}
