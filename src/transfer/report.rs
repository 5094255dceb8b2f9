//! What an import did.

use std::collections::BTreeMap;

use serde_json::json;

use crate::record::FieldFault;

/// The result of one import.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Report {
    /// Rows of the file.
    pub rows: u64,
    pub created: u64,
    pub updated: u64,
    pub unchanged: u64,
    pub failed: Vec<FailedRow>,
    /// Linked records made, by entity id.
    pub linked: BTreeMap<String, u64>,
    /// Where a kept record and a row say different things, once for each pair of values.
    pub differences: Vec<Difference>,
    /// Columns of the file that filled nothing.
    pub unused: Vec<String>,
}

/// A row of which nothing was kept.
#[derive(Debug, Clone, PartialEq)]
pub struct FailedRow {
    pub line: u64,
    pub cells: Vec<String>,
    /// `name: is required; email: …`.
    pub reason: String,
    /// The same one by one where values are at fault, to be said in other languages.
    pub faults: Vec<FieldFault>,
}

/// A value of the file that did not replace the record's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    pub line: u64,
    pub entity: String,
    /// The record's match key.
    pub key: String,
    pub field: String,
    pub kept: String,
    pub found: String,
}

impl Report {
    pub fn to_json(&self) -> serde_json::Value {
        json!({
            "rows": self.rows,
            "created": self.created,
            "updated": self.updated,
            "unchanged": self.unchanged,
            "failed": self.failed.len(),
            "failures": self.failed.iter().map(|row| json!({"line": row.line, "reason": row.reason})).collect::<Vec<_>>(),
            "linked": self.linked,
            "differences": self.differences.iter().map(|d| json!({
                "line": d.line, "entity": d.entity, "key": d.key, "field": d.field, "kept": d.kept, "found": d.found,
            })).collect::<Vec<_>>(),
            "unused_columns": self.unused,
        })
    }

    /// The failed rows as CSV with the file's columns and two more, `_line` and `_reason`; mended, it can be imported again.
    pub fn failed_csv(&self, header: &[String]) -> Vec<u8> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        let head = header.iter().map(String::as_str).chain(["_line", "_reason"]);
        // Writing into memory cannot fail.
        let _ = writer.write_record(head);
        for row in &self.failed {
            let line = row.line.to_string();
            let cells = row.cells.iter().map(String::as_str).chain([line.as_str(), row.reason.as_str()]);
            let _ = writer.write_record(cells);
        }
        writer.into_inner().unwrap_or_default()
    }
}
