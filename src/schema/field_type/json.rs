//! `json`: any JSON value, checked against a JSON Schema where the definition gives one.

use serde_json::{Value as Json, json};

use super::FieldFault;
use super::common::{format_fault, wrong_value};
use crate::base::{Cell, Value};
use crate::schema::catalog::JsonSchema;

/// The longest text stored.
pub const MAX_BYTES: usize = 64 << 10;
const MAX_DEPTH: usize = 32;

pub fn from_json(json: &Json) -> Value {
    Value::Json(json.clone())
}

pub fn from_text(text: &str) -> Result<Value, FieldFault> {
    crate::base::json::parse(text.as_bytes()).map(Value::Json).map_err(|error| {
        let mut fault = format_fault("JSON", text);
        fault.message = format!("is not JSON: {error}");
        fault
    })
}

pub fn check(value: &Value, schema: Option<&JsonSchema>) -> Result<(), FieldFault> {
    let Value::Json(json) = value else {
        return Err(wrong_value("a JSON value"));
    };
    storable(json, 0)?;
    if json.to_string().len() > MAX_BYTES {
        return Err(FieldFault::new("too_long", format!("must be at most {MAX_BYTES} bytes as text")).params(json!({"max": MAX_BYTES})));
    }
    let Some(schema) = schema else { return Ok(()) };
    match schema.validator.iter_errors(json).next() {
        None => Ok(()),
        Some(error) => {
            let mut fault = FieldFault::new("schema", error.to_string().chars().take(200).collect::<String>());
            fault.path = error.instance_path().to_string();
            Err(fault)
        }
    }
}

/// What PostgreSQL's jsonb cannot hold is refused on both databases: NUL, numbers beyond its range, deep nesting.
fn storable(json: &Json, depth: usize) -> Result<(), FieldFault> {
    if depth > MAX_DEPTH {
        return Err(FieldFault::new("too_deep", format!("is nested deeper than {MAX_DEPTH} levels")));
    }
    match json {
        Json::String(text) if text.contains('\0') => Err(FieldFault::new("control_character", "contains the control character U+0000")),
        Json::Number(number) => {
            let text = number.to_string();
            let exponent = text.find(['e', 'E']).map_or(Some(0), |at| text[at + 1..].parse::<i32>().ok());
            if text.len() <= 60 && exponent.is_some_and(|exponent| exponent.abs() <= 300) {
                Ok(())
            } else {
                Err(FieldFault::new("too_large", "contains a number of too many digits"))
            }
        }
        Json::Array(items) => {
            items.iter().enumerate().try_for_each(|(at, item)| storable(item, depth + 1).map_err(|fault| fault.under(at)))
        }
        Json::Object(entries) => entries.iter().try_for_each(|(key, item)| {
            if key.contains('\0') {
                return Err(FieldFault::new("control_character", "a key contains the control character U+0000"));
            }
            storable(item, depth + 1).map_err(|fault| fault.under(key.replace('~', "~0").replace('/', "~1")))
        }),
        _ => Ok(()),
    }
}

pub fn to_cell(value: &Value) -> Cell {
    match value {
        Value::Json(json) => Cell::Text(json.to_string()),
        _ => Cell::Null,
    }
}

pub fn from_cell(cell: &Cell) -> Value {
    cell.as_text().and_then(|text| serde_json::from_str(text).ok()).map_or(Value::Null, Value::Json)
}

/// Compiles a schema of draft 2020-12; `$ref` reaches only inside the document.
///
/// # Errors
/// What is wrong with it.
pub fn compile_schema(text: &Json) -> Result<JsonSchema, String> {
    if let Some(outside) = outside_reference(text) {
        return Err(format!("`$ref` to `{outside}` reaches outside the schema"));
    }
    jsonschema::options()
        .with_pattern_options(jsonschema::PatternOptions::regex().size_limit(256 << 10))
        .should_validate_formats(true)
        .build(text)
        .map(|validator| JsonSchema { text: text.clone(), validator: std::sync::Arc::new(validator) })
        .map_err(|error| error.to_string().chars().take(200).collect())
}

fn outside_reference(json: &Json) -> Option<&str> {
    match json {
        Json::Object(entries) => entries.iter().find_map(|(key, value)| match value {
            Json::String(target) if matches!(key.as_str(), "$ref" | "$dynamicRef" | "$schema") => {
                (!target.starts_with('#') && !target.starts_with("https://json-schema.org/")).then_some(target.as_str())
            }
            other => outside_reference(other),
        }),
        Json::Array(items) => items.iter().find_map(outside_reference),
        _ => None,
    }
}
