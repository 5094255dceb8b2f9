//! Public pools over the API: which there are, what is in one, claiming, what one holds, giving back, handing out.

use axum::body::Body;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};

use super::answer;
use super::approvals::{bad, object, shown};
use super::body::JSON;
use super::head::{EntityHead, Head};
use super::read::page_answer;
use crate::base::RecordId;
use crate::record::{HeldRecord, MOST_CLAIMED, MOST_HANDED_OUT, PoolStanding, Source, parse_id};
use crate::schema::catalog::Entity;
use crate::web::Problem;

/// `GET /pools`
pub(super) async fn list(head: Head) -> Result<Response, Problem> {
    head.requester.identity()?;
    head.params(&[])?;
    let found = head.state.records.pools(&head.actor).await?;
    let whole = head.catalog.whole();
    let readable = found.iter().filter(|one| head.requester.may_read(&whole, [one.entity]).is_ok());
    let data: Vec<Value> = readable.map(|one| standing_json(&head, one)).collect();
    Ok(answer::json(StatusCode::OK, &json!({ "data": data })))
}

fn standing_json(head: &Head, one: &PoolStanding) -> Value {
    let whole = head.catalog.whole();
    let entity = whole.entity(one.entity);
    let pool = &entity.pools[one.pool];
    json!({
        "entity": entity.slug, "pool": pool.id, "label": pool.label.get(head.actor.locale),
        "held": one.held, "cap": one.cap, "claimed_today": one.claimed_today, "claims_per_day": pool.claims_per_day,
        "may_manage": one.may_manage,
    })
}

/// `GET /pools/{entity}/{pool}`
pub(super) async fn in_pool(head: EntityHead) -> Result<Response, Problem> {
    let params = head.params(&["filter", "sort", "cursor", "limit", "count"])?;
    head.requester.may_read(&head.catalog, [head.entity().ix])?;
    let page = head.state.records.in_pool(&head.actor, &head.catalog, head.entity().ix, head.part("pool"), &params).await?;
    Ok(page_answer(&page))
}

/// `GET /pools/{entity}/{pool}/held`
pub(super) async fn held(head: EntityHead) -> Result<Response, Problem> {
    head.params(&[])?;
    head.requester.may_read(&head.catalog, [head.entity().ix])?;
    let found = head.state.records.held(&head.actor, &head.catalog, head.entity().ix, head.part("pool")).await?;
    let data: Vec<Value> = found.iter().map(|one| held_json(head.entity(), one)).collect();
    Ok(answer::json(StatusCode::OK, &json!({ "data": data })))
}

fn held_json(entity: &Entity, one: &HeldRecord) -> Value {
    json!({
        "record": one.record.display(&entity.prefix), "since": one.since.to_string(), "active_at": one.active_at.to_string(),
        "kept_until": one.kept_until.to_string(), "due": one.due.map(|at| at.to_string()),
    })
}

/// `POST /pools/{entity}/{pool}/claim`: `{"records": ["lead_…"]}`.
pub(super) async fn claim(head: EntityHead, body: Body) -> Result<Response, Problem> {
    head.params(&[])?;
    head.requester.may_write(head.entity())?;
    let asked = object(head.json(body, JSON).await?, &["records"])?;
    let Some(Value::Array(written)) = asked.get("records") else { return Err(bad("/records", "must be a list of ids")) };
    if written.is_empty() || written.len() > MOST_CLAIMED {
        return Err(bad("/records", &format!("must name 1 to {MOST_CLAIMED} records")));
    }
    let mut ids = Vec::with_capacity(written.len());
    for (position, one) in written.iter().enumerate() {
        let id = one.as_str().and_then(|text| parse_id(&head.catalog, head.entity().ix, text));
        ids.push(id.ok_or_else(|| bad(&format!("/records/{position}"), "must be the id of a record"))?);
    }
    let records = &head.state.records;
    let results = records.claim(&head.actor, &head.catalog, head.entity().ix, head.part("pool"), ids, Source::Api).await?;
    let data: Vec<Value> = results
        .into_iter()
        .map(|(id, result)| {
            let record = id.display(&head.entity().prefix);
            match result {
                Ok(()) => json!({ "record": record, "claimed": true, "error": null }),
                Err(error) => json!({
                    "record": record, "claimed": false,
                    "error": Problem::from(error).to_json(&head.requester.request_id),
                }),
            }
        })
        .collect();
    Ok(answer::json(StatusCode::OK, &json!({ "data": data })))
}

/// `POST /pools/{entity}/{pool}/hand-out`: `{"most": 50}`.
pub(super) async fn hand_out(head: EntityHead, body: Body) -> Result<Response, Problem> {
    head.params(&[])?;
    head.requester.may_write(head.entity())?;
    let asked = object(head.json(body, JSON).await?, &["most"])?;
    let most = asked.get("most").and_then(Value::as_u64).and_then(|most| u32::try_from(most).ok());
    let most = most.filter(|most| (1..=MOST_HANDED_OUT).contains(most));
    let most = most.ok_or_else(|| bad("/most", &format!("must be a number from 1 to {MOST_HANDED_OUT}")))?;
    let records = &head.state.records;
    // A pool one may not see is not there.
    records.pool(&head.actor, &head.catalog, head.entity().ix, head.part("pool")).await?;
    let given = records.hand_out(&head.actor, &head.catalog, head.entity().ix, head.part("pool"), most, Source::Api).await?;
    Ok(answer::json(StatusCode::OK, &json!({ "handed_out": given })))
}

/// `GET /records/{entity}/{id}/holding`
pub(super) async fn holding(head: EntityHead) -> Result<Response, Problem> {
    let id = head.id()?;
    head.params(&[])?;
    head.requester.may_read(&head.catalog, [head.entity().ix])?;
    told(&head, id).await
}

/// `POST /records/{entity}/{id}/return`: `{"reason": "…"}`.
pub(super) async fn give_back(head: EntityHead, body: Body) -> Result<Response, Problem> {
    let id = head.id()?;
    head.params(&[])?;
    head.requester.may_write(head.entity())?;
    let asked = object(head.json(body, JSON).await?, &["reason"])?;
    let reason = match asked.get("reason") {
        Some(Value::String(text)) => text.as_str(),
        None | Some(Value::Null) => "",
        Some(_) => return Err(bad("/reason", "must be a text")),
    };
    head.state.records.give_back(&head.actor, &head.catalog, head.entity().ix, id, reason, Source::Api).await?;
    Ok(answer::empty(StatusCode::NO_CONTENT))
}

async fn told(head: &EntityHead, id: RecordId) -> Result<Response, Problem> {
    let found = head.state.records.holding(&head.actor, &head.catalog, head.entity().ix, id).await?;
    let whole = head.catalog.whole();
    let pools = &whole.entity(head.entity().ix).pools;
    let now = found.now.as_ref().map(|(at, person, one)| {
        let mut json = held_json(head.entity(), one);
        json["pool"] = json!(pools[*at].id);
        json["person"] = json!(shown(&head.catalog, *person));
        json
    });
    let person = |id: i64| Some(id).filter(|id| *id != 0).map(|id| shown(&head.catalog, RecordId(id)));
    let past: Vec<Value> = found
        .past
        .iter()
        .map(|one| {
            json!({
                "pool": one.pool, "person": shown(&head.catalog, one.person), "from": one.from_at.to_string(), "got": one.got,
                "got_by": person(one.got_by), "until": one.until_at.map(|at| at.to_string()), "lost": one.lost,
                "lost_by": person(one.lost_by), "reason": one.reason,
            })
        })
        .collect();
    Ok(answer::json(StatusCode::OK, &json!({ "now": now, "may_return": found.may_give_back, "past": past })))
}
