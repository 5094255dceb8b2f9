//! Service clocks: how long something may take in working time, and what stops, holds and starts it.

use std::sync::Arc;

use crate::base::{FieldIx, Labels};
use crate::expr::{Needs, Typed, needs};
use crate::schema::standing::Goal;
use crate::schema::working::WorkCalendar;

/// A service clock of an entity. It is kept in fields of the record that nobody writes.
#[derive(Debug, Clone)]
pub struct ServiceClock {
    /// Unique in the entity; its fields are named after it.
    pub id: String,
    pub label: Labels,
    /// It begins once this holds; with the record where nothing is said.
    pub start: Option<Typed>,
    pub stop: Typed,
    pub pause: Option<Typed>,
    /// A record that is opened again begins anew instead of going on.
    pub restarts: bool,
    /// The first one that holds is the limit; none holds: no limit.
    pub targets: Vec<ClockTarget>,
    /// The hours in which times before and behind the end are counted.
    pub calendar: Arc<WorkCalendar>,
    pub fields: ClockFields,
}

/// A time limit for some records.
#[derive(Debug, Clone)]
pub struct ClockTarget {
    pub when: Option<Typed>,
    pub seconds: i64,
    pub calendar: Arc<WorkCalendar>,
}

/// Where a clock is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockFields {
    /// A select of `ClockState`.
    pub state: FieldIx,
    pub due: FieldIx,
    pub spent: FieldIx,
    pub since: FieldIx,
}

impl ClockFields {
    /// What is put behind the id of a clock to name its fields.
    pub const ENDINGS: [&'static str; 4] = ["state", "due", "spent", "since"];

    pub fn all(self) -> [FieldIx; 4] {
        [self.state, self.due, self.spent, self.since]
    }
}

impl ServiceClock {
    /// What its conditions read.
    pub fn needs(&self) -> Needs {
        let mut all = Needs::default();
        let conditions = [self.start.as_ref(), Some(&self.stop), self.pause.as_ref()].into_iter().flatten();
        for condition in conditions.chain(self.targets.iter().filter_map(|target| target.when.as_ref())) {
            all.fields.extend(needs(condition).fields);
        }
        all
    }
}

impl ClockTarget {
    pub fn goal(&self) -> Goal<'_> {
        Goal { seconds: self.seconds, calendar: &self.calendar }
    }
}
