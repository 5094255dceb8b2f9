//! Time zones as sorted tables of transitions, so that memory, SQLite and PostgreSQL use the same bundled data.
//!
//! The rules of a zone without end repeat every 400 years (146,097 days are whole weeks), so a table up to
//! [`HORIZON`] serves later times too: they are moved back by whole cycles first.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, RwLock};

use jiff::tz::{Offset, TimeZone};

use crate::base::{Date, DateTime};

/// 2500-01-01T00:00Z in microseconds: 400 years after the last transition that is not a rule without end.
pub const HORIZON: i64 = 16_725_225_600_000_000;
/// 400 Gregorian years in microseconds.
pub const CYCLE: i64 = 146_097 * DAY;
/// Microseconds of a day.
pub const DAY: i64 = 86_400_000_000;

/// A time zone. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone(Arc<ZoneData>);

#[derive(Debug, PartialEq, Eq)]
struct ZoneData {
    name: String,
    /// Microseconds of the transitions, ascending.
    starts: Vec<i64>,
    /// Offsets in microseconds; the first is in force before all transitions: one more than `starts`.
    offsets: Vec<i64>,
}

#[cfg(test)]
mod tests;

static KNOWN: LazyLock<RwLock<HashMap<String, Zone>>> = LazyLock::new(RwLock::default);

impl Zone {
    /// A zone by its IANA name, from jiff's bundled data; `None` when there is no such zone.
    pub fn named(name: &str) -> Option<Zone> {
        let cached = |zones: &HashMap<String, Zone>| zones.get(name).cloned();
        if let Some(zone) = KNOWN.read().ok().and_then(|zones| cached(&zones)) {
            return Some(zone);
        }
        let zone = Zone(Arc::new(ZoneData::from_rules(name, &TimeZone::get(name).ok()?)));
        if let Ok(mut zones) = KNOWN.write() {
            zones.insert(name.to_owned(), zone.clone());
        }
        Some(zone)
    }

    pub fn utc() -> Zone {
        Zone(Arc::new(ZoneData { name: "UTC".to_owned(), starts: Vec::new(), offsets: vec![0] }))
    }

    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Transitions, in microseconds, ascending.
    pub fn starts(&self) -> &[i64] {
        &self.0.starts
    }

    /// Offsets in microseconds, one more than [`Self::starts`].
    pub fn offsets(&self) -> &[i64] {
        &self.0.offsets
    }

    /// Microseconds since 1970-01-01T00:00 on the clocks of the zone.
    pub fn local(&self, at: DateTime) -> i64 {
        let mut known = at.0;
        if known >= HORIZON {
            known -= ((known - HORIZON) / CYCLE + 1) * CYCLE;
        }
        let position = self.0.starts.partition_point(|start| *start <= known);
        at.0 + self.0.offsets[position]
    }

    /// The calendar day in the zone. The first and the last hours of years 1 to 9999 stay within them, so that later
    /// moments never have an earlier day.
    pub fn date(&self, at: DateTime) -> Date {
        let days = self.local(at).div_euclid(DAY).clamp(i64::from(Date::MIN.0), i64::from(Date::MAX.0));
        Date(i32::try_from(days).unwrap_or(0))
    }

    /// The first moment of a day: midnight, or later where clocks jump over midnight.
    pub fn start_of_day(&self, date: Date) -> DateTime {
        let midnight = i64::from(date.0) * DAY;
        // Every offset in force around that day is a candidate; the earliest moment that is on that day or later.
        let near = DateTime(midnight.clamp(DateTime::MIN.0, DateTime::MAX.0));
        let mut best = None;
        for around in [-2 * DAY, -DAY, 0, DAY, 2 * DAY] {
            let offset = self.local(DateTime(near.0 + around)) - (near.0 + around);
            let candidate = midnight - offset;
            if self.local(DateTime(candidate)) >= midnight && best.is_none_or(|found| candidate < found) {
                best = Some(candidate);
            }
        }
        DateTime(best.unwrap_or(midnight))
    }

    /// The first moment at which the clocks of the zone show `local` (microseconds since 1970-01-01T00:00 on them) or more:
    /// the end of the gap where they jump over it, the first of the two where they show it twice.
    pub fn first_at(&self, local: i64) -> DateTime {
        let cycles = if local >= HORIZON - 2 * DAY { (local - HORIZON) / CYCLE + 1 } else { 0 };
        let wanted = local - cycles * CYCLE;
        let data = &self.0;
        let first = data.starts.partition_point(|start| *start <= wanted - 2 * DAY);
        for segment in first..data.offsets.len() {
            let begin = if segment == 0 { i64::MIN } else { data.starts[segment - 1] };
            let end = data.starts.get(segment).copied().unwrap_or(i64::MAX);
            let reached = wanted - data.offsets[segment];
            if reached < end {
                return DateTime(reached.max(begin) + cycles * CYCLE);
            }
        }
        DateTime(local)
    }

    /// The first moment from which on (and never before) clocks show `date` or a later day; `None` where clocks
    /// once went back over a midnight, so that no single moment divides the days.
    pub fn threshold(&self, date: Date) -> Option<DateTime> {
        let midnight = i64::from(date.0) * DAY;
        if midnight >= HORIZON - 2 * DAY || midnight <= DateTime::MIN.0 + 2 * DAY {
            return None;
        }
        let data = &self.0;
        let near = data.starts.partition_point(|start| *start <= midnight - 2 * DAY);
        let mut threshold = None;
        for segment in near..data.offsets.len() {
            let begin = if segment == 0 { i64::MIN } else { data.starts[segment - 1] };
            if begin > midnight + 2 * DAY {
                break;
            }
            let end = data.starts.get(segment).copied().unwrap_or(i64::MAX);
            let reached = midnight - data.offsets[segment];
            match threshold {
                None if reached < end => threshold = Some(reached.max(begin)),
                // A later segment that starts before midnight again.
                Some(_) if reached > begin => return None,
                _ => {}
            }
        }
        threshold.map(DateTime)
    }
}

impl ZoneData {
    fn from_rules(name: &str, rules: &TimeZone) -> Self {
        let micros = |offset: Offset| i64::from(offset.seconds()) * 1_000_000;
        let first = DateTime::MIN.timestamp();
        let mut data = Self { name: name.to_owned(), starts: Vec::new(), offsets: vec![micros(rules.to_offset(first))] };
        for transition in rules.following(first) {
            let at = transition.timestamp().as_microsecond();
            if at >= HORIZON {
                break;
            }
            let offset = micros(transition.offset());
            if data.offsets.last() != Some(&offset) {
                data.starts.push(at);
                data.offsets.push(offset);
            }
        }
        data
    }
}
