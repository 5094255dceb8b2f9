//! `datetime`: an instant, kept in UTC.

use jiff::civil;
use jiff::tz::TimeZone;
use serde_json::Value as Json;

use super::common::{format_fault, text_of, wrong_value};
use super::{FieldFault, date};
use crate::base::{DateTime, Time, Value};

const EXPECTED: &str = "a date and time with offset, `2026-11-21T08:00:00Z`";

pub fn from_json(json: &Json) -> Result<Value, FieldFault> {
    let text = text_of(json, EXPECTED)?;
    DateTime::parse(text.trim()).map(Value::DateTime).ok_or_else(|| format_fault(EXPECTED, text))
}

/// With an offset as it stands, without one as a wall-clock time in `zone` (a gap moves forward, a fold takes the earlier).
pub fn from_text(text: &str, zone: &TimeZone) -> Result<Value, FieldFault> {
    let text = text.trim();
    if let Some(at) = DateTime::parse(text) {
        return Ok(Value::DateTime(at));
    }
    local(text, zone).map(Value::DateTime).ok_or_else(|| format_fault("a date and time", text))
}

fn local(text: &str, zone: &TimeZone) -> Option<DateTime> {
    let (day, clock) = text.split_once(['T', 't', ' ']).unwrap_or((text, "00:00"));
    let day = date::parse(day)?.civil();
    let clock = Time::parse(clock.trim().split('.').next()?)?;
    let part = |number: u32| i8::try_from(number).ok();
    let wall =
        civil::DateTime::from_parts(day, civil::Time::new(part(clock.0 / 3600)?, part(clock.0 / 60 % 60)?, part(clock.0 % 60)?, 0).ok()?);
    let stamp = zone.to_ambiguous_timestamp(wall).compatible().ok()?;
    let at = DateTime(stamp.as_microsecond());
    (DateTime::MIN..=DateTime::MAX).contains(&at).then_some(at)
}

pub fn check(value: &Value) -> Result<(), FieldFault> {
    match value {
        Value::DateTime(_) => Ok(()),
        _ => Err(wrong_value("a date and time")),
    }
}

/// `2026-11-21 16:00` in the zone; seconds only where there are any.
pub fn to_text(value: &Value, zone: &TimeZone) -> String {
    let Value::DateTime(at) = value else { return String::new() };
    let wall = zone.to_datetime(at.timestamp());
    let day = crate::base::Date::from_civil(wall.date());
    let seconds = if wall.second() == 0 { String::new() } else { format!(":{:02}", wall.second()) };
    format!("{day} {:02}:{:02}{seconds}", wall.hour(), wall.minute())
}
