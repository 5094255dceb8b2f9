//! `date`: a day of the calendar, without a zone.

use serde_json::Value as Json;

use super::FieldFault;
use super::common::{format_fault, in_range, text_of, wrong_value};
use crate::base::{Date, Value};

pub fn from_json(json: &Json) -> Result<Value, FieldFault> {
    let text = text_of(json, "a date `YYYY-MM-DD`")?;
    Date::parse(text.trim()).map(Value::Date).ok_or_else(|| format_fault("a date `YYYY-MM-DD`", text))
}

/// Also `2026/1/5`, `2026.1.5` and `2026年1月5日`: year first, so that no order of day and month is guessed.
pub fn from_text(text: &str) -> Result<Value, FieldFault> {
    parse(text).map(Value::Date).ok_or_else(|| format_fault("a date `YYYY-MM-DD`", text))
}

pub fn parse(text: &str) -> Option<Date> {
    let text = text.trim();
    if let Some(date) = Date::parse(text) {
        return Some(date);
    }
    let plain = text.replace(['/', '.', '年', '月'], "-");
    let mut parts = plain.trim_end_matches('日').split('-').map(str::trim);
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || year.len() != 4 || month.len() > 2 || day.len() > 2 {
        return None;
    }
    Date::parse(&format!("{year}-{month:0>2}-{day:0>2}"))
}

pub fn check(value: &Value, min: Option<Date>, max: Option<Date>) -> Result<(), FieldFault> {
    match value {
        Value::Date(date) => in_range(*date, min, max),
        _ => Err(wrong_value("a date")),
    }
}
