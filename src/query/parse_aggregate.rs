//! From the JSON body of `POST …/aggregate` to a checked request.

use serde_json::Value as Json;

use crate::base::EntityIx;
use crate::schema::catalog::Catalog;

use super::aggregate::AggregateRequest;
use super::error::QueryError;

/// Reads `filter`, `group`, `measures`, `having`, `sort`, `limit`, `q` and `deleted`.
///
/// # Errors
/// All faults at once, placed by JSON pointer.
pub fn parse_aggregate_json(_catalog: &Catalog, _entity: EntityIx, _body: &Json) -> Result<AggregateRequest, Vec<QueryError>> {
    unimplemented!("query::parse_aggregate_json")
}
