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
/// Days from 0000-03-01 to 1970-01-01.
const EPOCH_DAYS: i32 = 719_468;

impl Date {
    pub const MIN: Date = Date(-719_162);
    pub const MAX: Date = Date(2_932_896);

    /// Reads `2026-11-21` and nothing else.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
            return None;
        }
        let number = |place: &[u8]| -> Option<u32> {
            place.iter().try_fold(0, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + u32::from(byte - b'0')))
        };
        Self::of(number(&bytes[0..4])?, number(&bytes[5..7])?, number(&bytes[8..10])?)
    }

    /// The day of a year (1 to 9999), month and day; `None` when there is none such.
    fn of(year: u32, month: u32, day: u32) -> Option<Self> {
        let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
        let last = match month {
            2 => 28 + u32::from(is_leap),
            4 | 6 | 9 | 11 => 30,
            1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
            _ => return None,
        };
        if year == 0 || year > 9999 || day == 0 || day > last {
            return None;
        }
        // Years begin in March, so that a leap day ends its year.
        let year = if month <= 2 { year - 1 } else { year };
        let (era, year_of_era) = (year / 400, year % 400);
        let day_of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
        let days = era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        Some(Self(i32::try_from(days).unwrap_or(0) - EPOCH_DAYS))
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

impl Date {
    /// Year, month and day, without the calendar library: pages of records are full of dates.
    fn parts(self) -> (u32, u32, u32) {
        // Days since 0000-03-01, so that a leap day ends its year; years repeat every 400.
        let days = u32::try_from(self.0.clamp(Self::MIN.0, Self::MAX.0) + EPOCH_DAYS).unwrap_or(0);
        let (era, day_of_era) = (days / 146_097, days % 146_097);
        let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * shifted + 2) / 5 + 1;
        let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
        (era * 400 + year_of_era + u32::from(month <= 2), month, day)
    }

    /// `2026-11-21` as bytes.
    fn text(self) -> [u8; 10] {
        let (year, month, day) = self.parts();
        let mut text = *b"0000-00-00";
        digits(&mut text[0..4], year);
        digits(&mut text[5..7], month);
        digits(&mut text[8..10], day);
        text
    }
}

/// Writes a number with leading zeros into the whole of `place`.
fn digits(place: &mut [u8], mut number: u32) {
    for digit in place.iter_mut().rev() {
        *digit = b'0' + u8::try_from(number % 10).unwrap_or(0);
        number /= 10;
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::str::from_utf8(&self.text()).unwrap_or_default())
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
        let seconds = u32::try_from(rest / 1_000_000).unwrap_or(0);
        let mut text = *b"0000-00-00T00:00:00.000000Z";
        text[..10].copy_from_slice(&date.text());
        digits(&mut text[11..13], seconds / 3600);
        digits(&mut text[14..16], seconds / 60 % 60);
        digits(&mut text[17..19], seconds % 60);
        digits(&mut text[20..26], u32::try_from(rest % 1_000_000).unwrap_or(0));
        // Trailing zeros of the fraction are left out, and the point where nothing follows it.
        let kept = text[..26].iter().rposition(|byte| *byte != b'0').map_or(26, |last| if last <= 19 { 19 } else { last + 1 });
        text[kept] = b'Z';
        f.write_str(std::str::from_utf8(&text[..=kept]).unwrap_or_default())
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

#[cfg(test)]
mod tests;
