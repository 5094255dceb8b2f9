//! Tests beside definitions: `relata test` reads them, runs each on a workspace of its own (in a temporary embedded
//! database, with a frozen clock and repeatable randomness) and says what came out otherwise.
//!
//! A case with `script:` runs one script alone on given records; a case with `when:` is a story through the whole engine.

mod case;
mod compare;
mod report;
mod story;
mod unit;

use std::sync::Arc;

pub use report::{Failure, Report};

use crate::base::clock::Stopwatch;
use crate::deploy::{self, DeployError};
use crate::schema::{Bindings, SourceFile, TestFile};
use crate::script::Pool;

/// Runs the cases of all test files whose name contains `filter` (all without one).
///
/// # Errors
/// Definitions with faults. Cases that fail are in the report.
pub async fn run(files: &[SourceFile], filter: Option<&str>) -> Result<Report, DeployError> {
    let loaded = deploy::check(files, &Bindings::default()).map_err(DeployError::Faults)?;
    let started = Stopwatch::start();
    let mut report = Report::default();
    let catalog = Arc::new(loaded.catalog);
    let pool = Pool::new(1);
    let mut stage: Option<story::Stage> = None;
    for file in &loaded.tests {
        for (json, line) in cases_of(file) {
            let case = match case::Case::parse(&json, &file.path, line) {
                Ok(case) => case,
                Err(failure) => {
                    report.add(Err(failure));
                    continue;
                }
            };
            if filter.is_some_and(|wanted| !case.name.contains(wanted) && !file.path.contains(wanted)) {
                continue;
            }
            let ended = match &case.act {
                case::Act::Script { .. } => unit::run(&catalog, &pool, &case).await,
                case::Act::When(_) => {
                    if stage.is_none() {
                        stage = Some(story::Stage::new(files)?);
                    }
                    match &stage {
                        Some(stage) => stage.run(&case).await,
                        None => Ok(()),
                    }
                }
            };
            report.add(ended);
        }
    }
    report.ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok(report)
}

/// The cases of a file with their lines: a list, or a document of `kind: test` with `cases:`.
fn cases_of(file: &TestFile) -> Vec<(serde_json::Value, u32)> {
    let mut cases = Vec::new();
    let mut lines = case_lines(&file.text).into_iter();
    for (document, place) in &file.documents {
        let list = document.as_array().or_else(|| document.get("cases").and_then(serde_json::Value::as_array));
        for case in list.into_iter().flatten() {
            cases.push((case.clone(), lines.next().unwrap_or(place.line)));
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
