//! Automations that the clock starts: finds the records, and begins a run for each. One transaction with the end of the job, so
//! each time of the clock begins each run once.

use std::sync::Arc;

use jiff::tz::TimeZone;

use super::begin::{note, refused};
use super::jobs::{ScriptJobs, told};
use super::run::is_passing;
use super::steps::{compare, find};
use crate::access::Actor;
use crate::base::{Date, DateTime, EntityIx, RecordId, Value};
use crate::expr::{CompareOp, Node, Type, Typed};
use crate::jobs::{Job, JobContext, JobError, Outcome};
use crate::record::{Delivery, RecordError, RecordTx, Records, Source};
use crate::schema::catalog::{ClockFields, RunAs, Shift, Start};
use crate::schema::standing::ClockState;
use crate::schema::working::WorkCalendar;
use crate::store::runs;

impl ScriptJobs {
    pub(super) async fn begin_timed(&self, context: &JobContext, job: &Job, name: &str) -> Result<Outcome, JobError> {
        let catalog = self.records.catalog();
        let roles = match catalog.automations.find(name).map(|automation| &automation.run_as) {
            Some(RunAs::Roles(roles)) => roles.clone(),
            _ => Vec::new(),
        };
        let moment = |name: &str| DateTime(job.payload.get(name).and_then(serde_json::Value::as_i64).unwrap_or_default());
        let window = (moment("from"), moment("due"));
        let actor = self.automatic(self.records.actor_with(&roles), job);
        let shared = Arc::new((context.clone(), job.clone(), name.to_owned()));
        let end = self.records.unit(&actor, Source::Automation, Vec::new(), move |tx| {
            let shared = Arc::clone(&shared);
            Box::pin(async move {
                let (context, job, name) = shared.as_ref();
                begin_each(tx, name, window).await?;
                Ok(context.finish(tx.store(), job).await?)
            })
        });
        match end.await {
            Ok(()) => Ok(Outcome::Finished),
            Err(error) => Err(JobError::Retry(told(&error))),
        }
    }
}

/// Whether an automation that looks for what is reached has anything to note for this window: records that may be reached in
/// it, whatever its condition says of them, or that it may not look. Where the whole of a window has nothing, no part of it
/// has, as long as no record is saved.
///
/// # Errors
/// The database.
pub async fn may_reach(records: &Records, name: &str, window: (DateTime, DateTime)) -> Result<bool, RecordError> {
    let catalog = records.catalog();
    let Some(automation) = catalog.automations.find(name) else { return Ok(false) };
    let Some(reached) = reached_in(&automation.start, window) else { return Ok(true) };
    if finds(records, &Actor::system(), automation.entity, reached.clone()).await? {
        return Ok(true);
    }
    let RunAs::Roles(roles) = &automation.run_as else { return Ok(false) };
    let parts = automation.when.iter().cloned().chain(reached).collect();
    match finds(records, &records.actor_with(roles), automation.entity, parts).await {
        Err(error) if is_passing(&error) => Err(error),
        Err(_) => Ok(true),
        Ok(found) => Ok(found),
    }
}

async fn finds(records: &Records, actor: &Actor, entity: EntityIx, parts: Vec<Typed>) -> Result<bool, RecordError> {
    let found = records.rehearse(actor, Source::Automation, Vec::new(), move |tx| {
        let parts = parts.clone();
        Box::pin(async move { find(tx, entity, parts, 1).await })
    });
    match found.await {
        Ok(found) => Ok(!found.is_empty()),
        Err(RecordError::TooMany { .. }) => Ok(true),
        Err(error) => Err(error),
    }
}

async fn begin_each(tx: &mut RecordTx<'_>, name: &str, window: (DateTime, DateTime)) -> Result<(), RecordError> {
    let catalog = tx.catalog().clone();
    let Some(automation) = catalog.automations.find(name) else { return Ok(()) };
    let entity = catalog.entity(automation.entity);
    let mut parts: Vec<Typed> = automation.when.iter().cloned().collect();
    let limit = match &automation.start {
        Start::Schedule { limit, .. } => *limit,
        Start::Due { limit, .. } | Start::Clock { limit, .. } => {
            let Some(reached) = reached_in(&automation.start, window) else { return Ok(()) };
            parts.extend(reached);
            *limit
        }
        _ => return Ok(()),
    };
    if let Start::Clock { fields, shift: ..0, .. } = &automation.start {
        // Nobody is warned of what is over already.
        parts.push(compare(fields.due, &Type::DateTime, CompareOp::Gt, Value::DateTime(window.1)));
    }
    if runs::passes(tx.store(), &automation.uid).await? {
        return Ok(());
    }
    match find(tx, automation.entity, parts, limit).await {
        Ok(found) => {
            for id in found {
                note(tx, automation, &Delivery::about(&entity.slug, id), "running", None).await?;
            }
        }
        Err(RecordError::TooMany { .. }) => {
            let nothing = Delivery::about(&entity.slug, RecordId(0));
            note(tx, automation, &nothing, "skipped", Some(format!("limit:{limit}"))).await?;
        }
        Err(error) if is_passing(&error) => return Err(error),
        Err(error) => {
            let nothing = Delivery::about(&entity.slug, RecordId(0));
            note(tx, automation, &nothing, "skipped", Some(refused(&error))).await?;
        }
    }
    Ok(())
}

/// What a record is like that is reached in a window; nothing where nothing can be.
fn reached_in(start: &Start, window: (DateTime, DateTime)) -> Option<Vec<Typed>> {
    match start {
        Start::Due { clock, field, shift, .. } => {
            let zone = TimeZone::get(&clock.zone).unwrap_or(TimeZone::UTC);
            let (ty, after, up_to) = reached(*shift, &zone, window)?;
            Some(vec![compare(*field, &ty, CompareOp::Gt, after), compare(*field, &ty, CompareOp::Le, up_to)])
        }
        Start::Clock { fields, calendar, shift, .. } => Some(vec![running_out(*fields, calendar, *shift, window)?]),
        _ => None,
    }
}

/// What is saved becomes visible this much later at most: a window ends so long ago, so that nothing falls between two of them.
const VISIBLE_US: i64 = 5_000_000;

/// Clocks that came within reach of their end (or so far behind it) after the first moment and up to the second: their end
/// did, or they began to count, or go on, when it was within reach already.
fn running_out(fields: ClockFields, calendar: &WorkCalendar, shift: i64, window: (DateTime, DateTime)) -> Option<Typed> {
    let (from, to) = (DateTime(window.0.0 - VISIBLE_US), DateTime(window.1.0 - VISIBLE_US));
    let states: &[ClockState] = if shift < 0 { &[ClockState::Running] } else { &[ClockState::Running, ClockState::Over] };
    let states = states.iter().map(|state| compare(fields.state, &Type::Text, CompareOp::Eq, Value::Text(state.key().to_owned())));
    let reach = |at: DateTime| calendar.reach(at, shift.saturating_mul(-1_000_000)).map(Value::DateTime);
    let (after, up_to) = (reach(from)?, reach(to)?);
    let moment = |field, op, value| compare(field, &Type::DateTime, op, value);
    let mut comes = moment(fields.due, CompareOp::Gt, after);
    if shift < 0 {
        let began = Typed::all_of(vec![
            moment(fields.since, CompareOp::Gt, Value::DateTime(from)),
            moment(fields.since, CompareOp::Le, Value::DateTime(to)),
        ]);
        comes = either(vec![comes, began]);
    }
    Some(Typed::all_of(vec![either(states.collect()), moment(fields.due, CompareOp::Le, up_to), comes]))
}

fn either(mut conditions: Vec<Typed>) -> Typed {
    match conditions.len() {
        1 => conditions.remove(0),
        _ => Typed::new(Type::Bool, Node::Or(conditions), 0..0),
    }
}

/// Values of a field that are reached after the first moment and up to the second: behind the first value, up to the second.
fn reached(shift: Shift, zone: &TimeZone, (from, to): (DateTime, DateTime)) -> Option<(Type, Value, Value)> {
    match shift {
        Shift::Seconds(seconds) => {
            let value = |at: DateTime| Value::DateTime(DateTime(at.0.saturating_sub(seconds.saturating_mul(1_000_000))));
            Some((Type::DateTime, value(from), value(to)))
        }
        Shift::Days { days, minute } => {
            // The last day whose time has come at a moment.
            let day = |at: DateTime| -> Option<Date> {
                let local = at.timestamp().to_zoned(zone.clone());
                let today = Date::from_civil(local.date());
                let passed = i64::from(local.hour()) * 60 + i64::from(local.minute());
                if passed >= minute || came_before(&local, minute) { Some(today) } else { today.plus_days(-1) }
            };
            let (first, last) = (day(from)?.plus_days(-days)?, day(to)?.plus_days(-days)?);
            Some((Type::Date, Value::Date(first), Value::Date(last)))
        }
    }
}

/// Whether this minute of the day has come already, in an hour that the clock repeats.
fn came_before(local: &jiff::Zoned, minute: i64) -> bool {
    let time = jiff::Span::new().try_minutes(minute).ok().and_then(|span| local.date().at(0, 0, 0, 0).checked_add(span).ok());
    let first = time.and_then(|time| time.to_zoned(local.time_zone().clone()).ok());
    first.is_some_and(|first| first.timestamp() <= local.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The days that are reached by windows between these moments, one after the other.
    fn days(zone: &str, minute: i64, moments: &[&str]) -> Vec<String> {
        let zone = TimeZone::get(zone).unwrap();
        let moments: Vec<DateTime> = moments.iter().map(|text| DateTime::parse(text).unwrap()).collect();
        let mut found = Vec::new();
        for pair in moments.windows(2) {
            let (_, after, up_to) = reached(Shift::Days { days: 0, minute }, &zone, (pair[0], pair[1])).unwrap();
            let (Value::Date(mut day), Value::Date(last)) = (after, up_to) else { panic!("days") };
            while day < last {
                day = day.plus_days(1).unwrap();
                found.push(day.to_string());
            }
        }
        found
    }

    #[test]
    fn each_day_is_reached_once_whatever_the_clock_does() {
        let york = "America/New_York";
        // 01:30 comes twice on 1 November: 05:30 and 06:30 in UTC.
        let moments =
            ["2026-10-31T06:00:00Z", "2026-11-01T05:29:00Z", "2026-11-01T05:45:00Z", "2026-11-01T06:15:00Z", "2026-11-01T06:45:00Z"];
        assert_eq!(days(york, 90, &moments), ["2026-11-01"]);
        // 02:30 is left out on 8 March: 02:00 is 07:00 in UTC, and then it is 03:00.
        let moments = ["2026-03-08T06:59:00Z", "2026-03-08T07:00:00Z", "2026-03-08T07:31:00Z", "2026-03-09T06:29:00Z"];
        assert_eq!(days(york, 150, &moments), ["2026-03-08"]);
    }
}
