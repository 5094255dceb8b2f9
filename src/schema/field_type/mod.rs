//! What each field type can do, one file per type.
//!
//! A value enters as JSON ([`parse_json`]) or as text ([`parse_text`]: CSV, form posts), is held as a
//! [`Value`], is stored as [`Cell`]s, one for each of the field's columns, and leaves as JSON or text.

pub mod address;
pub mod any_link;
pub mod auto_number;
pub mod boolean;
pub mod children;
pub mod color;
pub mod common;
mod composite;
pub mod date;
pub mod datetime;
pub mod decimal;
pub mod duration;
pub mod email;
pub mod file;
pub mod formula;
pub mod geo;
pub mod image;
pub mod integer;
pub mod json;
pub mod link;
pub mod links;
pub mod long_text;
pub mod lookup;
pub mod money;
pub mod multi_select;
mod offers;
pub mod percent;
pub mod person_name;
pub mod phone;
pub mod rating;
pub mod rich_text;
pub mod rollup;
pub mod scalar;
pub mod select;
mod storage;
pub mod tags;
pub mod text;
pub mod time;
pub mod url;
pub mod user;

use jiff::tz::TimeZone;
use serde_json::Value as Json;

use super::catalog::{Catalog, Field, FieldType};
use crate::base::{Decimal, Locale, Value};

pub use money::base_amount;
pub use offers::{is_filterable, is_searchable, is_sortable, operators, retired_option};
pub use storage::{columns_of, fold_cell, from_cells, has_side_table, needs_fold, scalar_type, to_cells};

/// Whether a control of a row, by its name within the row, holds nothing that somebody entered: a box that is not ticked and the
/// currency of an amount that is not there are nothing.
pub fn says_nothing(part: &str, text: &str) -> bool {
    text.trim().is_empty() || text == "false" || part.ends_with(".currency")
}

/// Why a value does not fit its field. `path` is the part inside the value (`/currency`, `/0`), empty for the whole.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldFault {
    pub path: String,
    /// Stable: `wrong_type`, `too_long`, `not_an_option`, …
    pub code: &'static str,
    /// English, lower case; the page translates by code and params.
    pub message: String,
    pub params: serde_json::Value,
}

impl FieldFault {
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { path: String::new(), code, message: message.into(), params: serde_json::Value::Object(serde_json::Map::new()) }
    }

    pub fn params(mut self, params: serde_json::Value) -> Self {
        self.params = params;
        self
    }

    /// Puts `part` in front of the path.
    pub fn under(mut self, part: impl std::fmt::Display) -> Self {
        self.path = format!("/{part}{}", self.path);
        self
    }
}

/// [`parse_json`] of a value that was kept, with what the system put beside it: a money's amount in the currency of the workspace.
///
/// # Errors
/// As [`parse_json`].
pub fn parse_kept_json(catalog: &Catalog, field: &Field, json: &Json) -> Result<Value, FieldFault> {
    let mut value = parse_json(catalog, field, json)?;
    if let (Value::Money(money), Some(base)) = (&mut value, json.get("base").and_then(Json::as_str)) {
        money.base = Decimal::parse_any(base).ok();
    }
    Ok(value)
}

/// Reads back what [`to_json`] gave, of computed fields too and whether or not the field still takes such a value; what cannot be
/// read any more is `Value::Null`.
pub fn read_json(catalog: &Catalog, field: &Field, json: &Json) -> Value {
    let read = match &field.ty {
        _ if json.is_null() => return Value::Null,
        FieldType::Formula { returns, .. } | FieldType::Rollup { returns, .. } | FieldType::Lookup { returns, .. } => {
            scalar::from_json(catalog, *returns, json)
        }
        _ => from_json(catalog, field, json),
    };
    let mut value = read.unwrap_or_default();
    if let (Value::Money(money), Some(base)) = (&mut value, json.get("base").and_then(Json::as_str)) {
        money.base = Decimal::parse_any(base).ok();
    }
    value
}

/// Reads a value from JSON and checks it ([`check`]). `null` gives `Value::Null` for every type, and so does
/// an empty text.
pub fn parse_json(catalog: &Catalog, field: &Field, json: &Json) -> Result<Value, FieldFault> {
    let value = match json {
        Json::Null => return Ok(Value::Null),
        Json::String(text) if text.is_empty() => return Ok(Value::Null),
        json => from_json(catalog, field, json)?,
    };
    check(catalog, field, &value)?;
    Ok(value)
}

fn from_json(catalog: &Catalog, field: &Field, json: &Json) -> Result<Value, FieldFault> {
    match &field.ty {
        FieldType::Text { .. } => text::from_json(json),
        FieldType::LongText { .. } => long_text::from_json(json),
        FieldType::RichText { .. } => rich_text::from_json(json),
        FieldType::Email => email::from_json(json),
        FieldType::Phone => phone::from_json(json),
        FieldType::Url => url::from_json(json),
        FieldType::Integer { .. } => integer::from_json(json),
        FieldType::Decimal { scale, .. } => decimal::from_json(json, *scale),
        FieldType::Percent { scale, .. } => percent::from_json(json, *scale),
        FieldType::Money { scale, currency, .. } => money::from_json(json, *scale, *currency, &catalog.settings),
        FieldType::Boolean => boolean::from_json(json),
        FieldType::Date { .. } => date::from_json(json),
        FieldType::DateTime => datetime::from_json(json),
        FieldType::Time => time::from_json(json),
        FieldType::Duration { .. } => duration::from_json(json),
        FieldType::Select(_) => select::from_json(json),
        FieldType::MultiSelect { .. } => multi_select::from_json(json),
        FieldType::Tags { .. } => tags::from_json(json),
        FieldType::Link { to, .. } => link::from_json(catalog, *to, json),
        FieldType::User { to, .. } => user::from_json(catalog, *to, json),
        FieldType::Links { to, .. } => links::from_json(catalog, *to, json),
        FieldType::Children { .. } => children::from_json(json),
        FieldType::AnyLink { to, .. } => any_link::from_json(catalog, to, json),
        FieldType::Address => address::from_json(json),
        FieldType::PersonName => person_name::from_json(json),
        FieldType::Geo => geo::from_json(json),
        FieldType::Rating { .. } => rating::from_json(json),
        FieldType::Color => color::from_json(json),
        FieldType::Json { .. } => Ok(json::from_json(json)),
        FieldType::AutoNumber { .. } => auto_number::from_json(json),
        FieldType::File { .. } => file::from_json(catalog, json),
        FieldType::Image { .. } => image::from_json(catalog, json),
        FieldType::Id | FieldType::Formula { .. } | FieldType::Rollup { .. } | FieldType::Lookup { .. } => Err(formula::read_only()),
    }
}

/// Reads a value from text (a CSV cell, a form control) and checks it. Blank text is `Value::Null`.
/// Lists (multi_select, tags, links) are separated by `;`, else by `,`. A date-time without offset is read in `zone`.
/// A select accepts the key, else a label in any language.
pub fn parse_text(catalog: &Catalog, field: &Field, text: &str, zone: &TimeZone) -> Result<Value, FieldFault> {
    if text.trim().is_empty() {
        return Ok(Value::Null);
    }
    let value = from_text(catalog, field, text, zone)?;
    if !value.is_null() {
        check(catalog, field, &value)?;
    }
    Ok(value)
}

fn from_text(catalog: &Catalog, field: &Field, written: &str, zone: &TimeZone) -> Result<Value, FieldFault> {
    // The composite types also take the JSON of the API, so that an export of theirs can be read back.
    let object = written.trim_start().starts_with('{').then(|| crate::base::json::parse(written.trim().as_bytes()).ok()).flatten();
    if let (Some(object), FieldType::Address | FieldType::PersonName | FieldType::Geo | FieldType::Money { .. }) = (&object, &field.ty) {
        return from_json(catalog, field, object);
    }
    match &field.ty {
        FieldType::Text { .. } | FieldType::AutoNumber { .. } => Ok(common::one_line(written)),
        FieldType::LongText { .. } => Ok(long_text::from_text(written)),
        FieldType::RichText { .. } => Ok(rich_text::from_text(written)),
        FieldType::Email => Ok(email::from_text(written)),
        FieldType::Phone => Ok(phone::from_text(written)),
        FieldType::Url => Ok(url::from_text(written)),
        FieldType::Integer { .. } => integer::from_text(written),
        FieldType::Decimal { scale, .. } => decimal::from_text(written, *scale),
        FieldType::Percent { scale, .. } => percent::from_text(written, *scale),
        FieldType::Money { scale, currency, .. } => money::from_text(written, *scale, *currency, &catalog.settings),
        FieldType::Boolean => boolean::from_text(written),
        FieldType::Date { .. } => date::from_text(written),
        FieldType::DateTime => datetime::from_text(written, zone),
        FieldType::Time => time::from_text(written),
        FieldType::Duration { .. } => duration::from_text(written),
        FieldType::Select(options) => Ok(select::from_text(written, options)),
        FieldType::MultiSelect { options, .. } => Ok(multi_select::from_text(written, options)),
        FieldType::Tags { .. } => Ok(tags::from_text(written)),
        FieldType::Link { to, .. } => link::from_text(catalog, *to, written),
        FieldType::User { to, .. } => user::from_text(catalog, *to, written),
        FieldType::Links { to, .. } => links::from_text(catalog, *to, written),
        FieldType::Children { .. } => children::from_text(),
        FieldType::AnyLink { to, .. } => any_link::from_text(catalog, to, written),
        FieldType::Address => Ok(address::from_text(written)),
        FieldType::PersonName => Ok(person_name::from_text(written)),
        FieldType::Geo => geo::from_text(written),
        FieldType::Rating { .. } => rating::from_text(written),
        FieldType::Color => Ok(color::from_text(written)),
        FieldType::Json { .. } => json::from_text(written),
        FieldType::File { .. } | FieldType::Image { .. } => file::from_text(catalog, written),
        FieldType::Id | FieldType::Formula { .. } | FieldType::Rollup { .. } | FieldType::Lookup { .. } => Err(formula::read_only()),
    }
}

/// Checks a value against the field's limits, format and options (not `required`, not dependent options,
/// not uniqueness: those need the record). Null always passes.
pub fn check(catalog: &Catalog, field: &Field, value: &Value) -> Result<(), FieldFault> {
    // A secret as it was shown stands for the stored one.
    if value.is_null() || (field.is_secret() && value.as_text() == Some(crate::base::sealed::HIDDEN)) {
        return Ok(());
    }
    match &field.ty {
        FieldType::Text { min, max, pattern } => text::check(value, *min, *max, pattern.as_ref()),
        FieldType::LongText { max } | FieldType::RichText { max } => long_text::check(value, *max),
        FieldType::Email => email::check(value),
        FieldType::Phone => phone::check(value),
        FieldType::Url => url::check(value),
        FieldType::Integer { min, max } => integer::check(value, *min, *max),
        FieldType::Decimal { scale, min, max } => decimal::check(value, *scale, *min, *max),
        FieldType::Percent { scale, min, max } => percent::check(value, *scale, *min, *max),
        FieldType::Money { scale, currency, min, max } => money::check(value, *scale, *currency, *min, *max),
        FieldType::Boolean => boolean::check(value),
        FieldType::Date { min, max } => date::check(value, *min, *max),
        FieldType::DateTime => datetime::check(value),
        FieldType::Time => time::check(value),
        FieldType::Duration { min, max } => duration::check(value, *min, *max),
        FieldType::Select(options) => select::check(value, options),
        FieldType::MultiSelect { options, max } => multi_select::check(value, options, *max),
        FieldType::Tags { max } => tags::check(value, *max),
        FieldType::Id | FieldType::Link { .. } | FieldType::User { .. } => link::check(value),
        FieldType::Links { .. } => links::check(value),
        FieldType::Children { .. } => children::check(value),
        FieldType::AnyLink { to, .. } => any_link::check(catalog, to, value),
        FieldType::Address => composite::check(value, &address::PARTS),
        FieldType::PersonName => composite::check(value, &person_name::PARTS),
        FieldType::Geo => geo::check(value),
        FieldType::Rating { max } => rating::check(value, *max),
        FieldType::Color => color::check(value),
        FieldType::Json { schema } => json::check(value, schema.as_ref()),
        FieldType::File { max_count, .. } | FieldType::Image { max_count, .. } => file::check(value, *max_count),
        FieldType::AutoNumber { .. } => value.as_text().map(|_| ()).ok_or_else(|| common::wrong_value("a text")),
        FieldType::Formula { .. } | FieldType::Rollup { .. } | FieldType::Lookup { .. } => Ok(()),
    }
}

/// The value in the shape of the API (`docs/api.md`). Lists of nothing are `[]`, everything else without a value is `null`.
pub fn to_json(catalog: &Catalog, field: &Field, value: &Value) -> Json {
    match &field.ty {
        FieldType::Link { to, .. } | FieldType::User { to, .. } => link::to_json(catalog, *to, value),
        FieldType::Links { to, .. } => links::to_json(catalog, *to, value),
        FieldType::File { .. } | FieldType::Image { .. } => file::to_json(catalog, value),
        FieldType::Address => composite::to_json(value, &address::PARTS),
        FieldType::PersonName => composite::to_json(value, &person_name::PARTS),
        FieldType::Geo => geo::to_json(value),
        FieldType::MultiSelect { .. } | FieldType::Tags { .. } | FieldType::Children { .. } if value.is_null() => Json::Array(Vec::new()),
        _ => scalar::to_json(value),
    }
}

/// The value as a person reads it: option labels, dates in ISO form, date-times in `zone`.
/// A link is shown by its id (titles are looked up by `record`).
pub fn to_text(catalog: &Catalog, field: &Field, value: &Value, locale: Locale, zone: &TimeZone) -> String {
    if value.is_null() {
        return String::new();
    }
    match &field.ty {
        FieldType::Select(options) => value.as_text().map_or(String::new(), |key| select::label(options, key, locale)),
        FieldType::MultiSelect { options, .. } => multi_select::to_text(value, options, locale),
        FieldType::Tags { .. } => tags::to_text(value),
        FieldType::Percent { .. } => percent::to_text(value),
        FieldType::DateTime => datetime::to_text(value, zone),
        FieldType::Duration { .. } => value.as_int().map_or(String::new(), duration::to_text),
        FieldType::Address => address::to_text(value, locale),
        FieldType::PersonName => person_name::to_text(value),
        FieldType::Geo => geo::to_text(value),
        FieldType::RichText { .. } => value.as_text().map_or(String::new(), rich_text::plain),
        FieldType::Link { .. } | FieldType::User { .. } => to_json(catalog, field, value).as_str().unwrap_or("").to_owned(),
        FieldType::Links { .. } => match to_json(catalog, field, value) {
            Json::Array(items) => items.iter().filter_map(Json::as_str).collect::<Vec<_>>().join("; "),
            _ => String::new(),
        },
        FieldType::File { .. } | FieldType::Image { .. } => file::to_text(catalog, value),
        FieldType::Formula { returns, .. } | FieldType::Rollup { returns, .. } | FieldType::Lookup { returns, .. } => {
            scalar::to_text(*returns, value, zone)
        }
        _ => scalar::plain_text(value),
    }
}

/// The type's widget: the macro of this name in `render`.
pub fn widget_name(ty: &FieldType) -> &'static str {
    type_name(ty)
}

/// The type as written in a definition (`long_text`).
pub fn type_name(ty: &FieldType) -> &'static str {
    match ty {
        FieldType::Id => "id",
        FieldType::Text { .. } => "text",
        FieldType::LongText { .. } => "long_text",
        FieldType::RichText { .. } => "rich_text",
        FieldType::Email => "email",
        FieldType::Phone => "phone",
        FieldType::Url => "url",
        FieldType::Integer { .. } => "integer",
        FieldType::Decimal { .. } => "decimal",
        FieldType::Percent { .. } => "percent",
        FieldType::Money { .. } => "money",
        FieldType::Boolean => "boolean",
        FieldType::Date { .. } => "date",
        FieldType::DateTime => "datetime",
        FieldType::Time => "time",
        FieldType::Duration { .. } => "duration",
        FieldType::Select(_) => "select",
        FieldType::MultiSelect { .. } => "multi_select",
        FieldType::Tags { .. } => "tags",
        FieldType::Link { .. } => "link",
        FieldType::Links { .. } => "links",
        FieldType::Children { .. } => "children",
        FieldType::AnyLink { .. } => "any_link",
        FieldType::User { .. } => "user",
        FieldType::Address => "address",
        FieldType::PersonName => "person_name",
        FieldType::Geo => "geo",
        FieldType::Rating { .. } => "rating",
        FieldType::Color => "color",
        FieldType::Json { .. } => "json",
        FieldType::AutoNumber { .. } => "auto_number",
        FieldType::Formula { .. } => "formula",
        FieldType::Rollup { .. } => "rollup",
        FieldType::Lookup { .. } => "lookup",
        FieldType::File { .. } => "file",
        FieldType::Image { .. } => "image",
    }
}
