//! Sign-in, sessions, API tokens, one-time links and password reset. People themselves are `core.user` records.
//!
//! Secrets are stored as hashes only. What a request needs (who is this cookie or token?) is remembered for two seconds.

mod cache;
mod error;
mod link;
mod password;
mod person;
mod secret;
mod session;
mod token;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use crate::base::{Clock, Locale, Random, RecordId};
use crate::record::Records;
use crate::store::Store;

use cache::Cache;
pub use error::AuthError;
use password::Passwords;
pub use token::{CreatedToken, NewToken, TokenInfo};

/// Who a session or token stands for, read once and cached for a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    pub user: RecordId,
    /// The person's name, for the page's corner; never for logs.
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
}

impl Auth {
    pub fn new(store: Store, records: Records, clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> Self {
        let passwords = Passwords::new(random.clone());
        Self { store, records, clock, random, passwords, cache: Cache::default() }
    }

    /// Forgets what is remembered of sessions and tokens: call it after a `core.user` record changed.
    pub fn forget_all(&self) {
        self.cache.forget_all();
    }
}
