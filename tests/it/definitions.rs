//! Cases of definitions: `err/<case>` holds files with one fault and `error.txt`, the diagnostics as a person reads
//! them; `ok/<case>` holds files without a fault and `catalog.json`, what they became. A case with folders `old` and
//! `new` is a change of definitions. `UPDATE_GOLDEN=1` writes the expectations.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use relata::schema::{self, Bindings, Loaded, SourceFile, diagnostic};

fn cases(kind: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/definitions").join(kind);
    let mut found: Vec<PathBuf> =
        std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect();
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
            let mut told = serde_json::json!({
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
            });
            if !entity.pipelines.is_empty() {
                let stages = |list: &[usize], pipeline: &relata::schema::catalog::Pipeline| match list {
                    [] => "any".to_owned(),
                    list => list.iter().map(|at| pipeline.stages[*at].key.clone()).collect::<Vec<_>>().join("|"),
                };
                told["pipelines"] = entity
                    .pipelines
                    .iter()
                    .map(|pipeline| {
                        serde_json::json!({
                            "id": pipeline.id,
                            "field": entity.field(pipeline.field).name,
                            "when": pipeline.when_text,
                            "start": pipeline.start.as_deref().map(|start| stages(start, pipeline)),
                            "amount": pipeline.amount.map(|amount| entity.field(amount).name.clone()),
                            "stages": pipeline.stages.iter().map(|stage| format!("{} {:?} {:?}", stage.key, stage.closed, stage.max_days)).collect::<Vec<_>>(),
                            "moves": pipeline.moves.iter().map(|rule| format!("{} -> {} {:?}", stages(&rule.from, pipeline), stages(&rule.to, pipeline), rule.roles)).collect::<Vec<_>>(),
                            "gates": pipeline.gates.iter().map(|gate| format!("{}: {} -> {}, {} requirements", gate.id, stages(&gate.from, pipeline), stages(&gate.to, pipeline), gate.require.len())).collect::<Vec<_>>(),
                        })
                    })
                    .collect();
            }
            told
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
        let again = schema::from_bundle(&loaded.bundle, &loaded.bindings)
            .unwrap_or_else(|faults| panic!("{}\n{}", case.display(), diagnostic::render_text(&faults)));
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
    // A workspace takes one of them, with what it depends on: two packages may have the same short names.
    for package in std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()) {
        let needs: &[&str] = if matches!(package.as_str(), "sales" | "service") { &["crm"] } else { &[] };
        let is_of = |file: &SourceFile, package: &str| file.path.starts_with(&format!("{package}/"));
        let wanted = |file: &SourceFile| is_of(file, "core") || is_of(file, &package) || needs.iter().any(|need| is_of(file, need));
        let sources: Vec<SourceFile> = files(&folder).into_iter().filter(wanted).collect();
        let loaded = schema::load(&sources, &Bindings::default()).unwrap_or_else(|faults| panic!("{}", diagnostic::render_text(&faults)));
        assert!(loaded.warnings.is_empty(), "{}", diagnostic::render_text(&loaded.warnings));
    }
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
                let known = ["DEF", "DEP"].iter().any(|room| code.starts_with(room))
                    && code[3..].chars().all(|c| c.is_ascii_digit())
                    && code.len() == 6;
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

/// Every YAML text of the cases and of the shipped packages.
fn texts() -> Vec<SourceFile> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = ["tests/cases/definitions/ok", "tests/cases/definitions/err", "definitions", "plugins"];
    let all = folders.iter().map(|folder| root.join(folder)).filter(|folder| folder.is_dir()).flat_map(|folder| files(&folder));
    all.filter(|file| file.path.ends_with(".yaml")).collect()
}

#[test]
fn formatting_keeps_the_meaning_and_settles_at_once() {
    let mut changed = 0;
    for file in texts() {
        let Ok(once) = schema::fmt::format(&file.path, &file.text) else { continue };
        let twice = schema::fmt::format(&file.path, &once).unwrap();
        assert_eq!(once, twice, "{}", file.path);
        let comments = |text: &str| text.matches('#').count();
        assert_eq!(comments(&file.text), comments(&once), "{}", file.path);
        changed += usize::from(once != file.text);
    }
    assert!(changed > 0, "no case needs formatting");
    for case in cases("ok") {
        let before = load(&case).unwrap();
        let formatted: Vec<SourceFile> = files(&case)
            .into_iter()
            .map(|file| {
                SourceFile::new(
                    file.path.clone(),
                    if file.path.ends_with(".rhai") { file.text.clone() } else { schema::fmt::format(&file.path, &file.text).unwrap() },
                )
            })
            .collect();
        let after = schema::load(&formatted, &Bindings::default()).unwrap_or_else(|faults| panic!("{}", diagnostic::render_text(&faults)));
        assert_eq!(before.digest, after.digest, "{}", case.display());
    }
}

#[test]
fn formatting_moves_comments_with_their_keys() {
    let text = "# A deal.\nfields:\n  # What it is called.\n  name: {label: Name, type: text}   # shown first\n\n  stage:\n    label: Stage\n    # All stages.\n    options: [a, b]\n    type: select\n\n\n# Its id.\nid: deal\nkind: entity\n";
    let wanted = "# A deal.\nkind: entity\n\n# Its id.\nid: deal\nfields:\n  # What it is called.\n  name: {type: text, label: Name}   # shown first\n\n  stage:\n    type: select\n    # All stages.\n    options: [a, b]\n    label: Stage\n";
    assert_eq!(schema::fmt::format("deal.yaml", text).unwrap(), wanted);
}

#[test]
fn pinning_writes_uids_and_changes_nothing_else() {
    let text = "kind: entity\nid: deal\nfields:\n  name: {type: text}\n  stage:\n    type: select\n    options: [{key: a}, b]\n";
    let before = schema::load(&[SourceFile::new("deal.yaml", text)], &Bindings::default()).unwrap();
    let pinned = schema::fmt::pin("deal.yaml", text, &before).unwrap();
    assert_eq!(pinned.matches("uid: ").count(), 4, "{pinned}");
    let after = schema::load(&[SourceFile::new("deal.yaml", pinned.clone())], &before.bindings).unwrap();
    assert!(schema::diff(Some(&before.catalog), &before.bindings, &after).unwrap().is_empty());
    assert_eq!(schema::fmt::pin("deal.yaml", &pinned, &after).unwrap(), pinned);
}

/// Loads one text after another as applied versions; gives the words of the ops of the last step.
fn steps(texts: &[&str]) -> (Loaded, Vec<String>) {
    let mut current: Option<Loaded> = None;
    let mut ops = Vec::new();
    for text in texts {
        let bindings = current.as_ref().map(|loaded| loaded.bindings.clone()).unwrap_or_default();
        let next = schema::load(&[SourceFile::new("deal.yaml", *text)], &bindings)
            .unwrap_or_else(|faults| panic!("{}", diagnostic::render_text(&faults)));
        let found = schema::diff(current.as_ref().map(|loaded| &loaded.catalog), &bindings, &next)
            .unwrap_or_else(|faults| panic!("{}", diagnostic::render_text(&faults)));
        ops = found.iter().map(|op| format!("{} {} {}", op.kind.words().0, op.kind.words().1, op.name)).collect();
        let again = schema::load(&[SourceFile::new("deal.yaml", *text)], &next.bindings).unwrap();
        let second = schema::diff(Some(&next.catalog), &next.bindings, &again).unwrap();
        assert!(second.is_empty(), "the second plan is not empty: {second:?}");
        current = Some(again);
    }
    (current.unwrap(), ops)
}

fn deal(fields: &str) -> String {
    format!("kind: entity\nid: deal\nfields:\n  name: {{type: text}}\n{fields}")
}

fn columns(loaded: &Loaded, field: &str) -> Vec<String> {
    let entity = loaded.catalog.find_entity("deal").unwrap();
    entity.find_field(field).unwrap().columns.iter().map(|column| column.name.clone()).collect()
}

#[test]
fn a_rename_keeps_the_column() {
    let (loaded, ops) = steps(&[&deal("  est_budget: {type: integer}\n"), &deal("  budget: {type: integer, was: est_budget}\n")]);
    assert_eq!(ops, ["rename field budget"]);
    assert_eq!(columns(&loaded, "budget"), ["est_budget"]);
    assert_eq!(columns(&loaded, "est_budget"), ["est_budget"], "the old name is still answered");
}

#[test]
fn a_swap_of_two_names_keeps_both_columns() {
    let (loaded, ops) = steps(&[
        &deal("  a: {type: integer}\n  b: {type: integer}\n"),
        &deal("  a: {type: integer, was: b}\n  b: {type: integer, was: a}\n"),
    ]);
    assert_eq!(ops.into_iter().collect::<BTreeSet<_>>(), BTreeSet::from(["rename field a".to_owned(), "rename field b".to_owned()]));
    assert_eq!(columns(&loaded, "a"), ["b"]);
    assert_eq!(columns(&loaded, "b"), ["a"]);
}

#[test]
fn a_new_field_under_a_name_once_used_has_its_own_column() {
    let (loaded, ops) = steps(&[
        &deal("  size: {type: integer}\n"),
        &deal("  length: {type: integer, was: size}\n"),
        &deal("  length: {type: integer}\n  size: {type: integer}\n"),
    ]);
    assert_eq!(ops, ["create field size"]);
    assert_eq!(columns(&loaded, "length"), ["size"]);
    assert_ne!(columns(&loaded, "size"), ["size"]);
}

#[test]
fn what_is_taken_out_and_put_back_has_its_column_again() {
    let (loaded, ops) = steps(&[&deal("  size: {type: integer}\n"), &deal(""), &deal("  size: {type: integer}\n")]);
    assert_eq!(ops, ["restore field size"]);
    assert_eq!(columns(&loaded, "size"), ["size"]);
}

#[test]
fn an_option_taken_out_is_retired_and_keeps_its_label() {
    let (loaded, ops) = steps(&[
        &deal("  stage: {type: select, options: [{key: a, label: Alpha}, b]}\n"),
        &deal("  stage: {type: select, options: [b, c]}\n"),
    ]);
    assert!(ops.contains(&"retire option a".to_owned()) && ops.contains(&"create option c".to_owned()), "{ops:?}");
    let field = loaded.catalog.find_entity("deal").unwrap().find_field("stage").unwrap();
    let schema::catalog::FieldType::Select(options) = &field.ty else { panic!() };
    let gone = options.list.options.iter().find(|option| option.key == "a").unwrap();
    assert!(gone.retired && gone.label.get(relata::base::Locale::En) == "Alpha");
}

#[test]
fn indexes_uniques_and_parts_have_ops_of_their_own() {
    let (_, ops) = steps(&[
        &format!("{}unique:\n  - {{fields: [name]}}\nviews:\n  - {{id: all}}\n", deal("")),
        &format!("{}indexes:\n  - {{fields: [name]}}\nviews:\n  - {{id: all, columns: [name]}}\n", deal("")),
    ]);
    assert_eq!(ops.len(), 3, "{ops:?}");
    assert!(ops[0].starts_with("drop unique") && ops[1].starts_with("create index") && ops[2] == "change view all", "{ops:?}");
}

#[test]
fn a_first_apply_creates_entities_and_their_indexes() {
    let (_, ops) = steps(&[&deal("  parent: {type: link, to: deal}\n")]);
    assert!(ops.iter().any(|op| op == "create entity site.deal"), "{ops:?}");
    assert!(!ops.iter().any(|op| op.starts_with("create field")), "{ops:?}");
    assert!(ops.iter().any(|op| op.starts_with("create index")), "{ops:?}");
}

#[test]
fn a_renamed_entity_keeps_table_prefix_and_fields() {
    let renamed = deal("").replace("id: deal", "id: chance\nwas: deal");
    let (loaded, ops) = steps(&[&deal(""), &renamed]);
    assert_eq!(ops, ["rename entity site.chance"]);
    let entity = loaded.catalog.find_entity("chance").unwrap();
    assert_eq!((entity.table.as_str(), entity.prefix.as_str()), ("e_deal", "deal"));
}

#[test]
fn a_file_of_more_than_a_megabyte_is_refused() {
    let faults = schema::load(&[SourceFile::new("a.yaml", "#".repeat(2 << 20))], &Bindings::default()).unwrap_err();
    assert_eq!(faults[0].code, "DEF002");
}

#[test]
fn a_bundle_of_another_version_is_refused() {
    let faults = schema::from_bundle(&serde_json::json!({"format": "relata/bundle/9"}), &Bindings::default()).unwrap_err();
    assert_eq!(faults[0].code, "DEF010");
}

#[test]
fn every_kind_has_a_json_schema_that_accepts_the_cases() {
    let schemas = schema::json_schema(None);
    let compiled = jsonschema::options().build(&schemas["all"]).unwrap();
    for case in cases("ok") {
        for file in files(&case)
            .iter()
            .filter(|file| file.path.ends_with(".yaml") && !file.path.contains("tests/") && !file.path.contains("relata.yaml"))
        {
            let (documents, _, _) = schema::yaml::read(&std::sync::Arc::from(file.path.as_str()), &file.text);
            for document in documents {
                let json = document.to_json();
                let errors: Vec<String> = compiled.iter_errors(&json).map(|error| format!("{}: {error}", error.instance_path())).collect();
                assert!(errors.is_empty(), "{} of {}: {errors:?}", file.path, case.display());
            }
        }
    }
}

/// The YAML examples of the reference, each of which must load.
#[test]
fn the_examples_of_the_reference_load() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let text =
        ["definitions.md", "pipelines.md", "approvals.md", "automations.md", "conversions.md", "duplicates.md", "mail.md", "surveys.md"]
            .map(|name| std::fs::read_to_string(docs.join(name)).unwrap())
            .concat();
    let examples: Vec<&str> = text.split("```yaml\n").skip(1).map(|part| part.split("```").next().unwrap()).collect();
    assert!(examples.len() > 20);
    for example in examples {
        let head = example.lines().next().unwrap_or("").trim_start_matches("# ").to_owned();
        let name = if head.ends_with(".yaml") { head } else { "example.yaml".to_owned() };
        let mut sources = vec![SourceFile::new(name, example)];
        sources.push(SourceFile::new("scripts/check.rhai", "fn run(rec, old, ctx) {}"));
        match schema::load(&sources, &Bindings::default()) {
            Ok(_) => {}
            Err(faults) => panic!("{example}\n{}", diagnostic::render_text(&faults)),
        }
    }
}

#[test]
fn two_hundred_files_are_checked_fast() {
    let sources: Vec<SourceFile> = (0..200)
        .map(|at| {
            let fields: String = (0..15).map(|f| format!("  field_{f}: {{type: text, max: 100, label: {{en: Field {f}, zh-CN: 字段}}, required_if: \"amount > {f} and name is not null\"}}\n")).collect();
            SourceFile::new(format!("a/e{at}.yaml"), format!("kind: entity\nid: entity_{at}\nfields:\n  name: {{type: text, search: true}}\n  amount: {{type: integer}}\n  next: {{type: link, to: entity_{}}}\n{fields}views:\n  - {{id: all, columns: [name, amount], filter: \"amount > 3\"}}\n", (at + 1) % 200))
        })
        .collect();
    let before = worked_ms();
    schema::load(&sources, &Bindings::default()).unwrap_or_else(|faults| panic!("{}", diagnostic::render_text(&faults[..1])));
    let taken = worked_ms() - before;
    // The bar is one second for the released program; a build for tests is given five.
    assert!(taken < 5_000, "{taken} ms");
}

/// Milliseconds for which this thread was at work, so that whatever else the machine does is not counted.
fn worked_ms() -> u64 {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux tells the times of a thread");
    told.split_whitespace().next().and_then(|ns| ns.parse::<u64>().ok()).expect("nanoseconds") / 1_000_000
}
