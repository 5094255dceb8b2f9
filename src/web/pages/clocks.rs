//! Service clocks on a record's page: how much time is left, in working hours.

use super::page::Page;
use crate::base::{DateTime, FieldIx, Value};
use crate::record::FormState;
use crate::render::context::{ClockCard, Stamp};
use crate::render::{Arg, format};
use crate::schema::catalog::{Entity, FieldType, ServiceClock};
use crate::schema::standing::ClockState;

impl Page {
    /// Clocks that have begun, as they stand now. What may not be read is not in `state`.
    pub fn clocks(&self, entity: &Entity, state: Option<&FormState>) -> Vec<ClockCard> {
        let Some(state) = state else { return Vec::new() };
        entity.clocks.iter().filter_map(|clock| self.clock(entity, clock, state)).collect()
    }

    fn clock(&self, entity: &Entity, clock: &ServiceClock, state: &FormState) -> Option<ClockCard> {
        let value = |field: FieldIx| state.field(field).map(|field| &field.value);
        let moment = |field: FieldIx| if let Some(Value::DateTime(at)) = value(field) { Some(*at) } else { None };
        let stands = ClockState::parse(value(clock.fields.state)?.as_text()?)?;
        let target = clock.targets.iter().find(|target| self.is_visible(target.when.as_ref(), Some(state)));
        let calendar = target.map_or(&clock.calendar, |target| &target.calendar);
        let now = self.ui.now;
        let minutes = |seconds: i64| seconds.div_euclid(60) * 60;
        let spent = if let Some(Value::Int(spent)) = value(clock.fields.spent) { *spent } else { 0 };
        let counted = moment(clock.fields.since).map_or(0, |since| seconds(calendar.between(since, now)));
        let used = minutes(spent + counted);
        let due = moment(clock.fields.due);
        let span = |seconds: i64| format::span(seconds, self.ui.locale, self.messages());
        let time = |key: &str, seconds: i64| self.say(key, &[("time", Arg::Text(&span(seconds)))]);
        let left = match (stands, due) {
            (ClockState::Running, Some(due)) => time("clock-left", seconds(calendar.between(now, due))),
            (ClockState::Over, Some(due)) => time("clock-over", seconds(calendar.between(due, now))),
            (ClockState::Paused, _) => target.map_or(String::new(), |target| time("clock-held", (target.seconds - used).max(0))),
            _ => String::new(),
        };
        let option = match &entity.field(clock.fields.state).ty {
            FieldType::Select(options) => options.list.options.iter().find(|option| option.key == stands.key()),
            _ => None,
        }?;
        let stamp = |at: DateTime| Stamp::new(at, &self.ui, self.messages());
        Some(ClockCard {
            label: clock.label.get(self.ui.locale).to_owned(),
            state: stands.key().to_owned(),
            state_label: option.label.get(self.ui.locale).to_owned(),
            hue: option.hue,
            left,
            used: target.map_or(String::new(), |target| {
                let (used, limit) = (span(used), span(target.seconds));
                self.say("clock-used", &[("used", Arg::Text(&used)), ("limit", Arg::Text(&limit))])
            }),
            due: due.map(stamp),
            is_past: stands.has_ended() || stands == ClockState::Over,
            hours: calendar.label.get(self.ui.locale).to_owned(),
        })
    }
}

/// Of microseconds, in whole minutes.
fn seconds(micros: i64) -> i64 {
    micros.div_euclid(60_000_000) * 60
}
