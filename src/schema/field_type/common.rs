//! What several field types share: reading scalars from JSON, limits, faults.

use serde_json::{Value as Json, json};

use super::FieldFault;
use crate::base::{Cell, Decimal, Value};

/// The fault of a JSON value of another kind than wanted.
pub fn wrong_type(expected: &str, found: &Json) -> FieldFault {
    let found = json_kind(found);
    FieldFault::new("wrong_type", format!("expected {expected}, found {found}")).params(json!({"expected": expected, "found": found}))
}

/// What a JSON value is, in words.
pub fn json_kind(json: &Json) -> &'static str {
    match json {
        Json::Null => "null",
        Json::Bool(_) => "a boolean",
        Json::Number(_) => "a number",
        Json::String(_) => "a text",
        Json::Array(_) => "a list",
        Json::Object(_) => "an object",
    }
}

/// The fault of a text that is not of the type's format.
pub fn format_fault(expected: &str, found: &str) -> FieldFault {
    let shown: String = found.chars().take(60).collect();
    FieldFault::new("format", format!("`{shown}` is not {expected}")).params(json!({"expected": expected, "value": shown}))
}

pub fn text_of<'a>(json: &'a Json, expected: &str) -> Result<&'a str, FieldFault> {
    json.as_str().ok_or_else(|| wrong_type(expected, json))
}

/// A number as its text: JSON number or text.
pub fn number_text(json: &Json) -> Result<String, FieldFault> {
    match json {
        Json::Number(number) => Ok(number.to_string()),
        Json::String(text) => Ok(text.trim().to_owned()),
        other => Err(wrong_type("a number", other)),
    }
}

/// A whole number: `12` and `12.0`, not `12.5`.
pub fn integer_of(json: &Json) -> Result<i64, FieldFault> {
    let Json::Number(number) = json else {
        return Err(wrong_type("a whole number", json));
    };
    parse_integer(&number.to_string())
}

pub fn parse_integer(text: &str) -> Result<i64, FieldFault> {
    if let Ok(number) = text.parse::<i64>() {
        return Ok(number);
    }
    let number = decimal_of(text, 0)?;
    Ok(number.units)
}

pub fn decimal_of(text: &str, scale: u8) -> Result<Decimal, FieldFault> {
    use crate::base::decimal::DecimalError;
    let plain = text.trim();
    Decimal::parse(plain, scale).map_err(|error| match error {
        DecimalError::NotANumber => format_fault("a number", plain),
        DecimalError::TooPrecise(places) if scale == 0 => {
            FieldFault::new("too_precise", "must be a whole number").params(json!({"scale": places.min(scale)}))
        }
        DecimalError::TooPrecise(_) => {
            FieldFault::new("too_precise", format!("has more than {scale} decimal places")).params(json!({"scale": scale}))
        }
        DecimalError::TooLarge => FieldFault::new("too_large", "is too large to be stored exactly"),
    })
}

/// A number written by a person: `1,234.50`, `１２`.
pub fn plain_number(text: &str) -> String {
    use unicode_normalization::UnicodeNormalization;
    let folded: String = text.trim().nfkc().filter(|c| !c.is_whitespace() && *c != '_').collect();
    let grouped = folded.contains(',') && {
        let whole = folded.split('.').next().unwrap_or("");
        let mut groups = whole.trim_start_matches(['-', '+']).split(',');
        groups.next().is_some_and(|first| (1..=3).contains(&first.len())) && groups.all(|group| group.len() == 3)
    };
    if grouped { folded.replace(',', "") } else { folded }
}

/// Minimum and maximum of anything that orders.
pub fn in_range<T: PartialOrd + std::fmt::Display + Copy>(value: T, min: Option<T>, max: Option<T>) -> Result<(), FieldFault> {
    if let Some(min) = min.filter(|min| value < *min) {
        return Err(FieldFault::new("too_small", format!("must be at least {min}")).params(json!({"min": min.to_string()})));
    }
    if let Some(max) = max.filter(|max| value > *max) {
        return Err(FieldFault::new("too_large", format!("must be at most {max}")).params(json!({"max": max.to_string()})));
    }
    Ok(())
}

/// Length in characters.
pub fn length(text: &str, min: Option<u32>, max: u32) -> Result<(), FieldFault> {
    let count = text.chars().count();
    if count > max as usize {
        return Err(FieldFault::new("too_long", format!("must have at most {max} characters, has {count}"))
            .params(json!({"max": max, "length": count})));
    }
    if let Some(min) = min.filter(|min| count < *min as usize) {
        return Err(
            FieldFault::new("too_short", format!("must have at least {min} characters")).params(json!({"min": min, "length": count}))
        );
    }
    Ok(())
}

/// Control characters cannot be stored (PostgreSQL refuses NUL) nor shown; a text of several lines may break and indent.
pub fn printable(text: &str, lines: bool) -> Result<(), FieldFault> {
    let bad = text.chars().find(|c| c.is_control() && !(lines && matches!(c, '\n' | '\t' | '\r')));
    match bad {
        Some('\n' | '\r') => Err(FieldFault::new("one_line", "must be a single line")),
        Some(c) => Err(FieldFault::new("control_character", format!("contains the control character U+{:04X}", u32::from(c)))),
        None => Ok(()),
    }
}

/// One line, trimmed; blank is null.
pub fn one_line(text: &str) -> Value {
    let trimmed = text.trim();
    if trimmed.is_empty() { Value::Null } else { Value::Text(trimmed.to_owned()) }
}

/// The cell of a value that fits one column.
pub fn cell(value: &Value) -> Cell {
    match value {
        Value::Null | Value::Money(_) | Value::List(_) | Value::Map(_) | Value::Json(_) => Cell::Null,
        Value::Bool(flag) => Cell::Bool(*flag),
        Value::Int(number) => Cell::Int(*number),
        Value::Decimal(number) => Cell::Int(number.units),
        Value::Text(text) => Cell::Text(text.clone()),
        Value::Date(date) => Cell::Int(i64::from(date.0)),
        Value::DateTime(at) => Cell::Int(at.0),
        Value::Time(time) => Cell::Int(i64::from(time.0)),
        Value::Link(id) => Cell::Int(id.0),
    }
}

/// The units of a decimal value at a column's scale; null when it does not fit.
pub fn decimal_cell(value: &Value, scale: u8) -> Cell {
    let number = match value {
        Value::Decimal(number) => *number,
        Value::Int(number) => Decimal::new(*number, 0),
        _ => return Cell::Null,
    };
    number.round(scale).map_or(Cell::Null, |number| Cell::Int(number.units))
}

/// Splits a list written as text at `;`, else at `,` and `，`.
pub fn split_list(text: &str) -> Vec<String> {
    let separators: &[char] = if text.contains([';', '；']) { &[';', '；'] } else { &[',', '，', '、', '\n'] };
    text.split(separators).map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect()
}

/// The items of a JSON list.
pub fn list_of<'a>(json: &'a Json, expected: &str) -> Result<&'a [Json], FieldFault> {
    json.as_array().map(Vec::as_slice).ok_or_else(|| wrong_type(expected, json))
}

pub fn at_most(count: usize, max: u32) -> Result<(), FieldFault> {
    if count > max as usize {
        return Err(
            FieldFault::new("too_many", format!("must have at most {max} items, has {count}")).params(json!({"max": max, "count": count}))
        );
    }
    Ok(())
}

/// A fault for a value of another variant than the type holds: a script or default gave something else.
pub fn wrong_value(expected: &str) -> FieldFault {
    FieldFault::new("wrong_type", format!("expected {expected}")).params(json!({"expected": expected}))
}
