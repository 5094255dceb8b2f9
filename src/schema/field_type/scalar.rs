//! Computed results: the storage and the forms of a [`ScalarType`].

use jiff::tz::TimeZone;
use serde_json::Value as Json;

use super::common::{cell, decimal_cell};
use super::{FieldFault, boolean, date, datetime, decimal, duration, integer, money, percent, time};
use crate::base::{Cell, Date, DateTime, Decimal, Time, Value};
use crate::schema::catalog::{Catalog, ColumnKind, MoneyCurrency, ScalarType};

/// Kinds of the columns with their parts.
pub fn columns(ty: ScalarType) -> Vec<(&'static str, ColumnKind)> {
    match ty {
        ScalarType::Text => vec![("", ColumnKind::Text)],
        ScalarType::Integer | ScalarType::Decimal { .. } | ScalarType::Percent { .. } | ScalarType::Time | ScalarType::Duration => {
            vec![("", ColumnKind::Int)]
        }
        ScalarType::Money { .. } => vec![("", ColumnKind::Int), ("currency", ColumnKind::Text), ("base", ColumnKind::Int)],
        ScalarType::Boolean => vec![("", ColumnKind::Bool)],
        ScalarType::Date => vec![("", ColumnKind::Date)],
        ScalarType::DateTime => vec![("", ColumnKind::DateTime)],
    }
}

pub fn to_json(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(flag) => Json::Bool(*flag),
        Value::Int(number) => Json::from(*number),
        Value::Decimal(number) => Json::String(number.to_string()),
        Value::Text(text) => Json::String(text.clone()),
        Value::Date(date) => Json::String(date.to_string()),
        Value::DateTime(at) => Json::String(at.to_string()),
        Value::Time(time) => Json::String(time.to_string()),
        Value::Money(_) => money::to_json(value),
        Value::Link(id) => Json::String(id.to_string()),
        Value::List(items) => items.iter().map(to_json).collect(),
        Value::Map(parts) => Json::Object(parts.iter().map(|(name, part)| (name.clone(), to_json(part))).collect()),
        Value::Json(json) => json.clone(),
    }
}

/// The inverse of [`to_json`].
pub fn from_json(catalog: &Catalog, ty: ScalarType, json: &Json) -> Result<Value, FieldFault> {
    match ty {
        ScalarType::Text => Ok(json.as_str().map_or(Value::Null, |text| Value::Text(text.to_owned()))),
        ScalarType::Integer | ScalarType::Duration => integer::from_json(json),
        ScalarType::Decimal { scale } | ScalarType::Percent { scale } => decimal::from_json(json, scale),
        ScalarType::Money { scale } => money::from_json(json, scale, MoneyCurrency::Record, &catalog.settings),
        ScalarType::Boolean => boolean::from_json(json),
        ScalarType::Date => date::from_json(json),
        ScalarType::DateTime => datetime::from_json(json),
        ScalarType::Time => time::from_json(json),
    }
}

pub fn to_text(ty: ScalarType, value: &Value, zone: &TimeZone) -> String {
    match (ty, value) {
        (ScalarType::Percent { .. }, value) => percent::to_text(value),
        (ScalarType::DateTime, value) => datetime::to_text(value, zone),
        (ScalarType::Duration, Value::Int(seconds)) => duration::to_text(*seconds),
        (_, value) => plain_text(value),
    }
}

/// The text of a value whose type says nothing more.
pub fn plain_text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Money(money) => money.to_string(),
        other => match to_json(other) {
            Json::String(text) => text,
            json => json.to_string(),
        },
    }
}

pub fn to_cells(ty: ScalarType, value: &Value, out: &mut Vec<Cell>) {
    match ty {
        ScalarType::Money { scale } => money::to_cells(value, scale, out),
        ScalarType::Decimal { scale } | ScalarType::Percent { scale } => out.push(decimal_cell(value, scale)),
        _ => out.push(cell(value)),
    }
}

pub fn from_cells(ty: ScalarType, cells: &[Cell]) -> Value {
    let Some(first) = cells.first() else { return Value::Null };
    match (ty, first) {
        (_, Cell::Null) => Value::Null,
        (ScalarType::Money { scale }, _) => money::from_cells(cells, scale),
        (ScalarType::Decimal { scale } | ScalarType::Percent { scale }, Cell::Int(units)) => Value::Decimal(Decimal::new(*units, scale)),
        (ScalarType::Integer | ScalarType::Duration, Cell::Int(number)) => Value::Int(*number),
        (ScalarType::Time, Cell::Int(seconds)) => u32::try_from(*seconds).map_or(Value::Null, |seconds| Value::Time(Time(seconds))),
        (ScalarType::Date, Cell::Int(days)) => i32::try_from(*days).map_or(Value::Null, |days| Value::Date(Date(days))),
        (ScalarType::DateTime, Cell::Int(micros)) => Value::DateTime(DateTime(*micros)),
        (ScalarType::Boolean, Cell::Bool(flag)) => Value::Bool(*flag),
        (ScalarType::Boolean, Cell::Int(flag)) => Value::Bool(*flag != 0),
        (ScalarType::Text, Cell::Text(text)) => Value::Text(text.clone()),
        _ => Value::Null,
    }
}
