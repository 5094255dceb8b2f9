//! `user`: a link to a person (`core.user`).

use serde_json::Value as Json;

use super::{FieldFault, link};
use crate::base::{EntityIx, Value};
use crate::schema::catalog::Catalog;

pub fn from_json(catalog: &Catalog, to: EntityIx, json: &Json) -> Result<Value, FieldFault> {
    link::from_json(catalog, to, json)
}

pub fn from_text(catalog: &Catalog, to: EntityIx, text: &str) -> Result<Value, FieldFault> {
    link::from_text(catalog, to, text)
}
