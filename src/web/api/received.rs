//! Messages of other programs. Whoever sends one is not signed in: its signature says who it is, and whatever is wrong with
//! that, with the address or the time is answered alike.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::answer;
use super::body::{JSON, expect_media_type, parse_json, read_bytes};
use super::head::Head;
use crate::automation::received::{self, Signed, received};
use crate::record::RecordError;
use crate::web::Problem;

/// Longest message.
const LONGEST: usize = 64 * 1024;
/// Longest id of a message.
const LONGEST_ID: usize = 200;

/// `POST /received/{automation}`
pub(super) async fn receive(head: Head, body: Body) -> Result<Response, Problem> {
    head.params(&[])?;
    let caller = head.requester.caller();
    head.state.auth.admit_link(&caller).await?;
    expect_media_type(&head.headers, JSON)?;
    let bytes = read_bytes(body, LONGEST).await?;
    let whole = head.catalog.whole();
    let automation = whole.automations.find(head.part("automation")).filter(|automation| received(automation).is_some());
    let text = std::str::from_utf8(&bytes).ok();
    let (Some(automation), Some(message)) = (automation, text.and_then(|text| signed(&head.headers, text))) else {
        return refused(&head).await;
    };
    if !received::is_signed(&head.state.records, &whole, automation, &message).await? {
        return refused(&head).await;
    }
    let json = parse_json(&bytes)?;
    let digest: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    let taken = received::receive(&head.state.records, automation, message.id, &digest, &json).await?;
    let mut response = answer::json(StatusCode::ACCEPTED, &taken.answer);
    if taken.is_repeated {
        response.headers_mut().insert(super::headers::IDEMPOTENT_REPLAYED, HeaderValue::from_static("true"));
    }
    Ok(response)
}

fn signed<'a>(headers: &'a HeaderMap, body: &'a str) -> Option<Signed<'a>> {
    let text = |name: &str| headers.get(name)?.to_str().ok();
    let id = text("webhook-id").filter(|id| !id.is_empty() && id.len() <= LONGEST_ID)?;
    Some(Signed { id, timestamp: text("webhook-timestamp")?.parse().ok()?, signatures: text("webhook-signature")?, body })
}

/// Counted, so that guessing is slow although it is hopeless.
async fn refused(head: &Head) -> Result<Response, Problem> {
    head.state.auth.note_bad_link(&head.requester.caller()).await?;
    Err(Problem::new("ATH021", "the message is not signed as it must be")
        .with_hint("send `webhook-id`, `webhook-timestamp` (within five minutes) and `webhook-signature` after the Standard Webhooks specification, with the secret of this address"))
}

/// `POST /automations/{id}/secret`: told this once.
pub(super) async fn secret(head: Head) -> Result<Response, Problem> {
    head.fresh_administrator()?;
    let whole = head.catalog.whole();
    let automation = whole.automations.find(head.part("id")).filter(|one| received(one).is_some()).ok_or_else(Problem::not_found)?;
    let made = received::new_secret(head.state.records.store(), &whole, automation).await.map_err(RecordError::from)?;
    let made = made.ok_or_else(Problem::not_found)?;
    let told: Value = json!({
        "url": head.state.config.public_url.join(&format!("/api/v1/received/{}", automation.id)),
        "secret": made.secret, "former_until": made.former_until.map(|at| at.to_string()),
    });
    let mut response = answer::json(StatusCode::OK, &told);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}
