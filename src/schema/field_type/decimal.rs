//! `decimal`: an exact number with a fixed number of decimal places, stored as 64-bit units.

use serde_json::Value as Json;

use super::FieldFault;
use super::common::{decimal_of, in_range, number_text, plain_number, wrong_value};
use crate::base::{Decimal, Value};

pub const DEFAULT_SCALE: u8 = 2;

pub fn from_json(json: &Json, scale: u8) -> Result<Value, FieldFault> {
    decimal_of(&number_text(json)?, scale).map(Value::Decimal)
}

pub fn from_text(text: &str, scale: u8) -> Result<Value, FieldFault> {
    decimal_of(&plain_number(text), scale).map(Value::Decimal)
}

pub fn check(value: &Value, scale: u8, min: Option<Decimal>, max: Option<Decimal>) -> Result<(), FieldFault> {
    let number = match value {
        Value::Decimal(number) => *number,
        Value::Int(number) => Decimal::new(*number, 0),
        _ => return Err(wrong_value("a number")),
    };
    if number.rescale_exact(scale).is_err() {
        return Err(decimal_of(&number.to_string(), scale).err().unwrap_or_else(|| wrong_value("a number")));
    }
    in_range(number, min, max)
}
