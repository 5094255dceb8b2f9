//! Dates in scripts.

use jiff::civil;
use rhai::Engine;

use super::super::call::{self, Failure, failure};
use super::register_order;
use crate::base::{Date, DateTime, Time};

const OUTSIDE: &str = "the date lies outside the years 1 to 9999";

fn add_days(date: Date, days: i64) -> Result<Date, Failure> {
    date.plus_days(days).ok_or_else(|| failure(OUTSIDE))
}

/// The same day `months` later; the last day of a shorter month.
fn add_months(date: Date, months: i64) -> Result<Date, Failure> {
    let months = i32::try_from(months).ok().filter(|months| months.abs() < 120_000).ok_or_else(|| failure(OUTSIDE))?;
    let moved = date.civil().checked_add(jiff::Span::new().months(months)).map_err(|_| failure(OUTSIDE))?;
    if moved.year() < 1 {
        return Err(failure(OUTSIDE));
    }
    Ok(Date::from_civil(moved))
}

fn with_year(date: Date, year: i64) -> Result<Date, Failure> {
    add_months(date, (year.saturating_sub(i64::from(date.civil().year()))).saturating_mul(12))
}

fn make(year: i64, month: i64, day: i64) -> Result<Date, Failure> {
    let date =
        || civil::Date::new(i16::try_from(year).ok().filter(|year| *year >= 1)?, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok();
    date().map(Date::from_civil).ok_or_else(|| failure(format!("there is no day {year}-{month}-{day}")))
}

/// `yyyy`, `MM`, `dd` by the date's parts, all else as it stands.
pub(super) fn format(date: Date, pattern: &str) -> String {
    let date = date.civil();
    pattern
        .replace("yyyy", &format!("{:04}", date.year()))
        .replace("MM", &format!("{:02}", date.month()))
        .replace("dd", &format!("{:02}", date.day()))
}

/// The instant at which a day's clock shows `time` in the workspace's zone.
fn at(date: Date, time: Time) -> Result<DateTime, Failure> {
    let zone = call::with(|call| Ok(call.context.time_zone.clone()))?;
    let clock = civil::Time::midnight() + jiff::SignedDuration::from_secs(i64::from(time.0));
    let instant = zone.to_timestamp(date.civil().to_datetime(clock)).map_err(|_| failure(OUTSIDE))?;
    Ok(DateTime(instant.as_microsecond()))
}

pub(super) fn register(engine: &mut Engine) {
    engine.register_type_with_name::<Date>("date");
    register_order::<Date>(engine);
    engine
        .register_fn("date", |text: &str| Date::parse(text).ok_or_else(|| failure(format!("`{text}` is no date: write it as 2026-11-21"))))
        .register_fn("date", make)
        .register_fn("today", || call::with(|call| Ok(call.context.now.date_in(&call.context.time_zone))))
        .register_get("year", |date: &mut Date| i64::from(date.civil().year()))
        .register_get("month", |date: &mut Date| i64::from(date.civil().month()))
        .register_get("day", |date: &mut Date| i64::from(date.civil().day()))
        .register_get("quarter", |date: &mut Date| i64::from((date.civil().month() - 1) / 3 + 1))
        .register_get("weekday", |date: &mut Date| i64::from(date.civil().weekday().to_monday_one_offset()))
        .register_fn("to_string", |date: Date| date.to_string())
        .register_fn("to_debug", |date: Date| date.to_string())
        .register_fn("format", |date: Date, pattern: &str| format(date, pattern))
        .register_fn("+", add_days)
        .register_fn("-", |date: Date, days: i64| add_days(date, days.checked_neg().unwrap_or(i64::MAX)))
        .register_fn("-", |a: Date, b: Date| i64::from(a.0) - i64::from(b.0))
        .register_fn("days_between", |a: Date, b: Date| i64::from(b.0) - i64::from(a.0))
        .register_fn("add_days", add_days)
        .register_fn("add_months", add_months)
        .register_fn("add_years", |date: Date, years: i64| add_months(date, years.saturating_mul(12)))
        .register_fn("with_year", with_year)
        .register_fn("start_of_week", |date: Date| add_days(date, -i64::from(date.civil().weekday().to_monday_zero_offset())))
        .register_fn("start_of_month", |date: Date| Date::from_civil(date.civil().first_of_month()))
        .register_fn("end_of_month", |date: Date| Date::from_civil(date.civil().last_of_month()))
        .register_fn("at", at)
        .register_fn("at", |date: Date, text: &str| {
            let time = Time::parse(text).ok_or_else(|| failure(format!("`{text}` is no time: write it as 08:30")))?;
            at(date, time)
        });
}
