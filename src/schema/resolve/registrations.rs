//! Registrations: what makes two records the same, how long a claim is protected, who decides.

use super::automations::seconds;
use super::expressions::condition;
use super::pipelines::roles;
use super::{Work, labels};
use crate::base::EntityIx;
use crate::schema::catalog::{Registration, Requirement};
use crate::schema::diagnostic::{Diagnostic, nearest};
use crate::schema::node::Node;

pub(super) fn read(work: &mut Work, ix: EntityIx, node: &Node) {
    let Some(id) = node.text("id") else { return };
    let when = condition(work, node.get("when"), ix, false);
    let rules = rules(work, ix, node);
    let protect = time(work, node, "protect");
    let warn_seconds = time(work, node, "warn");
    if let (Some(warn), Some(before), Some(after)) = (node.get("warn"), warn_seconds, protect)
        && before >= after
    {
        let fault = Diagnostic::error("DEF427", &warn.place, "there is no such moment before the protection ends");
        work.fault(fault.hint("give `protect` a longer time than `warn`: `protect: 90d`, `warn: 7d`"));
    }
    let extend = node.get("extend").and_then(|extend| Some((time(work, extend, "by")?, extend.int("most").unwrap_or(1))));
    let (roles, arbiters) = (roles(work, node.get("roles")), roles(work, node.get("arbiters")));
    let Some(protect_seconds) = protect else { return };
    work.entity_mut(ix).registrations.push(Registration {
        id: id.to_owned(),
        label: labels::of(node.get("label")).unwrap_or_else(|| labels::from_name(id)),
        when,
        roles,
        arbiters,
        rules,
        protect_seconds,
        warn_seconds,
        extend,
        refuses: node.text("conflict") == Some("refuse"),
        reviews: node.flag("review").unwrap_or(false),
        exposes: node.flag("expose").unwrap_or(false),
    });
}

/// The duplicate rules of the entity that a registration names.
fn rules(work: &mut Work, ix: EntityIx, node: &Node) -> Vec<usize> {
    let written: Vec<Node> = node.get("rules").map(|rules| rules.one_or_many().into_iter().cloned().collect()).unwrap_or_default();
    let known: Vec<String> = work.entity(ix).duplicates.iter().map(|rule| rule.id.clone()).collect();
    let mut found = Vec::new();
    for one in &written {
        let Some(name) = one.as_text() else { continue };
        match known.iter().position(|known| known == name) {
            Some(at) => found.push(at),
            None => {
                let entity = work.entity(ix).id.clone();
                let hint = match known.is_empty() {
                    true => "say with `duplicates` which records are the same".to_owned(),
                    false => format!("duplicate rules: {}", known.join(", ")),
                };
                let fault = Diagnostic::error("DEF426", &one.place, format!("`{entity}` has no duplicate rule `{name}`"));
                work.fault(fault.near(nearest(name, known.iter().map(String::as_str))).hint(hint));
            }
        }
    }
    if written.is_empty()
        && let Some((key, _)) = node.entry("rules")
    {
        let fault = Diagnostic::error("DEF113", &key.place.clone(), "a registration without a rule meets no other one");
        work.fault(fault.hint("name the duplicate rules that say which records are the same: `rules: [same_customer]`"));
    }
    found
}

/// `registration: project` of a gate.
pub(super) fn requirement(work: &mut Work, ix: EntityIx, node: &Node) -> Option<Requirement> {
    let name = node.as_text()?;
    let entity = work.entity(ix);
    if let Some(at) = entity.registrations.iter().position(|known| known.id == name) {
        return Some(Requirement::Registration(at));
    }
    let known: Vec<String> = entity.registrations.iter().map(|known| known.id.clone()).collect();
    let fault = Diagnostic::error("DEF428", &node.place, format!("`{}` has no registration `{name}`", entity.id));
    let hint = match known.is_empty() {
        true => "give the entity `registrations`".to_owned(),
        false => format!("registrations: {}", known.join(", ")),
    };
    work.fault(fault.near(nearest(name, known.iter().map(String::as_str))).hint(hint));
    None
}

fn time(work: &mut Work, node: &Node, key: &str) -> Option<i64> {
    let written = node.get(key)?;
    let found = seconds(written.as_text()?);
    if found.is_none() {
        let message = format!("`{}` is no time", written.as_text().unwrap_or_default());
        let fault = Diagnostic::error("DEF369", &written.place, message);
        work.fault(fault.hint("write days, hours or minutes, at most ten years: `90d`, `12h`"));
    }
    found
}
