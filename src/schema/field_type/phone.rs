//! `phone`: digits as people write them, with `+`, spaces, brackets and an extension.

use serde_json::Value as Json;
use unicode_normalization::UnicodeNormalization;

use super::FieldFault;
use super::common::{format_fault, one_line, text_of, wrong_value};
use crate::base::Value;

const MAX: usize = 40;

pub fn from_json(json: &Json) -> Result<Value, FieldFault> {
    text_of(json, "a phone number").map(from_text)
}

/// Full-width digits become plain ones.
pub fn from_text(text: &str) -> Value {
    one_line(&text.nfkc().collect::<String>())
}

pub fn check(value: &Value) -> Result<(), FieldFault> {
    let text = value.as_text().ok_or_else(|| wrong_value("a phone number"))?;
    let digits = text.chars().filter(char::is_ascii_digit).count();
    let known = text
        .char_indices()
        .all(|(at, c)| c.is_ascii_digit() || " -./()#*;=,".contains(c) || (c == '+' && at == 0) || c.is_ascii_alphabetic());
    let letters: String = text.chars().filter(char::is_ascii_alphabetic).collect();
    let extension = matches!(letters.to_ascii_lowercase().as_str(), "" | "x" | "ext");
    if text.len() <= MAX && (2..=20).contains(&digits) && known && extension { Ok(()) } else { Err(format_fault("a phone number", text)) }
}
