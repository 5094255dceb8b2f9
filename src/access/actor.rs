//! On whose behalf something runs.

use std::sync::Arc;

use jiff::tz::TimeZone;

use super::Scopes;
use crate::base::{Locale, RecordId};

/// The role that may change definitions and people.
pub const ADMINISTRATOR: &str = "admin";

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ActorKind {
    /// Nobody has signed in.
    Anonymous,
    Person,
    Token,
    Automation,
    /// The program itself: seeds, imports from the command line, computing.
    System,
}

/// Who asks, in which language and where.
#[derive(Debug, Clone)]
pub struct Actor {
    pub kind: ActorKind,
    /// The `core.user` record; of an automation, the user it runs as.
    pub user: Option<RecordId>,
    pub roles: Vec<String>,
    /// What an API token is limited to; `None` is no limit but the rights of the person.
    pub scopes: Option<Arc<Scopes>>,
    /// The person proved who they are within the last minutes; always true for tokens, automations and the program itself,
    /// which cannot be asked. Dangerous acts want it.
    pub is_fresh: bool,
    pub locale: Locale,
    pub time_zone: TimeZone,
    pub request_id: String,
}

impl Actor {
    /// A person or a token of a person.
    pub fn person(kind: ActorKind, user: RecordId, locale: Locale, time_zone: TimeZone) -> Self {
        Self { kind, user: Some(user), locale, time_zone, ..Self::system() }
    }

    /// The program itself.
    pub fn system() -> Self {
        Self {
            kind: ActorKind::System,
            user: None,
            roles: Vec::new(),
            scopes: None,
            is_fresh: true,
            locale: Locale::default(),
            time_zone: TimeZone::UTC,
            request_id: String::new(),
        }
    }

    /// Nobody: refused at every door.
    pub fn anonymous() -> Self {
        Self { kind: ActorKind::Anonymous, ..Self::system() }
    }

    pub fn is_signed_in(&self) -> bool {
        self.kind != ActorKind::Anonymous
    }

    /// Whether this is the program itself, an automation or an administrator (with a token: one that may administer).
    pub fn is_administrator(&self) -> bool {
        if self.scopes.as_ref().is_some_and(|scopes| !scopes.may_administer()) {
            return false;
        }
        match self.kind {
            ActorKind::Person | ActorKind::Token => self.roles.iter().any(|role| role == ADMINISTRATOR),
            ActorKind::Automation | ActorKind::System => true,
            ActorKind::Anonymous => false,
        }
    }

    /// What `created_by` and `updated_by` say: 0 for the system.
    pub fn user_id(&self) -> i64 {
        self.user.map_or(0, |user| user.0)
    }
}
