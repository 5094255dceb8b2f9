//! The packages inside the binary.

use std::fs;
use std::path::Path;

use rust_embed::RustEmbed;

use super::DeployError;
use super::folder::is_definition;
use crate::schema::SourceFile;

#[derive(RustEmbed)]
#[folder = "definitions"]
struct Definitions;

#[derive(RustEmbed)]
#[folder = "plugins"]
struct Plugins;

/// Ids of the shipped templates (`core` is always there and not listed).
pub fn package_ids() -> Vec<String> {
    folders(Definitions::iter()).into_iter().filter(|id| id != "core").collect()
}

/// Ids of the shipped plugins.
pub fn plugin_ids() -> Vec<String> {
    folders(Plugins::iter())
}

/// Packages a shipped plugin depends on, read from its `package.yaml`.
pub fn plugin_needs(id: &str) -> Vec<String> {
    depends(Plugins::get(&format!("{id}/package.yaml")))
}

/// These templates with all those they depend on, each once and after what it needs.
pub fn with_needs(templates: &[String]) -> Vec<String> {
    let mut found = Vec::new();
    for id in templates {
        add(id, &mut found, &mut vec!["core".to_owned()]);
    }
    found
}

fn add(id: &str, found: &mut Vec<String>, above: &mut Vec<String>) {
    if found.iter().chain(above.iter()).any(|known| known == id) {
        return;
    }
    above.push(id.to_owned());
    for need in depends(Definitions::get(&format!("{id}/package.yaml"))) {
        add(&need, found, above);
    }
    above.pop();
    found.push(id.to_owned());
}

fn depends(file: Option<rust_embed::EmbeddedFile>) -> Vec<String> {
    let Some(file) = file else { return Vec::new() };
    let source = SourceFile::new("package.yaml", String::from_utf8_lossy(&file.data));
    let documents = crate::schema::read_documents(&source).unwrap_or_default();
    let depends = documents.first().and_then(|(document, _)| document.get("depends")).and_then(serde_json::Value::as_array);
    depends.map(|list| list.iter().filter_map(|id| id.as_str().map(str::to_owned)).collect()).unwrap_or_default()
}

fn folders<T: AsRef<str>>(paths: impl Iterator<Item = T>) -> Vec<String> {
    let mut ids: Vec<String> =
        paths.filter_map(|path| path.as_ref().strip_suffix("/package.yaml").filter(|id| !id.contains('/')).map(str::to_owned)).collect();
    ids.sort();
    ids
}

/// Files of `core`, which every workspace has.
pub(super) fn core_files() -> Vec<SourceFile> {
    Definitions::iter()
        .filter(|path| path.starts_with("core/") && is_definition(path))
        .filter_map(|path| {
            let file = Definitions::get(&path)?;
            Some(SourceFile::new(format!("definitions/{path}"), String::from_utf8_lossy(&file.data)))
        })
        .collect()
}

/// Copies a shipped template into `definitions/<id>` of a workspace; files that exist are left alone.
///
/// # Errors
/// An unknown package, or a file that cannot be written.
pub fn write_package(id: &str, definitions: &Path) -> Result<usize, DeployError> {
    let known = package_ids();
    if !known.iter().any(|known| known == id) && id != "core" {
        return Err(DeployError::NoSuchPackage { name: id.to_owned(), known });
    }
    write_files(id, definitions, Definitions::iter().map(std::borrow::Cow::into_owned), |path| {
        Definitions::get(path).map(|f| f.data.into_owned())
    })
}

/// Copies a shipped plugin into `plugins/<id>` of a workspace; files that exist are left alone.
///
/// # Errors
/// An unknown plugin, or a file that cannot be written.
pub fn write_plugin(id: &str, plugins: &Path) -> Result<usize, DeployError> {
    let known = plugin_ids();
    if !known.iter().any(|known| known == id) {
        return Err(DeployError::NoSuchPackage { name: id.to_owned(), known });
    }
    write_files(id, plugins, Plugins::iter().map(std::borrow::Cow::into_owned), |path| Plugins::get(path).map(|f| f.data.into_owned()))
}

fn write_files(
    id: &str,
    target: &Path,
    paths: impl Iterator<Item = String>,
    content: impl Fn(&str) -> Option<Vec<u8>>,
) -> Result<usize, DeployError> {
    let prefix = format!("{id}/");
    let mut written = 0;
    for path in paths.filter(|path| path.starts_with(&prefix)) {
        let file = target.join(&path);
        if file.exists() {
            continue;
        }
        let unwritable = |error: std::io::Error| DeployError::Unwritable { path: file.display().to_string(), reason: error.to_string() };
        if let Some(parent) = file.parent() {
            fs::create_dir_all(parent).map_err(unwritable)?;
        }
        fs::write(&file, content(&path).unwrap_or_default()).map_err(unwritable)?;
        written += 1;
    }
    Ok(written)
}

#[cfg(test)]
mod tests {
    use super::with_needs;

    #[test]
    fn templates_come_with_those_they_depend_on() {
        let of = |names: &[&str]| with_needs(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
        assert_eq!(of(&["service"]), ["crm", "service"]);
        assert_eq!(of(&["service", "crm", "retail", "crm"]), ["crm", "service", "retail"]);
        assert!(of(&["core"]).is_empty());
    }
}
