//! Plans of frequent requests, kept by the text of the request.

use std::sync::Arc;

use crate::access::{AccessError, Actor};
use crate::base::{EntityIx, Explain, RecordId};
use crate::expr::EvalContext;
use crate::query::{CursorKey, QueryError};
use crate::schema::catalog::Catalog;
use crate::store::Dialect;

use super::select::{GetPlan, ListPlan};

/// Why a request has no plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    #[error("the request is wrong in {} places", .0.len())]
    Query(Vec<QueryError>),
    #[error(transparent)]
    Access(#[from] AccessError),
}

impl Explain for PlanError {
    fn code(&self) -> &'static str {
        match self {
            PlanError::Query(faults) => faults.first().map_or("QRY000", Explain::code),
            PlanError::Access(error) => error.code(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            PlanError::Query(faults) => faults.first().and_then(Explain::hint),
            PlanError::Access(error) => error.hint(),
        }
    }
}

/// A cache of plans; least recently used ones go first. One for the process, shared by all requests.
#[derive(Debug, Default)]
pub struct Plans {}

impl Plans {
    pub fn new() -> Self {
        Self::default()
    }

    /// The plan of a list request written as URL parameters: parsed, authorised and compiled, or found.
    ///
    /// # Errors
    /// All faults of the request, or the refusal.
    #[expect(clippy::too_many_arguments, reason = "each is one dimension of the key or of the compilation")]
    pub fn list(
        &self,
        _catalog: &Catalog,
        _dialect: Dialect,
        _key: &CursorKey,
        _actor: &Actor,
        _entity: EntityIx,
        _query: &str,
        _context: &EvalContext<'_>,
    ) -> Result<Arc<ListPlan>, PlanError> {
        unimplemented!("Plans::list")
    }

    /// The plan of `GET …/{id}`; run [`GetPlan::statement`] with the id.
    ///
    /// # Errors
    /// All faults of the request, or the refusal.
    #[expect(clippy::too_many_arguments, reason = "each is one dimension of the key or of the compilation")]
    pub fn get(
        &self,
        _catalog: &Catalog,
        _dialect: Dialect,
        _actor: &Actor,
        _entity: EntityIx,
        _id: RecordId,
        _query: &str,
        _context: &EvalContext<'_>,
    ) -> Result<Arc<GetPlan>, PlanError> {
        unimplemented!("Plans::get")
    }
}
