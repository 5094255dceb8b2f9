//! Both dialects have the same system tables and columns.

use std::collections::BTreeMap;
use std::path::Path;

/// Tables and their columns of a migration's text. The two texts are written in the same plain style: one column a line.
fn tables(dialect: &str) -> BTreeMap<String, Vec<String>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(dialect);
    let mut paths: Vec<_> = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for path in paths {
        let text = std::fs::read_to_string(&path).expect("a text");
        let mut table: Option<String> = None;
        for line in text.lines() {
            let words: Vec<&str> = line.trim_end_matches(';').split_whitespace().collect();
            match words.as_slice() {
                ["alter", "table", from, "rename", "to", to] => {
                    let columns = found.remove(*from).expect("a table");
                    found.insert((*to).to_owned(), columns);
                    continue;
                }
                ["alter", "table", table, "add", "column", column, ..] => {
                    found.get_mut(*table).expect("a table").push((*column).to_owned());
                    continue;
                }
                ["drop", "table", table] => {
                    found.remove(*table);
                    continue;
                }
                _ => {}
            }
            if let Some(rest) = line.strip_prefix("create table ") {
                table = rest.split_whitespace().next().map(str::to_owned);
            } else if line.starts_with(')') {
                table = None;
            } else if let (Some(table), Some(column)) = (&table, line.split_whitespace().next())
                && !matches!(column, "primary" | "unique" | "check")
            {
                found.entry(table.clone()).or_default().push(column.to_owned());
            }
        }
    }
    found
}

#[test]
fn migrations_give_the_same_tables_and_columns() {
    let (sqlite, mut postgres) = (tables("sqlite"), tables("postgres"));
    assert!(sqlite.len() > 20, "{sqlite:?}");
    // A virtual table on SQLite.
    assert_eq!(postgres.remove("sys_search"), Some(vec!["id".to_owned(), "tokens".to_owned()]));
    assert_eq!(sqlite, postgres);
}

#[test]
fn migrations_have_the_same_names() {
    let names = |dialect: &str| -> Vec<String> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(dialect);
        let mut names: Vec<_> = std::fs::read_dir(folder)
            .expect("a folder")
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    };
    assert_eq!(names("sqlite"), names("postgres"));
}
