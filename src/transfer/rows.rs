//! Rows on their way into the database: many behind one savepoint, and one by one where those do not go.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::tz::TimeZone;

use super::ahead::Keys;
use super::mapping::{Existing, Mapping, Node};
use super::report::Difference;
use super::row::{Reason, RowFault, RowReader, is_empty, key_text, key_values};
use super::table::Row;
use crate::base::{EntityIx, FieldIx, RecordId, Value};
use crate::record::{BoxFuture, Input, RecordError, RecordTx, WriteOptions};

/// Rows that share a savepoint while all goes well: one for each row costs more than the row.
const TOGETHER: usize = 50;
/// Linked records remembered between rows, so that each is looked up once.
const REMEMBERED: usize = 200_000;

/// What stays the same over all chunks.
pub(super) struct Job {
    pub mapping: Mapping,
    pub zone: TimeZone,
    pub options: WriteOptions,
    pub dry_run: bool,
    /// New records may be made ready ahead of the transaction that writes them.
    pub is_ready_made: bool,
    pub known: Mutex<Known>,
    pub keys: Mutex<Keys>,
}

/// Linked records found or made so far: (entity, match key) to id and the values of the row that made or met it first.
pub(super) type Known = HashMap<(EntityIx, String), Met>;

#[derive(Debug, Clone)]
pub(super) struct Met {
    pub id: RecordId,
    pub values: Arc<[(FieldIx, Value)]>,
}

impl Job {
    /// The keys of rows that are not in the database for sure.
    pub fn keys(&self) -> MutexGuard<'_, Keys> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn remember(&self, new: Known) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() + new.len() > REMEMBERED {
            known.clear();
        }
        known.extend(new);
    }

    pub fn recall(&self, key: &(EntityIx, String)) -> Option<Met> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
    }
}

pub(super) enum RowOutcome {
    Created,
    Updated,
    Unchanged,
}

/// What committed rows did.
#[derive(Default)]
pub(super) struct RowsDone {
    pub rows: Vec<Result<RowOutcome, Reason>>,
    pub known: Known,
    pub linked: Vec<String>,
    pub differences: Vec<Difference>,
}

pub(super) async fn run_rows(tx: &mut RecordTx<'_>, job: &Job, rows: &[Row]) -> Result<RowsDone, RecordError> {
    let mut done = RowsDone::default();
    for group in rows.chunks(TOGETHER) {
        if job.dry_run || !run_together(tx, job, group, &mut done).await? {
            for row in group {
                run_alone(tx, job, row, &mut done).await?;
            }
        }
    }
    Ok(done)
}

/// Runs rows behind one savepoint. `false`: one failed after it had written, and nothing of them is done.
async fn run_together(tx: &mut RecordTx<'_>, job: &Job, rows: &[Row], done: &mut RowsDone) -> Result<bool, RecordError> {
    tx.begin_part().await?;
    let mut group = RowsDone { known: std::mem::take(&mut done.known), ..RowsDone::default() };
    let mut added = Vec::new();
    for row in rows {
        let before = tx.writes();
        let (result, met) = run_row(tx, job, row, &group.known).await;
        match result {
            Ok(outcome) => {
                added.extend(met.known.keys().cloned());
                group.add(outcome, met);
            }
            Err(RowFault::Row(reason)) if tx.writes() == before => group.rows.push(Err(reason)),
            Err(RowFault::Row(_)) => {
                tx.rollback_part().await?;
                added.iter().for_each(|key| {
                    group.known.remove(key);
                });
                done.known = group.known;
                return Ok(false);
            }
            Err(RowFault::Fatal(error)) => return Err(error),
        }
    }
    tx.keep_part().await?;
    done.rows.append(&mut group.rows);
    done.linked.append(&mut group.linked);
    done.differences.append(&mut group.differences);
    done.known = group.known;
    Ok(true)
}

/// Runs a row behind its own savepoint.
async fn run_alone(tx: &mut RecordTx<'_>, job: &Job, row: &Row, done: &mut RowsDone) -> Result<(), RecordError> {
    tx.begin_part().await?;
    let (result, mut met) = run_row(tx, job, row, &done.known).await;
    match result {
        Ok(outcome) if job.dry_run => {
            tx.rollback_part().await?;
            met.known.clear();
            met.linked.clear();
            done.add(outcome, met);
        }
        Ok(outcome) => {
            tx.keep_part().await?;
            done.add(outcome, met);
        }
        Err(RowFault::Row(reason)) => {
            tx.rollback_part().await?;
            done.rows.push(Err(reason));
        }
        Err(RowFault::Fatal(error)) => return Err(error),
    }
    Ok(())
}

/// What a row met on its way.
struct MetByRow {
    known: Known,
    linked: Vec<String>,
    differences: Vec<Difference>,
}

async fn run_row(tx: &mut RecordTx<'_>, job: &Job, row: &Row, known: &Known) -> (Result<RowOutcome, RowFault>, MetByRow) {
    let catalog = tx.catalog().clone();
    let mut work = RowWork {
        reader: RowReader { job, catalog: &catalog, row },
        known,
        met: Known::new(),
        linked: Vec::new(),
        differences: Vec::new(),
    };
    let result = match row.fault() {
        Some(fault) => Err(RowFault::row(fault)),
        None => work.root(tx).await,
    };
    let RowWork { met, linked, differences, .. } = work;
    (result, MetByRow { known: met, linked, differences })
}

impl RowsDone {
    fn add(&mut self, outcome: RowOutcome, met: MetByRow) {
        self.rows.push(Ok(outcome));
        self.known.extend(met.known);
        self.linked.extend(met.linked);
        self.differences.extend(met.differences);
    }
}

/// One row on its way.
struct RowWork<'a> {
    reader: RowReader<'a>,
    /// Met by earlier rows of this unit.
    known: &'a Known,
    /// Met by this row.
    met: Known,
    linked: Vec<String>,
    differences: Vec<Difference>,
}

impl RowWork<'_> {
    /// Writes the record of the row itself.
    async fn root(&mut self, tx: &mut RecordTx<'_>) -> Result<RowOutcome, RowFault> {
        let (job, catalog) = (self.reader.job, self.reader.catalog);
        let node = &job.mapping.root;
        let input = self.input(tx, node).await?;
        let Some((unique, fields)) = &node.unique else {
            let saved = tx.create(node.entity, input, &job.options).await?;
            tx.expect_imported(node.entity, saved.id).await?;
            return Ok(RowOutcome::Created);
        };
        let key = key_values(catalog.entity(node.entity), fields, &input)?;
        if node.existing == Existing::Keep
            && let Some(found) = tx.find_unique(node.entity, unique, &key).await?
        {
            let held: Vec<(FieldIx, Value)> = input.values.iter().map(|(field, _)| (*field, found.get(*field).clone())).collect();
            self.reader.compare(node, &key_text(&key), &held, &input, &mut self.differences);
            return Ok(RowOutcome::Unchanged);
        }
        let saved = tx.upsert(node.entity, unique, key, input, &job.options).await?;
        if saved.created || !saved.changed.is_empty() {
            tx.expect_imported(node.entity, saved.id).await?;
        }
        Ok(match (saved.created, saved.changed.is_empty()) {
            (true, _) => RowOutcome::Created,
            (false, false) => RowOutcome::Updated,
            (false, true) => RowOutcome::Unchanged,
        })
    }

    /// The values the row gives one record, linked records found or made on the way.
    fn input<'w>(&'w mut self, tx: &'w mut RecordTx<'_>, node: &'w Node) -> BoxFuture<'w, Result<Input, RowFault>> {
        Box::pin(async move {
            let mut input = self.reader.values(node)?;
            for (field, inner) in &node.links {
                if let Some(id) = self.linked(tx, inner).await? {
                    input.set(*field, id);
                }
            }
            Ok(input)
        })
    }

    /// The record a link leads to; `None` when the row leaves all its columns empty.
    async fn linked(&mut self, tx: &mut RecordTx<'_>, node: &Node) -> Result<Option<RecordId>, RowFault> {
        if is_empty(node, self.reader.row) {
            return Ok(None);
        }
        let job = self.reader.job;
        let input = self.input(tx, node).await?;
        let entity = self.reader.catalog.entity(node.entity);
        let Some((unique, fields)) = &node.unique else {
            return Ok(None);
        };
        let key = key_values(entity, fields, &input)?;
        let text = key_text(&key);
        let slot = (node.entity, text.clone());
        if node.existing == Existing::Keep {
            if let Some(met) = self.met.get(&slot).or_else(|| self.known.get(&slot)).cloned().or_else(|| job.recall(&slot)) {
                self.reader.compare(node, &text, &met.values, &input, &mut self.differences);
                return Ok(Some(met.id));
            }
            if let Some(found) = tx.find_unique(node.entity, unique, &key).await? {
                let held: Arc<[(FieldIx, Value)]> = input.values.iter().map(|(field, _)| (*field, found.get(*field).clone())).collect();
                self.reader.compare(node, &text, &held, &input, &mut self.differences);
                self.met.insert(slot, Met { id: found.id, values: held });
                return Ok(Some(found.id));
            }
        }
        let values: Arc<[(FieldIx, Value)]> = input.values.clone().into();
        let saved = tx.upsert(node.entity, unique, key, input, &job.options).await?;
        if saved.created || !saved.changed.is_empty() {
            tx.expect_imported(node.entity, saved.id).await?;
        }
        if saved.created {
            self.linked.push(entity.id.clone());
        }
        self.met.insert(slot, Met { id: saved.id, values });
        Ok(Some(saved.id))
    }
}
