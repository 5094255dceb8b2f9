//! People as an administrator sees them: who can sign in, and how.

use std::collections::{BTreeMap, BTreeSet};

use super::link::INVITE;
use super::{Auth, AuthError, person};
use crate::base::{DateTime, RecordId};
use crate::store::{credentials, factors, sessions, setup};

/// One person.
#[derive(Debug, Clone)]
pub struct PersonInfo {
    pub id: RecordId,
    pub name: String,
    pub email: String,
    pub roles: Vec<String>,
    pub active: bool,
    pub has_password: bool,
    /// Until when their invitation holds.
    pub invited_until: Option<DateTime>,
    pub has_totp: bool,
    pub sessions: i64,
    pub seen_at: Option<DateTime>,
}

impl Auth {
    /// Everyone, by name. A fixed number of statements for each five hundred people.
    pub async fn people(&self) -> Result<Vec<PersonInfo>, AuthError> {
        let now = self.clock.now();
        let with_password: BTreeSet<i64> = credentials::users_with_password(&self.store).await?.into_iter().collect();
        let with_totp: BTreeSet<i64> = factors::users_with_totp(&self.store).await?.into_iter().collect();
        let invited: BTreeMap<i64, DateTime> = setup::pending(&self.store, INVITE, now).await?.into_iter().collect();
        let sessions: BTreeMap<i64, (i64, DateTime)> =
            sessions::count_by_user(&self.store, now).await?.into_iter().map(|(user, count, seen)| (user, (count, seen))).collect();
        let mut people: Vec<PersonInfo> = person::list(&self.records)
            .await?
            .into_iter()
            .map(|person| PersonInfo {
                has_password: with_password.contains(&person.id.0),
                invited_until: invited.get(&person.id.0).copied(),
                has_totp: with_totp.contains(&person.id.0),
                sessions: sessions.get(&person.id.0).map_or(0, |(count, _)| *count),
                seen_at: sessions.get(&person.id.0).map(|(_, seen)| *seen),
                id: person.id,
                name: person.name,
                email: person.email,
                roles: person.roles,
                active: person.active,
            })
            .collect();
        people.sort_by_cached_key(|person| (crate::base::text::fold(&person.name), person.id.0));
        Ok(people)
    }

    /// Whether somebody has this id.
    pub async fn is_person(&self, user: RecordId) -> Result<bool, AuthError> {
        Ok(person::get(&self.records, user).await?.is_some())
    }

    /// The person with this address.
    ///
    /// # Errors
    /// `ATH404`.
    pub async fn find_user(&self, email: &str) -> Result<RecordId, AuthError> {
        Ok(person::find_by_email(&self.records, email).await?.ok_or(AuthError::NoSuchUser)?.id)
    }
}
