//! Tests beside definitions: `relata test` reads them, runs each on a workspace of its own (in a temporary embedded
//! database, with a frozen clock and repeatable randomness) and says what came out otherwise.
//!
//! A case with `script:` runs one script alone on given records; a case with `when:` is a story through the whole engine.

mod case;
mod compare;
mod hours;
mod mutants;
mod mutate;
mod packages;
mod report;
mod story;
mod swaps;
mod unit;
pub mod what_if;

use std::sync::{Arc, Mutex, PoisonError};

use tokio::task::JoinSet;

pub use mutate::{Mutation, Mutations, Score, Survivor, mutate};
pub use report::{Failure, Report};

use case::{Act, Case};
use packages::Packages;
use story::Stage;

use crate::base::clock::Stopwatch;
use crate::deploy::{self, DeployError};
use crate::schema::{Bindings, SourceFile, TestFile};
use crate::script::Pool;

/// Which cases are run.
#[derive(Debug, Clone, Copy, Default)]
struct Which<'a> {
    /// Those whose name or file contains this.
    filter: Option<&'a str>,
    /// Those of a package.
    package: Option<&'a str>,
    /// Until one fails, those first that failed before.
    until_one_fails: Option<&'a Failed>,
}

/// Places of the cases that failed on a package with something changed, the latest first: what was changed next to it is
/// most likely noticed by the same case.
#[derive(Debug, Default)]
struct Failed(Mutex<Vec<usize>>);

impl Failed {
    fn places(&self) -> Vec<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note(&self, at: usize) {
        let mut places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        places.retain(|known| *known != at);
        places.insert(0, at);
    }
}

/// Runs the cases of all test files whose name contains `filter` (all without one).
///
/// # Errors
/// Definitions with faults. Cases that fail are in the report.
pub async fn run(files: &[SourceFile], filter: Option<&str>) -> Result<Report, DeployError> {
    run_some(files, Which { filter, ..Which::default() }).await
}

async fn run_some(files: &[SourceFile], which: Which<'_>) -> Result<Report, DeployError> {
    let loaded = deploy::check(files, &Bindings::default()).map_err(DeployError::Faults)?;
    let started = Stopwatch::start();
    let mut report = Report::default();
    let packages = Packages::of(&loaded);
    let pool = Pool::new(1);
    for tests in loaded.tests.chunk_by(|one, next| one.package == next.package) {
        let package = tests[0].package.as_str();
        if which.package.is_none_or(|wanted| wanted == package) {
            play(&packages.ground(files, package), tests, which, &pool, &mut report).await?;
        }
    }
    report.ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok(report)
}

/// Plays the cases of a package on these files: side by side, or one after the other until one fails.
async fn play(files: &[SourceFile], tests: &[TestFile], which: Which<'_>, pool: &Pool, report: &mut Report) -> Result<(), DeployError> {
    let catalog = Arc::new(deploy::check(files, &Bindings::default()).map_err(DeployError::Faults)?.catalog);
    let stage = Arc::new(Stage::new(files));
    let most = if which.until_one_fails.is_some() { 1 } else { std::thread::available_parallelism().map_or(2, usize::from) * 2 };
    let mut ended: Vec<(usize, Result<(), Failure>)> = Vec::new();
    let mut running = JoinSet::new();
    let cases = tests.iter().flat_map(|file| cases_of(file).into_iter().map(move |(json, line)| (file, json, line)));
    let mut cases: Vec<_> = cases.enumerate().collect();
    if let Some(failed) = which.until_one_fails {
        let places = failed.places();
        cases.sort_by_key(|(at, _)| places.iter().position(|place| place == at).unwrap_or(usize::MAX));
    }
    for (at, (file, json, line)) in cases {
        let case = match Case::parse(&json, &file.path, line) {
            Ok(case) => case,
            Err(failure) => {
                ended.push((at, Err(failure)));
                continue;
            }
        };
        if which.filter.is_some_and(|wanted| !case.name.contains(wanted) && !file.path.contains(wanted)) {
            continue;
        }
        if running.len() >= most {
            ended.extend(one_of(&mut running).await);
        }
        if which.until_one_fails.is_some() && ended.iter().any(|(_, result)| result.is_err()) {
            break;
        }
        let (catalog, stage, pool) = (Arc::clone(&catalog), Arc::clone(&stage), pool.clone());
        running.spawn(async move {
            let result = match &case.act {
                Act::Script(_) => unit::run(&catalog, &pool, &case).await,
                Act::Story(_) => stage.run(&case).await,
            };
            (at, result)
        });
    }
    while !running.is_empty() {
        ended.extend(one_of(&mut running).await);
    }
    stage.close().await;
    ended.sort_unstable_by_key(|(at, _)| *at);
    if let (Some(failed), Some((at, _))) = (which.until_one_fails, ended.iter().find(|(_, result)| result.is_err())) {
        failed.note(*at);
    }
    for (_, result) in ended {
        report.add(result);
    }
    Ok(())
}

/// The next case that ends.
async fn one_of(running: &mut JoinSet<(usize, Result<(), Failure>)>) -> Option<(usize, Result<(), Failure>)> {
    match running.join_next().await? {
        Ok(ended) => Some(ended),
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

/// The cases of a file with their lines: a list, or a document of `kind: test` with `cases:`, and `records:` that are there in
/// each of them.
fn cases_of(file: &TestFile) -> Vec<(serde_json::Value, u32)> {
    let mut cases = Vec::new();
    let mut lines = case_lines(&file.text).into_iter();
    for (document, place) in &file.documents {
        let list = document.as_array().or_else(|| document.get("cases").and_then(serde_json::Value::as_array));
        let shared = document.get("records").and_then(serde_json::Value::as_array).map(Vec::as_slice).unwrap_or_default();
        for case in list.into_iter().flatten() {
            let mut case = case.clone();
            if let (Some(case), false) = (case.as_object_mut(), shared.is_empty()) {
                let own = case.get("records").and_then(serde_json::Value::as_array).cloned().unwrap_or_default();
                case.insert("records".to_owned(), shared.iter().cloned().chain(own).collect());
            }
            cases.push((case, lines.next().unwrap_or(place.line)));
        }
    }
    cases
}

/// The lines on which cases begin: each has its `name` first.
fn case_lines(text: &str) -> Vec<u32> {
    let is_case = |line: &str| {
        line.trim_start().strip_prefix("- ").is_some_and(|rest| rest.trim_start().trim_start_matches('{').starts_with("name:"))
    };
    (1_u32..).zip(text.lines()).filter(|(_, line)| is_case(line)).map(|(number, _)| number).collect()
}
