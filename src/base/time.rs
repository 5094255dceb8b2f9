//! Dates, times and instants as plain numbers; calendar and zone arithmetic is jiff's.

use std::fmt;

use jiff::civil;

/// Days since 1970-01-01 in the proleptic Gregorian calendar, years 1 to 9999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date(pub i32);

/// Microseconds since 1970-01-01T00:00Z, years 1 to 9999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DateTime(pub i64);

/// Seconds since midnight, 0 to 86,399.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(pub u32);

const EPOCH: civil::Date = civil::date(1970, 1, 1);

impl Date {
    pub const MIN: Date = Date(-719_162);
    pub const MAX: Date = Date(2_932_896);

    /// Reads `2026-11-21` and nothing else.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
            return None;
        }
        let number = |range: std::ops::Range<usize>| -> Option<i16> {
            let part = text.get(range)?;
            part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse().ok())?
        };
        let year = number(0..4)?;
        if year < 1 {
            return None;
        }
        let date = civil::Date::new(year, i8::try_from(number(5..7)?).ok()?, i8::try_from(number(8..10)?).ok()?).ok()?;
        Some(Self::from_civil(date))
    }

    pub fn from_civil(date: civil::Date) -> Self {
        let days = date.duration_since(EPOCH).as_hours() / 24;
        Self(i32::try_from(days).unwrap_or(0))
    }

    /// The calendar date; clamped to the supported range.
    pub fn civil(self) -> civil::Date {
        let days = self.0.clamp(Self::MIN.0, Self::MAX.0);
        EPOCH.saturating_add(jiff::Span::new().days(days))
    }

    /// The date `days` later; `None` outside years 1 to 9999.
    pub fn plus_days(self, days: i64) -> Option<Self> {
        let sum = i64::from(self.0).checked_add(days)?;
        let sum = i32::try_from(sum).ok()?;
        (Self::MIN.0..=Self::MAX.0).contains(&sum).then_some(Self(sum))
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let date = self.civil();
        write!(f, "{:04}-{:02}-{:02}", date.year(), date.month(), date.day())
    }
}

impl DateTime {
    pub const MIN: DateTime = DateTime(Date::MIN.0 as i64 * 86_400_000_000);
    pub const MAX: DateTime = DateTime((Date::MAX.0 as i64 + 1) * 86_400_000_000 - 1);

    /// Reads RFC 3339 with an offset (`2026-11-21T08:00:00Z`, `…+08:00`), at most six digits of a second.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        if bytes.len() < 20 || !matches!(bytes[10], b'T' | b't' | b' ') {
            return None;
        }
        let stamp: jiff::Timestamp = text.parse().ok()?;
        if stamp.as_nanosecond() % 1000 != 0 {
            return None;
        }
        let at = Self(stamp.as_microsecond());
        (Self::MIN..=Self::MAX).contains(&at).then_some(at)
    }

    pub fn timestamp(self) -> jiff::Timestamp {
        let clamped = self.0.clamp(Self::MIN.0, Self::MAX.0);
        // jiff ends a day earlier, so that every offset stays within the year 9999.
        jiff::Timestamp::from_microsecond(clamped).unwrap_or(jiff::Timestamp::MAX)
    }

    /// The calendar day in a zone.
    pub fn date_in(self, zone: &jiff::tz::TimeZone) -> Date {
        Date::from_civil(zone.to_datetime(self.timestamp()).date())
    }

    pub fn as_ms(self) -> i64 {
        self.0.div_euclid(1000)
    }
}

impl fmt::Display for DateTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let days = self.0.div_euclid(86_400_000_000);
        let rest = self.0.rem_euclid(86_400_000_000);
        let date = Date(i32::try_from(days).unwrap_or(0));
        let seconds = rest / 1_000_000;
        write!(f, "{date}T{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)?;
        let micros = rest % 1_000_000;
        if micros != 0 {
            let digits = format!("{micros:06}");
            write!(f, ".{}", digits.trim_end_matches('0'))?;
        }
        f.write_str("Z")
    }
}

impl Time {
    /// Reads `08:30` or `08:30:15`.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(':');
        let mut number = |limit: u32| -> Option<u32> {
            let part = parts.next()?;
            if part.len() != 2 || !part.bytes().all(|byte| byte.is_ascii_digit()) {
                return None;
            }
            part.parse().ok().filter(|value| *value < limit)
        };
        let (hours, minutes) = (number(24)?, number(60)?);
        let seconds = if text.len() > 5 { number(60)? } else { 0 };
        parts.next().is_none().then_some(Self(hours * 3600 + minutes * 60 + seconds))
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}:{:02}", self.0 / 3600, self.0 / 60 % 60, self.0 % 60)
    }
}
