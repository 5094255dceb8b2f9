//! Instants and times of day in scripts. Parts of an instant are those of the workspace's time zone.

use jiff::civil;
use rhai::Engine;

use super::super::call::{self, Failure, failure};
use super::{date, register_order};
use crate::base::{Date, DateTime, Time};

fn local(instant: DateTime) -> Result<civil::DateTime, Failure> {
    call::with(|call| Ok(call.context.time_zone.to_datetime(instant.timestamp())))
}

fn add(instant: DateTime, amount: i64, unit_seconds: i64) -> Result<DateTime, Failure> {
    let sum = amount
        .checked_mul(unit_seconds)
        .and_then(|seconds| seconds.checked_mul(1_000_000))
        .and_then(|micros| instant.0.checked_add(micros));
    sum.map(DateTime)
        .filter(|at| (DateTime::MIN..=DateTime::MAX).contains(at))
        .ok_or_else(|| failure("the instant lies outside the years 1 to 9999"))
}

fn format(instant: DateTime, pattern: &str) -> Result<String, Failure> {
    let local = local(instant)?;
    Ok(date::format(Date::from_civil(local.date()), pattern)
        .replace("HH", &format!("{:02}", local.hour()))
        .replace("mm", &format!("{:02}", local.minute()))
        .replace("ss", &format!("{:02}", local.second())))
}

pub(super) fn register(engine: &mut Engine) {
    engine.register_type_with_name::<DateTime>("datetime");
    engine.register_type_with_name::<Time>("time");
    register_order::<DateTime>(engine);
    register_order::<Time>(engine);
    engine
        .register_fn("datetime", |text: &str| {
            DateTime::parse(text).ok_or_else(|| failure(format!("`{text}` is no instant: write it as 2026-11-21T08:00:00Z")))
        })
        .register_fn("now", || call::with(|call| Ok(call.context.now)))
        .register_get("date", |at: &mut DateTime| local(*at).map(|local| Date::from_civil(local.date())))
        .register_get("year", |at: &mut DateTime| local(*at).map(|local| i64::from(local.year())))
        .register_get("month", |at: &mut DateTime| local(*at).map(|local| i64::from(local.month())))
        .register_get("day", |at: &mut DateTime| local(*at).map(|local| i64::from(local.day())))
        .register_get("weekday", |at: &mut DateTime| local(*at).map(|local| i64::from(local.weekday().to_monday_one_offset())))
        .register_get("hour", |at: &mut DateTime| local(*at).map(|local| i64::from(local.hour())))
        .register_get("minute", |at: &mut DateTime| local(*at).map(|local| i64::from(local.minute())))
        .register_get("second", |at: &mut DateTime| local(*at).map(|local| i64::from(local.second())))
        .register_fn("to_string", |at: DateTime| at.to_string())
        .register_fn("to_debug", |at: DateTime| at.to_string())
        .register_fn("format", |at: DateTime, pattern: &str| format(at, pattern))
        .register_fn("-", |a: DateTime, b: DateTime| (a.0 - b.0).div_euclid(1_000_000))
        .register_fn("days_between", |a: DateTime, b: DateTime| (b.0 - a.0).div_euclid(86_400_000_000))
        .register_fn("add_seconds", |at: DateTime, amount: i64| add(at, amount, 1))
        .register_fn("add_minutes", |at: DateTime, amount: i64| add(at, amount, 60))
        .register_fn("add_hours", |at: DateTime, amount: i64| add(at, amount, 3_600))
        .register_fn("add_days", |at: DateTime, amount: i64| add(at, amount, 86_400));
    engine
        .register_fn("time", |text: &str| Time::parse(text).ok_or_else(|| failure(format!("`{text}` is no time: write it as 08:30"))))
        .register_get("hour", |time: &mut Time| i64::from(time.0 / 3_600))
        .register_get("minute", |time: &mut Time| i64::from(time.0 / 60 % 60))
        .register_get("second", |time: &mut Time| i64::from(time.0 % 60))
        .register_fn("to_string", |time: Time| time.to_string())
        .register_fn("to_debug", |time: Time| time.to_string());
}
