//! JSON Schemas of field values: as they are read, and as they may be written.

use serde_json::{Map, Value, json};

use crate::base::Decimal;
use crate::schema::catalog::{Catalog, Entity, Field, FieldType, MoneyCurrency, Options, ScalarType};

/// Characters of an id after its prefix.
pub(super) const ID_DIGITS: &str = "[0-9a-hjkmnp-tv-z]{13}";

/// The pattern of an entity's ids.
pub(super) fn id_pattern(entity: &Entity) -> String {
    format!("^{}_{ID_DIGITS}$", entity.prefix)
}

/// A schema that matches an entity's id.
pub(super) fn id_schema(entity: &Entity) -> Value {
    json!({ "type": "string", "pattern": id_pattern(entity), "examples": [format!("{}_0000000000001", entity.prefix)] })
}

/// What an answer holds for a field. `expanded` is the name of the component that a link may hold instead of its id.
pub(super) fn read_schema(catalog: &Catalog, field: &Field) -> Value {
    match &field.ty {
        FieldType::Id => json!({ "type": "string" }),
        FieldType::Text { .. }
        | FieldType::LongText { .. }
        | FieldType::RichText { .. }
        | FieldType::Email
        | FieldType::Phone
        | FieldType::Url
        | FieldType::Color
        | FieldType::AutoNumber { .. } => nullable(json!({ "type": "string" })),
        FieldType::Integer { .. } | FieldType::Duration { .. } => nullable(json!({ "type": "integer", "format": "int64" })),
        FieldType::Rating { max } => nullable(json!({ "type": "integer", "minimum": 0, "maximum": max })),
        FieldType::Decimal { scale, .. } | FieldType::Percent { scale, .. } => nullable(decimal_text(*scale)),
        FieldType::Money { scale, .. } => nullable(money(*scale)),
        FieldType::Boolean => nullable(json!({ "type": "boolean" })),
        FieldType::Date { .. } => nullable(json!({ "type": "string", "format": "date" })),
        FieldType::DateTime => nullable(json!({ "type": "string", "format": "date-time" })),
        FieldType::Time => nullable(time()),
        FieldType::Select(options) => nullable(option_enum(options, true)),
        FieldType::MultiSelect { options, .. } => json!({ "type": "array", "items": option_enum(options, true) }),
        FieldType::Tags { .. } => json!({ "type": "array", "items": { "type": "string" } }),
        FieldType::Link { to, .. } | FieldType::User { to, .. } => link_or_record(&[catalog.entity(*to)]),
        FieldType::AnyLink { to, .. } => link_or_record(&to.iter().map(|ix| catalog.entity(*ix)).collect::<Vec<_>>()),
        FieldType::Links { to, .. } => {
            let target = catalog.entity(*to);
            json!({ "type": "array", "items": { "anyOf": [id_schema(target), expanded()] } })
        }
        FieldType::Children { .. } => json!({ "type": "array", "items": expanded() }),
        FieldType::Address => nullable(text_parts(&["street", "street2", "city", "region", "postal_code", "country"])),
        FieldType::PersonName => nullable(text_parts(&["given", "family", "middle", "prefix", "suffix"])),
        FieldType::Geo => nullable(json!({
            "type": "object",
            "properties": { "lat": nullable(decimal_text(6)), "lon": nullable(decimal_text(6)) },
            "required": ["lat", "lon"],
            "additionalProperties": false,
        })),
        FieldType::Json { .. } => json!({ "description": "any JSON" }),
        FieldType::Formula { returns, .. } | FieldType::Rollup { returns, .. } | FieldType::Lookup { returns, .. } => {
            nullable(scalar(*returns))
        }
        FieldType::File { .. } | FieldType::Image { .. } => json!({ "type": "array", "items": file() }),
    }
}

/// What a request may send for a field; `None` for a field that no request sets.
pub(super) fn write_schema(catalog: &Catalog, field: &Field) -> Option<Value> {
    if field.read_only {
        return None;
    }
    let schema = match &field.ty {
        FieldType::Id | FieldType::AutoNumber { .. } | FieldType::Formula { .. } | FieldType::Rollup { .. } | FieldType::Lookup { .. } => {
            return None;
        }
        FieldType::Text { min, max, pattern } => {
            let mut schema = text(Some(*max));
            if let Some(min) = min {
                schema["minLength"] = json!(min);
            }
            if let Some(pattern) = pattern.as_ref().filter(|pattern| is_plain_pattern(&pattern.text)) {
                schema["pattern"] = json!(pattern.text);
            }
            schema
        }
        FieldType::LongText { max } | FieldType::RichText { max } => text(Some(*max)),
        FieldType::Email => json!({ "type": "string", "format": "email", "maxLength": 254 }),
        FieldType::Phone => json!({ "type": "string", "maxLength": 40, "examples": ["+86 10 1234 5678"] }),
        FieldType::Url => json!({ "type": "string", "format": "uri", "maxLength": 2000, "examples": ["https://example.com/"] }),
        FieldType::Color => json!({ "type": "string", "pattern": "^#[0-9a-fA-F]{6}$" }),
        FieldType::Integer { min, max } | FieldType::Duration { min, max } => bounded_integer(*min, *max),
        FieldType::Rating { max } => json!({ "type": "integer", "minimum": 0, "maximum": max }),
        FieldType::Decimal { scale, min, max } | FieldType::Percent { scale, min, max } => decimal_input(*scale, *min, *max),
        FieldType::Money { scale, currency, .. } => money_input(*scale, *currency),
        FieldType::Boolean => json!({ "type": "boolean" }),
        FieldType::Date { .. } => json!({ "type": "string", "format": "date" }),
        FieldType::DateTime => json!({ "type": "string", "format": "date-time" }),
        FieldType::Time => json!({ "type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?$" }),
        FieldType::Select(options) => option_enum(options, false),
        FieldType::MultiSelect { options, max } => {
            let mut schema = json!({ "type": "array", "items": option_enum(options, false), "uniqueItems": true });
            if let Some(max) = max {
                schema["maxItems"] = json!(max);
            }
            schema
        }
        FieldType::Tags { max } => {
            json!({ "type": "array", "items": { "type": "string", "minLength": 1 }, "uniqueItems": true, "maxItems": max.unwrap_or(50) })
        }
        FieldType::Link { to, .. } | FieldType::User { to, .. } => id_schema(catalog.entity(*to)),
        FieldType::AnyLink { to, .. } => json!({ "anyOf": to.iter().map(|ix| id_schema(catalog.entity(*ix))).collect::<Vec<_>>() }),
        FieldType::Links { to, .. } => {
            let target = catalog.entity(*to);
            let with_own_fields = json!({ "type": "object", "properties": { "id": id_schema(target) }, "required": ["id"] });
            json!({ "type": "array", "items": { "anyOf": [id_schema(target), with_own_fields] } })
        }
        FieldType::Children { .. } => json!({ "type": "array", "items": { "type": "object" } }),
        FieldType::Address => text_parts_input(&["street", "street2", "city", "region", "postal_code", "country"]),
        FieldType::PersonName => text_parts_input(&["given", "family", "middle", "prefix", "suffix"]),
        FieldType::Geo => json!({
            "type": "object",
            "properties": { "lat": decimal_input(6, None, None), "lon": decimal_input(6, None, None) },
            "required": ["lat", "lon"],
            "additionalProperties": false,
        }),
        FieldType::Json { schema } => schema.as_ref().map_or_else(|| json!({}), |schema| schema.text.clone()),
        FieldType::File { max_count, .. } | FieldType::Image { max_count, .. } => json!({
            "type": "array",
            "items": { "type": "string", "description": "id of an uploaded file" },
            "maxItems": max_count,
        }),
    };
    let may_be_null = !field.required && !matches!(field.ty, FieldType::Json { .. });
    Some(if may_be_null { nullable(schema) } else { schema })
}

/// The schema that also accepts null.
pub(super) fn nullable(mut schema: Value) -> Value {
    let Some(object) = schema.as_object_mut() else { return schema };
    if let Some(Value::Array(options)) = object.get_mut("enum") {
        options.push(Value::Null);
    }
    match object.get_mut("type") {
        Some(Value::String(one)) => {
            let both = json!([one.clone(), "null"]);
            object.insert("type".into(), both);
        }
        Some(Value::Array(several)) => several.push("null".into()),
        _ => {
            if let Some(Value::Array(options)) = object.get_mut("anyOf") {
                options.push(json!({ "type": "null" }));
            }
        }
    }
    schema
}

/// The schema of a computed value.
pub(super) fn scalar(ty: ScalarType) -> Value {
    match ty {
        ScalarType::Text => json!({ "type": "string" }),
        ScalarType::Integer | ScalarType::Duration => json!({ "type": "integer", "format": "int64" }),
        ScalarType::Decimal { scale } | ScalarType::Percent { scale } => decimal_text(scale),
        ScalarType::Money { scale } => money(scale),
        ScalarType::Boolean => json!({ "type": "boolean" }),
        ScalarType::Date => json!({ "type": "string", "format": "date" }),
        ScalarType::DateTime => json!({ "type": "string", "format": "date-time" }),
        ScalarType::Time => time(),
    }
}

/// A file of a file or image field.
pub(super) fn file() -> Value {
    json!({ "$ref": "#/components/schemas/File" })
}

fn expanded() -> Value {
    json!({ "$ref": "#/components/schemas/Expanded" })
}

fn link_or_record(targets: &[&Entity]) -> Value {
    let mut options: Vec<Value> = targets.iter().map(|entity| id_schema(entity)).collect();
    options.push(expanded());
    options.push(json!({ "type": "null" }));
    json!({ "anyOf": options })
}

fn text(max: Option<u32>) -> Value {
    match max {
        Some(max) => json!({ "type": "string", "maxLength": max }),
        None => json!({ "type": "string" }),
    }
}

fn time() -> Value {
    json!({ "type": "string", "pattern": "^[0-9]{2}:[0-9]{2}:[0-9]{2}$" })
}

fn decimal_pattern(scale: u8) -> String {
    if scale == 0 { "^-?[0-9]+$".to_owned() } else { format!("^-?[0-9]+\\.[0-9]{{{scale}}}$") }
}

fn decimal_text(scale: u8) -> Value {
    json!({ "type": "string", "pattern": decimal_pattern(scale) })
}

/// A number or a decimal text with at most `scale` places.
fn decimal_input(scale: u8, min: Option<Decimal>, max: Option<Decimal>) -> Value {
    let pattern = if scale == 0 { "^-?[0-9]{1,9}$".to_owned() } else { format!("^-?[0-9]{{1,9}}(\\.[0-9]{{1,{scale}}})?$") };
    let mut schema = json!({ "type": ["string", "number"], "pattern": pattern });
    for (name, bound) in [("minimum", min), ("maximum", max)] {
        if let Some(number) = bound.and_then(|bound| bound.normalised().to_string().parse::<serde_json::Number>().ok()) {
            schema[name] = Value::Number(number);
        }
    }
    schema
}

fn bounded_integer(min: Option<i64>, max: Option<i64>) -> Value {
    let mut schema = json!({ "type": "integer", "format": "int64" });
    schema["minimum"] = json!(min.unwrap_or(i64::MIN));
    schema["maximum"] = json!(max.unwrap_or(i64::MAX));
    schema
}

fn money(scale: u8) -> Value {
    json!({
        "type": "object",
        "properties": {
            "amount": decimal_text(scale),
            "currency": { "type": "string", "pattern": "^[A-Z]{3}$" },
            "base": { "type": ["string", "null"], "pattern": "^-?[0-9]+(\\.[0-9]+)?$" },
        },
        "required": ["amount", "currency", "base"],
        "additionalProperties": false,
    })
}

fn money_input(scale: u8, currency: MoneyCurrency) -> Value {
    let amount = decimal_input(scale, None, None);
    let currency = match currency {
        MoneyCurrency::Fixed(currency) => json!({ "type": "string", "enum": [currency.code()] }),
        MoneyCurrency::Record => json!({ "type": "string", "pattern": "^[A-Z]{3}$", "examples": ["CNY"] }),
    };
    let object = json!({
        "type": "object",
        "properties": { "amount": amount, "currency": currency },
        "required": ["amount"],
        "additionalProperties": false,
    });
    json!({ "anyOf": [object, amount] })
}

fn text_parts(parts: &[&str]) -> Value {
    let properties: Map<String, Value> = parts.iter().map(|part| ((*part).to_owned(), json!({ "type": ["string", "null"] }))).collect();
    json!({ "type": "object", "properties": properties, "additionalProperties": false })
}

fn text_parts_input(parts: &[&str]) -> Value {
    let properties: Map<String, Value> =
        parts.iter().map(|part| ((*part).to_owned(), json!({ "type": ["string", "null"], "maxLength": 200 }))).collect();
    json!({ "type": "object", "properties": properties, "additionalProperties": false })
}

/// Keys of the options; retired ones are still read but no longer written.
fn option_enum(options: &Options, with_retired: bool) -> Value {
    let keys: Vec<&str> =
        options.list.options.iter().filter(|option| with_retired || !option.retired).map(|option| option.key.as_str()).collect();
    json!({ "type": "string", "enum": keys })
}

/// A pattern that means the same in every dialect of regular expressions.
fn is_plain_pattern(text: &str) -> bool {
    !text.contains("(?") && !text.contains("\\p") && !text.contains("&&") && !text.contains("[[")
}
