//! The audit, for administrators: filters, pages, exports.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value as Json;

use super::page::{Page, address};
use crate::base::{DateTime, RecordId};
use crate::record::RecordError;
use crate::render::context::{AuditChip, AuditPage, AuditRow, Choice, Stamp};
use crate::store::StoreError;
use crate::store::audit::{self, Entry, Filter, Line};
use crate::web::Problem;

const ENTRIES: u32 = 50;

/// `GET /audit`
pub(super) async fn audit(page: Page) -> Result<Response, Problem> {
    page.requester.administrator()?;
    let wanted = wanted(&page);
    let before = page.params.get("before").and_then(|number| number.parse().ok());
    let mut lines = audit::list(page.state.records.store(), &wanted.filter, before, ENTRIES + 1).await.map_err(failed)?;
    let more = lines.len() > ENTRIES as usize;
    lines.truncate(ENTRIES as usize);
    let people = page.catalog.find_entity("core.user");
    let mut ids: Vec<String> = Vec::new();
    for line in &lines {
        ids.extend(people.map(|entity| RecordId(line.actor).display(&entity.prefix)));
        ids.extend(record_of(&page, line));
    }
    ids.extend(wanted.filter.actor.and_then(|actor| people.map(|entity| RecordId(actor).display(&entity.prefix))));
    ids.extend(wanted.record.clone());
    let titles = page.titles(ids.iter().map(String::as_str)).await?;
    let name = |id: &str| titles.get(id).cloned().unwrap_or_else(|| id.to_owned());
    let who = |actor: i64, kind: &str| match (actor, people) {
        (0, _) => page.say(if kind == "nobody" { "audit-by-nobody" } else { "audit-by-system" }, &[]),
        (actor, Some(entity)) => name(&RecordId(actor).display(&entity.prefix)),
        (actor, None) => actor.to_string(),
    };
    let with = |key: &str, value: &str| {
        let mut params: Vec<(String, String)> = wanted.params.iter().filter(|(name, _)| name != key).cloned().collect();
        params.push((key.to_owned(), value.to_owned()));
        address("/audit", &params)
    };
    let without = |key: &str| {
        let params: Vec<(String, String)> = wanted.params.iter().filter(|(name, _)| name != key).cloned().collect();
        address("/audit", &params)
    };
    let rows = lines
        .iter()
        .map(|line| {
            let id = record_of(&page, line);
            AuditRow {
                seq: line.seq,
                stamp: Stamp::new(line.at, &page.ui, page.messages()),
                who: who(line.actor, &line.actor_kind),
                who_href: (line.actor != 0).then(|| with("actor", &line.actor.to_string())),
                by_token: line.actor_kind == "token",
                act: say_act(&page, &line.action),
                on: id.as_deref().map(&name).or_else(|| line.entity.clone()).unwrap_or_default(),
                on_href: id.as_deref().map(|id| with("record", id)),
                origin: line.origin.clone(),
                facts: facts(&line.detail),
            }
        })
        .collect();
    let mut chips = Vec::new();
    if let Some(actor) = wanted.filter.actor {
        chips.push(AuditChip { label: who(actor, "person"), remove_href: without("actor") });
    }
    if let Some(record) = &wanted.record {
        chips.push(AuditChip { label: name(record), remove_href: without("record") });
    }
    let acts = std::iter::once((String::new(), page.say("audit-all-acts", &[])))
        .chain(audit::ACTIONS.iter().map(|action| ((*action).to_owned(), say_act(&page, action))))
        .map(|(value, label)| Choice {
            selected: wanted.filter.action.as_deref().unwrap_or("") == value,
            value,
            label,
            ..Choice::default()
        })
        .collect();
    let mut older = wanted.params.clone();
    older.extend(lines.last().map(|line| ("before".to_owned(), line.seq.to_string())));
    let export = |format: &str| {
        let mut params = wanted.params.clone();
        params.push(("format".to_owned(), format.to_owned()));
        address("/audit/export", &params)
    };
    let text = |name: &str| wanted.params.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone()).unwrap_or_default();
    let context = AuditPage {
        shell: page.shell(&page.say("audit-title", &[]), ":audit", Vec::new()),
        acts,
        since: text("since"),
        until: text("until"),
        kept: ["actor", "record"].iter().map(|name| ((*name).to_owned(), text(name))).filter(|(_, value)| !value.is_empty()).collect(),
        chips,
        rows,
        older_href: more.then(|| address("/audit", &older)),
        csv_href: export("csv"),
        json_href: export("json"),
    };
    page.html(StatusCode::OK, "page/audit", &context)
}

/// `GET /audit/export`: what the filters show, newest first. Exporting is audited.
pub(super) async fn export(page: Page) -> Result<Response, Problem> {
    page.requester.administrator()?;
    let wanted = wanted(&page);
    audit::note(page.state.records.store(), Entry::new("audit.export")).await.map_err(failed)?;
    let lines = audit::list(page.state.records.store(), &wanted.filter, None, audit::LONGEST_EXPORT).await.map_err(failed)?;
    let (kind, name, text) = match page.params.get("format") {
        Some("json") => ("application/json", "audit.json", audit::to_json(&lines).to_string()),
        _ => ("text/csv; charset=utf-8", "audit.csv", audit::to_csv(&lines)),
    };
    let mut response = text.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Ok(value) = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")) {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
    Ok(response)
}

/// What an address asks for; what it does not say well is left out.
struct Wanted {
    filter: Filter,
    /// The record as it is shown.
    record: Option<String>,
    /// The parameters that were understood.
    params: Vec<(String, String)>,
}

fn wanted(page: &Page) -> Wanted {
    let mut wanted = Wanted { filter: Filter::default(), record: None, params: Vec::new() };
    let given = |name: &str| page.params.get(name).map(str::trim).filter(|value| !value.is_empty() && value.len() <= 100);
    let mut keep = |name: &str, value: &str| wanted.params.push((name.to_owned(), value.to_owned()));
    if let Some(action) = given("act").filter(|act| audit::ACTIONS.contains(act)) {
        keep("act", action);
        wanted.filter.action = Some(action.to_owned());
    }
    if let Some((text, actor)) = given("actor").and_then(|text| Some((text, text.parse().ok()?))) {
        keep("actor", text);
        wanted.filter.actor = Some(actor);
    }
    if let Some((text, record)) = given("record").and_then(|text| Some((text, RecordId::parse(text)?.1))) {
        keep("record", text);
        wanted.filter.record = Some(record.0);
        wanted.record = Some(text.to_owned());
    }
    if let Some((text, day)) = given("since").and_then(|text| Some((text, day(page, text, 0)?))) {
        keep("since", text);
        wanted.filter.since = Some(day);
    }
    if let Some((text, day)) = given("until").and_then(|text| Some((text, day(page, text, 1)?))) {
        keep("until", text);
        wanted.filter.until = Some(day);
    }
    wanted
}

/// The first moment of a day on the reader's clocks, or of one some days later.
pub(super) fn day(page: &Page, text: &str, later: i64) -> Option<DateTime> {
    let date: jiff::civil::Date = text.parse().ok()?;
    let date = date.checked_add(jiff::Span::new().days(later)).ok()?;
    let moment = date.to_zoned(page.ui.zone.clone()).ok()?;
    Some(DateTime(moment.timestamp().as_microsecond()))
}

/// The record of an entry as it is shown, when its entity is still there.
fn record_of(page: &Page, line: &Line) -> Option<String> {
    let entity = page.catalog.find_entity(line.entity.as_deref()?)?;
    Some(RecordId(line.record?).display(&entity.prefix))
}

fn failed(error: StoreError) -> Problem {
    RecordError::from(error).into()
}

fn say_act(page: &Page, action: &str) -> String {
    let key = format!("act-{}", action.replace(['.', '_'], "-"));
    if page.messages().has(crate::base::Locale::En, &key) { page.say(&key, &[]) } else { action.to_owned() }
}

/// Facts as names and values.
fn facts(detail: &str) -> Vec<(String, String)> {
    let Ok(Json::Object(facts)) = crate::base::json::parse(detail.as_bytes()) else { return vec![(String::new(), detail.to_owned())] };
    facts
        .into_iter()
        .map(|(name, value)| match value {
            Json::String(text) => (name, text),
            other => (name, other.to_string()),
        })
        .collect()
}
