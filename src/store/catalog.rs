//! The applied definitions and which table and columns each of them is bound to.

use super::{Store, StoreError, Tx};
use crate::base::DateTime;

/// One definition bound to its physical name. Rows are never deleted: a retired one keeps its names from being given
/// to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    pub uid: String,
    /// `entity`, `field`, `unique`, `index`, …
    pub kind: String,
    /// Entity of a field; empty for an entity.
    pub parent_uid: String,
    /// Package that owns it.
    pub owner_layer: String,
    /// Name the definition had when last applied.
    pub name: String,
    /// Physical table (entity, side table), else empty.
    pub table: String,
    /// Physical columns of a field in part order, joined with `,`; index name of an index or unique.
    pub column: String,
    /// Id prefix of an entity, else empty.
    pub prefix: String,
    /// `live` or `retired`.
    pub state: String,
}

/// What was applied last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    pub version: i64,
    pub digest: String,
    /// The effective definitions, as `deploy` wrote them.
    pub bundle_json: String,
    pub bindings: Vec<Binding>,
}

/// One line of the list of versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    pub version: i64,
    pub digest: String,
    pub at: DateTime,
    /// Who applied it, a user id or 0.
    pub by: i64,
}

/// A version about to be applied.
#[derive(Debug, Clone)]
pub struct NewVersion {
    /// The version the plan was made against: another one now is [`StoreError::StaleCatalog`].
    pub base: i64,
    pub digest: String,
    pub bundle_json: String,
    pub plan_json: String,
    /// All bindings that are new or changed.
    pub bindings: Vec<Binding>,
    pub by: i64,
}

/// The definitions in force, `None` before the first apply.
pub async fn load_applied(_store: &Store) -> Result<Option<Applied>, StoreError> {
    unimplemented!("store")
}

/// A former version's bundle.
pub async fn load_version(_store: &Store, _version: i64) -> Result<Option<Applied>, StoreError> {
    unimplemented!("store")
}

/// Versions, newest first.
pub async fn list_versions(_store: &Store, _limit: u32) -> Result<Vec<Version>, StoreError> {
    unimplemented!("store")
}

/// Records a new version inside [`Store::apply`], after the DDL of the same transaction; gives its number.
pub async fn save_version(_tx: &mut Tx, _new: &NewVersion) -> Result<i64, StoreError> {
    unimplemented!("store")
}
