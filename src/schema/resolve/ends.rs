//! The other ends of to-many fields, once all fields are there: the link behind children, the two ends of a junction.

use super::Work;
use super::drafts::FieldDraft;
use crate::base::{EntityIx, FieldIx};
use crate::schema::catalog::{Entity, Field, FieldType};
use crate::schema::diagnostic::{Diagnostic, nearest};
use crate::schema::node::Node;

pub(super) fn find(work: &mut Work, ix: EntityIx) {
    let drafts: Vec<(String, Node)> =
        work.draft(ix).fields.iter().map(|FieldDraft { key, node, .. }| (key.text.clone(), node.clone())).collect();
    for (name, node) in drafts {
        let Some(at) = work.entity(ix).by_name.get(&name).copied() else { continue };
        let fixed = match &work.entity(ix).field(at).ty {
            FieldType::Children { of, .. } => {
                let of = *of;
                children_link(work, ix, of, &node).map(|by| FieldType::Children { of, by })
            }
            FieldType::Links { to, through, .. } => {
                let (to, through) = (*to, *through);
                ends(work, ix, to, through, &node).map(|(near, far)| {
                    work.entity_mut(through).is_junction = true;
                    FieldType::Links { to, through, near, far }
                })
            }
            _ => continue,
        };
        match fixed {
            Some(ty) => work.entity_mut(ix).fields[at.0 as usize].ty = ty,
            None => forget(work, ix, &name),
        }
    }
}

/// Takes a faulty field out of reach; its position stays, so that others keep theirs.
pub(super) fn forget(work: &mut Work, ix: EntityIx, name: &str) {
    work.entity_mut(ix).by_name.remove(name);
    work.broken.insert((ix.0, name.to_owned()));
}

fn links_to(entity: &Entity, target: EntityIx) -> Vec<(FieldIx, String)> {
    let points =
        |field: &&Field| matches!(&field.ty, FieldType::Link { to, .. } | FieldType::User { to, .. } if *to == target) && !field.is_system;
    entity.fields.iter().filter(points).map(|field| (field.ix, field.name.clone())).collect()
}

fn children_link(work: &mut Work, ix: EntityIx, of: EntityIx, node: &Node) -> Option<FieldIx> {
    let by = node.get("by")?;
    let name = by.as_text()?.to_owned();
    let links = links_to(work.entity(of), ix);
    if let Some((found, _)) = links.iter().find(|(_, link)| *link == name) {
        return Some(*found);
    }
    if work.broken.contains(&(of.0, name.clone())) || work.intake.incomplete {
        return None;
    }
    let names: Vec<&str> = links.iter().map(|(_, name)| name.as_str()).collect();
    let (child, owner) = (work.entity(of).id.clone(), work.entity(ix).id.clone());
    let hint = if names.is_empty() {
        format!("add a link to `{child}`: `{name}: {{type: link, to: {owner}}}`")
    } else {
        format!("links of `{child}` to `{owner}`: {}", names.join(", "))
    };
    let fault = Diagnostic::error("DEF302", &by.place, format!("`{child}` has no link `{name}` to `{owner}`"))
        .near(nearest(&name, names))
        .hint(hint);
    work.fault(fault);
    None
}

fn ends(work: &mut Work, ix: EntityIx, to: EntityIx, through: EntityIx, node: &Node) -> Option<(FieldIx, FieldIx)> {
    let named = |work: &mut Work, key: &str, target: EntityIx| -> Option<Option<FieldIx>> {
        let Some(written) = node.get(key) else { return Some(None) };
        let name = written.as_text()?;
        let found = links_to(work.entity(through), target).into_iter().find(|(_, link)| link == name);
        if found.is_none() {
            let (between, other) = (work.entity(through).id.clone(), work.entity(target).id.clone());
            work.fault(Diagnostic::error("DEF303", &written.place, format!("`{between}` has no link `{name}` to `{other}`")));
            return None;
        }
        Some(found.map(|(ix, _)| ix))
    };
    let near = named(work, "near", ix)?;
    let far = named(work, "far", to)?;
    let pick = |links: Vec<(FieldIx, String)>, given: Option<FieldIx>, other: Option<FieldIx>| match given {
        Some(given) => Some(given),
        None => {
            let free: Vec<FieldIx> = links.into_iter().map(|(ix, _)| ix).filter(|ix| Some(*ix) != other).collect();
            if free.len() == 1 || (ix == to && !free.is_empty()) { free.first().copied() } else { None }
        }
    };
    let near = pick(links_to(work.entity(through), ix), near, far);
    let far = pick(links_to(work.entity(through), to), far, near);
    if let (Some(near), Some(far)) = (near, far)
        && near != far
    {
        return Some((near, far));
    }
    if work.intake.incomplete || work.broken.iter().any(|(entity, _)| *entity == through.0) {
        return None;
    }
    let (between, here, there) = (work.entity(through).id.clone(), work.entity(ix).id.clone(), work.entity(to).id.clone());
    let place = node.get("through").map_or(&node.place, |node| &node.place).clone();
    let fault = Diagnostic::error("DEF303", &place, format!("`{between}` must have one link to `{here}` and one to `{there}`"))
        .hint("where it has several, say which: `near: …` and `far: …`");
    work.fault(fault);
    None
}
