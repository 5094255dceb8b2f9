//! On whose behalf something runs.

use std::sync::Arc;

use jiff::tz::TimeZone;

use super::policy::{Granted, Holder};
use super::{AccessError, Scopes};
use crate::base::{Locale, RecordId};
use crate::schema::catalog::Catalog;

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

/// Where an actor's rights over records come from.
#[derive(Debug, Clone)]
pub enum Rights {
    /// Refused at every door.
    Nothing,
    Everything,
    /// What the roles say that the definitions in force describe.
    Roles(Arc<Holder>),
}

impl Rights {
    /// Those of somebody without any role.
    pub fn none() -> Self {
        Rights::Roles(Arc::new(Holder::new(Vec::new(), super::policy::Own::default(), Arc::default())))
    }
}

impl PartialEq for Rights {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Rights::Nothing, Rights::Nothing) | (Rights::Everything, Rights::Everything) => true,
            (Rights::Roles(one), Rights::Roles(two)) => Arc::ptr_eq(one, two) || one == two,
            _ => false,
        }
    }
}

impl Eq for Rights {}

/// An actor's rights under one catalog.
#[derive(Debug, Clone)]
pub enum Standing {
    Everything,
    Part(Arc<Granted>),
}

impl Standing {
    /// `None`: nothing is kept from the actor.
    pub fn part(&self) -> Option<&Arc<Granted>> {
        match self {
            Standing::Everything => None,
            Standing::Part(granted) => Some(granted),
        }
    }
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
    /// Somebody else looks through this person's eyes: nothing is written.
    pub only_looks: bool,
    pub rights: Rights,
    pub locale: Locale,
    pub time_zone: TimeZone,
    pub request_id: String,
}

impl Actor {
    /// A person the program itself acts for, with every right over records.
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
            only_looks: false,
            rights: Rights::Everything,
            locale: Locale::default(),
            time_zone: TimeZone::UTC,
            request_id: String::new(),
        }
    }

    /// Nobody: refused at every door.
    pub fn anonymous() -> Self {
        Self { kind: ActorKind::Anonymous, rights: Rights::Nothing, ..Self::system() }
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
            ActorKind::Person | ActorKind::Token => self.has_administrator_role(),
            // What an automation does for a person it does with that person's rights.
            ActorKind::Automation => (self.user.is_none() && self.rights == Rights::Everything) || self.has_administrator_role(),
            ActorKind::System => true,
            ActorKind::Anonymous => false,
        }
    }

    fn has_administrator_role(&self) -> bool {
        self.roles.iter().any(|role| role == ADMINISTRATOR)
    }

    /// What the actor may do with records under a catalog.
    ///
    /// # Errors
    /// `ACL001` for an anonymous actor.
    pub fn standing(&self, catalog: &Catalog) -> Result<Standing, AccessError> {
        if !self.is_signed_in() {
            return Err(AccessError::NotSignedIn);
        }
        // A token that is narrower than an administrator is still held against its scopes.
        if self.kind == ActorKind::System || self.has_administrator_role() {
            return Ok(Standing::Everything);
        }
        match &self.rights {
            Rights::Everything => Ok(Standing::Everything),
            Rights::Nothing => Err(AccessError::NotSignedIn),
            Rights::Roles(holder) => Ok(holder.granted(catalog).map_or(Standing::Everything, Standing::Part)),
        }
    }

    /// The catalog as the actor sees it.
    pub fn sees(&self, whole: &Arc<Catalog>) -> Arc<Catalog> {
        match self.standing(whole) {
            Ok(Standing::Part(granted)) => granted.policy.seen(whole),
            _ => whole.clone(),
        }
    }

    /// Tells sets of roles apart that see different things; 0 sees all.
    pub fn view(&self, catalog: &Catalog) -> u64 {
        self.standing(catalog).ok().and_then(|standing| standing.part().map(|granted| granted.policy.number())).unwrap_or(0)
    }

    /// What `created_by` and `updated_by` say: 0 for the system.
    pub fn user_id(&self) -> i64 {
        self.user.map_or(0, |user| user.0)
    }
}
