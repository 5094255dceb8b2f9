use jiff::tz::TimeZone;

use super::{DAY, Zone};
use crate::base::{Date, DateTime, Random, SeededRandom};

/// The table gives what jiff gives, at random moments of all centuries and beside each transition.
#[test]
fn tables_agree_with_the_rules() {
    let random = SeededRandom::new(3);
    let names = [
        "Asia/Shanghai",
        "America/New_York",
        "America/St_Johns",
        "Europe/London",
        "Africa/Casablanca",
        "Australia/Lord_Howe",
        "Pacific/Apia",
        "America/Sao_Paulo",
        "Asia/Kolkata",
        "UTC",
        "Europe/Dublin",
        "Antarctica/Troll",
    ];
    for name in names {
        let zone = Zone::named(name).unwrap();
        let rules = TimeZone::get(name).unwrap();
        let span = (DateTime::MAX.0 - 2 * DAY) - DateTime::MIN.0;
        let anywhere = (0..4_000).map(|_| DateTime::MIN.0 + i64::try_from(random.next_u64() % span.cast_unsigned()).unwrap());
        let beside = zone.starts().iter().flat_map(|start| [start - 1, *start, start + 1]);
        for at in anywhere.chain(beside).map(DateTime) {
            let offset = i64::from(rules.to_offset(at.timestamp()).seconds()) * 1_000_000;
            assert_eq!(zone.local(at) - at.0, offset, "{name} at {at}");
        }
    }
}

/// A day begins at its threshold: never shown before, always shown from then on.
#[test]
fn thresholds_divide_the_days() {
    for name in ["America/New_York", "America/Sao_Paulo", "Pacific/Apia", "America/St_Johns", "Asia/Shanghai"] {
        let zone = Zone::named(name).unwrap();
        for day in -30_000..30_000 {
            let date = Date(day);
            let Some(at) = zone.threshold(date) else { continue };
            assert!(zone.date(at) >= date, "{name} {date}");
            for step in [1, DAY / 24, DAY / 2] {
                assert!(zone.date(DateTime(at.0 - step)) < date, "{name} {date} before by {step}");
                assert!(zone.date(DateTime(at.0 + step)) >= date, "{name} {date} after by {step}");
            }
        }
    }
}
