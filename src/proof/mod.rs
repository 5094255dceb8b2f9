//! Tests beside definitions: `relata test` reads them, runs each on a workspace of its own (in a temporary embedded
//! database, with a frozen clock and repeatable randomness) and says what came out otherwise.
//!
//! A case with `script:` runs one script alone on given records; a case with `when:` is a story through the whole engine.

mod case;
mod compare;
mod mutants;
mod mutate;
mod packages;
mod report;
mod story;
mod swaps;
mod unit;

use std::sync::Arc;

pub use mutate::{Mutation, Mutations, Score, Survivor, mutate};
pub use report::{Failure, Report};

use packages::Packages;

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
    /// Not those behind one that failed.
    until_one_fails: bool,
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

/// Plays the cases of a package on these files.
async fn play(files: &[SourceFile], tests: &[TestFile], which: Which<'_>, pool: &Pool, report: &mut Report) -> Result<(), DeployError> {
    let catalog = Arc::new(deploy::check(files, &Bindings::default()).map_err(DeployError::Faults)?.catalog);
    let stage = story::Stage::new(files);
    for file in tests {
        for (json, line) in cases_of(file) {
            if which.until_one_fails && !report.is_ok() {
                return Ok(());
            }
            let case = match case::Case::parse(&json, &file.path, line) {
                Ok(case) => case,
                Err(failure) => {
                    report.add(Err(failure));
                    continue;
                }
            };
            if which.filter.is_some_and(|wanted| !case.name.contains(wanted) && !file.path.contains(wanted)) {
                continue;
            }
            report.add(match &case.act {
                case::Act::Script(_) => unit::run(&catalog, pool, &case).await,
                case::Act::Story(_) => stage.run(&case).await,
            });
        }
    }
    Ok(())
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
