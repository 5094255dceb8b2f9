//! What the pages of approvals get: what somebody is to decide, one request with its chain, who stands in for whom.

use serde::Serialize;

use super::{Choice, Shell, Shown, Stamp};

/// What somebody has to do with.
#[derive(Debug, Default, Serialize)]
pub struct ApprovalsPage {
    pub shell: Shell,
    /// Waiting, asked, decided.
    pub tabs: Vec<Choice>,
    pub rows: Vec<ApprovalRow>,
    /// What is said where there are none.
    pub empty: String,
    pub older_href: Option<String>,
    pub stand_ins: Vec<StandInRow>,
    /// People who could stand in.
    pub people: Vec<Choice>,
    /// There are more than are offered: they are found by name.
    pub is_searched: bool,
    pub found: String,
    pub error: Option<String>,
}

#[derive(Debug, Default, Serialize)]
pub struct ApprovalRow {
    pub href: String,
    pub label: String,
    pub entity: String,
    pub record: String,
    pub record_href: String,
    pub who: String,
    pub asked: Stamp,
    pub due: Option<Stamp>,
    pub is_late: bool,
    pub state: String,
    pub state_text: String,
}

#[derive(Debug, Default, Serialize)]
pub struct StandInRow {
    pub id: String,
    /// `Li Na decides for Wang Fang`.
    pub text: String,
    pub from: Stamp,
    pub until: Stamp,
    pub may_end: bool,
}

/// One request.
#[derive(Debug, Default, Serialize)]
pub struct ApprovalPage {
    pub shell: Shell,
    pub heading: String,
    pub card: ApprovalCard,
    /// Where its forms are sent to.
    pub action: String,
    /// For whom the reader may decide; empty where they may not.
    pub decide_for: Vec<Choice>,
    /// Whose parts the reader may hand on.
    pub hand_on_for: Vec<Choice>,
    pub people: Vec<Choice>,
    pub is_searched: bool,
    pub found: String,
    pub may_withdraw: bool,
    /// What was written in a form that was refused.
    pub comment: String,
    pub error: Option<String>,
}

/// A request with everybody who was asked.
#[derive(Debug, Default, Serialize)]
pub struct ApprovalCard {
    pub id: String,
    pub href: String,
    pub label: String,
    pub record: String,
    pub record_href: String,
    pub state: String,
    pub state_text: String,
    /// Why it ended so, where nobody decided it.
    pub reason: String,
    pub who: String,
    pub asked: Stamp,
    pub ended: Option<Stamp>,
    pub comment: String,
    pub due: Option<Stamp>,
    pub is_late: bool,
    pub values: Vec<ApprovalValue>,
    /// Some values are kept from the reader.
    pub hides_values: bool,
    pub steps: Vec<ApprovalStepRow>,
    /// The reader may decide.
    pub may_decide: bool,
}

#[derive(Debug, Default, Serialize)]
pub struct ApprovalValue {
    pub label: String,
    pub value: Shown,
    /// The record holds another one by now.
    pub is_changed: bool,
}

#[derive(Debug, Default, Serialize)]
pub struct ApprovalStepRow {
    pub label: String,
    /// `done`, `current` or `open`.
    pub state: String,
    /// How many must approve.
    pub need: String,
    pub people: Vec<ApprovalPerson>,
}

#[derive(Debug, Default, Serialize)]
pub struct ApprovalPerson {
    pub name: String,
    pub state: String,
    pub state_text: String,
    /// Why this person, or who decided for them.
    pub note: String,
    pub comment: String,
    pub at: Option<Stamp>,
}

/// Approvals on a record's page.
#[derive(Debug, Default, Serialize)]
pub struct ApprovalBox {
    pub cards: Vec<ApprovalCard>,
    pub asks: Vec<ApprovalAsk>,
    pub action: String,
}

/// An approval that can be asked for.
#[derive(Debug, Default, Serialize)]
pub struct ApprovalAsk {
    pub approval: String,
    pub label: String,
    /// What will be locked meanwhile.
    pub locks: String,
    /// It was chosen: its form is open.
    pub is_open: bool,
}
