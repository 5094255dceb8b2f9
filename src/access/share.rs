//! Whom a record is shared with.

use crate::base::RecordId;

/// A person, a team with all below it, or everybody with a role.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ShareWith {
    Person(RecordId),
    Team(RecordId),
    Role(String),
}

impl ShareWith {
    /// How the table of shares names it.
    pub fn key(&self) -> String {
        match self {
            ShareWith::Person(id) => format!("user:{}", id.0),
            ShareWith::Team(id) => format!("team:{}", id.0),
            ShareWith::Role(role) => format!("role:{role}"),
        }
    }

    /// What [`ShareWith::key`] wrote.
    pub fn of_key(key: &str) -> Option<Self> {
        let (kind, rest) = key.split_once(':')?;
        match kind {
            "user" => Some(ShareWith::Person(RecordId(rest.parse().ok()?))),
            "team" => Some(ShareWith::Team(RecordId(rest.parse().ok()?))),
            "role" => Some(ShareWith::Role(rest.to_owned())),
            _ => None,
        }
    }

    /// `person`, `team` or `role`.
    pub fn word(&self) -> &'static str {
        match self {
            ShareWith::Person(_) => "person",
            ShareWith::Team(_) => "team",
            ShareWith::Role(_) => "role",
        }
    }
}
