//! What came of it in the copy: runs, changes, and what would have left.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::answer::{Answer, Counted, Effect, RunLine, Tried};
use super::ground::Ground;
use super::replay::Replayed;
use super::{Question, Stretch, WhatIfError};
use crate::base::sealed::HIDDEN;
use crate::base::{EntityIx, RecordId, Value};
use crate::record::EventKind;
use crate::schema::catalog::FieldClass;
use crate::schema::field_type;
use crate::store::runs::{self, Filter, Run};
use crate::store::{mails, notifications, webhooks};

const AT_ONCE: u32 = 500;

pub(super) async fn gather(ground: &Ground, stretch: Stretch, question: &Question, replayed: Replayed) -> Result<Answer, WhatIfError> {
    let mut answer = Answer {
        days: question.days,
        why_shorter: replayed.why(&stretch),
        with_others: question.with_others,
        records_copied: ground.records_copied,
        events: replayed.seen,
        replayed: replayed.done,
        made_again: replayed.made_again,
        passed_over: replayed.passed_over,
        ..Answer::between(stretch.from, replayed.stopped_at.unwrap_or(stretch.to))
    };
    let concerned = runs(ground, question, &mut answer).await?;
    effects(ground, question, &mut answer).await?;
    outbound(ground, &concerned, &mut answer).await?;
    Ok(answer)
}

/// Notes what ran; gives the ids of the runs.
async fn runs(ground: &Ground, question: &Question, answer: &mut Answer) -> Result<BTreeSet<i64>, WhatIfError> {
    let mut tried: BTreeMap<&str, Tried> = ground.tried.iter().map(|id| (id.as_str(), Tried::new(id, ground.named.contains(id)))).collect();
    let mut concerned = BTreeSet::new();
    let mut filter = Filter::default();
    loop {
        let page = runs::list(&ground.store, &filter, AT_ONCE).await?;
        let Some(last) = page.last() else { break };
        filter.before = Some(last.id);
        for run in &page {
            let Some(counted) = tried.get_mut(run.name.as_str()) else { continue };
            counted.note(run);
            concerned.insert(run.id);
            if run.state != "skipped" {
                answer.fired += 1;
            }
            answer.runs_in_all += 1;
            if answer.runs.len() < question.lines {
                answer.runs.push(line(ground, run));
            }
        }
    }
    answer.runs.reverse();
    answer.automations = tried.into_values().collect();
    Ok(concerned)
}

fn line(ground: &Ground, run: &Run) -> RunLine {
    let record = ground.catalog.find_entity(&run.entity).filter(|_| run.record != 0);
    RunLine {
        at: run.began_at,
        automation: run.name.clone(),
        entity: run.entity.clone(),
        record: record.map(|entity| RecordId(run.record).display(&entity.prefix)),
        event: run.event.clone(),
        state: run.state.clone(),
        reason: run.reason.clone(),
    }
}

/// All changes that what is tried led to, in order.
async fn effects(ground: &Ground, question: &Question, answer: &mut Answer) -> Result<(), WhatIfError> {
    let mut records: HashMap<(EntityIx, &'static str), BTreeSet<RecordId>> = HashMap::new();
    let mut after = 0;
    loop {
        let (events, last) = ground.records.happened(after, AT_ONCE).await?;
        let Some(last) = last else { break };
        after = last;
        for event in &events {
            let Some((handler, ..)) = event.chain.iter().rev().find(|(handler, ..)| ground.tried.contains(handler)) else { continue };
            let entity = ground.catalog.entity(event.entity);
            records.entry((event.entity, event.kind.as_str())).or_default().insert(event.id);
            let effect = |field: Option<String>, before, after| Effect {
                at: event.at,
                automation: handler.clone(),
                entity: entity.slug.clone(),
                record: event.id.display(&entity.prefix),
                version: event.version,
                kind: event.kind.as_str(),
                field,
                before,
                after,
            };
            let changes = event.told.iter().flat_map(|told| &told.changes);
            let mut found: Vec<Effect> = changes
                .map(|change| {
                    let field = entity.field(change.field);
                    // Who reads such values is written down elsewhere; here they are not shown.
                    let is_kept_back = field.encrypted || field.class >= Some(FieldClass::Sensitive);
                    let json = |value: &Value| match value.is_null() || !is_kept_back {
                        true => field_type::to_json(&ground.catalog, field, value),
                        false => HIDDEN.into(),
                    };
                    effect(Some(field.name.clone()), json(&change.old), json(&change.new))
                })
                .collect();
            if found.is_empty() {
                found.push(effect(None, serde_json::Value::Null, serde_json::Value::Null));
            }
            answer.effects_in_all += found.len() as u64;
            let room = question.lines.saturating_sub(answer.effects.len());
            answer.effects.extend(found.into_iter().take(room));
        }
    }
    for ((entity, kind), found) in records {
        let counted = Counted { what: ground.catalog.entity(entity).slug.clone(), count: found.len() as u64 };
        match EventKind::parse(kind) {
            Some(EventKind::Create) => answer.created.push(counted),
            Some(EventKind::Delete) => answer.deleted.push(counted),
            _ => answer.changed.push(counted),
        }
    }
    for list in [&mut answer.created, &mut answer.changed, &mut answer.deleted] {
        list.sort_by(|one, other| one.what.cmp(&other.what));
    }
    Ok(())
}

async fn outbound(ground: &Ground, concerned: &BTreeSet<i64>, answer: &mut Answer) -> Result<(), WhatIfError> {
    let is_ours = |step: &Option<(i64, String)>| step.as_ref().is_some_and(|(run, _)| concerned.contains(run));
    let mut letters: BTreeMap<String, u64> = BTreeMap::new();
    let mut before = i64::MAX;
    loop {
        let page = mails::list(&ground.store, None, before, AT_ONCE).await?;
        let Some(last) = page.last() else { break };
        before = last.id;
        for mail in page.into_iter().filter(|mail| is_ours(&mail.step)) {
            *letters.entry(mail.template.unwrap_or_default()).or_default() += 1;
        }
    }
    let mut messages: BTreeMap<String, u64> = BTreeMap::new();
    for endpoint in webhooks::list(&ground.store).await? {
        let mut before = i64::MAX;
        loop {
            let page = webhooks::deliveries(&ground.store, endpoint.id, None, before, AT_ONCE).await?;
            let Some(last) = page.last() else { break };
            before = last.id;
            let ours = page.iter().filter(|message| is_ours(&message.step)).count() as u64;
            *messages.entry(endpoint.name.clone()).or_default() += ours;
        }
    }
    messages.retain(|_, count| *count > 0);
    let told = notifications::counts(&ground.store).await?;
    let counted = |(what, count)| Counted { what, count };
    answer.mails = letters.into_iter().map(counted).collect();
    answer.messages = messages.into_iter().map(counted).collect();
    answer.notifications = told.into_iter().filter(|(source, _)| ground.tried.contains(source)).map(counted).collect();
    Ok(())
}
