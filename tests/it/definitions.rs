//! Cases of definitions: `err/<case>` holds files with one fault and `error.txt`, the diagnostics as a person reads
//! them; `ok/<case>` holds files without a fault and `catalog.json`, what they became. A case with folders `old` and
//! `new` is a change of definitions. `UPDATE_GOLDEN=1` writes the expectations.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use relata::schema::{self, Bindings, Loaded, SourceFile, diagnostic};

fn cases(kind: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/definitions").join(kind);
    let mut found: Vec<PathBuf> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect();
    found.sort();
    assert!(!found.is_empty(), "no cases in {}", folder.display());
    found
}

/// The source files below a folder, with paths relative to it.
pub fn files(folder: &Path) -> Vec<SourceFile> {
    fn walk(root: &Path, folder: &Path, found: &mut Vec<SourceFile>) {
        let mut entries: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        entries.sort();
        for path in entries {
            if path.is_dir() {
                walk(root, &path, found);
            } else if matches!(path.extension().and_then(|e| e.to_str()), Some("yaml" | "yml" | "rhai" | "json"))
                && path.file_name().is_some_and(|name| name != "catalog.json")
            {
                let relative = path.strip_prefix(root).unwrap().to_string_lossy().replace('\\', "/");
                found.push(SourceFile::new(relative, std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    let mut found = Vec::new();
    walk(folder, folder, &mut found);
    found
}

fn load(folder: &Path) -> Result<Loaded, Vec<schema::Diagnostic>> {
    schema::load(&files(folder), &Bindings::default())
}

/// Compares with the file, or writes it.
fn expect(path: &Path, got: &str, failures: &mut Vec<String>) {
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(path, got).unwrap();
        return;
    }
    let wanted = std::fs::read_to_string(path).unwrap_or_default();
    if wanted != got {
        failures.push(format!("{}\n--- wanted\n{wanted}\n--- got\n{got}", path.display()));
    }
}

/// What a case says: the faults of loading it, or of changing from `old` to `new`.
fn faults_of(case: &Path) -> Result<Vec<schema::Diagnostic>, String> {
    if !case.join("old").is_dir() {
        return match load(case) {
            Ok(loaded) if loaded.warnings.is_empty() => Err("loads without a fault".to_owned()),
            Ok(loaded) => Ok(loaded.warnings),
            Err(faults) => Ok(faults),
        };
    }
    let old = load(&case.join("old")).map_err(|faults| diagnostic::render_text(&faults))?;
    let new = match schema::load(&files(&case.join("new")), &old.bindings) {
        Ok(new) => new,
        Err(faults) => return Ok(faults),
    };
    match schema::diff(Some(&old.catalog), &old.bindings, &new) {
        Ok(ops) => Err(format!("is allowed: {ops:?}")),
        Err(faults) => Ok(faults),
    }
}

#[test]
fn every_fault_is_told_with_code_place_and_hint() {
    let mut failures = Vec::new();
    for case in cases("err") {
        match faults_of(&case) {
            Ok(faults) => expect(&case.join("error.txt"), &diagnostic::render_text(&faults), &mut failures),
            Err(why) => failures.push(format!("{}: {why}", case.display())),
        }
    }
    assert!(failures.is_empty(), "{} cases\n{}", failures.len(), failures.join("\n\n"));
}

#[test]
fn definitions_become_the_expected_catalog() {
    let mut failures = Vec::new();
    for case in cases("ok") {
        match load(&case) {
            Ok(loaded) => expect(&case.join("catalog.json"), &summary(&loaded), &mut failures),
            Err(faults) => failures.push(format!("{}\n{}", case.display(), diagnostic::render_text(&faults))),
        }
    }
    assert!(failures.is_empty(), "{} cases\n{}", failures.len(), failures.join("\n\n"));
}

/// The catalog as JSON, without what every entity has.
fn summary(loaded: &Loaded) -> String {
    let catalog = &loaded.catalog;
    let entities: Vec<serde_json::Value> = catalog
        .entities
        .iter()
        .filter(|entity| entity.package != "core")
        .map(|entity| {
            let fields: serde_json::Map<String, serde_json::Value> = entity
                .fields
                .iter()
                .filter(|field| !field.is_system)
                .map(|field| {
                    let columns: Vec<String> = field.columns.iter().map(|column| format!("{} {:?}", column.name, column.kind)).chain(field.fold_column.clone()).collect();
                    let mut line = format!("{} [{}]", schema::field_type::type_name(&field.ty), columns.join(", "));
                    for (flag, name) in [(field.required, "required"), (field.unique, "unique"), (field.indexed, "indexed"), (field.search, "search"), (field.read_only, "read only")] {
                        if flag {
                            let _ = write!(line, " {name}");
                        }
                    }
                    if let Some(table) = &field.side_table {
                        let _ = write!(line, " {table}");
                    }
                    (field.name.clone(), serde_json::Value::String(line))
                })
                .collect();
            let named = |fields: &[relata::base::FieldIx]| fields.iter().map(|at| entity.field(*at).name.clone()).collect::<Vec<_>>();
            serde_json::json!({
                "id": entity.id, "table": entity.table, "prefix": entity.prefix, "label": entity.label.0, "label_plural": entity.label_plural.0,
                "fields": fields,
                "unique": entity.uniques.iter().map(|unique| format!("{}: {}", unique.name, named(&unique.fields).join(", "))).collect::<Vec<_>>(),
                "indexes": entity.indexes.iter().map(|index| named(&index.fields).join(", ")).collect::<Vec<_>>(),
                "rules": entity.rules.iter().map(|rule| rule.id.clone()).collect::<Vec<_>>(),
                "views": entity.views.iter().map(|view| format!("{}: {}", view.id, named(&view.columns).join(", "))).collect::<Vec<_>>(),
                "layouts": entity.layouts.iter().map(|layout| layout.id.clone()).collect::<Vec<_>>(),
                "buttons": entity.buttons.iter().map(|button| button.id.clone()).collect::<Vec<_>>(),
                "computed": named(&entity.computed_order),
                "is_junction": entity.is_junction,
            })
        })
        .collect();
    let whole = serde_json::json!({
        "packages": catalog.packages.iter().map(|package| package.id.clone()).collect::<Vec<_>>(),
        "entities": entities,
        "picklists": catalog.picklists.keys().collect::<Vec<_>>(),
        "scripts": catalog.scripts.iter().map(|script| format!("{} {:?}", script.id, script.trigger)).collect::<Vec<_>>(),
        "apps": catalog.apps.iter().map(|app| app.id.clone()).collect::<Vec<_>>(),
        "data": loaded.data.iter().map(|set| format!("{}: {}", set.entity, set.records.len())).collect::<Vec<_>>(),
    });
    format!("{}\n", serde_json::to_string_pretty(&whole).unwrap())
}

#[test]
fn what_is_loaded_again_from_its_bundle_is_the_same() {
    for case in cases("ok") {
        let loaded = load(&case).unwrap();
        let again = schema::from_bundle(&loaded.bundle, &loaded.bindings).unwrap_or_else(|faults| panic!("{}\n{}", case.display(), diagnostic::render_text(&faults)));
        assert_eq!(loaded.digest, again.digest, "{}", case.display());
        assert_eq!(loaded.bindings, again.bindings, "{}", case.display());
        assert_eq!(loaded.catalog.described, again.catalog.described, "{}", case.display());
        let ops = schema::diff(Some(&loaded.catalog), &loaded.bindings, &again).unwrap();
        assert!(ops.is_empty(), "{}: {ops:?}", case.display());
    }
}

#[test]
fn the_shipped_packages_load_without_a_word() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("definitions");
    if !folder.is_dir() {
        return;
    }
    let loaded = load(&folder).unwrap_or_else(|faults| panic!("{}", diagnostic::render_text(&faults)));
    assert!(loaded.warnings.is_empty(), "{}", diagnostic::render_text(&loaded.warnings));
}

/// Codes of the definitions' faults as the sources name them.
fn codes_in_sources() -> BTreeSet<String> {
    fn walk(folder: &Path, found: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            let mut rest = text.as_str();
            while let Some(at) = rest.find('"') {
                rest = &rest[at + 1..];
                let code: String = rest.chars().take(6).collect();
                let known = ["DEF", "DEP"].iter().any(|room| code.starts_with(room)) && code[3..].chars().all(|c| c.is_ascii_digit()) && code.len() == 6;
                if known && rest[6..].starts_with('"') {
                    found.insert(code);
                }
            }
        }
    }
    let mut found = BTreeSet::new();
    walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/schema"), &mut found);
    found
}

/// Codes that no case can show, with the reason.
const WITHOUT_CASE: [&str; 2] = [
    "DEF010", // a stored bundle of another version: see the unit test
    "DEF002", // a file of more than a megabyte is not kept in the repository: see the unit test
];

#[test]
fn every_code_has_a_case_and_is_documented() {
    let mut shown = BTreeSet::new();
    for case in cases("err") {
        let text = std::fs::read_to_string(case.join("error.txt")).unwrap_or_default();
        for part in text.split('[').skip(1) {
            shown.insert(part.split(']').next().unwrap_or("").to_owned());
        }
    }
    let codes = codes_in_sources();
    let missing: Vec<&String> = codes.iter().filter(|code| !shown.contains(*code) && !WITHOUT_CASE.contains(&code.as_str())).collect();
    assert!(missing.is_empty(), "codes without a case in tests/cases/definitions/err: {missing:?}");
    let docs = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/errors.md")).unwrap_or_default();
    let undocumented: Vec<&String> = codes.iter().filter(|code| !docs.contains(*code)).collect();
    assert!(undocumented.is_empty(), "codes missing in docs/errors.md: {undocumented:?}");
}
