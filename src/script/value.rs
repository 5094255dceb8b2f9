//! Values of the house and of rhai, to and fro, by field type.

use rhai::{Array, Dynamic, Map};
use rust_decimal::Decimal as Wide;
use serde_json::{Value as Json, json};

use super::call::{self, Failure, failure};
use super::types::{Record, from_base, to_base};
use crate::base::{Currency, Date, DateTime, Money, Time, Value};
use crate::schema::catalog::{Catalog, Field, FieldType, MoneyCurrency};
use crate::schema::field_type;

/// How deep a value may nest.
const DEPTH: usize = 16;

/// A field's value for a script. Ids become texts, so the field is needed for links.
pub(super) fn to_dynamic(catalog: &Catalog, field: &Field, value: &Value) -> Dynamic {
    match value {
        Value::Link(_) => from_json(&field_type::to_json(catalog, field, value)),
        Value::List(items) if items.iter().any(|item| matches!(item, Value::Link(_) | Value::Map(_))) => {
            from_json(&field_type::to_json(catalog, field, value))
        }
        other => plain(other),
    }
}

/// A value without a field (group keys, measures). An id without its entity is its number as text.
pub(super) fn plain(value: &Value) -> Dynamic {
    match value {
        Value::Null => Dynamic::UNIT,
        Value::Bool(flag) => (*flag).into(),
        Value::Int(number) => (*number).into(),
        Value::Decimal(number) => Dynamic::from(from_base(*number)),
        Value::Text(text) => text.as_str().into(),
        Value::Date(date) => Dynamic::from(*date),
        Value::DateTime(at) => Dynamic::from(*at),
        Value::Time(time) => Dynamic::from(*time),
        Value::Money(money) => Dynamic::from(*money),
        Value::Link(id) => id.to_string().into(),
        Value::List(items) => Dynamic::from_array(items.iter().map(plain).collect::<Array>()),
        Value::Map(parts) => Dynamic::from_map(parts.iter().map(|(name, part)| (name.as_str().into(), plain(part))).collect::<Map>()),
        Value::Json(json) => from_json(json),
    }
}

/// JSON for a script: numbers are integers or decimals, null is `()`.
pub(super) fn from_json(json: &Json) -> Dynamic {
    match json {
        Json::Null => Dynamic::UNIT,
        Json::Bool(flag) => (*flag).into(),
        Json::Number(number) => match number.as_i64() {
            Some(whole) => whole.into(),
            None => {
                let text = number.to_string();
                text.parse::<Wide>().or_else(|_| Wide::from_scientific(&text)).map_or_else(|_| text.into(), Dynamic::from)
            }
        },
        Json::String(text) => text.as_str().into(),
        Json::Array(items) => Dynamic::from_array(items.iter().map(from_json).collect::<Array>()),
        Json::Object(map) => Dynamic::from_map(map.iter().map(|(name, item)| (name.as_str().into(), from_json(item))).collect::<Map>()),
    }
}

/// A script's value as JSON, in the shapes of the API.
///
/// # Errors
/// For functions, ranges and other values that are no data.
pub(super) fn to_json(value: &Dynamic) -> Result<Json, Failure> {
    json_at(value, 0)
}

fn json_at(value: &Dynamic, depth: usize) -> Result<Json, Failure> {
    if depth > DEPTH {
        return Err(failure(format!("the value is nested deeper than {DEPTH} levels")));
    }
    if value.is_unit() {
        return Ok(Json::Null);
    }
    if let Some(number) = value.clone().try_cast::<i64>() {
        return Ok(number.into());
    }
    if let Some(flag) = value.clone().try_cast::<bool>() {
        return Ok(flag.into());
    }
    if value.is_string() || value.is_char() {
        return Ok(Json::String(value.to_string()));
    }
    if let Some(number) = value.clone().try_cast::<Wide>() {
        return Ok(Json::String(number.to_string()));
    }
    if let Some(items) = value.read_lock::<Array>() {
        return items.iter().map(|item| json_at(item, depth + 1)).collect::<Result<Vec<_>, _>>().map(Json::Array);
    }
    if let Some(map) = value.read_lock::<Map>() {
        let entries = map.iter().map(|(name, item)| Ok((name.to_string(), json_at(item, depth + 1)?)));
        return entries.collect::<Result<serde_json::Map<_, _>, Failure>>().map(Json::Object);
    }
    own_type(value).ok_or_else(|| failure(format!("a {} cannot be kept as data", value.type_name())))
}

/// The types of this room.
fn own_type(value: &Dynamic) -> Option<Json> {
    if let Some(record) = value.clone().try_cast::<Record>() {
        let id = record.id_text();
        return Some(if id.is_empty() { Json::Null } else { Json::String(id) });
    }
    if let Some(money) = value.clone().try_cast::<Money>() {
        return Some(json!({"amount": money.amount.to_string(), "currency": money.currency.code()}));
    }
    if let Some(date) = value.clone().try_cast::<Date>() {
        return Some(Json::String(date.to_string()));
    }
    if let Some(at) = value.clone().try_cast::<DateTime>() {
        return Some(Json::String(at.to_string()));
    }
    value.clone().try_cast::<Time>().map(|time| Json::String(time.to_string()))
}

/// A script's value for a field, checked by the field's type. Numbers are rounded half to even to the field's scale.
///
/// # Errors
/// When the value does not fit, in the words of the field type.
pub(super) fn from_dynamic(catalog: &Catalog, field: &Field, value: &Dynamic, current: &Value) -> Result<Value, Failure> {
    if value.is_unit() {
        return Ok(Value::Null);
    }
    let json = match &field.ty {
        FieldType::Decimal { scale, .. } | FieldType::Percent { scale, .. } => match wide(value) {
            Some(number) => rounded(number, *scale)?,
            None => to_json(value)?,
        },
        FieldType::Money { scale, currency, .. } => money_json(value, *scale, *currency, current)?,
        FieldType::Json { .. } => return Ok(Value::Json(to_json(value)?)),
        _ => to_json(value)?,
    };
    field_type::parse_json(catalog, field, &json).map_err(|fault| failure(format!("`{}` {}", field.name, fault.message)))
}

/// A number of a script.
fn wide(value: &Dynamic) -> Option<Wide> {
    value.clone().try_cast::<Wide>().or_else(|| value.clone().try_cast::<i64>().map(Wide::from))
}

fn rounded(number: Wide, scale: u8) -> Result<Json, Failure> {
    let number = to_base(number, scale).ok_or_else(|| failure("the number is too large"))?;
    Ok(Json::String(number.to_string()))
}

/// Money, or a plain number in the field's, the record's or the workspace's currency.
fn money_json(value: &Dynamic, scale: u8, currency: MoneyCurrency, current: &Value) -> Result<Json, Failure> {
    let (number, currency): (Wide, Currency) = match (value.clone().try_cast::<Money>(), wide(value)) {
        (Some(money), _) => (from_base(money.amount), money.currency),
        (None, Some(number)) => match (currency, current) {
            (MoneyCurrency::Fixed(currency), _) => (number, currency),
            (MoneyCurrency::Record, Value::Money(money)) => (number, money.currency),
            (MoneyCurrency::Record, _) => (number, call::with(|call| Ok(call.context.currency))?),
        },
        (None, None) => return to_json(value),
    };
    Ok(json!({"amount": rounded(number, scale)?, "currency": currency.code()}))
}

/// A script's value as a literal of the expression language.
///
/// # Errors
/// For values that are no scalars or lists of scalars.
pub(super) fn literal(value: &Dynamic) -> Result<String, Failure> {
    if value.is_unit() {
        return Ok("null".to_owned());
    }
    if let Some(money) = value.clone().try_cast::<Money>() {
        return Ok(money.amount.to_string());
    }
    if let Some(items) = value.read_lock::<Array>() {
        let items = items.iter().map(literal).collect::<Result<Vec<_>, _>>()?;
        return Ok(format!("({})", items.join(", ")));
    }
    if let Some(number) = wide(value) {
        return Ok(number.to_string());
    }
    match to_json(value)? {
        Json::Bool(flag) => Ok(flag.to_string()),
        Json::String(text) => Ok(super::text::quote(&text)),
        _ => Err(failure("a filter takes texts, numbers, dates and lists of these")),
    }
}
