//! `long_text`: several lines, kept as written.

use serde_json::Value as Json;

use super::FieldFault;
use super::common::{length, printable, text_of, wrong_value};
use crate::base::Value;

pub const DEFAULT_MAX: u32 = 20_000;
pub const LIMIT: u32 = 200_000;

pub fn from_json(json: &Json) -> Result<Value, FieldFault> {
    text_of(json, "a text").map(from_text)
}

/// Line ends become `\n` (a form posts `\r\n`); a blank text is null.
pub fn from_text(text: &str) -> Value {
    if text.trim().is_empty() {
        return Value::Null;
    }
    Value::Text(text.replace("\r\n", "\n"))
}

pub fn check(value: &Value, max: u32) -> Result<(), FieldFault> {
    let text = value.as_text().ok_or_else(|| wrong_value("a text"))?;
    printable(text, true)?;
    length(text, None, max)
}
