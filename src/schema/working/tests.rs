use proptest::prelude::*;

use super::*;

const ZONES: [&str; 8] = [
    "UTC",
    "Asia/Shanghai",
    "Europe/Berlin",
    "America/New_York",
    "America/Sao_Paulo",
    "Australia/Lord_Howe",
    "Asia/Kolkata",
    "Pacific/Apia",
];

fn at(text: &str) -> DateTime {
    DateTime::parse(text).unwrap()
}

/// A working week with some holidays and make-up days; hours lie where no clock of these zones is ever put forward or back,
/// or are whole days.
fn calendars() -> impl Strategy<Value = WorkCalendar> {
    let hours = prop_oneof![
        3 => Just(vec![(540, 1080)]),
        2 => Just(vec![(540, 720), (780, 1080)]),
        1 => Just(vec![(0, 1440)]),
        1 => (300_u16..600, 600_u16..1440).prop_map(|(from, to)| vec![(from, to)]),
        2 => Just(vec![]),
    ];
    let week = prop::collection::vec(hours.clone(), 7).prop_filter("opens", |week| week.iter().any(|hours| !hours.is_empty()));
    let days = prop::collection::btree_map(18_200_i32..21_000, hours, 0..40);
    (week, days, 0..ZONES.len()).prop_map(|(week, days, zone)| WorkCalendar {
        id: "site.office".to_owned(),
        label: Labels::default(),
        zone: Zone::named(ZONES[zone]).unwrap(),
        week: week.try_into().unwrap(),
        days: days.into_iter().map(|(day, hours)| (Date(day), OwnDay { hours, label: Labels::default() })).collect(),
    })
}

/// Moments of 2020 to 2027, on whole minutes.
fn moments() -> impl Strategy<Value = DateTime> {
    (26_297_280_i64..30_000_000).prop_map(|minute| DateTime(minute * MINUTE))
}

/// Counts minute by minute what the clock on the wall says.
fn counted(calendar: &WorkCalendar, from: DateTime, to: DateTime) -> i64 {
    let mut open = 0;
    let mut now = from.0;
    while now < to.0 {
        let local = calendar.zone.local(DateTime(now));
        let day = Date(i32::try_from(local.div_euclid(DAY)).unwrap());
        let minute = u16::try_from(local.rem_euclid(DAY) / MINUTE).unwrap();
        if calendar.hours(day).iter().any(|(from, to)| *from <= minute && minute < *to) {
            open += MINUTE;
        }
        now += MINUTE;
    }
    open
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn adding_working_time_and_measuring_it_is_the_identity(calendar in calendars(), from in moments(), seconds in 0_i64..2_000_000) {
        let amount = seconds * 1_000_000;
        let end = calendar.after(from, amount).unwrap();
        prop_assert!(end >= from);
        prop_assert_eq!(calendar.between(from, end), amount);
        // It is the first such moment.
        prop_assert!(amount == 0 || calendar.between(from, DateTime(end.0 - 1)) < amount);
    }

    #[test]
    fn working_time_is_what_the_clock_on_the_wall_counts(calendar in calendars(), from in moments(), minutes in 0_i64..20_000) {
        let to = DateTime(from.0 + minutes * MINUTE);
        prop_assert_eq!(calendar.between(from, to), counted(&calendar, from, to));
    }

    #[test]
    fn measured_in_parts_it_is_the_same(calendar in calendars(), mut three in prop::array::uniform3(moments())) {
        three.sort_unstable();
        let [a, b, c] = three;
        prop_assert_eq!(calendar.between(a, b) + calendar.between(b, c), calendar.between(a, c));
    }

    #[test]
    fn within_reach_is_what_has_so_much_left(calendar in calendars(), now in moments(), seconds in 0_i64..500_000, offset in -2_000_000_i64..2_000_000) {
        let amount = seconds * 1_000_000;
        let due = DateTime(now.0 + offset * 1_000_000);
        let reach = calendar.reach(now, amount).unwrap();
        prop_assert_eq!(due <= reach, calendar.between(now, due) <= amount);
        let back = calendar.reach(now, -amount - 1).unwrap();
        prop_assert_eq!(due <= back, calendar.between(due, now) > amount);
    }
}

fn office(zone: &str) -> WorkCalendar {
    let mut week: [Hours; 7] = Default::default();
    week[..5].iter_mut().for_each(|hours| *hours = vec![(540, 1080)]);
    WorkCalendar { id: "office".to_owned(), label: Labels::default(), zone: Zone::named(zone).unwrap(), week, days: BTreeMap::new() }
}

#[test]
fn a_day_has_as_many_hours_as_pass() {
    let hour = 3_600_000_000;
    let calendar = WorkCalendar::always(Labels::default(), Zone::named("Europe/Berlin").unwrap());
    // Clocks go forward on 29 March 2026 and back on 25 October.
    assert_eq!(calendar.between(at("2026-03-28T23:00:00Z"), at("2026-03-29T22:00:00Z")), 23 * hour);
    assert_eq!(calendar.between(at("2026-10-24T22:00:00Z"), at("2026-10-25T23:00:00Z")), 25 * hour);
    let office = office("America/New_York");
    // Friday 17:00 and two hours more: Monday 10:00, an hour earlier in UTC behind the change of 8 March.
    assert_eq!(office.after(at("2026-03-06T22:00:00Z"), 2 * hour), Some(at("2026-03-09T14:00:00Z")));
    assert_eq!(office.after(at("2026-10-30T21:00:00Z"), 2 * hour), Some(at("2026-11-02T15:00:00Z")));
}

#[test]
fn hours_that_the_clock_jumps_over_begin_where_it_lands() {
    let mut calendar = office("Europe/Berlin");
    calendar.week[6] = vec![(150, 300)];
    let hour = 3_600_000_000;
    // 02:30 is not there on 29 March: from 03:00, which is 01:00 in UTC, to 05:00.
    assert_eq!(calendar.between(at("2026-03-29T00:00:00Z"), at("2026-03-29T04:00:00Z")), 2 * hour);
    // 02:30 comes twice on 25 October: from the first one on.
    assert_eq!(calendar.between(at("2026-10-25T00:00:00Z"), at("2026-10-25T06:00:00Z")), 3 * hour + hour / 2);
}

#[test]
fn what_never_opens_is_never_reached() {
    let mut calendar = office("UTC");
    calendar.week = Default::default();
    assert_eq!(calendar.after(at("2026-01-05T08:00:00Z"), 1), None);
    assert_eq!(calendar.reach(at("2026-01-05T08:00:00Z"), 1), None);
    assert_eq!(calendar.between(at("2026-01-05T08:00:00Z"), at("2026-02-05T08:00:00Z")), 0);
}
