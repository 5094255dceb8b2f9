//! `tags`: free words, told apart without regard to case.

use serde_json::Value as Json;

use super::FieldFault;
use super::common::{at_most, length, list_of, printable, split_list, text_of, wrong_value};
use crate::base::{Value, text};

pub const DEFAULT_MAX: u32 = 50;
const MAX_LENGTH: u32 = 60;

pub fn from_json(json: &Json) -> Result<Value, FieldFault> {
    let mut words = Vec::new();
    for (position, item) in list_of(json, "a list of texts")?.iter().enumerate() {
        words.push(text_of(item, "a text").map_err(|fault| fault.under(position))?.to_owned());
    }
    Ok(collect(words))
}

pub fn from_text(text: &str) -> Value {
    collect(split_list(text))
}

fn collect(words: Vec<String>) -> Value {
    let mut seen: Vec<String> = Vec::new();
    let mut kept = Vec::new();
    for word in words {
        let word = word.trim().to_owned();
        let folded = text::fold(&word);
        if !word.is_empty() && !seen.contains(&folded) {
            seen.push(folded);
            kept.push(Value::Text(word));
        }
    }
    if kept.is_empty() { Value::Null } else { Value::List(kept) }
}

pub fn check(value: &Value, max: Option<u32>) -> Result<(), FieldFault> {
    let Value::List(items) = value else {
        return Err(wrong_value("a list of texts"));
    };
    at_most(items.len(), max.unwrap_or(DEFAULT_MAX))?;
    for (position, item) in items.iter().enumerate() {
        let word = item.as_text().ok_or_else(|| wrong_value("a text").under(position))?;
        printable(word, false).and_then(|()| length(word, None, MAX_LENGTH)).map_err(|fault| fault.under(position))?;
    }
    Ok(())
}

pub fn to_text(value: &Value) -> String {
    let Value::List(items) = value else { return String::new() };
    items.iter().filter_map(Value::as_text).collect::<Vec<_>>().join("; ")
}
