//! The answer, for people on the command line and for programs.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value as Json, json};

use crate::base::DateTime;
use crate::store::runs::Run;

/// What would have come of it.
#[derive(Debug, Clone)]
pub struct Answer {
    pub days: u32,
    /// The stretch that was played again.
    pub from: DateTime,
    pub to: DateTime,
    pub why_shorter: Option<Why>,
    pub with_others: bool,
    /// What is tried, and what its steps begin.
    pub automations: Vec<Tried>,
    /// Runs that began.
    pub fired: u64,
    /// Records, by entity.
    pub changed: Vec<Counted>,
    pub created: Vec<Counted>,
    pub deleted: Vec<Counted>,
    /// E-mails by template, messages by endpoint, lines behind the bell by automation.
    pub mails: Vec<Counted>,
    pub messages: Vec<Counted>,
    pub notifications: Vec<Counted>,
    /// The first changes, in order.
    pub effects: Vec<Effect>,
    pub effects_in_all: u64,
    /// The last runs, in order, those that did not begin among them.
    pub runs: Vec<RunLine>,
    pub runs_in_all: u64,
    pub records_copied: u64,
    pub events: u64,
    pub replayed: u64,
    pub made_again: u64,
    pub passed_over: Vec<PassedOver>,
    pub took_ms: u64,
}

/// Why a stretch is shorter than what was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// Events before it are no longer kept.
    Kept,
    /// There are more events than are played again.
    Many,
    /// It took too long.
    Time,
}

impl Why {
    pub fn word(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::Many => "many",
            Self::Time => "time",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    pub what: String,
    pub count: u64,
}

/// How one automation did.
#[derive(Debug, Clone, Default)]
pub struct Tried {
    pub id: String,
    /// It was asked for; else a step begins it.
    pub is_named: bool,
    /// Runs by state; `skipped` ones did not begin.
    pub states: BTreeMap<String, u64>,
    /// Why runs did not begin, or did not come to their end.
    pub reasons: BTreeMap<String, u64>,
}

impl Tried {
    pub(super) fn new(id: &str, is_named: bool) -> Self {
        Self { id: id.to_owned(), is_named, ..Self::default() }
    }

    pub(super) fn note(&mut self, run: &Run) {
        *self.states.entry(run.state.clone()).or_default() += 1;
        if let Some(reason) = &run.reason {
            *self.reasons.entry(reason.clone()).or_default() += 1;
        }
    }

    /// Runs that began.
    pub fn fired(&self) -> u64 {
        self.states.iter().filter(|(state, _)| *state != "skipped").map(|(_, count)| count).sum()
    }
}

/// One field of a record, before and after a step changed it.
#[derive(Debug, Clone, PartialEq)]
pub struct Effect {
    pub at: DateTime,
    pub automation: String,
    /// Slug.
    pub entity: String,
    pub record: String,
    /// Of the record in the copy, behind the change: the fields of one change share it.
    pub version: i64,
    /// `create`, `update`, `delete`, `restore`.
    pub kind: &'static str,
    /// `None` where no field is told: a record was deleted, or has no history.
    pub field: Option<String>,
    pub before: Json,
    pub after: Json,
}

#[derive(Debug, Clone)]
pub struct RunLine {
    pub at: DateTime,
    pub automation: String,
    pub entity: String,
    /// `None` where there was none.
    pub record: Option<String>,
    pub event: String,
    pub state: String,
    pub reason: Option<String>,
}

/// Events that could not be done once more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PassedOver {
    /// `refused`: by a rule or gate, as the record stands by then; `gone`: the record is not there, or its past is not kept;
    /// `no_history`: the entity keeps none.
    pub why: &'static str,
    /// The refusal, or the entity.
    pub detail: String,
    pub count: u64,
    /// One of the records.
    pub example: String,
}

fn sum(list: &[Counted]) -> u64 {
    list.iter().map(|one| one.count).sum()
}

impl Answer {
    /// One without anything in it.
    pub(super) fn between(from: DateTime, to: DateTime) -> Self {
        Self {
            days: 0,
            from,
            to,
            why_shorter: None,
            with_others: false,
            automations: Vec::new(),
            fired: 0,
            changed: Vec::new(),
            created: Vec::new(),
            deleted: Vec::new(),
            mails: Vec::new(),
            messages: Vec::new(),
            notifications: Vec::new(),
            effects: Vec::new(),
            effects_in_all: 0,
            runs: Vec::new(),
            runs_in_all: 0,
            records_copied: 0,
            events: 0,
            replayed: 0,
            made_again: 0,
            passed_over: Vec::new(),
            took_ms: 0,
        }
    }

    pub fn mails_in_all(&self) -> u64 {
        sum(&self.mails)
    }

    pub fn messages_in_all(&self) -> u64 {
        sum(&self.messages)
    }

    pub fn notifications_in_all(&self) -> u64 {
        sum(&self.notifications)
    }

    pub fn to_json(&self) -> Json {
        let counted =
            |list: &[Counted], name: &str| -> Vec<Json> { list.iter().map(|one| json!({ name: one.what, "count": one.count })).collect() };
        let tried = |one: &Tried| {
            let reasons: Vec<Json> = one.reasons.iter().map(|(reason, count)| json!({ "reason": reason, "count": count })).collect();
            json!({ "id": one.id, "named": one.is_named, "fired": one.fired(), "states": one.states, "reasons": reasons })
        };
        let effect = |one: &Effect| {
            json!({
                "at": one.at.to_string(), "automation": one.automation, "entity": one.entity, "record": one.record, "version": one.version,
                "kind": one.kind, "field": one.field, "before": one.before, "after": one.after,
            })
        };
        let run = |one: &RunLine| {
            json!({
                "at": one.at.to_string(), "automation": one.automation, "entity": one.entity, "record": one.record,
                "event": one.event, "state": one.state, "reason": one.reason,
            })
        };
        let passed = |one: &PassedOver| json!({ "why": one.why, "detail": one.detail, "count": one.count, "example": one.example });
        json!({
            "days": self.days, "from": self.from.to_string(), "to": self.to.to_string(), "shorter": self.why_shorter.map(Why::word),
            "with_others": self.with_others, "automations": self.automations.iter().map(tried).collect::<Vec<_>>(), "fired": self.fired,
            "changed": counted(&self.changed, "entity"), "created": counted(&self.created, "entity"), "deleted": counted(&self.deleted, "entity"),
            "mails": { "count": self.mails_in_all(), "by": counted(&self.mails, "template") },
            "messages": { "count": self.messages_in_all(), "by": counted(&self.messages, "endpoint") },
            "notifications": { "count": self.notifications_in_all(), "by": counted(&self.notifications, "automation") },
            "effects": { "count": self.effects_in_all, "data": self.effects.iter().map(effect).collect::<Vec<_>>() },
            "runs": { "count": self.runs_in_all, "data": self.runs.iter().map(run).collect::<Vec<_>>() },
            "events": {
                "count": self.events, "replayed": self.replayed, "made_again": self.made_again,
                "passed_over": self.passed_over.iter().map(passed).collect::<Vec<_>>(),
            },
            "records": self.records_copied, "took_ms": self.took_ms,
        })
    }

    /// For the command line.
    pub fn text(&self) -> String {
        let mut out = String::new();
        let _ = writeln!(out, "{} to {}: {} events, {} records", self.from, self.to, self.events, self.records_copied);
        if let Some(why) = self.why_shorter {
            let _ = writeln!(out, "  less than {} days: {}", self.days, said(why));
        }
        let mut parts = vec![format!("fired {}", times(self.fired))];
        for (verb, list) in [("changed", &self.changed), ("made", &self.created), ("deleted", &self.deleted)] {
            let found: Vec<String> = list.iter().map(|one| format!("{} {}", one.count, one.what)).collect();
            if !found.is_empty() {
                parts.push(format!("{verb} {}", found.join(", ")));
            }
        }
        let sent = [("e-mails", self.mails_in_all()), ("messages", self.messages_in_all()), ("notifications", self.notifications_in_all())];
        let sent: Vec<String> = sent.iter().filter(|(_, count)| *count > 0).map(|(what, count)| format!("{count} {what}")).collect();
        if !sent.is_empty() {
            parts.push(format!("sent {}", sent.join(", ")));
        }
        let _ = writeln!(out, "It would have {}.", parts.join("; "));
        for one in &self.automations {
            let states: Vec<String> = one.states.iter().map(|(state, count)| format!("{state} {count}")).collect();
            let _ = writeln!(out, "\n{}: {}", one.id, if states.is_empty() { "nothing began it".to_owned() } else { states.join(", ") });
            for (reason, count) in &one.reasons {
                let _ = writeln!(out, "  {count} × {reason}");
            }
        }
        if !self.effects.is_empty() {
            let _ = writeln!(out, "\nChanges ({} of {}):", self.effects.len(), self.effects_in_all);
        }
        for one in &self.effects {
            let what = match &one.field {
                Some(field) => format!("{field}: {} → {}", one.before, one.after),
                None => one.kind.to_owned(),
            };
            let _ = writeln!(out, "  {}  {}  {what}  ({})", one.at, one.record, one.automation);
        }
        if !self.passed_over.is_empty() {
            let _ = writeln!(out, "\nNot done once more:");
        }
        for one in &self.passed_over {
            let _ = writeln!(out, "  {} × {} {} (so {})", one.count, one.why, one.detail, one.example);
        }
        out
    }
}

fn times(count: u64) -> String {
    if count == 1 { "once".to_owned() } else { format!("{count} times") }
}

fn said(why: Why) -> &'static str {
    match why {
        Why::Kept => "older events are no longer kept (`events_kept_days`)",
        Why::Many => "there are more events than are played again (`--events`)",
        Why::Time => "it took too long",
    }
}
