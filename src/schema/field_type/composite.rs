//! Types of several named texts: address and person_name.

use serde_json::{Map, Value as Json};

use super::FieldFault;
use super::common::{length, printable, text_of, wrong_type, wrong_value};
use crate::base::{Cell, Value};

const MAX_PART: u32 = 200;

pub fn from_json(json: &Json, parts: &[&'static str], what: &str) -> Result<Value, FieldFault> {
    let Json::Object(given) = json else {
        return Err(wrong_type(&format!("an object with {}", parts.join(", ")), json));
    };
    if let Some(unknown) = given.keys().find(|key| !parts.contains(&key.as_str())) {
        return Err(FieldFault::new("unknown_part", format!("unknown part `{unknown}`; {what} has {}", parts.join(", "))).under(unknown));
    }
    let mut found = Vec::with_capacity(parts.len());
    for part in parts {
        let value = match given.get(*part) {
            None | Some(Json::Null) => Value::Null,
            Some(json) => super::common::one_line(&text_of(json, "a text").map_err(|fault| fault.under(part))?.replace("\r\n", "\n")),
        };
        found.push(((*part).to_owned(), value));
    }
    Ok(or_null(found))
}

/// All parts null is null.
pub fn or_null(parts: Vec<(String, Value)>) -> Value {
    if parts.iter().all(|(_, value)| value.is_null()) { Value::Null } else { Value::Map(parts) }
}

pub fn check(value: &Value, parts: &[&'static str]) -> Result<(), FieldFault> {
    let Value::Map(given) = value else {
        return Err(wrong_value("an object"));
    };
    for (name, part) in given {
        if !parts.contains(&name.as_str()) {
            return Err(FieldFault::new("unknown_part", format!("unknown part `{name}`")).under(name));
        }
        match part {
            Value::Null => {}
            Value::Text(text) => printable(text, true).and_then(|()| length(text, None, MAX_PART)).map_err(|fault| fault.under(name))?,
            _ => return Err(wrong_value("a text").under(name)),
        }
    }
    Ok(())
}

pub fn to_json(value: &Value, parts: &[&'static str]) -> Json {
    let Value::Map(given) = value else { return Json::Null };
    let mut out = Map::new();
    for part in parts {
        let text = given.iter().find(|(name, _)| name == part).and_then(|(_, value)| value.as_text());
        out.insert((*part).to_owned(), text.map_or(Json::Null, |text| Json::String(text.to_owned())));
    }
    Json::Object(out)
}

pub fn to_cells(value: &Value, parts: &[&'static str], out: &mut Vec<Cell>) {
    for part in parts {
        out.push(self::part(value, part).map_or(Cell::Null, Cell::from));
    }
}

pub fn from_cells(cells: &[Cell], parts: &[&'static str]) -> Value {
    let found = parts.iter().zip(cells).map(|(part, cell)| ((*part).to_owned(), cell.as_text().map_or(Value::Null, Value::from))).collect();
    or_null(found)
}

pub fn part<'a>(value: &'a Value, wanted: &str) -> Option<&'a str> {
    match value {
        Value::Map(given) => given.iter().find(|(name, _)| name == wanted).and_then(|(_, value)| value.as_text()),
        _ => None,
    }
}
