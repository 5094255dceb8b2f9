//! People are `core.user` records: finding, reading and creating them.

use std::sync::Arc;

use serde_json::json;

use super::{AuthError, Identity, NewUser};
use crate::access::Actor;
use crate::base::{Locale, RecordId, Value};
use crate::query::{self, Deleted, GetRequest, default_select};
use crate::record::{Input, Records, RowRef, roles_in};
use crate::schema::catalog::{Catalog, Entity, FieldType};

/// The entity of people.
pub(super) fn user_entity(catalog: &Catalog) -> Result<&Entity, AuthError> {
    catalog.find_entity("core.user").ok_or_else(|| AuthError::Internal("the package `core` is not applied: there is no `core.user`".into()))
}

/// A person as sign-in needs them.
#[derive(Debug, Clone)]
pub(super) struct Person {
    pub id: RecordId,
    pub name: String,
    pub email: String,
    pub roles: Vec<String>,
    pub locale: Option<Locale>,
    pub time_zone: Option<jiff::tz::TimeZone>,
    pub active: bool,
}

impl Person {
    /// Without a token or a session yet.
    pub(super) async fn into_identity(self, records: &Records) -> Result<Identity, AuthError> {
        let rights = records.rights_of(self.id, &self.roles).await?;
        Ok(Identity {
            rights,
            user: self.id,
            name: self.name,
            email: self.email,
            roles: self.roles,
            locale: self.locale,
            time_zone: self.time_zone,
            token: None,
            scopes: None,
            networks: Vec::new(),
            session: None,
            viewer: None,
        })
    }
}

/// The live person with this id.
pub(super) async fn get(records: &Records, id: RecordId) -> Result<Option<Person>, AuthError> {
    let catalog = records.catalog();
    let entity = user_entity(&catalog)?;
    let request = GetRequest { entity: entity.ix, id, select: default_select(entity), deleted: Deleted::Live };
    Ok(records.get(&Actor::system(), &catalog, request).await?.map(|row| person(entity, row.view())))
}

/// The live person with this address, in whatever case it is written.
pub(super) async fn find_by_email(records: &Records, email: &str) -> Result<Option<Person>, AuthError> {
    let trimmed = email.trim();
    if trimmed.is_empty() || trimmed.len() > 254 || trimmed.contains('\0') {
        return Ok(None);
    }
    let lower = trimmed.to_lowercase();
    let mut tried: Vec<&str> = vec![&lower];
    if trimmed != lower {
        tried.push(trimmed);
    }
    for text in tried {
        if let Some(found) = find_exactly(records, text).await? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

async fn find_exactly(records: &Records, email: &str) -> Result<Option<Person>, AuthError> {
    let catalog = records.catalog();
    let entity = user_entity(&catalog)?;
    let quoted = format!("email = '{}'", email.replace('\'', "''"));
    let asked = json!({ "filter": quoted, "limit": 1 });
    let Ok(request) = query::parse_list_json(&catalog, records.cursor_key(), entity.ix, &asked) else {
        // Characters that no address has.
        return Ok(None);
    };
    let page = records.list(&Actor::system(), &catalog, request).await?;
    Ok(page.iter().next().map(|row| person(entity, row)))
}

/// All live people, five hundred at a time.
pub(super) async fn list(records: &Records) -> Result<Vec<Person>, AuthError> {
    let catalog = records.catalog();
    let entity = user_entity(&catalog)?;
    let mut people = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let asked = match &cursor {
            None => json!({ "limit": query::MAX_LIMIT }),
            Some(cursor) => json!({ "limit": query::MAX_LIMIT, "cursor": cursor }),
        };
        let request = query::parse_list_json(&catalog, records.cursor_key(), entity.ix, &asked)
            .map_err(|_| AuthError::Internal("people could not be listed".into()))?;
        let page = records.list(&Actor::system(), &catalog, request).await?;
        people.extend(page.iter().map(|row| person(entity, row)));
        match page.next_cursor {
            Some(next) => cursor = Some(next),
            None => return Ok(people),
        }
    }
}

/// The roles people can have; `None` where any word is a role.
pub(super) fn known_roles(catalog: &Catalog) -> Option<Vec<String>> {
    let entity = catalog.find_entity("core.user")?;
    match &entity.find_field("roles").or_else(|| entity.find_field("role"))?.ty {
        FieldType::Select(options) | FieldType::MultiSelect { options, .. } => {
            Some(options.list.options.iter().map(|option| option.key.clone()).collect())
        }
        _ => None,
    }
}

/// The values of a new `core.user`. Fields this workspace's `core.user` does not have are left out, and so is a role that it
/// does not know.
pub(super) fn input(catalog: &Arc<Catalog>, user: &NewUser) -> Result<Input, AuthError> {
    let role = if user.admin { "admin" } else { "user" };
    let knows = known_roles(catalog).is_none_or(|roles| roles.iter().any(|known| known == role));
    let roles: Vec<String> = knows.then(|| role.to_owned()).into_iter().collect();
    input_of(catalog, &user.name, &user.email, user.locale, &roles)
}

/// The values that give a person these roles, and no others.
pub(super) fn roles_json(entity: &Entity, roles: &[String]) -> serde_json::Value {
    let mut values = serde_json::Map::new();
    if let Some(field) = entity.find_field("roles").or_else(|| entity.find_field("role")) {
        match &field.ty {
            FieldType::MultiSelect { .. } | FieldType::Tags { .. } => values.insert(field.name.clone(), json!(roles)),
            FieldType::Select(_) => values.insert(field.name.clone(), json!(roles.first())),
            _ => None,
        };
    }
    serde_json::Value::Object(values)
}

/// [`input`] with roles by name.
pub(super) fn input_of(
    catalog: &Arc<Catalog>,
    name: &str,
    email: &str,
    locale: Option<Locale>,
    roles: &[String],
) -> Result<Input, AuthError> {
    let entity = user_entity(catalog)?;
    let mut values = serde_json::Map::new();
    let mut put = |name: &str, value: serde_json::Value| {
        if entity.find_field(name).is_some_and(|field| !field.read_only) {
            values.insert(name.to_owned(), value);
        }
    };
    put("name", name.into());
    put("email", email.trim().to_lowercase().into());
    put("active", true.into());
    if let Some(locale) = locale {
        put("locale", locale.tag().into());
    }
    if let serde_json::Value::Object(given) = roles_json(entity, roles) {
        values.extend(given);
    }
    Input::from_json(catalog, entity, &serde_json::Value::Object(values)).map_err(AuthError::from_faults)
}

fn person(entity: &Entity, row: RowRef<'_>) -> Person {
    let value = |name: &str| entity.find_field(name).and_then(|field| row.value(field.ix)).unwrap_or_default();
    Person {
        id: row.id(),
        name: display_text(&value("name")),
        email: display_text(&value("email")),
        roles: roles_in(entity.find_field("roles").is_some(), &value),
        locale: value("locale").as_text().and_then(Locale::from_tag),
        time_zone: value("time_zone").as_text().and_then(|name| jiff::tz::TimeZone::get(name).ok()),
        active: value("active").as_bool().unwrap_or(true),
    }
}

fn display_text(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        Value::Map(parts) => {
            let texts: Vec<&str> = parts.iter().filter_map(|(_, part)| part.as_text()).filter(|text| !text.is_empty()).collect();
            texts.join(" ")
        }
        _ => String::new(),
    }
}
