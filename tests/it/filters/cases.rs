//! The golden cases.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use relata::access::{Actor, authorise_aggregate, authorise_get, authorise_list};
use relata::base::{DateTime, Explain, RecordId};
use relata::expr::{EvalContext, Zone};
use relata::query::{self, Cursor, CursorKey, Params, QueryError};
use relata::schema::catalog::Catalog;
use relata::store::{Dialect, Sql, Statement, compile};

use super::catalog::catalog;

/// 2026-11-21T02:00:00Z, a Saturday.
pub fn context() -> EvalContext<'static> {
    EvalContext {
        now: DateTime::parse("2026-11-21T02:00:00Z").unwrap(),
        zone: Zone::named("Asia/Shanghai").unwrap(),
        me: Some(RecordId(42)),
        old: None,
    }
}

pub fn key() -> CursorKey {
    CursorKey::from_secret(b"golden")
}

#[test]
fn requests_give_the_sql_or_the_faults_that_their_folders_say() {
    let catalog = catalog();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/query");
    let mut folders: Vec<PathBuf> =
        std::fs::read_dir(&root).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect();
    folders.sort();
    let all = folders.len();
    // `CASE=sort_ cargo test …` runs some of them.
    if let Some(wanted) = std::env::var_os("CASE") {
        folders.retain(|folder| folder.to_string_lossy().contains(&*wanted.to_string_lossy()));
    }
    assert!(all >= 40, "only {all} cases");
    let mut wrong = String::new();
    for folder in folders {
        let request = std::fs::read_to_string(folder.join("request.txt")).unwrap();
        match run(&catalog, &request) {
            Ok([sqlite, postgres]) => {
                compare(&folder, "sqlite.sql", Some(&sqlite), &mut wrong);
                compare(&folder, "postgres.sql", Some(&postgres), &mut wrong);
                compare(&folder, "error.txt", None, &mut wrong);
            }
            Err(faults) => {
                compare(&folder, "error.txt", Some(&told(&faults)), &mut wrong);
                compare(&folder, "sqlite.sql", None, &mut wrong);
                compare(&folder, "postgres.sql", None, &mut wrong);
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}\nlook at the difference; UPDATE_GOLDEN=1 accepts it");
}

fn run(catalog: &Catalog, request: &str) -> Result<[String; 2], Vec<QueryError>> {
    let (head, body) = request.split_once('\n').unwrap_or((request, ""));
    let (what, slug) = head.trim().split_once(' ').unwrap();
    let entity = catalog.find_entity(slug).unwrap().ix;
    let actor = Actor::system();
    let context = context();
    match what {
        "list" | "query" | "after" => {
            let mut list = if what == "query" {
                let body = relata::base::json::parse(body.as_bytes()).unwrap();
                query::parse_list_json(catalog, &key(), entity, &body)?
            } else {
                query::parse_list(catalog, &key(), entity, &params(body, what))?
            };
            if what == "after" {
                let text = body.lines().find_map(|line| line.strip_prefix("after=")).unwrap();
                list.paging = query::Paging::After(cursor(text));
            }
            let list = authorise_list(catalog, &actor, list).unwrap();
            Ok([Dialect::Sqlite, Dialect::Postgres].map(|dialect| {
                let plan = compile::list(catalog, dialect, &list, &context);
                let mut out = statement(&plan.page);
                for part in &plan.rows.parts {
                    let mut sql: Sql = part.before.clone();
                    sql.bind_list(relata::schema::catalog::ColumnKind::Int, [101.into(), 102.into(), 103.into()]);
                    sql.append(part.after.clone());
                    out.push_str(&statement(&sql.statement(dialect, &part.columns)));
                }
                out.extend(plan.count.as_ref().map(statement));
                out
            }))
        }
        "get" => {
            let get = query::parse_get(catalog, entity, RecordId(101), &params(body, what))?;
            let get = authorise_get(catalog, &actor, get).unwrap();
            Ok([Dialect::Sqlite, Dialect::Postgres]
                .map(|dialect| statement(&compile::get(catalog, dialect, &get, &context).statement(RecordId(101)))))
        }
        "aggregate" => {
            let body = relata::base::json::parse(body.as_bytes()).unwrap();
            let asked = query::parse_aggregate_json(catalog, entity, &body)?;
            let asked = authorise_aggregate(catalog, &actor, asked).unwrap();
            Ok([Dialect::Sqlite, Dialect::Postgres]
                .map(|dialect| statement(&compile::aggregate(catalog, dialect, &asked, &context).statement)))
        }
        other => panic!("unknown request {other}"),
    }
}

/// One parameter a line, not encoded.
fn params(body: &str, what: &str) -> Params {
    let lines = body.lines().filter(|line| !line.is_empty() && (what != "after" || !line.starts_with("after=")));
    Params(lines.map(|line| line.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned())).unwrap()).collect())
}

/// `5,'x',null;77`: sort values, then the id.
fn cursor(text: &str) -> Cursor {
    let (values, id) = text.split_once(';').unwrap();
    let values = values.split(',').filter(|value| !value.is_empty()).map(|value| match value {
        "null" => relata::base::Cell::Null,
        quoted if quoted.starts_with('\'') => quoted.trim_matches('\'').into(),
        number => number.parse::<i64>().unwrap().into(),
    });
    Cursor { values: values.collect(), id: id.parse().unwrap() }
}

fn statement(statement: &Statement) -> String {
    let mut out = format!("{};\n", statement.sql);
    for (kind, cell) in &statement.binds {
        writeln!(out, "-- {kind:?} {cell:?}").unwrap();
    }
    out.push('\n');
    out
}

/// Faults as `docs/errors.md` shows them.
pub fn told(faults: &[QueryError]) -> String {
    let mut out = String::new();
    for fault in faults {
        let place = fault.place.offset.map_or_else(|| fault.place.at.clone(), |offset| format!("{}:{offset}", fault.place.at));
        writeln!(out, "{} {place} {fault}", fault.code()).unwrap();
        if let Some(hint) = fault.hint() {
            writeln!(out, "  hint: {hint}").unwrap();
        }
    }
    out
}

fn compare(folder: &Path, file: &str, got: Option<&str>, wrong: &mut String) {
    let path = folder.join(file);
    let known = std::fs::read_to_string(&path).ok();
    if known.as_deref() == got {
        return;
    }
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        match got {
            Some(got) => std::fs::write(&path, got).unwrap(),
            None => std::fs::remove_file(&path).unwrap(),
        }
        return;
    }
    let name = folder.file_name().unwrap().to_string_lossy();
    writeln!(wrong, "--- {name}/{file}\nexpected:\n{}\ngot:\n{}", known.unwrap_or_default(), got.unwrap_or_default()).unwrap();
}
