//! The checked request for a page of records, and for one record.

use crate::base::{EntityIx, FieldIx, RecordId};
use crate::expr::Typed;

use super::cursor::Cursor;
use super::select::Select;

/// A page of one entity's records.
#[derive(Debug, Clone)]
pub struct ListRequest {
    pub entity: EntityIx,
    pub select: Select,
    /// A checked boolean expression.
    pub filter: Option<Typed>,
    /// As asked for, without the tie-break by id, which always follows. Empty means newest id first.
    pub sort: Vec<SortKey>,
    pub paging: Paging,
    /// 1 to [`super::MAX_LIMIT`].
    pub limit: u32,
    pub count: Count,
    /// Words to find in the records' search text.
    pub search: Option<String>,
    pub deleted: Deleted,
    /// Ties a cursor to this request: catalog version, entity, filter, sort, search words, `deleted`.
    pub digest: [u8; 8],
}

/// One record by its id.
#[derive(Debug, Clone)]
pub struct GetRequest {
    pub entity: EntityIx,
    pub id: RecordId,
    pub select: Select,
    pub deleted: Deleted,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Paging {
    First,
    /// The rows after the last one of the page that gave this cursor.
    After(Cursor),
    /// Rows to skip (`page=3&limit=50` skips 100), at most [`super::MAX_OFFSET`].
    Offset(u32),
}

/// How the total is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Count {
    #[default]
    None,
    /// Whatever is cheap; on both databases the same as `Exact` today.
    Estimated,
    /// Exact to [`super::COUNT_CAP`], then "more than".
    Exact,
}

/// Which records by the recycle bin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Deleted {
    #[default]
    Live,
    Deleted,
    All,
}

/// One key of an order. Nulls come last in both directions.
#[derive(Debug, Clone)]
pub struct SortKey {
    pub by: SortBy,
    pub descending: bool,
    /// As written, for messages and for the digest.
    pub text: String,
}

#[derive(Debug, Clone)]
pub enum SortBy {
    /// A column of the field (0 but for parts of composite types: `amount.base`, `address.city`).
    Field { field: FieldIx, column: usize },
    /// The same without regard to case (`name:fold`), by the folded shadow column.
    Folded { field: FieldIx },
    /// The title of the record the link points to (`account`): the first field of its title.
    Title { link: FieldIx, field: FieldIx },
    /// A value computed per row: a virtual field or a path (`account.industry`).
    Value(Typed),
}

impl AsRef<ListRequest> for ListRequest {
    fn as_ref(&self) -> &ListRequest {
        self
    }
}
