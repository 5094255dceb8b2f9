//! Converting a record into others.

use serde::Serialize;

use super::{FieldInput, FormFault, Shell, Stamp};

/// What a record would become, to be looked over and made.
#[derive(Debug, Default, Serialize)]
pub struct ConvertPage {
    pub shell: Shell,
    pub heading: String,
    pub action: String,
    pub conversion: String,
    pub version: String,
    pub idempotency_key: String,
    pub targets: Vec<ConvertTarget>,
    pub faults: Vec<FormFault>,
    pub message: Option<String>,
    /// What was made would be there twice, which whoever converts may want.
    pub may_save_anyway: bool,
    /// Something that leads to the record leads elsewhere then.
    pub carries: bool,
    pub save_label: String,
    pub cancel_href: String,
}

/// One record that is made, or chosen.
#[derive(Debug, Default, Serialize)]
pub struct ConvertTarget {
    pub id: String,
    pub label: String,
    pub icon: String,
    /// What may stand for it; none where a new one is made anyway.
    pub choices: Vec<ConvertChoice>,
    /// Any other record may be named.
    pub other: Option<FieldInput>,
    pub takes_other: bool,
    /// What is made below it, in words.
    pub rows: Vec<String>,
    pub fields: Vec<FieldInput>,
    pub errors: Vec<String>,
}

#[derive(Debug, Default, Serialize)]
pub struct ConvertChoice {
    pub value: String,
    pub label: String,
    pub note: String,
    /// Of the record, where it is one.
    pub href: String,
    pub is_chosen: bool,
}

/// What a record was converted into.
#[derive(Debug, Default, Serialize)]
pub struct ConvertedBanner {
    pub stamp: Stamp,
    pub by: String,
    pub targets: Vec<ConvertedLink>,
}

#[derive(Debug, Default, Serialize)]
pub struct ConvertedLink {
    pub label: String,
    pub title: String,
    pub href: String,
}
