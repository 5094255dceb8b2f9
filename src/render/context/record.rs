//! A record, what is shared of it and why, and questions before something is done.

use serde::Serialize;

use super::{ApprovalBox, Choice, ClaimBox, EntityHead, HoldingBox, List, Shell, Shown, StagePath, StageRow, Stamp, SurveyCard};

#[derive(Debug, Default, Serialize)]
pub struct RecordPage {
    pub shell: Shell,
    pub entity: EntityHead,
    pub id: String,
    pub href: String,
    pub title: String,
    pub facts: Vec<Labelled>,
    pub tabs: Vec<TabLink>,
    /// Where it stands in its pipelines.
    pub paths: Vec<StagePath>,
    /// What was asked to be approved, and what can be.
    pub approvals: Option<ApprovalBox>,
    /// Who holds it for a pool.
    pub holding: Option<HoldingBox>,
    /// Claims on it.
    pub claims: Option<ClaimBox>,
    /// Its service clocks.
    pub clocks: Vec<ClockCard>,
    /// Surveys about it.
    pub surveys: Vec<SurveyCard>,
    /// The stages it went through, on their tab.
    pub stages: Vec<StageRow>,
    /// `details`, `related`, `stages` or `history`.
    pub kind: String,
    pub sections: Vec<ShownSection>,
    pub related: Vec<Related>,
    pub history: Option<History>,
    pub buttons: Vec<ButtonLink>,
    /// What it may become.
    pub conversions: Vec<ButtonLink>,
    /// What it became.
    pub converted: Option<super::ConvertedBanner>,
    pub edit_href: String,
    pub delete_href: String,
    /// For administrators, where there are personal fields.
    pub erase_href: String,
    pub merge_href: String,
    pub restore_href: String,
    /// Empty for those who may not share it.
    pub share_href: String,
    pub is_deleted: bool,
    pub version: String,
    pub created: Option<Stamp>,
    pub created_by: String,
    pub updated: Option<Stamp>,
    pub updated_by: String,
}

/// A service clock of a record.
#[derive(Debug, Default, Serialize)]
pub struct ClockCard {
    pub label: String,
    /// `running`, `paused`, `over`, `met` or `missed`, and its name and colour.
    pub state: String,
    pub state_label: String,
    pub hue: u8,
    /// How much is left, or by how much it is over; empty where it has ended.
    pub left: String,
    /// How much of how much is used.
    pub used: String,
    pub due: Option<Stamp>,
    /// Its time was over, or it has ended.
    pub is_past: bool,
    /// The name of its hours.
    pub hours: String,
}

/// Whom a record is shared with.
#[derive(Debug, Default, Serialize)]
pub struct SharesPage {
    pub shell: Shell,
    /// The record's.
    pub title: String,
    pub href: String,
    pub rows: Vec<ShareRow>,
    /// People, teams and roles to share with.
    pub groups: Vec<ShareGroup>,
    /// The reader may share the record with others, not only see and end what was shared.
    pub may_share: bool,
    /// The reader may change the record, and so let others.
    pub may_edit: bool,
    /// There are more people than are offered: they are found by name.
    pub is_searched: bool,
    pub found: String,
    pub error: Option<String>,
}

#[derive(Debug, Default, Serialize)]
pub struct ShareRow {
    pub id: String,
    pub icon: String,
    pub who: String,
    pub may: String,
    pub until: Option<Stamp>,
    pub since: Stamp,
    pub by: String,
}

#[derive(Debug, Default, Serialize)]
pub struct ShareGroup {
    pub label: String,
    pub choices: Vec<Choice>,
}

/// Why somebody may or may not do what with a record.
#[derive(Debug, Default, Serialize)]
pub struct WhyPage {
    pub shell: Shell,
    pub heading: String,
    /// The record's page.
    pub href: String,
    /// Others to ask about; empty for those who may ask about themselves alone.
    pub people: Vec<Choice>,
    pub is_searched: bool,
    pub found: String,
    pub roles: String,
    pub everything: bool,
    pub actions: Vec<WhyAction>,
    pub shares: Vec<ShareRow>,
    pub hidden: String,
}

#[derive(Debug, Default, Serialize)]
pub struct WhyAction {
    pub label: String,
    pub allowed: bool,
    pub reasons: Vec<ReasonRow>,
}

#[derive(Debug, Default, Serialize)]
pub struct ReasonRow {
    pub role: String,
    /// As the role's document says it; empty for those who are not told.
    pub rule: String,
    pub holds: bool,
}

/// What somebody sees, entity by entity.
#[derive(Debug, Default, Serialize)]
pub struct SeenPage {
    pub shell: Shell,
    pub heading: String,
    pub may_sign_in: bool,
    pub rows: Vec<SeenRow>,
}

#[derive(Debug, Default, Serialize)]
pub struct SeenRow {
    pub label: String,
    pub records: String,
    pub actions: String,
    pub hidden: String,
    /// Fields read in some records only.
    pub masked: String,
}

/// What a role shows, and who reads what.
#[derive(Debug, Default, Serialize)]
pub struct AccessPage {
    pub shell: Shell,
    pub roles: Vec<Choice>,
    /// The one that was asked for.
    pub role: String,
    pub rows: Vec<SeenRow>,
    pub fields: Vec<ShareGroup>,
    pub of: String,
    pub readers: Vec<Reader>,
}

#[derive(Debug, Default, Serialize)]
pub struct Reader {
    pub label: String,
    pub rule: String,
    /// Ids and names of those who have the role.
    pub people: Vec<(String, String)>,
}

#[derive(Debug, Default, Clone, Serialize)]
pub struct Labelled {
    pub name: String,
    pub label: String,
    pub help: String,
    pub full: bool,
    pub value: Shown,
}

#[derive(Debug, Default, Serialize)]
pub struct TabLink {
    pub label: String,
    pub href: String,
    pub current: bool,
    pub count: Option<String>,
}

#[derive(Debug, Default, Serialize)]
pub struct ShownSection {
    pub label: String,
    pub columns: u8,
    pub fields: Vec<Labelled>,
}

#[derive(Debug, Default, Serialize)]
pub struct Related {
    pub label: String,
    pub icon: String,
    pub add_href: Option<String>,
    pub all_href: Option<String>,
    pub list: List,
}

#[derive(Debug, Default, Serialize)]
pub struct ButtonLink {
    pub label: String,
    pub href: String,
}

/// The region `part/history`.
#[derive(Debug, Default, Serialize)]
pub struct History {
    pub entries: Vec<HistoryEntry>,
    pub more_href: Option<String>,
}

#[derive(Debug, Default, Serialize)]
pub struct HistoryEntry {
    /// `create`, `update`, `delete`, `restore`.
    pub kind: String,
    pub who: String,
    pub initials: String,
    pub stamp: Stamp,
    pub changes: Vec<HistoryChange>,
}

#[derive(Debug, Default, Serialize)]
pub struct HistoryChange {
    pub label: String,
    pub old: Shown,
    pub new: Shown,
}

/// A page that asks before something is done.
#[derive(Debug, Default, Serialize)]
pub struct ConfirmPage {
    pub shell: Shell,
    pub title: String,
    pub text: String,
    pub action: String,
    pub confirm_label: String,
    pub cancel_href: String,
    pub version: String,
    pub error: Option<String>,
    /// The password is given again.
    pub must_confirm: bool,
}

/// Merging a record with another one.
#[derive(Debug, Default, Serialize)]
pub struct MergePage {
    pub shell: Shell,
    pub title: String,
    pub href: String,
    pub id: String,
    pub version: String,
    pub error: Option<String>,
    /// The one that goes; empty while none is chosen.
    pub other_id: String,
    pub other_title: String,
    /// The same with the other one staying.
    pub swap_href: String,
    pub fields: Vec<MergeField>,
    pub similar: Option<super::Similar>,
    pub merges: Vec<MergedRow>,
}

/// A field in which two records differ.
#[derive(Debug, Default, Serialize)]
pub struct MergeField {
    /// Of the choice.
    pub name: String,
    pub label: String,
    pub mine: Shown,
    pub theirs: Shown,
    pub takes_other: bool,
}

/// A record that was merged into this one.
#[derive(Debug, Default, Serialize)]
pub struct MergedRow {
    pub id: String,
    pub title: String,
    pub stamp: Stamp,
    pub by: String,
    pub is_undone: bool,
}
