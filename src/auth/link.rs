//! One-time links: first setup, and signing in without a password (`relata demo`, an invitation, a reset).

use std::net::IpAddr;

use super::password::check_strength;
use super::secret::{digest, hex, is_secret, new_secret};
use super::session::{address_key, save_user};
use super::{Auth, AuthError, Caller, NewUser, SessionStart, person};
use crate::base::{DateTime, RecordId};
use crate::store::audit::{self, Entry};
use crate::store::setup::SetupLink;
use crate::store::{credentials, setup};

const SETUP: &str = "setup";
const SIGN_IN: &str = "sign-in";
pub(super) const INVITE: &str = "invite";
const SETUP_MICROS: i64 = 24 * 3600 * 1_000_000;
const SIGN_IN_MICROS: i64 = 600 * 1_000_000;

impl Auth {
    /// Whether no person can sign in yet: the setup page is open to who has the link.
    pub async fn setup_is_open(&self) -> Result<bool, AuthError> {
        Ok(!credentials::is_any_set(&self.store).await?)
    }

    /// Makes (or replaces) the setup secret while setup is open; `app` prints `/setup?token=…` at start. `None` when
    /// someone can already sign in.
    pub async fn begin_setup(&self) -> Result<Option<String>, AuthError> {
        if !self.setup_is_open().await? {
            return Ok(None);
        }
        self.create_link(SETUP, None, SETUP_MICROS).await.map(Some)
    }

    /// Whether `token` opens the setup page now.
    pub async fn setup_token_is_valid(&self, token: &str) -> Result<bool, AuthError> {
        Ok(self.setup_is_open().await? && self.find_link(token, SETUP).await?.is_some())
    }

    /// Creates the first administrator and signs them in; the setup secret is used up.
    ///
    /// # Errors
    /// `ATH006` when setup is finished, `ATH004` for a wrong or used link, `ATH005` for a weak password.
    pub async fn set_up(&self, token: &str, admin: NewUser, from: IpAddr) -> Result<SessionStart, AuthError> {
        self.set_up_from(token, admin, &from.into()).await
    }

    /// [`Auth::set_up`] from a browser, which the session remembers.
    pub async fn set_up_from(&self, token: &str, admin: NewUser, from: &Caller) -> Result<SessionStart, AuthError> {
        if !self.setup_is_open().await? {
            return Err(AuthError::SetupClosed);
        }
        let Some(link) = self.find_link(token, SETUP).await? else {
            return Err(self.refuse_link(from).await);
        };
        check_strength(&admin.password, &admin.email)?;
        let hash = self.passwords.hash(&admin.password).await?;
        let (session, start) = self.new_session(RecordId(0), from);
        let admin = NewUser { admin: true, ..admin };
        let user = save_user(&self.records, admin, Some(hash), Some(link.hash), Some(session)).await?;
        Ok(SessionStart { user, ..start })
    }

    /// The path of a link that signs one person in once, within ten minutes: `/sign-in/link?token=…`.
    pub async fn create_sign_in_link(&self, email: &str) -> Result<String, AuthError> {
        let person = person::find_by_email(&self.records, email).await?.ok_or(AuthError::NoSuchUser)?;
        let token = self.create_link(SIGN_IN, Some(person.id), SIGN_IN_MICROS).await?;
        Ok(format!("/sign-in/link?token={token}"))
    }

    /// Whether a link of [`Auth::create_sign_in_link`] can still be used; opening the page does not use it up.
    pub async fn sign_in_link_is_valid(&self, token: &str) -> Result<bool, AuthError> {
        Ok(self.find_link(token, SIGN_IN).await?.is_some())
    }

    /// Signs in by a one-time link and uses it up.
    pub async fn sign_in_by_link(&self, token: &str, from: IpAddr) -> Result<SessionStart, AuthError> {
        self.sign_in_by_link_from(token, &from.into()).await
    }

    /// [`Auth::sign_in_by_link`] from a browser, which the session remembers.
    pub async fn sign_in_by_link_from(&self, token: &str, from: &Caller) -> Result<SessionStart, AuthError> {
        self.refuse_blocked(&[&address_key(from.ip)]).await?;
        let Some(link) = self.find_link(token, SIGN_IN).await? else {
            return Err(self.refuse_link(from).await);
        };
        let user = RecordId(link.user_id.unwrap_or(0));
        let Some(person) = person::get(&self.records, user).await?.filter(|person| person.active) else {
            return Err(AuthError::BadLink);
        };
        let used = self.store.write::<_, AuthError>(move |tx| Box::pin(async move { Ok(setup::consume(tx, &link.hash).await?) })).await?;
        if !used {
            return Err(AuthError::BadLink);
        }
        self.begin_session(&person, from).await
    }

    /// Refuses somebody who has just tried wrong links.
    ///
    /// # Errors
    /// `ATH003` while the address must wait.
    pub async fn admit_link(&self, from: &Caller) -> Result<(), AuthError> {
        self.refuse_blocked(&[&address_key(from.ip)]).await
    }

    /// Counts a wrong link of somebody who needs no signing in.
    ///
    /// # Errors
    /// The database; `ATH003` where the address must wait now.
    pub async fn note_bad_link(&self, from: &Caller) -> Result<(), AuthError> {
        match self.refuse_link(from).await {
            AuthError::BadLink => Ok(()),
            error => Err(error),
        }
    }

    pub(super) async fn create_link(&self, purpose: &str, user: Option<RecordId>, lasts: i64) -> Result<String, AuthError> {
        let token = new_secret(self.random.as_ref());
        let now = self.clock.now();
        let link = SetupLink {
            hash: hex(&digest(&token)),
            purpose: purpose.to_owned(),
            user_id: user.map(|user| user.0),
            created_at: now,
            expires_at: DateTime(now.0 + lasts),
        };
        self.store.write::<_, AuthError>(move |tx| Box::pin(async move { Ok(setup::create(tx, &link).await?) })).await?;
        Ok(token)
    }

    pub(super) async fn find_link(&self, token: &str, purpose: &str) -> Result<Option<SetupLink>, AuthError> {
        if !is_secret(token) {
            return Ok(None);
        }
        let found = setup::find(&self.store, &hex(&digest(token)), self.clock.now()).await?;
        Ok(found.filter(|link| link.purpose == purpose))
    }

    /// Counts a wrong link for its address, so that guessing is slow although it is hopeless.
    pub(super) async fn refuse_link(&self, from: &Caller) -> AuthError {
        if let Err(error) = audit::note(&self.store, Entry::new("session.refuse").fact("at", "link")).await {
            return error.into();
        }
        match self.note_failure(format!("link:{}", address_key(from.ip)), address_key(from.ip)).await {
            Ok(()) => AuthError::BadLink,
            Err(error) => error,
        }
    }
}
