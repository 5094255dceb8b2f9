//! Seed and sample records: their entity and the names of their fields are checked; values are checked when they are
//! written, through the record service like all others.

use std::collections::BTreeMap;

use super::Work;
use crate::base::EntityIx;
use crate::schema::catalog::FieldType;
use crate::schema::diagnostic::Diagnostic;
use crate::schema::node::{Key, Node, NodeKind, Style};
use crate::schema::{DataKind, DataRecord, DataSet, Place};

pub(super) fn read(work: &mut Work) -> Vec<DataSet> {
    let intake = work.intake;
    let mut sets = Vec::new();
    let mut keys: BTreeMap<(String, String), Place> = BTreeMap::new();
    for document in &intake.documents {
        let kind = match document.kind.name {
            "seed" => DataKind::Seed,
            "sample" => DataKind::Sample,
            "import" => {
                import(work, document);
                continue;
            }
            _ => continue,
        };
        let package = document.package.clone().unwrap_or_else(|| super::layers::SITE.to_owned());
        let Some(target) = document.node.get("entity") else { continue };
        let Some(ix) = work.find_entity(target, &package) else { continue };
        let mut records = Vec::new();
        for node in document.node.get("records").map(Node::items).unwrap_or_default() {
            if !node.is_map() {
                work.fault(Diagnostic::error("DEF106", &node.place, format!("expected a record (a mapping), found {}", node.describe())));
                continue;
            }
            let key = node.get("key").and_then(|key| own_key(work, ix, key, &package, &mut keys));
            names(work, ix, node, 0);
            let has_key_field = work.entity(ix).by_name.contains_key("key");
            let values = node.entries().iter().filter(|(name, _)| name.text != "key" || has_key_field);
            records.push(DataRecord {
                key,
                values: values.map(|(name, value)| (name.text.clone(), value.to_json())).collect(),
                place: node.place.clone(),
            });
        }
        sets.push(DataSet { package, kind, entity: work.entity(ix).id.clone(), records, place: document.node.place.clone() });
    }
    sets
}

fn import(work: &mut Work, document: &crate::schema::intake::Document) {
    let package = document.package.clone().unwrap_or_else(|| super::layers::SITE.to_owned());
    if let Some(target) = document.node.get("into") {
        work.find_entity(target, &package);
    }
}

fn own_key(work: &mut Work, ix: EntityIx, key: &Node, package: &str, keys: &mut BTreeMap<(String, String), Place>) -> Option<String> {
    if work.entity(ix).by_name.contains_key("key") {
        return None;
    }
    let Some(text) = key.scalar_text() else {
        work.fault(Diagnostic::error("DEF106", &key.place, format!("expected a text, found {}", key.describe())));
        return None;
    };
    let spot = (package.to_owned(), text.clone());
    if let Some(first) = keys.get(&spot) {
        let fault = Diagnostic::error("DEF412", &key.place, format!("the key `{text}` is used twice in the data of `{package}`"))
            .label(first, "first here")
            .hint("a key names one record of the package: other records refer to it");
        work.fault(fault);
        return None;
    }
    keys.insert(spot, key.place.clone());
    Some(text)
}

/// Each name of a record is a field; the records of a children field are looked into.
fn names(work: &mut Work, ix: EntityIx, node: &Node, depth: usize) {
    for (name, value) in node.entries() {
        if name.text == "key" {
            continue;
        }
        let Some(at) = work.find_field(&text_at(name), &name.text, ix) else { continue };
        let field = work.entity(ix).field(at);
        if field.read_only && !matches!(field.ty, FieldType::AutoNumber { .. }) && !field.is_system {
            let message = format!("`{}` is computed: data cannot set it", name.text);
            work.fault(Diagnostic::error("DEF411", &name.place, message).hint("take it out of the data"));
            continue;
        }
        if let FieldType::Children { of, .. } = &field.ty
            && depth < 3
        {
            let of = *of;
            for item in value.items() {
                names(work, of, item, depth + 1);
            }
        }
    }
}

/// The key as a text of its own, for messages.
fn text_at(key: &Key) -> Node {
    Node { place: key.place.clone(), kind: NodeKind::Text(key.text.clone()), style: Style::Plain }
}
