//! Registrations over the API: filing, what became of it, deciding, extending, giving up.

use axum::body::Body;
use axum::http::StatusCode;
use axum::http::header::{HeaderValue, LOCATION};
use axum::response::Response;
use serde_json::{Value, json};

use super::answer;
use super::approvals::{bad, object, shown, text};
use super::body::JSON;
use super::head::{EntityHead, Head};
use super::paging::{Paging, bad_parameter};
use crate::base::RecordId;
use crate::record::{ClaimFilter, ClaimStanding, FileClaim, Rival, Source};
use crate::web::Problem;

/// `GET /records/{entity}/{id}/registrations`
pub(super) async fn of_record(head: EntityHead) -> Result<Response, Problem> {
    let id = head.id()?;
    head.params(&[])?;
    head.requester.may_read(&head.catalog, [head.entity().ix])?;
    let (found, offered) = head.state.records.claims_of(&head.actor, &head.catalog, head.entity().ix, id).await?;
    let data: Vec<Value> = found.iter().map(|one| claim_json(&head, one)).collect();
    let whole = head.catalog.whole();
    let known = &whole.entity(head.entity().ix).registrations;
    let offered: Vec<Value> = offered
        .iter()
        .map(|one| json!({ "registration": known[one.registration].id, "label": known[one.registration].label.get(head.actor.locale) }))
        .collect();
    Ok(answer::json(StatusCode::OK, &json!({ "data": data, "offered": offered })))
}

/// `POST /records/{entity}/{id}/registrations`: `{"registration": "project", "comment": "…"}`.
pub(super) async fn file(head: EntityHead, body: Body) -> Result<Response, Problem> {
    let id = head.id()?;
    head.params(&[])?;
    head.requester.may_write(head.entity())?;
    let asked = object(head.json(body, JSON).await?, &["registration", "comment"])?;
    let registration = text(&asked, "registration")?.ok_or_else(|| bad("/registration", "must name a registration"))?.to_owned();
    let new = FileClaim { registration, comment: text(&asked, "comment")?.unwrap_or_default().to_owned() };
    let filed = head.state.records.file_claim(&head.actor, &head.catalog, head.entity().ix, id, new, Source::Api).await?;
    let mut response = told(&head, filed.id, StatusCode::CREATED).await?;
    if let Ok(place) = HeaderValue::from_str(&format!("/api/v1/registrations/{}", filed.id)) {
        response.headers_mut().insert(LOCATION, place);
    }
    Ok(response)
}

/// `GET /registrations`
pub(super) async fn list(head: Head) -> Result<Response, Problem> {
    head.requester.identity()?;
    let params = head.params(&["show", "before", "limit"])?;
    let filter = match params.get("show") {
        None | Some("filed") => ClaimFilter::Filed,
        Some("contested") => ClaimFilter::Contested,
        Some(_) => return Err(bad_parameter("show", "must be `filed` or `contested`")),
    };
    let paging = Paging::read(&params, "a claim", 100)?;
    let (found, next) = head.state.records.claims(&head.actor, filter, paging.before, paging.limit).await?;
    let whole = head.catalog.whole();
    let readable = found.iter().filter(|one| head.requester.may_read(&whole, [one.entity]).is_ok());
    let data: Vec<Value> = readable.map(|one| claim_json(&head, one)).collect();
    Ok(answer::json(StatusCode::OK, &json!({ "data": data, "next": next.map(|id| id.to_string()) })))
}

/// `GET /registrations/{claim}`
pub(super) async fn get(head: Head) -> Result<Response, Problem> {
    head.signed_in()?;
    told(&head, claim_of(&head)?, StatusCode::OK).await
}

/// `POST /registrations/{claim}/decide`: `{"decision": "grant", "reason": "…"}`.
pub(super) async fn decide(head: Head, body: Body) -> Result<Response, Problem> {
    let id = writable(&head).await?;
    let asked = object(head.json(body, JSON).await?, &["decision", "reason"])?;
    let grants = match text(&asked, "decision")? {
        Some("grant") => true,
        Some("refuse") => false,
        _ => return Err(bad("/decision", "must be `grant` or `refuse`")),
    };
    let reason = text(&asked, "reason")?.unwrap_or_default();
    head.state.records.decide_claim(&head.actor, id, grants, reason, Source::Api).await?;
    told(&head, id, StatusCode::OK).await
}

/// `POST /registrations/{claim}/extend`
pub(super) async fn extend(head: Head) -> Result<Response, Problem> {
    let id = writable(&head).await?;
    head.state.records.extend_claim(&head.actor, id, Source::Api).await?;
    told(&head, id, StatusCode::OK).await
}

/// `POST /registrations/{claim}/withdraw`: `{"reason": "…"}`.
pub(super) async fn withdraw(head: Head, body: Body) -> Result<Response, Problem> {
    let id = writable(&head).await?;
    let asked = object(head.json(body, JSON).await?, &["reason"])?;
    let reason = text(&asked, "reason")?.unwrap_or_default();
    head.state.records.withdraw_claim(&head.actor, id, reason, Source::Api).await?;
    told(&head, id, StatusCode::OK).await
}

fn claim_of(head: &Head) -> Result<i64, Problem> {
    head.part("claim").parse().map_err(|_| Problem::not_found())
}

/// The claim of the path, on a record that the token may write.
async fn writable(head: &Head) -> Result<i64, Problem> {
    head.signed_in()?;
    let id = claim_of(head)?;
    let found = head.state.records.claim_of(&head.actor, id).await?.ok_or_else(Problem::not_found)?;
    head.requester.may_write(head.catalog.whole().entity(found.entity))?;
    Ok(id)
}

async fn told(head: &Head, id: i64, status: StatusCode) -> Result<Response, Problem> {
    let found = head.state.records.claim_of(&head.actor, id).await?.ok_or_else(Problem::not_found)?;
    head.requester.may_read(&head.catalog.whole(), [found.entity])?;
    Ok(answer::json(status, &claim_json(head, &found)))
}

fn claim_json(head: &Head, one: &ClaimStanding) -> Value {
    let whole = head.catalog.whole();
    let entity = whole.entity(one.entity);
    let claim = &one.claim;
    let label = one.registration.map_or(claim.registration.as_str(), |at| entity.registrations[at].label.get(head.actor.locale));
    let rival = |rival: &Rival| {
        json!({
            "record": rival.record.map(|id| id.display(&entity.prefix)), "filer": rival.filer.map(|id| shown(&head.catalog, id)),
            "until": rival.until_at.map(|at| at.to_string()),
        })
    };
    json!({
        "id": claim.id.to_string(),
        "registration": claim.registration,
        "label": label,
        "entity": entity.slug,
        "record": claim.record.display(&entity.prefix),
        "filer": shown(&head.catalog, claim.filer),
        "state": one.state,
        "filed_at": claim.filed_at.to_string(),
        "until": claim.until_at.map(|at| at.to_string()),
        "extended": claim.extended,
        "comment": claim.comment,
        "rivals": one.rivals.iter().map(rival).collect::<Vec<_>>(),
        "ended_at": claim.ended_at.map(|at| at.to_string()),
        "ended_by": Some(claim.ended_by).filter(|id| *id != 0).map(|id| shown(&head.catalog, RecordId(id))),
        "reason": claim.reason,
        "may": { "decide": one.may_decide, "extend": one.may_extend, "withdraw": one.may_withdraw },
    })
}
