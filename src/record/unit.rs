//! The unit of work: one transaction, its actor, what caused it, and how much it may still do.

use std::collections::HashMap;
use std::sync::Arc;

use super::error::RecordError;
use super::hooks::{Draft, Record, RecordHooks};
use super::input::Input;
use super::options::{Saved, Source, WriteOptions};
use super::plan::Compiled;
use super::row::Page;
use super::sealing::{Reader, open_rows};
use crate::access::{Actor, authorise_aggregate, authorise_list};
use crate::base::{DateTime, EntityIx, FieldIx, IdMint, RecordId, Value};
use crate::expr::EvalContext;
use crate::query::{AggregateRequest, CursorKey, ListRequest};
use crate::schema::catalog::{Catalog, FieldType};
use crate::store::Tx;
use crate::store::compile::{self, Lock, Source as From};
use crate::store::vault::DataKey;

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
    pub compiled: Arc<Compiled>,
    pub hooks: Arc<dyn RecordHooks>,
    pub ids: Arc<IdMint>,
    pub cursor_key: CursorKey,
    pub actor: Actor,
    pub source: Source,
    pub chain: Vec<Cause>,
    /// How many `after_write` hooks are at work inside one another.
    pub depth: u32,
    /// How many rollups are at work inside one another.
    pub levels: u32,
    pub script_writes: u32,
    /// Records prepared and not written yet, outermost first: what nested records point to.
    pub pending: Vec<Record>,
    /// The version each written record has now.
    pub versions: HashMap<(EntityIx, RecordId), i64>,
    /// Keys of records with encrypted values, as far as they were asked for.
    pub data_keys: HashMap<RecordId, DataKey>,
    /// Records whose rollups are computed once all below them is written.
    pub deferred: Vec<(EntityIx, RecordId)>,
    /// Why a record of a pool changes hands, while somebody who said so is at work.
    pub changes_hands: Option<super::pools::Change>,
    /// Personal values are being removed: what is computed anew tells nobody what it was before.
    pub erases: bool,
}

impl RecordTx<'_> {
    pub fn catalog(&self) -> &Arc<Catalog> {
        &self.scope.compiled.catalog
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
    pub fn enter(&mut self, cause: Cause) -> bool {
        if self.scope.chain.len() >= MAX_CHAIN || self.scope.chain.contains(&cause) {
            return false;
        }
        self.scope.chain.push(cause);
        true
    }

    /// Ends what [`RecordTx::enter`] began.
    pub fn leave(&mut self) {
        self.scope.chain.pop();
    }

    /// The record as this unit sees it; deleted ones are not found. Multi-values are loaded. A new record that is about to be
    /// written is there for what is made below it.
    pub async fn get(&mut self, entity: EntityIx, id: RecordId) -> Result<Option<Record>, RecordError> {
        let compiled = self.scope.compiled.clone();
        let definition = compiled.entity(entity);
        let found = self.load(entity, &[id], Lock::None).await?;
        if found.is_empty()
            && let Some(mut record) = self.scope.pending.iter().find(|record| record.entity == entity && record.id == id).cloned()
        {
            let catalog = self.scope.actor.sees(&compiled.catalog);
            let fields = catalog.entity(entity).fields.iter();
            record.values.iter_mut().zip(fields).filter(|(_, field)| field.is_hidden).for_each(|(value, _)| *value = Value::Null);
            return Ok(Some(record));
        }
        Ok(self.shown(found).await?.pop().filter(|record| !record.is_deleted(definition)))
    }

    /// [`RecordTx::get`] with every value, whoever acts: what a script is run on, which is told to nobody by itself.
    pub async fn get_whole(&mut self, entity: EntityIx, id: RecordId) -> Result<Option<Record>, RecordError> {
        let compiled = self.scope.compiled.clone();
        let definition = compiled.entity(entity);
        Ok(self.load(entity, &[id], Lock::None).await?.pop().filter(|record| !record.is_deleted(definition)))
    }

    /// [`RecordTx::get_whole`], also of a record in the recycle bin.
    pub async fn get_kept(&mut self, entity: EntityIx, id: RecordId) -> Result<Option<Record>, RecordError> {
        Ok(self.load(entity, &[id], Lock::None).await?.pop())
    }

    /// The live records below a children field (of a links field: its junction records).
    pub async fn children(&mut self, entity: EntityIx, id: RecordId, field: FieldIx) -> Result<Vec<Record>, RecordError> {
        if self.granted()?.is_some() && self.readable(entity, &[id]).await?.is_empty() {
            return Ok(Vec::new());
        }
        let found = self.all_children(entity, id, field).await?;
        self.shown(found).await
    }

    async fn all_children(&mut self, entity: EntityIx, id: RecordId, field: FieldIx) -> Result<Vec<Record>, RecordError> {
        let compiled = self.scope.compiled.clone();
        match &compiled.entity(entity).field(field).ty {
            FieldType::Children { of, by } => self.load_by(*of, *by, &[id], 10_000, Lock::None).await,
            FieldType::Links { through, near, .. } => self.load_by(*through, *near, &[id], 10_000, Lock::None).await,
            _ => Ok(Vec::new()),
        }
    }

    /// The records below a draft as they will be: those that are there, with what the request changes, adds and removes.
    /// Values the system makes (formulas, defaults) of records that are not written yet are missing.
    pub async fn draft_children(&mut self, draft: &Draft, field: FieldIx) -> Result<Vec<Record>, RecordError> {
        let there = match draft.old {
            Some(_) => self.all_children(draft.entity, draft.id, field).await?,
            None => Vec::new(),
        };
        let compiled = self.scope.compiled.clone();
        Ok(super::overlay::children(&compiled, draft, field, there))
    }

    /// A page as this unit sees it.
    pub async fn find(&mut self, request: ListRequest) -> Result<Page, RecordError> {
        let compiled = self.scope.compiled.clone();
        let authorised = authorise_list(&compiled.catalog, &self.scope.actor, request)?;
        let plan = {
            let context = EvalContext { now: self.now(), zone: compiled.zone.clone(), me: self.scope.actor.user, old: None };
            compile::list(&compiled.catalog, self.store.dialect(), &authorised, &context)
        };
        let key = self.scope.cursor_key.clone();
        let mut page = compile::fetch_list(&mut From::Tx(self.store), &plan, &key).await?;
        open_rows(&mut From::Tx(self.store), &mut page.rows, Reader::Engine).await?;
        Ok(Page::of(page))
    }

    /// Groups and measures: one list of (output name, value) a row.
    pub async fn aggregate(&mut self, request: AggregateRequest) -> Result<Vec<Vec<(String, Value)>>, RecordError> {
        let actor = self.scope.actor.clone();
        self.aggregate_as(&actor, request).await
    }

    /// [`RecordTx::aggregate`] with the rights of somebody else.
    pub(super) async fn aggregate_as(
        &mut self,
        actor: &Actor,
        request: AggregateRequest,
    ) -> Result<Vec<Vec<(String, Value)>>, RecordError> {
        let compiled = self.scope.compiled.clone();
        let authorised = authorise_aggregate(&compiled.catalog, actor, request)?;
        let plan = {
            let context = EvalContext { now: self.now(), zone: compiled.zone.clone(), me: self.scope.actor.user, old: None };
            compile::aggregate(&compiled.catalog, self.store.dialect(), &authorised, &context)
        };
        let (rows, _) = compile::fetch_aggregate(&mut From::Tx(self.store), &plan).await?;
        Ok(rows
            .iter()
            .map(|row| {
                let value =
                    |column: &compile::AggregateColumn| compile::json::value(&column.codec, row.get(column.at..).unwrap_or_default());
                plan.columns.iter().map(|column| (column.name.clone(), value(column))).collect()
            })
            .collect())
    }

    pub async fn create(&mut self, entity: EntityIx, input: Input, options: &WriteOptions) -> Result<Saved, RecordError> {
        self.create_record(entity, input, options).await
    }

    pub async fn update(&mut self, entity: EntityIx, id: RecordId, input: Input, options: &WriteOptions) -> Result<Saved, RecordError> {
        self.update_record(entity, id, input, options).await
    }

    pub async fn delete(&mut self, entity: EntityIx, id: RecordId, options: &WriteOptions) -> Result<Saved, RecordError> {
        self.delete_record(entity, id, options).await
    }

    pub async fn restore(&mut self, entity: EntityIx, id: RecordId, options: &WriteOptions) -> Result<Saved, RecordError> {
        self.restore_record(entity, id, options).await
    }

    /// Updates the live record whose unique `unique` holds `key`, or creates one with these values. Doing it twice changes
    /// nothing the second time.
    pub async fn upsert(
        &mut self,
        entity: EntityIx,
        unique: &str,
        key: Vec<Value>,
        input: Input,
        options: &WriteOptions,
    ) -> Result<Saved, RecordError> {
        self.upsert_record(entity, unique, key, input, options).await
    }

    /// Writes tried so far: what fails while this does not grow leaves nothing to undo.
    pub fn writes(&self) -> u64 {
        self.store.writes()
    }

    /// Opens a part that can be undone on its own: a row of an import, an operation of a batch. Parts nest.
    pub async fn begin_part(&mut self) -> Result<(), RecordError> {
        Ok(self.store.begin_part().await?)
    }

    /// Keeps the innermost part.
    pub async fn keep_part(&mut self) -> Result<(), RecordError> {
        Ok(self.store.keep_part().await?)
    }

    /// Undoes the innermost part; the unit goes on.
    pub async fn rollback_part(&mut self) -> Result<(), RecordError> {
        Ok(self.store.rollback_part().await?)
    }
}
