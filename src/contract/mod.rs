//! OpenAPI and JSON Schema documents from the catalog. Pure.

use serde_json::Value;

use crate::schema::catalog::{Catalog, Entity};

mod fields;

/// The OpenAPI 3.1 document of the whole API for this catalog. `origin` is the site's address (`https://crm.example.com`).
pub fn openapi(_catalog: &Catalog, _origin: &str) -> Value {
    unimplemented!("contract: openapi")
}

/// The JSON Schema of one entity's records with its fields' metadata.
pub fn entity_schema(_catalog: &Catalog, _entity: &Entity) -> Value {
    unimplemented!("contract: entity schema")
}
