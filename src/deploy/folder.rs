//! Reading the definition files of a workspace from disk.

use std::fs;
use std::path::{Path, PathBuf};

use super::DeployError;
use crate::schema::SourceFile;

/// Files larger than this are refused by `schema`; only so much is read.
const MAX_FILE_BYTES: u64 = 1_100_000;

/// Where a workspace keeps its definitions.
#[derive(Debug, Clone)]
pub struct Folders {
    /// The folder of `relata.yaml`, `definitions/` and `plugins/`.
    pub workspace: PathBuf,
    /// `--definitions DIR`, by default `definitions` of the workspace.
    pub definitions: PathBuf,
}

impl Folders {
    pub fn new(workspace: impl Into<PathBuf>, definitions: Option<PathBuf>) -> Self {
        let workspace = workspace.into();
        let definitions = definitions.unwrap_or_else(|| workspace.join("definitions"));
        Self { workspace, definitions }
    }

    pub fn plugins(&self) -> PathBuf {
        self.workspace.join("plugins")
    }

    pub fn settings(&self) -> PathBuf {
        self.workspace.join("relata.yaml")
    }

    /// The file of a path that [`read`] gave.
    pub fn resolve(&self, path: &str) -> PathBuf {
        match path.strip_prefix("definitions/") {
            Some(rest) => self.definitions.join(rest),
            None => self.workspace.join(path),
        }
    }
}

/// All files `schema` reads, sorted by path: `relata.yaml`, `definitions/…`, `plugins/…`. The shipped `core` package is
/// added where the workspace has no `definitions/core` of its own. Import mappings and data to import are left out.
///
/// # Errors
/// A folder or file that cannot be read.
pub fn read(folders: &Folders) -> Result<Vec<SourceFile>, DeployError> {
    let mut files = Vec::new();
    let settings = folders.settings();
    if settings.is_file() {
        files.push(SourceFile::new("relata.yaml", read_text(&settings)?));
    }
    collect(&folders.definitions, "definitions", &mut files)?;
    collect(&folders.plugins(), "plugins", &mut files)?;
    if !files.iter().any(|file| file.path.starts_with("definitions/core/")) {
        files.extend(super::shipped::core_files());
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

fn collect(dir: &Path, prefix: &str, files: &mut Vec<SourceFile>) -> Result<(), DeployError> {
    if !dir.is_dir() {
        return Ok(());
    }
    let entries = fs::read_dir(dir).map_err(|error| unreadable(dir, &error))?;
    for entry in entries {
        let entry = entry.map_err(|error| unreadable(dir, &error))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with('.') {
            continue;
        }
        let path = entry.path();
        let short = format!("{prefix}/{name}");
        let kind = entry.file_type().map_err(|error| unreadable(&path, &error))?;
        if kind.is_dir() {
            // Mappings of `relata import` and their data are no definitions.
            if name != "import" {
                collect(&path, &short, files)?;
            }
        } else if kind.is_file() && is_definition(&name) {
            files.push(SourceFile::new(short, read_text(&path)?));
        }
    }
    Ok(())
}

/// Whether `schema` reads files of this name.
pub(super) fn is_definition(name: &str) -> bool {
    [".yaml", ".yml", ".json", ".rhai"].iter().any(|ending| name.ends_with(ending))
}

fn read_text(path: &Path) -> Result<String, DeployError> {
    let size = fs::metadata(path).map_err(|error| unreadable(path, &error))?.len();
    if size > MAX_FILE_BYTES {
        return Err(DeployError::Unreadable {
            path: path.display().to_string(),
            reason: format!("{size} bytes are more than a definition file may have (1 MB)"),
        });
    }
    let bytes = fs::read(path).map_err(|error| unreadable(path, &error))?;
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        DeployError::Unreadable { path: path.display().to_string(), reason: format!("not UTF-8 at byte {at}; save the file as UTF-8") }
    })
}

fn unreadable(path: &Path, error: &std::io::Error) -> DeployError {
    DeployError::Unreadable { path: path.display().to_string(), reason: error.to_string() }
}
