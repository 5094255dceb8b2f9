//! Approvals: decisions about a record that are asked for, who gives them, and what follows.

use super::Given;
use crate::base::{FieldIx, Labels};
use crate::expr::Typed;

/// A decision that is asked for. Stages wait for it by its id.
#[derive(Debug, Clone)]
pub struct Approval {
    /// Unique in the entity.
    pub id: String,
    pub label: Labels,
    /// Records for which it is needed; it cannot be asked for others, and gates do not wait for it there.
    pub when: Option<Typed>,
    /// What is decided on: shown to those who decide, locked while they do. What was approved counts while these fields hold
    /// just the values that were seen.
    pub fields: Vec<FieldIx>,
    /// Roles that may ask; empty is everybody who may change the record.
    pub askers: Vec<String>,
    /// Whoever asked may decide too.
    pub may_own: bool,
    /// One after the other.
    pub steps: Vec<ApprovalStep>,
    /// What the record is given in the end.
    pub approved: Vec<Given>,
    pub rejected: Vec<Given>,
}

/// People who are asked together.
#[derive(Debug, Clone)]
pub struct ApprovalStep {
    /// Unique in the approval.
    pub id: String,
    pub label: Labels,
    /// The step is passed over where this does not hold.
    pub when: Option<Typed>,
    pub who: Who,
    pub need: Need,
    /// How long they have.
    pub due_seconds: Option<i64>,
    /// When the time is over, and where nobody is left who may decide.
    pub on_timeout: OnTimeout,
    /// Who is asked then; administrators where nobody is named.
    pub escalate: Who,
}

/// Whom a step asks.
#[derive(Debug, Clone, Default)]
pub struct Who {
    /// Each gives a person, or a team whose members are meant.
    pub people: Vec<Typed>,
    pub roles: Vec<String>,
}

impl Who {
    pub fn is_empty(&self) -> bool {
        self.people.is_empty() && self.roles.is_empty()
    }
}

/// How many must approve; one who rejects ends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    Any,
    All,
    Of(u32),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnTimeout {
    Escalate,
    Reject,
}
