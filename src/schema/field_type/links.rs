//! `links`: references to several records, kept in a junction entity that may have fields of its own.
//!
//! An item is a `Link`, or a `Map` of `id` (`Link`) and `set` (`Json`, the junction's own fields) where
//! the writer gave `{id, role: …}`.

use serde_json::Value as Json;

use super::common::{at_most, list_of, split_list, wrong_type, wrong_value};
use super::{FieldFault, link};
use crate::base::{EntityIx, Value};
use crate::schema::catalog::Catalog;

/// The most links one record can be given in one write.
pub const MAX: u32 = 1000;

pub fn from_json(catalog: &Catalog, to: EntityIx, json: &Json) -> Result<Value, FieldFault> {
    let prefix = &catalog.entity(to).prefix;
    let mut items: Vec<Value> = Vec::new();
    for (position, item) in list_of(json, "a list of ids")?.iter().enumerate() {
        let value = one(prefix, item).map_err(|fault| fault.under(position))?;
        if items.iter().any(|known| target(known) == target(&value)) {
            return Err(FieldFault::new("repeated", "is linked twice").under(position));
        }
        items.push(value);
    }
    Ok(Value::List(items))
}

fn one(prefix: &str, item: &Json) -> Result<Value, FieldFault> {
    match item {
        Json::String(id) => link::id_of(prefix, id).map(Value::Link),
        Json::Object(parts) => {
            let id = parts.get("id").and_then(Json::as_str).ok_or_else(|| wrong_type("an id", item).under("id"))?;
            let id = link::id_of(prefix, id).map_err(|fault| fault.under("id"))?;
            let own: serde_json::Map<_, _> =
                parts.iter().filter(|(key, _)| *key != "id").map(|(key, part)| (key.clone(), part.clone())).collect();
            Ok(Value::Map(vec![("id".to_owned(), Value::Link(id)), ("set".to_owned(), Value::Json(Json::Object(own)))]))
        }
        other => Err(wrong_type("an id or {id, …}", other)),
    }
}

/// The linked record of an item.
pub fn target(item: &Value) -> Option<crate::base::RecordId> {
    match item {
        Value::Link(id) => Some(*id),
        Value::Map(parts) => parts.iter().find(|(name, _)| name == "id").and_then(|(_, value)| value.as_link()),
        _ => None,
    }
}

pub fn from_text(catalog: &Catalog, to: EntityIx, text: &str) -> Result<Value, FieldFault> {
    let ids: Vec<Json> = split_list(text).into_iter().map(Json::String).collect();
    from_json(catalog, to, &Json::Array(ids))
}

pub fn check(value: &Value) -> Result<(), FieldFault> {
    let Value::List(items) = value else {
        return Err(wrong_value("a list of ids"));
    };
    at_most(items.len(), MAX)?;
    match items.iter().position(|item| target(item).is_none()) {
        Some(position) => Err(wrong_value("a record's id").under(position)),
        None => Ok(()),
    }
}

pub fn to_json(catalog: &Catalog, to: EntityIx, value: &Value) -> Json {
    let Value::List(items) = value else { return Json::Array(Vec::new()) };
    let prefix = &catalog.entity(to).prefix;
    items.iter().filter_map(target).map(|id| Json::String(id.display(prefix))).collect()
}
