//! Functions of values. A null argument gives null.

use crate::base::{Date, Value};

use super::super::number as exact;
use super::super::time::{self, Unit};
use super::super::tree::{Function, Type, Typed};
use super::super::{text, zone};
use super::{Evaluator, Row, number, order, units};

impl Evaluator<'_> {
    pub(super) fn call(&self, function: Function, typed: &Typed, args: &[Typed], rows: &[&dyn Row]) -> Value {
        let values: Vec<Value> = args.iter().map(|arg| self.value(arg, rows)).collect();
        if values.iter().any(Value::is_null) {
            return Value::Null;
        }
        let found = match function {
            Function::Upper
            | Function::Lower
            | Function::Trim
            | Function::Length
            | Function::Substring
            | Function::Left
            | Function::Right
            | Function::Replace
            | Function::PadLeft
            | Function::PadRight => of_text(function, &values),
            Function::Concat => text::bounded(values.iter().map(printed).collect()).map(Value::Text),
            Function::Text => Some(Value::Text(printed(&values[0]))),
            Function::Abs | Function::Round | Function::Floor | Function::Ceil => Some(of_number(function, typed, &args[0], &values)),
            Function::Least | Function::Greatest => extreme(function, values),
            Function::Days => seconds(&values[0], 86_400),
            Function::Hours => seconds(&values[0], 3600),
            Function::Minutes => seconds(&values[0], 60),
            Function::Seconds | Function::InSeconds => seconds(&values[0], 1),
            Function::Amount => Some(super::part(values.into_iter().next().unwrap_or_default(), Some("amount"))),
            Function::Date => match values[0] {
                Value::DateTime(at) => Some(Value::Date(self.context.zone.date(at))),
                _ => None,
            },
            Function::Hour => self.clock(&values[0]).map(|seconds| Value::Int(seconds / 3600)),
            Function::Minute => self.clock(&values[0]).map(|seconds| Value::Int(seconds / 60 % 60)),
            Function::HoursBetween => match values[..] {
                [Value::DateTime(earlier), Value::DateTime(later)] => Some(Value::Int((later.0 - earlier.0).div_euclid(3_600_000_000))),
                _ => None,
            },
            _ => of_date(function, &values),
        };
        found.unwrap_or_default()
    }

    /// Seconds since midnight on the clocks of the zone.
    fn clock(&self, value: &Value) -> Option<i64> {
        match value {
            Value::DateTime(at) => Some(self.context.zone.local(*at).rem_euclid(zone::DAY) / 1_000_000),
            Value::Time(time) => Some(i64::from(time.0)),
            _ => None,
        }
    }
}

fn of_text(function: Function, values: &[Value]) -> Option<Value> {
    let all: Vec<&str> = values.iter().filter_map(Value::as_text).collect();
    let ints: Vec<i64> = values.iter().filter_map(Value::as_int).collect();
    let subject = *all.first()?;
    let result = match function {
        Function::Upper => text::upper(subject),
        Function::Lower => text::lower(subject),
        Function::Trim => text::trim(subject).to_owned(),
        Function::Length => return Some(Value::Int(text::length(subject))),
        Function::Substring => text::substring(subject, *ints.first()?, *ints.get(1)?),
        Function::Left => text::left(subject, *ints.first()?),
        Function::Right => text::right(subject, *ints.first()?),
        Function::Replace => text::replace(subject, all.get(1)?, all.get(2)?)?,
        Function::PadLeft => text::pad_left(subject, *ints.first()?, all.get(1)?)?,
        Function::PadRight => text::pad_right(subject, *ints.first()?, all.get(1)?)?,
        _ => return None,
    };
    Some(Value::Text(result))
}

/// The plain form of a value: digits, ISO date.
fn printed(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        Value::Int(number) => number.to_string(),
        Value::Decimal(number) => number.to_string(),
        Value::Date(date) => date.to_string(),
        _ => String::new(),
    }
}

fn of_number(function: Function, typed: &Typed, arg: &Typed, values: &[Value]) -> Value {
    let scale = arg.ty.number_scale().unwrap_or(0);
    let Some(given) = units(&values[0], &arg.ty) else { return Value::Null };
    let result = match (function, &typed.ty) {
        (Function::Abs, _) => given.checked_abs(),
        (Function::Floor, _) => exact::floor(given, scale),
        (Function::Ceil, _) => exact::ceil(given, scale),
        (_, Type::Int) => exact::scale_down(given, scale),
        _ => {
            let digits = values.get(1).and_then(Value::as_int).and_then(|digits| u8::try_from(digits).ok()).unwrap_or(0);
            exact::round(given, scale, digits)
        }
    };
    number(result, &typed.ty)
}

fn extreme(function: Function, values: Vec<Value>) -> Option<Value> {
    let compare = |a: &Value, b: &Value| order(a, b).unwrap_or(std::cmp::Ordering::Equal);
    if function == Function::Least { values.into_iter().min_by(compare) } else { values.into_iter().max_by(compare) }
}

fn seconds(value: &Value, each: i64) -> Option<Value> {
    value.as_int()?.checked_mul(each).map(Value::Int)
}

fn of_date(function: Function, values: &[Value]) -> Option<Value> {
    let Value::Date(date) = values[0] else { return None };
    let part = |name| time::part(date, name).map(Value::Int);
    let count = || values.get(1).and_then(Value::as_int);
    let moved: Option<Date> = match function {
        Function::Year => return part("year"),
        Function::Quarter => return part("quarter"),
        Function::Month => return part("month"),
        Function::Day => return part("day"),
        Function::Weekday => return part("weekday"),
        Function::DaysBetween => {
            let Value::Date(later) = values[1] else { return None };
            return Some(Value::Int(i64::from(later.0) - i64::from(date.0)));
        }
        Function::AddMonths => time::add_months(date, count()?),
        Function::AddYears => time::add_months(date, count()?.checked_mul(12)?),
        Function::StartOfWeek => time::start_of(date, Unit::Week),
        Function::StartOfMonth => time::start_of(date, Unit::Month),
        Function::StartOfQuarter => time::start_of(date, Unit::Quarter),
        Function::StartOfYear => time::start_of(date, Unit::Year),
        Function::EndOfWeek => time::end_of(date, Unit::Week),
        Function::EndOfMonth => time::end_of(date, Unit::Month),
        Function::EndOfQuarter => time::end_of(date, Unit::Quarter),
        Function::EndOfYear => time::end_of(date, Unit::Year),
        _ => None,
    };
    moved.map(Value::Date)
}
