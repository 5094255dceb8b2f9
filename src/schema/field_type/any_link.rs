//! `any_link`: a reference to a record of one of several entities. The value is the public id as text, since
//! only its prefix tells the entity; it is stored in one column for each target, of which one is filled.

use serde_json::{Value as Json, json};

use super::FieldFault;
use super::common::{text_of, wrong_value};
use crate::base::{Cell, EntityIx, RecordId, Value};
use crate::schema::catalog::Catalog;

pub fn from_json(catalog: &Catalog, to: &[EntityIx], json: &Json) -> Result<Value, FieldFault> {
    from_text(catalog, to, text_of(json, "a record's id")?)
}

pub fn from_text(catalog: &Catalog, to: &[EntityIx], text: &str) -> Result<Value, FieldFault> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(Value::Null);
    }
    target(catalog, to, text).map(|(position, id)| Value::Text(id.display(&catalog.entity(to[position]).prefix)))
}

/// Position of the target in the field's list, and the id.
pub fn target(catalog: &Catalog, to: &[EntityIx], text: &str) -> Result<(usize, RecordId), FieldFault> {
    let prefixes: Vec<&str> = to.iter().map(|ix| catalog.entity(*ix).prefix.as_str()).collect();
    let shown: String = text.chars().take(60).collect();
    let (found, id) = RecordId::parse(text).ok_or_else(|| {
        FieldFault::new("malformed_id", format!("`{shown}` is not a record's id")).params(json!({"value": shown, "prefixes": prefixes}))
    })?;
    prefixes.iter().position(|prefix| found.eq_ignore_ascii_case(prefix)).map(|position| (position, id)).ok_or_else(|| {
        FieldFault::new("wrong_entity", format!("`{shown}` is not a record of {}", prefixes.join(", ")))
            .params(json!({"value": shown, "prefixes": prefixes}))
    })
}

pub fn check(catalog: &Catalog, to: &[EntityIx], value: &Value) -> Result<(), FieldFault> {
    let text = value.as_text().ok_or_else(|| wrong_value("a record's id"))?;
    target(catalog, to, text).map(|_| ())
}

pub fn to_cells(catalog: &Catalog, to: &[EntityIx], value: &Value, out: &mut Vec<Cell>) {
    let filled = value.as_text().and_then(|text| target(catalog, to, text).ok());
    out.extend((0..to.len()).map(|position| match filled {
        Some((at, id)) if at == position => Cell::Int(id.0),
        _ => Cell::Null,
    }));
}

pub fn from_cells(catalog: &Catalog, to: &[EntityIx], cells: &[Cell]) -> Value {
    cells
        .iter()
        .zip(to)
        .find_map(|(cell, ix)| cell.as_int().map(|id| Value::Text(RecordId(id).display(&catalog.entity(*ix).prefix))))
        .unwrap_or(Value::Null)
}
