//! The rights of people: their roles, and the teams and reports these roles ask for.

use std::sync::Arc;

use super::error::RecordError;
use super::service::Records;
use crate::access::{Actor, ActorKind, Holder, Own, Rights, wants_own};
use crate::base::{Locale, RecordId, Value};
use crate::query::{Deleted, GetRequest, default_select};
use crate::store::people;

impl Records {
    /// What these roles of a person allow. Teams and reports are read only where a role asks for them.
    pub async fn rights_of(&self, user: RecordId, roles: &[String]) -> Result<Rights, RecordError> {
        let catalog = self.catalog();
        let mut own = Own { me: Some(user), ..Own::default() };
        let wants = wants_own(&catalog, roles);
        if wants.shares {
            own.within = people::above_of(self.store(), &catalog, user).await?;
        }
        if wants.teams_and_reports {
            own.teams = people::teams_of(self.store(), &catalog, user).await?;
            own.members = people::members_of(self.store(), &catalog, &own.teams).await?;
            own.reports = people::reports_of(self.store(), &catalog, user).await?;
        }
        Ok(Rights::Roles(Arc::new(Holder::new(roles.to_vec(), own, self.policies().clone()))))
    }

    /// The actor under definitions that were applied while their request was under way: new rules may ask for teams and shares
    /// that the former ones did not.
    pub(super) async fn caught_up(&self, actor: &Actor) -> Result<Actor, RecordError> {
        let rights = match (&actor.rights, actor.user) {
            (Rights::Roles(holder), Some(user)) => self.rights_of(user, holder.roles()).await?,
            (rights, _) => rights.clone(),
        };
        Ok(Actor { rights, ..actor.clone() })
    }

    /// Somebody on whose behalf something runs later, with the rights they have now; `None` when they are gone or may not
    /// sign in any more.
    pub async fn actor_of(&self, user: RecordId) -> Result<Option<Actor>, RecordError> {
        let catalog = self.catalog();
        let Some(entity) = catalog.find_entity("core.user") else { return Ok(None) };
        let request = GetRequest { entity: entity.ix, id: user, select: default_select(entity), deleted: Deleted::Live };
        let Some(row) = self.get(&Actor::system(), &catalog, request).await? else { return Ok(None) };
        let value = |name: &str| entity.find_field(name).map(|field| row.value(field.ix)).unwrap_or_default();
        if value("active") == Value::Bool(false) {
            return Ok(None);
        }
        let roles = roles_in(entity.find_field("roles").is_some(), &value);
        let rights = self.rights_of(user, &roles).await?;
        let locale = value("locale").as_text().and_then(Locale::from_tag).unwrap_or(catalog.settings.locale);
        let actor = Actor::person(ActorKind::Automation, user, locale, catalog.settings.time_zone.clone());
        Ok(Some(Actor { roles, rights, ..actor }))
    }

    /// An automation that has the rights of these roles, and nothing of its own: no records, no teams.
    pub fn actor_with(&self, roles: &[String]) -> Actor {
        let holder = Holder::new(roles.to_vec(), Own::default(), self.policies().clone());
        Actor { kind: ActorKind::Automation, roles: roles.to_vec(), rights: Rights::Roles(Arc::new(holder)), ..Actor::system() }
    }
}

/// The roles in a person's record. Where people have no such field, everybody has the everyday role.
pub fn roles_in(has_roles: bool, value: &dyn Fn(&str) -> Value) -> Vec<String> {
    if !has_roles {
        return match value("role") {
            Value::Text(one) => vec![one],
            _ => vec![crate::access::EVERYDAY.to_owned()],
        };
    }
    match value("roles") {
        Value::List(items) => items.iter().filter_map(|item| item.as_text().map(str::to_owned)).collect(),
        Value::Text(one) => vec![one],
        _ => Vec::new(),
    }
}
