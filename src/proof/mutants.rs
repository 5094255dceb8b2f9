//! Definitions changed on purpose, one thing at a time. What only people see (labels, views, layouts, texts) is not changed.

use std::sync::Arc;

use serde_json::Value as Json;

use super::swaps::{self, Swap};
use crate::schema::node::{Key, Node, NodeKind};
use crate::schema::source::Place;
use crate::schema::{SourceFile, yaml};

/// One changed thing.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Mutant {
    pub file: String,
    pub line: u32,
    /// What kind of change, as the documentation names it.
    pub operator: &'static str,
    /// What was changed.
    pub change: String,
    /// The file as it is then.
    pub text: String,
}

/// Kinds of document that say what people may and what follows.
const KINDS: &[&str] = &["entity", "extension", "automation", "approval", "pipeline", "role", "script", "calendar", "survey"];
/// What only people read, and what no story can run.
const PASSED_OVER: &[&str] = &[
    "label",
    "label_plural",
    "description",
    "help",
    "placeholder",
    "inverse_label",
    "guidance",
    "message",
    "text",
    "title",
    "icon",
    "views",
    "layouts",
    "features",
    "options",
    "retention",
    "indexes",
    "source",
    "limits",
    "subject",
    "visible_if",
    "conversions",
    "pools",
];
/// Conditions: left out, turned into their opposite, changed inside.
const CONDITIONS: &[&str] = &["when", "required_if", "readonly_if", "if", "where", "pause"];
/// Expressions that must be there: turned or changed inside.
const EXPRESSIONS: &[&str] = &["assert", "expr", "agg", "stop"];
/// Keys without which less is asked or given.
const KEYS: &[&str] = &[
    "min",
    "max",
    "pattern",
    "watch",
    "override",
    "reason",
    "start",
    "rows",
    "inherit",
    "assignee",
    "due",
    "roles",
    "ask",
    "expires",
    "again_after",
    "per",
];
/// Lists of parts, each of which is left out.
const PARTS: &[&str] = &[
    "rules",
    "unique",
    "duplicates",
    "gates",
    "require",
    "moves",
    "tasks",
    "clocks",
    "holidays",
    "workdays",
    "approvals",
    "registrations",
    "pipelines",
    "scripts",
    "questions",
    "hide",
    "read_only",
];
/// Lists that want one entry at least: left out of longer ones.
const LISTS: &[&str] = &["steps", "fields", "targets", "match", "to", "then", "else", "by", "read", "write"];
const ACTIONS: &[&str] = &["read", "create", "update", "delete"];

/// All mutants of a file, in the order of its lines.
pub(super) fn of(file: &SourceFile) -> Vec<Mutant> {
    if file.path.ends_with(".rhai") {
        return of_script(file);
    }
    if !file.path.ends_with(".yaml") && !file.path.ends_with(".yml") {
        return Vec::new();
    }
    let (documents, faults, _) = yaml::read(&Arc::from(file.path.as_str()), &file.text);
    if !faults.is_empty() {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (at, document) in documents.iter().enumerate() {
        let kind = document.text("kind").unwrap_or_default();
        if !KINDS.contains(&kind) {
            continue;
        }
        let mut walk = Walk { file, documents: &documents, at, path: Vec::new(), found: &mut found };
        if matches!(kind, "automation" | "approval" | "pipeline" | "script") {
            let named = document.text("id").unwrap_or_default();
            walk.change(&document.place, "part left out", format!("{kind} `{named}` is gone"), |_| None);
        }
        walk.node(document);
    }
    found.sort_by_key(|mutant| mutant.line);
    found
}

fn of_script(file: &SourceFile) -> Vec<Mutant> {
    let line = |at: usize| u32::try_from(file.text[..at].matches('\n').count() + 1).unwrap_or(u32::MAX);
    let swaps = swaps::in_script(&file.text).into_iter();
    swaps
        .map(|Swap { at, change, text }| Mutant { file: file.path.clone(), line: line(at), operator: "script changed", change, text })
        .collect()
}

#[derive(Debug, Clone, PartialEq)]
enum Step {
    Key(String),
    Item(usize),
}

struct Walk<'a> {
    file: &'a SourceFile,
    documents: &'a [Node],
    at: usize,
    path: Vec<Step>,
    found: &'a mut Vec<Mutant>,
}

impl Walk<'_> {
    fn node(&mut self, node: &Node) {
        match &node.kind {
            NodeKind::Map(entries) => {
                for (key, value) in entries {
                    if PASSED_OVER.contains(&key.text.as_str()) && !(key.text == "title" && self.path.len() > 1) {
                        continue;
                    }
                    self.path.push(Step::Key(key.text.clone()));
                    self.entry(key, value);
                    self.node(value);
                    self.path.pop();
                }
            }
            NodeKind::List(items) => {
                for (at, item) in items.iter().enumerate() {
                    self.path.push(Step::Item(at));
                    self.item(item, items.len());
                    self.node(item);
                    self.path.pop();
                }
            }
            _ => {}
        }
    }

    /// The key `up` levels above the last step.
    fn key(&self, up: usize) -> &str {
        let mut keys = self.path.iter().rev().filter_map(|step| if let Step::Key(key) = step { Some(key.as_str()) } else { None });
        keys.nth(up).unwrap_or_default()
    }

    fn entry(&mut self, key: &Key, value: &Node) {
        let (name, above) = (key.text.as_str(), self.key(1).to_owned());
        let place = &key.place;
        match (name, &value.kind) {
            ("required" | "unique", NodeKind::Bool(true)) => self.leave_out(place, "requirement off", name),
            ("default", NodeKind::Bool(is)) => self.put(place, "default changed", format!("`default` became {}", !is), Json::Bool(!is)),
            ("default", _) => self.leave_out(place, "default changed", name),
            ("skip" | "back", NodeKind::Bool(false)) | ("own", NodeKind::Bool(_)) => {
                let to = value.as_bool() == Some(false);
                self.put(place, "order changed", format!("`{name}` became {to}"), Json::Bool(to));
            }
            ("then", NodeKind::Text(word)) if word == "refuse" => {
                self.put(place, "duplicates allowed", "`refuse` became `warn`".to_owned(), "warn".into());
            }
            ("on_delete" | "on_timeout" | "reopen" | "need", NodeKind::Text(word)) => {
                let other = match word.as_str() {
                    "restrict" | "cascade" if name == "on_delete" => "set_null",
                    "set_null" => "restrict",
                    "escalate" => "reject",
                    "reject" => "escalate",
                    "resume" => "restart",
                    "restart" => "resume",
                    "any" => "all",
                    _ => "any",
                };
                self.put(place, "choice changed", format!("`{name}: {word}` became `{other}`"), other.into());
            }
            ("time", NodeKind::Text(time)) if above == "targets" && time != "1m" => self.shortened(place, name, time),
            ("protect", NodeKind::Text(time)) if above == "registrations" && time != "1m" => self.shortened(place, name, time),
            ("warn" | "arbiters", _) if above == "registrations" => self.leave_out(place, "part left out", name),
            ("review", NodeKind::Bool(is)) if above == "registrations" => {
                self.put(place, "choice changed", format!("`review` became {}", !is), Json::Bool(!is))
            }
            ("conflict", NodeKind::Text(word)) if above == "registrations" && word == "refuse" => {
                self.leave_out(place, "choice changed", name)
            }
            ("permissions", NodeKind::Map(entries)) => entries.iter().for_each(|(entity, granted)| self.permission(entity, granted)),
            (_, NodeKind::Text(text)) if above == "values" || above == "approved" || above == "rejected" => {
                self.leave_out(place, "value left out", name);
                if let Some(expression) = text.strip_prefix('=') {
                    self.inside(place, expression, "=");
                }
            }
            (_, _) if above == "values" || above == "approved" || above == "rejected" => self.leave_out(place, "value left out", name),
            ("filter", NodeKind::Text(text)) => {
                self.leave_out(place, "condition left out", name);
                self.inside(place, text, "");
            }
            (_, NodeKind::Text(text)) if CONDITIONS.contains(&name) => {
                if name != "if" {
                    self.leave_out(place, "condition left out", name);
                }
                self.turned(place, text);
                self.inside(place, text, "");
            }
            (_, NodeKind::Text(text)) if EXPRESSIONS.contains(&name) => {
                if name == "assert" || name == "stop" || above == "require" {
                    self.turned(place, text);
                }
                self.inside(place, text, "");
            }
            (_, _) if KEYS.contains(&name) => self.leave_out(place, "part left out", name),
            _ => {}
        }
    }

    fn shortened(&mut self, place: &Place, name: &str, time: &str) {
        self.put(place, "choice changed", format!("`{name}: {time}` became `1m`"), "1m".into());
    }

    fn item(&mut self, item: &Node, count: usize) {
        let list = self.key(0).to_owned();
        let named = item.text("id").or(item.text("key")).or(item.text("do")).or(item.as_text());
        let change = match named {
            Some(named) => format!("`{named}` of `{list}` is gone"),
            None => format!("an entry of `{list}` is gone"),
        };
        let is_part = PARTS.contains(&list.as_str());
        // The key fields of a stage are shown, nothing more.
        let is_shown = list == "fields" && self.key(1) == "stages";
        let is_one_of_several = count > 1 && LISTS.contains(&list.as_str()) && !is_shown;
        if is_part || is_one_of_several {
            self.change(&item.place, "part left out", change, |_| None);
        }
    }

    /// Rights of a role over an entity, wider and narrower.
    fn permission(&mut self, entity: &Key, granted: &Node) {
        self.path.push(Step::Key(entity.text.clone()));
        let name = &entity.text;
        match &granted.kind {
            NodeKind::Text(word) => {
                for other in ["none", "read", "write", "all"].into_iter().filter(|other| other != word) {
                    self.put(&entity.place, "right changed", format!("`{name}: {word}` became `{other}`"), other.into());
                }
            }
            NodeKind::Map(_) => {
                for action in ACTIONS {
                    let written = granted.get(action);
                    let place = written.map_or(&entity.place, |written| &written.place).clone();
                    let others: &[bool] = match written.map(|written| (written.as_bool(), written)) {
                        Some((Some(true), _)) => &[false],
                        Some((Some(false), _)) => &[true],
                        Some((None, _)) => &[true, false],
                        // What is not named may be read, or goes with another record, and is not written.
                        None if granted.get("inherit").is_some() => &[],
                        None if *action == "read" => &[false],
                        None => &[true],
                    };
                    self.path.push(Step::Key((*action).to_owned()));
                    for other in others {
                        self.put(&place, "right changed", format!("`{action}` on `{name}` became {other}"), Json::Bool(*other));
                    }
                    if let Some(text) = written.and_then(Node::as_text) {
                        self.inside(&place, text, "");
                    }
                    self.path.pop();
                }
            }
            _ => {}
        }
        self.path.pop();
    }

    fn leave_out(&mut self, place: &Place, operator: &'static str, name: &str) {
        self.change(place, operator, format!("without `{name}`"), |_| None);
    }

    fn put(&mut self, place: &Place, operator: &'static str, change: String, value: Json) {
        let value = Node::from_json(&value, place);
        self.change(place, operator, change, |_| Some(value.clone()));
    }

    fn turned(&mut self, place: &Place, text: &str) {
        self.put(place, "condition turned", format!("`{text}` became its opposite"), format!("not ({text})").into());
    }

    fn inside(&mut self, place: &Place, text: &str, before: &str) {
        for swap in swaps::in_expression(text) {
            self.put(place, "comparison changed", format!("{} in `{text}`", swap.change), format!("{before}{}", swap.text).into());
        }
    }

    /// Notes the file with what stands at the path changed; `None` takes it out.
    fn change(&mut self, place: &Place, operator: &'static str, change: String, to: impl Fn(&Node) -> Option<Node>) {
        let mut documents: Vec<Node> = self.documents.to_vec();
        if self.path.is_empty() {
            documents.remove(self.at);
        } else if let Some(document) = documents.get_mut(self.at) {
            changed(document, &self.path, &to);
        }
        let text = documents.iter().map(|document| document.to_json().to_string()).collect::<Vec<_>>().join("\n---\n");
        self.found.push(Mutant { file: self.file.path.clone(), line: place.line, operator, change, text });
    }
}

fn changed(node: &mut Node, path: &[Step], to: &impl Fn(&Node) -> Option<Node>) {
    let Some((step, rest)) = path.split_first() else { return };
    match (&mut node.kind, step) {
        (NodeKind::Map(entries), Step::Key(name)) => {
            let Some(at) = entries.iter().position(|(key, _)| key.text == *name) else {
                // What is not written is added.
                let (place, here) = (node.place.clone(), Node::from_json(&Json::Null, &node.place));
                if let (Some(value), true) = (to(&here), rest.is_empty()) {
                    entries.push((Key { text: name.clone(), place }, value));
                }
                return;
            };
            match rest.is_empty() {
                false => changed(&mut entries[at].1, rest, to),
                true => match to(&entries[at].1) {
                    Some(value) => entries[at].1 = value,
                    None => drop(entries.remove(at)),
                },
            }
        }
        (NodeKind::List(items), Step::Item(at)) if *at < items.len() => match rest.is_empty() {
            false => changed(&mut items[*at], rest, to),
            true => match to(&items[*at]) {
                Some(value) => items[*at] = value,
                None => drop(items.remove(*at)),
            },
        },
        _ => {}
    }
}
