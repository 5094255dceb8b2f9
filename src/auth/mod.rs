//! Sign-in, sessions, API tokens, one-time links and password reset. People themselves are `core.user` records.
//!
//! Secrets are stored as hashes only. What a request needs (who is this cookie or token?) is remembered until something
//! changes that it depends on.

mod attempts;
mod cache;
mod error;
mod invitation;
mod jwt;
mod leaving;
mod link;
mod passkeys;
mod password;
mod people;
mod person;
mod second_factor;
mod secret;
mod session;
mod sso;
mod token;
pub mod totp;
mod viewing;
mod webauthn;

#[cfg(test)]
mod tests;

use std::net::IpAddr;
use std::sync::Arc;

use crate::access::{Rights, Scopes};
use crate::base::{Clock, DateTime, Locale, Random, RecordId};
use crate::outbound::Network;
use crate::record::Records;
use crate::store::Store;

use cache::Cache;
pub use error::AuthError;
pub use invitation::{Invitation, Invited};
pub use leaving::{Handover, Held};
pub use passkeys::{NewPasskey, PasskeyInfo, PasskeyProof};
use password::Passwords;
pub use people::PersonInfo;
pub use second_factor::{Enrolment, Factors};
pub use session::{SessionInfo, SessionLimits};
pub use sso::{Provider, SsoEnd, SsoStart};
pub use token::{CreatedToken, NewToken, TokenInfo, TokenLimits};
pub use webauthn::Site;

/// Who a session or token stands for, read once and cached for a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    pub user: RecordId,
    /// The person's name, for the page's corner; never for logs.
    pub name: String,
    pub email: String,
    pub roles: Vec<String>,
    /// What the roles allow.
    pub rights: Rights,
    /// The person's own choice.
    pub locale: Option<Locale>,
    /// The person's own; `None` is the workspace's.
    pub time_zone: Option<jiff::tz::TimeZone>,
    /// The API token's id; `None` for a session.
    pub token: Option<i64>,
    /// What the token is limited to; `None` for a session.
    pub scopes: Option<Arc<Scopes>>,
    /// Addresses the token may be used from; empty means everywhere.
    networks: Vec<Network>,
    /// The session; `None` for a token.
    pub session: Option<SessionRef>,
    /// The administrator who looks through this person's eyes: nothing may be changed then.
    pub viewer: Option<Viewer>,
}

/// Who looks through the eyes of somebody else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Viewer {
    pub user: RecordId,
    pub name: String,
}

/// A session of someone who is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRef {
    /// Hash of its secret.
    hash: String,
    /// When the person last proved who they are.
    proved_at: DateTime,
}

/// How long after a proof of who someone is dangerous acts are open to them.
const PROOF_MICROS: i64 = 600 * 1_000_000;

impl Identity {
    /// Whether dangerous acts are open: the person proved who they are within the last ten minutes. A token cannot be asked
    /// and has its scopes instead.
    pub fn is_fresh(&self, now: DateTime) -> bool {
        self.session.as_ref().is_none_or(|session| now.0 - session.proved_at.0 < PROOF_MICROS)
    }
}

/// Who knocks: the address, and what the browser calls itself.
#[derive(Debug, Clone)]
pub struct Caller {
    pub ip: IpAddr,
    pub agent: String,
}

impl From<IpAddr> for Caller {
    fn from(ip: IpAddr) -> Self {
        Self { ip, agent: String::new() }
    }
}

/// A session that has just begun. `cookie` is the only copy of its secret.
#[derive(Clone)]
pub struct SessionStart {
    pub user: RecordId,
    pub cookie: String,
    pub max_age_seconds: i64,
}

/// A person to be created.
#[derive(Clone)]
pub struct NewUser {
    pub name: String,
    pub email: String,
    /// Empty: no password yet; they come in by a link.
    pub password: String,
    pub locale: Option<Locale>,
    pub admin: bool,
}

/// A person in a list.
#[derive(Debug, Clone)]
pub struct UserInfo {
    pub id: RecordId,
    pub name: String,
    pub email: String,
    pub roles: Vec<String>,
    pub active: bool,
    pub has_password: bool,
}

/// Sign-in and everything that proves who someone is.
pub struct Auth {
    store: Store,
    records: Records,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    passwords: Passwords,
    cache: Cache,
    limits: SessionLimits,
    /// `None` without an identity provider.
    sso: Option<sso::Sso>,
}

impl Auth {
    pub fn new(store: Store, records: Records, clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> Self {
        let passwords = Passwords::new(random.clone());
        Self { store, records, clock, random, passwords, cache: Cache::default(), limits: SessionLimits::default(), sso: None }
    }

    /// What an answer that is looked up now holds under. Ask before looking up.
    async fn under(&self) -> Result<cache::Under, AuthError> {
        let catalog = self.records.catalog().version;
        Ok(cache::Under { epoch: self.store.identity_epoch().await?, catalog })
    }

    /// With other limits of sessions than the usual ones.
    #[must_use]
    pub fn with_sessions(mut self, limits: SessionLimits) -> Self {
        self.limits = limits;
        self
    }
}
