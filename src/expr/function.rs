//! The table of functions: names, arguments, results.

use super::tree::{Function, Type};

/// What an argument must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arg {
    Text,
    /// Integer or decimal.
    Number,
    Int,
    /// A whole number written in the expression, 0 to 9.
    Digits,
    /// A date; a date-time gives its date in the zone.
    Date,
    DateTime,
    Time,
    /// A date-time or a time of day.
    Clock,
    Duration,
    /// Text, integer, decimal or date.
    Printable,
}

impl Arg {
    /// The words of messages.
    pub fn name(self) -> &'static str {
        match self {
            Arg::Text => "a text",
            Arg::Number => "a number",
            Arg::Int => "an integer",
            Arg::Digits => "a number from 0 to 9",
            Arg::Date => "a date",
            Arg::DateTime => "a date-time",
            Arg::Time => "a time",
            Arg::Clock => "a date-time or a time",
            Arg::Duration => "a duration",
            Arg::Printable => "a text, number or date",
        }
    }
}

/// How a function is called.
#[derive(Debug, Clone, Copy)]
pub struct Signature {
    pub name: &'static str,
    pub function: Function,
    pub args: &'static [Arg],
    /// Fewer arguments than this are refused; later ones may be left out.
    pub required: usize,
    /// The last argument may be repeated.
    pub is_variadic: bool,
}

const fn fixed(name: &'static str, function: Function, args: &'static [Arg]) -> Signature {
    Signature { name, function, args, required: args.len(), is_variadic: false }
}

const fn optional(name: &'static str, function: Function, args: &'static [Arg], required: usize) -> Signature {
    Signature { name, function, args, required, is_variadic: false }
}

const fn variadic(name: &'static str, function: Function, args: &'static [Arg]) -> Signature {
    Signature { name, function, args, required: args.len(), is_variadic: true }
}

/// Every function of values. `if`, `coalesce`, `changed`, `me`, `now`, `today`, quantifiers and aggregates are not here:
/// they have rules of their own. `date`, `datetime` and `time` only read a text that is written in the expression, or give
/// the date of a date-time.
pub const SIGNATURES: [Signature; 49] = [
    fixed("upper", Function::Upper, &[Arg::Text]),
    fixed("lower", Function::Lower, &[Arg::Text]),
    fixed("trim", Function::Trim, &[Arg::Text]),
    fixed("length", Function::Length, &[Arg::Text]),
    fixed("substring", Function::Substring, &[Arg::Text, Arg::Int, Arg::Int]),
    fixed("left", Function::Left, &[Arg::Text, Arg::Int]),
    fixed("right", Function::Right, &[Arg::Text, Arg::Int]),
    fixed("replace", Function::Replace, &[Arg::Text, Arg::Text, Arg::Text]),
    fixed("pad_left", Function::PadLeft, &[Arg::Text, Arg::Int, Arg::Text]),
    fixed("pad_right", Function::PadRight, &[Arg::Text, Arg::Int, Arg::Text]),
    variadic("concat", Function::Concat, &[Arg::Printable, Arg::Printable]),
    fixed("text", Function::Text, &[Arg::Printable]),
    fixed("abs", Function::Abs, &[Arg::Number]),
    optional("round", Function::Round, &[Arg::Number, Arg::Digits], 1),
    fixed("floor", Function::Floor, &[Arg::Number]),
    fixed("ceil", Function::Ceil, &[Arg::Number]),
    variadic("min", Function::Least, &[Arg::Number, Arg::Number]),
    variadic("max", Function::Greatest, &[Arg::Number, Arg::Number]),
    variadic("least", Function::Least, &[Arg::Number, Arg::Number]),
    variadic("greatest", Function::Greatest, &[Arg::Number, Arg::Number]),
    fixed("date", Function::Date, &[Arg::Date]),
    fixed("datetime", Function::Date, &[Arg::DateTime]),
    fixed("time", Function::Date, &[Arg::Time]),
    fixed("year", Function::Year, &[Arg::Date]),
    fixed("quarter", Function::Quarter, &[Arg::Date]),
    fixed("month", Function::Month, &[Arg::Date]),
    fixed("day", Function::Day, &[Arg::Date]),
    fixed("weekday", Function::Weekday, &[Arg::Date]),
    fixed("hour", Function::Hour, &[Arg::Clock]),
    fixed("minute", Function::Minute, &[Arg::Clock]),
    fixed("days_between", Function::DaysBetween, &[Arg::Date, Arg::Date]),
    fixed("hours_between", Function::HoursBetween, &[Arg::DateTime, Arg::DateTime]),
    fixed("add_months", Function::AddMonths, &[Arg::Date, Arg::Int]),
    fixed("add_years", Function::AddYears, &[Arg::Date, Arg::Int]),
    optional("start_of_week", Function::StartOfWeek, &[Arg::Date], 0),
    optional("start_of_month", Function::StartOfMonth, &[Arg::Date], 0),
    optional("start_of_quarter", Function::StartOfQuarter, &[Arg::Date], 0),
    optional("start_of_year", Function::StartOfYear, &[Arg::Date], 0),
    optional("end_of_week", Function::EndOfWeek, &[Arg::Date], 0),
    optional("end_of_month", Function::EndOfMonth, &[Arg::Date], 0),
    optional("end_of_quarter", Function::EndOfQuarter, &[Arg::Date], 0),
    optional("end_of_year", Function::EndOfYear, &[Arg::Date], 0),
    fixed("days", Function::Days, &[Arg::Int]),
    fixed("hours", Function::Hours, &[Arg::Int]),
    fixed("minutes", Function::Minutes, &[Arg::Int]),
    fixed("seconds", Function::Seconds, &[Arg::Int]),
    fixed("in_seconds", Function::InSeconds, &[Arg::Duration]),
    fixed("substr", Function::Substring, &[Arg::Text, Arg::Int, Arg::Int]),
    fixed("ceiling", Function::Ceil, &[Arg::Number]),
];

/// Names with rules of their own, for "did you mean".
pub const SPECIAL: [&str; 15] = [
    "if",
    "coalesce",
    "changed",
    "me",
    "my_reports",
    "my_teams",
    "now",
    "today",
    "exists",
    "none",
    "all",
    "count",
    "sum",
    "avg",
    "contains",
];

/// The signature of a name.
pub fn find(name: &str) -> Option<&'static Signature> {
    SIGNATURES.iter().find(|signature| signature.name == name)
}

/// The result's type for checked arguments. `digits` is the literal second argument of `round`.
pub fn result(function: Function, args: &[Type], digits: u8) -> Type {
    match function {
        Function::Upper
        | Function::Lower
        | Function::Trim
        | Function::Substring
        | Function::Left
        | Function::Right
        | Function::Replace
        | Function::PadLeft
        | Function::PadRight
        | Function::Concat
        | Function::Text => Type::Text,
        Function::Abs | Function::Least | Function::Greatest => args[0].clone(),
        Function::Round => match &args[0] {
            Type::Decimal(scale) if digits > 0 => Type::Decimal(*scale),
            _ => Type::Int,
        },
        Function::Date
        | Function::AddMonths
        | Function::AddYears
        | Function::StartOfWeek
        | Function::StartOfMonth
        | Function::StartOfQuarter
        | Function::StartOfYear
        | Function::EndOfWeek
        | Function::EndOfMonth
        | Function::EndOfQuarter
        | Function::EndOfYear => Type::Date,
        Function::Days | Function::Hours | Function::Minutes | Function::Seconds => Type::Duration,
        Function::Amount => match &args[0] {
            Type::Money(scale) => Type::Decimal(*scale),
            other => other.clone(),
        },
        Function::Length
        | Function::Floor
        | Function::Ceil
        | Function::Year
        | Function::Quarter
        | Function::Month
        | Function::Day
        | Function::Weekday
        | Function::Hour
        | Function::Minute
        | Function::DaysBetween
        | Function::HoursBetween
        | Function::InSeconds => Type::Int,
    }
}
