//! Forms.

use serde::Serialize;

use super::{EntityHead, FieldInput, Shell, Shown, Stamp};

#[derive(Debug, Default, Serialize)]
pub struct FormPage {
    pub shell: Shell,
    pub entity: EntityHead,
    pub form: Form,
}

/// The region `part/form`.
#[derive(Debug, Default, Serialize)]
pub struct Form {
    pub title: String,
    pub action: String,
    pub cancel_href: String,
    pub state_href: String,
    pub is_new: bool,
    pub version: String,
    pub idempotency_key: String,
    pub return_to: String,
    pub save_label: String,
    pub has_files: bool,
    /// Names of fields whose change alters the form, separated by blanks.
    pub watch: String,
    pub sections: Vec<FormSection>,
    pub faults: Vec<FormFault>,
    pub message: Option<String>,
    pub conflict: Option<Conflict>,
    pub similar: Option<Similar>,
    /// Saving may be a dangerous act, for which the password is given again.
    pub must_confirm: bool,
}

#[derive(Debug, Default, Serialize)]
pub struct FormSection {
    pub id: String,
    pub label: String,
    pub columns: u8,
    pub fields: Vec<FieldInput>,
}

#[derive(Debug, Default, Serialize)]
pub struct FormFault {
    /// Id of the control, empty for a fault of the whole record.
    pub target: String,
    pub label: String,
    pub message: String,
    /// Where it is asked for, filed or decided what the record waits for; empty where it is met in the form.
    pub way: String,
}

/// Fields that someone else changed meanwhile.
#[derive(Debug, Default, Serialize)]
pub struct Conflict {
    pub who: String,
    pub stamp: Option<Stamp>,
    pub rows: Vec<ConflictRow>,
    pub record_href: String,
}

#[derive(Debug, Default, Serialize)]
pub struct ConflictRow {
    pub label: String,
    /// Of the choice.
    pub name: String,
    /// What the form began with, where that is known.
    pub original: Option<Shown>,
    pub takes_theirs: bool,
    pub mine: Shown,
    pub theirs: Shown,
}

/// Records that look like the one that was to be saved.
#[derive(Debug, Default, Serialize)]
pub struct Similar {
    pub title: String,
    pub text: String,
    /// There are others that the reader may not see.
    pub hidden: String,
    /// It may be saved all the same.
    pub may_save: bool,
    pub rows: Vec<SimilarRow>,
}

#[derive(Debug, Default, Serialize)]
pub struct SimilarRow {
    pub id: String,
    pub title: String,
    pub href: String,
    /// Labels of the fields that are alike.
    pub why: String,
    pub likeness: String,
}
