//! Schemas of one entity: a record as read, as created, as patched; and the standalone schema with field metadata.

use serde_json::{Map, Value, json};

use super::fields::{id_schema, read_schema, write_schema};
use super::operation::schema_ref;
use crate::base::{Labels, Locale};
use crate::schema::catalog::{Catalog, Entity, Field, FieldType};
use crate::schema::field_type;

/// Whether a request without `select` gets the field.
pub(super) fn is_in_default_selection(field: &Field) -> bool {
    !matches!(field.ty, FieldType::Children { .. })
}

/// A record with any selection: nothing is required, links may be expanded.
pub(super) fn record_schema(catalog: &Catalog, entity: &Entity) -> Value {
    let mut properties = Map::new();
    for field in entity.known_fields() {
        properties.insert(field.name.clone(), system_schema(catalog, entity, field).unwrap_or_else(|| read_schema(catalog, field)));
    }
    properties.insert("_title".into(), json!({ "type": "string", "description": "the record's title, when selected" }));
    json!({
        "type": "object",
        "description": format!("{}, with the fields that were selected.", entity.label.get(Locale::En)),
        "properties": properties,
        "additionalProperties": false,
    })
}

/// A record with the default selection: every field but children is there.
pub(super) fn full_record_schema(entity: &Entity) -> Value {
    let required: Vec<&str> =
        entity.known_fields().filter(|field| is_in_default_selection(field)).map(|field| field.name.as_str()).collect();
    json!({ "allOf": [schema_ref(&entity.slug)], "required": required })
}

/// `id`, `version` and the times are never null.
fn system_schema(catalog: &Catalog, entity: &Entity, field: &Field) -> Option<Value> {
    if !field.is_system {
        return None;
    }
    Some(match field.name.as_str() {
        "id" => id_schema(entity),
        "version" => json!({ "type": "integer", "format": "int64", "minimum": 1 }),
        "created_at" | "updated_at" => json!({ "type": "string", "format": "date-time" }),
        _ => read_schema(catalog, field),
    })
}

/// What `POST` takes.
pub(super) fn create_schema(catalog: &Catalog, entity: &Entity) -> Value {
    let mut schema = writable(catalog, entity);
    let required: Vec<&str> = entity
        .known_fields()
        .filter(|field| field.required && field.default.is_none() && write_schema(catalog, field).is_some())
        .map(|field| field.name.as_str())
        .collect();
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema
}

/// What `PATCH` takes: a merge patch, in which null clears a field.
pub(super) fn patch_schema(catalog: &Catalog, entity: &Entity) -> Value {
    writable(catalog, entity)
}

fn writable(catalog: &Catalog, entity: &Entity) -> Value {
    let properties: Map<String, Value> =
        entity.known_fields().filter_map(|field| Some((field.name.clone(), write_schema(catalog, field)?))).collect();
    json!({ "type": "object", "properties": properties, "additionalProperties": false })
}

/// The JSON Schema of one entity's records with its fields' metadata under `x-relata`.
pub fn entity_schema(catalog: &Catalog, entity: &Entity) -> Value {
    let mut properties = Map::new();
    for field in entity.known_fields() {
        let mut schema = standalone(write_schema(catalog, field).unwrap_or_else(|| read_schema(catalog, field)));
        if let Some(object) = schema.as_object_mut() {
            object.insert("title".into(), field.label.get(Locale::En).into());
            if field.read_only {
                object.insert("readOnly".into(), true.into());
            }
            object.insert("x-relata".into(), field_facts(catalog, field));
        }
        properties.insert(field.name.clone(), schema);
    }
    let required: Vec<&str> =
        entity.known_fields().filter(|field| field.required && !field.read_only).map(|field| field.name.as_str()).collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": format!("/api/v1/schema/{}", entity.slug),
        "title": entity.label.get(Locale::En),
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
        "x-relata": {
            "entity": entity.slug,
            "id": entity.id,
            "prefix": entity.prefix,
            "label": labels(&entity.label),
            "label_plural": labels(&entity.label_plural),
            "features": {
                "owner": entity.features.owner,
                "history": entity.features.history,
                "soft_delete": entity.features.soft_delete,
                "search": entity.features.search,
            },
            "requires_if_match": entity.requires_if_match,
            "junction": entity.is_junction,
            "uniques": entity.uniques.iter().map(|unique| json!({
                "name": unique.name,
                "fields": unique.fields.iter().map(|field| entity.field(*field).name.as_str()).collect::<Vec<_>>(),
            })).collect::<Vec<_>>(),
            "pipelines": super::moves::facts(entity),
            "approvals": super::approvals::facts(entity),
            "pools": super::pools::facts(entity),
            "registrations": super::registrations::facts(entity),
            "views": entity.views.iter().map(|view| view.id.as_str()).collect::<Vec<_>>(),
            "actions": entity.buttons.iter().map(|button| json!({ "name": button.id, "label": labels(&button.label) })).collect::<Vec<_>>(),
            "catalog_version": catalog.version,
        },
    })
}

/// A schema that stands alone: references to the document's components become what they mean.
fn standalone(mut schema: Value) -> Value {
    match &mut schema {
        Value::Object(map) => {
            if map.contains_key("$ref") {
                return json!({ "type": "object" });
            }
            for value in map.values_mut() {
                *value = standalone(std::mem::take(value));
            }
        }
        Value::Array(items) => {
            for item in items {
                *item = standalone(std::mem::take(item));
            }
        }
        _ => {}
    }
    schema
}

fn field_facts(catalog: &Catalog, field: &Field) -> Value {
    let mut facts = Map::new();
    facts.insert("type".into(), field_type::type_name(&field.ty).into());
    facts.insert("label".into(), labels(&field.label));
    if !field.help.is_empty() {
        facts.insert("help".into(), labels(&field.help));
    }
    facts.insert("widget".into(), field.widget.clone().unwrap_or_else(|| field_type::widget_name(&field.ty).to_owned()).into());
    facts.insert("operators".into(), json!(field_type::operators(field)));
    for (name, holds) in [
        ("system", field.is_system),
        ("required", field.required),
        ("unique", field.unique),
        ("indexed", field.indexed),
        ("searched", field.search),
        ("read_only", field.read_only),
        ("sortable", field_type::is_sortable(field)),
        ("required_if", field.required_if.is_some()),
        ("readonly_if", field.readonly_if.is_some()),
        ("visible_if", field.visible_if.is_some()),
        ("has_default", field.default.is_some()),
    ] {
        facts.insert(name.into(), holds.into());
    }
    if field.encrypted {
        facts.insert("encrypted".into(), true.into());
    }
    if let Some(class) = field.class {
        facts.insert("class".into(), class.name().into());
    }
    if let Some(alias) = &field.alias {
        facts.insert("alias".into(), alias.clone().into());
    }
    match &field.ty {
        FieldType::Select(options) | FieldType::MultiSelect { options, .. } => {
            let list: Vec<Value> = options
                .list
                .options
                .iter()
                .map(|option| json!({ "key": option.key, "label": labels(&option.label), "hue": option.hue, "retired": option.retired }))
                .collect();
            facts.insert("options".into(), list.into());
        }
        FieldType::Link { to, .. } | FieldType::User { to, .. } | FieldType::Links { to, .. } => {
            facts.insert("to".into(), json!([catalog.entity(*to).slug]));
        }
        FieldType::AnyLink { to, .. } => {
            facts.insert("to".into(), to.iter().map(|ix| Value::from(catalog.entity(*ix).slug.as_str())).collect());
        }
        FieldType::Children { of, .. } => {
            facts.insert("to".into(), json!([catalog.entity(*of).slug]));
        }
        _ => {}
    }
    Value::Object(facts)
}

fn labels(labels: &Labels) -> Value {
    labels.0.iter().map(|(tag, text)| (tag.clone(), Value::from(text.as_str()))).collect::<Map<_, _>>().into()
}
