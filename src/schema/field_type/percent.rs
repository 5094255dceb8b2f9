//! `percent`: a decimal that means hundredths: 15 is fifteen per cent.

use serde_json::Value as Json;

use super::{FieldFault, decimal};
use crate::base::{Decimal, Value};

pub const DEFAULT_SCALE: u8 = 2;

pub fn from_json(json: &Json, scale: u8) -> Result<Value, FieldFault> {
    decimal::from_json(json, scale)
}

/// `15`, `15%` and `15 ％`.
pub fn from_text(text: &str, scale: u8) -> Result<Value, FieldFault> {
    decimal::from_text(text.trim().trim_end_matches(['%', '％']), scale)
}

pub fn check(value: &Value, scale: u8, min: Option<Decimal>, max: Option<Decimal>) -> Result<(), FieldFault> {
    decimal::check(value, scale, min, max)
}

pub fn to_text(value: &Value) -> String {
    match value {
        Value::Decimal(number) => format!("{number}%"),
        _ => String::new(),
    }
}
