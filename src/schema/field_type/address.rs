//! `address`: a postal address in parts.

use serde_json::Value as Json;

use super::{FieldFault, composite};
use crate::base::{Locale, Value};

pub const PARTS: [&str; 6] = ["street", "street2", "city", "region", "postal_code", "country"];

pub fn from_json(json: &Json) -> Result<Value, FieldFault> {
    match json {
        Json::String(text) => Ok(from_text(text)),
        other => composite::from_json(other, &PARTS, "an address"),
    }
}

/// A text in one piece becomes the street.
pub fn from_text(text: &str) -> Value {
    let mut parts: Vec<(String, Value)> = PARTS.iter().map(|part| ((*part).to_owned(), Value::Null)).collect();
    parts[0].1 = super::common::one_line(text);
    composite::or_null(parts)
}

/// In Chinese from the country down, elsewhere from the street up.
pub fn to_text(value: &Value, locale: Locale) -> String {
    let shown = |order: &[&str], between: &str| {
        order.iter().filter_map(|part| composite::part(value, part)).filter(|text| !text.is_empty()).collect::<Vec<_>>().join(between)
    };
    match locale {
        Locale::En => shown(&["street", "street2", "city", "region", "postal_code", "country"], ", "),
        Locale::ZhCn | Locale::ZhTw => shown(&["country", "region", "city", "street", "street2", "postal_code"], " "),
    }
}
