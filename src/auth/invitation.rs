//! Invitations: a person is made with their roles, and a link lets them choose a password. It works once and for a week.

use super::link::INVITE;
use super::password::check_strength;
use super::{Auth, AuthError, Caller, SessionStart, person};
use crate::access::Actor;
use crate::base::RecordId;
use crate::record::{Source, WriteOptions};
use crate::store::{credentials, setup};

const INVITE_MICROS: i64 = 7 * 24 * 3600 * 1_000_000;

/// Someone to be invited.
#[derive(Debug, Clone)]
pub struct Invitation {
    /// Empty: the part of the address before the `@`.
    pub name: String,
    pub email: String,
    pub roles: Vec<String>,
}

/// An invitation that was made. `path` holds its only copy: `/invitation?token=…`.
#[derive(Clone)]
pub struct Invited {
    pub user: RecordId,
    pub path: String,
}

impl Auth {
    /// Makes the person, with their roles, and the link. Who is there already and has no password gets a new link; the one
    /// before ends.
    ///
    /// # Errors
    /// `ATH014` for someone who has a password, `ATH013` for a role that nobody can have, `ACL002` and `ACL004` for whom may
    /// not make people, `REC010` when the record cannot be saved.
    pub async fn invite(&self, actor: &Actor, invitation: Invitation) -> Result<Invited, AuthError> {
        let user = match person::find_by_email(&self.records, &invitation.email).await? {
            Some(person) => person.id,
            None => self.make_person(actor, invitation).await?,
        };
        self.invite_again(user).await
    }

    /// A new link for someone who has no password yet.
    pub async fn invite_again(&self, user: RecordId) -> Result<Invited, AuthError> {
        let is_active = person::get(&self.records, user).await?.is_some_and(|person| person.active);
        let credential = credentials::load(&self.store, user.0).await?;
        if !is_active || credential.is_some_and(|credential| credential.password_hash.is_some()) {
            return Err(AuthError::CannotInvite);
        }
        let token = self.create_link(INVITE, Some(user), INVITE_MICROS).await?;
        Ok(Invited { user, path: format!("/invitation?token={token}") })
    }

    /// The name and address of whom a link invites; looking does not use it up.
    pub async fn invited(&self, token: &str) -> Result<Option<(String, String)>, AuthError> {
        let Some(link) = self.find_link(token, INVITE).await? else { return Ok(None) };
        self.name_and_email(RecordId(link.user_id.unwrap_or(0))).await
    }

    /// How a person is written to; `None` for somebody who may not sign in.
    ///
    /// # Errors
    /// The database.
    pub async fn name_and_email(&self, user: RecordId) -> Result<Option<(String, String)>, AuthError> {
        let person = person::get(&self.records, user).await?.filter(|person| person.active);
        Ok(person.map(|person| (person.name, person.email)))
    }

    /// The invited person chooses a password and is signed in; the link is used up.
    ///
    /// # Errors
    /// `ATH004` for a link that is not valid, used or over, `ATH005` for a weak password; as [`Auth::sign_in`] where a second
    /// factor must be set up.
    pub async fn accept_invitation(&self, token: &str, password: &str, from: &Caller) -> Result<SessionStart, AuthError> {
        let Some(link) = self.find_link(token, INVITE).await? else {
            return Err(self.refuse_link(from).await);
        };
        let person = person::get(&self.records, RecordId(link.user_id.unwrap_or(0))).await?.filter(|person| person.active);
        let Some(person) = person else { return Err(AuthError::BadLink) };
        check_strength(password, &person.email)?;
        let hash = self.passwords.hash(password).await?;
        let user = person.id.0;
        let used = self
            .store
            .write::<_, AuthError>(move |tx| {
                Box::pin(async move {
                    let used = setup::consume(tx, &link.hash).await?;
                    if used {
                        credentials::set_password(tx, user, &hash).await?;
                    }
                    Ok(used)
                })
            })
            .await?;
        if !used {
            return Err(AuthError::BadLink);
        }
        self.begin_session(&person, from).await
    }

    async fn make_person(&self, actor: &Actor, invitation: Invitation) -> Result<RecordId, AuthError> {
        let catalog = self.records.catalog();
        if let Some(known) = person::known_roles(&catalog)
            && let Some(unknown) = invitation.roles.iter().find(|role| !known.contains(role))
        {
            return Err(AuthError::NoSuchRole(unknown.chars().take(80).collect()));
        }
        let name = match invitation.name.trim() {
            "" => invitation.email.split('@').next().unwrap_or("").trim(),
            name => name,
        };
        let input = person::input_of(&catalog, name, &invitation.email, None, &invitation.roles)?;
        let entity = person::user_entity(&catalog)?.ix;
        Ok(self.records.create(actor, &catalog, entity, input, WriteOptions::from(Source::System)).await?.id)
    }
}
