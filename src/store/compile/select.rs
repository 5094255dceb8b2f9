//! Pages and single records.

use std::sync::Arc;

use crate::access::Authorised;
use crate::base::RecordId;
use crate::expr::EvalContext;
use crate::query::{GetRequest, ListRequest};
use crate::schema::catalog::Catalog;
use crate::store::{Dialect, Statement};

use super::shape::RowPlan;

/// The statements of a list request.
#[derive(Debug)]
pub struct ListPlan {
    /// Gives up to `limit + 1` rows; the last one only tells that there are more.
    pub page: Statement,
    /// Gives one number, at most [`crate::query::COUNT_CAP`] + 1.
    pub count: Option<Statement>,
    pub rows: Arc<RowPlan>,
    pub limit: u32,
    /// Cells of the page's rows with the sort values, for the cursor.
    pub sort_cells: Vec<usize>,
    /// See [`ListRequest::digest`].
    pub digest: [u8; 8],
    /// False when the statement depends on the moment or the actor (`now()`, `me()`).
    pub is_constant: bool,
}

/// The statement of a single record, to be run with any id.
#[derive(Debug)]
pub struct GetPlan {
    statement: Statement,
    pub rows: Arc<RowPlan>,
    pub is_constant: bool,
}

impl GetPlan {
    /// The statement for one record.
    pub fn statement(&self, id: RecordId) -> Statement {
        let _ = id;
        self.statement.clone()
    }
}

/// Compiles a list request.
pub fn list<T: AsRef<ListRequest>>(_catalog: &Catalog, _dialect: Dialect, _request: &Authorised<T>, _context: &EvalContext<'_>) -> ListPlan {
    unimplemented!("compile::list")
}

/// Compiles a request for one record.
pub fn get(_catalog: &Catalog, _dialect: Dialect, _request: &Authorised<GetRequest>, _context: &EvalContext<'_>) -> GetPlan {
    unimplemented!("compile::get")
}
