//! The choices of selects: shared picklists and lists written in a field.

use std::sync::Arc;

use super::{Work, labels, uids};
use crate::base::Labels;
use crate::schema::bindings::{BindingKind, BindingState};
use crate::schema::catalog::{Options, Picklist, SelectOption};
use crate::schema::diagnostic::{Diagnostic, nearest};
use crate::schema::node::Node;

pub(super) fn picklists(work: &mut Work) {
    let intake = work.intake;
    for document in intake.documents.iter().filter(|document| document.kind.name == "picklist") {
        let Some(node) = document.node.get("id") else { continue };
        let Some(written) = node.as_text() else { continue };
        let package = document.package.clone().unwrap_or_else(|| super::layers::SITE.to_owned());
        let id = if written.contains('.') { written.to_owned() } else { format!("{package}.{written}") };
        if work.catalog.picklists.contains_key(&id) {
            let first = work.places.get(&uids::named(work, BindingKind::Picklist, &id, None)).cloned();
            let mut fault = Diagnostic::error("DEF201", &node.place, format!("the picklist `{id}` is defined twice"));
            if let Some(first) = first {
                fault = fault.label(&first, "first here");
            }
            work.fault(fault);
            continue;
        }
        let uid = uids::named(work, BindingKind::Picklist, &id, document.node.text("uid"));
        work.places.insert(uid.clone(), node.place.clone());
        let Some(list) = document.node.get("options") else { continue };
        let options = option_list(work, list, &uid);
        work.catalog.picklists.insert(id.clone(), Arc::new(Picklist { id, options }));
    }
}

pub(super) fn options(work: &mut Work, node: &Node, package: &str, uid: &str) -> Option<Options> {
    let written = node.get("options")?;
    let list = if written.is_map() {
        let reference = written.get("ref")?;
        let name = reference.as_text()?;
        let id = if name.contains('.') { name.to_owned() } else { format!("{package}.{name}") };
        match work.catalog.picklists.get(&id) {
            Some(list) => list.clone(),
            None => {
                if !work.intake.incomplete {
                    let known: Vec<&str> = work.catalog.picklists.keys().map(String::as_str).collect();
                    let fault = Diagnostic::error("DEF209", &reference.place, format!("unknown picklist `{name}`"))
                        .near(nearest(name, known.iter().copied()))
                        .hint(if known.is_empty() {
                            "there is none yet: write `kind: picklist`".to_owned()
                        } else {
                            format!("picklists: {}", known.join(", "))
                        });
                    work.fault(fault);
                }
                return None;
            }
        }
    } else {
        Arc::new(Picklist { id: String::new(), options: option_list(work, written, uid) })
    };
    Some(Options { list, depends_on: None })
}

fn option_list(work: &mut Work, node: &Node, parent: &str) -> Vec<SelectOption> {
    if node.items().is_empty() {
        work.fault(Diagnostic::error("DEF113", &node.place, "a list of no options").hint("give it at least one: `options: [low, high]`"));
    }
    let mut found: Vec<SelectOption> = Vec::new();
    let mut places: Vec<crate::schema::Place> = Vec::new();
    for (position, item) in node.items().iter().enumerate() {
        let (key_node, body) = if item.is_map() { (item.get("key"), Some(item)) } else { (Some(item), None) };
        let Some(key_node) = key_node else { continue };
        let Some(key) = key_node.scalar_text() else { continue };
        if !option_key(&key) {
            let fault = Diagnostic::error("DEF108", &key_node.place, format!("`{key}` cannot be an option's key"))
                .hint("letters, digits, `_`, `-` and `.`, at most 60 characters; what people read is the `label`");
            work.fault(fault);
            continue;
        }
        if let Some(first) = found.iter().position(|known| known.key == key) {
            let fault = Diagnostic::error("DEF210", &key_node.place, format!("the option `{key}` stands here a second time"))
                .label(&places[first], "first here");
            work.fault(fault);
            continue;
        }
        let uid = uids::option(work, parent, &key, body.and_then(|body| body.text("uid")));
        work.places.insert(uid.clone(), key_node.place.clone());
        let hue = body.and_then(|body| body.int("hue")).and_then(|hue| u8::try_from(hue).ok());
        found.push(SelectOption {
            uid,
            label: body.and_then(|body| labels::of(body.get("label"))).unwrap_or_else(|| labels::from_name(&key)),
            hue: hue.unwrap_or(u8::try_from(position % 10).unwrap_or(0)),
            retired: body.and_then(|body| body.flag("retired")).unwrap_or(false),
            key,
        });
        places.push(key_node.place.clone());
    }
    found.extend(gone_options(work, parent, &found));
    found
}

fn option_key(key: &str) -> bool {
    !key.is_empty() && key.len() <= 60 && key.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'))
}

/// Options that were there once and are no longer written: old records keep their value and its label.
fn gone_options(work: &Work, parent: &str, written: &[SelectOption]) -> Vec<SelectOption> {
    let of_parent =
        work.old.by_uid.values().filter(|binding| binding.kind == BindingKind::Option && binding.parent.as_deref() == Some(parent));
    of_parent
        .filter(|binding| !written.iter().any(|option| option.uid == binding.uid || option.key == binding.name))
        .map(|binding| {
            let texts: std::collections::BTreeMap<String, String> = serde_json::from_str(&binding.shape).unwrap_or_default();
            let label = if texts.is_empty() { labels::from_name(&binding.name) } else { Labels(texts) };
            debug_assert!(matches!(binding.state, BindingState::Live | BindingState::Retired));
            SelectOption { key: binding.name.clone(), uid: binding.uid.clone(), label, hue: 0, retired: true }
        })
        .collect()
}
