//! Automations: names of fields, stages, roles and scripts are found, expressions compiled, steps put in one list.

use std::collections::BTreeMap;

use super::expressions::{condition, value};
use super::{Work, labels};
use crate::base::EntityIx;
use crate::expr::{Expected, FieldKind, Scope, Type, Typed};
use crate::schema::catalog::{Act, Automation, Clock, Field, FieldType, Given, GivenValue, Missed, RunAs, Shift, Start, Step, Trigger};
use crate::schema::diagnostic::{Diagnostic, nearest};
use crate::schema::field_type;
use crate::schema::intake::Document;
use crate::schema::node::{Node, NodeKind, Style};
use crate::schema::scope::{CatalogScope, expr_type};
use crate::schema::source::Place;

/// Runs that may begin in a minute where nothing is said.
const MOST_PER_MINUTE: u32 = 1_000;
/// Records one `update` changes where nothing is said.
const LIMIT: u32 = 100;
/// Steps of one automation, and how deep branches stand in one another.
const MOST_STEPS: usize = 200;
const DEEPEST: usize = 8;

/// What each kind of step needs and may have besides.
const KEYS: [(&str, &[&str], &[&str]); 9] = [
    ("set", &["values"], &[]),
    ("create", &["entity", "values"], &[]),
    ("task", &["values"], &["due_in"]),
    ("update", &["entity", "values"], &["match", "where", "limit"]),
    ("script", &["script"], &[]),
    ("branch", &["if", "then"], &["else"]),
    ("wait", &["time"], &[]),
    ("wait_for", &["if", "time"], &["else"]),
    ("run", &["automation"], &[]),
];

pub(super) fn build(work: &mut Work) {
    let intake = work.intake;
    let mut seen: BTreeMap<String, Place> = BTreeMap::new();
    for document in intake.documents.iter().filter(|document| document.kind.name == "automation") {
        automation(work, document, &mut seen);
    }
}

fn automation(work: &mut Work, document: &Document, seen: &mut BTreeMap<String, Place>) {
    let node = &document.node;
    let package = document.package.clone().unwrap_or_else(|| super::layers::SITE.to_owned());
    let (Some(id_node), Some(target)) = (node.get("id"), node.get("for")) else { return };
    let Some(name) = id_node.as_text() else { return };
    let id = format!("{package}.{name}");
    if let Some(first) = seen.get(&id) {
        let fault = Diagnostic::error("DEF201", &id_node.place, format!("the automation `{id}` is defined twice"))
            .label(first, "first here")
            .hint("give one of the two another id");
        work.fault(fault);
        return;
    }
    seen.insert(id.clone(), id_node.place.clone());
    let Some(entity) = work.find_entity(target, &package) else { return };
    let Some(start) = start(work, node, entity) else { return };
    let is_timed = matches!(start, Start::Schedule { .. } | Start::Due { .. });
    // Records are found by it then, and there is no former one.
    let when = condition(work, node.get("when"), entity, !is_timed);
    if is_timed && node.get("run_as").is_none() {
        let place = node.get("trigger").and_then(|trigger| trigger.get("event")).map_or(&node.place, |event| &event.place).clone();
        let fault = Diagnostic::error("DEF367", &place, "nobody's rights are known when the clock starts it")
            .hint("say with which roles it runs: `run_as: [sales_rep]`");
        work.fault(fault);
    }
    let roles = super::pipelines::roles(work, node.get("run_as"));
    let mut list = List { entity, package, is_gone: start == Start::Deleted, steps: Vec::new(), ids: BTreeMap::new() };
    let items: Vec<Node> = node.get("steps").map(|steps| steps.items().to_vec()).unwrap_or_default();
    if items.is_empty() {
        let place = node.entry("steps").map_or(&node.place, |(key, _)| &key.place).clone();
        work.fault(Diagnostic::error("DEF113", &place, format!("the automation `{name}` does nothing")).hint("give it at least one step"));
    }
    list.block(work, &items, "", None, 0);
    let uid = format!("automation/{id}");
    work.places.insert(uid.clone(), id_node.place.clone());
    let steps = list.steps;
    work.catalog.automations.add(Automation {
        uid,
        label: labels::of(node.get("label")).unwrap_or_else(|| labels::from_name(name)),
        id,
        entity,
        start,
        when,
        when_text: node.get("when").and_then(Node::scalar_text).unwrap_or_default(),
        run_as: if node.get("run_as").is_some() { RunAs::Roles(roles) } else { RunAs::Caller },
        most_per_minute: node.int("per_minute").and_then(|number| u32::try_from(number).ok()).unwrap_or(MOST_PER_MINUTE),
        steps,
    });
}

fn start(work: &mut Work, node: &Node, entity: EntityIx) -> Option<Start> {
    let written = node.get("trigger")?;
    let event = written.text("event")?.to_owned();
    for (key, _) in written.entries() {
        let fits = match key.text.as_str() {
            "watch" => event == "updated",
            "pipeline" | "from" | "to" => event == "stage",
            "cron" | "missed" => event == "schedule",
            "field" | "days" | "hours" | "at" => event == "due",
            "tz" | "limit" => matches!(event.as_str(), "schedule" | "due"),
            _ => true,
        };
        if !fits {
            let fault = Diagnostic::error("DEF366", &key.place, format!("`{}` has no meaning for the event `{event}`", key.text))
                .hint("`watch` belongs to `updated`; `pipeline`, `from`, `to` to `stage`; `cron`, `missed` to `schedule`; `field`, `days`, `hours`, `at` to `due`");
            work.fault(fault);
        }
    }
    Some(match event.as_str() {
        "created" => Start::Created,
        "deleted" => Start::Deleted,
        "updated" => {
            let items: Vec<Node> = written.get("watch").map(|list| list.items().to_vec()).unwrap_or_default();
            let watch: Vec<_> = items.iter().filter_map(|item| work.find_field(item, item.as_text()?, entity)).collect();
            if watch.len() < items.len() {
                return None;
            }
            Start::Updated { watch }
        }
        "stage" => stage(work, written, entity)?,
        "schedule" => schedule(work, written)?,
        "due" => due(work, written, entity)?,
        "called" => Start::Called,
        _ => return None,
    })
}

/// Records that one time of the clock starts it for, where nothing is said.
const RECORDS: u32 = 1_000;

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
    let cron = super::scripts::cron_line(work, cron)?;
    let zone = super::scripts::zone(work, written)?;
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
    let zone = super::scripts::zone(work, written)?;
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

fn clock_time(text: &str) -> Option<(i64, i64)> {
    let (hour, minute) = text.split_once(':')?;
    let number = |part: &str, most: i64| part.parse::<i64>().ok().filter(|number| (0..=most).contains(number) && part.len() == 2);
    Some((number(hour, 23)?, number(minute, 59)?))
}

/// `30d`, `12h`, `45m` in seconds; at most ten years.
fn seconds(text: &str) -> Option<i64> {
    let unit = match text.chars().last()? {
        'd' => 86_400,
        'h' => 3_600,
        'm' => 60,
        _ => return None,
    };
    let number: i64 = text[..text.len() - 1].parse().ok()?;
    (1..=3_650 * 86_400 / unit).contains(&number).then_some(number * unit)
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

/// The steps of one automation as they are put in a list.
struct List {
    entity: EntityIx,
    package: String,
    /// The record is gone when the steps run.
    is_gone: bool,
    steps: Vec<Step>,
    ids: BTreeMap<String, Place>,
}

impl List {
    /// Adds the steps of a block; after the last one the run goes on at `after`. Gives where the block begins.
    fn block(&mut self, work: &mut Work, items: &[Node], path: &str, after: Option<usize>, depth: usize) -> Option<usize> {
        let mut begin = None;
        let mut before: Option<usize> = None;
        for (number, item) in items.iter().enumerate() {
            let path = format!("{path}{}", number + 1);
            if depth > DEEPEST || self.steps.len() >= MOST_STEPS {
                let fault = Diagnostic::error("DEF113", &item.place, "more steps than one automation may have")
                    .hint(format!("at most {MOST_STEPS} steps, at most {DEEPEST} branches inside one another: make two automations of it"));
                work.fault(fault);
                return begin;
            }
            let Some(id) = self.id(work, item, &path) else { continue };
            let Some(act) = self.act(work, item) else { continue };
            let at = self.steps.len();
            self.steps.push(Step { id, act, next: after });
            if let Some(before) = before {
                self.lead(before, at, after);
            }
            begin = begin.or(Some(at));
            if matches!(self.steps[at].act, Act::Branch { .. } | Act::WaitFor { .. }) {
                self.branch(work, item, &path, at, depth);
            }
            before = Some(at);
        }
        begin
    }

    /// What came after the step, and after the steps inside of it, is `to` now.
    fn lead(&mut self, step: usize, to: usize, former: Option<usize>) {
        for at in step..to {
            let found = &mut self.steps[at];
            if found.next == former {
                found.next = Some(to);
            }
            if let Act::Branch { otherwise, .. } | Act::WaitFor { otherwise, .. } = &mut found.act
                && *otherwise == former
            {
                *otherwise = Some(to);
            }
        }
    }

    fn branch(&mut self, work: &mut Work, item: &Node, path: &str, at: usize, depth: usize) {
        let after = self.steps[at].next;
        let items = |key: &str| item.get(key).map(|steps| steps.items().to_vec()).unwrap_or_default();
        if let Some(begin) = self.block(work, &items("then"), &format!("{path}_then_"), after, depth + 1) {
            self.steps[at].next = Some(begin);
        }
        let begin = self.block(work, &items("else"), &format!("{path}_else_"), after, depth + 1);
        if let Act::Branch { otherwise, .. } | Act::WaitFor { otherwise, .. } = &mut self.steps[at].act {
            *otherwise = begin.or(after);
        }
    }

    fn id(&mut self, work: &mut Work, item: &Node, path: &str) -> Option<String> {
        let (id, place) = match item.get("id") {
            Some(node) => (node.as_text()?.to_owned(), node.place.clone()),
            None => (format!("step_{path}"), item.place.clone()),
        };
        if let Some(first) = self.ids.get(&id) {
            let fault = Diagnostic::error("DEF201", &place, format!("the step `{id}` is defined twice"))
                .label(first, "first here")
                .hint("give one of the two another id");
            work.fault(fault);
            return None;
        }
        self.ids.insert(id.clone(), place);
        Some(id)
    }

    fn act(&mut self, work: &mut Work, item: &Node) -> Option<Act> {
        let word = item.text("do")?;
        let (_, needed, possible) = KEYS.iter().find(|(known, ..)| *known == word)?;
        for (key, _) in item.entries() {
            let name = key.text.as_str();
            if !matches!(name, "id" | "do") && !needed.contains(&name) && !possible.contains(&name) {
                let all: Vec<&str> = needed.iter().chain(possible.iter()).copied().collect();
                let fault = Diagnostic::error("DEF361", &key.place, format!("`{name}` has no meaning for a step that does `{word}`"))
                    .hint(format!("it has {}", all.join(", ")));
                work.fault(fault);
            }
        }
        if let Some(missing) = needed.iter().find(|name| item.get(name).is_none()) {
            let place = item.get("do").map_or(&item.place, |node| &node.place).clone();
            let fault = Diagnostic::error("DEF360", &place, format!("a step that does `{word}` needs `{missing}`")).hint(format!(
                "a step that does `{word}` has {}",
                needed.iter().chain(possible.iter()).copied().collect::<Vec<_>>().join(", ")
            ));
            work.fault(fault);
            return None;
        }
        let own = self.entity;
        match word {
            "set" if self.is_gone => {
                let place = item.get("do").map_or(&item.place, |node| &node.place).clone();
                let fault = Diagnostic::error("DEF362", &place, "the record is deleted when this runs: it cannot be changed")
                    .hint("use `create` or `update` for other records; expressions still see what the record was");
                work.fault(fault);
                None
            }
            "set" => Some(Act::Set(self.given(work, item.get("values")?, own)?)),
            "create" => {
                let entity = work.find_entity(item.get("entity")?, &self.package)?;
                Some(Act::Create { entity, values: self.given(work, item.get("values")?, entity)? })
            }
            "task" => self.task(work, item),
            "update" => {
                let entity = work.find_entity(item.get("entity")?, &self.package)?;
                let matching = match item.get("match") {
                    Some(node) => self.given_for(work, node, entity, false)?,
                    None => Vec::new(),
                };
                let filter = condition(work, item.get("where"), entity, false);
                if item.get("where").is_some() && filter.is_none() {
                    return None;
                }
                if matching.is_empty() && filter.is_none() {
                    let place = item.get("do").map_or(&item.place, |node| &node.place).clone();
                    let fault = Diagnostic::error("DEF360", &place, "a step that does `update` needs `match` or `where`")
                        .hint("say which records: `match: {account: \"=account\"}`; all there are is `where: \"true\"`");
                    work.fault(fault);
                    return None;
                }
                let values = self.given(work, item.get("values")?, entity)?;
                let limit = item.int("limit").and_then(|number| u32::try_from(number).ok()).unwrap_or(LIMIT);
                Some(Act::Update { entity, matching, filter, values, limit })
            }
            "script" => self.script(work, item.get("script")?).map(Act::Script),
            "wait" => Some(Act::Wait(self.time(work, item)?)),
            "wait_for" => {
                let condition = condition(work, item.get("if"), own, true);
                let seconds = self.time(work, item);
                Some(Act::WaitFor { condition: condition?, seconds: seconds?, otherwise: None })
            }
            "run" => self.called(work, item.get("automation")?).map(Act::Run),
            _ => {
                let condition = condition(work, item.get("if"), own, true)?;
                Some(Act::Branch { condition, otherwise: None })
            }
        }
    }

    /// A record of `core.task`: due in some days, about the record where tasks can be.
    fn task(&mut self, work: &mut Work, item: &Node) -> Option<Act> {
        let Some(entity) = work.lookup_entity("core.task", &self.package) else {
            let place = item.get("do").map_or(&item.place, |node| &node.place).clone();
            work.fault(
                Diagnostic::error("DEF206", &place, "there are no tasks: the entity `core.task` is missing")
                    .hint("bring the package `core`"),
            );
            return None;
        };
        let mut values = self.given(work, item.get("values")?, entity)?;
        if let (Some(days), Some(due)) = (item.int("due_in"), work.entity(entity).find_field("due_on")) {
            let (field, ty) = (due.ix, Type::Date);
            let text = format!("=today() + {days}");
            let node = Node { kind: NodeKind::Text(text), place: item.place.clone(), style: Style::Plain };
            let typed = value(work, &node, self.entity, &Expected::Value(ty.clone()))?;
            values.push(Given { field, ty, value: GivenValue::Expr(typed) });
        }
        let about = work.entity(entity).find_field("about").filter(|_| !self.is_gone);
        if let Some(Field { ix, ty: FieldType::AnyLink { to, .. }, .. }) = about
            && to.contains(&self.entity)
            && !values.iter().any(|given| given.field == *ix)
        {
            let (field, ty) = (*ix, Type::Link(to.clone()));
            let node = Node { kind: NodeKind::Text("=id".to_owned()), place: item.place.clone(), style: Style::Plain };
            let typed = value(work, &node, self.entity, &Expected::Value(Type::Link(vec![self.entity])))?;
            values.push(Given { field, ty, value: GivenValue::Expr(typed) });
        }
        Some(Act::Create { entity, values })
    }

    fn script(&mut self, work: &mut Work, node: &Node) -> Option<usize> {
        let name = node.as_text()?;
        let id = if name.contains('.') { name.to_owned() } else { format!("{}.{name}", self.package) };
        let fits = |script: &crate::schema::catalog::Script| script.trigger == Trigger::Automation && script.entity == Some(self.entity);
        if let Some(at) = work.catalog.scripts.iter().position(|script| script.id == id && fits(script)) {
            return Some(at);
        }
        let known: Vec<String> = work.catalog.scripts.iter().filter(|script| fits(script)).map(|script| script.id.clone()).collect();
        let entity = work.entity(self.entity).id.clone();
        let fault = Diagnostic::error("DEF365", &node.place, format!("`{entity}` has no script `{name}` for automations"))
            .near(nearest(&id, known.iter().map(String::as_str)))
            .hint("it stands in `scripts` of the entity with `trigger: automation`");
        work.fault(fault);
        None
    }

    fn time(&self, work: &mut Work, item: &Node) -> Option<i64> {
        let node = item.get("time")?;
        let found = seconds(node.as_text()?);
        if found.is_none() {
            let fault = Diagnostic::error("DEF369", &node.place, format!("`{}` is no time to wait", node.as_text().unwrap_or_default()))
                .hint("write days, hours or minutes, at most ten years: `30d`, `12h`, `45m`");
            work.fault(fault);
        }
        found
    }

    /// The automation that another one begins: of the same entity, started by nothing else.
    fn called(&self, work: &mut Work, node: &Node) -> Option<String> {
        let name = node.as_text()?;
        let id = if name.contains('.') { name.to_owned() } else { format!("{}.{name}", self.package) };
        let intake = work.intake;
        let mut known = Vec::new();
        for document in intake.documents.iter().filter(|document| document.kind.name == "automation") {
            let package = document.package.clone().unwrap_or_else(|| super::layers::SITE.to_owned());
            let is_called = document.node.get("trigger").and_then(|trigger| trigger.text("event")) == Some("called");
            let entity = document.node.text("for").and_then(|name| work.lookup_entity(name, &package));
            if let Some(other) = document.node.text("id").filter(|_| is_called && entity == Some(self.entity)) {
                known.push(format!("{package}.{other}"));
            }
        }
        if known.contains(&id) {
            return Some(id);
        }
        let entity = work.entity(self.entity).id.clone();
        let fault = Diagnostic::error("DEF370", &node.place, format!("`{entity}` has no automation `{name}` that others can begin"))
            .near(nearest(&id, known.iter().map(String::as_str)))
            .hint("it says `trigger: {event: called}` and is for the same entity");
        work.fault(fault);
        None
    }

    fn given(&mut self, work: &mut Work, node: &Node, target: EntityIx) -> Option<Vec<Given>> {
        self.given_for(work, node, target, true)
    }

    /// Values by field; `None` when one of them has a fault.
    fn given_for(&mut self, work: &mut Work, node: &Node, target: EntityIx, is_written: bool) -> Option<Vec<Given>> {
        let mut found = Vec::new();
        let mut is_sound = true;
        for (key, item) in node.entries() {
            let named = Node { kind: NodeKind::Text(key.text.clone()), place: key.place.clone(), style: Style::Plain };
            let Some(field) = work.find_field(&named, &key.text, target) else {
                is_sound = false;
                continue;
            };
            match self.one(work, &named, item, target, field, is_written) {
                Some(given) => found.push(given),
                None => is_sound = false,
            }
        }
        is_sound.then_some(found)
    }

    fn one(
        &mut self,
        work: &mut Work,
        key: &Node,
        item: &Node,
        target: EntityIx,
        field: crate::base::FieldIx,
        is_written: bool,
    ) -> Option<Given> {
        let found = work.entity(target).field(field).clone();
        let refused = |why: &str| {
            Diagnostic::error("DEF363", &key.place, format!("`{}` {why}", found.name)).hint("name a field with a value of its own")
        };
        let is_many = matches!(found.ty, FieldType::Children { .. } | FieldType::Links { .. });
        if is_many || is_written && (found.read_only || found.is_system && found.name != "owner") {
            work.fault(refused(if is_many { "is a list of records" } else { "is not written by anybody" }));
            return None;
        }
        let Some(ty) = type_of(work, target, &found) else {
            // What has no type in expressions can still be given as it is written.
            if is_written && !item.as_text().is_some_and(|text| text.starts_with('=')) {
                return self.plain(work, item, &found, Type::Json);
            }
            work.fault(refused("has no value that an expression could give or find"));
            return None;
        };
        if item.as_text().is_none_or(|text| !text.starts_with('=')) {
            return self.plain(work, item, &found, ty);
        }
        let expected = if ty == Type::Bool { Expected::Condition } else { Expected::Value(ty.clone()) };
        let typed: Typed = value(work, item, self.entity, &expected)?;
        Some(Given { field, ty, value: GivenValue::Expr(typed) })
    }

    fn plain(&mut self, work: &mut Work, item: &Node, field: &Field, ty: Type) -> Option<Given> {
        match field_type::parse_json(&work.catalog, field, &item.to_json()) {
            Ok(value) => Some(Given { field: field.ix, ty, value: GivenValue::Plain(value) }),
            Err(fault) => {
                let near = fault.params.get("near").and_then(|near| near.as_str()).map(str::to_owned);
                let message = format!("the value of `{}` does not fit: {}", field.name, fault.message);
                work.fault(Diagnostic::error("DEF309", &item.place, message).near(near).hint("an expression begins with `=`"));
                None
            }
        }
    }
}

/// What a field is to an expression that gives its value; `None` for what none can give.
fn type_of(work: &Work, entity: EntityIx, field: &Field) -> Option<Type> {
    match &field.ty {
        FieldType::Link { to, .. } | FieldType::User { to, .. } => return Some(Type::Link(vec![*to])),
        FieldType::AnyLink { to, .. } => return Some(Type::Link(to.clone())),
        _ => {}
    }
    if field.encrypted || field.is_secret() {
        return None;
    }
    if let Some(scalar) = field_type::scalar_type(&field.ty) {
        return Some(expr_type(scalar));
    }
    match CatalogScope::new(&work.catalog).field(entity, &field.name)?.kind {
        FieldKind::Value(ty) => Some(ty),
        FieldKind::Select(_) => Some(Type::Text),
        _ => None,
    }
}
