//! The record service: what it is made of, its saves and its units of work. What it reads for people stands in `fetch`.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::{ArcSwap, ArcSwapOption};
use serde_json::Value as Json;

use super::error::RecordError;
use super::hooks::{BoxFuture, HookPoint, RecordHooks};
use super::input::Input;
use super::keyed::{Request, remember, replay};
use super::many::{Batch, BatchResult, ManyResult, ManyUpdate, OneUpdate};
use super::moved::Moved;
use super::options::{Saved, Source, WriteOptions};
use super::plan::Compiled;
use super::unit::{Cause, RecordTx, Scope};
use crate::access::{AccessError, Actor, ActorKind, Policies};
use crate::base::{Clock, EntityIx, IdMint, Random, RecordId, Value};
use crate::expr::{EvalContext, Zone};
use crate::query::CursorKey;
use crate::schema::catalog::Catalog;
use crate::store::compile::Plans;
use crate::store::{Store, Tx, idempotency};

/// How often a unit is tried when definitions change under it, or others hold or exchange the rows it needs.
const ATTEMPTS: u32 = 5;
/// Longest wait before the second attempt; it doubles with each.
const FIRST_WAIT_MS: u64 = 10;
/// How long a changed catalog may take to reach this process.
const CATALOG_WAIT: Duration = Duration::from_millis(2_500);

/// Reads and writes records of one workspace. Cloning is cheap.
#[derive(Clone)]
pub struct Records {
    shared: Arc<Shared>,
}

struct Shared {
    store: Store,
    catalog: Arc<ArcSwap<Catalog>>,
    compiled: ArcSwapOption<Compiled>,
    hooks: Arc<dyn RecordHooks>,
    clock: Arc<dyn Clock>,
    ids: Arc<IdMint>,
    cursor_key: CursorKey,
    plans: Plans,
    policies: Arc<Policies>,
}

impl Records {
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
        let cursor_key = CursorKey::from_secret(&secret);
        let compiled = ArcSwapOption::empty();
        Self {
            shared: Arc::new(Shared {
                store,
                catalog,
                compiled,
                hooks,
                clock,
                ids,
                cursor_key,
                plans: Plans::new(),
                policies: Arc::default(),
            }),
        }
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

    /// The definitions after `old`, when another process has applied some that have not reached this one yet. Asks the
    /// database once.
    pub async fn newer(&self, old: &Arc<Catalog>) -> Option<Arc<Catalog>> {
        if self.shared.catalog.load().version <= old.version && self.store().catalog_version().await.ok()? <= old.version {
            return None;
        }
        let newer = self.newer_catalog(old).await;
        (newer.version > old.version).then_some(newer)
    }

    /// Signs cursors: what `query::parse_list` wants.
    pub fn cursor_key(&self) -> &CursorKey {
        &self.shared.cursor_key
    }

    pub fn store(&self) -> &Store {
        &self.shared.store
    }

    /// What sets of roles amount to, for all people together.
    pub(super) fn plans(&self) -> &Plans {
        &self.shared.plans
    }

    pub(super) fn policies(&self) -> &Arc<Policies> {
        &self.shared.policies
    }

    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.shared.clock
    }

    /// `catalog` is the one `input` was read with: when definitions change meanwhile, the request is moved to the new ones.
    pub async fn create(
        &self,
        actor: &Actor,
        catalog: &Arc<Catalog>,
        entity: EntityIx,
        input: Input,
        options: WriteOptions,
    ) -> Result<Saved, RecordError> {
        let catalog = &catalog.whole();
        let mut request = Request::new(catalog, entity, "create", String::new(), &options, || format!("{input:?}"));
        let compiled = self.compiled(catalog);
        request.is_plain =
            is_open(actor, catalog) && !compiled.plan(entity).makes_tasks && self.is_plain(&compiled, entity, &input, &options);
        let ready = self.ready_create(actor, catalog, entity, &input, &options).map(Arc::new);
        let input = Arc::new(input);
        self.save(actor, request, options, move |tx, entity, options, moved| {
            let (ready, input) = (ready.clone(), moved.shared(&input));
            Box::pin(async move {
                if let Some(ready) = ready
                    && let Some(saved) = tx.write_ready(&ready).await?
                {
                    return Ok(saved);
                }
                tx.create_record(entity, Input::clone(&input), &options).await
            })
        })
        .await
    }

    /// Changes the named fields. `input` is a merge patch.
    pub async fn update(
        &self,
        actor: &Actor,
        catalog: &Arc<Catalog>,
        entity: EntityIx,
        id: RecordId,
        input: Input,
        options: WriteOptions,
    ) -> Result<Saved, RecordError> {
        let catalog = &catalog.whole();
        let mut request = Request::new(catalog, entity, "update", id.to_string(), &options, || format!("{input:?}"));
        let compiled = self.compiled(catalog);
        request.is_plain =
            is_open(actor, catalog) && !compiled.plan(entity).makes_tasks && self.is_plain(&compiled, entity, &input, &options);
        let ready = self.ready_update(actor, catalog, entity, id, &input, &options).await?.map(Arc::new);
        let input = Arc::new(input);
        self.save(actor, request, options, move |tx, entity, options, moved| {
            let (ready, input) = (ready.clone(), moved.shared(&input));
            Box::pin(async move {
                if let Some(ready) = ready
                    && let Some(saved) = tx.write_ready(&ready).await?
                {
                    return Ok(saved);
                }
                tx.update_record(entity, id, Input::clone(&input), &options).await
            })
        })
        .await
    }

    /// Into the recycle bin, where the entity has one; for good otherwise. What hangs on the record goes or is cleared with it.
    pub async fn delete(
        &self,
        actor: &Actor,
        catalog: &Arc<Catalog>,
        entity: EntityIx,
        id: RecordId,
        options: WriteOptions,
    ) -> Result<Saved, RecordError> {
        let request = Request::new(&catalog.whole(), entity, "delete", id.to_string(), &options, String::new);
        self.save(actor, request, options, move |tx, entity, options, _| {
            Box::pin(async move { tx.delete_record(entity, id, &options).await })
        })
        .await
    }

    /// Out of the recycle bin, with the records that went with it.
    pub async fn restore(
        &self,
        actor: &Actor,
        catalog: &Arc<Catalog>,
        entity: EntityIx,
        id: RecordId,
        options: WriteOptions,
    ) -> Result<Saved, RecordError> {
        let request = Request::new(&catalog.whole(), entity, "restore", id.to_string(), &options, String::new);
        self.save(actor, request, options, move |tx, entity, options, _| {
            Box::pin(async move { tx.restore_record(entity, id, &options).await })
        })
        .await
    }

    /// Updates the live record whose unique (its name) holds the key values, or creates it with them.
    #[expect(clippy::too_many_arguments, reason = "each says another part of one request")]
    pub async fn upsert(
        &self,
        actor: &Actor,
        catalog: &Arc<Catalog>,
        entity: EntityIx,
        unique: &str,
        key: Vec<Value>,
        input: Input,
        options: WriteOptions,
    ) -> Result<Saved, RecordError> {
        let unique = unique.to_owned();
        let request = Request::new(&catalog.whole(), entity, "upsert", format!("{unique} {key:?}"), &options, || format!("{input:?}"));
        self.save(actor, request, options, move |tx, entity, options, moved| {
            let (input, unique, key) = (moved.input(&input), unique.clone(), key.clone());
            Box::pin(async move { tx.upsert_record(entity, &unique, key, input, &options).await })
        })
        .await
    }

    /// Each record on its own: one that fails does not keep the others from being saved.
    pub async fn update_many(
        &self,
        actor: &Actor,
        catalog: &Arc<Catalog>,
        entity: EntityIx,
        many: ManyUpdate,
        options: WriteOptions,
    ) -> Result<ManyResult, RecordError> {
        let from = catalog.whole();
        let catalog = &from.clone();
        let (source, dry_run) = (options.source, options.dry_run);
        if let ManyUpdate::Where { request, .. } = &many {
            self.witness_list(actor, &self.compiled(catalog), request).await?;
        }
        let many = Arc::new(many);
        self.run(actor, catalog, source, Vec::new(), How::of(dry_run), move |tx| {
            let (from, many, options) = (from.clone(), many.clone(), options.clone());
            Box::pin(async move {
                let moved = Moved::new(&from, tx.catalog(), entity)?;
                let many = match many.as_ref() {
                    ManyUpdate::Each(updates) => ManyUpdate::Each(
                        updates.iter().map(|one| OneUpdate { id: one.id, version: one.version, set: moved.input(&one.set) }).collect(),
                    ),
                    ManyUpdate::Where { .. } if !moved.is_same => return Err(RecordError::StaleCatalog),
                    ManyUpdate::Where { request, set, max_affected } => {
                        ManyUpdate::Where { request: request.clone(), set: set.clone(), max_affected: *max_affected }
                    }
                };
                tx.update_many(moved.entity, many, &options).await
            })
        })
        .await
    }

    /// Several operations as one unit of work; later ones may refer to earlier results.
    pub async fn batch(
        &self,
        actor: &Actor,
        catalog: &Arc<Catalog>,
        batch: Batch,
        options: WriteOptions,
    ) -> Result<BatchResult, RecordError> {
        let batch = Arc::new(batch);
        let catalog = &catalog.whole();
        let (source, dry_run) = (options.source, options.dry_run);
        self.run(actor, catalog, source, Vec::new(), How::of(dry_run), move |tx| {
            let (batch, options) = (batch.clone(), options.clone());
            Box::pin(async move { tx.batch(Batch::clone(&batch), &options).await })
        })
        .await
    }

    /// Computes the stored values of the records a job of kind [`RECALCULATE`](super::RECALCULATE) names.
    pub async fn recalculate(&self, payload: &Json) -> Result<usize, RecordError> {
        let uid = payload.get("entity").and_then(Json::as_str).unwrap_or_default().to_owned();
        let ids: Vec<RecordId> =
            payload.get("ids").and_then(Json::as_array).into_iter().flatten().filter_map(|id| id.as_i64().map(RecordId)).collect();
        let mut written = 0;
        for part in ids.chunks(100) {
            let (uid, part) = (uid.clone(), part.to_vec());
            written += self
                .unit(&Actor::system(), Source::System, Vec::new(), move |tx| {
                    let (uid, part) = (uid.clone(), part.clone());
                    Box::pin(async move {
                        let compiled = tx.scope.compiled.clone();
                        match compiled.catalog.entities.iter().find(|entity| entity.uid == uid) {
                            Some(entity) => tx.recalculate(&compiled, entity.ix, &part).await,
                            None => Ok(0),
                        }
                    })
                })
                .await?;
        }
        Ok(written)
    }

    /// Runs several operations as one unit of work. The closure may run again when definitions changed under it; it gets
    /// the catalog of that run from [`RecordTx::catalog`].
    pub async fn unit<T, F>(&self, actor: &Actor, source: Source, chain: Vec<Cause>, unit: F) -> Result<T, RecordError>
    where
        T: Send + 'static,
        F: for<'a, 't> Fn(&'a mut RecordTx<'t>) -> BoxFuture<'a, Result<T, RecordError>> + Send + Sync + Clone + 'static,
    {
        let catalog = self.catalog();
        self.run(actor, &catalog, source, chain, How::Shared, unit).await
    }

    /// [`Records::unit`] for work that hardly fails once it has written (see `Store::write_bare`).
    pub(super) async fn bare_unit<T, F>(&self, actor: &Actor, source: Source, unit: F) -> Result<T, RecordError>
    where
        T: Send + 'static,
        F: for<'a, 't> Fn(&'a mut RecordTx<'t>) -> BoxFuture<'a, Result<T, RecordError>> + Send + Sync + Clone + 'static,
    {
        let catalog = self.catalog();
        self.run(actor, &catalog, source, Vec::new(), How::Bare, unit).await
    }

    /// [`Records::unit`], undone whatever it returns.
    pub async fn rehearse<T, F>(&self, actor: &Actor, source: Source, chain: Vec<Cause>, unit: F) -> Result<T, RecordError>
    where
        T: Send + 'static,
        F: for<'a, 't> Fn(&'a mut RecordTx<'t>) -> BoxFuture<'a, Result<T, RecordError>> + Send + Sync + Clone + 'static,
    {
        let catalog = self.catalog();
        self.run(actor, &catalog, source, chain, How::Rehearse, unit).await
    }

    /// Continues a transaction another room opened (a job's).
    pub fn join<'t>(&self, tx: &'t mut Tx, actor: &Actor, source: Source, chain: Vec<Cause>) -> RecordTx<'t> {
        let compiled = self.compiled(&self.catalog());
        RecordTx { store: tx, scope: self.scope(compiled, actor, source, chain) }
    }

    /// One save with its idempotency key; gives the first answer to a repeated request.
    async fn save<F>(&self, actor: &Actor, request: Request, options: WriteOptions, work: F) -> Result<Saved, RecordError>
    where
        F: for<'a, 't> Fn(&'a mut RecordTx<'t>, EntityIx, WriteOptions, &Moved) -> BoxFuture<'a, Result<Saved, RecordError>>
            + Send
            + Sync
            + 'static,
    {
        let (catalog, source) = (request.catalog.clone(), options.source);
        let how = match () {
            () if options.dry_run => How::Rehearse,
            () if request.is_plain && options.idempotency_key.is_none() => How::Bare,
            () => How::Shared,
        };
        let (work, request, options) = (Arc::new(work), Arc::new(request), Arc::new(options));
        self.run(actor, &catalog, source, Vec::new(), how, move |tx| {
            let (work, request, options) = (work.clone(), request.clone(), options.clone());
            Box::pin(async move {
                let user = tx.actor().user_id();
                if let Some(key) = &options.idempotency_key {
                    match idempotency::begin(tx.store, user, key, &request.digest).await? {
                        idempotency::Seen::New => {}
                        idempotency::Seen::Mismatch => return Err(RecordError::KeyReused),
                        idempotency::Seen::Done { body, .. } => return replay(tx.catalog(), &request, &body),
                    }
                }
                let moved = Moved::new(&request.catalog, tx.catalog(), request.entity)?;
                let mut saved = work(tx, moved.entity, WriteOptions::clone(&options), &moved).await?;
                if let Some(key) = &options.idempotency_key {
                    let body = remember(tx.catalog(), moved.entity, &saved);
                    idempotency::finish(tx.store, user, key, 200, &body).await?;
                }
                moved.back(&mut saved.changed);
                Ok(saved)
            })
        })
        .await
    }

    /// Runs a unit of work; again with the new definitions when they changed under it, again when the database was busy.
    async fn run<T, F>(
        &self,
        actor: &Actor,
        catalog: &Arc<Catalog>,
        source: Source,
        chain: Vec<Cause>,
        how: How,
        unit: F,
    ) -> Result<T, RecordError>
    where
        T: Send + 'static,
        F: for<'a, 't> Fn(&'a mut RecordTx<'t>) -> BoxFuture<'a, Result<T, RecordError>> + Send + Sync + Clone + 'static,
    {
        if !actor.is_signed_in() {
            return Err(RecordError::Forbidden("nobody is signed in".to_owned()));
        }
        if actor.only_looks {
            return Err(AccessError::OnlyLooks.into());
        }
        let mut catalog = catalog.clone();
        let mut actor = std::borrow::Cow::Borrowed(actor);
        let mut attempt = 1;
        loop {
            let compiled = self.compiled(&catalog);
            let scope = self.scope(compiled, &actor, source, chain.clone());
            let unit = unit.clone();
            let version = catalog.version;
            let work = in_unit(scope, version, unit);
            let result = match how {
                How::Shared => self.store().write(work).await,
                How::Bare => self.store().write_bare(work).await,
                How::Rehearse => self.store().rehearse(work).await,
            };
            match result {
                Err(RecordError::StaleCatalog) if attempt < ATTEMPTS => {
                    catalog = self.newer_catalog(&catalog).await;
                    actor = std::borrow::Cow::Owned(self.caught_up(&actor).await?);
                }
                Err(RecordError::Busy) if attempt < ATTEMPTS => self.step_aside(attempt).await,
                other => return other,
            }
            attempt += 1;
        }
    }

    /// Waits for a while that nobody else waits for: those who stood in each other's way do not meet again.
    async fn step_aside(&self, attempt: u32) {
        let longest = FIRST_WAIT_MS << attempt.min(6);
        tokio::time::sleep(Duration::from_millis(self.store().random().next_u64() % longest)).await;
    }

    /// The catalog after `old`, which this process may not have yet.
    async fn newer_catalog(&self, old: &Arc<Catalog>) -> Arc<Catalog> {
        let wait = async {
            while self.shared.catalog.load().version == old.version {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        // Without a newer one the unit fails again and says so.
        let _ = tokio::time::timeout(CATALOG_WAIT, wait).await;
        self.catalog()
    }

    fn scope(&self, compiled: Arc<Compiled>, actor: &Actor, source: Source, chain: Vec<Cause>) -> Scope {
        Scope {
            compiled,
            hooks: self.shared.hooks.clone(),
            ids: self.shared.ids.clone(),
            cursor_key: self.shared.cursor_key.clone(),
            actor: actor.clone(),
            source,
            chain,
            depth: 0,
            levels: 0,
            script_writes: 0,
            pending: Vec::new(),
            versions: HashMap::new(),
            data_keys: HashMap::new(),
            deferred: Vec::new(),
            changes_hands: None,
            erases: false,
        }
    }

    /// Whether a save of this entity writes its row first of all, and nothing behind it can refuse: no numbers are taken
    /// before, no scripts run, no rows below it and no values of other records are written.
    pub(super) fn is_plain(&self, compiled: &Arc<Compiled>, entity: EntityIx, input: &Input, options: &WriteOptions) -> bool {
        let has_hook = |point| !options.without_hooks && self.shared.hooks.matches(&compiled.catalog, entity, point);
        input.children.is_empty()
            && compiled.plan(entity).stands_alone
            && !has_hook(HookPoint::BeforeSave)
            && !has_hook(HookPoint::AfterWrite)
    }

    pub(super) fn hooks(&self) -> &Arc<dyn RecordHooks> {
        &self.shared.hooks
    }

    /// An id for a record that is made later.
    pub fn mint(&self) -> RecordId {
        self.shared.ids.next()
    }

    /// The plans of a catalog; those of the current one are kept.
    pub(super) fn compiled(&self, catalog: &Arc<Catalog>) -> Arc<Compiled> {
        if let Some(compiled) = self.shared.compiled.load_full()
            && Arc::ptr_eq(&compiled.catalog, catalog)
        {
            return compiled;
        }
        let compiled = Arc::new(Compiled::new(catalog.clone()));
        if Arc::ptr_eq(&self.shared.catalog.load(), catalog) {
            self.shared.compiled.store(Some(compiled.clone()));
        }
        compiled
    }

    /// What `now()`, `today()` and `me()` are for a reader: people have their own zone, programs the workspace's.
    pub(super) fn context(&self, catalog: &Catalog, actor: &Actor) -> EvalContext<'static> {
        let own = match actor.kind {
            ActorKind::Person | ActorKind::Token => actor.time_zone.iana_name().and_then(Zone::named),
            _ => None,
        };
        let zone = own.or_else(|| Zone::named(&catalog.settings.time_zone_name)).unwrap_or_else(Zone::utc);
        EvalContext { now: self.clock().now(), zone, me: actor.user, old: None }
    }
}

/// Whether nothing is kept from the actor. What is held against somebody's rights is prepared and written inside its
/// transaction, where it can be undone.
pub(super) fn is_open(actor: &Actor, catalog: &Catalog) -> bool {
    actor.standing(catalog).is_ok_and(|standing| standing.part().is_none_or(|granted| granted.policy.is_open()))
}

/// A unit of the store that runs a unit of records.
fn in_unit<T, F>(
    scope: Scope,
    version: i64,
    unit: F,
) -> impl for<'a> FnOnce(&'a mut Tx) -> crate::store::BoxFuture<'a, Result<T, RecordError>> + Send + 'static
where
    T: Send + 'static,
    F: for<'a, 't> Fn(&'a mut RecordTx<'t>) -> BoxFuture<'a, Result<T, RecordError>> + Send + Sync + 'static,
{
    move |tx| {
        Box::pin(async move {
            tx.expect_catalog(version).await?;
            let mut tx = RecordTx { store: tx, scope };
            unit(&mut tx).await
        })
    }
}

/// How a unit is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum How {
    Shared,
    /// Can hardly fail once it has written.
    Bare,
    /// Undone whatever it returns.
    Rehearse,
}

impl How {
    fn of(dry_run: bool) -> Self {
        if dry_run { How::Rehearse } else { How::Shared }
    }
}
