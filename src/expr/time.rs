//! Calendar functions on dates: weeks begin on Monday, quarters in January, April, July and October.

use jiff::civil;

use crate::base::{Date, DateTime};

/// A span of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    Week,
    Month,
    Quarter,
    Year,
}

impl Unit {
    /// The name the SQL functions know.
    pub fn name(self) -> &'static str {
        match self {
            Unit::Week => "week",
            Unit::Month => "month",
            Unit::Quarter => "quarter",
            Unit::Year => "year",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "week" => Unit::Week,
            "month" => Unit::Month,
            "quarter" => Unit::Quarter,
            "year" => Unit::Year,
            _ => return None,
        })
    }
}

/// The first day of the span the date lies in; `None` before year 1.
pub fn start_of(date: Date, unit: Unit) -> Option<Date> {
    let civil = date.civil();
    let month = match unit {
        Unit::Week => return date.plus_days(1 - i64::from(weekday(date))),
        Unit::Month => civil.month(),
        Unit::Quarter => (civil.month() - 1) / 3 * 3 + 1,
        Unit::Year => 1,
    };
    Some(Date::from_civil(civil::date(civil.year(), month, 1)))
}

/// The last day of the span the date lies in; `None` after year 9999.
pub fn end_of(date: Date, unit: Unit) -> Option<Date> {
    let civil = date.civil();
    let month = match unit {
        Unit::Week => return date.plus_days(7 - i64::from(weekday(date))),
        Unit::Month => civil.month(),
        Unit::Quarter => (civil.month() - 1) / 3 * 3 + 3,
        Unit::Year => 12,
    };
    Some(Date::from_civil(civil::date(civil.year(), month, 1).last_of_month()))
}

/// The same day `months` later, or the last day of that month when it is shorter; `None` outside years 1 to 9999.
pub fn add_months(date: Date, months: i64) -> Option<Date> {
    let civil = date.civil();
    let count = (i64::from(civil.year()) * 12 + i64::from(civil.month()) - 1).checked_add(months)?;
    let year = i16::try_from(count.div_euclid(12)).ok().filter(|year| (1..=9999).contains(year))?;
    let month = i8::try_from(count.rem_euclid(12) + 1).ok()?;
    let last = civil::date(year, month, 1).last_of_month().day();
    Some(Date::from_civil(civil::date(year, month, civil.day().min(last))))
}

/// 1 is Monday, 7 is Sunday.
pub fn weekday(date: Date) -> i32 {
    // 1970-01-01 was a Thursday.
    (date.0 + 3).rem_euclid(7) + 1
}

/// Year, quarter, month or day of the month.
pub fn part(date: Date, name: &str) -> Option<i64> {
    let civil = date.civil();
    Some(match name {
        "year" => i64::from(civil.year()),
        "quarter" => i64::from((civil.month() - 1) / 3 + 1),
        "month" => i64::from(civil.month()),
        "day" => i64::from(civil.day()),
        "weekday" => i64::from(weekday(date)),
        _ => return None,
    })
}

/// The moment `seconds` later; `None` outside years 1 to 9999.
pub fn plus_seconds(at: DateTime, seconds: i64) -> Option<DateTime> {
    let moved = DateTime(at.0.checked_add(seconds.checked_mul(1_000_000)?)?);
    (DateTime::MIN..=DateTime::MAX).contains(&moved).then_some(moved)
}

/// Whole seconds from `earlier` to `later`, rounded down.
pub fn seconds_between(earlier: DateTime, later: DateTime) -> i64 {
    (later.0 - earlier.0).div_euclid(1_000_000)
}
