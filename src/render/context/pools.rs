//! What the pages of public pools get.

use serde::Serialize;

use super::{Choice, Column, EntityHead, Row, Shell, Stamp};

/// The pools somebody may claim from.
#[derive(Debug, Default, Serialize)]
pub struct PoolsPage {
    pub shell: Shell,
    pub rows: Vec<PoolRow>,
}

#[derive(Debug, Default, Serialize)]
pub struct PoolRow {
    pub href: String,
    pub label: String,
    pub entity: String,
    pub icon: String,
    /// How much of what they may hold and claim is used.
    pub limits: Vec<String>,
}

/// One pool: what is in it, or what the reader holds of it.
#[derive(Debug, Default, Serialize)]
pub struct PoolPage {
    pub shell: Shell,
    pub entity: EntityHead,
    pub title: String,
    pub href: String,
    pub tabs: Vec<Choice>,
    pub limits: Vec<String>,
    /// What holds for its records, in words.
    pub rules: Vec<String>,
    pub rows: Option<PoolRows>,
    pub held: Vec<PoolHeldRow>,
    /// Where managers hand out.
    pub hand_out: Option<String>,
    pub most_handed_out: u32,
}

#[derive(Debug, Default, Serialize)]
pub struct PoolRows {
    pub columns: Vec<Column>,
    pub rows: Vec<Row>,
    pub count: String,
    pub next_href: Option<String>,
    pub claim_action: String,
    pub q: String,
    /// There are texts to find words in.
    pub has_words: bool,
    pub filters: Vec<PoolFilter>,
    pub is_filtered: bool,
}

#[derive(Debug, Default, Serialize)]
pub struct PoolFilter {
    pub name: String,
    pub label: String,
    pub options: Vec<Choice>,
}

#[derive(Debug, Default, Serialize)]
pub struct PoolHeldRow {
    pub href: String,
    pub title: String,
    pub since: Stamp,
    pub active: Stamp,
    pub due: Option<Stamp>,
    pub is_soon: bool,
}

/// Who holds a record, on its page.
#[derive(Debug, Default, Serialize)]
pub struct HoldingBox {
    pub pool: String,
    /// Empty where nobody does.
    pub holder: String,
    pub due: Option<Stamp>,
    pub kept: Option<Stamp>,
    pub is_soon: bool,
    /// Where it is given back; empty for those who may not.
    pub action: String,
    pub holders: Vec<HolderRow>,
}

#[derive(Debug, Default, Serialize)]
pub struct HolderRow {
    pub name: String,
    pub from: Stamp,
    pub until: Option<Stamp>,
    pub got: String,
    pub lost: Option<String>,
    pub reason: String,
}
