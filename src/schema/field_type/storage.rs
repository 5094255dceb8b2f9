//! The columns of each type, and values to and from their cells.

use super::{address, any_link, auto_number, common, composite, geo, json, money, person_name, scalar};
use crate::base::{Cell, Date, DateTime, Decimal, RecordId, Sealed, Time, Value};
use crate::schema::catalog::{Catalog, Column, ColumnKind, Field, FieldType, ScalarType};

/// The physical columns of a type, named after `base` (`amount`, `amount__currency`); `targets` are the names
/// of the columns of an any_link, one for each target. Empty for what lives in a side table or nowhere.
pub fn columns_of(ty: &FieldType, base: &str, targets: &[&str]) -> Vec<Column> {
    let column = |part: &'static str, kind| {
        let name = if part.is_empty() { base.to_owned() } else { format!("{base}__{part}") };
        Column { name, kind, part }
    };
    if let FieldType::AnyLink { .. } = ty {
        return targets.iter().map(|target| Column { name: format!("{base}__{target}"), kind: ColumnKind::Int, part: "" }).collect();
    }
    parts_of(ty).into_iter().map(|(part, kind)| column(part, kind)).collect()
}

/// Parts and kinds of the columns of a type; for an any_link one column (there is one for each target).
pub(crate) fn parts_of(ty: &FieldType) -> Vec<(&'static str, ColumnKind)> {
    use ColumnKind::{Bool, Date, DateTime, Int, Json, Text};
    match ty {
        FieldType::Text { .. }
        | FieldType::LongText { .. }
        | FieldType::RichText { .. }
        | FieldType::Email
        | FieldType::Phone
        | FieldType::Url
        | FieldType::Color
        | FieldType::Select(_) => vec![("", Text)],
        FieldType::Id
        | FieldType::Integer { .. }
        | FieldType::Decimal { .. }
        | FieldType::Percent { .. }
        | FieldType::Time
        | FieldType::Duration { .. }
        | FieldType::Rating { .. }
        | FieldType::Link { .. }
        | FieldType::AnyLink { .. }
        | FieldType::User { .. } => vec![("", Int)],
        FieldType::Money { scale, .. } => scalar::columns(ScalarType::Money { scale: *scale }),
        FieldType::Boolean => vec![("", Bool)],
        FieldType::Date { .. } => vec![("", Date)],
        FieldType::DateTime => vec![("", DateTime)],
        FieldType::Address => address::PARTS.iter().map(|part| (*part, Text)).collect(),
        FieldType::PersonName => person_name::PARTS.iter().map(|part| (*part, Text)).collect(),
        FieldType::Geo => vec![("lat", Int), ("lon", Int)],
        FieldType::Json { .. } => vec![("", Json)],
        FieldType::AutoNumber { .. } => vec![("", Text), ("seq", Int)],
        FieldType::Formula { returns, stored: true, .. } | FieldType::Rollup { returns, stored: true, .. } => scalar::columns(*returns),
        FieldType::Formula { .. }
        | FieldType::Rollup { .. }
        | FieldType::Lookup { .. }
        | FieldType::Links { .. }
        | FieldType::Children { .. }
        | FieldType::MultiSelect { .. }
        | FieldType::Tags { .. }
        | FieldType::File { .. }
        | FieldType::Image { .. } => Vec::new(),
    }
}

/// Kept in a table `j_…(rec, opt, pos)` of its own.
pub fn has_side_table(ty: &FieldType) -> bool {
    matches!(ty, FieldType::MultiSelect { .. } | FieldType::Tags { .. } | FieldType::File { .. } | FieldType::Image { .. })
}

/// Texts that people filter by get a folded shadow column; HTML is found by search instead.
pub fn needs_fold(ty: &FieldType) -> bool {
    match ty {
        FieldType::Text { .. }
        | FieldType::LongText { .. }
        | FieldType::Email
        | FieldType::Phone
        | FieldType::Url
        | FieldType::AutoNumber { .. } => true,
        FieldType::Formula { returns, stored, .. } | FieldType::Rollup { returns, stored, .. } => *stored && *returns == ScalarType::Text,
        _ => false,
    }
}

/// The scalar type of a field's value, where it has one; of the value itself for composite types none.
pub fn scalar_type(ty: &FieldType) -> Option<ScalarType> {
    Some(match ty {
        FieldType::Text { .. }
        | FieldType::LongText { .. }
        | FieldType::RichText { .. }
        | FieldType::Email
        | FieldType::Phone
        | FieldType::Url
        | FieldType::Color
        | FieldType::Select(_)
        | FieldType::AutoNumber { .. } => ScalarType::Text,
        FieldType::Integer { .. } | FieldType::Rating { .. } => ScalarType::Integer,
        FieldType::Decimal { scale, .. } => ScalarType::Decimal { scale: *scale },
        FieldType::Percent { scale, .. } => ScalarType::Percent { scale: *scale },
        FieldType::Money { scale, .. } => ScalarType::Money { scale: *scale },
        FieldType::Boolean => ScalarType::Boolean,
        FieldType::Date { .. } => ScalarType::Date,
        FieldType::DateTime => ScalarType::DateTime,
        FieldType::Time => ScalarType::Time,
        FieldType::Duration { .. } => ScalarType::Duration,
        FieldType::Formula { returns, .. } | FieldType::Rollup { returns, .. } | FieldType::Lookup { returns, .. } => *returns,
        _ => return None,
    })
}

/// Appends one cell for each of `field.columns`, in order (not the folded shadow: [`fold_cell`]).
pub fn to_cells(catalog: &Catalog, field: &Field, value: &Value, out: &mut Vec<Cell>) {
    match &field.ty {
        FieldType::Decimal { scale, .. } | FieldType::Percent { scale, .. } => out.push(common::decimal_cell(value, *scale)),
        FieldType::Money { scale, .. } => money::to_cells(value, *scale, out),
        FieldType::AnyLink { to, .. } => any_link::to_cells(catalog, to, value, out),
        FieldType::Address => composite::to_cells(value, &address::PARTS, out),
        FieldType::PersonName => composite::to_cells(value, &person_name::PARTS, out),
        FieldType::Geo => geo::to_cells(value, out),
        FieldType::Json { .. } => out.push(json::to_cell(value)),
        FieldType::AutoNumber { format, .. } => auto_number::to_cells(format, value, out),
        FieldType::Formula { returns, stored: true, .. } | FieldType::Rollup { returns, stored: true, .. } => {
            scalar::to_cells(*returns, value, out);
        }
        _ if field.columns.is_empty() => {}
        _ => out.push(common::cell(value)),
    }
}

/// The cell of `field.fold_column`.
pub fn fold_cell(catalog: &Catalog, field: &Field, value: &Value) -> Cell {
    let Some(text) = value.as_text() else { return Cell::Null };
    if !field.encrypted {
        return Cell::Text(crate::base::text::fold(text));
    }
    // Nobody asks whether two secrets are the same.
    if field.is_secret() {
        return Cell::Null;
    }
    // Of an encrypted field its blind index, which an encrypted value brings along.
    match Sealed::parse(text) {
        Some(sealed) => Cell::Text(sealed.blind),
        None => catalog.blind.as_ref().map_or(Cell::Null, |blind| Cell::Text(blind.of(&field.uid, text))),
    }
}

/// The value of the field from the cells of its columns. Values of side tables and of fields without
/// columns are read by `record`. A virtual formula or lookup that a statement computed is read as its result type.
pub fn from_cells(catalog: &Catalog, field: &Field, cells: &[Cell]) -> Value {
    let Some(first) = cells.first() else { return Value::Null };
    match &field.ty {
        FieldType::Money { scale, .. } => return money::from_cells(cells, *scale),
        FieldType::AnyLink { to, .. } => return any_link::from_cells(catalog, to, cells),
        FieldType::Address => return composite::from_cells(cells, &address::PARTS),
        FieldType::PersonName => return composite::from_cells(cells, &person_name::PARTS),
        FieldType::Geo => return geo::from_cells(cells),
        FieldType::Json { .. } => return json::from_cell(first),
        FieldType::Formula { returns, .. } | FieldType::Rollup { returns, .. } | FieldType::Lookup { returns, .. } => {
            return scalar::from_cells(*returns, cells);
        }
        _ => {}
    }
    match (&field.ty, first) {
        (_, Cell::Null) => Value::Null,
        (FieldType::Decimal { scale, .. } | FieldType::Percent { scale, .. }, Cell::Int(units)) => {
            Value::Decimal(Decimal::new(*units, *scale))
        }
        (FieldType::Id | FieldType::Link { .. } | FieldType::User { .. }, Cell::Int(id)) => Value::Link(RecordId(*id)),
        (FieldType::Date { .. }, Cell::Int(days)) => i32::try_from(*days).map_or(Value::Null, |days| Value::Date(Date(days))),
        (FieldType::DateTime, Cell::Int(micros)) => Value::DateTime(DateTime(*micros)),
        (FieldType::Time, Cell::Int(seconds)) => u32::try_from(*seconds).map_or(Value::Null, |seconds| Value::Time(Time(seconds))),
        (FieldType::Boolean, Cell::Int(flag)) => Value::Bool(*flag != 0),
        (_, Cell::Bool(flag)) => Value::Bool(*flag),
        (_, Cell::Int(number)) => Value::Int(*number),
        (_, Cell::Text(text)) => Value::Text(text.clone()),
    }
}
