//! Checking definitions without a database, and reading back what is applied.

use super::DeployError;
use crate::render::mail::{self, TextFault};
use crate::schema::{self, Bindings, Catalog, Diagnostic, Loaded, Place, SourceFile};
use crate::script::{self, ScriptFault};
use crate::store::{self, Store};

/// Resolves all files and compiles every script they name. Faults of all files come in one run.
///
/// # Errors
/// All faults and warnings, sorted by file and line.
pub fn check(files: &[SourceFile], bindings: &Bindings) -> Result<Loaded, Vec<Diagnostic>> {
    let loaded = schema::load(files, bindings)?;
    let (_, faults) = script::compile_all(&loaded.catalog);
    let texts: Vec<TextFault> =
        loaded.catalog.templates.iter().filter_map(|template| mail::needs(&loaded.catalog, template).err()).flatten().collect();
    if faults.is_empty() && texts.is_empty() {
        return Ok(loaded);
    }
    let mut diagnostics: Vec<Diagnostic> = faults.iter().map(|fault| diagnostic(fault, files, &loaded.catalog)).collect();
    diagnostics.extend(texts.iter().map(|fault| of_text(fault, files, &loaded)));
    diagnostics.extend(loaded.warnings);
    diagnostics.sort_by(|a, b| (&a.file, a.line, a.column).cmp(&(&b.file, b.line, b.column)));
    Err(diagnostics)
}

/// A script's fault as a diagnostic at its place in the script's file, or in the YAML file that holds it.
fn diagnostic(fault: &ScriptFault, files: &[SourceFile], catalog: &Catalog) -> Diagnostic {
    let file: std::sync::Arc<str> = fault.file.as_str().into();
    let text = files.iter().find(|source| source.path == fault.file).map(|source| source.text.as_str());
    let script = catalog.scripts.iter().find(|script| script.id == fault.script);
    let embedded = match (text, script) {
        (Some(yaml), Some(script)) if !fault.file.ends_with(".rhai") => script::place_in(yaml, &script.source, fault.line, fault.column),
        _ => None,
    };
    let (number, column) = embedded.unwrap_or((fault.line, fault.column));
    let place = Place { file, line: number, column, end: column + 1, bytes: (0, 0) };
    let mut diagnostic = Diagnostic::error(fault.code, &place, fault.message.clone());
    diagnostic.hint.clone_from(&fault.hint);
    let line = text.and_then(|text| text.lines().nth((number as usize).saturating_sub(1)));
    diagnostic.excerpt = line.unwrap_or_default().to_owned();
    diagnostic
}

/// A fault of a template's text as a diagnostic at its place in the file.
fn of_text(fault: &TextFault, files: &[SourceFile], loaded: &Loaded) -> Diagnostic {
    let template = loaded.catalog.templates.iter().find(|template| template.uid == fault.template);
    let (path, source) = template.map_or(("", ""), |template| {
        let source = template.texts().into_iter().find(|(part, _)| *part == fault.part).and_then(|(_, texts)| texts.0.get(&fault.language));
        (template.file.as_str(), source.map_or("", String::as_str))
    });
    let text = files.iter().find(|source| source.path == path).map_or("", |source| source.text.as_str());
    let known = loaded.places.get(&format!("{}/{}", fault.template, fault.part));
    let (line, column) = match script::place_in(text, source, fault.line, 1) {
        Some(place) => place,
        None => known.map_or((1, 1), |place| (place.line, place.column)),
    };
    let place = Place { file: path.into(), line, column, end: column + 1, bytes: (0, 0) };
    let mut diagnostic = Diagnostic::error(fault.code, &place, format!("{} ({}): {}", fault.part, fault.language, fault.message));
    diagnostic.hint.clone_from(&fault.hint);
    diagnostic.excerpt = text.lines().nth((line as usize).saturating_sub(1)).unwrap_or_default().to_owned();
    diagnostic
}

/// The definitions in force, read from the database; `None` before the first apply. Its version is in the catalog.
///
/// # Errors
/// The database, or definitions that this program cannot read.
pub async fn current(store: &Store) -> Result<Option<Loaded>, DeployError> {
    let Some(applied) = store::catalog::load_applied(store).await? else {
        return Ok(None);
    };
    let broken = |faults| DeployError::BrokenCatalog { version: applied.version, faults };
    let bundle = serde_json::from_str(&applied.bundle_json).map_err(|_| broken(Vec::new()))?;
    let mut loaded = schema::from_bundle(&bundle, &applied.bindings).map_err(broken)?;
    loaded.catalog.version = applied.version;
    Ok(Some(loaded))
}
