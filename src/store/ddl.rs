//! DDL of entities: create table, add nullable column, create and drop index, view. Nothing is ever renamed or retyped.

use super::{Dialect, Sql};
use crate::schema::catalog::{Catalog, Entity, Field, Index, Unique};

/// Table of an entity with its side tables and the indexes on its links; not its declared indexes and uniques.
pub fn create_entity(_dialect: Dialect, _catalog: &Catalog, _entity: &Entity) -> Vec<Sql> {
    unimplemented!("store")
}

/// Columns, side table and link index of fields added to an existing table.
pub fn add_columns(_dialect: Dialect, _catalog: &Catalog, _entity: &Entity, _fields: &[&Field]) -> Vec<Sql> {
    unimplemented!("store")
}

/// A declared index.
pub fn create_index(_dialect: Dialect, _entity: &Entity, _index: &Index) -> Vec<Sql> {
    unimplemented!("store")
}

/// A unique index over live records, texts folded.
pub fn create_unique(_dialect: Dialect, _entity: &Entity, _unique: &Unique) -> Vec<Sql> {
    unimplemented!("store")
}

/// Drops an index by its physical name.
pub fn drop_index(_dialect: Dialect, _index: &str) -> Vec<Sql> {
    unimplemented!("store")
}

/// The view `v_<slug>` with the current names; replaces the former one.
pub fn views(_dialect: Dialect, _entity: &Entity) -> Vec<Sql> {
    unimplemented!("store")
}

/// Drops a view that is no longer current (the entity was renamed or retired).
pub fn drop_view(_dialect: Dialect, _slug: &str) -> Vec<Sql> {
    unimplemented!("store")
}
