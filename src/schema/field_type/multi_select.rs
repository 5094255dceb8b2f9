//! `multi_select`: several keys of a list of options, in the order given.

use serde_json::Value as Json;

use super::common::{at_most, list_of, split_list, text_of, wrong_value};
use super::{FieldFault, select};
use crate::base::{Locale, Value};
use crate::schema::catalog::Options;

/// Where a definition sets no maximum.
pub const DEFAULT_MAX: u32 = 100;

pub fn from_json(json: &Json) -> Result<Value, FieldFault> {
    let mut keys: Vec<Value> = Vec::new();
    for (position, item) in list_of(json, "a list of option keys")?.iter().enumerate() {
        let key = Value::from(text_of(item, "an option's key").map_err(|fault| fault.under(position))?.trim());
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    Ok(if keys.is_empty() { Value::Null } else { Value::List(keys) })
}

pub fn from_text(text: &str, options: &Options) -> Value {
    let mut keys: Vec<Value> = Vec::new();
    for item in split_list(text) {
        let key = select::from_text(&item, options);
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    if keys.is_empty() { Value::Null } else { Value::List(keys) }
}

pub fn check(value: &Value, options: &Options, max: Option<u32>) -> Result<(), FieldFault> {
    let Value::List(items) = value else {
        return Err(wrong_value("a list of option keys"));
    };
    at_most(items.len(), max.unwrap_or(DEFAULT_MAX))?;
    for (position, item) in items.iter().enumerate() {
        select::check(item, options).map_err(|fault| fault.under(position))?;
    }
    Ok(())
}

pub fn to_text(value: &Value, options: &Options, locale: Locale) -> String {
    let Value::List(items) = value else { return String::new() };
    let labels: Vec<String> = items.iter().filter_map(Value::as_text).map(|key| select::label(options, key, locale)).collect();
    labels.join("; ")
}
