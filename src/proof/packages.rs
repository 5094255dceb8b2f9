//! Which files belong to a package: its cases are played on it and on what it depends on, whatever else is there.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use crate::schema::{Loaded, SourceFile};

/// The packages of a workspace by their folders.
#[derive(Debug)]
pub(super) struct Packages {
    homes: BTreeMap<String, String>,
    depends: BTreeMap<String, Vec<String>>,
}

impl Packages {
    pub fn of(loaded: &Loaded) -> Self {
        let documents = loaded.bundle["documents"].as_array().map(Vec::as_slice).unwrap_or_default();
        let home = |document: &Json| Some((document["folder"].as_str()?.to_owned(), document["package"].as_str()?.to_owned()));
        let depends = loaded.catalog.packages.iter().map(|package| (package.id.clone(), package.depends.clone()));
        Self { homes: documents.iter().filter_map(home).collect(), depends: depends.collect() }
    }

    /// The package of the nearest folder above a file.
    pub fn home(&self, path: &str) -> Option<&str> {
        let mut folder = path.rsplit_once('/')?.0;
        loop {
            if let Some(package) = self.homes.get(folder) {
                return Some(package);
            }
            folder = folder.rsplit_once('/')?.0;
        }
    }

    /// The files a package's cases are played on: all of them for cases outside of packages.
    pub fn ground(&self, files: &[SourceFile], package: &str) -> Vec<SourceFile> {
        if !self.depends.contains_key(package) {
            return files.to_vec();
        }
        let mut below = BTreeSet::from(["core", package]);
        let mut open = vec![package];
        while let Some(one) = open.pop() {
            for on in self.depends.get(one).into_iter().flatten() {
                if below.insert(on) {
                    open.push(on);
                }
            }
        }
        let is_settings = |path: &str| matches!(path.rsplit('/').next(), Some("relata.yaml" | "relata.yml"));
        let belongs = |file: &&SourceFile| match self.home(&file.path) {
            Some(home) => below.contains(home),
            None => is_settings(&file.path),
        };
        files.iter().filter(belongs).cloned().collect()
    }
}
