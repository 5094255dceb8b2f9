//! Takes files in: reads them, checks each document's shape, and tells which package each one belongs to.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::diagnostic::Diagnostic;
use super::node::Node;
use super::shape::{self, Kind};
use super::source::{Place, SourceFile};
use super::{TestFile, yaml};

/// A document of known kind.
#[derive(Debug, Clone)]
pub(crate) struct Document {
    pub kind: &'static Kind,
    pub node: Node,
    /// Package of the folder it lies in; `None` outside of all packages.
    pub package: Option<String>,
    /// The package's folder, to find its scripts.
    pub folder: String,
    pub path: String,
}

/// All that was read.
#[derive(Debug, Default)]
pub(crate) struct Intake {
    pub documents: Vec<Document>,
    /// Scripts by path.
    pub scripts: BTreeMap<String, String>,
    pub tests: Vec<TestFile>,
    /// Texts by path, for excerpts and positions inside of texts.
    pub texts: HashMap<String, String>,
    pub faults: Vec<Diagnostic>,
    /// A file could not be read to its end: fields may be missing that are there.
    pub unread: bool,
    /// That, or a document of no known kind: entities may be missing that are there.
    pub incomplete: bool,
}

pub(crate) fn take(files: &[SourceFile]) -> Intake {
    let mut intake = Intake::default();
    let mut raw: Vec<(String, Vec<Node>)> = Vec::new();
    for file in files {
        let text = file.text.strip_prefix('\u{feff}').unwrap_or(&file.text);
        match extension(&file.path) {
            "rhai" => {
                intake.scripts.insert(file.path.clone(), text.to_owned());
            }
            "yaml" | "yml" | "json" => {
                let (documents, faults, is_whole) = yaml::read(&Arc::from(file.path.as_str()), text);
                intake.unread |= !is_whole;
                intake.incomplete |= !is_whole;
                intake.faults.extend(faults);
                intake.texts.insert(file.path.clone(), text.to_owned());
                raw.push((file.path.clone(), documents));
            }
            _ => {}
        }
    }
    let folders = package_folders(&raw);
    for (path, documents) in raw {
        let (folder, package) = home(&folders, &path);
        if is_test(&path, &documents) {
            let documents = documents.iter().map(|node| (node.to_json(), node.place.clone())).collect();
            let text = intake.texts.get(&path).cloned().unwrap_or_default();
            intake.tests.push(TestFile { package: package.unwrap_or_default(), path, documents, text });
            continue;
        }
        let implied = match file_name(&path) {
            "relata.yaml" | "relata.yml" => Some("workspace"),
            "package.yaml" | "package.yml" => Some("package"),
            _ => None,
        };
        for node in documents {
            let implied = implied.filter(|_| node.get("kind").is_none());
            let Some(kind) = shape::check_document(&node, implied, &mut intake.faults) else {
                intake.incomplete = true;
                continue;
            };
            intake.documents.push(Document { kind, node, package: package.clone(), folder: folder.clone(), path: path.clone() });
        }
    }
    intake
}

fn extension(path: &str) -> &str {
    file_name(path).rsplit_once('.').map_or("", |(_, extension)| extension)
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Tests lie in a folder `tests`, or say `kind: test`.
fn is_test(path: &str, documents: &[Node]) -> bool {
    path.split('/').rev().skip(1).any(|part| part == "tests") || documents.first().is_some_and(|node| node.text("kind") == Some("test"))
}

/// Folders that hold a `package.yaml`, with the package's id.
fn package_folders(raw: &[(String, Vec<Node>)]) -> BTreeMap<String, String> {
    let mut folders = BTreeMap::new();
    for (path, documents) in raw {
        if !matches!(file_name(path), "package.yaml" | "package.yml" | "package.json") {
            continue;
        }
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
        let named = documents.first().and_then(|node| node.text("id")).filter(|id| shape::identifier(id));
        let id = named.unwrap_or_else(|| file_name(&folder)).to_owned();
        folders.insert(folder, id);
    }
    folders
}

/// The nearest package folder above a path.
fn home(folders: &BTreeMap<String, String>, path: &str) -> (String, Option<String>) {
    let mut folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    loop {
        if let Some(package) = folders.get(folder) {
            return (folder.to_owned(), Some(package.clone()));
        }
        match folder.rsplit_once('/') {
            Some((above, _)) => folder = above,
            None if folder.is_empty() => return (String::new(), None),
            None => folder = "",
        }
    }
}

/// Puts the source lines into diagnostics and sorts them by file and line.
pub(crate) fn finish(mut faults: Vec<Diagnostic>, texts: &HashMap<String, String>) -> Vec<Diagnostic> {
    let line = |file: &str, number: u32| {
        texts
            .get(file)
            .and_then(|text| text.lines().nth(number as usize - 1))
            .map_or(String::new(), |line| line.trim_end_matches('\r').to_owned())
    };
    for fault in &mut faults {
        fault.excerpt = line(&fault.file, fault.line.max(1));
        for label in &mut fault.labels {
            label.excerpt = line(&label.file, label.line.max(1));
        }
    }
    faults.sort_by(|a, b| (&a.file, a.line, a.column, a.code, &a.message).cmp(&(&b.file, b.line, b.column, b.code, &b.message)));
    faults.dedup();
    faults
}

/// The core package of a workspace that brings none: just people, so that owners exist.
pub(crate) fn builtin_core() -> Vec<Document> {
    const USER: &str = "kind: entity\nid: core.user\nlabel: {en: User, zh-CN: 用户, zh-TW: 使用者}\ntitle: \"{name}\"\nfeatures: {owner: false}\nfields:\n  name: {type: text, required: true, search: true}\n  email: {type: email, required: true, unique: true}\n";
    let path = "core/entities/user.yaml";
    let (documents, _, _) = yaml::read(&Arc::from(path), USER);
    let document = |node: Node| {
        shape::kinds::find("entity").map(|kind| Document {
            kind,
            node,
            package: Some("core".to_owned()),
            folder: "core".to_owned(),
            path: path.to_owned(),
        })
    };
    documents.into_iter().filter_map(document).collect()
}

/// A place for things no file defines.
pub(crate) fn nowhere() -> Place {
    Place::top(&Arc::from(""))
}
