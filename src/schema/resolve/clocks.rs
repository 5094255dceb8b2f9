//! Service clocks: the fields they are kept in, then their conditions and time limits.

use serde_json::json;

use super::drafts::{FieldDraft, PartDraft, add_field};
use super::expressions::condition;
use super::{Work, calendars, labels};
use crate::base::{EntityIx, FieldIx};
use crate::expr::{Typed, needs};
use crate::schema::catalog::{ClockFields, ClockTarget, FieldType, ServiceClock};
use crate::schema::diagnostic::Diagnostic;
use crate::schema::node::{Key, Node};

/// Time limits of one clock.
const MOST_TARGETS: usize = 50;
/// The longest time limit, in hours.
const MOST_HOURS: i64 = 20_000;

/// Adds the fields in which the clocks of all entities are kept, and the index by which those are found that are due.
pub(super) fn complete(work: &mut Work) {
    for ix in work.all() {
        let parts: Vec<PartDraft> = work.draft(ix).parts.iter().filter(|part| part.section == "clocks").cloned().collect();
        for part in parts {
            let Some(id) = part.node.get("id") else { continue };
            let Some(name) = id.as_text().filter(|name| crate::schema::shape::identifier(name)) else { continue };
            for ending in ClockFields::ENDINGS {
                let key = Key { text: format!("{name}_{ending}"), place: id.place.clone() };
                let node = Node::from_json(&field(&part.node, name, ending), &id.place);
                add_field(work, ix, FieldDraft { key, node, package: part.package.clone(), uid: String::new(), is_made: true });
            }
            let index = json!({"fields": [format!("{name}_state"), format!("{name}_due")]});
            let node = Node::from_json(&index, &id.place);
            work.drafts[ix.0 as usize].parts.push(PartDraft { section: "indexes", node, ..part.clone() });
        }
    }
}

/// The definition of a field of a clock.
fn field(clock: &Node, id: &str, ending: &str) -> serde_json::Value {
    let own = labels::of(clock.get("label")).unwrap_or_else(|| labels::from_name(id));
    let named = |texts: [&str; 3]| -> serde_json::Value {
        let locales = crate::base::Locale::ALL.into_iter().zip(texts);
        locales
            .map(|(locale, text)| (locale.tag().to_owned(), text.replace("{}", own.get(locale)).into()))
            .collect::<serde_json::Map<_, _>>()
            .into()
    };
    match ending {
        "state" => json!({"type": "select", "label": named(["{}: state", "{}：状态", "{}：狀態"]), "options": [
            {"key": "running", "hue": 0, "label": {"en": "Running", "zh-CN": "计时中", "zh-TW": "計時中"}},
            {"key": "paused", "hue": 5, "label": {"en": "On hold", "zh-CN": "已暂停", "zh-TW": "已暫停"}},
            {"key": "over", "hue": 8, "label": {"en": "Overdue", "zh-CN": "已超时", "zh-TW": "已逾時"}},
            {"key": "met", "hue": 4, "label": {"en": "Met", "zh-CN": "按时完成", "zh-TW": "準時完成"}},
            {"key": "missed", "hue": 7, "label": {"en": "Missed", "zh-CN": "超时完成", "zh-TW": "逾時完成"}},
        ]}),
        "due" => json!({"type": "datetime", "index": true, "label": named(["{}: due", "{}：截止", "{}：截止"])}),
        "spent" => json!({"type": "duration", "label": named(["{}: time used", "{}：已用时间", "{}：已用時間"])}),
        _ => json!({"type": "datetime", "label": named(["{}: counting since", "{}：计时起点", "{}：計時起點"])}),
    }
}

pub(super) fn read(work: &mut Work, ix: EntityIx, part: &PartDraft) {
    let node = &part.node;
    let Some(id) = node.text("id") else { return };
    let named = |ending: &str| work.entity(ix).by_name.get(&format!("{id}_{ending}")).copied();
    let [Some(state), Some(due), Some(spent), Some(since)] = ClockFields::ENDINGS.map(named) else { return };
    let calendar = calendars::find(work, node.get("calendar"), &part.package);
    let start = own(work, ix, node.get("start"));
    let stop = own(work, ix, node.get("stop"));
    let pause = own(work, ix, node.get("pause"));
    let targets = targets(work, ix, part, id);
    let (Some(calendar), Some(stop)) = (calendar, stop) else { return };
    work.entity_mut(ix).clocks.push(ServiceClock {
        id: id.to_owned(),
        label: labels::of(node.get("label")).unwrap_or_else(|| labels::from_name(id)),
        start,
        stop,
        pause,
        restarts: node.text("reopen") == Some("restart"),
        targets,
        calendar,
        fields: ClockFields { state, due, spent, since },
    });
}

fn targets(work: &mut Work, ix: EntityIx, part: &PartDraft, clock: &str) -> Vec<ClockTarget> {
    let written: Vec<Node> = part.node.get("targets").map(|list| list.items().to_vec()).unwrap_or_default();
    if written.is_empty() || written.len() > MOST_TARGETS {
        let place = part.node.entry("targets").map_or(&part.node.place, |(key, _)| &key.place).clone();
        let message = if written.is_empty() { "a clock without a time limit" } else { "more time limits than one clock may have" };
        work.fault(
            Diagnostic::error("DEF113", &place, message).hint(format!("give `{clock}` 1 to {MOST_TARGETS}: `targets: [{{time: 4h}}]`")),
        );
    }
    let mut found: Vec<ClockTarget> = Vec::new();
    for target in &written {
        let when = own(work, ix, target.get("when"));
        if found.last().is_some_and(|last| last.when.is_none()) {
            let fault = Diagnostic::error("DEF435", &target.place, "no record has this time limit: the one before is for all");
            work.fault(fault.hint("give the one before a `when`, or let this one come first"));
            break;
        }
        let Some(time) = target.get("time") else { continue };
        let seconds = time.scalar_text().as_deref().and_then(seconds);
        if seconds.is_none() {
            let message = format!("`{}` is no working time", time.scalar_text().unwrap_or_default());
            let hint =
                "write hours and minutes: `4h`, `30m`, `1h30m`; a working day is as long as its hours, so two of eight hours are `16h`";
            work.fault(Diagnostic::error("DEF434", &time.place, message).hint(hint));
        }
        let calendar = target.get("calendar").or(part.node.get("calendar"));
        let calendar = calendars::find(work, calendar, &part.package);
        // What was written and has a fault is told already.
        if let (Some(seconds), Some(calendar)) = (seconds, calendar)
            && when.is_some() == target.get("when").is_some()
        {
            found.push(ClockTarget { when, seconds, calendar });
        }
    }
    found
}

/// `4h`, `30m`, `1h30m`.
pub(super) fn seconds(text: &str) -> Option<i64> {
    let (hours, rest) = match text.split_once('h') {
        Some((hours, rest)) => (hours.parse::<i64>().ok()?, rest),
        None => (0, text),
    };
    let minutes = match rest.strip_suffix('m') {
        Some(minutes) => minutes.parse::<i64>().ok()?,
        None if rest.is_empty() => 0,
        None => return None,
    };
    let total = (0..=MOST_HOURS).contains(&hours).then_some(hours * 60)?.checked_add(minutes)?;
    (minutes >= 0 && (1..=MOST_HOURS * 60).contains(&total)).then_some(total * 60)
}

/// A condition on what the record itself holds: it is looked at in each save, and by the clock.
fn own(work: &mut Work, ix: EntityIx, node: Option<&Node>) -> Option<Typed> {
    let node = node?;
    let found = condition(work, Some(node), ix, false)?;
    let needed = needs(&found);
    let is_read_later = |field: &FieldIx| {
        matches!(
            work.entity(ix).field(*field).ty,
            FieldType::Lookup { .. }
                | FieldType::Formula { stored: false, .. }
                | FieldType::Rollup { stored: false, .. }
                | FieldType::Children { .. }
                | FieldType::Links { .. }
        )
    };
    if needed.paths.is_empty()
        && needed.children.is_empty()
        && !needed.uses_now
        && !needed.uses_me
        && !needed.fields.iter().any(is_read_later)
    {
        return Some(found);
    }
    let fault = Diagnostic::error("DEF433", &node.place, "a clock can only depend on what its record itself holds");
    work.fault(fault.hint("keep what decides in a stored field of the record (also a stored formula or rollup), and name that"));
    None
}
