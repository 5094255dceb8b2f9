//! `time`: a time of day, without a zone.

use serde_json::Value as Json;

use super::FieldFault;
use super::common::{format_fault, text_of, wrong_value};
use crate::base::{Time, Value};

pub fn from_json(json: &Json) -> Result<Value, FieldFault> {
    from_text(text_of(json, "a time `HH:MM:SS`")?)
}

/// `08:30` or `08:30:15`.
pub fn from_text(text: &str) -> Result<Value, FieldFault> {
    Time::parse(text.trim()).map(Value::Time).ok_or_else(|| format_fault("a time `HH:MM:SS`", text))
}

pub fn check(value: &Value) -> Result<(), FieldFault> {
    match value {
        Value::Time(_) => Ok(()),
        _ => Err(wrong_value("a time of day")),
    }
}
