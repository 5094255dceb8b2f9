//! Rows prepared while those before them are written.
//!
//! Most rows of a file become new records and link to records that are there. Such rows are read, checked and made ready
//! outside the transaction that writes them, thousands together. Every other row (a record that is found, a link that has
//! to be made, a fault) takes the ordinary way of [`super::import`], after the ready ones of its chunk.

use std::collections::HashSet;
use std::sync::Arc;

use super::feed::MOST_UNDER_WAY;
use super::mapping::{Existing, Node};
use super::report::Difference;
use super::row::{RowReader, is_empty, key_text, key_values};
use super::rows::{Job, Met};
use super::table::Row;
use crate::access::Actor;
use crate::base::{FieldIx, RecordId, Value};
use crate::record::{Ready, ReadyBatch, RecordError, Records};
use crate::schema::catalog::Catalog;

/// A chunk of a file, as far as it can be prepared.
pub(super) struct Ahead {
    pub rows: Arc<[Row]>,
    /// New records, in the order of their rows.
    pub batch: Option<Arc<ReadyBatch>>,
    /// Their rows, by position in the chunk.
    pub ready: Vec<usize>,
    /// The rows that take the ordinary way.
    pub others: Vec<usize>,
    pub differences: Vec<Difference>,
}

/// Keys of rows whose records may not be in the database yet: at least those of the chunks that are under way.
#[derive(Debug, Default)]
pub(super) struct Keys {
    before: HashSet<String>,
    now: HashSet<String>,
    /// Chunks whose keys are in `now`.
    chunks: usize,
}

impl Keys {
    fn next_chunk(&mut self) {
        if self.chunks >= MOST_UNDER_WAY {
            self.before = std::mem::take(&mut self.now);
            self.chunks = 0;
        }
        self.chunks += 1;
    }

    /// Notes a key; `false` when it was there.
    fn note(&mut self, key: String) -> bool {
        !self.before.contains(&key) && self.now.insert(key)
    }
}

/// Prepares a chunk. Reads the database where a key of the file has to be looked up.
///
/// # Errors
/// Only the database's.
pub(super) async fn prepare(records: &Records, actor: &Actor, job: &Job, rows: Arc<[Row]>) -> Result<Ahead, RecordError> {
    let catalog = records.catalog();
    let mut work = Work { records, actor, job, catalog: &catalog, differences: Vec::new() };
    job.keys().next_chunk();
    let (mut saves, mut ready, mut others) = (Vec::with_capacity(rows.len()), Vec::with_capacity(rows.len()), Vec::new());
    for (position, row) in rows.iter().enumerate() {
        match if job.is_ready_made { work.row(row).await? } else { None } {
            Some(save) => {
                saves.push(save);
                ready.push(position);
            }
            None => others.push(position),
        }
    }
    let differences = work.differences;
    Ok(Ahead { batch: ReadyBatch::new(saves).map(Arc::new), rows, ready, others, differences })
}

struct Work<'a> {
    records: &'a Records,
    actor: &'a Actor,
    job: &'a Job,
    catalog: &'a Arc<Catalog>,
    differences: Vec<Difference>,
}

impl Work<'_> {
    /// The new record of a row; `None` when it takes the ordinary way.
    async fn row(&mut self, row: &Row) -> Result<Option<Ready>, RecordError> {
        let job = self.job;
        let node = &job.mapping.root;
        let entity = self.catalog.entity(node.entity);
        let reader = RowReader { job, catalog: self.catalog, row };
        if row.fault().is_some() {
            return Ok(None);
        }
        let Ok(mut input) = reader.values(node) else { return Ok(None) };
        if let Some((unique, fields)) = &node.unique {
            let Ok(key) = key_values(entity, fields, &input) else { return Ok(None) };
            if !job.keys().note(key_text(&key))
                || self.records.find_unique(self.actor, self.catalog, node.entity, unique, &key).await?.is_some()
            {
                return Ok(None);
            }
        }
        let before = self.differences.len();
        for (field, inner) in &node.links {
            match self.link(&reader, inner).await? {
                Link::Empty => {}
                Link::To(id) => {
                    input.set(*field, id);
                }
                Link::Unknown => {
                    self.differences.truncate(before);
                    return Ok(None);
                }
            }
        }
        let ready = self.records.ready_create(self.actor, self.catalog, node.entity, &input, &job.options);
        if ready.is_none() {
            self.differences.truncate(before);
        }
        Ok(ready)
    }

    async fn link(&mut self, reader: &RowReader<'_>, node: &Node) -> Result<Link, RecordError> {
        if is_empty(node, reader.row) {
            return Ok(Link::Empty);
        }
        let (Existing::Keep, Some((unique, fields))) = (node.existing, &node.unique) else { return Ok(Link::Unknown) };
        let (Ok(input), entity) = (reader.values(node), self.catalog.entity(node.entity)) else { return Ok(Link::Unknown) };
        let Ok(key) = key_values(entity, fields, &input) else { return Ok(Link::Unknown) };
        let slot = (node.entity, key_text(&key));
        let met = match self.job.recall(&slot) {
            Some(met) => met,
            None => match self.records.find_unique(self.actor, self.catalog, node.entity, unique, &key).await? {
                Some(found) => {
                    let held =
                        input.values.iter().map(|(field, _)| (*field, found.get(*field).clone())).collect::<Arc<[(FieldIx, Value)]>>();
                    let met = Met { id: found.id, values: held };
                    self.job.remember([(slot.clone(), met.clone())].into());
                    met
                }
                None => return Ok(Link::Unknown),
            },
        };
        reader.compare(node, &slot.1, &met.values, &input, &mut self.differences);
        Ok(Link::To(met.id))
    }
}

enum Link {
    Empty,
    To(RecordId),
    /// To be made, or to be changed: not here.
    Unknown,
}
