//! The grammar of `sort`: `-amount,name:fold,account,address.city,account.industry`.
//!
//! `-` sorts downwards, `:fold` without regard to case. A link sorts by the title of the record it leads to.

use crate::base::{EntityIx, FieldIx};
use crate::expr::{Expected, Type};
use crate::schema::catalog::{Catalog, Entity, Field, FieldType, MoneyCurrency, TitlePart};

use super::MAX_SORT_KEYS;
use super::error::{Kind, Place, QueryError};
use super::fields::{field_path, names, value_type};
use super::parse;
use super::request::{SortBy, SortKey};

const ENCRYPTED: &str = "it is encrypted, so its values have no order; filters can ask for equality";

/// Reads sort keys. `offset` is where `text` begins within the text named `at`.
pub(super) fn parse_sort(
    catalog: &Catalog,
    entity: EntityIx,
    text: &str,
    at: &str,
    offset: usize,
    faults: &mut Vec<QueryError>,
) -> Vec<SortKey> {
    let mut keys = Vec::new();
    let mut start = offset;
    for part in text.split(',') {
        let place = start + (part.len() - part.trim_start().len());
        start += part.len() + 1;
        match sort_key(catalog, catalog.entity(entity), part.trim(), Place::byte(at, place)) {
            Ok(key) => keys.push(key),
            Err(mut more) => faults.append(&mut more),
        }
    }
    if keys.len() > MAX_SORT_KEYS {
        faults.push(QueryError::new(Kind::TooMany { what: "sort keys", limit: MAX_SORT_KEYS }, Place::byte(at, offset)));
    }
    keys
}

fn sort_key(catalog: &Catalog, entity: &Entity, text: &str, place: Place) -> Result<SortKey, Vec<QueryError>> {
    let (descending, rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (name, collation) = rest.split_once(':').map_or((rest, None), |(name, tag)| (name, Some(tag)));
    if name.is_empty() {
        return Err(vec![QueryError::new(Kind::Syntax { found: text.to_owned(), expected: "a field name" }, place)]);
    }
    let by = match collation {
        None => sort_by(catalog, entity, name, &place)?,
        Some("fold") => folded(entity, name, &place).map_err(|fault| vec![fault])?,
        Some(tag) => return Err(vec![QueryError::new(Kind::UnknownLanguage { tag: tag.to_owned() }, place)]),
    };
    Ok(SortKey { by, descending, text: text.to_owned() })
}

fn sort_by(catalog: &Catalog, entity: &Entity, name: &str, place: &Place) -> Result<SortBy, Vec<QueryError>> {
    let refuse = |why| vec![QueryError::new(Kind::CannotSort { name: name.to_owned(), why }, place.clone())];
    if let Some((first, part)) = name.split_once('.') {
        let own = entity.find_field(first).and_then(|field| Some((field, column_of(field, part)?)));
        if let Some((field, column)) = own {
            return Ok(SortBy::Field { field: field.ix, column });
        }
        let typed = parse::check_expression(catalog, entity.ix, name, &Expected::Any, &place.at, place.offset.unwrap_or(0))?;
        return match typed.ty {
            Type::Sealed(..) | Type::Secret => Err(refuse(ENCRYPTED)),
            Type::Set | Type::Json | Type::Money(_) | Type::Null => Err(refuse("its values have no order; name a part of it")),
            _ => Ok(SortBy::Value(typed)),
        };
    }
    let Some(field) = entity.find_field(name) else {
        let kind = Kind::UnknownField { entity: entity.slug.clone(), name: name.to_owned() };
        return Err(vec![QueryError::new(kind, place.clone()).near(name, names(entity))]);
    };
    if field.encrypted {
        return Err(refuse(ENCRYPTED));
    }
    match &field.ty {
        FieldType::Link { to, .. } | FieldType::User { to, .. } => match title_field(catalog.entity(*to)) {
            Some(title) => Ok(SortBy::Title { link: field.ix, field: title }),
            None => Err(refuse("the titles it leads to have no field to sort by")),
        },
        FieldType::Money { currency: MoneyCurrency::Record, .. } => {
            Ok(SortBy::Field { field: field.ix, column: column_of(field, "base").unwrap_or(0) })
        }
        FieldType::PersonName => Ok(SortBy::Field { field: field.ix, column: column_of(field, "family").unwrap_or(0) }),
        FieldType::Address | FieldType::Geo => Err(refuse("it has parts; name one of them, for example `address.city`")),
        FieldType::AnyLink { .. } => Err(refuse("it leads to several kinds of records")),
        FieldType::Json { .. } => Err(refuse("its values have no order")),
        FieldType::Links { .. }
        | FieldType::Children { .. }
        | FieldType::MultiSelect { .. }
        | FieldType::Tags { .. }
        | FieldType::File { .. }
        | FieldType::Image { .. } => Err(refuse("it holds many values")),
        _ if !field.columns.is_empty() => Ok(SortBy::Field { field: field.ix, column: 0 }),
        _ => match value_type(catalog, field) {
            Some(Type::Money(_)) => field_path(catalog, field, Some("base")).map(SortBy::Value).ok_or_else(|| refuse("it has no value")),
            _ => field_path(catalog, field, None).map(SortBy::Value).ok_or_else(|| refuse("it has no value")),
        },
    }
}

fn folded(entity: &Entity, name: &str, place: &Place) -> Result<SortBy, QueryError> {
    match entity.find_field(name) {
        Some(field) if field.encrypted => Err(QueryError::new(Kind::CannotSort { name: name.to_owned(), why: ENCRYPTED }, place.clone())),
        Some(field) if field.fold_column.is_some() => Ok(SortBy::Folded { field: field.ix }),
        Some(_) => Err(QueryError::new(Kind::CannotSort { name: name.to_owned(), why: "only texts have case" }, place.clone())),
        None => {
            let kind = Kind::UnknownField { entity: entity.slug.clone(), name: name.to_owned() };
            Err(QueryError::new(kind, place.clone()).near(name, names(entity)))
        }
    }
}

/// Position of the column of a part; `amount` of a money is its first column.
fn column_of(field: &Field, part: &str) -> Option<usize> {
    if matches!(field.ty, FieldType::Money { .. }) && part == "amount" {
        return Some(0);
    }
    field.columns.iter().position(|column| !column.part.is_empty() && column.part == part)
}

/// The field a title sorts by: the first one of the title with a column of its own.
pub(super) fn title_field(entity: &Entity) -> Option<FieldIx> {
    entity.title.parts.iter().find_map(|part| match part {
        TitlePart::Field(field) if is_plain(entity.field(*field)) && !entity.field(*field).is_hidden => Some(*field),
        _ => None,
    })
}

fn is_plain(field: &Field) -> bool {
    !field.columns.is_empty()
        && !matches!(field.ty, FieldType::Link { .. } | FieldType::User { .. } | FieldType::AnyLink { .. } | FieldType::Json { .. })
}
