//! The face of the record service.

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::ArcSwap;

use super::error::RecordError;
use super::form::FormState;
use super::history::{ChangesPage, HistoryPage};
use super::hooks::{BoxFuture, RecordHooks};
use super::input::Input;
use super::many::{Batch, BatchResult, ManyResult, ManyUpdate};
use super::options::{Saved, Source, WriteOptions};
use super::row::{Page, Row};
use super::unit::{Cause, RecordTx};
use crate::access::Actor;
use crate::base::{Clock, EntityIx, IdMint, Random, RecordId, Value};
use crate::query::{AggregateRequest, CursorKey, GetRequest, ListRequest};
use crate::schema::catalog::Catalog;
use crate::store::{Store, Tx};

/// Reads and writes records of one workspace. Cloning is cheap.
#[derive(Clone)]
pub struct Records {
    shared: Arc<Shared>,
}

struct Shared {
    store: Store,
    catalog: Arc<ArcSwap<Catalog>>,
    #[expect(dead_code, reason = "the face comes first")]
    hooks: Arc<dyn RecordHooks>,
    clock: Arc<dyn Clock>,
    #[expect(dead_code, reason = "the face comes first")]
    ids: Arc<IdMint>,
    cursor_key: CursorKey,
}

impl Records {
    /// `secret` is the workspace's: cursors signed with it hold on all nodes and after a restart.
    pub fn new(
        store: Store,
        catalog: Arc<ArcSwap<Catalog>>,
        hooks: Arc<dyn RecordHooks>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
        ids: Arc<IdMint>,
    ) -> Self {
        let mut secret = [0; 32];
        random.fill(&mut secret);
        Self { shared: Arc::new(Shared { store, catalog, hooks, clock, ids, cursor_key: CursorKey::from_secret(&secret) }) }
    }

    /// Signs cursors with the workspace's secret, so that they hold on all nodes and after a restart. Call it before the
    /// first clone is handed out.
    pub fn with_cursor_key(mut self, key: CursorKey) -> Self {
        if let Some(shared) = Arc::get_mut(&mut self.shared) {
            shared.cursor_key = key;
        }
        self
    }

    /// The definitions in force. Take it once per request.
    pub fn catalog(&self) -> Arc<Catalog> {
        self.shared.catalog.load_full()
    }

    /// Signs cursors: what `query::parse_list` wants.
    pub fn cursor_key(&self) -> &CursorKey {
        &self.shared.cursor_key
    }

    pub fn store(&self) -> &Store {
        &self.shared.store
    }

    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.shared.clock
    }

    /// A page. Runs one statement for each level of the selection (and one for the count).
    ///
    /// `catalog` is the one the request was parsed with.
    pub async fn list(&self, _actor: &Actor, _catalog: &Arc<Catalog>, _request: ListRequest) -> Result<Page, RecordError> {
        unimplemented!("record")
    }

    /// One record; `None` where there is none (or it is not to be read).
    pub async fn get(&self, _actor: &Actor, _catalog: &Arc<Catalog>, _request: GetRequest) -> Result<Option<Row>, RecordError> {
        unimplemented!("record")
    }

    /// Groups and measures: one JSON object a row, by output name.
    pub async fn aggregate(&self, _actor: &Actor, _catalog: &Arc<Catalog>, _request: AggregateRequest) -> Result<Vec<serde_json::Value>, RecordError> {
        unimplemented!("record")
    }

    /// `catalog` is the one `input` was read with: when definitions change meanwhile, the request is moved to the new ones by
    /// field name.
    pub async fn create(&self, _actor: &Actor, _catalog: &Arc<Catalog>, _entity: EntityIx, _input: Input, _options: WriteOptions) -> Result<Saved, RecordError> {
        unimplemented!("record")
    }

    pub async fn update(
        &self,
        _actor: &Actor,
        _catalog: &Arc<Catalog>,
        _entity: EntityIx,
        _id: RecordId,
        _input: Input,
        _options: WriteOptions,
    ) -> Result<Saved, RecordError> {
        unimplemented!("record")
    }

    pub async fn delete(&self, _actor: &Actor, _catalog: &Arc<Catalog>, _entity: EntityIx, _id: RecordId, _options: WriteOptions) -> Result<Saved, RecordError> {
        unimplemented!("record")
    }

    pub async fn restore(&self, _actor: &Actor, _catalog: &Arc<Catalog>, _entity: EntityIx, _id: RecordId, _options: WriteOptions) -> Result<Saved, RecordError> {
        unimplemented!("record")
    }

    /// Updates the live record whose unique (its name) holds the key values, or creates it with them.
    #[expect(clippy::too_many_arguments, reason = "each says another part of one request")]
    pub async fn upsert(
        &self,
        _actor: &Actor,
        _catalog: &Arc<Catalog>,
        _entity: EntityIx,
        _unique: &str,
        _key: Vec<Value>,
        _input: Input,
        _options: WriteOptions,
    ) -> Result<Saved, RecordError> {
        unimplemented!("record")
    }

    /// Each record on its own: one that fails does not keep the others from being saved.
    pub async fn update_many(
        &self,
        _actor: &Actor,
        _catalog: &Arc<Catalog>,
        _entity: EntityIx,
        _many: ManyUpdate,
        _options: WriteOptions,
    ) -> Result<ManyResult, RecordError> {
        unimplemented!("record")
    }

    pub async fn batch(&self, _actor: &Actor, _catalog: &Arc<Catalog>, _batch: Batch, _options: WriteOptions) -> Result<BatchResult, RecordError> {
        unimplemented!("record")
    }

    /// The record's changes, newest first, 50 a page.
    pub async fn history(&self, _actor: &Actor, _entity: EntityIx, _id: RecordId, _cursor: Option<&str>, _limit: u32) -> Result<HistoryPage, RecordError> {
        unimplemented!("record")
    }

    /// All changes after `since` (a number the last answer gave, 0 for the beginning).
    pub async fn changes(&self, _actor: &Actor, _since: i64, _limit: u32) -> Result<ChangesPage, RecordError> {
        unimplemented!("record")
    }

    /// What a form shows for these values: of the stored record `id`, or of a new one.
    pub async fn form_state(
        &self,
        _actor: &Actor,
        _catalog: &Arc<Catalog>,
        _entity: EntityIx,
        _id: Option<RecordId>,
        _input: &Input,
    ) -> Result<FormState, RecordError> {
        unimplemented!("record")
    }

    /// Titles of records, for links shown in pages. Unknown ones are absent.
    pub async fn titles(&self, _actor: &Actor, _ids: &[(EntityIx, RecordId)]) -> Result<HashMap<RecordId, String>, RecordError> {
        unimplemented!("record")
    }

    /// Runs several operations as one unit of work. The closure may run a second time when definitions changed under it;
    /// it gets the catalog of that run from [`RecordTx::catalog`].
    pub async fn unit<T, F>(&self, _actor: &Actor, _source: Source, _chain: Vec<Cause>, _unit: F) -> Result<T, RecordError>
    where
        T: Send + 'static,
        F: for<'a, 't> Fn(&'a mut RecordTx<'t>) -> BoxFuture<'a, Result<T, RecordError>> + Send + Sync + Clone + 'static,
    {
        unimplemented!("record")
    }

    /// Continues a transaction another room opened (a job's).
    pub fn join<'t>(&self, _tx: &'t mut Tx, _actor: &Actor, _source: Source, _chain: Vec<Cause>) -> RecordTx<'t> {
        unimplemented!("record")
    }
}
