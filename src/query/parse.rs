//! From a URL's parameters or a JSON body to a checked list request.

use serde_json::Value as Json;

use crate::base::{EntityIx, RecordId};
use crate::schema::catalog::Catalog;

use super::cursor::CursorKey;
use super::error::QueryError;
use super::params::Params;
use super::request::{GetRequest, ListRequest};

/// Reads `filter`, `select`, `sort`, `cursor`, `page`, `limit`, `count`, `q` and `deleted` of a URL.
///
/// # Errors
/// All faults of all parameters at once.
pub fn parse_list(_catalog: &Catalog, _key: &CursorKey, _entity: EntityIx, _params: &Params) -> Result<ListRequest, Vec<QueryError>> {
    unimplemented!("query::parse_list")
}

/// Reads the same names from the JSON body of `POST …/query`; `select` and `sort` may be texts or arrays of texts.
///
/// # Errors
/// All faults at once, placed by JSON pointer.
pub fn parse_list_json(_catalog: &Catalog, _key: &CursorKey, _entity: EntityIx, _body: &Json) -> Result<ListRequest, Vec<QueryError>> {
    unimplemented!("query::parse_list_json")
}

/// Reads `select` and `deleted` of the URL of one record.
///
/// # Errors
/// All faults of all parameters at once.
pub fn parse_get(_catalog: &Catalog, _entity: EntityIx, _id: RecordId, _params: &Params) -> Result<GetRequest, Vec<QueryError>> {
    unimplemented!("query::parse_get")
}
