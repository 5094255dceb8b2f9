//! What a script is given, and what it leaves behind.

use std::sync::Arc;

use jiff::tz::TimeZone;

use crate::base::{Currency, DateTime, EntityIx, FieldIx, RecordId, Value};
use crate::schema::catalog::Catalog;

/// A record's values by field position (`Value::Null` where nothing is known).
#[derive(Debug, Clone, PartialEq)]
pub struct RecordData {
    pub entity: EntityIx,
    /// None for a record that is not written yet.
    pub id: Option<RecordId>,
    pub values: Vec<Value>,
    /// Children that come with the write (nested creates); others are asked of the host.
    pub children: Vec<(FieldIx, Vec<RecordData>)>,
}

/// The circumstances of a run: `ctx` in the script.
#[derive(Debug, Clone)]
pub struct Context {
    pub now: DateTime,
    pub time_zone: TimeZone,
    /// The workspace's currency, for `money(5)`.
    pub currency: Currency,
    /// The acting person's id as text (`user_…`); empty for none.
    pub user: String,
    /// `create`, `update`, `delete`, `restore`, `button`, `schedule`.
    pub event: String,
    /// What led here: ids of scripts, oldest first.
    pub chain: Vec<String>,
    /// The button's arguments or the job's payload.
    pub payload: serde_json::Value,
    /// Makes `uuid()` repeatable in tests.
    pub seed: u64,
}

/// Everything one run needs.
#[derive(Debug, Clone)]
pub struct Input {
    pub catalog: Arc<Catalog>,
    /// None for a schedule.
    pub record: Option<RecordData>,
    /// The former record: None on create.
    pub old: Option<RecordData>,
    pub context: Context,
}

/// A refusal or a warning of a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issue {
    /// API name; empty for the whole record.
    pub field: String,
    pub code: String,
    pub message: String,
}

/// What a run left behind.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outcome {
    /// Fields of `rec` the script changed, with their new values.
    pub changed: Vec<(FieldIx, Value)>,
    /// Not empty: what is going on is refused.
    pub rejects: Vec<Issue>,
    pub warnings: Vec<Issue>,
    /// What `run` returned, as JSON (a button may answer `#{message: …}`).
    pub answer: serde_json::Value,
    pub operations: u64,
    pub host_calls: u32,
}
