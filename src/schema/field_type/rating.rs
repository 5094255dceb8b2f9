//! `rating`: one to `max` stars.

use serde_json::Value as Json;

use super::FieldFault;
use super::common::{in_range, integer_of, parse_integer, plain_number, wrong_value};
use crate::base::Value;

pub const DEFAULT_MAX: u8 = 5;

pub fn from_json(json: &Json) -> Result<Value, FieldFault> {
    integer_of(json).map(Value::Int)
}

pub fn from_text(text: &str) -> Result<Value, FieldFault> {
    parse_integer(&plain_number(text)).map(Value::Int)
}

pub fn check(value: &Value, max: u8) -> Result<(), FieldFault> {
    let stars = value.as_int().ok_or_else(|| wrong_value("a number of stars"))?;
    in_range(stars, Some(1), Some(i64::from(max)))
}
