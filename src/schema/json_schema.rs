//! JSON Schemas (draft 2020-12) of each kind of document for editors, with the entities, fields and options of this
//! workspace as choices.

use serde_json::{Map, Value as Json, json};

use super::catalog::{Catalog, FieldType};
use super::shape::{KeySpec, KeyType, Kind, fields, kinds};

/// A schema for each kind (`entity`, `view`, …) and `all`, which accepts a document of any kind.
/// `catalog` gives the names of the workspace; without one the schemas accept any name.
pub fn json_schema(catalog: Option<&Catalog>) -> Map<String, Json> {
    let names = Names::of(catalog);
    let mut schemas = Map::new();
    for kind in kinds::KINDS {
        schemas.insert(kind.name.to_owned(), document(kind, &names));
    }
    let branches: Vec<Json> = kinds::KINDS
        .iter()
        .map(|kind| json!({"if": {"properties": {"kind": {"const": kind.name}}, "required": ["kind"]}, "then": bare(kind, &names)}))
        .collect();
    let kind_names: Vec<&str> = kinds::KINDS.iter().map(|kind| kind.name).collect();
    schemas.insert(
        "all".to_owned(),
        json!({
            "$schema": DRAFT, "title": "Relata definition", "type": "object",
            "properties": {"kind": {"enum": kind_names, "description": "What this document describes."}},
            "allOf": branches,
            "$defs": steps(&names),
        }),
    );
    schemas
}

const DRAFT: &str = "https://json-schema.org/draft/2020-12/schema";

/// Names of the workspace, empty where none is known.
#[derive(Default)]
struct Names {
    entities: Vec<String>,
    picklists: Vec<String>,
    calendars: Vec<String>,
    fields: Vec<String>,
    options: Vec<String>,
}

impl Names {
    fn of(catalog: Option<&Catalog>) -> Self {
        let Some(catalog) = catalog else { return Self::default() };
        let sorted = |mut names: Vec<String>| {
            names.sort();
            names.dedup();
            names
        };
        let all_fields = || catalog.entities.iter().flat_map(|entity| &entity.fields);
        let options = all_fields().flat_map(|field| match &field.ty {
            FieldType::Select(options) | FieldType::MultiSelect { options, .. } => {
                options.list.options.iter().map(|option| option.key.clone()).collect()
            }
            _ => Vec::new(),
        });
        Self {
            entities: sorted(catalog.entities.iter().flat_map(|entity| [entity.id.clone(), entity.slug.clone()]).collect()),
            picklists: catalog.picklists.keys().cloned().collect(),
            calendars: catalog.calendars.keys().cloned().chain([super::working::ALWAYS.to_owned()]).collect(),
            fields: sorted(all_fields().map(|field| field.name.clone()).collect()),
            options: sorted(options.collect()),
        }
    }
}

fn document(kind: &Kind, names: &Names) -> Json {
    let mut schema = bare(kind, names);
    if let Json::Object(map) = &mut schema {
        map.insert("$schema".to_owned(), Json::from(DRAFT));
        map.insert("title".to_owned(), Json::from(format!("Relata {}", kind.name)));
        if kind.name == "automation" {
            map.insert("$defs".to_owned(), steps(names));
        }
    }
    schema
}

/// A step may have steps inside of it.
fn steps(names: &Names) -> Json {
    json!({"step": object(kinds::STEP, names)})
}

fn bare(kind: &Kind, names: &Names) -> Json {
    let mut schema = object(kind.keys, names);
    schema["description"] = Json::from(kind.doc);
    schema["properties"]["kind"] = json!({"const": kind.name, "description": "What this document describes."});
    schema
}

fn object(keys: &[KeySpec], names: &Names) -> Json {
    let mut properties = Map::new();
    for spec in keys.iter().filter(|spec| !matches!(spec.ty, KeyType::Later)) {
        properties.insert(spec.name.to_owned(), property(spec, names));
    }
    let required: Vec<&str> = keys.iter().filter(|spec| spec.required).map(|spec| spec.name).collect();
    json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false})
}

fn property(spec: &KeySpec, names: &Names) -> Json {
    let mut schema = value(&spec.ty, names);
    if let Json::Object(map) = &mut schema {
        map.insert("description".to_owned(), Json::from(spec.doc));
        if !spec.default.is_empty() {
            let default = match spec.default {
                "true" => Json::Bool(true),
                "false" => Json::Bool(false),
                text => text.parse::<i64>().map_or_else(|_| Json::from(text.trim_matches('"')), Json::from),
            };
            map.insert("default".to_owned(), default);
        }
    }
    schema
}

/// A text, with the known names as suggestions: an editor completes them, another name is still accepted (a new
/// entity is named before it is applied).
fn named(known: &[String]) -> Json {
    if known.is_empty() { json!({"type": "string"}) } else { json!({"type": "string", "anyOf": [{"enum": known}, {"type": "string"}]}) }
}

fn value(ty: &KeyType, names: &Names) -> Json {
    match ty {
        KeyType::Text => json!({"type": "string"}),
        KeyType::Bool => json!({"type": "boolean"}),
        KeyType::Int(min, max) if *min == i64::MIN && *max == i64::MAX => json!({"type": "integer"}),
        KeyType::Int(min, max) => json!({"type": "integer", "minimum": min, "maximum": max}),
        KeyType::Number => json!({"type": ["number", "string"]}),
        KeyType::Date => json!({"type": "string", "format": "date"}),
        KeyType::Name => json!({"type": "string", "pattern": "^[a-z][a-z0-9_]*$", "maxLength": 40}),
        KeyType::Entity => named(&names.entities),
        KeyType::Picklist => named(&names.picklists),
        KeyType::Calendar => named(&names.calendars),
        KeyType::Field => named(&names.fields),
        KeyType::SortField => named(&names.fields.iter().flat_map(|name| [name.clone(), format!("-{name}")]).collect::<Vec<_>>()),
        KeyType::Label => json!({"type": ["string", "object"], "additionalProperties": {"type": "string"}}),
        KeyType::Expr => json!({"type": ["string", "boolean"]}),
        KeyType::OneOf(values) => json!({"enum": values}),
        KeyType::Many(inner) => json!({"anyOf": [value(inner, names), {"type": "array", "items": value(inner, names)}]}),
        KeyType::List(inner) => json!({"type": "array", "items": value(inner, names)}),
        KeyType::Object(keys) => object(keys, names),
        KeyType::MapOf(inner) => json!({"type": "object", "additionalProperties": value(inner, names)}),
        KeyType::Fields => {
            json!({"type": "object", "additionalProperties": field(names), "propertyNames": {"pattern": "^[a-z][a-z0-9_]*$", "maxLength": 40}})
        }
        KeyType::Options => json!({"anyOf": [object(kinds::OPTIONS_REF, names), {"type": "array", "items": option(names)}]}),
        KeyType::FieldOr(keys) => json!({"anyOf": [named(&names.fields), {"type": ["number", "boolean"]}, object(keys, names)]}),
        KeyType::Trigger => json!({"anyOf": [
            {"enum": super::shape::TRIGGERS},
            {"type": "object", "required": ["schedule"], "additionalProperties": false,
             "properties": {"schedule": {"type": "string", "description": "Five cron fields."}, "tz": {"type": "string", "description": "IANA time zone."},
                            "missed": {"enum": ["skip", "once", "all"], "description": "What becomes of times at which nothing ran.", "default": "once"}}},
        ]}),
        KeyType::Steps => json!({"type": "array", "items": {"$ref": "#/$defs/step"}}),
        KeyType::Any | KeyType::Later => json!({}),
    }
}

fn option(names: &Names) -> Json {
    let mut object = object(kinds::OPTION, names);
    object["properties"]["key"] = named(&names.options);
    json!({"anyOf": [named(&names.options), {"type": "number"}, object]})
}

/// A field: the type decides which keys it may have.
fn field(names: &Names) -> Json {
    let types: Vec<Json> = fields::TYPES.iter().map(|spec| json!({"const": spec.name, "description": spec.doc})).collect();
    let branches: Vec<Json> = fields::TYPES
        .iter()
        .map(|spec| {
            let keys: Vec<KeySpec> = spec.keys.iter().chain(fields::COMMON).copied().collect();
            json!({"if": {"properties": {"type": {"const": spec.name}}, "required": ["type"]}, "then": object(&keys, names)})
        })
        .collect();
    json!({"type": "object", "required": ["type"], "properties": {"type": {"oneOf": types, "description": "Type of the field."}}, "allOf": branches})
}
