//! Records that are there twice.

use serde::Serialize;

use super::{Shell, Stamp};

#[derive(Debug, Default, Serialize)]
pub struct TwinsPage {
    pub shell: Shell,
    pub title: String,
    pub groups: Vec<TwinGroup>,
    /// A job looks through the records.
    pub is_running: bool,
    /// When one did last.
    pub looked: Option<Stamp>,
    pub next_href: String,
    pub action: String,
    pub here: String,
    pub may_change: bool,
    pub error: Option<String>,
}

/// Records that are alike.
#[derive(Debug, Default, Serialize)]
pub struct TwinGroup {
    pub why: String,
    pub likeness: String,
    /// All of them, with commas between.
    pub ids: String,
    pub rows: Vec<TwinRow>,
}

#[derive(Debug, Default, Serialize)]
pub struct TwinRow {
    pub title: String,
    pub href: String,
    /// Into the first of them; empty for that one.
    pub merge_href: String,
    pub created: Stamp,
}
