//! `link`: a reference to one record of one entity.

use serde_json::{Value as Json, json};

use super::FieldFault;
use super::common::{text_of, wrong_value};
use crate::base::{EntityIx, RecordId, Value};
use crate::schema::catalog::Catalog;

pub fn from_json(catalog: &Catalog, to: EntityIx, json: &Json) -> Result<Value, FieldFault> {
    from_text(catalog, to, text_of(json, "a record's id")?)
}

pub fn from_text(catalog: &Catalog, to: EntityIx, text: &str) -> Result<Value, FieldFault> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(Value::Null);
    }
    id_of(&catalog.entity(to).prefix, text).map(Value::Link)
}

/// Reads an id that must name the entity with this prefix.
pub fn id_of(prefix: &str, text: &str) -> Result<RecordId, FieldFault> {
    let text = text.trim();
    let Some((found, id)) = RecordId::parse(text) else {
        let shown: String = text.chars().take(60).collect();
        return Err(FieldFault::new("malformed_id", format!("`{shown}` is not an id such as `{prefix}_…`"))
            .params(json!({"value": shown, "prefix": prefix})));
    };
    if found.eq_ignore_ascii_case(prefix) {
        return Ok(id);
    }
    let shown: String = found.chars().take(40).collect();
    Err(FieldFault::new("wrong_entity", format!("is the id of a `{shown}`, expected `{prefix}_…`"))
        .params(json!({"found": shown, "prefix": prefix})))
}

pub fn check(value: &Value) -> Result<(), FieldFault> {
    value.as_link().map(|_| ()).ok_or_else(|| wrong_value("a record's id"))
}

pub fn to_json(catalog: &Catalog, to: EntityIx, value: &Value) -> Json {
    value.as_link().map_or(Json::Null, |id| Json::String(id.display(&catalog.entity(to).prefix)))
}
