//! Packages in dependency order, `core` first and the site last; what each package may name.

use std::collections::{BTreeMap, BTreeSet};

use super::Work;
use crate::schema::catalog::Package;
use crate::schema::diagnostic::{Diagnostic, nearest};
use crate::schema::intake::Document;
use crate::schema::node::Node;

/// The layer of definitions outside of all packages.
pub(super) const SITE: &str = "site";

#[derive(Debug, Default)]
pub(crate) struct Packages {
    /// Ids in dependency order.
    pub order: Vec<String>,
    /// Package to all packages it depends on, directly or not.
    below: BTreeMap<String, BTreeSet<String>>,
    /// Made of ids alone, without a `package.yaml`: they may name everything.
    implied: BTreeSet<String>,
}

impl Packages {
    pub fn sees(&self, from: &str, to: &str) -> bool {
        from == to
            || to == "core"
            || from == SITE
            || self.implied.contains(from)
            || self.below.get(from).is_some_and(|below| below.contains(to))
    }

    pub fn position(&self, package: &str) -> usize {
        self.order.iter().position(|known| known == package).unwrap_or(usize::MAX)
    }
}

/// The package of a document: that of its folder, else that of its id, else the site.
pub(super) fn package_of(document: &Document) -> String {
    if let Some(package) = &document.package {
        return package.clone();
    }
    let named = document.node.text("id").and_then(|id| id.split_once('.')).map(|(package, _)| package);
    named.filter(|package| crate::schema::shape::identifier(package)).unwrap_or(SITE).to_owned()
}

pub(super) fn packages(work: &mut Work) {
    let intake = work.intake;
    let mut declared: BTreeMap<String, &Node> = BTreeMap::new();
    for document in intake.documents.iter().filter(|document| document.kind.name == "package") {
        let Some(id) = document.node.get("id") else { continue };
        let Some(name) = id.as_text() else { continue };
        if let Some(first) = declared.get(name) {
            let fault = Diagnostic::error("DEF201", &id.place, format!("the package `{name}` is defined twice"))
                .label(&first.get("id").unwrap_or(first).place, "first here");
            work.fault(fault);
            continue;
        }
        declared.insert(name.to_owned(), &document.node);
    }
    let mut implied: BTreeSet<String> = BTreeSet::new();
    for document in &intake.documents {
        if document.kind.name == "entity" {
            let package = package_of(document);
            if !declared.contains_key(&package) {
                implied.insert(package);
            }
        }
    }
    implied.insert("core".to_owned());
    implied.retain(|package| !declared.contains_key(package) && package != SITE);
    let direct = dependencies(work, &declared, &implied);
    let order = sort(work, &declared, &direct, &implied);
    let mut below = BTreeMap::new();
    for package in &order {
        let mut all = BTreeSet::new();
        collect(package, &direct, &mut all);
        below.insert(package.clone(), all);
    }
    work.catalog.packages = order.iter().map(|id| describe(id, declared.get(id).copied(), &direct)).collect();
    work.packages = Packages { order, below, implied };
}

fn dependencies(work: &mut Work, declared: &BTreeMap<String, &Node>, implied: &BTreeSet<String>) -> BTreeMap<String, Vec<String>> {
    let mut direct = BTreeMap::new();
    for (id, node) in declared {
        let mut depends = Vec::new();
        for wanted in node.get("depends").map(Node::items).unwrap_or_default() {
            let Some(name) = wanted.as_text() else { continue };
            if declared.contains_key(name) || implied.contains(name) {
                depends.push(name.to_owned());
            } else if !work.intake.incomplete {
                let fault = Diagnostic::error("DEF202", &wanted.place, format!("package `{id}` depends on `{name}`, which is not there"))
                    .near(nearest(name, declared.keys().map(String::as_str)))
                    .hint("add the package to the workspace, or take it out of `depends`");
                work.fault(fault);
            }
        }
        direct.insert(id.clone(), depends);
    }
    direct
}

fn sort(
    work: &mut Work,
    declared: &BTreeMap<String, &Node>,
    direct: &BTreeMap<String, Vec<String>>,
    implied: &BTreeSet<String>,
) -> Vec<String> {
    let mut order: Vec<String> = Vec::new();
    let all: Vec<String> = std::iter::once("core".to_owned())
        .chain(declared.keys().filter(|id| *id != "core").cloned())
        .chain(implied.iter().filter(|id| *id != "core").cloned())
        .collect();
    for package in &all {
        let mut path = Vec::new();
        if let Some(cycle) = visit(package, direct, &mut path, &mut order) {
            let node = declared.get(package).and_then(|node| node.get("depends")).or(declared.get(package).copied());
            if let Some(node) = node {
                let fault = Diagnostic::error("DEF203", &node.place, format!("packages depend on each other: {}", cycle.join(" → ")))
                    .hint("move what both need into a third package, or add to one of them by `kind: extension`");
                work.fault(fault);
            }
            break;
        }
    }
    for package in all {
        if !order.contains(&package) {
            order.push(package);
        }
    }
    order
}

fn visit(package: &str, direct: &BTreeMap<String, Vec<String>>, path: &mut Vec<String>, order: &mut Vec<String>) -> Option<Vec<String>> {
    if order.iter().any(|done| done == package) {
        return None;
    }
    if let Some(start) = path.iter().position(|known| known == package) {
        let mut cycle = path[start..].to_vec();
        cycle.push(package.to_owned());
        return Some(cycle);
    }
    path.push(package.to_owned());
    for below in direct.get(package).into_iter().flatten() {
        if let Some(cycle) = visit(below, direct, path, order) {
            return Some(cycle);
        }
    }
    path.pop();
    order.push(package.to_owned());
    None
}

fn collect(package: &str, direct: &BTreeMap<String, Vec<String>>, found: &mut BTreeSet<String>) {
    for below in direct.get(package).into_iter().flatten() {
        if found.insert(below.clone()) {
            collect(below, direct, found);
        }
    }
}

fn describe(id: &str, node: Option<&Node>, direct: &BTreeMap<String, Vec<String>>) -> Package {
    let label = node.and_then(|node| super::labels::of(node.get("label")));
    Package {
        id: id.to_owned(),
        version: node.and_then(|node| node.text("version")).unwrap_or("0.0.0").to_owned(),
        label: label.unwrap_or_else(|| super::labels::from_name(id)),
        description: node.and_then(|node| super::labels::of(node.get("description"))).unwrap_or_default(),
        depends: direct.get(id).cloned().unwrap_or_default(),
        capabilities: node.and_then(|node| node.get("capabilities")).map_or(serde_json::Value::Null, Node::to_json),
    }
}
