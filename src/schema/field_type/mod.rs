//! What each field type can do, one file per type.
//!
//! A value enters as JSON ([`parse_json`]) or as text ([`parse_text`]: CSV, form posts), is held as a
//! [`Value`], is stored as [`Cell`]s, one for each of the field's columns, and leaves as JSON or text.

use jiff::tz::TimeZone;

use super::catalog::{Catalog, Column, Field, FieldType};
use crate::base::{Cell, Locale, Value};

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

/// Reads a value from JSON and checks it ([`check`]). `null` gives `Value::Null` for every type.
/// An empty text counts as null for every type.
pub fn parse_json(catalog: &Catalog, field: &Field, json: &serde_json::Value) -> Result<Value, FieldFault> {
    let _ = (catalog, field, json);
    unimplemented!("parse_json")
}

/// Reads a value from text (a CSV cell, a form control) and checks it. Blank text is `Value::Null`.
/// Lists (multi_select, tags, links) are separated by `;` or `,`. A date-time without offset is read in `zone`.
/// A select accepts the key, else a label in any language.
pub fn parse_text(catalog: &Catalog, field: &Field, text: &str, zone: &TimeZone) -> Result<Value, FieldFault> {
    let _ = (catalog, field, text, zone);
    unimplemented!("parse_text")
}

/// Checks a value against the field's limits, format and options (not `required`, not dependent options,
/// not uniqueness: those need the record).
pub fn check(catalog: &Catalog, field: &Field, value: &Value) -> Result<(), FieldFault> {
    let _ = (catalog, field, value);
    unimplemented!("check")
}

/// The value in the shape of the API (contract in `docs/api.md`).
pub fn to_json(catalog: &Catalog, field: &Field, value: &Value) -> serde_json::Value {
    let _ = (catalog, field, value);
    unimplemented!("to_json")
}

/// The value as a person reads it: option labels, dates in ISO form, date-times in `zone`.
/// A link is shown by its id (titles are looked up by `record`).
pub fn to_text(catalog: &Catalog, field: &Field, value: &Value, locale: Locale, zone: &TimeZone) -> String {
    let _ = (catalog, field, value, locale, zone);
    unimplemented!("to_text")
}

/// Appends one cell for each of `field.columns`, in order (not the folded shadow: [`fold_cell`]).
pub fn to_cells(catalog: &Catalog, field: &Field, value: &Value, out: &mut Vec<Cell>) {
    let _ = (catalog, field, value, out);
    unimplemented!("to_cells")
}

/// The cell of `field.fold_column`.
pub fn fold_cell(value: &Value) -> Cell {
    value.as_text().map_or(Cell::Null, |text| Cell::Text(crate::base::text::fold(text)))
}

/// The value of the field from the cells of its columns.
pub fn from_cells(catalog: &Catalog, field: &Field, cells: &[Cell]) -> Value {
    let _ = (catalog, field, cells);
    unimplemented!("from_cells")
}

/// The physical columns of a type, named after `base`; `target_slugs` name the columns of an any_link.
pub fn columns_of(ty: &FieldType, base: &str, target_slugs: &[&str]) -> Vec<Column> {
    let _ = (ty, base, target_slugs);
    unimplemented!("columns_of")
}

/// Whether a list may be sorted by it.
pub fn is_sortable(ty: &FieldType) -> bool {
    let _ = ty;
    unimplemented!("is_sortable")
}

/// Filter operators the type offers to people, in the expression language's words.
pub fn operators(ty: &FieldType) -> &'static [&'static str] {
    let _ = ty;
    unimplemented!("operators")
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
