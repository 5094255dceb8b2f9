//! What the page of the definitions gets.

use serde::Serialize;

use super::{Shell, Stamp};

/// The definitions in force, what those on disk would change, and former versions.
#[derive(Debug, Default, Serialize)]
pub struct DefinitionsPage {
    pub shell: Shell,
    /// The version in force; 0 before the first.
    pub version: i64,
    pub faults: Vec<DefinitionFault>,
    /// What the files would change; `None` where they cannot be read or have faults.
    pub plan: Option<PlanView>,
    pub versions: Vec<VersionRow>,
    pub must_confirm: bool,
    pub error: Option<String>,
}

/// A fault of the files.
#[derive(Debug, Default, Serialize)]
pub struct DefinitionFault {
    /// `definitions/crm/deal.yaml:4:7`.
    pub place: String,
    pub code: String,
    pub message: String,
    pub hint: String,
}

#[derive(Debug, Default, Serialize)]
pub struct PlanView {
    pub id: String,
    pub steps: Vec<StepRow>,
    pub roles: Vec<RoleRow>,
    pub confirmations: Vec<ConfirmationRow>,
    /// Some step cannot be done.
    pub is_blocked: bool,
}

/// One change.
#[derive(Debug, Default, Serialize)]
pub struct StepRow {
    /// `plus`, `pencil`, `minus` or `circle-alert`.
    pub icon: String,
    /// `New field`.
    pub kind: String,
    /// `crm.deal.budget`.
    pub subject: String,
    pub effect: String,
    pub risk: String,
    pub blocked: String,
    pub file: String,
}

/// What becomes of the people who have a role.
#[derive(Debug, Default, Serialize)]
pub struct RoleRow {
    pub role: String,
    pub people: String,
    pub gains: Vec<String>,
    pub losses: Vec<String>,
    pub widens: bool,
}

/// What has to be accepted one by one.
#[derive(Debug, Default, Serialize)]
pub struct ConfirmationRow {
    pub name: String,
    pub label: String,
    pub is_given: bool,
}

#[derive(Debug, Default, Serialize)]
pub struct VersionRow {
    pub version: i64,
    pub stamp: Stamp,
    pub by: String,
    pub digest: String,
    pub is_current: bool,
}
