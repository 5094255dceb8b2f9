//! What reading gives back: rows and pages.

use crate::base::{FieldIx, RecordId, Value};
use crate::store::compile::{RowSet, Total as CountedTotal};

/// One record of a page, or one it is expanded with.
pub use crate::store::compile::Row as RowRef;

/// One record as it was selected.
#[derive(Debug, Clone)]
pub struct Row {
    pub(super) set: RowSet,
    pub(super) version: i64,
}

impl Row {
    /// The record as rows of pages are seen, with what it is expanded with.
    pub fn view(&self) -> RowRef<'_> {
        self.set.row(0).expect("a row is made of a set with one record")
    }

    pub fn id(&self) -> RecordId {
        self.view().id()
    }

    /// 0 when `version` was not selected.
    pub fn version(&self) -> i64 {
        self.version
    }

    /// The value of a selected field; null for one that was not selected.
    pub fn value(&self, field: FieldIx) -> Value {
        self.view().value(field).unwrap_or_default()
    }

    /// The record's title, when it was selected.
    pub fn title(&self) -> Option<String> {
        self.view().title()
    }

    /// Appends the row as a JSON object.
    pub fn write_json(&self, out: &mut String) {
        self.view().write_json(out);
    }
}

/// A page of a list.
#[derive(Debug, Clone)]
pub struct Page {
    pub rows: RowSet,
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
    pub(super) fn of(page: crate::store::compile::Page) -> Self {
        let count = page.total.map(|total| match total {
            CountedTotal::Exact(value) => Total { value, exact: true },
            CountedTotal::MoreThan(value) => Total { value, exact: false },
        });
        Self { rows: page.rows, next_cursor: page.next, count }
    }

    /// The records in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = RowRef<'_>> {
        self.rows.iter()
    }

    /// Appends `[{…},{…}]`.
    pub fn write_json(&self, out: &mut String) {
        self.rows.write_json(out);
    }
}
