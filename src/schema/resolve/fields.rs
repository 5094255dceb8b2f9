//! What a field says about other fields: dependent options, the field a rollup or lookup reads, the record's title.

use std::collections::BTreeMap;

use super::Work;
use super::ends::forget;
use crate::base::{EntityIx, FieldIx};
use crate::schema::catalog::{DependsOn, Entity, Field, FieldType, Options, Title, TitlePart};
use crate::schema::diagnostic::{Diagnostic, nearest};
use crate::schema::field_type;
use crate::schema::node::Node;

pub(super) fn finish(work: &mut Work) {
    for ix in work.all() {
        for (name, node) in written(work, ix) {
            match node.text("type") {
                Some("select") => depends_on(work, ix, &name, &node),
                Some("rollup") => rollup_of(work, ix, &name, &node),
                _ => {}
            }
        }
    }
    lookups(work);
    for ix in work.all() {
        let title = title(work, ix);
        work.entity_mut(ix).title = title;
    }
    // Prefixes as they will be bound: ids in expressions and defaults name entities by them.
    for ix in work.all() {
        let entity = work.entity_mut(ix);
        let slug = entity.slug.clone();
        let uid = entity.uid.clone();
        let prefix = super::bind::prefix_of(work.old, &uid, &slug);
        work.entity_mut(ix).prefix.clone_from(&prefix);
        work.catalog.by_prefix.insert(prefix, ix);
        work.catalog.by_slug.insert(slug, ix);
    }
}

/// The written fields of an entity that could be made, with their nodes.
pub(super) fn written(work: &Work, ix: EntityIx) -> Vec<(String, Node)> {
    let entity = work.entity(ix);
    let known = work.draft(ix).fields.iter().filter(|field| entity.by_name.contains_key(&field.key.text));
    known.map(|field| (field.key.text.clone(), field.node.clone())).collect()
}

fn depends_on(work: &mut Work, ix: EntityIx, name: &str, node: &Node) {
    let Some(written) = node.get("depends_on") else { return };
    let (Some(field), Some(allow)) = (written.get("field"), written.get("allow")) else { return };
    let Some(other_name) = field.as_text() else { return };
    let Some(other) = work.find_field(field, other_name, ix) else { return };
    let keys_of = |work: &Work, at: FieldIx| -> Option<Vec<String>> {
        match &work.entity(ix).field(at).ty {
            FieldType::Select(Options { list, .. }) => Some(list.options.iter().map(|option| option.key.clone()).collect()),
            _ => None,
        }
    };
    let Some(own) = work.entity(ix).by_name.get(name).copied() else { return };
    let Some(other_keys) = keys_of(work, other).filter(|_| other != own) else {
        let fault = Diagnostic::error("DEF310", &field.place, format!("`{other_name}` is not another select of this record"))
            .hint("options can depend on a field of type `select`");
        work.fault(fault);
        return;
    };
    let own_keys = keys_of(work, own).unwrap_or_default();
    let mut table: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (key, list) in allow.entries() {
        if !other_keys.contains(&key.text) {
            let fault = Diagnostic::error("DEF311", &key.place, format!("`{other_name}` has no option `{}`", key.text))
                .near(nearest(&key.text, other_keys.iter().map(String::as_str)))
                .hint(format!("options: {}", other_keys.join(", ")));
            work.fault(fault);
        }
        let mut allowed = Vec::new();
        for item in list.items() {
            let Some(option) = item.as_text() else { continue };
            if own_keys.iter().any(|known| known == option) {
                allowed.push(option.to_owned());
            } else {
                let fault = Diagnostic::error("DEF311", &item.place, format!("`{name}` has no option `{option}`"))
                    .near(nearest(option, own_keys.iter().map(String::as_str)))
                    .hint(format!("options: {}", own_keys.join(", ")));
                work.fault(fault);
            }
        }
        table.insert(key.text.clone(), allowed);
    }
    if let FieldType::Select(options) = &mut work.entity_mut(ix).fields[own.0 as usize].ty {
        options.depends_on = Some(DependsOn { field: other, allow: table });
    }
}

fn rollup_of(work: &mut Work, ix: EntityIx, name: &str, node: &Node) {
    let Some(written) = node.get("of") else { return };
    let Some(of_name) = written.as_text() else { return };
    let Some(of) = work.find_field(written, of_name, ix) else {
        forget(work, ix, name);
        return;
    };
    if !matches!(work.entity(ix).field(of).ty, FieldType::Children { .. } | FieldType::Links { .. }) {
        let many: Vec<String> = many_fields(work.entity(ix));
        let hint = if many.is_empty() {
            "give it a children or links field first".to_owned()
        } else {
            format!("fields that hold many records: {}", many.join(", "))
        };
        let fault = Diagnostic::error("DEF312", &written.place, format!("`{of_name}` does not hold many records")).hint(hint);
        work.fault(fault);
        forget(work, ix, name);
        return;
    }
    let Some(at) = work.entity(ix).by_name.get(name).copied() else { return };
    if let FieldType::Rollup { of: slot, .. } = &mut work.entity_mut(ix).fields[at.0 as usize].ty {
        *slot = of;
    }
}

fn many_fields(entity: &Entity) -> Vec<String> {
    let many = entity.fields.iter().filter(|field| matches!(field.ty, FieldType::Children { .. } | FieldType::Links { .. }));
    many.map(|field| field.name.clone()).collect()
}

/// Lookups may look at lookups: they are settled in rounds, those whose target is known first.
fn lookups(work: &mut Work) {
    let mut open: Vec<(EntityIx, String, Node)> = Vec::new();
    for ix in work.all() {
        open.extend(
            written(work, ix).into_iter().filter(|(_, node)| node.text("type") == Some("lookup")).map(|(name, node)| (ix, name, node)),
        );
    }
    loop {
        let before = open.len();
        let waiting: Vec<(EntityIx, String)> = open.iter().map(|(ix, name, _)| (*ix, name.clone())).collect();
        let mut later = Vec::new();
        for (ix, name, node) in open {
            if !lookup(work, ix, &name, &node, &waiting) {
                later.push((ix, name, node));
            }
        }
        open = later;
        if open.is_empty() {
            return;
        }
        if open.len() == before {
            break;
        }
    }
    for (ix, name, node) in open {
        let place = node.get("field").map_or(&node.place, |node| &node.place).clone();
        work.fault(
            Diagnostic::error("DEF315", &place, format!("the lookup `{name}` leads back to itself"))
                .hint("let one of the lookups name a field that is written"),
        );
        forget(work, ix, &name);
    }
}

/// Settles a lookup; false when it looks at one that is not settled yet.
fn lookup(work: &mut Work, ix: EntityIx, name: &str, node: &Node, waiting: &[(EntityIx, String)]) -> bool {
    let (Some(via_node), Some(field_node)) = (node.get("via"), node.get("field")) else {
        forget(work, ix, name);
        return true;
    };
    let (Some(via_name), Some(looked_name)) = (via_node.as_text(), field_node.as_text()) else { return true };
    let Some(via) = work.find_field(via_node, via_name, ix) else {
        forget(work, ix, name);
        return true;
    };
    let target = match &work.entity(ix).field(via).ty {
        FieldType::Link { to, .. } | FieldType::User { to, .. } => *to,
        _ => {
            let fault = Diagnostic::error("DEF313", &via_node.place, format!("`{via_name}` is not a link to one record"))
                .hint("a lookup reads through a field of type `link` or `user`; for many records use a rollup");
            work.fault(fault);
            forget(work, ix, name);
            return true;
        }
    };
    if waiting.iter().any(|(entity, waiting)| *entity == target && waiting == looked_name)
        && work.entity(target).by_name.contains_key(looked_name)
        && !is_settled(work, target, looked_name)
    {
        return false;
    }
    let Some(looked) = work.find_field(field_node, looked_name, target) else {
        forget(work, ix, name);
        return true;
    };
    if work.entity(target).field(looked).encrypted {
        let fault = Diagnostic::error("DEF313", &field_node.place, format!("`{looked_name}` is encrypted and cannot be looked up"))
            .hint("expand the link to read it from its own record");
        work.fault(fault);
        forget(work, ix, name);
        return true;
    }
    let Some(scalar) = field_type::scalar_type(&work.entity(target).field(looked).ty) else {
        let fault =
            Diagnostic::error("DEF313", &field_node.place, format!("`{looked_name}` of `{}` cannot be looked up", work.entity(target).id))
                .hint("a lookup shows a single value: text, number, money, date, option and the like");
        work.fault(fault);
        forget(work, ix, name);
        return true;
    };
    let Some(at) = work.entity(ix).by_name.get(name).copied() else { return true };
    work.entity_mut(ix).fields[at.0 as usize].ty = FieldType::Lookup { via, field: looked, returns: scalar };
    true
}

/// A lookup is settled once it has left the state it was made in (both positions zero, the id).
fn is_settled(work: &Work, ix: EntityIx, name: &str) -> bool {
    let entity = work.entity(ix);
    let at = entity.by_name.get(name).copied();
    at.is_none_or(|at| !matches!(entity.field(at).ty, FieldType::Lookup { via: FieldIx(0), field: FieldIx(0), .. }))
}

fn title(work: &mut Work, ix: EntityIx) -> Title {
    let node = work.draft(ix).node.get("title").cloned();
    match node.as_ref().and_then(|node| node.as_text().map(|text| (node, text))) {
        Some((node, text)) => written_title(work, ix, node, text),
        None => guessed_title(work.entity(ix)),
    }
}

fn written_title(work: &mut Work, ix: EntityIx, node: &Node, text: &str) -> Title {
    title_parts(work, ix, node, text).map_or_else(|| guessed_title(work.entity(ix)), |parts| Title { parts })
}

/// Text with fields in braces; `None` where a brace is not closed. A field that cannot stand there is told and left out.
pub(super) fn title_parts(work: &mut Work, ix: EntityIx, node: &Node, text: &str) -> Option<Vec<TitlePart>> {
    let mut parts = Vec::new();
    let mut at = 0;
    while let Some(open) = text[at..].find('{').map(|open| at + open) {
        if open > at {
            parts.push(TitlePart::Text(text[at..open].to_owned()));
        }
        let Some(close) = text[open..].find('}').map(|close| open + close) else {
            let place = work.inside(node, open..open + 1);
            work.fault(
                Diagnostic::error("DEF320", &place, "`{` without `}`").hint("a title is text with fields in braces: `{number} · {name}`"),
            );
            return None;
        };
        let name = text[open + 1..close].trim();
        let place = work.inside(node, open + 1..close);
        let spot = Node { place: place.clone(), ..node.clone() };
        if let Some(field) = work.find_field(&spot, name, ix) {
            let found = work.entity(ix).field(field);
            if found.encrypted || found.is_sensitive() {
                let what = if found.encrypted { "encrypted" } else { "sensitive" };
                let fault = Diagnostic::error("DEF320", &place, format!("`{name}` is {what} and cannot stand in a title"))
                    .hint("titles are shown, searched and sorted by everywhere: use another field");
                work.fault(fault);
            } else if field_type::columns_of(&work.entity(ix).field(field).ty, "x", &["x"]).is_empty() {
                let fault = Diagnostic::error("DEF320", &place, format!("`{name}` cannot stand in a title"))
                    .hint("a title is read with the record: use fields kept in a column of it");
                work.fault(fault);
            } else {
                parts.push(TitlePart::Field(field));
            }
        }
        at = close + 1;
    }
    if at < text.len() {
        parts.push(TitlePart::Text(text[at..].to_owned()));
    }
    Some(parts)
}

/// Does not stand in titles, which are shown everywhere.
fn is_guarded(field: &Field) -> bool {
    field.encrypted || field.is_sensitive()
}

/// The first of name, title, subject, number that is there; else the first text; else the id.
fn guessed_title(entity: &Entity) -> Title {
    let by_name = ["name", "title", "subject", "full_name", "number"].iter().find_map(|name| entity.by_name.get(*name).copied());
    let has_column =
        |at: &FieldIx| !is_guarded(entity.field(*at)) && !field_type::columns_of(&entity.field(*at).ty, "x", &["x"]).is_empty();
    let first_text = || {
        let text = entity.fields.iter().find(|field| {
            !field.is_system
                && !is_guarded(field)
                && matches!(field.ty, FieldType::Text { .. } | FieldType::PersonName | FieldType::AutoNumber { .. } | FieldType::Email)
        });
        text.map(|field| field.ix)
    };
    let first_link =
        || entity.fields.iter().find(|field| !field.is_system && matches!(field.ty, FieldType::Link { .. })).map(|field| field.ix);
    let chosen = by_name.filter(has_column).or_else(first_text).or_else(first_link).unwrap_or(FieldIx(0));
    Title { parts: vec![TitlePart::Field(chosen)] }
}
