//! The steps of one automation, put in one list with the way from each to the next.

use std::collections::BTreeMap;

use crate::base::EntityIx;
use crate::expr::{Expected, Type, Typed};
use crate::schema::catalog::{Act, Field, FieldType, Given, GivenValue, Script, Step, Trigger};
use crate::schema::diagnostic::{Diagnostic, nearest};
use crate::schema::node::{Node, NodeKind, Style};
use crate::schema::resolve::expressions::{condition, value};
use crate::schema::resolve::{Work, approvals, layers};
use crate::schema::shape;
use crate::schema::source::Place;

/// Records one `update` changes where nothing is said.
const LIMIT: u32 = 100;
/// Steps of one automation, and how deep branches stand in one another.
const MOST_STEPS: usize = 200;
const DEEPEST: usize = 8;

/// What each kind of step needs and may have besides.
const KEYS: [(&str, &[&str], &[&str]); 17] = [
    ("set", &["values"], &[]),
    ("create", &["entity", "values"], &[]),
    ("task", &["values"], &["due_in"]),
    ("update", &["entity", "values"], &["match", "where", "limit"]),
    ("loop", &["entity", "automation"], &["match", "where", "limit"]),
    ("assign", &["to"], &["by", "field", "open"]),
    ("notify", &["to", "text"], &[]),
    ("email", &["to", "template"], &["language"]),
    ("survey", &["survey", "to", "template"], &["language"]),
    ("webhook", &["to", "values"], &["type"]),
    ("script", &["script"], &[]),
    ("branch", &["if", "then"], &["else"]),
    ("wait", &["time"], &[]),
    ("wait_for", &["if", "time"], &["else"]),
    ("run", &["automation"], &[]),
    ("approval", &["approval"], &["then", "else"]),
    ("convert", &["conversion"], &[]),
];

/// Records that a step finds.
struct Found {
    entity: EntityIx,
    matching: Vec<Given>,
    filter: Option<Typed>,
    limit: u32,
}

/// The steps of one automation as they are put in a list.
pub(super) struct List {
    pub(super) entity: EntityIx,
    /// Full id of the automation.
    pub(super) automation: String,
    package: String,
    /// The record is gone when the steps run.
    pub(super) is_gone: bool,
    pub(super) steps: Vec<Step>,
    ids: BTreeMap<String, Place>,
}

impl List {
    pub(super) fn new(entity: EntityIx, automation: String, package: String, is_gone: bool) -> Self {
        Self { entity, automation, package, is_gone, steps: Vec::new(), ids: BTreeMap::new() }
    }

    /// Adds the steps of a block; after the last one the run goes on at `after`. Gives where the block begins.
    pub(super) fn block(&mut self, work: &mut Work, items: &[Node], path: &str, after: Option<usize>, depth: usize) -> Option<usize> {
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
            if matches!(self.steps[at].act, Act::Branch { .. } | Act::WaitFor { .. } | Act::Approval { .. }) {
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
            if let Act::Branch { otherwise, .. } | Act::WaitFor { otherwise, .. } | Act::Approval { otherwise, .. } = &mut found.act
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
        if let Act::Branch { otherwise, .. } | Act::WaitFor { otherwise, .. } | Act::Approval { otherwise, .. } = &mut self.steps[at].act {
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
            // What no step has was told with the shape of the document.
            let is_known = shape::kinds::STEP.iter().any(|spec| spec.name == name);
            if is_known && !matches!(name, "id" | "do") && !needed.contains(&name) && !possible.contains(&name) {
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
            "set" | "approval" | "email" | "assign" | "convert" | "survey" if self.is_gone => {
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
                let Found { entity, matching, filter, limit } = self.found(work, item)?;
                let values = self.given(work, item.get("values")?, entity)?;
                Some(Act::Update { entity, matching, filter, values, limit })
            }
            "loop" => {
                let Found { entity, matching, filter, limit } = self.found(work, item)?;
                let automation = called(work, item.get("automation")?, entity, &self.package)?;
                Some(Act::Loop { entity, matching, filter, limit, automation })
            }
            "assign" => self.assign(work, item),
            "notify" => self.notify(work, item),
            "email" => self.email(work, item),
            "survey" => self.survey(work, item),
            "webhook" => self.webhook(work, item),
            "script" => self.script(work, item.get("script")?).map(Act::Script),
            "wait" => Some(Act::Wait(self.time(work, item)?)),
            "wait_for" => {
                let condition = condition(work, item.get("if"), own, true);
                let seconds = self.time(work, item);
                Some(Act::WaitFor { condition: condition?, seconds: seconds?, otherwise: None })
            }
            "approval" => {
                let at = approvals::find(work, own, item.get("approval")?)?;
                let approval = work.entity(own).approvals[at].id.clone();
                Some(Act::Approval { approval, otherwise: None, ends: item.get("else").is_none() })
            }
            "convert" => super::super::conversions::find(work, own, item.get("conversion")?).map(Act::Convert),
            "run" => called(work, item.get("automation")?, own, &self.package).map(Act::Run),
            _ => {
                let condition = condition(work, item.get("if"), own, true)?;
                Some(Act::Branch { condition, otherwise: None })
            }
        }
    }

    /// Which records a step is about.
    fn found(&mut self, work: &mut Work, item: &Node) -> Option<Found> {
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
            let (word, place) = item.get("do").map_or(("", &item.place), |node| (node.as_text().unwrap_or_default(), &node.place));
            let fault = Diagnostic::error("DEF360", place, format!("a step that does `{word}` needs `match` or `where`"))
                .hint("say which records: `match: {account: \"=account\"}`; all there are is `where: \"true\"`");
            work.fault(fault);
            return None;
        }
        let limit = item.int("limit").and_then(|number| u32::try_from(number).ok()).unwrap_or(LIMIT);
        Some(Found { entity, matching, filter, limit })
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

    /// The full id of what a step names.
    pub(super) fn in_package(&self, name: &str) -> String {
        if name.contains('.') { name.to_owned() } else { format!("{}.{name}", self.package) }
    }

    fn script(&mut self, work: &mut Work, node: &Node) -> Option<usize> {
        let name = node.as_text()?;
        let id = self.in_package(name);
        let fits = |script: &Script| script.trigger == Trigger::Automation && script.entity == Some(self.entity);
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
}

/// The automation that something else begins: of the entity, started by nothing else.
pub(in crate::schema::resolve) fn called(work: &mut Work, node: &Node, of: EntityIx, package: &str) -> Option<String> {
    let name = node.as_text()?;
    let id = if name.contains('.') { name.to_owned() } else { format!("{package}.{name}") };
    let intake = work.intake;
    let mut known = Vec::new();
    for document in intake.documents.iter().filter(|document| document.kind.name == "automation") {
        let package = document.package.clone().unwrap_or_else(|| layers::SITE.to_owned());
        let is_called = document.node.get("trigger").and_then(|trigger| trigger.text("event")) == Some("called");
        let entity = document.node.text("for").and_then(|name| work.lookup_entity(name, &package));
        if let Some(other) = document.node.text("id").filter(|_| is_called && entity == Some(of)) {
            known.push(format!("{package}.{other}"));
        }
    }
    if known.contains(&id) {
        return Some(id);
    }
    let entity = work.entity(of).id.clone();
    let fault = Diagnostic::error("DEF370", &node.place, format!("`{entity}` has no automation `{name}` that others can begin"))
        .near(nearest(&id, known.iter().map(String::as_str)))
        .hint("it says `trigger: {event: called}` and is for the same entity");
    work.fault(fault);
    None
}

/// `30d`, `12h`, `45m` in seconds; at most ten years.
pub(in crate::schema::resolve) fn seconds(text: &str) -> Option<i64> {
    let unit = match text.chars().last()? {
        'd' => 86_400,
        'h' => 3_600,
        'm' => 60,
        _ => return None,
    };
    let number: i64 = text[..text.len() - 1].parse().ok()?;
    (1..=3_650 * 86_400 / unit).contains(&number).then_some(number * unit)
}
