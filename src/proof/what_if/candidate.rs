//! The definitions in force with the automations of a question among them.

use std::sync::Arc;

use serde_json::Value as Json;

use super::{Question, WhatIfError, refused};
use crate::deploy::{self, DeployError};
use crate::record::RecordError;
use crate::schema::node::Node;
use crate::schema::{Bindings, Loaded, SourceFile, yaml};
use crate::store::Store;

/// Definitions, and the full ids of the automations that are tried.
pub(super) struct Candidate {
    pub loaded: Loaded,
    pub ids: Vec<String>,
}

/// A document of the definitions in force.
struct Stored<'b> {
    kind: &'b str,
    folder: &'b str,
    file: &'b str,
    body: &'b Json,
}

pub(super) async fn find(store: &Store, question: &Question) -> Result<Candidate, WhatIfError> {
    let nothing = || refused("the workspace has no definitions", "apply some first");
    let current = deploy::current(store).await?.ok_or_else(nothing)?;
    let candidate = match &question.definition {
        Some((path, text)) => proposed(current, path, text)?,
        None => Candidate { loaded: current, ids: question.automation.iter().cloned().collect() },
    };
    let known = &candidate.loaded.catalog.automations;
    if let Some(id) = &question.automation
        && known.find(id).is_none()
    {
        return Err(RecordError::NotFound { entity: "automation".to_owned(), id: id.clone() }.into());
    }
    if candidate.ids.is_empty() {
        return Err(refused("no automation is named", "name one that is in force, or give the definition of one"));
    }
    Ok(candidate)
}

/// Lays the automations of a text over the definitions in force: in the place of those of the same id, or beside them.
fn proposed(current: Loaded, path: &str, text: &str) -> Result<Candidate, WhatIfError> {
    let name = path.rsplit(['/', '\\']).next().filter(|name| !name.is_empty()).unwrap_or("what-if.yaml");
    let name =
        if name.ends_with(".yml") || name.ends_with(".json") || name.ends_with(".yaml") { name.to_owned() } else { format!("{name}.yaml") };
    let (documents, faults, _) = yaml::read(&Arc::from(name.as_str()), text);
    if !faults.is_empty() {
        return Err(DeployError::Faults(faults).into());
    }
    if documents.is_empty() || documents.iter().any(|document| document.text("kind") != Some("automation")) {
        return Err(refused("only automations can be tried", "give documents of `kind: automation`; what else they need must be in force"));
    }
    let bundle = current.bundle;
    let stored: Vec<Stored<'_>> = bundle["documents"].as_array().into_iter().flatten().map(stored).collect();
    let first = &documents[0];
    let home = stored.iter().find(|one| is_same(one, first)).or_else(|| stored.iter().find(|one| is_of(one, first)));
    let folder = home.map_or("", |home| home.folder);
    let path = if folder.is_empty() { name } else { format!("{folder}/{name}") };
    let mut files = in_force(&bundle, &stored, &documents);
    if let Some(taken) = files.iter_mut().find(|file| file.path == path) {
        taken.path = format!("{}/{}", path.trim_end_matches(|c| c != '/').trim_end_matches('/'), "in-force.yaml");
    }
    files.push(SourceFile::new(path.clone(), text));
    let loaded = checked(&files, &current.bindings)?;
    let tried = loaded.catalog.automations.all.iter().filter(|one| loaded.places.get(&one.uid).is_some_and(|place| *place.file == *path));
    let ids = tried.map(|one| one.id.clone()).collect();
    Ok(Candidate { loaded, ids })
}

fn checked(files: &[SourceFile], bindings: &Bindings) -> Result<Loaded, WhatIfError> {
    deploy::check(files, bindings).map_err(|faults| DeployError::Faults(faults).into())
}

fn stored(document: &Json) -> Stored<'_> {
    let text = |key: &str| document[key].as_str().unwrap_or_default();
    Stored { kind: text("kind"), folder: text("folder"), file: text("file"), body: &document["body"] }
}

/// Whether the document is what a new one takes the place of.
fn is_same(stored: &Stored<'_>, new: &Node) -> bool {
    let (Some(id), Some(of)) = (new.text("id"), new.text("for")) else { return false };
    let is_named = |key: &str, name: &str| stored.body[key].as_str().is_some_and(|known| is_one(known, name));
    stored.kind == "automation" && is_named("id", id) && is_named("for", of)
}

/// Whether the document is the entity of a new automation.
fn is_of(stored: &Stored<'_>, new: &Node) -> bool {
    let (Some(id), Some(of)) = (stored.body["id"].as_str(), new.text("for")) else { return false };
    stored.kind == "entity" && is_one(id, of)
}

/// Whether two names mean the same: with or without the package in front.
fn is_one(name: &str, other: &str) -> bool {
    let last = |name: &str| name.rsplit('.').next().unwrap_or_default().to_owned();
    name == other || (last(name) == last(other) && !(name.contains('.') && other.contains('.')))
}

/// The definitions in force as files again, without what the new documents take the place of.
fn in_force(bundle: &Json, stored: &[Stored<'_>], new: &[Node]) -> Vec<SourceFile> {
    let mut files: Vec<SourceFile> = Vec::new();
    for document in stored.iter().filter(|one| !new.iter().any(|new| is_same(one, new))) {
        let text = document.body.to_string();
        match files.iter_mut().find(|file| file.path == document.file) {
            Some(file) => file.text = format!("{}\n---\n{text}", file.text),
            None => files.push(SourceFile::new(document.file, text)),
        }
    }
    let scripts = bundle["scripts"].as_object().into_iter().flatten();
    files.extend(scripts.map(|(path, text)| SourceFile::new(path.as_str(), text.as_str().unwrap_or_default())));
    files
}
