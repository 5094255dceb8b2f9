//! How a write shall be done, and what it gives back.

use std::sync::Arc;

use super::written::Written;
use crate::base::{FieldIx, RecordId};

/// Through which door a write comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Source {
    #[default]
    Api,
    Form,
    Import,
    Script,
    Automation,
    System,
}

impl Source {
    pub fn as_str(self) -> &'static str {
        match self {
            Source::Api => "api",
            Source::Form => "form",
            Source::Import => "import",
            Source::Script => "script",
            Source::Automation => "automation",
            Source::System => "system",
        }
    }
}

/// The longest reason for passing over a gate, in characters.
pub const LONGEST_REASON: usize = 1_000;

/// Whether a text can be kept as the reason why a move goes against the order of a pipeline or a gate.
pub fn is_reason(text: &str) -> bool {
    !text.trim().is_empty() && text.chars().count() <= LONGEST_REASON && !text.contains('\0')
}

/// How a write shall be done.
#[derive(Debug, Clone, Default)]
pub struct WriteOptions {
    /// The version the writer read; another stored version refuses the write.
    pub if_match: Option<i64>,
    /// Same key, same request within 24 hours: the first answer is given again.
    pub idempotency_key: Option<String>,
    /// Everything is done and checked, then rolled back.
    pub dry_run: bool,
    pub source: Source,
    /// No scripts, no automations (a restore of a backup, an import that says so).
    pub without_hooks: bool,
    /// The id a create shall use (seed data, an import that continues one); minted otherwise.
    pub id: Option<RecordId>,
    /// Whoever saves shows the whole record afterwards ([`super::Records::get_saved`]).
    pub shows_record: bool,
    /// Why a move goes against the order of a pipeline or a gate, where the actor may do that.
    pub override_reason: Option<String>,
    /// Saved also where a rule warns of a duplicate.
    pub allow_duplicates: bool,
    /// It happened before and is done once more in a copy: the tasks that a stage made come as writes of their own.
    pub replays: bool,
}

impl WriteOptions {
    pub fn from(source: Source) -> Self {
        Self { source, ..Self::default() }
    }

    pub fn if_match(mut self, version: Option<i64>) -> Self {
        self.if_match = version;
        self
    }
}

/// What a write did.
#[derive(Debug, Clone)]
pub struct Saved {
    pub id: RecordId,
    /// The version it has now.
    pub version: i64,
    /// True when the record did not exist before.
    pub created: bool,
    /// Fields that changed; empty for a save that changed nothing (nothing was written then).
    pub changed: Vec<FieldIx>,
    pub warnings: Vec<String>,
    /// Rollups elsewhere that are computed later (`order.total`), because more than 200 records depend on this one.
    pub stale: Vec<String>,
    /// The answer of an earlier request with the same idempotency key.
    pub replayed: bool,
    /// The record itself, where it was asked for and the save knows all of it.
    pub(super) written: Option<Arc<Written>>,
}
