//! Filters as JSON: `{"and": [{"gte": ["amount.base", 100000]}, …]}`.
use serde_json::Value as Json;

use super::{Ast, ExprError};

/// Reads the JSON form.
pub fn from_json(_json: &Json) -> Result<Ast, ExprError> {
    unimplemented!("json")
}

/// Writes the JSON form.
pub fn to_json(_ast: &Ast) -> Json {
    unimplemented!("json")
}
