//! Working time: the hours in which people work, day by day in a time zone, and arithmetic over them. Pure.
//!
//! Opening hours are times of the clock on the wall, what is counted is time that passes: of a night in which clocks go
//! back, a calendar that is open from midnight to midnight counts 25 hours.

use std::collections::BTreeMap;

use crate::base::{Date, DateTime, Labels};
use crate::expr::Zone;
use crate::expr::time::weekday;

/// The calendar that is open round the clock.
pub const ALWAYS: &str = "always";

const MINUTE: i64 = 60_000_000;
const DAY: i64 = 86_400_000_000;
/// Days that are looked at for an answer; a calendar that opens less is never reached.
const MOST_DAYS: i64 = 60 * 366;

/// From and to, in minutes of the day; 1440 is the midnight that ends it. In order, without overlap.
pub type Hours = Vec<(u16, u16)>;

/// When people work.
#[derive(Debug, Clone, PartialEq)]
pub struct WorkCalendar {
    /// Full id, `service.office`.
    pub id: String,
    pub label: Labels,
    pub zone: Zone,
    /// Monday first.
    pub week: [Hours; 7],
    /// Holidays and make-up workdays: their hours, whatever the weekday.
    pub days: BTreeMap<Date, OwnDay>,
}

/// A day that is not like others of its weekday.
#[derive(Debug, Clone, PartialEq)]
pub struct OwnDay {
    pub hours: Hours,
    pub label: Labels,
}

impl WorkCalendar {
    /// Round the clock, each day.
    pub fn always(label: Labels, zone: Zone) -> Self {
        Self { id: ALWAYS.to_owned(), label, zone, week: std::array::from_fn(|_| vec![(0, 1440)]), days: BTreeMap::new() }
    }

    /// The hours of a day.
    pub fn hours(&self, day: Date) -> &[(u16, u16)] {
        match self.days.get(&day) {
            Some(own) => &own.hours,
            None => &self.week[usize::try_from(weekday(day) - 1).unwrap_or(0).min(6)],
        }
    }

    /// Working time from one moment to another, in microseconds; none where the second is not the later one.
    pub fn between(&self, from: DateTime, to: DateTime) -> i64 {
        if to <= from {
            return 0;
        }
        // One day more: where clocks go back over midnight, a moment of the new day has the date of the old one.
        let (first, last) = (self.zone.date(from), self.zone.date(to));
        let days = (i64::from(first.0)..=i64::from(last.0) + 1).map(|day| Date(i32::try_from(day).unwrap_or(i32::MAX)));
        days.flat_map(|day| self.spans(day)).map(|(open, close)| (close.min(to.0) - open.max(from.0)).max(0)).sum()
    }

    /// The first moment at which so much working time (microseconds) has passed since `from`; `from` itself for none. `None`
    /// where the calendar does not open for so long.
    pub fn after(&self, from: DateTime, mut amount: i64) -> Option<DateTime> {
        if amount <= 0 {
            return Some(from);
        }
        for (open, close) in self.onwards(from) {
            let open = open.max(from.0);
            if close - open >= amount {
                return Some(DateTime(open + amount));
            }
            amount -= (close - open).max(0);
        }
        None
    }

    /// The last moment at which no more than `amount` of working time has passed since `at`: where that is just the end of
    /// the day, the moment at which work goes on. A negative amount looks back: the last moment with at least so much
    /// working time up to `at`.
    ///
    /// A moment `due` lies at or before `reach(at, amount)` just when no more than `amount` is left from `at` to `due`.
    pub fn reach(&self, at: DateTime, amount: i64) -> Option<DateTime> {
        if amount < 0 {
            return self.back(at, -amount);
        }
        let mut left = amount;
        for (open, close) in self.onwards(at) {
            let open = open.max(at.0);
            if close - open > left {
                return Some(DateTime(open + left));
            }
            left -= (close - open).max(0);
        }
        None
    }

    fn back(&self, at: DateTime, mut amount: i64) -> Option<DateTime> {
        let today = self.zone.date(at);
        for step in -1..MOST_DAYS {
            let spans: Vec<(i64, i64)> = self.spans(today.plus_days(-step)?).collect();
            for (open, close) in spans.into_iter().rev() {
                let close = close.min(at.0);
                if close - open >= amount {
                    return Some(DateTime(close - amount));
                }
                amount -= (close - open).max(0);
            }
        }
        None
    }

    /// Spans that end behind `from`, in order.
    fn onwards(&self, from: DateTime) -> impl Iterator<Item = (i64, i64)> + '_ {
        let today = self.zone.date(from);
        let days = (0..MOST_DAYS).map_while(move |step| today.plus_days(step));
        days.flat_map(|day| self.spans(day)).filter(move |(_, close)| *close > from.0)
    }

    /// The open spans of a day as moments.
    fn spans(&self, day: Date) -> impl Iterator<Item = (i64, i64)> + '_ {
        let moment = move |minute: u16| self.zone.first_at(i64::from(day.0) * DAY + i64::from(minute) * MINUTE).0;
        self.hours(day).iter().map(move |(from, to)| (moment(*from), moment(*to)))
    }
}

#[cfg(test)]
mod tests;
