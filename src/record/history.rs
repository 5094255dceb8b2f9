//! What happened to one record, and to all.

use serde_json::Value as Json;

use crate::base::{DateTime, EntityIx, RecordId};

/// Changes of one record, newest first.
#[derive(Debug, Clone)]
pub struct HistoryPage {
    pub entries: Vec<HistoryEntry>,
    pub next_cursor: Option<String>,
}

/// One save.
#[derive(Debug, Clone)]
pub struct HistoryEntry {
    pub version: i64,
    /// `create`, `update`, `delete`, `restore`.
    pub kind: String,
    pub at: DateTime,
    /// The user; `None` for the system.
    pub by: Option<RecordId>,
    /// Through which door: `api`, `form`, `import`, `script`, …
    pub source: String,
    pub changes: Vec<FieldChange>,
}

/// One field of one save, in the shape of the API.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldChange {
    /// API name now, or the former name of a field that is gone.
    pub field: String,
    pub old: Json,
    pub new: Json,
    /// Set by a script, not by the person.
    pub by_script: bool,
}

/// A stretch of the feed of all changes.
#[derive(Debug, Clone)]
pub struct ChangesPage {
    pub events: Vec<ChangeEvent>,
    /// Ask again with `since` of this.
    pub next: i64,
    /// More events are waiting.
    pub more: bool,
}

#[derive(Debug, Clone)]
pub struct ChangeEvent {
    pub seq: i64,
    pub at: DateTime,
    pub kind: String,
    pub entity: EntityIx,
    pub id: RecordId,
    pub version: i64,
    /// API names of the fields that changed.
    pub changed: Vec<String>,
    pub by: Option<RecordId>,
}
