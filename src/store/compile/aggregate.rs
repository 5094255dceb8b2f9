//! Groups and measures.

use std::sync::Arc;

use crate::access::Authorised;
use crate::expr::EvalContext;
use crate::query::AggregateRequest;
use crate::schema::catalog::Catalog;
use crate::store::{Dialect, Statement};

use super::shape::Codec;

/// The statement of an aggregate.
#[derive(Debug)]
pub struct AggregatePlan {
    pub statement: Statement,
    pub columns: Arc<[AggregateColumn]>,
    /// Rows asked for; one more is fetched to tell that there are more.
    pub limit: u32,
}

/// One group or measure of the answer.
#[derive(Debug, Clone)]
pub struct AggregateColumn {
    pub name: String,
    pub key: String,
    pub at: usize,
    pub codec: Codec,
}

/// Compiles an aggregate.
pub fn aggregate(_catalog: &Catalog, _dialect: Dialect, _request: &Authorised<AggregateRequest>, _context: &EvalContext<'_>) -> AggregatePlan {
    unimplemented!("compile::aggregate")
}
