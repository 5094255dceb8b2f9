//! `person_name`: a name in parts.

use serde_json::Value as Json;

use super::{FieldFault, composite};
use crate::base::{Value, text};

pub const PARTS: [&str; 5] = ["given", "family", "middle", "prefix", "suffix"];

pub fn from_json(json: &Json) -> Result<Value, FieldFault> {
    match json {
        Json::String(text) => Ok(from_text(text)),
        other => composite::from_json(other, &PARTS, "a name"),
    }
}

/// `Family, Given`, `Given Family`, or a Chinese name whose first character is the family name.
pub fn from_text(written: &str) -> Value {
    let written = written.trim();
    let (given, family) = match written.split_once(',') {
        Some((family, given)) => (given.trim(), family.trim()),
        None => match written.rsplit_once(' ') {
            Some((given, family)) => (given.trim(), family.trim()),
            None => match written.chars().next() {
                Some(first) if text::is_cjk(first) && written.chars().count() > 1 => {
                    (&written[first.len_utf8()..], &written[..first.len_utf8()])
                }
                _ => (written, ""),
            },
        },
    };
    let mut parts: Vec<(String, Value)> = PARTS.iter().map(|part| ((*part).to_owned(), Value::Null)).collect();
    parts[0].1 = super::common::one_line(given);
    parts[1].1 = super::common::one_line(family);
    composite::or_null(parts)
}

/// Family name first and without spaces when it is written in Chinese characters.
pub fn to_text(value: &Value) -> String {
    let part = |name| composite::part(value, name).unwrap_or("");
    let chinese = part("family").chars().next().is_some_and(text::is_cjk);
    let (order, between): (&[&str], &str) = if chinese {
        (&["prefix", "family", "middle", "given", "suffix"], "")
    } else {
        (&["prefix", "given", "middle", "family", "suffix"], " ")
    };
    order.iter().map(|name| part(name)).filter(|text| !text.is_empty()).collect::<Vec<_>>().join(between)
}
