//! What reading gives back: rows and pages.

use super::error::RecordError;
use crate::base::{FieldIx, RecordId, Value};

/// One record as it was selected.
#[derive(Debug, Clone)]
pub struct Row {}

impl Row {
    pub fn id(&self) -> RecordId {
        unimplemented!("record")
    }

    pub fn version(&self) -> i64 {
        unimplemented!("record")
    }

    /// The value of a selected field; null for one that was not selected.
    pub fn value(&self, _field: FieldIx) -> Value {
        unimplemented!("record")
    }

    /// The record's title, when it was selected.
    pub fn title(&self) -> Option<&str> {
        unimplemented!("record")
    }

    /// Appends the row as a JSON object.
    pub fn write_json(&self, _out: &mut String) {
        unimplemented!("record")
    }

    pub fn to_json(&self) -> Result<serde_json::Value, RecordError> {
        let mut text = String::new();
        self.write_json(&mut text);
        serde_json::from_str(&text).map_err(|fault| RecordError::Store(fault.to_string()))
    }
}

/// A page of a list.
#[derive(Debug, Clone)]
pub struct Page {
    pub rows: Vec<Row>,
    /// Leads to the next page; `None` on the last one.
    pub next_cursor: Option<String>,
    pub count: Option<Total>,
}

/// How many records there are in all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Total {
    pub value: u64,
    /// False: there are more than `value`.
    pub exact: bool,
}

impl Page {
    /// Appends `[{…},{…}]`.
    pub fn write_json(&self, out: &mut String) {
        out.push('[');
        for (position, row) in self.rows.iter().enumerate() {
            if position > 0 {
                out.push(',');
            }
            row.write_json(out);
        }
        out.push(']');
    }
}
