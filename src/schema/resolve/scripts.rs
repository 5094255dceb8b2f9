//! Scripts: their text, their trigger, the fields they watch.

use super::drafts::PartDraft;
use super::expressions::condition;
use super::{Work, uids};
use crate::base::EntityIx;
use crate::schema::bindings::BindingKind;
use crate::schema::catalog::{Missed, Script, ScriptLimits, Trigger};
use crate::schema::diagnostic::{Diagnostic, nearest};
use crate::schema::node::Node;
use std::collections::BTreeSet;

pub(super) fn build(work: &mut Work) {
    let mut used: BTreeSet<String> = BTreeSet::new();
    for ix in work.all() {
        let parts: Vec<PartDraft> = work.draft(ix).parts.iter().filter(|part| part.section == "scripts").cloned().collect();
        for part in parts {
            script(work, Some(ix), &part, &mut used);
        }
    }
    let intake = work.intake;
    for document in intake.documents.iter().filter(|document| document.kind.name == "script" && document.node.get("for").is_none()) {
        let part = PartDraft {
            section: "scripts",
            node: document.node.clone(),
            package: document.package.clone().unwrap_or_else(|| super::layers::SITE.to_owned()),
            folder: document.folder.clone(),
            path: document.path.clone(),
        };
        script(work, None, &part, &mut used);
    }
    for ix in work.all() {
        let mut order = work.entity(ix).scripts.clone();
        order.sort_by_key(|at| (work.catalog.scripts[*at].priority, *at));
        work.entity_mut(ix).scripts = order;
    }
    unused(work, &used);
}

fn script(work: &mut Work, entity: Option<EntityIx>, part: &PartDraft, used: &mut BTreeSet<String>) {
    let node = &part.node;
    let Some(id_node) = node.get("id") else { return };
    let Some(name) = id_node.as_text() else { return };
    let id = format!("{}.{name}", part.package);
    if work.catalog.scripts.iter().any(|script| script.id == id) {
        let fault = Diagnostic::error("DEF201", &id_node.place, format!("the script `{id}` is defined twice"))
            .hint("a script's id is unique in its package: give one of the two another id");
        work.fault(fault);
        return;
    }
    let Some((file, source)) = source(work, part, used) else { return };
    let Some(trigger) = trigger(work, entity, node) else { return };
    let watch = match entity {
        Some(ix) => {
            let items: Vec<Node> = node.get("watch").map(|list| list.items().to_vec()).unwrap_or_default();
            items.iter().filter_map(|item| work.find_field(item, item.as_text()?, ix)).collect()
        }
        None => Vec::new(),
    };
    let when = entity.and_then(|ix| condition(work, node.get("when"), ix, true));
    let limits = node.get("limits");
    let limit = |key: &str| limits.and_then(|limits| limits.int(key)).and_then(|number| u64::try_from(number).ok()).unwrap_or(0);
    let uid = uids::named(work, BindingKind::Script, &id, node.text("uid"));
    work.places.insert(uid.clone(), id_node.place.clone());
    let position = work.catalog.scripts.len();
    work.catalog.scripts.push(Script {
        uid,
        id,
        package: part.package.clone(),
        file,
        source,
        entity,
        trigger,
        watch,
        when,
        priority: node.int("priority").and_then(|number| i32::try_from(number).ok()).unwrap_or(0),
        limits: ScriptLimits { operations: limit("ops"), wall_ms: limit("ms") },
    });
    if let Some(ix) = entity {
        work.entity_mut(ix).scripts.push(position);
    }
}

fn source(work: &mut Work, part: &PartDraft, used: &mut BTreeSet<String>) -> Option<(String, String)> {
    if let Some(source) = part.node.get("source") {
        let text = source.as_text()?.to_owned();
        return Some((part.path.clone(), text));
    }
    let Some(file) = part.node.get("file") else {
        let place = part.node.get("id").map_or(&part.node.place, |id| &id.place).clone();
        work.fault(
            Diagnostic::error("DEF105", &place, "a script needs `file` or `source`").hint("name its rhai file: `file: scripts/check.rhai`"),
        );
        return None;
    };
    let name = file.as_text()?;
    let beside = part.path.rsplit_once('/').map_or("", |(folder, _)| folder);
    for folder in [part.folder.as_str(), beside] {
        let path = if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
        if let Some(text) = work.intake.scripts.get(&path) {
            used.insert(path.clone());
            return Some((path, text.clone()));
        }
    }
    let known: Vec<String> =
        work.intake.scripts.keys().map(|path| path.strip_prefix(&format!("{}/", part.folder)).unwrap_or(path).to_owned()).collect();
    let fault = Diagnostic::error("DEF405", &file.place, format!("there is no file `{name}` in the package's folder"))
        .near(nearest(name, known.iter().map(String::as_str)))
        .hint("the path is relative to the folder of package.yaml");
    work.fault(fault);
    None
}

fn trigger(work: &mut Work, entity: Option<EntityIx>, node: &Node) -> Option<Trigger> {
    let written = node.get("trigger")?;
    if let Some(cron) = written.get("schedule") {
        let text = cron_line(work, cron)?;
        let zone = zone(work, written)?;
        let missed = written.text("missed").and_then(Missed::parse).unwrap_or_default();
        return Some(Trigger::Schedule { cron: text, zone, missed });
    }
    let trigger = match written.as_text()? {
        "before_save" => Trigger::BeforeSave,
        "before_delete" => Trigger::BeforeDelete,
        "after_write" => Trigger::AfterWrite,
        "after_commit" => Trigger::AfterCommit,
        // The button that names the script puts its id in.
        "button" => Trigger::Button(String::new()),
        "automation" => Trigger::Automation,
        _ => return None,
    };
    if entity.is_none() {
        let fault = Diagnostic::error("DEF406", &written.place, "a script on an event of records needs an entity")
            .hint("say which: `for: crm.deal`; a script without one runs on a schedule: `trigger: {schedule: \"0 8 * * 1-5\"}`");
        work.fault(fault);
        return None;
    }
    Some(trigger)
}

/// A line of cron fields.
pub(super) fn cron_line(work: &mut Work, cron: &Node) -> Option<String> {
    let text = cron.as_text()?;
    if text.split_whitespace().count() != 5 && text.split_whitespace().count() != 6 {
        cron_fault(work, cron, text, "a schedule has five fields: minute, hour, day, month, weekday");
        return None;
    }
    if let Err(error) = croner::parser::CronParser::builder().seconds(croner::parser::Seconds::Optional).build().parse(text) {
        cron_fault(work, cron, text, &error.to_string());
        return None;
    }
    Some(text.to_owned())
}

/// The zone a trigger names, or the workspace's.
pub(super) fn zone(work: &mut Work, written: &Node) -> Option<String> {
    match written.get("tz") {
        Some(zone) => {
            super::settings::time_zone(work, zone)?;
            Some(zone.as_text()?.to_owned())
        }
        None => Some(work.catalog.settings.time_zone_name.clone()),
    }
}

fn cron_fault(work: &mut Work, node: &Node, text: &str, why: &str) {
    let fault =
        Diagnostic::error("DEF408", &node.place, format!("`{text}` is not a schedule: {}", why.to_lowercase().trim_end_matches('.')))
            .hint("five fields: minute, hour, day of month, month, weekday; `0 8 * * 1-5` is eight o'clock on working days");
    work.fault(fault);
}

fn unused(work: &mut Work, used: &BTreeSet<String>) {
    let intake = work.intake;
    for path in intake.scripts.keys().filter(|path| !used.contains(*path)) {
        let place = crate::schema::Place::top(&std::sync::Arc::from(path.as_str()));
        work.fault(
            Diagnostic::warning("DEF902", &place, "no definition names this script: it never runs")
                .hint("name it in `scripts:` of an entity, or in a document of `kind: script`"),
        );
    }
}
