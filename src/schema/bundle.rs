//! All definitions of a version as one JSON value, to be stored with it and loaded again.

use serde_json::{Map, Value as Json, json};
use sha2::{Digest, Sha256};

use super::diagnostic::Diagnostic;
use super::intake::{Document, Intake};
use super::node::Node;
use super::shape::kinds;
use super::source::Place;

const FORMAT: &str = "relata/bundle/1";

/// The bundle, without data, tests and import mappings, and without the server's settings.
pub(crate) fn make(intake: &Intake) -> Json {
    let mut documents: Vec<(String, Json)> = Vec::new();
    for document in &intake.documents {
        if matches!(document.kind.name, "seed" | "sample" | "test" | "import") {
            continue;
        }
        let mut body = document.node.to_json();
        if let (Json::Object(map), "workspace") = (&mut body, document.kind.name) {
            map.remove("server");
        }
        let stored = json!({
            "kind": document.kind.name,
            "package": document.package,
            "folder": document.folder,
            "file": document.path,
            "line": document.node.place.line,
            "body": body,
        });
        let order = format!("{}\u{1}{}\u{1}{:08}", document.package.as_deref().unwrap_or(""), document.path, document.node.place.line);
        documents.push((order, stored));
    }
    documents.sort_by(|a, b| a.0.cmp(&b.0));
    let documents: Vec<Json> = documents.into_iter().map(|(_, stored)| stored).collect();
    let scripts: Map<String, Json> = intake.scripts.iter().map(|(path, text)| (path.clone(), Json::String(text.clone()))).collect();
    json!({"format": FORMAT, "documents": documents, "scripts": scripts})
}

/// SHA-256 over what the definitions say: neither comments nor the order of files and keys nor lines count. (The order of
/// fields does: lists and forms show it.)
pub(crate) fn digest(bundle: &Json) -> String {
    let mut parts: Vec<String> = Vec::new();
    for document in bundle["documents"].as_array().into_iter().flatten() {
        parts.push(format!("{}\u{1}{}", document["package"], canonical(&document["body"], "")));
    }
    for (path, text) in bundle["scripts"].as_object().into_iter().flatten() {
        parts.push(format!("{path}\u{1}{text}"));
    }
    parts.sort();
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    hash.finalize().iter().fold(String::with_capacity(64), |mut out, byte| {
        use std::fmt::Write as _;
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// JSON text with keys in alphabetical order, but for `fields`, whose order means something.
fn canonical(json: &Json, key: &str) -> String {
    match json {
        Json::Object(map) => {
            let mut entries: Vec<(&String, &Json)> = map.iter().collect();
            if key != "fields" {
                entries.sort_by_key(|(name, _)| *name);
            }
            let inside: Vec<String> =
                entries.iter().map(|(name, value)| format!("{}:{}", Json::String((*name).clone()), canonical(value, name))).collect();
            format!("{{{}}}", inside.join(","))
        }
        Json::Array(items) => format!("[{}]", items.iter().map(|item| canonical(item, "")).collect::<Vec<_>>().join(",")),
        other => other.to_string(),
    }
}

/// # Errors
/// `DEF010` when it is no bundle of this version.
pub(crate) fn open(bundle: &Json) -> Result<Intake, Diagnostic> {
    let fault =
        |message: &str| Diagnostic::error("DEF010", &super::intake::nowhere(), message).hint("it was stored by another version of Relata");
    if bundle["format"] != FORMAT {
        return Err(fault("this is not a bundle of definitions"));
    }
    let mut intake = Intake::default();
    for stored in bundle["documents"].as_array().ok_or_else(|| fault("the bundle has no documents"))? {
        let text = |key: &str| stored[key].as_str().unwrap_or("").to_owned();
        let kind = kinds::find(&text("kind")).ok_or_else(|| fault("the bundle holds a document of unknown kind"))?;
        let mut place = Place::top(&std::sync::Arc::from(text("file").as_str()));
        place.line = stored["line"].as_u64().and_then(|line| u32::try_from(line).ok()).unwrap_or(1);
        intake.documents.push(Document {
            kind,
            node: Node::from_json(&stored["body"], &place),
            package: stored["package"].as_str().map(str::to_owned),
            folder: text("folder"),
            path: text("file"),
        });
    }
    for (path, text) in bundle["scripts"].as_object().into_iter().flatten() {
        intake.scripts.insert(path.clone(), text.as_str().unwrap_or("").to_owned());
    }
    Ok(intake)
}
