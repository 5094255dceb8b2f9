//! Cells on PostgreSQL's wire: dates as days and moments as microseconds, without a date library between.

use sqlx::encode::{Encode, IsNull};
use sqlx::error::BoxDynError;
use sqlx::postgres::types::Oid;
use sqlx::postgres::{PgArgumentBuffer, PgArguments, PgRow, PgTypeInfo, PgValueFormat, PgValueRef, Postgres};
use sqlx::{Arguments, Row, Type, TypeInfo, ValueRef};

use crate::base::Cell;
use crate::schema::catalog::ColumnKind;
use crate::store::{Statement, StoreError};

/// Days from 1970-01-01 to PostgreSQL's day zero, 2000-01-01.
const DAY_ZERO: i64 = 10_957;
/// The same in microseconds.
const MICROSECOND_ZERO: i64 = DAY_ZERO * 86_400_000_000;

/// The arguments of a statement.
pub(in crate::store) fn arguments(statement: &Statement) -> Result<PgArguments, StoreError> {
    let mut arguments = PgArguments::default();
    for (position, (kind, cell)) in statement.binds.iter().enumerate() {
        arguments.add(Bound(*kind, cell)).map_err(|_| StoreError::BadCell { column: position })?;
    }
    Ok(arguments)
}

struct Bound<'a>(ColumnKind, &'a Cell);

/// Type numbers of the system catalog (`pg_type.dat`), which never change.
fn oid(kind: ColumnKind) -> Oid {
    Oid(match kind {
        ColumnKind::Bool => 16,
        ColumnKind::Int => 20,
        ColumnKind::Text => 25,
        ColumnKind::Date => 1082,
        ColumnKind::DateTime => 1184,
        ColumnKind::Json => 3802,
    })
}

impl Type<Postgres> for Bound<'_> {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(Oid(25))
    }
}

impl Encode<'_, Postgres> for Bound<'_> {
    fn produces(&self) -> Option<PgTypeInfo> {
        Some(PgTypeInfo::with_oid(oid(self.0)))
    }

    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        match (self.0, self.1) {
            (_, Cell::Null) => return Ok(IsNull::Yes),
            (ColumnKind::Bool, Cell::Bool(flag)) => buffer.push(u8::from(*flag)),
            (ColumnKind::Int, Cell::Int(number)) => buffer.extend_from_slice(&number.to_be_bytes()),
            (ColumnKind::Int, Cell::Bool(flag)) => buffer.extend_from_slice(&i64::from(*flag).to_be_bytes()),
            (ColumnKind::Date, Cell::Int(days)) => {
                let days = i32::try_from(days.saturating_sub(DAY_ZERO))?;
                buffer.extend_from_slice(&days.to_be_bytes());
            }
            (ColumnKind::DateTime, Cell::Int(at)) => {
                buffer.extend_from_slice(&at.saturating_sub(MICROSECOND_ZERO).to_be_bytes());
            }
            (ColumnKind::Text, Cell::Text(text)) => buffer.extend_from_slice(text.as_bytes()),
            (ColumnKind::Json, Cell::Text(text)) => {
                // The version of jsonb's wire form.
                buffer.push(1);
                buffer.extend_from_slice(text.as_bytes());
            }
            (kind, cell) => return Err(format!("{cell:?} is no {kind:?}").into()),
        }
        Ok(IsNull::No)
    }
}

/// Appends a row's cells.
pub(in crate::store) fn read_row(row: &PgRow, kinds: &[ColumnKind], cells: &mut Vec<Cell>) -> Result<(), StoreError> {
    for (position, kind) in kinds.iter().enumerate() {
        let value = row.try_get_raw(position).map_err(super::fault::translate)?;
        cells.push(cell(*kind, &value).ok_or(StoreError::BadCell { column: position })?);
    }
    Ok(())
}

/// `None` when the value is not of the kind.
fn cell(kind: ColumnKind, value: &PgValueRef<'_>) -> Option<Cell> {
    if value.is_null() {
        return Some(Cell::Null);
    }
    let bytes = value.as_bytes().ok()?;
    if value.format() == PgValueFormat::Text {
        let text = std::str::from_utf8(bytes).ok()?;
        return match kind {
            ColumnKind::Int => text.parse().ok().map(Cell::Int),
            ColumnKind::Bool => Some(Cell::Bool(text == "t")),
            ColumnKind::Text | ColumnKind::Json => Some(Cell::from(text)),
            ColumnKind::Date | ColumnKind::DateTime => None,
        };
    }
    let type_info = value.type_info();
    match kind {
        ColumnKind::Bool => Some(Cell::Bool(*bytes.first()? != 0)),
        ColumnKind::Int if type_info.name() == "NUMERIC" => numeric(bytes),
        ColumnKind::Int => match bytes.len() {
            8 => Some(Cell::Int(i64::from_be_bytes(bytes.try_into().ok()?))),
            4 => Some(Cell::Int(i64::from(i32::from_be_bytes(bytes.try_into().ok()?)))),
            2 => Some(Cell::Int(i64::from(i16::from_be_bytes(bytes.try_into().ok()?)))),
            _ => None,
        },
        ColumnKind::Date => Some(Cell::Int(i64::from(i32::from_be_bytes(bytes.try_into().ok()?)) + DAY_ZERO)),
        ColumnKind::DateTime => Some(Cell::Int(i64::from_be_bytes(bytes.try_into().ok()?).saturating_add(MICROSECOND_ZERO))),
        ColumnKind::Text => Some(Cell::Text(String::from_utf8(bytes.to_vec()).ok()?)),
        ColumnKind::Json => {
            let text = if type_info.name() == "JSONB" { bytes.get(1..)? } else { bytes };
            Some(Cell::Text(String::from_utf8(text.to_vec()).ok()?))
        }
    }
}

/// A whole number in the NUMERIC wire form (`sum` of bigint): base 10,000 digits, most significant first. Null when it
/// does not fit 64 bits, as everywhere in expressions.
fn numeric(bytes: &[u8]) -> Option<Cell> {
    let word = |position: usize| Some(i16::from_be_bytes(bytes.get(position * 2..position * 2 + 2)?.try_into().ok()?));
    let (count, weight, sign) = (usize::try_from(word(0)?).ok()?, i32::from(word(1)?), word(2)?);
    if sign != 0 && sign != 0x4000 {
        return Some(Cell::Null);
    }
    let mut number: i128 = 0;
    for position in 0..=usize::try_from(weight.max(-1) + 1).ok()?.saturating_sub(1) {
        if weight < 0 {
            break;
        }
        let digit = if position < count { i128::from(word(4 + position)?) } else { 0 };
        number = number.checked_mul(10_000)?.checked_add(digit)?;
    }
    let number = if sign == 0 { number } else { -number };
    Some(i64::try_from(number).map_or(Cell::Null, Cell::Int))
}
