//! `image`: a `file` that must be a picture (jpeg, png, webp, gif), with previews.

use serde_json::Value as Json;

use super::{FieldFault, file};
use crate::base::Value;
use crate::schema::catalog::Catalog;

pub const DEFAULT_MAX_COUNT: u32 = 10;
/// 10 MB.
pub const DEFAULT_MAX_SIZE: u64 = 10 << 20;
pub const ACCEPT: [&str; 4] = ["image/jpeg", "image/png", "image/webp", "image/gif"];

pub fn from_json(catalog: &Catalog, json: &Json) -> Result<Value, FieldFault> {
    file::from_json(catalog, json)
}
