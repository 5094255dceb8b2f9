//! Why somebody may or may not, who reads what, what somebody sees.
//!
//! About oneself anybody may ask; about others and about definitions administrators, and about the records of an entity those
//! whose role says `admin` there.

use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};

use super::answer;
use super::head::Head;
use crate::base::{EntityIx, FieldIx, RecordId};
use crate::record::parse_id;
use crate::schema::catalog::Catalog;
use crate::web::Problem;

/// `GET /access/why?record=deal_…&person=user_…`; without a person about oneself.
pub(super) async fn why(head: Head) -> Result<Response, Problem> {
    let params = head.params(&["record", "person"])?;
    let me = head.requester.identity()?.user;
    let text = params.get("record").filter(|text| RecordId::parse(text).is_some());
    let text = text.ok_or_else(|| Problem::new("QRY004", "`record` must be the id of a record").with_hint("as in `deal_0aknk4r000004`"))?;
    let (entity, id) = record_of(&head.catalog, text).ok_or_else(Problem::not_found)?;
    let person = match params.get("person") {
        None => me,
        Some(text) => person_of(&head, text)?,
    };
    let may = head.state.records.may(&head.actor, &head.catalog, entity, id).await?;
    let knows_rules = head.actor.is_administrator();
    if person != me && !knows_rules && !may.admin {
        return Err(crate::access::AccessError::AdministratorsOnly.into());
    }
    // What one may not see oneself one is told nothing about.
    let own = head
        .state
        .records
        .why(me, &head.catalog, entity, id)
        .await?
        .filter(|why| why.reads() || knows_rules)
        .ok_or_else(Problem::not_found)?;
    // Of people they do not read, those who look after an entity are not told whether they are there, much less their roles.
    if person != me && !knows_rules && !reads_person(&head, person).await? {
        return Err(Problem::not_found());
    }
    let why = match person == me {
        true => own,
        false => head.state.records.why(person, &head.catalog, entity, id).await?.ok_or_else(Problem::not_found)?,
    };
    let why = if knows_rules { why } else { why.without_rules(head.catalog.entity(entity)) };
    Ok(answer::json(StatusCode::OK, &why.to_json(&head.catalog.whole())))
}

async fn reads_person(head: &Head, person: RecordId) -> Result<bool, Problem> {
    let Some(people) = head.catalog.find_entity("core.user").filter(|people| people.may.read) else { return Ok(false) };
    Ok(head.state.records.reads(&head.actor, &head.catalog, people.ix, person).await?)
}

/// `GET /access/who?of=deal.margin`
pub(super) async fn who(head: Head) -> Result<Response, Problem> {
    let params = head.params(&["of"])?;
    head.requester.administrator()?;
    let unknown = || Problem::new("QRY004", "`of` must name an entity or a field of one").with_hint("as in `deal` or `deal.amount`");
    let (entity, field) = params.get("of").and_then(|text| named(&head.catalog, text)).ok_or_else(unknown)?;
    let people = head.state.auth.people().await?;
    let prefix = head.catalog.find_entity("core.user").map_or("user", |entity| entity.prefix.as_str());
    let readers = std::iter::once(("admin".to_owned(), String::new())).chain(head.state.records.readers(&head.catalog, entity, field));
    let data: Vec<Value> = readers
        .map(|(role, rule)| {
            let having = people.iter().filter(|person| person.active && person.roles.contains(&role));
            json!({"role": role, "rule": rule, "people": having.map(|person| person.id.display(prefix)).collect::<Vec<_>>()})
        })
        .collect();
    Ok(answer::json(StatusCode::OK, &json!({ "data": data })))
}

/// `GET /access/as?person=user_…` or `?role=sales_rep`; without either what one sees oneself.
pub(super) async fn seen(head: Head) -> Result<Response, Problem> {
    let params = head.params(&["person", "role"])?;
    let me = head.requester.identity()?.user;
    let seen = match (params.get("person"), params.get("role")) {
        (Some(_), Some(_)) => return Err(Problem::new("QRY004", "`person` and `role` do not go together")),
        (None, None) => head.state.records.seen_by(me).await?,
        (Some(text), None) => {
            let person = person_of(&head, text)?;
            if person != me {
                head.requester.administrator()?;
            }
            head.state.records.seen_by(person).await?
        }
        (None, Some(role)) => {
            head.requester.administrator()?;
            head.state.records.seen_with(role).await?
        }
    };
    let known = |slug: &str| head.catalog.find_entity(slug);
    let mut seen = seen.ok_or_else(Problem::not_found)?;
    // What is hidden from the asker is not told by its name.
    for one in &mut seen {
        one.hidden.retain(|field| known(&one.entity).is_some_and(|entity| entity.find_field(field).is_some()));
    }
    let data: Vec<Value> = seen.iter().map(crate::record::explain::Seen::to_json).collect();
    Ok(answer::json(StatusCode::OK, &json!({ "data": data })))
}

pub(in crate::web) fn record_of(catalog: &Catalog, text: &str) -> Option<(EntityIx, RecordId)> {
    let (prefix, id) = RecordId::parse(text)?;
    Some((*catalog.by_prefix.get(prefix)?, id))
}

/// An entity (`deal`) or a field of it (`deal.amount`).
pub(in crate::web) fn named(catalog: &Catalog, what: &str) -> Option<(EntityIx, Option<FieldIx>)> {
    if let Some(entity) = catalog.find_entity(what) {
        return Some((entity.ix, None));
    }
    let (entity, field) = what.rsplit_once('.')?;
    let entity = catalog.find_entity(entity)?;
    Some((entity.ix, Some(entity.find_field(field)?.ix)))
}

fn person_of(head: &Head, text: &str) -> Result<RecordId, Problem> {
    let whole = head.catalog.whole();
    let found = whole.find_entity("core.user").and_then(|entity| parse_id(&whole, entity.ix, text));
    found.ok_or_else(|| Problem::new("QRY004", "`person` must be the id of a person").with_hint("as in `user_0aknk4r000004`"))
}
