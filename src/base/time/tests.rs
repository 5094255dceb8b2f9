//! The arithmetic of dates agrees with the calendar library.

use super::{Date, DateTime};

#[test]
fn dates_are_written_and_read_as_the_calendar_library_does() {
    let every_day = Date::MIN.0..Date::MIN.0 + 1_500;
    let around_now = -1_000..25_000;
    let far = (Date::MIN.0..=Date::MAX.0).step_by(97).chain([Date::MAX.0]);
    for days in every_day.chain(around_now).chain(far) {
        let date = Date(days);
        let civil = date.civil();
        let text = format!("{:04}-{:02}-{:02}", civil.year(), civil.month(), civil.day());
        assert_eq!(date.to_string(), text);
        assert_eq!(Date::parse(&text), Some(date), "{text}");
    }
}

#[test]
fn days_that_do_not_exist_are_refused() {
    for text in [
        "2026-02-29",
        "2100-02-29",
        "2026-13-01",
        "2026-00-10",
        "2026-04-31",
        "2026-01-00",
        "0000-01-01",
        "2026-1-01",
        "2026-01-0a",
        "2026/01/01",
    ] {
        assert_eq!(Date::parse(text), None, "{text}");
    }
    assert!(Date::parse("2024-02-29").is_some());
    assert!(Date::parse("2000-02-29").is_some());
}

#[test]
fn fractions_of_a_second_are_as_long_as_they_need_to_be() {
    let day = 86_400_000_000;
    for (at, text) in [
        (0, "1970-01-01T00:00:00Z"),
        (day - 1, "1970-01-01T23:59:59.999999Z"),
        (-1, "1969-12-31T23:59:59.999999Z"),
        (1_500_000, "1970-01-01T00:00:01.5Z"),
        (1_050_000, "1970-01-01T00:00:01.05Z"),
        (10, "1970-01-01T00:00:00.00001Z"),
        (36_000_000_000, "1970-01-01T10:00:00Z"),
    ] {
        assert_eq!(DateTime(at).to_string(), text);
        assert_eq!(DateTime::parse(text), Some(DateTime(at)));
    }
}
