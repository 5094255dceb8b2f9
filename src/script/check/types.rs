//! The small types the walk keeps for expressions.

use crate::base::{EntityIx, FieldIx};
use crate::schema::catalog::{Catalog, Field, FieldType, Options, ScalarType};

/// What is known of an expression's value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Ty {
    Unknown,
    /// A record of an entity.
    Record(EntityIx),
    /// A list of records of an entity.
    Records(EntityIx),
    /// The id of a record of an entity, as text.
    Id(EntityIx),
    /// A select's key: of this field.
    Option(EntityIx, FieldIx),
    Text,
    Money,
    Date,
    DateTime,
    Time,
    Number,
    Bool,
    /// A map with these names: address, person_name, geo, `ctx`.
    Parts(&'static [&'static str]),
    /// There is none (`rec` of a schedule).
    Nothing,
}

pub(super) const CTX: &[&str] = &["now", "today", "user", "event", "is_new", "chain", "payload", "currency"];
const ADDRESS: &[&str] = &["street", "street2", "city", "region", "postal_code", "country"];
const PERSON_NAME: &[&str] = &["given", "family", "middle", "prefix", "suffix"];
const GEO: &[&str] = &["lat", "lon"];

/// The type of a field's value.
pub(super) fn of_field(catalog: &Catalog, entity: EntityIx, field: &Field) -> Ty {
    match &field.ty {
        FieldType::Id => Ty::Id(entity),
        FieldType::Link { to, .. } | FieldType::User { to, .. } => Ty::Id(*to),
        FieldType::Children { of, .. } => Ty::Records(*of),
        FieldType::Select(_) => Ty::Option(entity, field.ix),
        FieldType::Money { .. } => Ty::Money,
        FieldType::Date { .. } => Ty::Date,
        FieldType::DateTime => Ty::DateTime,
        FieldType::Time => Ty::Time,
        FieldType::Boolean => Ty::Bool,
        FieldType::Integer { .. }
        | FieldType::Decimal { .. }
        | FieldType::Percent { .. }
        | FieldType::Duration { .. }
        | FieldType::Rating { .. } => Ty::Number,
        FieldType::Address => Ty::Parts(ADDRESS),
        FieldType::PersonName => Ty::Parts(PERSON_NAME),
        FieldType::Geo => Ty::Parts(GEO),
        FieldType::Formula { returns, .. } | FieldType::Rollup { returns, .. } => of_scalar(*returns),
        FieldType::Lookup { returns, .. } => {
            let _ = catalog;
            of_scalar(*returns)
        }
        FieldType::Text { .. }
        | FieldType::LongText { .. }
        | FieldType::RichText { .. }
        | FieldType::Email
        | FieldType::Phone
        | FieldType::Url => Ty::Text,
        _ => Ty::Unknown,
    }
}

fn of_scalar(scalar: ScalarType) -> Ty {
    match scalar {
        ScalarType::Text => Ty::Text,
        ScalarType::Integer | ScalarType::Decimal { .. } | ScalarType::Percent { .. } | ScalarType::Duration => Ty::Number,
        ScalarType::Money { .. } => Ty::Money,
        ScalarType::Boolean => Ty::Bool,
        ScalarType::Date => Ty::Date,
        ScalarType::DateTime => Ty::DateTime,
        ScalarType::Time => Ty::Time,
    }
}

/// Properties of the types that have a closed set of them.
pub(super) fn properties(ty: &Ty) -> Option<&'static [&'static str]> {
    match ty {
        Ty::Money => Some(&["amount", "currency", "base"]),
        Ty::Date => Some(&["year", "month", "day", "quarter", "weekday"]),
        Ty::DateTime => Some(&["date", "year", "month", "day", "weekday", "hour", "minute", "second"]),
        Ty::Time => Some(&["hour", "minute", "second"]),
        Ty::Parts(names) => Some(names),
        Ty::Bool => Some(&[]),
        _ => None,
    }
}

/// The type of a known property.
pub(super) fn of_property(ty: &Ty, name: &str) -> Ty {
    match (ty, name) {
        (Ty::Money, "currency") => Ty::Text,
        (Ty::DateTime, "date") => Ty::Date,
        (Ty::Parts(names), _) if *names == CTX => match name {
            "now" => Ty::DateTime,
            "today" => Ty::Date,
            "is_new" => Ty::Bool,
            "event" | "currency" => Ty::Text,
            _ => Ty::Unknown,
        },
        (Ty::Money | Ty::Date | Ty::DateTime | Ty::Time, _) => Ty::Number,
        _ => Ty::Unknown,
    }
}

/// What a type is called in messages.
pub(super) fn word(ty: &Ty) -> &'static str {
    match ty {
        Ty::Money => "money",
        Ty::Date => "a date",
        Ty::DateTime => "an instant",
        Ty::Time => "a time",
        Ty::Bool => "true or false",
        Ty::Parts(names) if *names == CTX => "`ctx`",
        Ty::Parts(names) if *names == ADDRESS => "an address",
        Ty::Parts(names) if *names == PERSON_NAME => "a person's name",
        Ty::Parts(_) => "a position",
        _ => "this value",
    }
}

/// The options of a select.
pub(super) fn options(catalog: &Catalog, entity: EntityIx, field: FieldIx) -> Option<&Options> {
    match &catalog.entity(entity).field(field).ty {
        FieldType::Select(options) | FieldType::MultiSelect { options, .. } => Some(options),
        _ => None,
    }
}
