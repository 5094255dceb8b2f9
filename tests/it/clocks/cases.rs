//! The cases of `tests/cases/clocks`: what happens to a clock and how it stands then, worked out by hand.

use std::path::Path;

use relata::base::DateTime;
use relata::schema::standing::{ClockStanding, Facts, Goal};
use relata::schema::working::WorkCalendar;
use relata::schema::{self, Bindings, Catalog, SourceFile};
use serde_json::Value;

fn file(name: &str) -> SourceFile {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/clocks").join(name);
    SourceFile::new(name, std::fs::read_to_string(path).expect("a file of cases"))
}

fn calendar<'c>(catalog: &'c Catalog, name: &str) -> &'c WorkCalendar {
    &catalog.calendars[&format!("site.{name}")]
}

/// A time on the clocks of a calendar's zone, or a moment in UTC.
fn moment(calendar: &WorkCalendar, text: &str) -> DateTime {
    if text.ends_with('Z') {
        return DateTime::parse(text).expect("a moment");
    }
    let local = DateTime::parse(&format!("{}:00Z", text.replace(' ', "T"))).expect("a time");
    calendar.zone.first_at(local.0)
}

fn seconds(text: &str) -> i64 {
    let (hours, rest) = text.split_once('h').unwrap_or(("0", text));
    let minutes = rest.trim_end_matches('m');
    hours.parse::<i64>().expect("hours") * 3600 + if minutes.is_empty() { 0 } else { minutes.parse::<i64>().expect("minutes") * 60 }
}

/// One clock, moved on event by event.
struct Told<'c> {
    calendar: &'c WorkCalendar,
    limit: Option<i64>,
    starts: bool,
    pauses: bool,
    stops: bool,
    restarts: bool,
    standing: ClockStanding,
}

impl<'c> Told<'c> {
    fn goal(&self) -> Option<Goal<'c>> {
        self.limit.map(|seconds| Goal { seconds, calendar: self.calendar })
    }

    fn step(&mut self, now: DateTime, former: Option<Goal<'c>>) {
        let facts =
            Facts { starts: self.starts, stops: self.stops, pauses: self.pauses, restarts: self.restarts, goal: self.goal(), former };
        self.standing = self.standing.step(now, &facts);
        let again = Facts { former: self.goal(), ..facts };
        assert_eq!(self.standing.step(now, &again), self.standing, "asking twice changes nothing");
    }
}

#[test]
fn clocks_stand_as_worked_out_by_hand() {
    let calendars = schema::load(&[file("calendars.yaml")], &Bindings::default()).expect("calendars").catalog;
    let (mut count, mut failures) = (0, Vec::new());
    for name in ["hours.yaml", "changes.yaml", "life.yaml"] {
        let documents = schema::read_documents(&file(name)).expect("cases");
        for case in documents[0].0.as_array().expect("a list of cases") {
            count += 1;
            let text = |key: &str| case.get(key).and_then(Value::as_str);
            let of = calendar(&calendars, text("calendar").expect("a calendar"));
            let limit = |text: &str| (text != "none").then(|| seconds(text));
            let mut told = Told {
                calendar: of,
                limit: text("limit").and_then(limit),
                starts: false,
                pauses: false,
                stops: false,
                restarts: case["restarts"] == true,
                standing: ClockStanding::default(),
            };
            let mut events: Vec<(DateTime, &str)> = case["do"]
                .as_object()
                .expect("events")
                .iter()
                .map(|(at, what)| (moment(of, at), what.as_str().expect("an event")))
                .collect();
            events.sort_unstable();
            for (at, what) in events {
                let former = told.goal();
                match what.split_once(' ') {
                    None if what == "start" => told.starts = true,
                    None if what == "hold" => told.pauses = true,
                    None if what == "stop" => told.stops = true,
                    None if what == "reopen" => told.stops = false,
                    Some(("go", "on")) => told.pauses = false,
                    Some(("limit", to)) => told.limit = limit(to),
                    Some(("calendar", to)) => told.calendar = calendar(&calendars, to),
                    _ => panic!("no event `{what}`"),
                }
                told.step(at, former);
            }
            let at = moment(of, text("at").expect("a time"));
            told.step(at, told.goal());
            let got = (told.standing.state.map(|state| state.key()), told.standing.due, told.standing.used(told.calendar, at));
            let wanted = (text("state"), text("due").map(|due| moment(of, due)), text("used").map_or(0, seconds));
            if got != wanted {
                failures.push(format!("{name}: {}\n  wanted {wanted:?}\n  got    {got:?}", text("name").unwrap_or_default()));
            }
        }
    }
    assert!(failures.is_empty(), "{} of {count} cases:\n{}", failures.len(), failures.join("\n"));
    assert_eq!(count, 81);
}
