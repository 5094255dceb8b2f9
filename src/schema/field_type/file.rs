//! `file`: uploaded files (`core.file`), kept in a side table. The value is a list of ids, or of maps
//! `{id, name, size, type, url}` once `record` has loaded what the API shows.

use serde_json::{Map, Value as Json};

use super::common::{at_most, list_of, split_list, wrong_type, wrong_value};
use super::{FieldFault, link, links, scalar};
use crate::base::Value;
use crate::schema::catalog::Catalog;

pub const DEFAULT_MAX_COUNT: u32 = 20;
/// 25 MB.
pub const DEFAULT_MAX_SIZE: u64 = 25 << 20;

fn prefix(catalog: &Catalog) -> &str {
    catalog.find_entity("core.file").map_or("file", |entity| entity.prefix.as_str())
}

/// A list of ids, or of objects with an `id` (as the API gives them back).
pub fn from_json(catalog: &Catalog, json: &Json) -> Result<Value, FieldFault> {
    let mut items = Vec::new();
    for (position, item) in list_of(json, "a list of file ids")?.iter().enumerate() {
        let id = item.as_str().or_else(|| item.get("id").and_then(Json::as_str));
        let id = id.ok_or_else(|| wrong_type("a file's id", item).under(position))?;
        let value = Value::Link(link::id_of(prefix(catalog), id).map_err(|fault| fault.under(position))?);
        if !items.contains(&value) {
            items.push(value);
        }
    }
    Ok(if items.is_empty() { Value::Null } else { Value::List(items) })
}

pub fn from_text(catalog: &Catalog, text: &str) -> Result<Value, FieldFault> {
    from_json(catalog, &split_list(text).into_iter().map(Json::String).collect())
}

pub fn check(value: &Value, max_count: u32) -> Result<(), FieldFault> {
    let Value::List(items) = value else {
        return Err(wrong_value("a list of files"));
    };
    at_most(items.len(), max_count)
}

pub fn to_json(catalog: &Catalog, value: &Value) -> Json {
    let Value::List(items) = value else { return Json::Array(Vec::new()) };
    let prefix = prefix(catalog);
    items
        .iter()
        .map(|item| {
            let mut out = Map::new();
            let id = links::target(item).map_or(Json::Null, |id| Json::String(id.display(prefix)));
            out.insert("id".to_owned(), id);
            if let Value::Map(parts) = item {
                out.extend(parts.iter().filter(|(name, _)| name != "id").map(|(name, part)| (name.clone(), scalar::to_json(part))));
            }
            Json::Object(out)
        })
        .collect()
}

/// The names, where they are loaded.
pub fn to_text(catalog: &Catalog, value: &Value) -> String {
    let Value::List(items) = value else { return String::new() };
    let names: Vec<String> = items
        .iter()
        .map(|item| match item {
            Value::Map(parts) => {
                parts.iter().find(|(name, _)| name == "name").and_then(|(_, name)| name.as_text()).unwrap_or("").to_owned()
            }
            item => links::target(item).map_or(String::new(), |id| id.display(prefix(catalog))),
        })
        .collect();
    names.join("; ")
}
