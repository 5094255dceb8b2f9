//! What happened, done once more: in order, by the clock of then, through the record writer of the copy.

use std::collections::BTreeMap;

use super::answer::{PassedOver, Why};
use super::ground::Ground;
use super::{Question, Stretch, WhatIfError};
use crate::access::Actor;
use crate::base::{DateTime, Explain, FieldIx, RecordId, Value};
use crate::record::past::{Happened, Told, is_given};
use crate::record::{Cause, EventKind, Input, RecordError, Source, WriteOptions};
use crate::schema::catalog::{Entity, Trigger};

/// Events that are read at once.
const AT_ONCE: u32 = 500;

/// What was done once more.
#[derive(Debug, Default)]
pub(super) struct Replayed {
    /// Events of the stretch.
    pub seen: u64,
    /// Of those, which were written once more.
    pub done: u64,
    /// Which follow from others and came about by themselves, or were the former effect of what is tried.
    pub made_again: u64,
    pub passed_over: Vec<PassedOver>,
    /// The time was over then.
    pub stopped_at: Option<DateTime>,
}

/// What becomes of an event.
enum Done {
    Written,
    MadeAgain,
    Passed(&'static str, String),
}

pub(super) async fn replay(ground: &Ground, stretch: Stretch, question: &Question) -> Result<Replayed, WhatIfError> {
    let mut replayed = Replayed::default();
    let mut passed: BTreeMap<(&'static str, String), (u64, String)> = BTreeMap::new();
    let mut after = stretch.after;
    let mut now = stretch.from;
    'all: while after < stretch.last {
        let (events, last) = ground.past.happened(after, AT_ONCE).await?;
        let Some(last) = last else { break };
        after = last;
        for event in events.iter().take_while(|event| event.seq <= stretch.last) {
            // What was done in one transaction is done before anything that follows from it.
            let is_reached = event.at <= now || ground.pass_until(event.at).await?;
            if !is_reached || ground.is_over() {
                replayed.stopped_at = Some(ground.now());
                break 'all;
            }
            now = now.max(event.at);
            replayed.seen += 1;
            match once_more(ground, event, question).await? {
                Done::Written => replayed.done += 1,
                Done::MadeAgain => replayed.made_again += 1,
                Done::Passed(why, detail) => {
                    let record = event.id.display(&ground.catalog.entity(event.entity).prefix);
                    passed.entry((why, detail)).or_insert((0, record)).0 += 1;
                }
            }
        }
    }
    if replayed.stopped_at.is_none() {
        let is_reached = ground.pass_until(stretch.to).await?;
        replayed.stopped_at = (!is_reached).then(|| ground.now());
    }
    let line = |((why, detail), (count, example))| PassedOver { why, detail, count, example };
    replayed.passed_over = passed.into_iter().map(line).collect();
    replayed.passed_over.sort_by_key(|line| std::cmp::Reverse(line.count));
    Ok(replayed)
}

async fn once_more(ground: &Ground, event: &Happened, question: &Question) -> Result<Done, WhatIfError> {
    if !event.chain.is_empty() && comes_by_itself(ground, event, question.with_others) {
        return Ok(Done::MadeAgain);
    }
    let entity = ground.catalog.entity(event.entity);
    let by_program = event.told.as_ref().is_some_and(|told| told.by_program);
    let input = match (event.kind, &event.told) {
        (EventKind::Create | EventKind::Update, None) => return Ok(Done::Passed("no_history", entity.slug.clone())),
        (EventKind::Create, Some(told)) => of_new(entity, told),
        (EventKind::Update, Some(told)) => {
            let input = of_changes(entity, told);
            if input.is_empty() {
                // Computed values; lists of links are rows of their own.
                return Ok(Done::MadeAgain);
            }
            input
        }
        _ => Input::new(),
    };
    let source = if by_program { Source::System } else { Source::Import };
    let actor = Actor { user: (event.by != 0).then_some(RecordId(event.by)), ..Actor::system() };
    let cause = |(handler, slug, id): &(String, String, i64)| {
        Some(Cause { handler: handler.clone(), entity: ground.catalog.find_entity(slug)?.ix, id: RecordId(*id) })
    };
    let chain = event.chain.iter().filter_map(cause).collect();
    let (kind, ix, id) = (event.kind, event.entity, event.id);
    let options = WriteOptions { id: Some(id), allow_duplicates: true, replays: true, ..WriteOptions::from(source) };
    let unit = ground.records.unit(&actor, source, chain, move |tx| {
        let (input, options) = (input.clone(), options.clone());
        Box::pin(async move {
            let saved = match kind {
                EventKind::Create => tx.create(ix, input, &options).await,
                EventKind::Update => tx.update(ix, id, input, &options).await,
                EventKind::Delete => tx.delete(ix, id, &options).await,
                EventKind::Restore => tx.restore(ix, id, &options).await,
            };
            saved.map(|_| ())
        })
    });
    match unit.await {
        Ok(()) => Ok(Done::Written),
        // It went with another one.
        Err(RecordError::NotFound { .. }) if kind == EventKind::Delete => Ok(Done::MadeAgain),
        Err(RecordError::NotFound { .. }) => Ok(Done::Passed("gone", entity.slug.clone())),
        Err(error @ (RecordError::Store(_) | RecordError::StaleCatalog | RecordError::Busy)) => Err(error.into()),
        Err(error) => Ok(Done::Passed("refused", told(&error))),
    }
}

/// A refusal in few words.
fn told(error: &RecordError) -> String {
    let first = error.faults().first().map(|fault| format!("{}: {}", fault.path, fault.message));
    format!("{} [{}]", first.unwrap_or_else(|| error.to_string()), error.code())
}

/// Whether what led to an event leads to it again: all automations run, it is what is tried that did it, or a script inside of
/// another save.
fn comes_by_itself(ground: &Ground, event: &Happened, with_others: bool) -> bool {
    let is_tried = event.chain.iter().any(|(handler, ..)| ground.tried.contains(handler));
    let last = event.chain.last().map(|(handler, ..)| handler.as_str());
    let is_inside = ground.catalog.scripts.iter().any(|script| Some(script.id.as_str()) == last && script.trigger == Trigger::AfterWrite);
    with_others || is_tried || is_inside
}

/// Everything that was given when a record was made: what was left empty stays empty.
fn of_new(entity: &Entity, told: &Told) -> Input {
    let mut input = Input::new();
    let is_made = |field: FieldIx| told.changes.iter().any(|change| change.field == field && change.by_script);
    for field in entity.fields.iter().filter(|field| is_given(entity, field) && !is_made(field.ix)) {
        let given = told.changes.iter().find(|change| change.field == field.ix).map(|change| change.new.clone());
        let stays_empty = field.default.is_some() || field.name == "owner";
        if let Some(value) = given.or(stays_empty.then_some(Value::Null)) {
            input.set(field.ix, value);
        }
    }
    input
}

fn of_changes(entity: &Entity, told: &Told) -> Input {
    let mut input = Input::new();
    for change in told.changes.iter().filter(|change| !change.by_script && is_given(entity, entity.field(change.field))) {
        input.set(change.field, change.new.clone());
    }
    input
}

impl Replayed {
    pub fn why(&self, stretch: &Stretch) -> Option<Why> {
        if self.stopped_at.is_some() { Some(Why::Time) } else { stretch.why }
    }
}
