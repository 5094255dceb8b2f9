//! `relata test --mutate`: do the tests of a package notice when its definitions say something else? Each mutant is played on
//! by the package's own cases until one fails; those that none notices are told.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

use serde_json::{Value as Json, json};
use tokio::task::JoinSet;

use super::mutants::{self, Mutant};
use super::packages::Packages;
use super::{Failed, Report, Which, run_some};
use crate::base::Explain;
use crate::base::alike;
use crate::base::clock::Stopwatch;
use crate::deploy::{self, DeployError};
use crate::schema::{Bindings, SourceFile};

/// Which mutants are made.
#[derive(Debug, Clone, Default)]
pub struct Mutations {
    /// Of these packages; of all that have tests when empty.
    pub packages: Vec<String>,
    /// So many of each package, chosen by `seed`.
    pub limit: Option<usize>,
    pub seed: u64,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq)]
pub enum Mutation {
    /// The cases fail without any change.
    Failing(Report),
    Done {
        scores: Vec<Score>,
        ms: u64,
    },
}

/// How the tests of a package did.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Score {
    pub package: String,
    pub caught: usize,
    /// Changes that the check refuses, or that mean the same.
    pub refused: usize,
    pub survivors: Vec<Survivor>,
}

/// A change that no test noticed.
#[derive(Debug, Clone, PartialEq)]
pub struct Survivor {
    pub file: String,
    pub line: u32,
    pub operator: &'static str,
    pub change: String,
}

/// What the mutants of a package have in common.
struct Original {
    files: Vec<SourceFile>,
    /// Of the definitions without any change.
    digest: String,
    package: String,
    failed: Failed,
}

enum Fate {
    Refused,
    Caught,
    Survived,
}

/// # Errors
/// Definitions with faults.
pub async fn mutate(files: &[SourceFile], options: &Mutations) -> Result<Mutation, DeployError> {
    let started = Stopwatch::start();
    let loaded = deploy::check(files, &Bindings::default()).map_err(DeployError::Faults)?;
    let whole = run_some(files, Which::default()).await?;
    if !whole.is_ok() {
        return Ok(Mutation::Failing(whole));
    }
    let packages = Packages::of(&loaded);
    let tested = |package: &str| loaded.tests.iter().any(|file| file.package == package);
    let wanted =
        |package: &&str| if options.packages.is_empty() { tested(package) } else { options.packages.iter().any(|one| one == package) };
    let mut chosen: BTreeMap<String, Vec<Mutant>> = BTreeMap::new();
    for file in files.iter().filter(|file| !file.path.split('/').any(|part| part == "tests")) {
        if let Some(package) = packages.home(&file.path).filter(wanted) {
            chosen.entry(package.to_owned()).or_default().extend(mutants::of(file));
        }
    }
    let mut scores = Vec::new();
    for (package, mut mutants) in chosen {
        if let Some(limit) = options.limit {
            mutants.sort_by_key(|mutant| alike::number(&format!("{}|{}|{}|{}", options.seed, mutant.file, mutant.line, mutant.change)));
            mutants.truncate(limit);
        }
        let files = packages.ground(files, &package);
        let digest = deploy::check(&files, &Bindings::default()).map_err(DeployError::Faults)?.digest;
        scores.push(score(Original { files, digest, package, failed: Failed::default() }, mutants).await);
    }
    let ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok(Mutation::Done { scores, ms })
}

async fn score(original: Original, mutants: Vec<Mutant>) -> Score {
    let original = Arc::new(original);
    let most = std::thread::available_parallelism().map_or(2, usize::from) * 3;
    let mut score = Score { package: original.package.clone(), ..Score::default() };
    let mut running = JoinSet::new();
    let mut waiting = mutants.into_iter();
    loop {
        while running.len() < most
            && let Some(mutant) = waiting.next()
        {
            let original = Arc::clone(&original);
            running.spawn(async move { (fate(&original, &mutant).await, mutant) });
        }
        match running.join_next().await {
            None => break,
            Some(Ok((Fate::Refused, _))) => score.refused += 1,
            Some(Ok((Fate::Survived, mutant))) => {
                let Mutant { file, line, operator, change, .. } = mutant;
                score.survivors.push(Survivor { file, line, operator, change });
            }
            // A case that breaks off has noticed something.
            Some(Ok((Fate::Caught, _)) | Err(_)) => score.caught += 1,
        }
    }
    score.survivors.sort_by(|a, b| (&a.file, a.line, &a.change).cmp(&(&b.file, b.line, &b.change)));
    score
}

async fn fate(original: &Original, mutant: &Mutant) -> Fate {
    let changed: Vec<SourceFile> = original
        .files
        .iter()
        .map(|file| if file.path == mutant.file { SourceFile::new(file.path.clone(), mutant.text.clone()) } else { file.clone() })
        .collect();
    match deploy::check(&changed, &Bindings::default()) {
        Err(_) => return Fate::Refused,
        Ok(loaded) if loaded.digest == original.digest => return Fate::Refused,
        Ok(_) => {}
    }
    let which = Which { package: Some(&original.package), until_one_fails: Some(&original.failed), ..Which::default() };
    match run_some(&changed, which).await {
        Ok(report) if report.is_ok() => Fate::Survived,
        Ok(_) => Fate::Caught,
        Err(error) => {
            tracing::debug!(code = error.code(), "a mutant cannot be applied");
            Fate::Refused
        }
    }
}

impl Score {
    pub fn mutants(&self) -> usize {
        self.caught + self.survivors.len()
    }

    /// In percent, rounded down; 100 where nothing could be changed.
    pub fn percent(&self) -> usize {
        if self.mutants() == 0 { 100 } else { self.caught * 100 / self.mutants() }
    }
}

impl Mutation {
    /// Whether each package has so many percent.
    pub fn is_ok(&self, at_least: usize) -> bool {
        match self {
            Self::Failing(_) => false,
            Self::Done { scores, .. } => scores.iter().all(|score| score.percent() >= at_least),
        }
    }

    /// For people.
    pub fn text(&self) -> String {
        let (scores, ms) = match self {
            Self::Failing(report) => return format!("{}the cases must pass before definitions are changed\n", report.text()),
            Self::Done { scores, ms } => (scores, ms),
        };
        let mut text = String::new();
        // Writing to a String cannot fail.
        for score in scores {
            for one in &score.survivors {
                let _ = writeln!(text, "{}:{}: {} [{}]", one.file, one.line, one.change, one.operator);
            }
            let _ = writeln!(
                text,
                "{}: {} of {} changes were noticed, {} %; {} were refused by the check",
                score.package,
                score.caught,
                score.mutants(),
                score.percent(),
                score.refused
            );
        }
        if scores.is_empty() {
            text.push_str("no package has tests: nothing was changed\n");
        }
        let _ = writeln!(text, "{} s", ms / 1000);
        text
    }

    /// For programs.
    pub fn to_json(&self, at_least: usize) -> Json {
        let (scores, ms) = match self {
            Self::Failing(report) => return report.to_json(),
            Self::Done { scores, ms } => (scores, ms),
        };
        let survivor = |one: &Survivor| json!({"file": one.file, "line": one.line, "operator": one.operator, "change": one.change});
        let packages = scores.iter().map(|score| {
            json!({
                "package": score.package, "mutants": score.mutants(), "caught": score.caught, "percent": score.percent(),
                "refused": score.refused, "survivors": score.survivors.iter().map(survivor).collect::<Vec<_>>(),
            })
        });
        json!({"ok": self.is_ok(at_least), "packages": packages.collect::<Vec<_>>(), "ms": ms})
    }
}
