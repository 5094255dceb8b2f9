//! `boolean`: true, false or nothing.

use serde_json::Value as Json;

use super::FieldFault;
use super::common::{format_fault, wrong_type, wrong_value};
use crate::base::{Value, text};

pub fn from_json(json: &Json) -> Result<Value, FieldFault> {
    json.as_bool().map(Value::Bool).ok_or_else(|| wrong_type("true or false", json))
}

pub fn from_text(written: &str) -> Result<Value, FieldFault> {
    match text::fold(written.trim()).as_str() {
        "true" | "yes" | "y" | "on" | "1" | "是" => Ok(Value::Bool(true)),
        "false" | "no" | "n" | "off" | "0" | "否" => Ok(Value::Bool(false)),
        _ => Err(format_fault("true or false", written)),
    }
}

pub fn check(value: &Value) -> Result<(), FieldFault> {
    value.as_bool().map(|_| ()).ok_or_else(|| wrong_value("true or false"))
}
