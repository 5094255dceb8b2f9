//! Labels: as written, made from names, translated by `kind: i18n`.

use std::sync::Arc;

use super::Work;
use crate::base::{EntityIx, Labels};
use crate::schema::catalog::{FieldType, Options, Picklist, Requirement};
use crate::schema::diagnostic::{Diagnostic, nearest};
use crate::schema::node::{Key, Node, NodeKind};

/// The labels of a node: a text stands for English.
pub(super) fn of(node: Option<&Node>) -> Option<Labels> {
    match &node?.kind {
        NodeKind::Text(text) => Some(Labels::plain(text.clone())),
        NodeKind::Map(entries) => {
            let texts = entries.iter().filter_map(|(key, value)| Some((key.text.clone(), value.as_text()?.to_owned())));
            Some(Labels(texts.collect())).filter(|labels| !labels.is_empty())
        }
        _ => None,
    }
}

/// `close_on` gives `Close on`.
pub(super) fn from_name(name: &str) -> Labels {
    Labels::plain(humanise(name))
}

/// `close_on` and `shop.close_on` give `Close on`.
pub fn humanise(name: &str) -> String {
    let words = name.rsplit('.').next().unwrap_or(name).replace(['_', '-'], " ");
    let mut chars = words.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars).collect(),
        None => String::new(),
    }
}

/// The plural of a label: English by rule, other languages as they are.
pub(super) fn plural(labels: &Labels) -> Labels {
    let texts = labels.0.iter().map(|(tag, text)| {
        let plural = if tag.starts_with("en") { plural_word(text) } else { text.clone() };
        (tag.clone(), plural)
    });
    Labels(texts.collect())
}

fn plural_word(word: &str) -> String {
    let lower = word.to_lowercase();
    let last_but_one = lower.chars().rev().nth(1);
    if lower.ends_with('y') && !last_but_one.is_some_and(|c| "aeiou".contains(c)) {
        return format!("{}ies", &word[..word.len() - 1]);
    }
    if lower.ends_with('s') && !lower.ends_with("ss") {
        return word.to_owned();
    }
    if ["s", "x", "z", "ch", "sh"].iter().any(|end| lower.ends_with(end)) {
        return format!("{word}es");
    }
    if word.is_ascii() { format!("{word}s") } else { word.to_owned() }
}

/// Puts the texts of `kind: i18n` documents over the labels.
pub(super) fn translate(work: &mut Work) {
    let intake = work.intake;
    for document in intake.documents.iter().filter(|document| document.kind.name == "i18n") {
        let Some(locale) = document.node.text("locale") else { continue };
        let package = document.package.clone().unwrap_or_else(|| super::layers::SITE.to_owned());
        for (key, node) in document.node.get("entities").map(Node::entries).unwrap_or_default() {
            let name = Node { place: key.place.clone(), kind: NodeKind::Text(key.text.clone()), style: crate::schema::node::Style::Plain };
            if let Some(ix) = work.find_entity(&name, &package) {
                entity(work, ix, locale, node);
            }
        }
        for (key, node) in document.node.get("picklists").map(Node::entries).unwrap_or_default() {
            let id = if key.text.contains('.') { key.text.clone() } else { format!("{package}.{}", key.text) };
            let Some(list) = work.catalog.picklists.get(&id).cloned() else {
                let known: Vec<&str> = work.catalog.picklists.keys().map(String::as_str).collect();
                let fault =
                    Diagnostic::error("DEF209", &key.place, format!("unknown picklist `{}`", key.text)).near(nearest(&key.text, known));
                work.fault(fault);
                continue;
            };
            let list = Arc::new(options(work, &list, locale, node));
            replace_list(work, &list);
            work.catalog.picklists.insert(id, list);
        }
    }
}

fn entity(work: &mut Work, ix: EntityIx, locale: &str, node: &Node) {
    let put = |labels: &mut Labels, text: Option<&str>| put(labels, locale, text);
    let found = work.entity_mut(ix);
    put(&mut found.label, node.text("label"));
    put(&mut found.label_plural, node.text("label_plural").or(node.text("label")));
    put(&mut found.description, node.text("description"));
    for (key, value) in node.get("fields").map(Node::entries).unwrap_or_default() {
        let named = Node { place: key.place.clone(), kind: NodeKind::Text(key.text.clone()), style: crate::schema::node::Style::Plain };
        let Some(field_ix) = work.find_field(&named, &key.text, ix) else { continue };
        let list = value.get("options").and_then(|texts| match &work.entity(ix).field(field_ix).ty {
            FieldType::Select(options) | FieldType::MultiSelect { options, .. } if options.list.id.is_empty() => {
                Some((options.list.clone(), texts))
            }
            _ => None,
        });
        let list = list.map(|(list, texts)| Arc::new(options(work, &list, locale, texts)));
        let field = &mut work.entity_mut(ix).fields[field_ix.0 as usize];
        put(&mut field.label, value.as_text().or(value.text("label")));
        put(&mut field.help, value.text("help"));
        put(&mut field.placeholder, value.text("placeholder"));
        if let (Some(list), FieldType::Select(own) | FieldType::MultiSelect { options: own, .. }) = (list, &mut field.ty) {
            own.list = list;
        }
    }
    for (key, text) in ["views", "buttons", "rules", "duplicates", "conversions", "pools", "registrations"]
        .iter()
        .filter_map(|part| node.get(part).map(|texts| (*part, texts)))
        .flat_map(|(part, texts)| texts.entries().iter().map(move |(key, text)| ((part, key), text)))
    {
        let (part, key) = key;
        let found = work.entity_mut(ix);
        let labels = match part {
            "views" => found.views.iter_mut().find(|view| view.id == key.text).map(|view| &mut view.label),
            "buttons" => found.buttons.iter_mut().find(|button| button.id == key.text).map(|button| &mut button.label),
            "conversions" => {
                found.conversions.iter_mut().find(|conversion| conversion.id == key.text).map(|conversion| &mut conversion.label)
            }
            "registrations" => found.registrations.iter_mut().find(|one| one.id == key.text).map(|one| &mut one.label),
            "pools" => found.pools.iter_mut().find(|pool| pool.id == key.text).map(|pool| &mut pool.label),
            "duplicates" => found.duplicates.iter_mut().find(|rule| rule.id == key.text).map(|rule| &mut rule.message),
            _ => found.rules.iter_mut().find(|rule| rule.id == key.text).map(|rule| &mut rule.message),
        };
        match labels {
            Some(labels) => put(labels, text.as_text()),
            None => {
                let owner = format!("`{}`", work.entity(ix).id);
                work.fault(absent(key, &owner, part));
            }
        }
    }
    for (key, texts) in node.get("approvals").map(Node::entries).unwrap_or_default() {
        match work.entity(ix).approvals.iter().position(|approval| approval.id == key.text) {
            Some(at) => approval(work, ix, at, locale, texts),
            None => {
                let owner = format!("`{}`", work.entity(ix).id);
                work.fault(absent(key, &owner, "approvals"));
            }
        }
    }
    for (key, texts) in node.get("pipelines").map(Node::entries).unwrap_or_default() {
        match work.entity(ix).pipelines.iter().position(|pipeline| pipeline.id == key.text) {
            Some(at) => pipeline(work, ix, at, locale, texts),
            None => {
                let owner = format!("`{}`", work.entity(ix).id);
                work.fault(absent(key, &owner, "pipelines"));
            }
        }
    }
}

fn approval(work: &mut Work, ix: EntityIx, at: usize, locale: &str, node: &Node) {
    let mut faults = Vec::new();
    let found = &mut work.entity_mut(ix).approvals[at];
    put(&mut found.label, locale, node.text("label"));
    for (key, text) in node.get("steps").map(Node::entries).unwrap_or_default() {
        match found.steps.iter_mut().find(|step| step.id == key.text) {
            Some(step) => put(&mut step.label, locale, text.as_text()),
            None => faults.push(absent(key, &format!("the approval `{}`", found.id), "steps")),
        }
    }
    for fault in faults {
        work.fault(fault);
    }
}

/// The texts of a pipeline; the names of its stages are those of the options.
fn pipeline(work: &mut Work, ix: EntityIx, at: usize, locale: &str, node: &Node) {
    let mut faults = Vec::new();
    let found = &mut work.entity_mut(ix).pipelines[at];
    let owner = format!("the pipeline `{}`", found.id);
    put(&mut found.label, locale, node.text("label"));
    for (key, text) in node.get("guidance").map(Node::entries).unwrap_or_default() {
        match found.stages.iter_mut().find(|stage| stage.key == key.text) {
            Some(stage) => put(&mut stage.guidance, locale, text.as_text()),
            None => faults.push(absent(key, &owner, "stages")),
        }
    }
    for (key, text) in node.get("tasks").map(Node::entries).unwrap_or_default() {
        match found.stages.iter_mut().flat_map(|stage| &mut stage.tasks).find(|task| task.id == key.text) {
            Some(task) => put(&mut task.subject, locale, text.as_text()),
            None => faults.push(absent(key, &owner, "tasks")),
        }
    }
    for (key, texts) in node.get("gates").map(Node::entries).unwrap_or_default() {
        let Some(gate) = found.gates.iter_mut().find(|gate| gate.id == key.text) else {
            faults.push(absent(key, &owner, "gates"));
            continue;
        };
        let mut messages = gate.require.iter_mut().filter_map(|requirement| match requirement {
            Requirement::Holds { message, .. } => Some(message),
            Requirement::Fields(_)
            | Requirement::Tasks(_)
            | Requirement::AllTasks
            | Requirement::Approval(_)
            | Requirement::Registration(_) => None,
        });
        for text in texts.one_or_many() {
            match messages.next() {
                Some(message) => put(message, locale, text.as_text()),
                None => {
                    let fault = Diagnostic::error("DEF414", &text.place, format!("the gate `{}` has no further message", key.text));
                    faults.push(
                        fault.hint("one text for each `expr` of the gate, in their order; fields that are missing are told by themselves"),
                    );
                    break;
                }
            }
        }
    }
    for fault in faults {
        work.fault(fault);
    }
}

fn put(labels: &mut Labels, locale: &str, text: Option<&str>) {
    if let Some(text) = text {
        labels.0.insert(locale.to_owned(), text.to_owned());
    }
}

/// A translation of something that is not there.
fn absent(key: &Key, owner: &str, part: &str) -> Diagnostic {
    Diagnostic::error("DEF414", &key.place, format!("{owner} has no `{}` among its {part}", key.text))
}

fn options(work: &mut Work, list: &Picklist, locale: &str, texts: &Node) -> Picklist {
    let mut list = list.clone();
    for (key, text) in texts.entries() {
        match list.options.iter_mut().find(|option| option.key == key.text) {
            Some(option) => {
                option.label.0.insert(locale.to_owned(), text.as_text().unwrap_or("").to_owned());
            }
            None => {
                let fault = Diagnostic::error("DEF311", &key.place, format!("there is no option `{}`", key.text))
                    .near(nearest(&key.text, list.options.iter().map(|option| option.key.as_str())));
                work.fault(fault);
            }
        }
    }
    list
}

fn replace_list(work: &mut Work, list: &Arc<Picklist>) {
    for entity in &mut work.catalog.entities {
        for field in &mut entity.fields {
            if let FieldType::Select(Options { list: own, .. }) | FieldType::MultiSelect { options: Options { list: own, .. }, .. } =
                &mut field.ty
                && own.id == list.id
            {
                *own = list.clone();
            }
        }
    }
}
