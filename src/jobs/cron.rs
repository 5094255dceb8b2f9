//! When a cron line comes round next, in its own zone.

use std::str::FromStr;

use jiff::tz::TimeZone;

use crate::base::DateTime;

/// A cron line of five or six fields and its zone.
#[derive(Debug, Clone)]
pub struct Cron {
    pattern: croner::Cron,
    zone: TimeZone,
}

impl Cron {
    /// # Errors
    /// What is wrong with the line or the zone, for an admin.
    pub fn parse(line: &str, zone: &str) -> Result<Self, String> {
        let pattern = croner::Cron::from_str(line).map_err(|fault| format!("`{line}` is no cron line: {fault}"))?;
        let zone = TimeZone::get(zone).map_err(|_| format!("unknown time zone `{zone}`"))?;
        Ok(Self { pattern, zone })
    }

    /// The first moment after `after`. An hour that the clock skips is run at its end, one that it repeats is run once.
    /// `None` for a line that never comes (30 February).
    pub fn next(&self, after: DateTime) -> Option<DateTime> {
        let start = after.timestamp().to_zoned(self.zone.clone());
        let next = self.pattern.find_next_occurrence(&start, false).ok()?;
        Some(DateTime(next.timestamp().as_microsecond()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(line: &str, zone: &str, after: &str) -> String {
        let cron = Cron::parse(line, zone).unwrap();
        cron.next(DateTime::parse(after).unwrap()).map_or("never".to_owned(), |at| at.to_string())
    }

    #[test]
    fn schedules_follow_their_zone() {
        for (line, zone, after, wanted) in [
            ("0 8 * * 1-5", "Asia/Shanghai", "2026-11-20T00:00:00Z", "2026-11-23T00:00:00Z"),
            ("0 8 * * *", "UTC", "2026-11-20T08:00:00Z", "2026-11-21T08:00:00Z"),
            ("*/15 * * * *", "UTC", "2026-11-20T08:01:30Z", "2026-11-20T08:15:00Z"),
            ("30 9 1 * *", "America/New_York", "2026-11-20T00:00:00Z", "2026-12-01T14:30:00Z"),
        ] {
            assert_eq!(next(line, zone, after), wanted, "{line} {zone}");
        }
    }

    #[test]
    fn a_skipped_hour_runs_and_a_repeated_hour_runs_once() {
        // New York: 2026-03-08 02:30 does not exist, 2026-11-01 01:30 comes twice.
        assert_eq!(next("30 2 * * *", "America/New_York", "2026-03-08T05:00:00Z")[..10], *"2026-03-08");
        assert_eq!(next("30 1 * * *", "America/New_York", "2026-11-01T05:30:00Z")[..10], *"2026-11-02");
    }

    #[test]
    fn broken_lines_are_refused() {
        assert!(Cron::parse("61 * * * *", "UTC").is_err());
        assert!(Cron::parse("", "UTC").is_err());
        assert!(Cron::parse("0 8 * * *", "Mars/Base").is_err());
    }
}
