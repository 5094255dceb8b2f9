//! Statements of a unit of work: load, insert, update, delete.

use std::sync::Arc;

use crate::access::{Authorised, Write};
use crate::base::{FieldIx, RecordId, Value};
use crate::schema::catalog::{Catalog, Unique};
use crate::store::{Dialect, Statement};

use super::shape::RowPlan;

/// The statements of one record's update.
#[derive(Debug)]
pub struct Update {
    /// Touches one row, or none when the version is not the expected one. `None` when only side tables change.
    pub row: Option<Statement>,
    /// Rewrites the side tables of the changed fields.
    pub sides: Vec<Statement>,
}

/// Loads records with all stored values, side tables and the ids of links included (formulas without a column are
/// not), in the order of their ids; `lock` keeps others from changing them until the transaction ends (PostgreSQL;
/// SQLite has one writer). Records in the recycle bin are loaded too. Run it with [`super::fetch_rows`].
pub fn load(_catalog: &Catalog, _dialect: Dialect, _request: &Authorised<Write>, _ids: &[RecordId], _lock: bool) -> (Statement, Arc<RowPlan>) {
    unimplemented!("compile::load")
}

/// Loads the live records whose link `field` points to one of `targets`, like [`load`], at most `limit`.
pub fn load_by(
    _catalog: &Catalog,
    _dialect: Dialect,
    _request: &Authorised<Write>,
    _field: FieldIx,
    _targets: &[RecordId],
    _limit: u32,
    _lock: bool,
) -> (Statement, Arc<RowPlan>) {
    unimplemented!("compile::load_by")
}

/// The id (one column) of the live record with these values of a unique, texts folded. `values` stand in the order of
/// `unique.fields`; a null among them finds nothing.
pub fn by_unique(_catalog: &Catalog, _dialect: Dialect, _request: &Authorised<Write>, _unique: &Unique, _values: &[Value]) -> Statement {
    unimplemented!("compile::by_unique")
}

/// Inserts a record: `values` by field position, system fields included. First the row, then its side tables.
pub fn insert(_catalog: &Catalog, _dialect: Dialect, _request: &Authorised<Write>, _values: &[Value]) -> Vec<Statement> {
    unimplemented!("compile::insert")
}

/// Writes the changed fields of a record (system fields such as `version` and `updated_at` are given among them).
/// Deleting to the recycle bin and restoring are updates of `deleted_at`.
pub fn update(
    _catalog: &Catalog,
    _dialect: Dialect,
    _request: &Authorised<Write>,
    _id: RecordId,
    _expected_version: Option<i64>,
    _changes: &[(FieldIx, Value)],
) -> Update {
    unimplemented!("compile::update")
}

/// Deletes a record for good, its side tables first.
pub fn delete(_catalog: &Catalog, _dialect: Dialect, _request: &Authorised<Write>, _id: RecordId) -> Vec<Statement> {
    unimplemented!("compile::delete")
}
