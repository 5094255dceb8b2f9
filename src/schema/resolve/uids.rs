//! Identity: the uid given, else the one remembered for this name, else the one of the former name (`was`),
//! else a new one made from package, entity and name.

use std::collections::{BTreeMap, HashSet};

use sha2::{Digest, Sha256};

use super::Work;
use crate::schema::bindings::{Binding, BindingKind, BindingState, Bindings};
use crate::schema::diagnostic::Diagnostic;
use crate::schema::node::Node;
use crate::schema::source::Place;

/// Crockford's base32 of a hash, so that a uid can be said and typed.
fn digest(text: &str) -> String {
    const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
    let hash = Sha256::digest(text.as_bytes());
    hash.iter().take(10).map(|byte| char::from(ALPHABET[usize::from(*byte & 31)])).collect()
}

/// A new uid nothing else has.
pub(super) fn derive(prefix: &str, path: &str, old: &Bindings, taken: &HashSet<String>) -> String {
    let mut salt = 0;
    loop {
        let text = if salt == 0 { format!("{prefix}|{path}") } else { format!("{prefix}|{path}|{salt}") };
        let uid = format!("{prefix}_{}", digest(&text));
        if !old.by_uid.contains_key(&uid) && !taken.contains(&uid) {
            return uid;
        }
        salt += 1;
    }
}

/// The name a binding had before the rename that `was:` told of.
pub(super) fn former(binding: &Binding) -> Option<&str> {
    binding.shape.split(';').find_map(|part| part.strip_prefix("was="))
}

struct Wanted<'n> {
    kind: BindingKind,
    parent: Option<String>,
    name: String,
    given: Option<&'n str>,
    was: Option<String>,
    path: String,
}

fn choose(old: &Bindings, wanted: &Wanted, taken: &HashSet<String>) -> String {
    if let Some(uid) = wanted.given {
        return uid.to_owned();
    }
    let parent = wanted.parent.as_deref();
    let known = old.find(wanted.kind, parent, &wanted.name).filter(|binding| !taken.contains(&binding.uid));
    if let Some(was) = &wanted.was {
        let done = known.is_some_and(|binding| former(binding) == Some(was.as_str()) && binding.state == BindingState::Live);
        let before =
            old.find(wanted.kind, parent, was).filter(|binding| binding.state == BindingState::Live && !taken.contains(&binding.uid));
        if let (false, Some(before)) = (done, before) {
            return before.uid.clone();
        }
    }
    match known {
        Some(binding) => binding.uid.clone(),
        None => {
            let prefix = match wanted.kind {
                BindingKind::Entity => "ent",
                BindingKind::Field => "fld",
                BindingKind::Option => "opt",
                BindingKind::Unique => "unq",
                BindingKind::Index => "idx",
                BindingKind::Picklist => "pck",
                BindingKind::Script => "scr",
            };
            derive(prefix, &wanted.path, old, taken)
        }
    }
}

pub(super) fn assign(work: &mut Work) {
    let mut seen: BTreeMap<String, Place> = BTreeMap::new();
    let mut taken: HashSet<String> = HashSet::new();
    // Given uids and renames first, so that nothing new takes what they stand for.
    let mut order: Vec<_> = work.all().collect();
    order.sort_by_key(|ix| u8::from(work.draft(*ix).node.get("uid").is_none() && work.draft(*ix).node.get("was").is_none()));
    for ix in order {
        let draft = work.draft(ix);
        let was = draft.node.text("was").map(|was| if was.contains('.') { was.to_owned() } else { format!("{}.{was}", draft.package) });
        let wanted = Wanted {
            kind: BindingKind::Entity,
            parent: None,
            name: draft.id.clone(),
            given: draft.node.text("uid"),
            was: was.clone(),
            path: draft.id.clone(),
        };
        let uid = choose(work.old, &wanted, &taken);
        if let Some(was) = was
            && let Some(other) = work.by_id.get(&was)
            && work.draft(*other).node.get("was").is_none()
        {
            let node = draft.node.get("was").cloned().unwrap_or_else(|| draft.node.clone());
            still_there(work, &node, &was);
        }
        let node = &work.draft(ix).node;
        let place = node.get("uid").or(node.get("id")).unwrap_or(node).place.clone();
        note(work, &mut seen, &uid, &place);
        taken.insert(uid.clone());
        work.places.insert(uid.clone(), work.draft(ix).node.get("id").map_or(place, |id| id.place.clone()));
        work.drafts[ix.0 as usize].uid = uid;
    }
    for ix in work.all() {
        fields(work, ix, &mut seen, &mut taken);
    }
}

fn fields(work: &mut Work, ix: crate::base::EntityIx, seen: &mut BTreeMap<String, Place>, taken: &mut HashSet<String>) {
    let mut order: Vec<usize> = (0..work.draft(ix).fields.len()).collect();
    order.sort_by_key(|at| {
        let node = &work.draft(ix).fields[*at].node;
        u8::from(node.get("uid").is_none() && node.get("was").is_none())
    });
    for at in order {
        let draft = work.draft(ix);
        let field = &draft.fields[at];
        let was = field.node.text("was").map(str::to_owned);
        if let Some(was) = &was
            && draft.fields.iter().any(|other| other.key.text == *was && other.node.get("was").is_none())
        {
            let node = field.node.get("was").cloned().unwrap_or_else(|| field.node.clone());
            let was = was.clone();
            still_there(work, &node, &was);
        }
        let draft = work.draft(ix);
        let field = &draft.fields[at];
        // The entity's uid, not its id: a rename of the entity keeps the fields.
        let wanted = Wanted {
            kind: BindingKind::Field,
            parent: Some(draft.uid.clone()),
            name: field.key.text.clone(),
            given: field.node.text("uid"),
            was,
            path: format!("{}.{}", draft.id, field.key.text),
        };
        let uid = choose(work.old, &wanted, taken);
        let place = field.node.get("uid").map_or(&field.key.place, |node| &node.place).clone();
        let key_place = field.key.place.clone();
        note(work, seen, &uid, &place);
        taken.insert(uid.clone());
        work.places.insert(uid.clone(), key_place);
        work.drafts[ix.0 as usize].fields[at].uid = uid;
    }
}

fn still_there(work: &mut Work, node: &Node, was: &str) {
    let fault = Diagnostic::error("DEF216", &node.place, format!("`was: {was}` names something that is still defined"))
        .hint("`was` tells the former name of what is renamed: take the old definition out, or take `was` away");
    work.fault(fault);
}

fn note(work: &mut Work, seen: &mut BTreeMap<String, Place>, uid: &str, place: &Place) {
    if let Some(first) = seen.get(uid) {
        let fault = Diagnostic::error("DEF208", place, format!("the uid `{uid}` is used twice"))
            .label(first, "first here")
            .hint("a copied definition needs an identity of its own: take the `uid` out of the copy");
        work.fault(fault);
        return;
    }
    seen.insert(uid.to_owned(), place.clone());
}

/// The uid of an option of a field or picklist.
pub(super) fn option(work: &Work, parent: &str, key: &str, given: Option<&str>) -> String {
    let wanted = Wanted {
        kind: BindingKind::Option,
        parent: Some(parent.to_owned()),
        name: key.to_owned(),
        given,
        was: None,
        path: format!("{parent}.{key}"),
    };
    choose(work.old, &wanted, &HashSet::new())
}

/// The uid of a picklist or script, by its full id.
pub(super) fn named(work: &Work, kind: BindingKind, id: &str, given: Option<&str>) -> String {
    let wanted = Wanted { kind, parent: None, name: id.to_owned(), given, was: None, path: id.to_owned() };
    choose(work.old, &wanted, &HashSet::new())
}

/// The uid of a unique or index: made from what it covers, so that a changed one is another one.
pub(super) fn of_index(kind: &str, entity: &str, fields: &[String], filter: &str) -> String {
    format!("{kind}_{}", digest(&format!("{kind}|{entity}|{}|{filter}", fields.join(","))))
}

/// Eight hexadecimal digits of a uid, for the names of indexes.
pub(super) fn short_hex(uid: &str) -> String {
    let hash = Sha256::digest(uid.as_bytes());
    hash.iter().take(4).map(|byte| format!("{byte:02x}")).collect()
}

/// Four characters of a uid, to tell apart physical names that would be the same.
pub(super) fn suffix(uid: &str) -> String {
    digest(uid).chars().take(4).collect()
}
