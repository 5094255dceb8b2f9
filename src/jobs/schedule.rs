//! Schedules of scripts: kept in step with the definitions, turned into jobs when they are due.

use std::collections::VecDeque;

use serde_json::json;

use super::cron::Cron;
use super::handler::{NewJob, enqueue};
use crate::base::DateTime;
use crate::schema::catalog::{Catalog, Missed, Script, Trigger};
use crate::store::schedules::{self, Schedule};
use crate::store::{Store, StoreError};

/// The kind of job that runs a schedule's script; its payload is `{"script": "<full id>", "uid": …, "due": <microseconds>}`.
pub const SCHEDULE: &str = "schedule";

/// Takes over what definitions say: new schedules, changed ones, those that are gone. Writes only what differs.
pub(super) async fn follow(store: &Store, catalog: &Catalog) -> Result<(), StoreError> {
    let now = store.clock().now();
    let known = schedules::list(store).await?;
    let mut changed = Vec::new();
    for (script, spec) in scheduled(catalog) {
        let stored = known.iter().find(|schedule| schedule.id == script.uid);
        if stored.is_some_and(|stored| stored.spec == spec) {
            continue;
        }
        // One that never comes is not kept; a fault of the line was told when definitions were checked.
        if let Some(next_at) = next_of(script, now) {
            let last_at = stored.and_then(|stored| stored.last_at);
            changed.push(Schedule { id: script.uid.clone(), spec, next_at, last_at, last_error: None });
        }
    }
    let gone: Vec<String> = known
        .iter()
        .filter(|schedule| !scheduled(catalog).any(|(script, _)| script.uid == schedule.id))
        .map(|schedule| schedule.id.clone())
        .collect();
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

/// A run is late, and its time was missed, when it begins this long after it.
const LATE_US: i64 = 300 * 1_000_000;
/// Times that are made up for at most, the latest ones: a schedule of each minute may have stood still for a year.
const MOST_MADE_UP: usize = 1_000;

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
                    let Some((script, _)) = scheduled(&catalog).find(|(script, spec)| script.uid == schedule.id && *spec == schedule.spec)
                    else {
                        continue;
                    };
                    let Some(next_at) = next_of(script, now) else {
                        schedules::delete(tx, &schedule.id).await?;
                        continue;
                    };
                    let times = times(script, schedule.next_at, now);
                    for due in &times {
                        let mut job = NewJob::new(SCHEDULE, json!({ "script": script.id, "uid": script.uid, "due": due.0 }), now);
                        job.group = Some(format!("schedule:{}", script.uid));
                        // Of several runs that are made up for, each has its own key.
                        job.key = if times.len() > 1 { Some(format!("schedule:{}:{}", script.uid, due.0)) } else { job.group.clone() };
                        enqueue(tx, &job).await?;
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

fn scheduled(catalog: &Catalog) -> impl Iterator<Item = (&Script, String)> {
    catalog.scripts.iter().filter_map(|script| match &script.trigger {
        Trigger::Schedule { cron, zone, .. } => Some((script, format!("{cron} {zone}"))),
        _ => None,
    })
}

/// The times of a schedule up to `now` that are run, `first` being the first one that is due.
fn times(script: &Script, first: DateTime, now: DateTime) -> Vec<DateTime> {
    let Trigger::Schedule { cron, zone, missed } = &script.trigger else { return Vec::new() };
    if *missed == Missed::Once {
        return vec![first];
    }
    let mut due = VecDeque::from([first]);
    if let Ok(cron) = Cron::parse(cron, zone) {
        let mut last = first;
        while let Some(next) = cron.next(last).filter(|next| *next <= now) {
            due.push_back(next);
            last = next;
            if due.len() > MOST_MADE_UP {
                due.pop_front();
            }
        }
    }
    match missed {
        Missed::Skip => due.into_iter().filter(|at| now.0.saturating_sub(at.0) <= LATE_US).collect(),
        _ => due.into(),
    }
}

fn next_of(script: &Script, after: DateTime) -> Option<DateTime> {
    let Trigger::Schedule { cron, zone, .. } = &script.trigger else {
        return None;
    };
    Cron::parse(cron, zone).ok()?.next(after)
}
