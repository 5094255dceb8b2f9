//! Where the service clock of a record stands, and how it goes on. Pure: everything it looks at is handed in.

use super::working::WorkCalendar;
use crate::base::DateTime;

const SECOND: i64 = 1_000_000;

/// What a service clock does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClockState {
    Running,
    /// On hold, with time left.
    Paused,
    /// The time is over, and it was not stopped.
    Over,
    /// Stopped in time.
    Met,
    /// Stopped when the time was over.
    Missed,
}

impl ClockState {
    pub const ALL: [Self; 5] = [Self::Running, Self::Paused, Self::Over, Self::Met, Self::Missed];

    /// The option that is stored.
    pub fn key(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Over => "over",
            Self::Met => "met",
            Self::Missed => "missed",
        }
    }

    pub fn parse(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.key() == key)
    }

    /// It was stopped.
    pub fn has_ended(self) -> bool {
        matches!(self, Self::Met | Self::Missed)
    }
}

/// What is stored of a clock.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ClockStanding {
    /// `None`: it has not begun, or there is no time limit for such a record.
    pub state: Option<ClockState>,
    /// When the time is (or was) over; unknown while it is on hold.
    pub due: Option<DateTime>,
    /// Seconds of working time used up to `since`, or in all where it does not count.
    pub spent: i64,
    /// Since when it counts; `None` while it does not.
    pub since: Option<DateTime>,
}

/// A time limit and the hours it is counted in.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Goal<'a> {
    pub seconds: i64,
    pub calendar: &'a WorkCalendar,
}

/// What the conditions of a clock say of a record.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    pub starts: bool,
    pub stops: bool,
    pub pauses: bool,
    /// A record that is opened again begins anew instead of going on.
    pub restarts: bool,
    pub goal: Option<Goal<'a>>,
    /// The limit of the record as it was before.
    pub former: Option<Goal<'a>>,
}

impl ClockStanding {
    /// How it stands now. Asking twice changes nothing.
    pub fn step(&self, now: DateTime, facts: &Facts) -> Self {
        let ended = self.state.is_some_and(ClockState::has_ended);
        if ended && facts.stops {
            return *self;
        }
        let Some(goal) = facts.goal else { return Self::default() };
        match self.state {
            None if facts.starts && !facts.stops => Self::default().go(&goal, now, facts.pauses),
            None => Self::default(),
            Some(_) if ended && facts.restarts => Self::default().go(&goal, now, facts.pauses),
            Some(_) if ended => Self { since: None, ..*self }.go(&goal, now, facts.pauses),
            Some(_) => {
                let at = self.refreshed(&goal, facts.former.unwrap_or(goal), now);
                match facts.stops {
                    true => at.stop(&goal, now),
                    false if facts.pauses => at.hold(&goal, now),
                    false => at.go(&goal, now, false),
                }
            }
        }
    }

    /// Working time used up, in seconds.
    pub fn used(&self, calendar: &WorkCalendar, now: DateTime) -> i64 {
        self.spent + self.since.map_or(0, |since| calendar.between(since, now).div_euclid(SECOND))
    }

    /// What counts is counted under the limit it has now. With another limit it counts on from now.
    fn refreshed(&self, goal: &Goal, former: Goal, now: DateTime) -> Self {
        let Some(since) = self.since else { return self.judged(goal, now) };
        if former == *goal {
            return Self { due: self.end(goal, since), ..*self }.judged(goal, now);
        }
        let spent = self.used(former.calendar, now);
        let moved = Self { spent, since: Some(now), ..*self };
        Self { due: moved.end(goal, now), ..moved }.judged(goal, now)
    }

    /// When the time is over, counted on from `since`.
    fn end(&self, goal: &Goal, since: DateTime) -> Option<DateTime> {
        match goal.seconds - self.spent {
            left if left > 0 => goal.calendar.after(since, left.saturating_mul(SECOND)),
            // It was over before: the moment at which that became so stays.
            _ => self.due.filter(|due| *due <= since).or(Some(since)),
        }
    }

    /// Running, paused or over.
    fn judged(self, goal: &Goal, now: DateTime) -> Self {
        match self.since {
            Some(_) if self.due.is_some_and(|due| due <= now) => Self { state: Some(ClockState::Over), ..self },
            Some(_) => Self { state: Some(ClockState::Running), ..self },
            None if self.spent >= goal.seconds => {
                Self { state: Some(ClockState::Over), due: self.due.filter(|due| *due <= now).or(Some(now)), ..self }
            }
            None => Self { state: Some(ClockState::Paused), due: None, ..self },
        }
    }

    fn go(self, goal: &Goal, now: DateTime, pauses: bool) -> Self {
        if pauses || self.since.is_some() {
            return self.judged(goal, now);
        }
        Self { since: Some(now), due: self.end(goal, now), ..self }.judged(goal, now)
    }

    fn hold(self, goal: &Goal, now: DateTime) -> Self {
        Self { spent: self.used(goal.calendar, now), since: None, ..self }.judged(goal, now)
    }

    fn stop(self, goal: &Goal, now: DateTime) -> Self {
        let state = if self.state == Some(ClockState::Over) { ClockState::Missed } else { ClockState::Met };
        Self { state: Some(state), due: self.due, spent: self.used(goal.calendar, now), since: None }
    }
}
