//! Writing one record: create, change, delete, restore, upsert.

use axum::body::Body;
use axum::http::StatusCode;
use axum::response::Response;

use super::answer;
use super::body::{JSON, PATCH};
use super::head::{EntityHead, Head};
use super::headers::{Preferences, preferences};
use super::locate;
use crate::record::{Input, Saved};
use crate::schema::catalog::{Catalog, Entity, Unique};
use crate::schema::field_type;
use crate::web::Problem;

/// `POST /records/{entity}`
pub(super) async fn create(mut head: EntityHead, body: Body) -> Result<Response, Problem> {
    let options = head.options()?;
    let input = input(&mut head, JSON, body).await?;
    let saved = head.state.records.create(&head.actor, &head.catalog, head.entity().ix, input, options).await?;
    written(&head, &saved).await
}

/// `PATCH /records/{entity}/{id}`: a JSON merge patch (RFC 7396).
pub(super) async fn update(mut head: EntityHead, body: Body) -> Result<Response, Problem> {
    let (id, options) = (head.id()?, head.options()?);
    let input = input(&mut head, PATCH, body).await?;
    let saved = head.state.records.update(&head.actor, &head.catalog, head.entity().ix, id, input, options).await?;
    written(&head, &saved).await
}

/// `DELETE /records/{entity}/{id}`
pub(super) async fn delete(head: EntityHead) -> Result<Response, Problem> {
    let (id, options) = (head.id()?, head.options()?);
    let saved = head.state.records.delete(&head.actor, &head.catalog, head.entity().ix, id, options).await?;
    let preferences = preferences(&head.headers);
    let mut response = if preferences.dry_run {
        answer::json(StatusCode::OK, &answer::summary(head.entity(), &saved))
    } else {
        answer::empty(StatusCode::NO_CONTENT)
    };
    answer::tell(&mut response, head.entity(), &saved, Preferences { minimal: false, ..preferences });
    Ok(response)
}

/// `POST /records/{entity}/{id}/restore`
pub(super) async fn restore(head: EntityHead) -> Result<Response, Problem> {
    let (id, options) = (head.id()?, head.options()?);
    let saved = head.state.records.restore(&head.actor, &head.catalog, head.entity().ix, id, options).await?;
    written(&head, &saved).await
}

/// `PUT /records/{entity}/by/{unique}/{value}`: updates the record that has this value, or creates it. A unique of several
/// fields takes its values in order with `~` between them (a `~` inside a value is doubled): unlike a comma, no client
/// encodes it.
pub(super) async fn upsert(mut head: EntityHead, body: Body) -> Result<Response, Problem> {
    let options = head.options()?;
    let (unique, key) = head
        .read(|head| {
            let entity = head.entity();
            let unique = entity.uniques.iter().find(|unique| unique.name == head.part("unique")).ok_or_else(Problem::not_found)?;
            let key = key_values(&head.catalog, entity, unique, &head.actor.time_zone, head.part("value"))?;
            Ok((unique.name.clone(), key))
        })
        .await?;
    let input = input(&mut head, JSON, body).await?;
    let saved = head.state.records.upsert(&head.actor, &head.catalog, head.entity().ix, &unique, key, input, options).await?;
    written(&head, &saved).await
}

/// `POST /records/{entity}/{id}/erase`: removes what says something of a person. Wants an administrator who proved a short
/// time ago who they are, or a token made for it.
pub(super) async fn erase(head: Head) -> Result<Response, Problem> {
    // Before anything is looked up: others learn nothing of what is there.
    head.requester.eraser()?;
    let entity = locate::entity(&head.catalog, head.part("entity"))?;
    let id = locate::record_id(&head.catalog, entity, head.part("id"))?;
    let erased = head.state.records.erase(&head.actor, entity.ix, id).await?;
    Ok(answer::json(StatusCode::OK, &serde_json::json!({ "records": erased.records, "files": erased.files })))
}

/// The fields a body sets.
async fn input(head: &mut EntityHead, accepted: &'static [&'static str], body: Body) -> Result<Input, Problem> {
    let asked = head.json(body, accepted).await?;
    let input = head.read(|head| Ok(Input::from_json(&head.catalog, head.entity(), &asked)?)).await?;
    head.requester.may_write_input(&head.catalog, head.entity(), &input)?;
    Ok(input)
}

/// The values of a unique from the last part of the path.
fn key_values(
    catalog: &Catalog,
    entity: &Entity,
    unique: &Unique,
    zone: &jiff::tz::TimeZone,
    part: &str,
) -> Result<Vec<crate::base::Value>, Problem> {
    let texts = if unique.fields.len() == 1 { vec![part.to_owned()] } else { split_key(part) };
    if texts.len() != unique.fields.len() {
        return Err(Problem::new(
            "WEB400",
            format!("`{}` has {} values, the address gives {}", unique.name, unique.fields.len(), texts.len()),
        )
        .with_hint("put `~` between the values; double a `~` inside one"));
    }
    let mut values = Vec::with_capacity(texts.len());
    for (field, text) in unique.fields.iter().zip(&texts) {
        let field = entity.field(*field);
        let value = field_type::parse_text(catalog, field, text, zone).map_err(|fault| {
            Problem::new("WEB422", format!("`{}` in the address: {}", field.name, fault.message)).with_fault(
                field.name.as_str(),
                fault.code,
                fault.message,
                fault.params,
            )
        })?;
        if value.is_empty() {
            return Err(Problem::new("WEB422", format!("`{}` in the address is empty", field.name)));
        }
        values.push(value);
    }
    Ok(values)
}

/// `a~b~~c` is `a` and `b~c`.
fn split_key(part: &str) -> Vec<String> {
    let mut texts = vec![String::new()];
    let mut rest = part.chars().peekable();
    while let Some(c) = rest.next() {
        if c != '~' {
            texts.last_mut().map(|text| text.push(c)).unwrap_or_default();
        } else if rest.next_if_eq(&'~').is_some() {
            texts.last_mut().map(|text| text.push('~')).unwrap_or_default();
        } else {
            texts.push(String::new());
        }
    }
    texts
}

/// The answer to a write: the record as it stands now, or what the client prefers instead.
pub(super) async fn written(head: &EntityHead, saved: &Saved) -> Result<Response, Problem> {
    let (entity, preferences) = (head.entity(), preferences(&head.headers));
    let status = if saved.created { StatusCode::CREATED } else { StatusCode::OK };
    let mut response = if preferences.dry_run {
        answer::json(StatusCode::OK, &answer::summary(entity, saved))
    } else if preferences.minimal {
        answer::empty(StatusCode::NO_CONTENT)
    } else {
        let shown = if entity.features.soft_delete { "deleted=all" } else { "" };
        match head.state.records.get_saved(&head.actor, &head.catalog, entity.ix, saved, shown).await? {
            Some(row) => answer::record(status, &row),
            // Deleted by someone else between the commit and this look.
            None => answer::empty(StatusCode::NO_CONTENT),
        }
    };
    answer::tell(&mut response, entity, saved, preferences);
    Ok(response)
}
