//! Functions of values.

use crate::base::Value;
use crate::expr::{Function, Node, Type, Typed};
use crate::schema::catalog::ColumnKind;
use crate::store::Sql;

use super::money::Part;
use super::{Compiler, call, digits, scale_of};

impl Compiler<'_> {
    pub(super) fn function(&self, function: Function, typed: &Typed, args: &[Typed]) -> Sql {
        let all = || args.iter().map(|arg| self.value(arg));
        let plain = |name: &'static str| call(name, all());
        match function {
            Function::Upper => plain("rl_upper("),
            Function::Lower => plain("rl_lower("),
            Function::Trim => plain("rl_trim("),
            Function::Length => plain("rl_length("),
            Function::Substring => plain("rl_substring("),
            Function::Left => plain("rl_left("),
            Function::Right => plain("rl_right("),
            Function::Replace => plain("rl_replace("),
            Function::PadLeft => plain("rl_pad_left("),
            Function::PadRight => plain("rl_pad_right("),
            Function::Concat => folded("rl_concat(", args.iter().map(|arg| self.printed(arg))),
            Function::Text => self.printed(&args[0]),
            Function::Abs => plain("rl_abs("),
            Function::Least => folded("rl_least(", all()),
            Function::Greatest => folded("rl_greatest(", all()),
            Function::Floor => self.of_number("rl_floor(", &args[0]),
            Function::Ceil => self.of_number("rl_ceil(", &args[0]),
            Function::Round => self.round(typed, args),
            Function::Date => self.in_zone("rl_local_date(", &args[0]),
            Function::Year => self.date_part("'year'", args),
            Function::Quarter => self.date_part("'quarter'", args),
            Function::Month => self.date_part("'month'", args),
            Function::Day => self.date_part("'day'", args),
            Function::Weekday => self.date_part("'weekday'", args),
            Function::Hour => {
                let mut sql = super::wrapped(self.clock(&args[0]));
                sql.push(" / 3600");
                super::wrapped(sql)
            }
            Function::Minute => {
                let mut sql = super::wrapped(self.clock(&args[0]));
                sql.push(" / 60 % 60");
                super::wrapped(sql)
            }
            Function::DaysBetween => call("rl_date_diff(", args.iter().rev().map(|arg| self.value(arg))),
            Function::HoursBetween => plain("rl_hours_between("),
            Function::AddMonths => plain("rl_add_months("),
            Function::AddYears => {
                let months = call("rl_mul(", [self.value(&args[1]), Sql::new("12"), Sql::new("0")]);
                call("rl_add_months(", [self.value(&args[0]), months])
            }
            Function::StartOfWeek => self.span("rl_start_of(", "'week'", args),
            Function::StartOfMonth => self.span("rl_start_of(", "'month'", args),
            Function::StartOfQuarter => self.span("rl_start_of(", "'quarter'", args),
            Function::StartOfYear => self.span("rl_start_of(", "'year'", args),
            Function::EndOfWeek => self.span("rl_end_of(", "'week'", args),
            Function::EndOfMonth => self.span("rl_end_of(", "'month'", args),
            Function::EndOfQuarter => self.span("rl_end_of(", "'quarter'", args),
            Function::EndOfYear => self.span("rl_end_of(", "'year'", args),
            Function::Days => self.seconds(&args[0], "86400"),
            Function::Hours => self.seconds(&args[0], "3600"),
            Function::Minutes => self.seconds(&args[0], "60"),
            Function::Seconds | Function::InSeconds => self.value(&args[0]),
            Function::Amount => self.money(&args[0], Part::Amount),
        }
    }

    /// A value as text, as it is joined by `concat`.
    fn printed(&self, arg: &Typed) -> Sql {
        match arg.ty {
            Type::Int => call("rl_int_text(", [self.value(arg)]),
            Type::Decimal(scale) => call("rl_decimal_text(", [self.value(arg), digits(scale)]),
            Type::Date => call("rl_date_text(", [self.value(arg)]),
            _ => self.value(arg),
        }
    }

    fn of_number(&self, name: &'static str, arg: &Typed) -> Sql {
        match scale_of(&arg.ty) {
            0 => self.value(arg),
            scale => call(name, [self.value(arg), digits(scale)]),
        }
    }

    fn round(&self, typed: &Typed, args: &[Typed]) -> Sql {
        let scale = scale_of(&args[0].ty);
        let number = self.value(&args[0]);
        if typed.ty == Type::Int {
            return super::rescaled(number, scale, 0);
        }
        let places = match args.get(1).map(|places| &places.node) {
            Some(Node::Literal(Value::Int(places))) => u8::try_from(*places).unwrap_or(0),
            _ => 0,
        };
        call("rl_round(", [number, digits(scale), digits(places)])
    }

    fn date_part(&self, part: &'static str, args: &[Typed]) -> Sql {
        call("rl_date_part(", [self.value(&args[0]), Sql::new(part)])
    }

    fn span(&self, name: &'static str, unit: &'static str, args: &[Typed]) -> Sql {
        call(name, [self.value(&args[0]), Sql::new(unit)])
    }

    fn seconds(&self, arg: &Typed, each: &'static str) -> Sql {
        call("rl_mul(", [self.value(arg), Sql::new(each), Sql::new("0")])
    }

    /// Seconds since midnight.
    fn clock(&self, arg: &Typed) -> Sql {
        if arg.ty == Type::Time { self.value(arg) } else { self.in_zone("rl_local_seconds(", arg) }
    }

    /// Functions of the zone's clocks: SQLite knows zones by name, PostgreSQL is given their tables.
    fn in_zone(&self, name: &'static str, arg: &Typed) -> Sql {
        let zone = &self.with.context.zone;
        let mut sql = Sql::new(name);
        sql.append(self.value(arg)).push(", ");
        if self.is_sqlite() {
            sql.bind(ColumnKind::Text, zone.name()).push(")");
            return sql;
        }
        // A subquery of its own is computed once for the whole statement.
        sql.push("(SELECT CAST(").bind(ColumnKind::Text, array(zone.starts())).push(" AS bigint[])), (SELECT CAST(");
        sql.bind(ColumnKind::Text, array(zone.offsets())).push(" AS bigint[])))");
        sql
    }
}

/// PostgreSQL's text form of an array.
fn array(numbers: &[i64]) -> String {
    let items: Vec<String> = numbers.iter().map(i64::to_string).collect();
    format!("{{{}}}", items.join(","))
}

/// `f(f(a, b), c)`.
fn folded(name: &'static str, args: impl Iterator<Item = Sql>) -> Sql {
    args.reduce(|left, right| call(name, [left, right])).unwrap_or_else(|| Sql::new("NULL"))
}
