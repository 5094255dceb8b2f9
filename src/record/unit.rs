//! The unit of work: one transaction, its actor, what caused it, and how much it may still do.

use std::sync::Arc;

use super::error::RecordError;
use super::hooks::{Record, RecordHooks};
use super::input::Input;
use super::options::{Saved, Source, WriteOptions};
use super::row::Page;
use crate::access::Actor;
use crate::base::{DateTime, EntityIx, RecordId, Value};
use crate::query::{AggregateRequest, ListRequest};
use crate::schema::catalog::Catalog;
use crate::store::Tx;

/// Hooks may start hooks this deep.
pub const MAX_DEPTH: u32 = 5;
/// Records that scripts may write in one unit of work.
pub const MAX_SCRIPT_WRITES: u32 = 200;
/// Longest chain of causes.
pub const MAX_CHAIN: usize = 10;

/// A handler (`script crm.check_lines`) that ran for a record and so caused what follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    pub handler: String,
    pub entity: EntityIx,
    pub id: RecordId,
}

/// One unit of work. Everything done through it is committed together or not at all.
pub struct RecordTx<'t> {
    pub(super) store: &'t mut Tx,
    pub(super) scope: Scope,
}

/// What a unit of work carries besides its transaction.
pub(super) struct Scope {
    pub catalog: Arc<Catalog>,
    pub hooks: Arc<dyn RecordHooks>,
    pub actor: Actor,
    pub source: Source,
    pub chain: Vec<Cause>,
    pub depth: u32,
    pub script_writes: u32,
}

impl RecordTx<'_> {
    pub fn catalog(&self) -> &Arc<Catalog> {
        &self.scope.catalog
    }

    pub fn actor(&self) -> &Actor {
        &self.scope.actor
    }

    /// The moment of this unit, the same for all it does.
    pub fn now(&self) -> DateTime {
        self.store.now()
    }

    /// The handlers that led here, first cause first.
    pub fn chain(&self) -> &[Cause] {
        &self.scope.chain
    }

    /// The transaction itself, to finish a job or keep state of another room in the same commit.
    pub fn store(&mut self) -> &mut Tx {
        self.store
    }

    /// Notes that `cause` acts from here on. `false`: this handler already ran for this record in this chain, or the
    /// chain is too long, and must be skipped. Ends with [`RecordTx::leave`].
    pub fn enter(&mut self, _cause: Cause) -> bool {
        unimplemented!("record")
    }

    /// Ends what [`RecordTx::enter`] began.
    pub fn leave(&mut self) {
        unimplemented!("record")
    }

    /// The record as this unit sees it; deleted ones are not found. Multi-values are loaded.
    pub async fn get(&mut self, _entity: EntityIx, _id: RecordId) -> Result<Option<Record>, RecordError> {
        unimplemented!("record")
    }

    /// A page as this unit sees it.
    pub async fn find(&mut self, _request: ListRequest) -> Result<Page, RecordError> {
        unimplemented!("record")
    }

    /// Groups and measures as JSON objects by output name.
    pub async fn aggregate(&mut self, _request: AggregateRequest) -> Result<Vec<serde_json::Value>, RecordError> {
        unimplemented!("record")
    }

    pub async fn create(&mut self, _entity: EntityIx, _input: Input, _options: &WriteOptions) -> Result<Saved, RecordError> {
        unimplemented!("record")
    }

    pub async fn update(&mut self, _entity: EntityIx, _id: RecordId, _input: Input, _options: &WriteOptions) -> Result<Saved, RecordError> {
        unimplemented!("record")
    }

    pub async fn delete(&mut self, _entity: EntityIx, _id: RecordId, _options: &WriteOptions) -> Result<Saved, RecordError> {
        unimplemented!("record")
    }

    pub async fn restore(&mut self, _entity: EntityIx, _id: RecordId, _options: &WriteOptions) -> Result<Saved, RecordError> {
        unimplemented!("record")
    }

    /// Updates the live record whose unique `unique` holds `key`, or creates one with these values. Doing it twice changes
    /// nothing the second time.
    pub async fn upsert(
        &mut self,
        _entity: EntityIx,
        _unique: &str,
        _key: Vec<Value>,
        _input: Input,
        _options: &WriteOptions,
    ) -> Result<Saved, RecordError> {
        unimplemented!("record")
    }

    /// Runs `part`; an error undoes only what it wrote, the unit goes on. For rows of an import and operations of a batch.
    pub async fn begin_part(&mut self) -> Result<(), RecordError> {
        Ok(self.store.begin_part().await?)
    }

    pub async fn keep_part(&mut self) -> Result<(), RecordError> {
        Ok(self.store.keep_part().await?)
    }

    pub async fn rollback_part(&mut self) -> Result<(), RecordError> {
        Ok(self.store.rollback_part().await?)
    }
}
