//! What a list offers for each type: sorting, filter operators, search; and options no longer offered.

use super::{scalar_type, select};
use crate::base::Value;
use crate::schema::catalog::{Field, FieldType, ScalarType};

const TEXT: &[&str] = &["contains", "starts_with", "ends_with", "=", "!=", "in", "is null", "is not null"];
const EQUAL: &[&str] = &["=", "!=", "in", "is null", "is not null"];
const NUMBER: &[&str] = &["=", "!=", "<", "<=", ">", ">=", "between", "in", "is null", "is not null"];
const MOMENT: &[&str] = &["=", "!=", "<", "<=", ">", ">=", "between", "is null", "is not null"];
const CHOICE: &[&str] = &["=", "!=", "in", "not in", "is null", "is not null"];
const FLAG: &[&str] = &["=", "!=", "is null", "is not null"];
const SET: &[&str] = &["has", "has_any", "has_all", "is null", "is not null"];
const PRESENCE: &[&str] = &["is null", "is not null"];
const MANY: &[&str] = &["exists", "none", "all"];

/// Filter operators the field offers to people, in the expression language's words, the commonest first.
pub fn operators(field: &Field) -> &'static [&'static str] {
    match () {
        () if field.is_secret() => PRESENCE,
        () if field.encrypted => EQUAL,
        () => operators_of(&field.ty),
    }
}

fn operators_of(ty: &FieldType) -> &'static [&'static str] {
    match ty {
        FieldType::Select(_) | FieldType::Link { .. } | FieldType::User { .. } | FieldType::Id => CHOICE,
        FieldType::MultiSelect { .. } | FieldType::Tags { .. } => SET,
        FieldType::Links { .. } | FieldType::Children { .. } => MANY,
        FieldType::Color => FLAG,
        FieldType::AnyLink { .. }
        | FieldType::Address
        | FieldType::PersonName
        | FieldType::Geo
        | FieldType::RichText { .. }
        | FieldType::Json { .. }
        | FieldType::File { .. }
        | FieldType::Image { .. } => PRESENCE,
        other => match scalar_type(other) {
            Some(ScalarType::Text) => TEXT,
            Some(ScalarType::Boolean) => FLAG,
            Some(ScalarType::Date | ScalarType::DateTime | ScalarType::Time) => MOMENT,
            Some(_) => NUMBER,
            None => PRESENCE,
        },
    }
}

/// Whether a filter can name the field itself.
pub fn is_filterable(ty: &FieldType) -> bool {
    !matches!(ty, FieldType::Json { .. } | FieldType::File { .. } | FieldType::Image { .. })
}

/// Whether a list may be sorted by it: it has one column with an order people understand.
pub fn is_sortable(field: &Field) -> bool {
    if field.encrypted {
        return false;
    }
    match &field.ty {
        FieldType::Id | FieldType::Rating { .. } => true,
        FieldType::LongText { .. } | FieldType::RichText { .. } | FieldType::Color => false,
        FieldType::Formula { stored, .. } | FieldType::Rollup { stored, .. } => *stored,
        FieldType::Lookup { .. } => false,
        other => scalar_type(other).is_some(),
    }
}

/// Whether the type can go into the record's search text.
pub fn is_searchable(ty: &FieldType) -> bool {
    match ty {
        FieldType::Tags { .. } | FieldType::Address | FieldType::PersonName => true,
        FieldType::Color => false,
        other => scalar_type(other) == Some(ScalarType::Text),
    }
}

/// The first retired option among the value's keys: refused where the record did not hold it before.
pub fn retired_option(field: &Field, value: &Value) -> Option<String> {
    let (FieldType::Select(options) | FieldType::MultiSelect { options, .. }) = &field.ty else { return None };
    let is_retired =
        |item: &Value| item.as_text().filter(|key| select::find(options, key).is_some_and(|option| option.retired)).map(str::to_owned);
    match value {
        Value::List(items) => items.iter().find_map(is_retired),
        single => is_retired(single),
    }
}
