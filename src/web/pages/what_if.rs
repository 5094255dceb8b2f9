//! What an automation would have done, for administrators: the question and its answer on one page.

use axum::http::StatusCode;
use axum::response::Response;
use serde_json::Value as Json;

use super::automations::{say_event, say_reason, say_state};
use super::entry::unkept;
use super::page::Page;
use super::post::Post;
use crate::base::{Explain, RecordId};
use crate::deploy::DeployError;
use crate::proof::what_if::{Answer, Counted, Effect, MOST_DAYS, PassedOver, Question, WhatIfError, Why, what_if};
use crate::render::Arg;
use crate::render::context::{Choice, Crumb, RunRow, Stamp, WhatIfAnswer, WhatIfEffect, WhatIfPage, WhatIfPassed, WhatIfTried};
use crate::render::show::Titles;
use crate::schema::field_type;
use crate::web::Problem;
use crate::web::api::what_if::LONGEST;

const USUAL_DAYS: u32 = 30;

/// What somebody put into the form.
#[derive(Default)]
struct Asked {
    automation: String,
    definition: String,
    days: u32,
    with_others: bool,
}

/// `GET /automations/what-if`
pub(super) async fn form(page: Page) -> Result<Response, Problem> {
    page.requester.administrator()?;
    let automation = page.params.get("automation").filter(|id| id.len() <= 100).unwrap_or_default().to_owned();
    let asked = Asked { automation, days: USUAL_DAYS, ..Asked::default() };
    page.html(StatusCode::OK, "page/what-if", &context(&page, &asked))
}

/// `POST /automations/what-if`
pub(super) async fn ask(page: Page, post: Post) -> Result<Response, Problem> {
    page.requester.administrator()?;
    let asked = Asked {
        automation: post.get("automation").to_owned(),
        definition: post.get("definition").trim().to_owned(),
        days: post.get("days").trim().parse().unwrap_or(0),
        with_others: post.get("with_others") == "true",
    };
    let definition = (!asked.definition.is_empty()).then(|| ("what-if.yaml".to_owned(), asked.definition.clone()));
    let question = Question {
        // A definition says itself what it is about.
        automation: (definition.is_none() && !asked.automation.is_empty()).then(|| asked.automation.clone()),
        definition,
        with_others: asked.with_others,
        longest: Some(LONGEST),
        ..Question::of(asked.days)
    };
    let mut context = context(&page, &asked);
    let status = match what_if(&page.state.records, &page.state.automation, &question).await {
        Ok(answer) => {
            context.answer = Some(shown(&page, &answer).await?);
            StatusCode::OK
        }
        Err(error) => {
            context.error = error.to_string();
            match &error {
                WhatIfError::Definitions(DeployError::Faults(faults)) => {
                    let faults = faults.iter().filter(|fault| fault.is_error());
                    context.faults =
                        faults.map(|fault| format!("{}:{}: {} [{}]", fault.line, fault.column, fault.message, fault.code)).collect();
                }
                _ => context.faults = error.hint().into_iter().collect(),
            }
            let problem = Problem::from(error);
            if problem.status.is_server_error() {
                return Err(problem);
            }
            problem.status
        }
    };
    Ok(unkept(page.html(status, "page/what-if", &context)?))
}

fn context(page: &Page, asked: &Asked) -> WhatIfPage {
    let whole = page.catalog.whole();
    let choice =
        |value: &str, label: String| Choice { value: value.to_owned(), label, selected: asked.automation == value, ..Choice::default() };
    let all = whole.automations.all.iter().map(|one| choice(&one.id, one.label.get(page.ui.locale).to_owned()));
    let crumb = Crumb { label: page.say("automations-title", &[]), href: Some("/automations".to_owned()) };
    WhatIfPage {
        shell: page.shell(&page.say("what-if-title", &[]), ":automations", vec![crumb]),
        automations: std::iter::once(choice("", page.say("what-if-none", &[]))).chain(all).collect(),
        definition: asked.definition.clone(),
        days: if asked.days == 0 { USUAL_DAYS } else { asked.days },
        most_days: MOST_DAYS,
        with_others: asked.with_others,
        ..WhatIfPage::default()
    }
}

async fn shown(page: &Page, answer: &Answer) -> Result<WhatIfAnswer, Problem> {
    let stamp = |at| Stamp::new(at, &page.ui, page.messages());
    let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    let ids = answer.effects.iter().map(|one| one.record.as_str()).chain(answer.runs.iter().filter_map(|one| one.record.as_deref()));
    let values = answer.effects.iter().flat_map(|one| [&one.before, &one.after]).filter_map(Json::as_str);
    let titles = page.titles(ids.chain(values)).await?;
    let effect = |one: &Effect| WhatIfEffect {
        at: stamp(one.at),
        automation: one.automation.clone(),
        record: titles.get(&one.record).cloned().unwrap_or_else(|| one.record.clone()),
        record_href: titles.contains_key(&one.record).then(|| format!("/records/{}/{}", one.entity, one.record)),
        what: what(page, one),
        before: value(page, &titles, one, &one.before),
        after: value(page, &titles, one, &one.after),
    };
    let runs = answer.runs.iter().map(|one| RunRow {
        href: String::new(),
        name: one.automation.clone(),
        record: one.record.as_ref().map(|id| titles.get(id).cloned().unwrap_or_else(|| id.clone())).unwrap_or_default(),
        record_href: one.record.as_ref().filter(|id| titles.contains_key(id.as_str())).map(|id| format!("/records/{}/{id}", one.entity)),
        event: say_event(page, &one.event),
        state: one.state.clone(),
        state_text: say_state(page, &one.state),
        reason: one.reason.as_deref().map(|reason| say_reason(page, reason)).unwrap_or_default(),
        began: stamp(one.at),
    });
    let listed = |shown: usize, all: u64| {
        let args = [("shown", Arg::Count(number(shown as u64))), ("all", Arg::Count(number(all)))];
        page.say("what-if-listed", &args)
    };
    Ok(WhatIfAnswer {
        from: stamp(answer.from),
        to: stamp(answer.to),
        shorter: answer.why_shorter.map(|why| page.say(why_key(why), &[])).unwrap_or_default(),
        events: page.say("what-if-events", &[("count", Arg::Count(number(answer.events)))]),
        said: said(page, answer),
        automations: answer
            .automations
            .iter()
            .map(|one| WhatIfTried {
                id: one.id.clone(),
                states: one
                    .states
                    .iter()
                    .map(|(state, count)| format!("{}: {count}", say_state(page, state)))
                    .collect::<Vec<_>>()
                    .join(", "),
                reasons: one.reasons.iter().map(|(reason, count)| format!("{count} × {}", say_reason(page, reason))).collect(),
            })
            .collect(),
        effects: answer.effects.iter().map(effect).collect(),
        effects_shown: listed(answer.effects.len(), answer.effects_in_all),
        runs: runs.collect(),
        runs_shown: listed(answer.runs.len(), answer.runs_in_all),
        passed_over: answer.passed_over.iter().map(|one| passed(page, one)).collect(),
    })
}

/// How often it ran, what it changed, what it sent.
fn said(page: &Page, answer: &Answer) -> Vec<String> {
    let count = |count: u64| Arg::Count(i64::try_from(count).unwrap_or(i64::MAX));
    let mut said = vec![page.say("what-if-fired", &[("count", count(answer.fired))])];
    let label = |one: &Counted| {
        let entity = page.catalog.find_entity(&one.what).map(|entity| entity.label_plural.get(page.ui.locale).to_owned());
        format!("{} {}", one.count, entity.unwrap_or_else(|| one.what.clone()))
    };
    for (key, list) in [("what-if-changed", &answer.changed), ("what-if-created", &answer.created), ("what-if-deleted", &answer.deleted)] {
        if !list.is_empty() {
            let list = list.iter().map(label).collect::<Vec<_>>().join(", ");
            said.push(page.say(key, &[("list", Arg::Text(&list))]));
        }
    }
    for (key, all) in [
        ("what-if-mails", answer.mails_in_all()),
        ("what-if-messages", answer.messages_in_all()),
        ("what-if-notifications", answer.notifications_in_all()),
    ] {
        if all > 0 {
            said.push(page.say(key, &[("count", count(all))]));
        }
    }
    said
}

fn what(page: &Page, effect: &Effect) -> String {
    let field = effect.field.as_ref().map(|name| {
        let field = page.catalog.find_entity(&effect.entity).and_then(|entity| entity.find_field(name));
        field.map_or_else(|| name.clone(), |field| field.label.get(page.ui.locale).to_owned())
    });
    let kind = match effect.kind {
        "create" => Some(page.say("what-if-kind-create", &[])),
        "delete" => Some(page.say("what-if-kind-delete", &[])),
        "restore" => Some(page.say("what-if-kind-restore", &[])),
        _ => None,
    };
    match (field, kind) {
        (Some(field), Some(kind)) => format!("{field} ({kind})"),
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) => page.say("what-if-kind-update", &[]),
    }
}

/// A value as people read it.
fn value(page: &Page, titles: &Titles, effect: &Effect, json: &Json) -> String {
    let raw = match json {
        Json::Null => return String::new(),
        Json::String(text) => text.clone(),
        other => other.to_string(),
    };
    if let Some(title) = titles.get(&raw) {
        return title.clone();
    }
    let field = effect.field.as_ref().and_then(|name| page.catalog.find_entity(&effect.entity)?.find_field(name));
    let shown = field.and_then(|field| {
        let value = field_type::read_json(&page.catalog, field, json);
        (!value.is_null()).then(|| field_type::to_text(&page.catalog, field, &value, page.ui.locale, &page.ui.zone))
    });
    shown.filter(|text| !text.is_empty()).unwrap_or(raw)
}

fn passed(page: &Page, one: &PassedOver) -> WhatIfPassed {
    let key = match one.why {
        "refused" => "what-if-passed-refused",
        "gone" => "what-if-passed-gone",
        _ => "what-if-passed-no-history",
    };
    let slug = RecordId::parse(&one.example).and_then(|(prefix, _)| page.catalog.by_prefix.get(prefix));
    let slug = slug.map(|ix| page.catalog.entity(*ix).slug.clone()).unwrap_or_default();
    WhatIfPassed {
        why: page.say(key, &[("detail", Arg::Text(&one.detail))]),
        count: one.count,
        example_href: format!("/records/{slug}/{}", one.example),
        example: one.example.clone(),
    }
}

fn why_key(why: Why) -> &'static str {
    match why {
        Why::Kept => "what-if-shorter-kept",
        Why::Many => "what-if-shorter-many",
        Why::Time => "what-if-shorter-time",
    }
}
