//! Schedules of scripts and automations: kept in step with the definitions, turned into jobs when they are due.

use std::collections::VecDeque;

use serde_json::json;

use super::cron::Cron;
use super::handler::{NewJob, enqueue};
use crate::base::DateTime;
use crate::schema::catalog::{Catalog, Missed, Start, Trigger};
use crate::store::schedules::{self, Schedule};
use crate::store::{Store, StoreError};

/// The kind of job that runs what a schedule starts: `{"script": "<full id>", "uid": …, "due": <microseconds>}`, or
/// `{"automation": …, "uid": …, "from": …, "due": …}` for all that is reached after `from` and up to `due`.
pub const SCHEDULE: &str = "schedule";

/// The kind of job that looks which service clocks ran out.
pub const CLOCKS: &str = "clocks";

/// A run is late, and its time was missed, when it begins this long after it.
const LATE_US: i64 = 300 * 1_000_000;
const MINUTE_US: i64 = 60 * 1_000_000;
/// Times that are made up for at most, the latest ones: a schedule of each minute may have stood still for a year.
const MOST_MADE_UP: usize = 1_000;

/// Something of the definitions that the clock starts.
struct Timed<'c> {
    uid: &'c str,
    id: &'c str,
    cron: &'c str,
    zone: &'c str,
    missed: Missed,
    what: What,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    Script,
    Automation,
    /// An automation for what is reached since it was last looked for.
    Due,
    /// All service clocks.
    Clocks,
}

impl Timed<'_> {
    fn spec(&self) -> String {
        format!("{} {}", self.cron, self.zone)
    }

    fn next(&self, after: DateTime) -> Option<DateTime> {
        Cron::parse(self.cron, self.zone).ok()?.next(after)
    }

    /// The times up to `now` that are run, `first` being the first one that is due.
    fn times(&self, first: DateTime, now: DateTime) -> Vec<DateTime> {
        match (self.what, self.missed) {
            // One look for everything up to now.
            (What::Due | What::Clocks, _) => return vec![now],
            (_, Missed::Once) => return vec![first],
            _ => {}
        }
        let mut due = VecDeque::from([first]);
        if let Ok(cron) = Cron::parse(self.cron, self.zone) {
            let mut last = first;
            while let Some(next) = cron.next(last).filter(|next| *next <= now) {
                due.push_back(next);
                last = next;
                if due.len() > MOST_MADE_UP {
                    due.pop_front();
                }
            }
        }
        match self.missed {
            Missed::Skip => due.into_iter().filter(|at| now.0.saturating_sub(at.0) <= LATE_US).collect(),
            _ => due.into(),
        }
    }

    fn job(&self, from: DateTime, due: DateTime, is_alone: bool, now: DateTime) -> NewJob {
        if self.what == What::Clocks {
            return NewJob { key: Some(CLOCKS.to_owned()), ..NewJob::new(CLOCKS, json!({}), now) };
        }
        let payload = match self.what {
            What::Script => json!({ "script": self.id, "uid": self.uid, "due": due.0 }),
            _ => json!({ "automation": self.id, "uid": self.uid, "from": from.0, "due": due.0 }),
        };
        let group = format!("schedule:{}", self.uid);
        // Of several runs that are made up for, each has its own key; each look for what is reached counts.
        let key = if is_alone && self.what != What::Due { group.clone() } else { format!("{group}:{}", due.0) };
        NewJob { group: Some(group), key: Some(key), ..NewJob::new(SCHEDULE, payload, now) }
    }
}

/// A schedule that looks for what was reached meanwhile, and does nothing where it finds nothing.
#[derive(Debug)]
pub struct Look {
    /// Of the schedule.
    pub id: String,
    /// The automation that looks; `None`: all service clocks are looked at.
    pub automation: Option<String>,
    cron: Cron,
}

impl Look {
    /// Its first time after a moment.
    pub fn next(&self, after: DateTime) -> Option<DateTime> {
        self.cron.next(after)
    }

    /// Its last time up to a moment (inclusive) of those after another one.
    pub fn last(&self, after: DateTime, until: DateTime) -> Option<DateTime> {
        let mut back = MINUTE_US;
        loop {
            let start = DateTime(until.0.saturating_sub(back).max(after.0));
            let mut found = self.next(start).filter(|at| *at <= until);
            if found.is_none() && start > after {
                back = back.saturating_mul(4);
                continue;
            }
            while let Some(next) = found.and_then(|at| self.next(at)).filter(|at| *at <= until) {
                found = Some(next);
            }
            return found;
        }
    }
}

/// The schedules of a catalog that look for what was reached.
pub fn looks(catalog: &Catalog) -> Vec<Look> {
    let all = scheduled(catalog).into_iter();
    let looks = all.filter_map(|one| {
        let automation = match one.what {
            What::Clocks => None,
            What::Due => Some(one.id.to_owned()),
            What::Script | What::Automation => return None,
        };
        Some(Look { id: one.uid.to_owned(), automation, cron: Cron::parse(one.cron, one.zone).ok()? })
    });
    looks.collect()
}

fn scheduled(catalog: &Catalog) -> Vec<Timed<'_>> {
    let scripts = catalog.scripts.iter().filter_map(|script| match &script.trigger {
        Trigger::Schedule { cron, zone, missed } => {
            Some(Timed { uid: &script.uid, id: &script.id, cron, zone, missed: *missed, what: What::Script })
        }
        _ => None,
    });
    let automations = catalog.automations.all.iter().filter_map(|automation| {
        let clock = automation.clock()?;
        let what = if matches!(automation.start, Start::Due { .. } | Start::Clock { .. }) { What::Due } else { What::Automation };
        Some(Timed { uid: &automation.uid, id: &automation.id, cron: &clock.cron, zone: &clock.zone, missed: clock.missed, what })
    });
    let has_clocks = catalog.entities.iter().any(|entity| !entity.clocks.is_empty());
    let clocks =
        has_clocks.then_some(Timed { uid: CLOCKS, id: CLOCKS, cron: "* * * * *", zone: "UTC", missed: Missed::Once, what: What::Clocks });
    scripts.chain(automations).chain(clocks).collect()
}

/// Takes over what definitions say: new schedules, changed ones, those that are gone. Writes only what differs.
pub(super) async fn follow(store: &Store, catalog: &Catalog) -> Result<(), StoreError> {
    let now = store.clock().now();
    let known = schedules::list(store).await?;
    let timed = scheduled(catalog);
    let mut changed = Vec::new();
    for one in &timed {
        let stored = known.iter().find(|schedule| schedule.id == one.uid);
        if stored.is_some_and(|stored| stored.spec == one.spec()) {
            continue;
        }
        // One that never comes is not kept; a fault of the line was told when definitions were checked.
        if let Some(next_at) = one.next(now) {
            // What is reached counts from now on.
            let last_at = stored.and_then(|stored| stored.last_at).or((one.what == What::Due).then_some(now));
            changed.push(Schedule { id: one.uid.to_owned(), spec: one.spec(), next_at, last_at, last_error: None });
        }
    }
    let gone: Vec<String> =
        known.iter().filter(|schedule| !timed.iter().any(|one| one.uid == schedule.id)).map(|schedule| schedule.id.clone()).collect();
    if changed.is_empty() && gone.is_empty() {
        return Ok(());
    }
    store
        .write(move |tx| {
            Box::pin(async move {
                for schedule in &changed {
                    schedules::save(tx, schedule).await?;
                }
                for id in &gone {
                    schedules::delete(tx, id).await?;
                }
                Ok::<_, StoreError>(())
            })
        })
        .await
}

/// Queues a job for each schedule that is due. Times that were missed while nobody ran are made up for as the schedule says
/// ([`Missed`]); a schedule whose last run is not finished waits for it.
pub(super) async fn fire(store: &Store, catalog: &std::sync::Arc<Catalog>) -> Result<usize, StoreError> {
    let now = store.clock().now();
    if !schedules::list(store).await?.iter().any(|schedule| schedule.next_at <= now) {
        return Ok(0);
    }
    let catalog = catalog.clone();
    store
        .write(move |tx| {
            Box::pin(async move {
                let now = tx.now();
                let mut fired = 0;
                for mut schedule in schedules::due(tx, now).await? {
                    let timed = scheduled(&catalog);
                    let Some(one) = timed.iter().find(|one| one.uid == schedule.id && one.spec() == schedule.spec) else { continue };
                    let Some(next_at) = one.next(now) else {
                        schedules::delete(tx, &schedule.id).await?;
                        continue;
                    };
                    let times = one.times(schedule.next_at, now);
                    let from = schedule.last_at.unwrap_or(schedule.next_at);
                    for due in &times {
                        enqueue(tx, &one.job(from, *due, times.len() == 1, now)).await?;
                        fired += 1;
                    }
                    schedule.last_at = times.last().copied().or(schedule.last_at);
                    schedule.next_at = next_at;
                    schedules::save(tx, &schedule).await?;
                }
                Ok::<_, StoreError>(fired)
            })
        })
        .await
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As it would be found by going from one time to the next.
    fn slowly(look: &Look, after: DateTime, until: DateTime) -> Option<DateTime> {
        std::iter::successors(look.next(after), |at| look.next(*at)).take_while(|at| *at <= until).last()
    }

    #[test]
    fn the_last_time_is_found_without_all_before_it() {
        let moment = |text: &str| DateTime::parse(text).unwrap();
        let after = moment("2026-03-01T10:00:30Z");
        for (cron, zone) in [
            ("* * * * *", "UTC"),
            ("*/5 * * * *", "Asia/Shanghai"),
            ("30 2 * * *", "America/New_York"),
            ("0 8 * * 1", "Europe/Berlin"),
            ("0 0 30 2 *", "UTC"),
        ] {
            let look = Look { id: String::new(), automation: None, cron: Cron::parse(cron, zone).unwrap() };
            for until in
                ["2026-03-01T10:00:29Z", "2026-03-01T10:00:31Z", "2026-03-01T10:01:00Z", "2026-03-02T07:00:00Z", "2026-03-09T00:00:00Z"]
            {
                let until = moment(until);
                assert_eq!(look.last(after, until), slowly(&look, after, until), "{cron} {zone} {until}");
            }
        }
    }
}
