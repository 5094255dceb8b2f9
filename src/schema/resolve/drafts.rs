//! Entities as written: one draft for each, with its extensions and the parts split out of its file.

use std::collections::BTreeMap;

use super::layers::package_of;
use super::{Work, layers};
use crate::base::EntityIx;
use crate::schema::diagnostic::Diagnostic;
use crate::schema::intake::{self, Document};
use crate::schema::node::{Key, Node, NodeKind};

/// An entity before it is resolved.
#[derive(Debug)]
pub(crate) struct EntityDraft {
    pub id: String,
    pub slug: String,
    pub package: String,
    /// The document, or what stands for it.
    pub node: Node,
    pub uid: String,
    pub fields: Vec<FieldDraft>,
    /// Rules, views and the like: key of the part, the node, the package that wrote it, the folder of its scripts.
    pub parts: Vec<PartDraft>,
    /// Made by the program: the junction of a `links` field without `through`.
    pub is_made: bool,
}

impl EntityDraft {
    /// The last part of the id.
    pub fn short(&self) -> &str {
        self.id.rsplit('.').next().unwrap_or(&self.id)
    }
}

#[derive(Debug)]
pub(crate) struct FieldDraft {
    pub key: Key,
    pub node: Node,
    pub package: String,
    pub uid: String,
    /// Made by the program: the inverse of a link, the ends of a junction.
    pub is_made: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct PartDraft {
    /// `rules`, `approvals`, `pipelines`, `clocks`, `views`, `layouts`, `buttons`, `scripts`, `unique`, `indexes`.
    pub section: &'static str,
    pub node: Node,
    pub package: String,
    pub folder: String,
    pub path: String,
}

/// Names of system fields, in their order; `owner` and `deleted_at` depend on features.
pub(crate) const SYSTEM: [&str; 8] = ["id", "version", "created_at", "created_by", "updated_at", "updated_by", "owner", "deleted_at"];

/// Words of the expression language that cannot be a field.
const WORDS: [&str; 28] = [
    "and",
    "or",
    "not",
    "in",
    "is",
    "null",
    "true",
    "false",
    "between",
    "like",
    "ilike",
    "has",
    "has_any",
    "has_all",
    "contains",
    "starts_with",
    "ends_with",
    "exists",
    "none",
    "all",
    "where",
    "old",
    "record",
    "case",
    "when",
    "then",
    "else",
    "end",
];

const SECTIONS: [&str; 15] = [
    "retention",
    "duplicates",
    "approvals",
    "pools",
    "registrations",
    "pipelines",
    "clocks",
    "conversions",
    "rules",
    "views",
    "layouts",
    "buttons",
    "scripts",
    "unique",
    "indexes",
];

pub(super) fn entities(work: &mut Work) {
    let mut documents: Vec<Document> = work.intake.documents.iter().filter(|document| document.kind.name == "entity").cloned().collect();
    let has_user = documents.iter().any(|document| full_id(document).is_some_and(|id| id == "core.user"));
    if !has_user {
        documents.extend(intake::builtin_core());
    }
    documents.sort_by_key(|document| (work.packages.position(&package_of(document)), document.path.clone(), document.node.place.line));
    let given = given_slugs(work);
    for document in &documents {
        entity(work, document, &given);
    }
    for kind in ["extension", "view", "layout", "button", "approval", "pipeline", "script"] {
        let mut documents: Vec<&Document> = work.intake.documents.iter().filter(|document| document.kind.name == kind).collect();
        documents.sort_by_key(|document| (work.packages.position(&package_of(document)), document.path.clone(), document.node.place.line));
        for document in documents {
            added(work, document, kind);
        }
    }
}

fn full_id(document: &Document) -> Option<String> {
    let id = document.node.text("id")?;
    Some(if id.contains('.') { id.to_owned() } else { format!("{}.{id}", package_of(document)) })
}

/// The entity as if it had been written with the short name an extension gives it: a change of it is a change to be planned.
fn with_slug(node: &Node, given: Option<&Node>) -> Node {
    let mut node = node.clone();
    if let (Some(given), NodeKind::Map(entries)) = (given, &mut node.kind) {
        entries.retain(|(key, _)| key.text != "slug");
        entries.push((Key { text: "slug".to_owned(), place: given.place.clone() }, given.clone()));
    }
    node
}

/// Short names that extensions give, by the full id of the entity. The site has the last word.
fn given_slugs(work: &Work) -> BTreeMap<String, Node> {
    let mut extensions: Vec<&Document> = work.intake.documents.iter().filter(|document| document.kind.name == "extension").collect();
    extensions.sort_by_key(|document| work.packages.position(&package_of_part(document)));
    let given = extensions.iter().filter_map(|document| {
        let of = document.node.text("of")?;
        let id = if of.contains('.') { of.to_owned() } else { format!("{}.{of}", package_of_part(document)) };
        Some((id, document.node.get("slug")?.clone()))
    });
    given.collect()
}

fn entity(work: &mut Work, document: &Document, given: &BTreeMap<String, Node>) {
    let Some(id) = full_id(document) else { return };
    let Some(id_node) = document.node.get("id") else { return };
    let package = package_of(document);
    let short = id.rsplit('.').next().unwrap_or(&id).to_owned();
    let slug_node = given.get(&id).or_else(|| document.node.get("slug"));
    let slug = slug_node.and_then(Node::as_text).unwrap_or(&short).to_owned();
    if !crate::schema::shape::identifier(&short) || !crate::schema::shape::identifier(&slug) {
        return;
    }
    if !id.starts_with(&format!("{package}.")) {
        let fault = Diagnostic::error("DEF212", &id_node.place, format!("`{id}` lies in the folder of package `{package}`"))
            .hint(format!("call it `{package}.{short}`, or move the file; to add to another package's entity write `kind: extension`"));
        work.fault(fault);
    }
    if let Some(first) = work.by_id.get(&id) {
        let first = work.draft(*first).node.get("id").map(|node| node.place.clone());
        let mut fault = Diagnostic::error("DEF201", &id_node.place, format!("the entity `{id}` is defined twice"))
            .hint("rename one of them; to add fields to it write `kind: extension`");
        if let Some(first) = first {
            fault = fault.label(&first, "first here");
        }
        work.fault(fault);
        return;
    }
    if let Some(other) = work.drafts.iter().find(|draft| draft.slug == slug) {
        let place = &slug_node.unwrap_or(id_node).place;
        let mut fault = Diagnostic::error("DEF204", place, format!("`{id}` and `{}` have the same short name `{slug}`", other.id)).hint(
            format!(
                "it stands in URLs and must be unique: write `slug: {0}` under the `id`, or beside the packages `{{kind: extension, of: {id}, slug: {0}}}`",
                id.replace('.', "_")
            ),
        );
        if let Some(first) = other.node.get("slug").or_else(|| other.node.get("id")) {
            fault = fault.label(&first.place, "first here");
        }
        work.fault(fault);
        work.refused.insert(id);
        return;
    }
    let ix = EntityIx(u32::try_from(work.drafts.len()).unwrap_or(u32::MAX));
    let renamed = given.get(&id);
    work.by_id.insert(id.clone(), ix);
    work.drafts.push(EntityDraft {
        id,
        slug,
        package,
        node: with_slug(&document.node, renamed),
        uid: String::new(),
        fields: Vec::new(),
        parts: Vec::new(),
        is_made: false,
    });
    fields(work, ix, document);
    parts(work, ix, document);
    if work.draft(ix).fields.is_empty() && document.node.get("fields").is_some_and(|node| node.is_map() && node.entries().is_empty()) {
        let place = document.node.entry("fields").map_or(&document.node.place, |(key, _)| &key.place).clone();
        let fault = Diagnostic::error("DEF113", &place, format!("`{}` has no fields", work.draft(ix).id))
            .hint("give it at least one: `name: {type: text}`");
        work.fault(fault);
    }
}

fn fields(work: &mut Work, ix: EntityIx, document: &Document) {
    let package = package_of(document);
    for (key, node) in document.node.get("fields").map(Node::entries).unwrap_or_default() {
        if !node.is_map() || !crate::schema::shape::identifier(&key.text) {
            work.broken.insert((ix.0, key.text.clone()));
            continue;
        }
        add_field(
            work,
            ix,
            FieldDraft { key: key.clone(), node: node.clone(), package: package.clone(), uid: String::new(), is_made: false },
        );
    }
}

/// Adds a field to a draft, unless its name cannot be used.
pub(super) fn add_field(work: &mut Work, ix: EntityIx, field: FieldDraft) {
    let name = field.key.text.as_str();
    if SYSTEM.contains(&name) {
        let fault = Diagnostic::error("DEF205", &field.key.place, format!("every entity has a field `{name}` already"))
            .hint("system fields are made by the engine: choose another name");
        work.fault(fault);
        return;
    }
    if WORDS.contains(&name) {
        let fault = Diagnostic::error("DEF205", &field.key.place, format!("`{name}` is a word of the expression language"))
            .hint(format!("choose another name, such as `{name}_value`; its label can say anything"));
        work.fault(fault);
        work.broken.insert((ix.0, name.to_owned()));
        return;
    }
    if let Some(first) = work.draft(ix).fields.iter().find(|known| known.key.text == name) {
        let code = if field.is_made || first.is_made { "DEF301" } else { "DEF213" };
        let fault = Diagnostic::error(code, &field.key.place, format!("`{}` has a field `{name}` already", work.draft(ix).id))
            .label(&first.key.place, "first here")
            .hint("give one of the two another name");
        work.fault(fault);
        return;
    }
    work.drafts[ix.0 as usize].fields.push(field);
}

fn parts(work: &mut Work, ix: EntityIx, document: &Document) {
    for section in SECTIONS {
        for node in document.node.get(section).map(Node::items).unwrap_or_default() {
            add_part(work, ix, section, node, document);
        }
    }
}

fn add_part(work: &mut Work, ix: EntityIx, section: &'static str, node: &Node, document: &Document) {
    let part = PartDraft {
        section,
        node: node.clone(),
        package: package_of_part(document),
        folder: document.folder.clone(),
        path: document.path.clone(),
    };
    if matches!(section, "unique" | "indexes") {
        work.drafts[ix.0 as usize].parts.push(part);
        return;
    }
    let Some(id) = node.get("id") else { return };
    let same = work.draft(ix).parts.iter().position(|known| known.section == section && known.node.text("id") == id.as_text());
    match same {
        None => work.drafts[ix.0 as usize].parts.push(part),
        // A layer above replaces a view, layout, approval, pool, registration, pipeline or conversion of the same id.
        Some(position)
            if matches!(
                section,
                "views" | "layouts" | "pipelines" | "conversions" | "approvals" | "clocks" | "pools" | "registrations"
            ) && work.draft(ix).parts[position].package != part.package =>
        {
            work.drafts[ix.0 as usize].parts[position] = part;
        }
        Some(position) => {
            let first = work.draft(ix).parts[position].node.get("id").map(|node| node.place.clone());
            let what = if section == "duplicates" { "duplicate rule" } else { section.trim_end_matches('s') };
            let mut fault = Diagnostic::error("DEF201", &id.place, format!("the {what} `{}` is defined twice", id.as_text().unwrap_or("")));
            if let Some(first) = first {
                fault = fault.label(&first, "first here");
            }
            work.fault(fault.hint("give one of the two another id"));
        }
    }
}

fn package_of_part(document: &Document) -> String {
    document.package.clone().unwrap_or_else(|| if document.kind.name == "entity" { package_of(document) } else { layers::SITE.to_owned() })
}

/// Options of a package above stand behind those that are there.
fn add_options(work: &mut Work, ix: EntityIx, key: &Key, list: &Node) {
    let draft = &mut work.drafts[ix.0 as usize];
    let field = draft.fields.iter_mut().find(|field| field.key.text == key.text);
    let written = field.and_then(|field| match &mut field.node.kind {
        NodeKind::Map(entries) => entries.iter_mut().find(|(known, _)| known.text == "options").map(|(_, options)| &mut options.kind),
        _ => None,
    });
    if let Some(NodeKind::List(options)) = written {
        options.extend(list.items().iter().cloned());
        return;
    }
    let message = format!("`{}` of `{}` has no options of its own", key.text, draft.id);
    let fault = Diagnostic::error("DEF215", &key.place, message);
    work.fault(fault.hint("name a field of type `select` or `multi_select` whose options stand in it; those of a picklist are its own"));
}

/// An extension, or a part in a document of its own.
fn added(work: &mut Work, document: &Document, kind: &str) {
    let package = package_of_part(document);
    let key = if kind == "extension" { "of" } else { "for" };
    let Some(target) = document.node.get(key) else {
        // A script without an entity runs on a schedule and is read with the others.
        return;
    };
    let Some(ix) = work.find_entity(target, &package) else { return };
    match kind {
        "extension" => {
            for (key, node) in document.node.get("fields").map(Node::entries).unwrap_or_default() {
                if !node.is_map() || !crate::schema::shape::identifier(&key.text) {
                    work.broken.insert((ix.0, key.text.clone()));
                    continue;
                }
                add_field(
                    work,
                    ix,
                    FieldDraft { key: key.clone(), node: node.clone(), package: package.clone(), uid: String::new(), is_made: false },
                );
            }
            for (key, list) in document.node.get("options").map(Node::entries).unwrap_or_default() {
                add_options(work, ix, key, list);
            }
            parts(work, ix, document);
        }
        "view" => add_part(work, ix, "views", &document.node, document),
        "layout" => add_part(work, ix, "layouts", &document.node, document),
        "button" => add_part(work, ix, "buttons", &document.node, document),
        "approval" => add_part(work, ix, "approvals", &document.node, document),
        "pipeline" => add_part(work, ix, "pipelines", &document.node, document),
        _ => add_part(work, ix, "scripts", &document.node, document),
    }
}
