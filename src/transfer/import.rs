//! Rows of a table become records: all of a row or nothing of it.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use jiff::tz::TimeZone;

use super::ahead::Ahead;
use super::feed::{Chunk, Chunks};
use super::mapping::{Mapping, Node};
use super::report::{Difference, FailedRow, Report};
use super::row::Reason;
use super::rows::{Job, RowOutcome, RowsDone, run_rows};
use super::table::{Row, Table};
use crate::access::{Actor, authorise_import};
use crate::base::EntityIx;
use crate::record::{RecordError, Records, Source, WriteOptions};
use crate::schema::catalog::Catalog;
use crate::store::statistics;

/// Rows after which a transaction ends when others wait to write.
const STEP: usize = 500;
/// From so many new records on the database looks at its tables anew.
const MANY: u64 = 1_000;

/// One import to run.
pub struct Import {
    pub table: Table,
    pub mapping: Mapping,
    /// In which date-times without an offset are read.
    pub zone: TimeZone,
    /// Check and report everything, keep nothing.
    pub dry_run: bool,
    /// Scripts do not run for these records.
    pub without_hooks: bool,
    /// Why rows go against the order of a pipeline or a gate, where the actor may do that.
    pub reason: Option<String>,
    /// Rows are kept also where a rule warns of a duplicate.
    pub allow_duplicates: bool,
}

/// How far an import is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    pub done: u64,
    pub total: u64,
    pub failed: u64,
}

/// Runs the import, many rows in one transaction; a row that fails is undone alone and reported.
///
/// # Errors
/// Only what stops everything (the database); what was committed before stays.
pub async fn import(records: &Records, actor: &Actor, import: Import, progress: &(dyn Fn(Progress) + Sync)) -> Result<Report, RecordError> {
    let Import { table, mapping, zone, dry_run, without_hooks, reason, allow_duplicates } = import;
    let catalog = records.catalog();
    expect_allowed(&catalog, actor, &mapping.root)?;
    // Whoever does not do everything is held against their rights row by row.
    let is_ready_made = !dry_run && actor.standing(&catalog)?.part().is_none();
    let report = Report { rows: table.rows.len() as u64, unused: mapping.unused.clone(), ..Report::default() };
    let options = WriteOptions { without_hooks, override_reason: reason, allow_duplicates, ..WriteOptions::from(Source::Import) };
    let job = Arc::new(Job { mapping, zone, options, dry_run, is_ready_made, known: Mutex::default(), keys: Mutex::default() });
    let mut run = Run { records, actor, job, report, seen: HashSet::new(), progress };
    let chunks = Chunks::start(records, actor, &run.job, table.rows);
    while chunks.has_more().await? {
        for chunk in run.write_ready(&chunks).await? {
            run.write_rest(chunk).await?;
        }
    }
    run.refresh_statistics().await?;
    let mut report = run.report;
    report.failed.sort_by_key(|row| row.line);
    report.differences.sort_by_key(|difference| difference.line);
    Ok(report)
}

/// What the actor may not do at all is refused before any row is looked at. A linked record that has to be made is asked for
/// when it is.
fn expect_allowed(catalog: &Catalog, actor: &Actor, root: &Node) -> Result<(), RecordError> {
    let matched = root.unique.as_ref().map_or(&[][..], |(_, fields)| fields);
    Ok(authorise_import(catalog, actor, root.entity, matched)?)
}

/// An import under way.
struct Run<'a> {
    records: &'a Records,
    actor: &'a Actor,
    job: Arc<Job>,
    report: Report,
    /// Differences that are reported.
    seen: HashSet<[String; 4]>,
    progress: &'a (dyn Fn(Progress) + Sync),
}

impl Run<'_> {
    /// Writes what is prepared, as much in one transaction as others allow, and counts it. Gives the chunks whose other
    /// rows come next: those that are written, or one that was refused or prepared from something that is another by now.
    async fn write_ready(&mut self, chunks: &Arc<Chunks>) -> Result<Vec<Chunk>, RecordError> {
        if !chunks.has_ready().await {
            return Ok(chunks.settle(0).await);
        }
        match self.records.write_feed(self.actor, Source::Import, chunks.clone(), STEP).await {
            Ok(0) => Ok(chunks.give_up().await.into_iter().collect()),
            Ok(written) => {
                self.report.created += written as u64;
                self.tell();
                Ok(chunks.settle(written).await)
            }
            Err(error @ (RecordError::Store(_) | RecordError::Busy | RecordError::TooLong)) => Err(error),
            Err(_) => Ok(chunks.refused().await.into_iter().collect()),
        }
    }

    /// Writes the rows of a chunk that are not written yet, the ordinary way.
    async fn write_rest(&mut self, Chunk { ahead, written }: Chunk) -> Result<(), RecordError> {
        let Ahead { rows, batch, ready, others, differences } = ahead;
        // Giving back the memory of so many values takes a while.
        tokio::task::spawn_blocking(move || drop(batch));
        let again: HashSet<u64> = ready[written..].iter().map(|position| rows[*position].line()).collect();
        self.note(differences.into_iter().filter(|difference| !again.contains(&difference.line)));
        let mut rest: Vec<usize> = ready[written..].iter().copied().chain(others).collect();
        rest.sort_unstable();
        for part in rest.chunks(STEP) {
            let rows: Arc<[Row]> = part.iter().map(|position| rows[*position].clone()).collect();
            let (job_of_part, rows_of_part) = (self.job.clone(), rows.clone());
            let done = self
                .records
                .unit(self.actor, Source::Import, Vec::new(), move |tx| {
                    let (job, rows) = (job_of_part.clone(), rows_of_part.clone());
                    Box::pin(async move { run_rows(tx, &job, &rows).await })
                })
                .await?;
            self.count(&rows, done);
            self.tell();
        }
        Ok(())
    }

    fn count(&mut self, rows: &[Row], done: RowsDone) {
        self.job.remember(done.known);
        let report = &mut self.report;
        for (row, outcome) in rows.iter().zip(done.rows) {
            match outcome {
                Ok(RowOutcome::Created) => report.created += 1,
                Ok(RowOutcome::Updated) => report.updated += 1,
                Ok(RowOutcome::Unchanged) => report.unchanged += 1,
                Err(Reason { text, faults }) => {
                    let cells = row.cells().map(str::to_owned).collect();
                    report.failed.push(FailedRow { line: row.line(), cells, reason: text, faults });
                }
            }
        }
        for entity in done.linked {
            *report.linked.entry(entity).or_default() += 1;
        }
        self.note(done.differences);
    }

    /// Notes differences, each pair of values once.
    fn note(&mut self, differences: impl IntoIterator<Item = Difference>) {
        for difference in differences {
            let pair = [&difference.entity, &difference.key, &difference.field, &difference.found].map(String::clone);
            if self.seen.insert(pair) {
                self.report.differences.push(difference);
            }
        }
    }

    /// So that the next list is planned for the tables as they are now.
    async fn refresh_statistics(&self) -> Result<(), RecordError> {
        if self.report.created < MANY || self.job.dry_run {
            return Ok(());
        }
        let catalog = self.records.catalog();
        let mut entities = Vec::new();
        collect(&self.job.mapping.root, &mut entities);
        entities.sort_unstable();
        entities.dedup();
        let tables: Vec<&str> = entities.into_iter().map(|entity| catalog.entity(entity).table.as_str()).collect();
        Ok(statistics::refresh(self.records.store(), &tables).await?)
    }

    fn tell(&self) {
        let report = &self.report;
        let failed = report.failed.len() as u64;
        let done = report.created + report.updated + report.unchanged + failed;
        (self.progress)(Progress { done, total: report.rows, failed });
    }
}

/// The entities whose records the rows make.
fn collect(node: &Node, entities: &mut Vec<EntityIx>) {
    entities.push(node.entity);
    for (_, inner) in &node.links {
        collect(inner, entities);
    }
}
