//! The `rl_*` functions on SQLite: the very code the in-memory evaluator runs. PostgreSQL has twins of the same names in
//! `migrations/postgres/0002_functions.sql`; the agreement test compares all three.
//!
//! `rl_begins_word` alone has none: search says it there by a pattern (`compile/found.rs`).
//!
//! Any null argument gives null. Dates are texts, date-times are microseconds, decimals are units.

use rusqlite::functions::{Aggregate, Context, FunctionFlags};
use rusqlite::types::{ToSqlOutput, Value as Stored, ValueRef};
use rusqlite::{Connection, Result};

use crate::base::{Date, DateTime, Decimal};
use crate::expr::time::{self, Unit};
use crate::expr::zone::DAY;
use crate::expr::{Zone, number, text};

#[cfg(test)]
mod tests;

/// Registers all functions on a connection.
///
/// # Errors
/// Those of SQLite.
pub(in crate::store) fn register(connection: &Connection) -> Result<()> {
    numbers(connection)?;
    texts(connection)?;
    dates(connection)?;
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_INNOCUOUS;
    connection.create_aggregate_function("rl_sum", 1, flags, Total)?;
    connection.create_aggregate_function("rl_mean", 2, flags, Mean)
}

/// What a function gives.
enum Given {
    Int(i64),
    Text(String),
    Bool(bool),
}

impl From<Given> for ToSqlOutput<'static> {
    fn from(given: Given) -> Self {
        ToSqlOutput::Owned(match given {
            Given::Int(number) => Stored::Integer(number),
            Given::Text(text) => Stored::Text(text),
            Given::Bool(flag) => Stored::Integer(i64::from(flag)),
        })
    }
}

/// The arguments of one call; reading one of another kind gives `None`, and so the function gives null.
struct Args<'a, 'c>(&'a Context<'c>);

impl Args<'_, '_> {
    fn int(&self, at: usize) -> Option<i64> {
        match self.0.get_raw(at) {
            ValueRef::Integer(number) => Some(number),
            _ => None,
        }
    }

    fn digits(&self, at: usize) -> Option<u8> {
        u8::try_from(self.int(at)?).ok()
    }

    fn text(&self, at: usize) -> Option<&str> {
        match self.0.get_raw(at) {
            ValueRef::Text(bytes) => std::str::from_utf8(bytes).ok(),
            _ => None,
        }
    }

    fn date(&self, at: usize) -> Option<Date> {
        Date::parse(self.text(at)?)
    }

    fn moment(&self, at: usize) -> Option<DateTime> {
        self.int(at).map(DateTime)
    }

    fn zone(&self, at: usize) -> Option<Zone> {
        Zone::named(self.text(at)?)
    }
}

fn define(connection: &Connection, name: &str, count: i32, body: fn(&Args<'_, '_>) -> Option<Given>) -> Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_INNOCUOUS;
    connection.create_scalar_function(name, count, flags, move |context| {
        Ok(body(&Args(context)).map_or(ToSqlOutput::Owned(Stored::Null), ToSqlOutput::from))
    })
}

fn numbers(connection: &Connection) -> Result<()> {
    let int = |name, count, body| define(connection, name, count, body);
    int("rl_add", 2, |args| args.int(0)?.checked_add(args.int(1)?).map(Given::Int))?;
    int("rl_sub", 2, |args| args.int(0)?.checked_sub(args.int(1)?).map(Given::Int))?;
    int("rl_mul", 3, |args| number::multiply(args.int(0)?, args.int(1)?, args.digits(2)?).map(Given::Int))?;
    int("rl_div", 3, |args| number::divide(args.int(0)?, args.int(1)?, args.digits(2)?).map(Given::Int))?;
    int("rl_mod", 2, |args| number::remainder(args.int(0)?, args.int(1)?).map(Given::Int))?;
    int("rl_neg", 1, |args| args.int(0)?.checked_neg().map(Given::Int))?;
    int("rl_abs", 1, |args| args.int(0)?.checked_abs().map(Given::Int))?;
    int("rl_up", 2, |args| number::scale_up(args.int(0)?, args.digits(1)?).map(Given::Int))?;
    int("rl_down", 2, |args| number::scale_down(args.int(0)?, args.digits(1)?).map(Given::Int))?;
    int("rl_floor", 2, |args| number::floor(args.int(0)?, args.digits(1)?).map(Given::Int))?;
    int("rl_ceil", 2, |args| number::ceil(args.int(0)?, args.digits(1)?).map(Given::Int))?;
    int("rl_round", 3, |args| number::round(args.int(0)?, args.digits(1)?, args.digits(2)?).map(Given::Int))?;
    int("rl_least", 2, |args| Some(Given::Int(args.int(0)?.min(args.int(1)?))))?;
    int("rl_greatest", 2, |args| Some(Given::Int(args.int(0)?.max(args.int(1)?))))?;
    int("rl_cmp", 4, |args| {
        let order = number::compare(args.int(0)?, args.digits(1)?, args.int(2)?, args.digits(3)?);
        Some(Given::Int(order as i64))
    })
}

fn texts(connection: &Connection) -> Result<()> {
    let of = |name, count, body| define(connection, name, count, body);
    of("rl_upper", 1, |args| Some(Given::Text(text::upper(args.text(0)?))))?;
    of("rl_lower", 1, |args| Some(Given::Text(text::lower(args.text(0)?))))?;
    of("rl_trim", 1, |args| Some(Given::Text(text::trim(args.text(0)?).to_owned())))?;
    of("rl_length", 1, |args| Some(Given::Int(text::length(args.text(0)?))))?;
    of("rl_substring", 3, |args| Some(Given::Text(text::substring(args.text(0)?, args.int(1)?, args.int(2)?))))?;
    of("rl_left", 2, |args| Some(Given::Text(text::left(args.text(0)?, args.int(1)?))))?;
    of("rl_right", 2, |args| Some(Given::Text(text::right(args.text(0)?, args.int(1)?))))?;
    of("rl_replace", 3, |args| text::replace(args.text(0)?, args.text(1)?, args.text(2)?).map(Given::Text))?;
    of("rl_pad_left", 3, |args| text::pad_left(args.text(0)?, args.int(1)?, args.text(2)?).map(Given::Text))?;
    of("rl_pad_right", 3, |args| text::pad_right(args.text(0)?, args.int(1)?, args.text(2)?).map(Given::Text))?;
    of("rl_concat", 2, |args| text::bounded(format!("{}{}", args.text(0)?, args.text(1)?)).map(Given::Text))?;
    of("rl_int_text", 1, |args| Some(Given::Text(args.int(0)?.to_string())))?;
    of("rl_decimal_text", 2, |args| Some(Given::Text(Decimal { units: args.int(0)?, scale: args.digits(1)?.min(9) }.to_string())))?;
    of("rl_like", 2, |args| Some(Given::Bool(text::like(args.text(0)?, args.text(1)?))))?;
    of("rl_ends_with", 2, |args| Some(Given::Bool(args.text(0)?.ends_with(args.text(1)?))))?;
    of("rl_begins_word", 2, |args| Some(Given::Bool(crate::base::text::begins_word(args.text(0)?, args.text(1)?))))?;
    of("rl_starts_with", 2, |args| Some(Given::Bool(args.text(0)?.starts_with(args.text(1)?))))?;
    of("rl_same", 2, |args| {
        let (left, right) = (args.text(0)?, args.text(1)?);
        (left == right).then(|| Given::Text(left.to_owned()))
    })
}

fn dates(connection: &Connection) -> Result<()> {
    let of = |name, count, body| define(connection, name, count, body);
    of("rl_date_text", 1, |args| Some(Given::Text(args.date(0)?.to_string())))?;
    of("rl_date_add", 2, |args| as_date(args.date(0)?.plus_days(args.int(1)?)))?;
    of("rl_date_sub", 2, |args| as_date(args.date(0)?.plus_days(args.int(1)?.checked_neg()?)))?;
    of("rl_date_diff", 2, |args| Some(Given::Int(i64::from(args.date(0)?.0) - i64::from(args.date(1)?.0))))?;
    of("rl_add_months", 2, |args| as_date(time::add_months(args.date(0)?, args.int(1)?)))?;
    of("rl_start_of", 2, |args| as_date(time::start_of(args.date(0)?, Unit::from_name(args.text(1)?)?)))?;
    of("rl_end_of", 2, |args| as_date(time::end_of(args.date(0)?, Unit::from_name(args.text(1)?)?)))?;
    of("rl_date_part", 2, |args| time::part(args.date(0)?, args.text(1)?).map(Given::Int))?;
    of("rl_moment_add", 2, |args| as_moment(time::plus_seconds(args.moment(0)?, args.int(1)?)))?;
    of("rl_moment_sub", 2, |args| as_moment(time::plus_seconds(args.moment(0)?, args.int(1)?.checked_neg()?)))?;
    of("rl_seconds_between", 2, |args| Some(Given::Int(time::seconds_between(args.moment(0)?, args.moment(1)?))))?;
    of("rl_hours_between", 2, |args| Some(Given::Int((args.int(1)? - args.int(0)?).div_euclid(3_600_000_000))))?;
    of("rl_local_date", 2, |args| as_date(Some(args.zone(1)?.date(args.moment(0)?))))?;
    of("rl_local_seconds", 2, |args| Some(Given::Int(args.zone(1)?.local(args.moment(0)?).rem_euclid(DAY) / 1_000_000)))
}

fn as_date(date: Option<Date>) -> Option<Given> {
    Some(Given::Text(date?.to_string()))
}

fn as_moment(moment: Option<DateTime>) -> Option<Given> {
    Some(Given::Int(moment?.0))
}

/// The sum of integers; 0 over none, null where it does not fit 64 bits (whatever the order of the rows).
struct Total;

impl Aggregate<i128, Option<i64>> for Total {
    fn init(&self, _context: &mut Context<'_>) -> Result<i128> {
        Ok(0)
    }

    fn step(&self, context: &mut Context<'_>, sum: &mut i128) -> Result<()> {
        if let ValueRef::Integer(number) = context.get_raw(0) {
            *sum += i128::from(number);
        }
        Ok(())
    }

    fn finalize(&self, _context: &mut Context<'_>, sum: Option<i128>) -> Result<Option<i64>> {
        Ok(i64::try_from(sum.unwrap_or(0)).ok())
    }
}

/// The mean with more decimal places than the values (second argument), half-even; null over none.
struct Mean;

impl Aggregate<(i128, i64, u8), Option<i64>> for Mean {
    fn init(&self, _context: &mut Context<'_>) -> Result<(i128, i64, u8)> {
        Ok((0, 0, 0))
    }

    fn step(&self, context: &mut Context<'_>, (sum, count, up): &mut (i128, i64, u8)) -> Result<()> {
        if let (ValueRef::Integer(number), ValueRef::Integer(digits)) = (context.get_raw(0), context.get_raw(1)) {
            *sum += i128::from(number);
            *count += 1;
            *up = u8::try_from(digits).unwrap_or(0).min(9);
        }
        Ok(())
    }

    fn finalize(&self, _context: &mut Context<'_>, state: Option<(i128, i64, u8)>) -> Result<Option<i64>> {
        Ok(state.and_then(|(sum, count, up)| number::mean(sum, count, up)))
    }
}
