//! `color`: `#rrggbb` in lower case.

use serde_json::Value as Json;

use super::FieldFault;
use super::common::{format_fault, text_of, wrong_value};
use crate::base::Value;

pub fn from_json(json: &Json) -> Result<Value, FieldFault> {
    text_of(json, "a color `#rrggbb`").map(from_text)
}

/// `#abc` is `#aabbcc`.
pub fn from_text(text: &str) -> Value {
    let lower = text.trim().to_ascii_lowercase();
    if lower.is_empty() {
        return Value::Null;
    }
    let digits = lower.trim_start_matches('#');
    if digits.len() == 3 && digits.is_ascii() {
        return Value::Text(digits.chars().fold("#".to_owned(), |mut out, c| {
            out.extend([c, c]);
            out
        }));
    }
    Value::Text(format!("#{digits}"))
}

pub fn check(value: &Value) -> Result<(), FieldFault> {
    let text = value.as_text().ok_or_else(|| wrong_value("a color"))?;
    let fits = text.len() == 7 && text.starts_with('#') && text[1..].bytes().all(|byte| byte.is_ascii_hexdigit());
    if fits { Ok(()) } else { Err(format_fault("a color `#rrggbb`", text)) }
}
