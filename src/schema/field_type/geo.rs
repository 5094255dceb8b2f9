//! `geo`: latitude and longitude in degrees with six decimal places (about 11 cm).

use serde_json::{Value as Json, json};

use super::FieldFault;
use super::common::{decimal_of, format_fault, in_range, number_text, wrong_type, wrong_value};
use crate::base::{Cell, Decimal, Value};

pub const SCALE: u8 = 6;

pub fn from_json(json: &Json) -> Result<Value, FieldFault> {
    let Json::Object(parts) = json else {
        return Err(wrong_type("an object with lat and lon", json));
    };
    if let Some(unknown) = parts.keys().find(|key| !matches!(key.as_str(), "lat" | "lon")) {
        return Err(FieldFault::new("unknown_part", format!("unknown part `{unknown}`; a position has lat and lon")).under(unknown));
    }
    let part = |name: &str| match parts.get(name) {
        None | Some(Json::Null) => Ok(None),
        Some(json) => number_text(json).and_then(|text| degrees(&text)).map(Some).map_err(|fault| fault.under(name)),
    };
    match (part("lat")?, part("lon")?) {
        (None, None) => Ok(Value::Null),
        (Some(lat), Some(lon)) => Ok(position(lat, lon)),
        (lat, _) => Err(FieldFault::new("incomplete", "needs both lat and lon").under(if lat.is_none() { "lat" } else { "lon" })),
    }
}

/// `31.230416, 121.473701`.
pub fn from_text(text: &str) -> Result<Value, FieldFault> {
    let (lat, lon) = text.split_once([',', '，', ' ']).ok_or_else(|| format_fault("a position `lat, lon`", text))?;
    Ok(position(degrees(lat)?, degrees(lon)?))
}

/// More digits than are kept are rounded: a device gives many.
fn degrees(text: &str) -> Result<Decimal, FieldFault> {
    let text = text.trim();
    let cut = match text.split_once('.') {
        Some((whole, digits)) if digits.len() > 9 && digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            format!("{whole}.{}", &digits[..9])
        }
        _ => text.to_owned(),
    };
    let number = decimal_of(&cut, 9)?;
    number.round(SCALE).ok_or_else(|| format_fault("a number of degrees", text))
}

fn position(lat: Decimal, lon: Decimal) -> Value {
    Value::Map(vec![("lat".to_owned(), Value::Decimal(lat)), ("lon".to_owned(), Value::Decimal(lon))])
}

fn parts(value: &Value) -> Option<(Decimal, Decimal)> {
    let Value::Map(parts) = value else { return None };
    let part = |wanted: &str| {
        parts.iter().find(|(name, _)| name == wanted).and_then(|(_, value)| match value {
            Value::Decimal(number) => Some(*number),
            Value::Int(number) => Some(Decimal::new(*number, 0)),
            _ => None,
        })
    };
    Some((part("lat")?, part("lon")?))
}

pub fn check(value: &Value) -> Result<(), FieldFault> {
    let (lat, lon) = parts(value).ok_or_else(|| wrong_value("a position with lat and lon"))?;
    let limit = |degrees: i64| Some(Decimal::new(degrees, 0));
    in_range(lat, limit(-90), limit(90)).map_err(|fault| fault.under("lat"))?;
    in_range(lon, limit(-180), limit(180)).map_err(|fault| fault.under("lon"))
}

pub fn to_json(value: &Value) -> Json {
    parts(value).map_or(Json::Null, |(lat, lon)| json!({"lat": lat.to_string(), "lon": lon.to_string()}))
}

pub fn to_text(value: &Value) -> String {
    parts(value).map_or(String::new(), |(lat, lon)| format!("{}, {}", lat.normalised(), lon.normalised()))
}

pub fn to_cells(value: &Value, out: &mut Vec<Cell>) {
    let units = |number: Decimal| number.round(SCALE).map_or(Cell::Null, |number| Cell::Int(number.units));
    match parts(value) {
        Some((lat, lon)) => out.extend([units(lat), units(lon)]),
        None => out.extend([Cell::Null, Cell::Null]),
    }
}

pub fn from_cells(cells: &[Cell]) -> Value {
    match (cells.first().and_then(Cell::as_int), cells.get(1).and_then(Cell::as_int)) {
        (Some(lat), Some(lon)) => position(Decimal::new(lat, SCALE), Decimal::new(lon, SCALE)),
        _ => Value::Null,
    }
}
