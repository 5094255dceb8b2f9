//! Holds the house of `docs/architecture.md` by reading `src/`: who may import whom, which room may name
//! which crate, and that nothing but `base` asks for the time or for randomness.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Rooms and their floors. A room imports only rooms of lower floors.
const FLOORS: [(&str, u8); 23] = [
    ("base", 0),
    ("expr", 1),
    ("schema", 2),
    ("query", 3),
    ("access", 4),
    ("store", 5),
    ("script", 5),
    ("render", 5),
    ("outbound", 5),
    ("contract", 5),
    ("record", 6),
    ("jobs", 6),
    ("auth", 7),
    ("report", 7),
    ("transfer", 7),
    ("automation", 8),
    ("deploy", 8),
    ("proof", 9),
    ("web", 10),
    ("cli", 10),
    ("app", 11),
    ("main", 11),
    ("lib", 11),
];

/// Crates that only the named rooms may say.
const OWNED: [(&str, &[&str]); 9] = [
    ("sqlx", &["store"]),
    ("rusqlite", &["store"]),
    ("axum", &["web"]),
    ("hyper", &["web", "outbound"]),
    ("tower_http", &["web"]),
    ("rhai", &["script"]),
    ("minijinja", &["render"]),
    ("clap", &["cli"]),
    ("lettre", &["outbound"]),
];

/// Rooms without IO and without async.
const PURE: [&str; 5] = ["base", "expr", "schema", "query", "access"];

struct Line {
    file: PathBuf,
    number: usize,
    text: String,
}

fn source_lines() -> Vec<Line> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect(&root, &mut files);
    files.sort();
    let mut lines = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).expect("a source file is readable");
        let short = file.strip_prefix(env!("CARGO_MANIFEST_DIR")).expect("below the root").to_path_buf();
        for (index, line) in text.lines().enumerate() {
            let code = line.split("//").next().unwrap_or("");
            lines.push(Line { file: short.clone(), number: index + 1, text: code.to_owned() });
        }
    }
    assert!(lines.len() > 100, "the sources are where this test looks for them");
    lines
}

fn collect(dir: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).expect("the folder is readable") {
        let path = entry.expect("the entry is readable").path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// The room of `src/store/writer.rs` is `store`, of `src/app.rs` is `app`.
fn room(file: &Path) -> String {
    let second = file.components().nth(1).expect("below src").as_os_str().to_string_lossy().into_owned();
    second.trim_end_matches(".rs").to_owned()
}

/// Test files may look wider than their room.
fn is_test(file: &Path) -> bool {
    file.components().any(|part| part.as_os_str() == "tests" || part.as_os_str() == "tests.rs")
}

fn words_after<'a>(text: &'a str, marker: &'a str) -> impl Iterator<Item = &'a str> + 'a {
    text.match_indices(marker).filter_map(move |(at, _)| {
        let before = text[..at].chars().next_back();
        if before.is_some_and(|c| c.is_alphanumeric() || c == '_') {
            return None;
        }
        let rest = &text[at + marker.len()..];
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        Some(&rest[..end])
    })
}

#[test]
fn every_room_has_a_floor() {
    let floors: BTreeMap<&str, u8> = FLOORS.into_iter().collect();
    for line in source_lines() {
        let room = room(&line.file);
        assert!(
            floors.contains_key(room.as_str()),
            "{}: the room `{room}` has no floor; name it in FLOORS of this test and in docs/architecture.md",
            line.file.display()
        );
    }
}

#[test]
fn a_room_imports_only_lower_floors() {
    let floors: BTreeMap<&str, u8> = FLOORS.into_iter().collect();
    let mut faults = Vec::new();
    for line in source_lines().iter().filter(|line| !is_test(&line.file)) {
        let own = room(&line.file);
        if own == "lib" || own == "main" {
            continue;
        }
        for marker in ["crate::", "relata::"] {
            for word in words_after(&line.text, marker) {
                let Some(floor) = floors.get(word) else { continue };
                if word != own && *floor >= floors[own.as_str()] {
                    faults.push(format!(
                        "{}:{}: `{own}` (floor {}) names `{word}` (floor {floor}): move the code down, or let the lower room own a trait",
                        line.file.display(),
                        line.number,
                        floors[own.as_str()],
                    ));
                }
            }
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn each_library_is_named_by_its_room_alone() {
    let mut faults = Vec::new();
    for line in source_lines() {
        let own = room(&line.file);
        for (library, rooms) in OWNED {
            let marker = format!("{library}::");
            if !rooms.contains(&own.as_str()) && words_after(&line.text, &marker).next().is_some() {
                faults.push(format!("{}:{}: only {} may name `{library}`", line.file.display(), line.number, rooms.join(", ")));
            }
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn the_lower_floors_are_pure() {
    let forbidden = ["std::fs", "std::net", "std::process", "tokio::", "async fn", ".await", "std::env"];
    let mut faults = Vec::new();
    for line in source_lines().iter().filter(|line| PURE.contains(&room(&line.file).as_str()) && !is_test(&line.file)) {
        for word in forbidden {
            if line.text.contains(word) {
                faults.push(format!("{}:{}: `{word}` in a room without IO", line.file.display(), line.number));
            }
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn only_base_asks_for_time_and_randomness() {
    let forbidden = ["SystemTime::now", "Instant::now", "Timestamp::now", "Zoned::now", "getrandom::", "thread_rng", "rand::"];
    let mut faults = Vec::new();
    for line in source_lines().iter().filter(|line| room(&line.file) != "base") {
        for word in forbidden {
            if line.text.contains(word) {
                faults.push(format!("{}:{}: `{word}`: ask `base::Clock` or `base::Random`", line.file.display(), line.number));
            }
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn the_map_in_the_docs_names_every_room() {
    let docs = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/architecture.md")).expect("docs/architecture.md");
    for (name, floor) in FLOORS {
        if name == "lib" || name == "main" || !Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(name).exists() {
            continue;
        }
        let row = format!("| {floor} | `{name}` |");
        assert!(docs.contains(&row), "docs/architecture.md lacks the row `{row}`");
    }
}
