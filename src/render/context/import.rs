//! What the page for bringing records in gets.

use serde::Serialize;

use super::{Choice, EntityHead, Shell};

/// The form, and what came of a file.
#[derive(Debug, Default, Serialize)]
pub struct ImportPage {
    pub shell: Shell,
    pub entity: EntityHead,
    pub href: String,
    /// Uniques by which records are found, the first of them none.
    pub matches: Vec<Choice>,
    pub keeps: bool,
    /// The gates of a pipeline may be passed over, with a reason.
    pub may_pass_over: bool,
    pub reason: String,
    /// There are rules that warn of duplicates, which may be kept all the same.
    pub warns_of_duplicates: bool,
    pub allows_duplicates: bool,
    pub report: Option<ImportReport>,
    pub error: Option<String>,
}

#[derive(Debug, Default, Serialize)]
pub struct ImportReport {
    /// Nothing was kept.
    pub is_rehearsal: bool,
    pub summary: String,
    pub has_failed: bool,
    /// The first rows of which nothing was kept: line and reason.
    pub failures: Vec<(u64, String)>,
    /// Rows that failed beyond those.
    pub more_failures: String,
    /// Columns that filled nothing.
    pub unused: String,
    /// Values of the file that did not replace the record's: line, field, kept, found.
    pub differences: Vec<(u64, String, String, String)>,
}
