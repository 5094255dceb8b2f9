//! Rows of a table become records: all of a row or nothing of it.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::tz::TimeZone;

use super::ahead::{Ahead, Keys};
use super::feed::{Chunk, Chunks};
use super::mapping::{Column, Existing, Mapping, Node};
use super::report::{Difference, FailedRow, Report};
use super::table::{Row, Table};
use crate::access::{Actor, authorise_import};
use crate::base::decimal::pow10;
use crate::base::sealed::HIDDEN;
use crate::base::text::fold;
use crate::base::{Decimal, EntityIx, FieldIx, RecordId, Value};
use crate::record::{BoxFuture, FieldFault, Input, RecordError, RecordTx, Records, Source, WriteOptions};
use crate::schema::catalog::{Catalog, Entity, FieldType};
use crate::store::statistics;

/// Rows after which a transaction ends when others wait to write.
const STEP: usize = 500;
/// Rows that share a savepoint while all goes well: one for each row costs more than the row.
const TOGETHER: usize = 50;
/// From so many new records on the database looks at its tables anew.
const MANY: u64 = 1_000;
/// Linked records remembered between rows, so that each is looked up once.
const REMEMBERED: usize = 200_000;

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

/// What stays the same over all chunks.
pub(super) struct Job {
    pub mapping: Mapping,
    zone: TimeZone,
    pub options: WriteOptions,
    pub dry_run: bool,
    /// New records may be made ready ahead of the transaction that writes them.
    pub is_ready_made: bool,
    known: Mutex<Known>,
    keys: Mutex<Keys>,
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

enum RowOutcome {
    Created,
    Updated,
    Unchanged,
}

/// What committed rows did.
#[derive(Default)]
struct RowsDone {
    rows: Vec<Result<RowOutcome, Reason>>,
    known: Known,
    linked: Vec<String>,
    differences: Vec<Difference>,
}

async fn run_rows(tx: &mut RecordTx<'_>, job: &Job, rows: &[Row]) -> Result<RowsDone, RecordError> {
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

/// Why a row (or everything) failed.
pub(super) enum RowFault {
    Row(Reason),
    Fatal(RecordError),
}

/// Why nothing of a row is kept.
pub(super) struct Reason {
    text: String,
    faults: Vec<FieldFault>,
}

impl RowFault {
    fn row(text: impl Into<String>) -> Self {
        Self::Row(Reason { text: text.into(), faults: Vec::new() })
    }
}

impl From<RecordError> for RowFault {
    fn from(error: RecordError) -> Self {
        match error {
            RecordError::Invalid(faults) => faults.into(),
            RecordError::Duplicate { .. } => error.faults().into(),
            RecordError::Store(_) | RecordError::Busy | RecordError::TooLong | RecordError::StaleCatalog => Self::Fatal(error),
            RecordError::Access(refused) => {
                let text = refused.to_string();
                Self::Row(Reason { faults: vec![FieldFault::whole("not_allowed", text.as_str())], text })
            }
            other => Self::row(other.to_string()),
        }
    }
}

impl From<Vec<FieldFault>> for RowFault {
    fn from(faults: Vec<FieldFault>) -> Self {
        Self::Row(Reason { text: sentence(&faults), faults })
    }
}

/// `name: is required; email: is no e-mail address`.
fn sentence(faults: &[FieldFault]) -> String {
    let parts: Vec<String> = faults
        .iter()
        .map(|fault| match fault.path.trim_start_matches('/') {
            "" => fault.message.clone(),
            path => format!("{}: {}", path.replace('/', "."), fault.message),
        })
        .collect();
    parts.join("; ")
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

/// Reads the texts of a row.
#[derive(Clone, Copy)]
pub(super) struct RowReader<'a> {
    pub job: &'a Job,
    pub catalog: &'a Catalog,
    pub row: &'a Row,
}

impl RowReader<'_> {
    /// The values the row gives one record, without its links.
    pub fn values(&self, node: &Node) -> Result<Input, RowFault> {
        let entity = self.catalog.entity(node.entity);
        let mut texts = Vec::with_capacity(node.columns.len());
        for column in &node.columns {
            texts.push((column.field.as_str(), self.cell(entity, column)?));
        }
        Ok(Input::from_texts(self.catalog, entity, &texts, &self.job.zone)?)
    }

    /// Notes where the row says something else than a record that is kept.
    pub fn compare(&self, node: &Node, key: &str, held: &[(FieldIx, Value)], input: &Input, differences: &mut Vec<Difference>) {
        let entity = self.catalog.entity(node.entity);
        for (field, found) in &input.values {
            let kept = held.iter().find(|(known, _)| known == field).map_or(&Value::Null, |(_, value)| value);
            let field = entity.field(*field);
            if same(kept, found) || matches!(field.ty, FieldType::Link { .. } | FieldType::User { .. }) {
                continue;
            }
            // A report lies about in folders and mailboxes.
            let is_shown = !(field.encrypted || field.is_secret() || field.is_sensitive());
            let text = |value: &Value| if is_shown { plain(value) } else { HIDDEN.to_owned() };
            differences.push(Difference {
                line: self.row.line(),
                entity: entity.id.clone(),
                key: key.to_owned(),
                field: field.name.clone(),
                kept: text(kept),
                found: text(found),
            });
        }
    }

    /// The text of a column, made fit for its field: labels of options become keys, a factor is applied.
    fn cell(&self, entity: &Entity, column: &Column) -> Result<Cow<'_, str>, RowFault> {
        let text = self.row.cell(column.position).trim();
        if text.is_empty() {
            return Ok(Cow::Borrowed(""));
        }
        if let Some(factor) = column.multiply {
            let product = multiplied(text, factor).ok_or_else(|| RowFault::row(format!("{}: `{text}` is no number", column.field)))?;
            return Ok(Cow::Owned(product));
        }
        let options = match entity.find_field(&column.field).map(|field| &field.ty) {
            Some(FieldType::Select(options) | FieldType::MultiSelect { options, .. }) => &options.list.options,
            _ => return Ok(Cow::Borrowed(text)),
        };
        if options.iter().any(|option| option.key == text) {
            return Ok(Cow::Borrowed(text));
        }
        let wanted = fold(text);
        let by_label = options.iter().find(|option| option.label.0.values().any(|label| fold(label) == wanted));
        Ok(by_label.map_or(Cow::Borrowed(text), |option| Cow::Owned(option.key.clone())))
    }
}

pub(super) fn is_empty(node: &Node, row: &Row) -> bool {
    node.columns.iter().all(|column| row.cell(column.position).trim().is_empty())
        && node.links.iter().all(|(_, inner)| is_empty(inner, row))
}

/// The values of a unique, none of them empty.
pub(super) fn key_values(entity: &Entity, fields: &[FieldIx], input: &Input) -> Result<Vec<Value>, RowFault> {
    fields
        .iter()
        .map(|field| match input.get(*field) {
            Some(value) if !value.is_empty() => Ok(value.clone()),
            _ => {
                let fault = FieldFault::at(&entity.field(*field).name, "match_empty", "is empty, but records are matched by it");
                Err(vec![fault].into())
            }
        })
        .collect()
}

pub(super) fn key_text(key: &[Value]) -> String {
    let parts: Vec<String> = key.iter().map(|value| fold(&plain(value))).collect();
    parts.join("\u{1f}")
}

/// Equal as far as a person sees: nothing and an empty text are one, composite values are compared by the parts given.
fn same(kept: &Value, found: &Value) -> bool {
    match (kept, found) {
        (Value::Map(kept), Value::Map(found)) => found.iter().all(|(name, value)| {
            let held = kept.iter().find(|(known, _)| known == name).map_or(&Value::Null, |(_, value)| value);
            same(held, value)
        }),
        (Value::Money(kept), Value::Money(found)) => kept.amount == found.amount && kept.currency == found.currency,
        _ => kept == found || (kept.is_empty() && found.is_empty()),
    }
}

/// A value as plain text, for keys and reports.
fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(flag) => flag.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Decimal(number) => number.to_string(),
        Value::Text(text) => text.clone(),
        Value::Date(date) => date.to_string(),
        Value::DateTime(at) => at.to_string(),
        Value::Time(time) => time.to_string(),
        Value::Money(money) => money.to_string(),
        Value::Link(id) => id.to_string(),
        Value::List(items) => items.iter().map(plain).collect::<Vec<_>>().join(", "),
        Value::Map(parts) => parts.iter().map(|(_, part)| plain(part)).filter(|text| !text.is_empty()).collect::<Vec<_>>().join(", "),
        Value::Json(json) => json.to_string(),
    }
}

/// `0.45` times 100 is `45.00`: exact, with the digits it was written with.
fn multiplied(text: &str, factor: i64) -> Option<String> {
    let number = Decimal::parse_any(text).ok()?;
    let units = i128::from(number.units).checked_mul(i128::from(factor))?;
    let mut product = Decimal { units: i64::try_from(units).ok()?, scale: number.scale };
    while product.scale > 0 && product.units % pow10(1) == 0 {
        product = product.normalised();
    }
    Some(product.to_string())
}
