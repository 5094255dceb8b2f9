//! What starts an automation: an event of a record, the clock, another automation.

use super::email::find_survey;
use super::values::type_of;
use crate::base::{EntityIx, FieldIx};
use crate::expr::Type;
use crate::schema::catalog::{Answered, Clock, FieldType, Missed, Received, Shift, Start, Taken, TakenFrom};
use crate::schema::diagnostic::{Diagnostic, nearest};
use crate::schema::field_type;
use crate::schema::node::{Key, Node, NodeKind, Style};
use crate::schema::resolve::{Work, clocks, scripts};

/// Records that one time of the clock starts it for, where nothing is said.
const RECORDS: u32 = 1_000;

pub(super) fn start(work: &mut Work, node: &Node, entity: EntityIx, package: &str) -> Option<Start> {
    let written = node.get("trigger")?;
    let event = written.text("event")?.to_owned();
    for (key, _) in written.entries() {
        let fits = match key.text.as_str() {
            "watch" => event == "updated",
            "pipeline" | "from" | "to" => event == "stage",
            "cron" | "missed" => event == "schedule",
            "field" | "days" | "hours" | "at" => event == "due",
            "clock" | "before" | "after" => event == "clock",
            "survey" => event == "answered",
            "match" | "values" => event == "received",
            "tz" => matches!(event.as_str(), "schedule" | "due"),
            "limit" => matches!(event.as_str(), "schedule" | "due" | "clock"),
            _ => true,
        };
        if !fits {
            let fault = Diagnostic::error("DEF366", &key.place, format!("`{}` has no meaning for the event `{event}`", key.text))
                .hint("`watch` belongs to `updated`; `pipeline`, `from`, `to` to `stage`; `cron`, `missed` to `schedule`; `field`, `days`, `hours`, `at` to `due`; `clock`, `before`, `after` to `clock`; `survey` to `answered`; `match`, `values` to `received`");
            work.fault(fault);
        }
    }
    Some(match event.as_str() {
        "created" => Start::Created,
        "deleted" => Start::Deleted,
        "updated" => {
            let items: Vec<Node> = written.get("watch").map(|list| list.items().to_vec()).unwrap_or_default();
            let watch: Vec<_> = items.iter().filter_map(|item| watched(work, item, entity)).collect();
            if watch.len() < items.len() {
                return None;
            }
            Start::Updated { watch }
        }
        "stage" => stage(work, written, entity)?,
        "schedule" => schedule(work, written)?,
        "due" => due(work, written, entity)?,
        "clock" => clock(work, written, entity)?,
        "answered" => answered(work, written, entity, package)?,
        "received" => received(work, written, entity)?,
        "called" => Start::Called,
        _ => return None,
    })
}

/// A field that somebody or the program writes: of others no change is ever told.
fn watched(work: &mut Work, item: &Node, entity: EntityIx) -> Option<FieldIx> {
    let ix = work.find_field(item, item.as_text()?, entity)?;
    let found = work.entity(entity).field(ix);
    let why = match &found.ty {
        FieldType::Formula { stored: false, .. } | FieldType::Rollup { stored: false, .. } | FieldType::Lookup { .. } => {
            "is computed whenever it is read"
        }
        FieldType::Children { .. } => "is a list of records, which change on their own",
        _ if found.is_system
            && matches!(found.name.as_str(), "id" | "version" | "created_at" | "created_by" | "updated_at" | "updated_by") =>
        {
            "is set with every change"
        }
        _ => return Some(ix),
    };
    let fault = Diagnostic::error("DEF379", &item.place, format!("`{}` {why}: nothing ever begins with a change of it", found.name))
        .hint("watch the fields that it is computed from; of a list, make an automation of its records");
    work.fault(fault);
    None
}

fn limit(written: &Node) -> u32 {
    written.int("limit").and_then(|number| u32::try_from(number).ok()).unwrap_or(RECORDS)
}

fn needed(work: &mut Work, written: &Node, event: &str, key: &str, hint: &str) {
    let place = written.get("event").map_or(&written.place, |node| &node.place).clone();
    work.fault(Diagnostic::error("DEF360", &place, format!("the event `{event}` needs `{key}`")).hint(hint.to_owned()));
}

fn schedule(work: &mut Work, written: &Node) -> Option<Start> {
    let Some(cron) = written.get("cron") else {
        needed(work, written, "schedule", "cron", "five fields: `cron: \"0 8 * * 1-5\"` is eight o'clock on working days");
        return None;
    };
    let cron = scripts::cron_line(work, cron)?;
    let zone = scripts::zone(work, written)?;
    let missed = written.text("missed").and_then(Missed::parse).unwrap_or_default();
    Some(Start::Schedule { clock: Clock { cron, zone, missed }, limit: limit(written) })
}

/// A date is reached at a time of its day, a moment within five minutes.
fn due(work: &mut Work, written: &Node, entity: EntityIx) -> Option<Start> {
    let Some(node) = written.get("field") else {
        needed(work, written, "due", "field", "name a date or date-time of the record: `field: close_on`");
        return None;
    };
    let field = work.find_field(node, node.as_text()?, entity)?;
    let days = written.int("days").unwrap_or(0);
    let zone = scripts::zone(work, written)?;
    let found = work.entity(entity).field(field);
    let (cron, shift) = match &found.ty {
        FieldType::Date { .. } => {
            let (hour, minute) = match written.get("at") {
                Some(at) => match clock_time(at.as_text().unwrap_or_default()) {
                    Some(time) => time,
                    None => {
                        let fault =
                            Diagnostic::error("DEF369", &at.place, "this is no time of a day").hint("write hours and minutes: `08:30`");
                        work.fault(fault);
                        return None;
                    }
                },
                None => (0, 0),
            };
            (format!("{minute} {hour} * * *"), Shift::Days { days, minute: hour * 60 + minute })
        }
        FieldType::DateTime => ("*/5 * * * *".to_owned(), Shift::Seconds(days * 86_400 + written.int("hours").unwrap_or(0) * 3_600)),
        other => {
            let message = format!("`{}` is a field of type `{}`: it is never reached", found.name, field_type::type_name(other));
            work.fault(Diagnostic::error("DEF368", &node.place, message).hint("name a field of type `date` or `datetime`"));
            return None;
        }
    };
    Some(Start::Due { clock: Clock { cron, zone, missed: Missed::Once }, field, shift, limit: limit(written) })
}

/// Looked for each minute.
fn clock(work: &mut Work, written: &Node, entity: EntityIx) -> Option<Start> {
    let Some(node) = written.get("clock") else {
        needed(work, written, "clock", "clock", "name a service clock of the entity: `clock: response`");
        return None;
    };
    let name = node.as_text()?;
    let found = work.entity(entity);
    let Some(service) = found.clocks.iter().find(|clock| clock.id == name).cloned() else {
        let known: Vec<&str> = found.clocks.iter().map(|clock| clock.id.as_str()).collect();
        let hint = if known.is_empty() { "give it `clocks`".to_owned() } else { format!("clocks: {}", known.join(", ")) };
        let fault = Diagnostic::error("DEF437", &node.place, format!("`{}` has no service clock `{name}`", found.id));
        work.fault(fault.near(nearest(name, known)).hint(hint));
        return None;
    };
    if let (Some(_), Some((key, _))) = (written.get("before"), written.entry("after")) {
        let fault = Diagnostic::error("DEF366", &key.place, "an automation begins before the time is over, or after it");
        work.fault(fault.hint("keep one of `before` and `after`, and write another automation for the other"));
        return None;
    }
    let mut shift = 0;
    for (key, sign) in [("before", -1), ("after", 1)] {
        let Some(time) = written.get(key) else { continue };
        let Some(seconds) = time.scalar_text().as_deref().and_then(clocks::seconds) else {
            let fault =
                Diagnostic::error("DEF434", &time.place, format!("`{}` is no working time", time.scalar_text().unwrap_or_default()));
            work.fault(fault.hint("write hours and minutes: `4h`, `30m`, `1h30m`"));
            return None;
        };
        shift = sign * seconds;
    }
    let clock = Clock { cron: "* * * * *".to_owned(), zone: "UTC".to_owned(), missed: Missed::Once };
    Some(Start::Clock { clock, fields: service.fields, calendar: service.calendar, shift, limit: limit(written) })
}

fn answered(work: &mut Work, written: &Node, entity: EntityIx, package: &str) -> Option<Start> {
    let Some(node) = written.get("survey") else {
        needed(work, written, "answered", "survey", "name a survey about the entity: `survey: satisfaction`");
        return None;
    };
    let name = node.as_text()?;
    let id = if name.contains('.') { name.to_owned() } else { format!("{package}.{name}") };
    let id = find_survey(work, node, entity, &id)?;
    let survey = work.catalog.surveys.iter().find(|survey| survey.id == id)?;
    Some(Start::Answered(Answered { survey: survey.key.clone(), answers: survey.answers, about: survey.about, fields: survey.fields }))
}

fn received(work: &mut Work, written: &Node, entity: EntityIx) -> Option<Start> {
    if written.get("values").is_none_or(|values| values.entries().is_empty()) {
        needed(work, written, "received", "values", "say what a message tells of the record: `values: {name: customer.name}`");
        return None;
    }
    let mut take = |key: &str| -> Option<Vec<Taken>> {
        let entries = written.get(key).map(|map| map.entries().to_vec()).unwrap_or_default();
        let found: Vec<Taken> = entries.iter().filter_map(|(name, item)| taken(work, name, item, entity, key == "match")).collect();
        (found.len() == entries.len()).then_some(found)
    };
    let (matching, values) = (take("match"), take("values"));
    Some(Start::Received(Received { matching: matching?, values: values? }))
}

fn taken(work: &mut Work, name: &Key, item: &Node, entity: EntityIx, is_key: bool) -> Option<Taken> {
    let named = Node { kind: NodeKind::Text(name.text.clone()), place: name.place.clone(), style: Style::Plain };
    let field = work.find_field(&named, &name.text, entity)?;
    let found = work.entity(entity).field(field).clone();
    let is_written = !found.read_only && (!found.is_system || found.name == "owner");
    let is_many =
        matches!(found.ty, FieldType::Children { .. } | FieldType::Links { .. } | FieldType::File { .. } | FieldType::Image { .. });
    let ty = type_of(work, entity, &found);
    if !is_written || is_many || is_key && ty.is_none() {
        let fault = Diagnostic::error("DEF363", &name.place, format!("`{}` takes nothing from a message", found.name));
        work.fault(fault.hint("name a field with a value of its own, which somebody could write"));
        return None;
    }
    let from = match (item.as_text(), item.get("value")) {
        (Some(path), _) if !path.is_empty() && path.split('.').all(|part| !part.trim().is_empty()) => {
            TakenFrom::Path(path.split('.').map(str::to_owned).collect())
        }
        (None, Some(value)) if !is_key => TakenFrom::Plain(value.to_json()),
        _ => {
            let fault = Diagnostic::error("DEF447", &item.place, "this is no place in a message");
            work.fault(
                fault.hint("write names and numbers with dots between them, `order.lines.0.sku`; a value of its own is `{value: web}`"),
            );
            return None;
        }
    };
    if let TakenFrom::Plain(value) = &from
        && let Err(fault) = field_type::parse_json(&work.catalog, &found, value)
    {
        let message = format!("the value of `{}` does not fit: {}", found.name, fault.message);
        work.fault(Diagnostic::error("DEF309", &item.place, message));
        return None;
    }
    Some(Taken { field, ty: ty.unwrap_or(Type::Json), from })
}

fn clock_time(text: &str) -> Option<(i64, i64)> {
    let (hour, minute) = text.split_once(':')?;
    let number = |part: &str, most: i64| part.parse::<i64>().ok().filter(|number| (0..=most).contains(number) && part.len() == 2);
    Some((number(hour, 23)?, number(minute, 59)?))
}

fn stage(work: &mut Work, written: &Node, entity: EntityIx) -> Option<Start> {
    let found = work.entity(entity);
    let known: Vec<String> = found.pipelines.iter().map(|pipeline| pipeline.id.clone()).collect();
    let at = match written.text("pipeline") {
        Some(name) => known.iter().position(|id| id == name),
        None if known.len() == 1 => Some(0),
        None => None,
    };
    let Some(at) = at else {
        let place = written.get("pipeline").or(written.get("event")).map_or(&written.place, |node| &node.place).clone();
        let (message, hint) = match (written.text("pipeline"), known.is_empty()) {
            (_, true) => (format!("`{}` has no pipeline, so no stages", found.id), "give it `pipelines`".to_owned()),
            (Some(name), _) => (format!("`{}` has no pipeline `{name}`", found.id), format!("pipelines: {}", known.join(", "))),
            (None, _) => (format!("`{}` has several pipelines", found.id), format!("say which one: `pipeline: {}`", known[0])),
        };
        let near = written.text("pipeline").and_then(|name| nearest(name, known.iter().map(String::as_str)));
        work.fault(Diagnostic::error("DEF364", &place, message).near(near).hint(hint));
        return None;
    };
    let pipeline = found.pipelines[at].clone();
    let keys: Vec<&str> = pipeline.stages.iter().map(|stage| stage.key.as_str()).collect();
    let mut stages = |key: &str| -> Option<Vec<String>> {
        let items: Vec<Node> = written.get(key).map(|node| node.one_or_many().into_iter().cloned().collect()).unwrap_or_default();
        let mut named = Vec::new();
        for item in &items {
            let name = item.as_text()?;
            if !keys.contains(&name) {
                let fault = Diagnostic::error("DEF349", &item.place, format!("the pipeline has no stage `{name}`"))
                    .near(nearest(name, keys.iter().copied()))
                    .hint(format!("stages: {}", keys.join(", ")));
                work.fault(fault);
                return None;
            }
            named.push(name.to_owned());
        }
        Some(named)
    };
    let (from, to) = (stages("from"), stages("to"));
    Some(Start::Stage { field: pipeline.field, from: from?, to: to? })
}
