//! What a script may ask of the world. `automation` answers it over a channel, inside the script's transaction.

use crate::base::{EntityIx, FieldIx, RecordId, Value};

use super::input::RecordData;

/// A search. The filter is text of the expression language with the script's values already written in as literals.
#[derive(Debug, Clone, PartialEq)]
pub struct Find {
    pub entity: EntityIx,
    /// Empty for all.
    pub filter: String,
    /// `-amount`, `close_on`: a minus sorts downwards.
    pub sort: Vec<String>,
    pub limit: u32,
}

/// A grouped question: `measures` are `count()`, `sum(amount.base)`, … in the expression language.
#[derive(Debug, Clone, PartialEq)]
pub struct Aggregate {
    pub entity: EntityIx,
    pub filter: String,
    pub group: Vec<String>,
    /// Name in the answer and expression.
    pub measures: Vec<(String, String)>,
    pub limit: u32,
}

/// Why the host did not do what it was asked.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct HostError {
    /// The code of the room that refused, `REC014`; or `AUT…`.
    pub code: String,
    pub message: String,
    /// The world is busy or gone, not the script wrong: a job may be tried again.
    pub is_transient: bool,
}

impl HostError {
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into(), is_transient: false }
    }
}

/// The world as a script sees it. Plain synchronous calls; each acts in the script's transaction and under its actor.
pub trait ScriptHost: Send {
    /// Records that match, with all their fields.
    fn find(&mut self, request: Find) -> Result<Vec<RecordData>, HostError>;

    fn get(&mut self, entity: EntityIx, id: RecordId) -> Result<Option<RecordData>, HostError>;

    /// One list of (name, value) a group.
    fn aggregate(&mut self, request: Aggregate) -> Result<Vec<Vec<(String, Value)>>, HostError>;

    /// The records below a children or links field.
    fn children(&mut self, entity: EntityIx, id: RecordId, field: FieldIx) -> Result<Vec<RecordData>, HostError>;

    fn create(&mut self, entity: EntityIx, values: Vec<(FieldIx, Value)>) -> Result<RecordData, HostError>;

    fn update(&mut self, entity: EntityIx, id: RecordId, values: Vec<(FieldIx, Value)>) -> Result<RecordData, HostError>;

    fn delete(&mut self, entity: EntityIx, id: RecordId) -> Result<(), HostError>;

    /// Runs another script later: `handler` is its id.
    fn enqueue(&mut self, handler: &str, payload: serde_json::Value, delay_s: i64) -> Result<(), HostError>;

    fn log(&mut self, message: &str);
}

/// A world in which nothing is: for scripts tried without a database.
#[derive(Debug, Default, Clone, Copy)]
pub struct NoHost;

impl NoHost {
    fn refuse<T>() -> Result<T, HostError> {
        Err(HostError::new("AUT240", "there are no records here: the script runs without a database"))
    }
}

impl ScriptHost for NoHost {
    fn find(&mut self, _: Find) -> Result<Vec<RecordData>, HostError> {
        Self::refuse()
    }

    fn get(&mut self, _: EntityIx, _: RecordId) -> Result<Option<RecordData>, HostError> {
        Self::refuse()
    }

    fn aggregate(&mut self, _: Aggregate) -> Result<Vec<Vec<(String, Value)>>, HostError> {
        Self::refuse()
    }

    fn children(&mut self, _: EntityIx, _: RecordId, _: FieldIx) -> Result<Vec<RecordData>, HostError> {
        Self::refuse()
    }

    fn create(&mut self, _: EntityIx, _: Vec<(FieldIx, Value)>) -> Result<RecordData, HostError> {
        Self::refuse()
    }

    fn update(&mut self, _: EntityIx, _: RecordId, _: Vec<(FieldIx, Value)>) -> Result<RecordData, HostError> {
        Self::refuse()
    }

    fn delete(&mut self, _: EntityIx, _: RecordId) -> Result<(), HostError> {
        Self::refuse()
    }

    fn enqueue(&mut self, _: &str, _: serde_json::Value, _: i64) -> Result<(), HostError> {
        Self::refuse()
    }

    fn log(&mut self, _: &str) {}
}
