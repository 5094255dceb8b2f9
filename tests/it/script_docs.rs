//! docs/scripting.md: its examples compile, its list of functions is the program's. `UPDATE_GOLDEN=1` writes the list anew.

use std::fmt::Write;
use std::path::PathBuf;

use relata::deploy::{self, Folders};
use relata::schema::catalog::ScriptLimits;
use relata::schema::{self, Bindings};
use relata::script::{self, Kind, ScriptSource};

fn page() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/scripting.md")
}

fn functions() -> String {
    let mut text = String::new();
    let mut group = "";
    for function in script::api() {
        if function.group != group {
            group = function.group;
            let _ = write!(text, "\n### {group}\n\n| call | where | what |\n|---|---|---|\n");
        }
        let calls: Vec<String> = function.signature.split(" · ").map(|call| format!("`{}`", call.replace('|', "\\|"))).collect();
        let _ = writeln!(text, "| {} | {} | {} |", calls.join(", "), function.kinds.words(), function.doc.replace('|', "\\|"));
    }
    text.push('\n');
    text
}

#[test]
#[expect(clippy::disallowed_methods, reason = "golden files are written on demand")]
fn the_list_of_functions_is_the_one_scripts_are_checked_against() {
    let text = std::fs::read_to_string(page()).expect("the page");
    let (head, rest) = text.split_once("<!-- functions -->\n").expect("the list begins");
    let (list, tail) = rest.split_once("<!-- /functions -->").expect("the list ends");
    if std::env::var("UPDATE_GOLDEN").is_ok() {
        std::fs::write(page(), format!("{head}<!-- functions -->\n{}<!-- /functions -->{tail}", functions())).expect("written");
        return;
    }
    assert_eq!(list, functions(), "run with UPDATE_GOLDEN=1");
}

#[test]
fn the_examples_compile() {
    let files = deploy::read(&Folders::new(env!("CARGO_MANIFEST_DIR"), None)).expect("readable");
    let files: Vec<_> = files.into_iter().filter(|file| file.path.contains("/core/") || file.path.contains("/crm/")).collect();
    let catalog =
        schema::load(&files, &Bindings::default()).unwrap_or_else(|faults| panic!("{}", schema::diagnostic::render_text(&faults))).catalog;
    let text = std::fs::read_to_string(page()).expect("the page");
    let mut examples = 0;
    for example in text.split("```rhai\n").skip(1).filter_map(|rest| rest.split_once("```")).map(|(example, _)| example) {
        let head = example.lines().next().unwrap_or_default().trim_start_matches("// ");
        let (trigger, entity) = head.split_once(" of ").map_or((head, None), |(trigger, entity)| (trigger, Some(entity)));
        let kind = Kind::ALL.into_iter().find(|kind| kind.word() == trigger).expect("a trigger");
        let entity = entity.map(|name| catalog.find_entity(name).expect("an entity").ix);
        let source =
            ScriptSource { id: "docs.example", file: "docs/scripting.md", text: example, kind, entity, limits: ScriptLimits::default() };
        if let Err(faults) = script::compile(&source, &catalog) {
            panic!("{head}: {faults:#?}");
        }
        examples += 1;
    }
    assert!(examples >= 5, "{examples} examples");
}
