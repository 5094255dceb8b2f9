//! Sign-in, sessions, API tokens, the setup link and password reset. People themselves are `core.user` records.

mod error;

use std::net::IpAddr;
use std::sync::Arc;

use crate::base::{Locale, RecordId};

pub use error::AuthError;

/// Who a session or token stands for, read once and cached for a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    pub user: RecordId,
    /// The person's name, for the page's corner and for logs' absence.
    pub name: String,
    pub email: String,
    pub roles: Vec<String>,
    /// The person's own choice.
    pub locale: Option<Locale>,
    /// The person's own; `None` is the workspace's.
    pub time_zone: Option<jiff::tz::TimeZone>,
    /// The API token's id; `None` for a session.
    pub token: Option<i64>,
}

/// A session that has just begun. `cookie` is the only copy of its secret.
#[derive(Clone)]
pub struct SessionStart {
    pub user: RecordId,
    pub cookie: String,
    pub max_age_seconds: i64,
}

/// What the setup page asks for.
#[derive(Debug, Clone)]
pub struct NewUser {
    pub name: String,
    pub email: String,
    pub password: String,
    pub locale: Option<Locale>,
    pub admin: bool,
}

/// Sign-in and everything that proves who someone is.
pub struct Auth {}

impl Auth {
    /// Whether no person can sign in yet: the setup page is open to who has the link.
    pub async fn setup_is_open(&self) -> Result<bool, AuthError> {
        unimplemented!("auth: setup")
    }

    /// Makes (or replaces) the setup secret while setup is open; `app` prints `/setup?token=…` at start.
    pub async fn begin_setup(&self) -> Result<Option<String>, AuthError> {
        unimplemented!("auth: setup")
    }

    /// Whether `token` opens the setup page now.
    pub async fn setup_token_is_valid(&self, _token: &str) -> Result<bool, AuthError> {
        unimplemented!("auth: setup")
    }

    /// Creates the first administrator and signs them in; the setup secret is used up.
    pub async fn set_up(&self, _token: &str, _admin: NewUser, _from: IpAddr) -> Result<SessionStart, AuthError> {
        unimplemented!("auth: setup")
    }

    /// E-mail and password. Unknown people, wrong passwords and deactivated accounts get one and the same error.
    pub async fn sign_in(&self, _email: &str, _password: &str, _from: IpAddr) -> Result<SessionStart, AuthError> {
        unimplemented!("auth: sign in")
    }

    /// A one-time link made by [`Auth::create_sign_in_link`] (`/sign-in/link?token=…`).
    pub async fn sign_in_by_link(&self, _token: &str, _from: IpAddr) -> Result<SessionStart, AuthError> {
        unimplemented!("auth: sign in")
    }

    /// Ends the session of this cookie everywhere.
    pub async fn sign_out(&self, _cookie: &str) -> Result<(), AuthError> {
        unimplemented!("auth: sign out")
    }

    /// The person of a session cookie.
    pub async fn identify_session(&self, _cookie: &str) -> Result<Option<Arc<Identity>>, AuthError> {
        unimplemented!("auth: identify")
    }

    /// The person of an API token (`rl_…`).
    pub async fn identify_token(&self, _token: &str, _from: IpAddr) -> Result<Option<Arc<Identity>>, AuthError> {
        unimplemented!("auth: identify")
    }
}
