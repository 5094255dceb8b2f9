//! What the pages of registrations get.

use serde::Serialize;

use super::{Choice, Shell, Stamp};

/// What somebody filed, or is to decide.
#[derive(Debug, Default, Serialize)]
pub struct RegistrationsPage {
    pub shell: Shell,
    pub tabs: Vec<Choice>,
    pub cards: Vec<ClaimCard>,
    pub empty_text: String,
    pub older_href: Option<String>,
}

/// One claim.
#[derive(Debug, Default, Serialize)]
pub struct ClaimCard {
    pub id: String,
    pub label: String,
    pub record: String,
    /// Empty on the record's own page.
    pub record_href: String,
    pub state_text: String,
    /// How the state looks: as one of an approval.
    pub tone: String,
    pub filer: String,
    pub filed: Stamp,
    pub until: Option<Stamp>,
    pub extended: i64,
    pub comment: String,
    pub decided_by: String,
    pub reason: String,
    pub rivals: Vec<RivalRow>,
    /// Where its forms are sent to.
    pub action: String,
    pub may_decide: bool,
    pub may_extend: bool,
    pub may_withdraw: bool,
    /// Somebody else filed it.
    pub is_others: bool,
}

#[derive(Debug, Default, Serialize)]
pub struct RivalRow {
    /// Empty where the record may not be read.
    pub href: String,
    pub record: String,
    pub filer: String,
    pub until: Option<Stamp>,
}

/// Registrations on a record's page.
#[derive(Debug, Default, Serialize)]
pub struct ClaimBox {
    pub cards: Vec<ClaimCard>,
    pub offers: Vec<ClaimOffer>,
    pub action: String,
}

/// A claim that can be filed.
#[derive(Debug, Default, Serialize)]
pub struct ClaimOffer {
    pub id: String,
    pub label: String,
    pub text: String,
    /// Shown unfolded: a move waits for it.
    pub is_open: bool,
}
