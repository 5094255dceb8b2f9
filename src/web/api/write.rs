//! Writing one record: create, change, delete, restore, upsert.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{RawQuery, State as Shared};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use super::answer;
use super::body::{JSON, PATCH, read_json};
use super::headers::{Preferences, preferences, write_options};
use super::locate::{self, Located};
use crate::access::Actor;
use crate::record::{Input, Saved};
use crate::schema::catalog::{Catalog, Entity, Unique};
use crate::schema::field_type;
use crate::web::{Problem, Requester, State};

/// `POST /records/{entity}`
pub(super) async fn create(
    Shared(state): Shared<State>,
    requester: Requester,
    Located(slug): Located<String>,
    RawQuery(raw): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let catalog = state.catalog();
    let entity = locate::entity(&catalog, &slug)?;
    locate::only_params(raw.as_deref(), &[])?;
    let options = write_options(&headers)?;
    let asked = read_json(&headers, body, JSON, state.config.body_limit_bytes).await?;
    let input = Input::from_json(&catalog, entity, &asked)?;
    let actor = requester.actor(&catalog);
    let saved = state.records.create(&actor, &catalog, entity.ix, input, options).await?;
    written(&state, &actor, &catalog, entity, &saved, preferences(&headers)).await
}

/// `PATCH /records/{entity}/{id}`: a JSON merge patch (RFC 7396).
pub(super) async fn update(
    Shared(state): Shared<State>,
    requester: Requester,
    Located((slug, id_text)): Located<(String, String)>,
    RawQuery(raw): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let catalog = state.catalog();
    let entity = locate::entity(&catalog, &slug)?;
    let id = locate::record_id(&catalog, entity, &id_text)?;
    locate::only_params(raw.as_deref(), &[])?;
    let options = write_options(&headers)?;
    let asked = read_json(&headers, body, PATCH, state.config.body_limit_bytes).await?;
    let input = Input::from_json(&catalog, entity, &asked)?;
    let actor = requester.actor(&catalog);
    let saved = state.records.update(&actor, &catalog, entity.ix, id, input, options).await?;
    written(&state, &actor, &catalog, entity, &saved, preferences(&headers)).await
}

/// `DELETE /records/{entity}/{id}`
pub(super) async fn delete(
    Shared(state): Shared<State>,
    requester: Requester,
    Located((slug, id_text)): Located<(String, String)>,
    RawQuery(raw): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let catalog = state.catalog();
    let entity = locate::entity(&catalog, &slug)?;
    let id = locate::record_id(&catalog, entity, &id_text)?;
    locate::only_params(raw.as_deref(), &[])?;
    let options = write_options(&headers)?;
    let saved = state.records.delete(&requester.actor(&catalog), &catalog, entity.ix, id, options).await?;
    let preferences = preferences(&headers);
    let mut response = if preferences.dry_run {
        answer::json(StatusCode::OK, &answer::summary(entity, &saved))
    } else {
        answer::empty(StatusCode::NO_CONTENT)
    };
    answer::tell(&mut response, entity, &saved, Preferences { minimal: false, ..preferences });
    Ok(response)
}

/// `POST /records/{entity}/{id}/restore`
pub(super) async fn restore(
    Shared(state): Shared<State>,
    requester: Requester,
    Located((slug, id_text)): Located<(String, String)>,
    RawQuery(raw): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let catalog = state.catalog();
    let entity = locate::entity(&catalog, &slug)?;
    let id = locate::record_id(&catalog, entity, &id_text)?;
    locate::only_params(raw.as_deref(), &[])?;
    let options = write_options(&headers)?;
    let actor = requester.actor(&catalog);
    let saved = state.records.restore(&actor, &catalog, entity.ix, id, options).await?;
    written(&state, &actor, &catalog, entity, &saved, preferences(&headers)).await
}

/// `PUT /records/{entity}/by/{unique}/{value}`: updates the record that has this value, or creates it. A unique of several
/// fields takes its values in order with `~` between them (a `~` inside a value is doubled): unlike a comma, no client
/// encodes it.
pub(super) async fn upsert(
    Shared(state): Shared<State>,
    requester: Requester,
    Located((slug, unique_name, value)): Located<(String, String, String)>,
    RawQuery(raw): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let catalog = state.catalog();
    let entity = locate::entity(&catalog, &slug)?;
    let unique = entity.uniques.iter().find(|unique| unique.name == unique_name).ok_or_else(Problem::not_found)?;
    locate::only_params(raw.as_deref(), &[])?;
    let options = write_options(&headers)?;
    let key = key_values(&catalog, entity, unique, &requester.actor(&catalog).time_zone, &value)?;
    let asked = read_json(&headers, body, JSON, state.config.body_limit_bytes).await?;
    let input = Input::from_json(&catalog, entity, &asked)?;
    let actor = requester.actor(&catalog);
    let saved = state.records.upsert(&actor, &catalog, entity.ix, &unique.name, key, input, options).await?;
    written(&state, &actor, &catalog, entity, &saved, preferences(&headers)).await
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
pub(super) async fn written(
    state: &State,
    actor: &Actor,
    catalog: &Arc<Catalog>,
    entity: &Entity,
    saved: &Saved,
    preferences: Preferences,
) -> Result<Response, Problem> {
    let status = if saved.created { StatusCode::CREATED } else { StatusCode::OK };
    let mut response = if preferences.dry_run {
        answer::json(StatusCode::OK, &answer::summary(entity, saved))
    } else if preferences.minimal {
        answer::empty(StatusCode::NO_CONTENT)
    } else {
        let shown = if entity.features.soft_delete { "deleted=all" } else { "" };
        match state.records.get_url(actor, catalog, entity.ix, saved.id, shown).await? {
            Some(row) => answer::record(status, &row),
            // Deleted by someone else between the commit and this look.
            None => answer::empty(StatusCode::NO_CONTENT),
        }
    };
    answer::tell(&mut response, entity, saved, preferences);
    Ok(response)
}
