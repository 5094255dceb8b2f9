//! Approvals over the API: asking, deciding, handing on, taking back; who stands in for whom.

use axum::body::Body;
use axum::http::StatusCode;
use axum::http::header::{HeaderValue, LOCATION};
use axum::response::Response;
use serde_json::{Map, Value, json};

use super::answer;
use super::body::JSON;
use super::head::{EntityHead, Head};
use super::paging::{Paging, bad_parameter};
use crate::base::{DateTime, RecordId};
use crate::record::{ApprovalFilter, ApprovalStanding, Ask, Decision, HandOn, Input, NewStandIn, Source, parse_id};
use crate::schema::catalog::{Approval, ApprovalStep, Catalog, Need};
use crate::store::approvals::{Part, StandIn};
use crate::web::Problem;

/// `GET /records/{entity}/{id}/approvals`
pub(super) async fn of_record(head: EntityHead) -> Result<Response, Problem> {
    let id = head.id()?;
    head.params(&[])?;
    let (standings, offered) = head.state.records.approvals_of(&head.actor, &head.catalog, head.entity().ix, id).await?;
    let data: Vec<Value> = standings.iter().map(|one| standing_json(&head, one)).collect();
    let whole = head.catalog.whole();
    let definitions = &whole.entity(head.entity().ix).approvals;
    let offered: Vec<Value> = offered
        .iter()
        .map(|one| {
            let approval = &definitions[one.approval];
            json!({
                "approval": approval.id, "label": approval.label.get(head.actor.locale), "state": one.state, "may_ask": one.may_ask,
                "fields": fields(&head.catalog, head.entity().ix, approval),
            })
        })
        .collect();
    Ok(answer::json(StatusCode::OK, &json!({ "data": data, "offered": offered })))
}

/// `POST /records/{entity}/{id}/approvals`: `{"approval": "discount", "comment": "…"}`.
pub(super) async fn ask(head: EntityHead, body: Body) -> Result<Response, Problem> {
    let id = head.id()?;
    head.params(&[])?;
    let asked = object(head.json(body, JSON).await?, &["approval", "comment"])?;
    let approval = text(&asked, "approval")?.ok_or_else(|| bad("/approval", "must name an approval"))?.to_owned();
    let ask = Ask { approval, comment: text(&asked, "comment")?.unwrap_or_default().to_owned(), run: None };
    head.requester.may_write_input(&head.catalog, head.entity(), &Input::default())?;
    let request = head.state.records.ask_approval(&head.actor, &head.catalog, head.entity().ix, id, ask, Source::Api).await?;
    let mut response = told(&head, request, StatusCode::CREATED).await?;
    if let Ok(place) = HeaderValue::from_str(&format!("/api/v1/approvals/{request}")) {
        response.headers_mut().insert(LOCATION, place);
    }
    Ok(response)
}

/// `GET /approvals`
pub(super) async fn list(head: Head) -> Result<Response, Problem> {
    head.requester.identity()?;
    let params = head.params(&["show", "before", "limit"])?;
    let filter = match params.get("show") {
        None | Some("waiting") => ApprovalFilter::Waiting,
        Some("asked") => ApprovalFilter::Asked,
        Some("decided") => ApprovalFilter::Decided,
        Some(_) => return Err(bad_parameter("show", "must be `waiting`, `asked` or `decided`")),
    };
    let paging = Paging::read(&params, "a request", 100)?;
    let (found, next) = head.state.records.approvals(&head.actor, filter, paging.before, paging.limit).await?;
    let readable = found.iter().filter(|one| head.requester.may_read(&head.catalog.whole(), [one.entity]).is_ok());
    let data: Vec<Value> = readable.map(|one| standing_json(&head, one)).collect();
    Ok(answer::json(StatusCode::OK, &json!({ "data": data, "next": next.map(|id| id.to_string()) })))
}

/// `GET /approvals/{request}`
pub(super) async fn get(head: Head) -> Result<Response, Problem> {
    head.signed_in()?;
    told(&head, request_of(&head)?, StatusCode::OK).await
}

/// `POST /approvals/{request}/decide`: `{"decision": "approve", "comment": "…", "for": "user_…"}`.
pub(super) async fn decide(head: Head, body: Body) -> Result<Response, Problem> {
    let id = writable(&head).await?;
    let asked = object(head.json(body, JSON).await?, &["decision", "comment", "for"])?;
    let approves = match text(&asked, "decision")? {
        Some("approve") => true,
        Some("reject") => false,
        _ => return Err(bad("/decision", "must be `approve` or `reject`")),
    };
    let comment = text(&asked, "comment")?.unwrap_or_default().to_owned();
    let decision = Decision { approves, comment, on_behalf: person(&head.catalog, &asked, "for")? };
    head.state.records.decide_approval(&head.actor, id, decision, Source::Api).await?;
    told(&head, id, StatusCode::OK).await
}

/// `POST /approvals/{request}/hand-on`: `{"to": "user_…", "comment": "…"}`.
pub(super) async fn hand_on(head: Head, body: Body) -> Result<Response, Problem> {
    let id = writable(&head).await?;
    let asked = object(head.json(body, JSON).await?, &["to", "from", "comment"])?;
    let to = person(&head.catalog, &asked, "to")?.ok_or_else(|| bad("/to", "must be the id of a person"))?;
    let comment = text(&asked, "comment")?.unwrap_or_default().to_owned();
    let hand_on = HandOn { to, comment, from: person(&head.catalog, &asked, "from")? };
    head.state.records.hand_on_approval(&head.actor, id, hand_on, Source::Api).await?;
    told(&head, id, StatusCode::OK).await
}

/// `POST /approvals/{request}/withdraw`
pub(super) async fn withdraw(head: Head) -> Result<Response, Problem> {
    let id = writable(&head).await?;
    head.state.records.withdraw_approval(&head.actor, id, Source::Api).await?;
    told(&head, id, StatusCode::OK).await
}

/// `GET /stand-ins`
pub(super) async fn stand_ins(head: Head) -> Result<Response, Problem> {
    let identity = head.requester.identity()?;
    let params = head.params(&["person"])?;
    let person = match params.get("person") {
        None => identity.user,
        Some(text) => user(&head.catalog, text).ok_or_else(|| bad_parameter("person", "must be the id of a person"))?,
    };
    let found = head.state.records.stand_ins(&head.actor, person).await?;
    let data: Vec<Value> = found.iter().map(|one| stand_in_json(&head.catalog, one)).collect();
    Ok(answer::json(StatusCode::OK, &json!({ "data": data })))
}

/// `POST /stand-ins`: `{"stand_in": "user_…", "until": "…"}`.
pub(super) async fn add_stand_in(head: Head, body: Body) -> Result<Response, Problem> {
    let identity = head.signed_in()?;
    let user = identity.user;
    unlimited(&head)?;
    let asked = object(head.json(body, JSON).await?, &["person", "stand_in", "from", "until"])?;
    let moment = |name: &str| match text(&asked, name)? {
        None => Ok(None),
        Some(text) => {
            let at = DateTime::parse(text);
            at.map(Some).ok_or_else(|| bad(&format!("/{name}"), "must be a moment such as `2027-01-31T18:00:00Z`"))
        }
    };
    let new = NewStandIn {
        person: person(&head.catalog, &asked, "person")?.unwrap_or(user),
        stand_in: person(&head.catalog, &asked, "stand_in")?.ok_or_else(|| bad("/stand_in", "must be the id of a person"))?,
        from_at: moment("from")?.unwrap_or_else(|| head.state.records.clock().now()),
        until_at: moment("until")?.ok_or_else(|| bad("/until", "must say until when"))?,
    };
    let made = head.state.records.add_stand_in(&head.actor, new, Source::Api).await?;
    Ok(answer::json(StatusCode::CREATED, &stand_in_json(&head.catalog, &made)))
}

/// `DELETE /stand-ins/{id}`
pub(super) async fn end_stand_in(head: Head) -> Result<Response, Problem> {
    head.signed_in()?;
    unlimited(&head)?;
    let id: i64 = head.part("id").parse().map_err(|_| Problem::not_found())?;
    match head.state.records.end_stand_in(&head.actor, id, Source::Api).await? {
        true => Ok(answer::empty(StatusCode::NO_CONTENT)),
        false => Err(Problem::not_found()),
    }
}

/// Who decides for somebody is said by themselves or by a token that may do all they may.
fn unlimited(head: &Head) -> Result<(), Problem> {
    match head.requester.limits() {
        None => Ok(()),
        Some(_) => Err(crate::access::AccessError::OutOfScope { needed: "admin".into() }.into()),
    }
}

fn request_of(head: &Head) -> Result<i64, Problem> {
    head.part("request").parse().map_err(|_| Problem::not_found())
}

/// The request of the path, about a record that the token may write.
async fn writable(head: &Head) -> Result<i64, Problem> {
    head.signed_in()?;
    let id = request_of(head)?;
    let found = head.state.records.approval(&head.actor, id).await?.ok_or_else(Problem::not_found)?;
    head.requester.may_write(head.catalog.whole().entity(found.entity))?;
    Ok(id)
}

async fn told(head: &Head, id: i64, status: StatusCode) -> Result<Response, Problem> {
    let found = head.state.records.approval(&head.actor, id).await?.ok_or_else(Problem::not_found)?;
    head.requester.may_read(&head.catalog.whole(), [found.entity])?;
    Ok(answer::json(status, &standing_json(head, &found)))
}

/// An id as people know it.
pub(super) fn shown(catalog: &Catalog, id: RecordId) -> String {
    catalog.whole.as_deref().unwrap_or(catalog).find_entity("core.user").map_or_else(|| id.to_string(), |people| id.display(&people.prefix))
}

fn user(catalog: &Catalog, text: &str) -> Option<RecordId> {
    let whole = catalog.whole.as_deref().unwrap_or(catalog);
    parse_id(whole, whole.find_entity("core.user")?.ix, text)
}

/// Names of the fields an approval decides on, as far as they may be known of.
fn fields(catalog: &Catalog, entity: crate::base::EntityIx, approval: &Approval) -> Vec<String> {
    let known = catalog.entity(entity);
    approval.fields.iter().map(|field| known.field(*field)).filter(|field| !field.is_hidden).map(|field| field.name.clone()).collect()
}

fn standing_json(head: &Head, one: &ApprovalStanding) -> Value {
    let whole = head.catalog.whole();
    let entity = whole.entity(one.entity);
    let request = &one.request;
    let approval = one.approval.map(|at| &entity.approvals[at]);
    let locale = head.actor.locale;
    let people = |ids: &[RecordId]| ids.iter().map(|id| shown(&head.catalog, *id)).collect::<Vec<_>>();
    let values: Map<String, Value> = one
        .values
        .iter()
        .map(|value| (entity.field(value.field).name.clone(), json!({ "value": value.value, "unchanged": value.is_same })))
        .collect();
    json!({
        "id": request.id.to_string(),
        "approval": request.approval,
        "label": approval.map_or(request.approval.as_str(), |approval| approval.label.get(locale)),
        "entity": entity.slug,
        "record": request.record.display(&entity.prefix),
        "state": request.state,
        "reason": request.reason,
        "step": Some(&request.step).filter(|step| !step.is_empty()),
        "steps": approval.map(|approval| steps_json(head, approval, one)).unwrap_or_default(),
        "values": values,
        "hidden_values": one.hides_values,
        "asked_by": Some(request.asked_by).filter(|id| *id != 0).map(|id| shown(&head.catalog, RecordId(id))),
        "asked_at": request.asked_at.to_string(),
        "comment": request.comment,
        "due_at": request.due_at.map(|at| at.to_string()),
        "ended_at": request.ended_at.map(|at| at.to_string()),
        "ended_by": Some(request.ended_by).filter(|id| *id != 0).map(|id| shown(&head.catalog, RecordId(id))),
        "counts": one.counts(),
        "may": { "decide_for": people(&one.decides_for), "hand_on": people(&one.hands_on), "withdraw": one.may_withdraw },
    })
}

fn steps_json(head: &Head, approval: &Approval, one: &ApprovalStanding) -> Value {
    let step = |step: &ApprovalStep| {
        let here = one.request.step == step.id;
        let need = match step.need {
            Need::Any => json!("any"),
            Need::All => json!("all"),
            Need::Of(number) => json!(number),
        };
        let parts: Vec<Value> = one.parts.iter().filter(|part| part.step == step.id).map(|part| part_json(head, part)).collect();
        json!({
            "step": step.id, "label": step.label.get(head.actor.locale), "need": need,
            "needed": here.then_some(one.request.need), "current": here && one.request.state == "running", "people": parts,
        })
    };
    approval.steps.iter().map(step).collect()
}

fn part_json(head: &Head, part: &Part) -> Value {
    let person = |id: i64| Some(id).filter(|id| *id != 0).map(|id| shown(&head.catalog, RecordId(id)));
    json!({
        "person": person(part.person.0), "state": part.state, "why": part.why, "from": person(part.origin),
        "decided_by": person(part.decided_by), "comment": part.comment,
        "asked_at": part.asked_at.to_string(), "decided_at": part.decided_at.map(|at| at.to_string()),
    })
}

fn stand_in_json(catalog: &Catalog, one: &StandIn) -> Value {
    json!({
        "id": one.id.to_string(), "person": shown(catalog, one.person), "stand_in": shown(catalog, one.stand_in),
        "from": one.from_at.to_string(), "until": one.until_at.to_string(),
    })
}

pub(super) fn object(body: Value, known: &[&str]) -> Result<Map<String, Value>, Problem> {
    let Value::Object(map) = body else { return Err(bad("", "must be an object")) };
    match map.keys().find(|name| !known.contains(&name.as_str())) {
        Some(name) => Err(bad(&crate::record::pointer(name), &format!("is not known here; there are {}", known.join(", ")))),
        None => Ok(map),
    }
}

pub(super) fn text<'a>(map: &'a Map<String, Value>, name: &str) -> Result<Option<&'a str>, Problem> {
    match map.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if !text.contains('\0') => Ok(Some(text.trim()).filter(|text| !text.is_empty())),
        Some(_) => Err(bad(&format!("/{name}"), "must be a text")),
    }
}

fn person(catalog: &Catalog, map: &Map<String, Value>, name: &str) -> Result<Option<RecordId>, Problem> {
    match text(map, name)? {
        None => Ok(None),
        Some(text) => user(catalog, text).map(Some).ok_or_else(|| bad(&format!("/{name}"), "must be the id of a person")),
    }
}

pub(super) fn bad(path: &str, message: &str) -> Problem {
    Problem::new("WEB422", "the body has not the shape of this request").with_fault(path, "bad_shape", message, json!({}))
}
