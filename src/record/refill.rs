//! Values that changed definitions ask for on records that are there.

use super::error::RecordError;
use super::hooks::Record;
use super::options::Source;
use super::service::Records;
use super::unit::RecordTx;
use crate::access::Actor;
use crate::base::{EntityIx, FieldIx, RecordId, Value};
use crate::store::compile::Lock;
use crate::store::measure;

/// Records of one transaction.
const CHUNK: u32 = 200;

impl Records {
    /// Computes stored formulas and rollups anew and writes folded texts and search tokens of `fields`, for all records of
    /// the entity, in chunks. Gives the number of records looked at. History shows computed values that changed.
    ///
    /// # Errors
    /// The database; chunks done before stay.
    pub async fn recompute(&self, entity: EntityIx, fields: &[FieldIx]) -> Result<u64, RecordError> {
        let (mut after, mut count) = (0, 0);
        loop {
            let wanted = fields.to_vec();
            let ids = self
                .unit(&Actor::system(), Source::System, Vec::new(), move |tx| {
                    let wanted = wanted.clone();
                    Box::pin(async move { tx.refill(entity, &wanted, after).await })
                })
                .await?;
            let Some(last) = ids.last() else { return Ok(count) };
            after = last.0;
            count += ids.len() as u64;
        }
    }
}

impl RecordTx<'_> {
    /// The live record that holds these values of a unique, as far as the actor may read it.
    ///
    /// # Errors
    /// An unknown unique, the database.
    pub async fn find_unique(&mut self, entity: EntityIx, unique: &str, key: &[Value]) -> Result<Option<Record>, RecordError> {
        let compiled = self.scope.compiled.clone();
        let found = super::bulk::find_unique(compiled.entity(entity), unique)?;
        let Some(id) = self.find_by_unique(entity, found, key).await? else { return Ok(None) };
        let record = self.get(entity, id).await?;
        Ok(self.shown(record.into_iter().collect()).await?.pop())
    }

    /// One chunk of [`Records::recompute`]: the records after `after` in the order of their ids.
    async fn refill(&mut self, entity: EntityIx, fields: &[FieldIx], after: i64) -> Result<Vec<RecordId>, RecordError> {
        let compiled = self.scope.compiled.clone();
        let definition = compiled.entity(entity);
        let ids = measure::ids_after(self.store, &definition.table, after, CHUNK).await?;
        if ids.is_empty() {
            return Ok(ids);
        }
        let kept: Vec<FieldIx> = fields.iter().copied().filter(|ix| !definition.computed_order.contains(ix)).collect();
        if kept.len() < fields.len() {
            self.recalculate(&compiled, entity, &ids).await?;
        }
        if !kept.is_empty() {
            for record in self.load(entity, &ids, Lock::Change).await? {
                let values: Vec<(FieldIx, Value)> = kept.iter().map(|ix| (*ix, record.get(*ix).clone())).collect();
                let statements = self.update_statements(&compiled, &record, &values)?;
                self.run_all(&compiled, entity, &statements).await?;
                self.write_search(&compiled, &record).await?;
                if !definition.duplicates.is_empty() {
                    self.write_matches(&compiled, &record, false).await?;
                }
            }
        }
        Ok(ids)
    }
}
