//! Requests as checked trees: lists, single records, aggregates, searches.
//!
//! A request is text (a URL's parameters, a JSON body) until [`parse_list`] and its sisters have resolved every name
//! in it against the catalog. What comes out names entities and fields by position and cannot name anything that is
//! not there. Nothing here knows SQL, does IO or decides who may ask: `access` makes the tree an authorised one.

pub mod aggregate;
pub mod cursor;
pub mod error;
pub mod params;
pub mod request;
pub mod select;

mod fields;
mod parse;
mod parse_aggregate;
mod parse_select;
mod parse_sort;

pub use aggregate::{AggregateRequest, Bucket, Compare, Function, Group, GroupBy, Having, Measure, OutputRef};
pub use cursor::{Cursor, CursorKey};
pub use error::{Place, QueryError};
pub use params::Params;
pub use parse::{parse_get, parse_list, parse_list_json};
pub use parse_aggregate::parse_aggregate_json;
pub use request::{Count, Deleted, GetRequest, ListRequest, Paging, SortBy, SortKey};
pub use select::{Expand, Item, Select, default_select, full_select};

/// Rows of a page when the request does not say.
pub const DEFAULT_LIMIT: u32 = 50;
/// Most rows of one page.
pub const MAX_LIMIT: u32 = 500;
/// `page` reaches this many rows; beyond it a cursor is needed.
pub const MAX_OFFSET: u32 = 10_000;
/// Levels of nested expansions.
pub const MAX_DEPTH: usize = 3;
/// Expansions in one selection, all levels together.
pub const MAX_EMBEDS: usize = 32;
/// Rows of one to-many expansion below one record when the request does not say, and at most.
pub const DEFAULT_CHILDREN: u32 = 50;
pub const MAX_CHILDREN: u32 = 200;
/// Rows of all expansions together that a request may ask for at most, by its limits.
pub const MAX_ROWS: u64 = 150_000;
/// Sort keys of one list.
pub const MAX_SORT_KEYS: usize = 5;
/// Bytes of a filter.
pub const MAX_FILTER_BYTES: usize = 8 * 1024;
/// Bytes of a selection.
pub const MAX_SELECT_BYTES: usize = 4 * 1024;
/// `count=exact` is exact to this number, then "more than".
pub const COUNT_CAP: u32 = 10_000;
/// Groups and measures of an aggregate, and its most rows.
pub const MAX_GROUPS: usize = 4;
pub const MAX_MEASURES: usize = 20;
pub const MAX_GROUP_ROWS: u32 = 5_000;
