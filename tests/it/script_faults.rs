//! Faults of scripts against the shipped `crm`: each case says in its first line the moment, the code, the place and a
//! part of the message or hint (alternatives parted by `|`).

use std::path::{Path, PathBuf};

use relata::deploy::{self, Folders};
use relata::schema::catalog::{Catalog, ScriptLimits};
use relata::schema::{self, Bindings};
use relata::script::{self, Kind, ScriptSource};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn crm() -> Catalog {
    let files = deploy::read(&Folders::new(root(), None)).expect("readable");
    let files: Vec<_> = files.into_iter().filter(|file| file.path.contains("/core/") || file.path.contains("/crm/")).collect();
    schema::load(&files, &Bindings::default()).unwrap_or_else(|faults| panic!("{}", schema::diagnostic::render_text(&faults))).catalog
}

fn check(catalog: &Catalog, path: &PathBuf) -> Result<(), String> {
    let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
    let head = text.lines().next().and_then(|line| line.strip_prefix("// ")).ok_or("the first line says nothing")?;
    let (trigger, rest) = head.split_once(": ").ok_or("no trigger")?;
    let (codes, rest) = rest.split_once(" at ").ok_or("no place")?;
    let (place, part) = rest.split_once(' ').unwrap_or((rest, ""));
    let kind = Kind::ALL.into_iter().find(|kind| kind.word() == trigger).ok_or("unknown trigger")?;
    let entity = (kind != Kind::Schedule).then(|| catalog.find_entity("crm.deal").map(|entity| entity.ix)).flatten();
    let source = ScriptSource { id: "crm.case", file: "case.rhai", text: &text, kind, entity, limits: ScriptLimits::default() };
    let Err(faults) = script::compile(&source, catalog) else { return Err("no fault was found".to_owned()) };
    let shown: Vec<String> = faults
        .iter()
        .map(|fault| {
            format!("{}:{} {} {} ({})", fault.line, fault.column, fault.code, fault.message, fault.hint.as_deref().unwrap_or("no hint"))
        })
        .collect();
    let [fault] = faults.as_slice() else { return Err(format!("{} faults: {}", faults.len(), shown.join("; "))) };
    let told = format!("{} {}", fault.message, fault.hint.as_deref().unwrap_or_default());
    let is_placed = place == "*" || place == format!("{}:{}", fault.line, fault.column);
    if !codes.split('|').any(|code| code == fault.code) || !is_placed || !part.split('|').any(|part| told.contains(part)) {
        return Err(format!("expected {head}, got {}", shown.join("; ")));
    }
    Ok(())
}

#[test]
fn faults_of_scripts_are_told_with_code_place_and_hint() {
    let catalog = crm();
    let mut cases: Vec<PathBuf> =
        std::fs::read_dir(root().join("tests/cases/script/check")).expect("cases").map(|entry| entry.expect("entry").path()).collect();
    cases.sort();
    assert!(cases.len() >= 40);
    let name = |path: &PathBuf| path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let wrong: Vec<String> =
        cases.iter().filter_map(|path| check(&catalog, path).err().map(|fault| format!("{}: {fault}", name(path)))).collect();
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}
