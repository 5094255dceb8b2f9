//! `integer`: 64 bits, signed.

use serde_json::Value as Json;

use super::FieldFault;
use super::common::{in_range, integer_of, parse_integer, plain_number, wrong_value};
use crate::base::Value;

pub fn from_json(json: &Json) -> Result<Value, FieldFault> {
    integer_of(json).map(Value::Int)
}

pub fn from_text(text: &str) -> Result<Value, FieldFault> {
    parse_integer(&plain_number(text)).map(Value::Int)
}

pub fn check(value: &Value, min: Option<i64>, max: Option<i64>) -> Result<(), FieldFault> {
    let number = value.as_int().ok_or_else(|| wrong_value("a whole number"))?;
    in_range(number, min, max)
}
