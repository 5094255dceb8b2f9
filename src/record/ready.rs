//! Saves that need nothing of the database but their own row: prepared by whoever asks, so that the writer has little
//! left to do. What such a save was prepared from is looked at again when it is written: the catalog, the version of
//! the row, the records it links to. Where one of them is another, the ordinary save runs instead.

use std::collections::HashSet;
use std::sync::Arc;

use super::check::Rules;
use super::error::RecordError;
use super::hooks::{BoxFuture, EventKind, HookPoint, Record, RecordEvent};
use super::input::Input;
use super::options::{Saved, Source as Door, WriteOptions};
use super::plan::Compiled;
use super::prepare::Target;
use super::service::{Records, is_open};
use super::steps::changed_fields;
use super::trace::{Left, Trace};
use super::unit::RecordTx;
use super::world::{Setting, World};
use super::written::Written;
use crate::access::{Actor, Write, WriteKind, authorise_write};
use crate::base::{EntityIx, FieldIx, RecordId, Value};
use crate::expr::Needs;
use crate::schema::catalog::Catalog;
use crate::store::compile::{self, Lock};
use crate::store::{Dialect, Statement, outbox};

/// A save with everything it will write.
#[derive(Debug)]
pub struct Ready {
    catalog: Arc<Catalog>,
    entity: EntityIx,
    /// The row, then its side tables. An update names the version it was prepared from.
    statements: Vec<Statement>,
    /// Live records the links that changed must lead to.
    places: Vec<(EntityIx, RecordId)>,
    left: Left,
    /// For those who want it after the commit.
    event: Option<RecordEvent>,
    saved: Saved,
}

/// Several new records of one entity, written together.
#[derive(Debug)]
pub struct ReadyBatch {
    saves: Vec<Ready>,
    /// Live records their links must lead to, each once.
    places: Vec<(EntityIx, RecordId)>,
}

/// Batches that are made ready while those before them are written.
pub(crate) trait Feed: Send + Sync + 'static {
    /// The batch at a position of this unit of work, with the number of its records that are written already. A unit that
    /// runs again asks for the same ones. `None` ends the unit.
    fn batch(&self, position: usize) -> BoxFuture<'_, Option<(Arc<ReadyBatch>, usize)>>;
}

impl Records {
    /// A create, where nothing of the database is needed; `None` also when it would be refused: the ordinary save says why.
    pub(crate) fn ready_create(
        &self,
        actor: &Actor,
        catalog: &Arc<Catalog>,
        entity: EntityIx,
        input: &Input,
        options: &WriteOptions,
    ) -> Option<Ready> {
        let compiled = self.compiled(catalog);
        if !is_open(actor, catalog) || !self.is_ready_made(&compiled, entity, input, options) {
            return None;
        }
        let id = options.id.unwrap_or_else(|| self.mint());
        self.ready(actor, &compiled, entity, Target::Create(id), input, options)
    }

    /// Like [`Records::ready_create`], of the stored record as it is now.
    pub(super) async fn ready_update(
        &self,
        actor: &Actor,
        catalog: &Arc<Catalog>,
        entity: EntityIx,
        id: RecordId,
        input: &Input,
        options: &WriteOptions,
    ) -> Result<Option<Ready>, RecordError> {
        let compiled = self.compiled(catalog);
        let definition = compiled.entity(entity);
        let names_version = options.if_match.is_some() || !definition.requires_if_match || options.source != Door::Api;
        if !names_version || !is_open(actor, catalog) || !self.is_ready_made(&compiled, entity, input, options) {
            return Ok(None);
        }
        let mut reader = self.reader(&compiled, actor, None);
        let old = reader.load(entity, &[id], Lock::None).await?.pop().filter(|old| !old.is_deleted(definition));
        let fits = |old: &Record| options.if_match.is_none_or(|version| version == old.version);
        Ok(old.filter(fits).and_then(|old| self.ready(actor, &compiled, entity, Target::Update(old), input, options)))
    }

    /// Whether a save of this input asks the database for nothing before it writes, and nothing behind it can refuse.
    fn is_ready_made(&self, compiled: &Arc<Compiled>, entity: EntityIx, input: &Input, options: &WriteOptions) -> bool {
        let plan = compiled.plan(entity);
        options.idempotency_key.is_none()
            && !options.dry_run
            && plan.filters.is_empty()
            && self.is_plain(compiled, entity, input, options)
            && [&plan.default_needs, &plan.save_needs, &plan.readonly_needs].into_iter().all(is_own)
    }

    fn ready(
        &self,
        actor: &Actor,
        compiled: &Arc<Compiled>,
        entity: EntityIx,
        target: Target,
        input: &Input,
        options: &WriteOptions,
    ) -> Option<Ready> {
        let definition = compiled.entity(entity);
        let plan = compiled.plan(entity);
        let setting = Setting::new(compiled, self.clock().now(), actor);
        let mut faults = Vec::new();
        let world = World::default();
        let mut draft = setting.draft(definition, target, input, &[], &mut faults);
        if draft.old.is_none() {
            setting.fill_owner(&mut draft, input);
            for ix in &plan.defaults {
                if input.get(*ix).is_none() && draft.get(*ix).is_null() {
                    setting.fill_default(&world, &mut draft, *ix);
                }
            }
        }
        setting.stamp(&mut draft);
        setting.rebase_money(&mut draft);
        let old = draft.old;
        let mut record = Record { entity, id: draft.id, version: old.as_ref().map_or(1, |old| old.version + 1), values: draft.values };
        setting.compute(&world, &mut record, old.as_ref());
        setting.check_readonly(&world, &record, old.as_ref(), input, &mut faults);
        setting.check_own(&world, &record, old.as_ref(), input, &[], &[], Rules::All, &mut faults);
        // A move is judged and written down by the ordinary save.
        if !definition.pipelines.is_empty() && !setting.stage_moves(&record, old.as_ref()).is_empty() {
            return None;
        }
        let leads = setting.leads(&record, old.as_ref(), &[]);
        let changed = changed_fields(compiled, &record, old.as_ref());
        // Whether an approval locks them, or the record was converted, is looked at by the ordinary save.
        if old.is_some()
            && (!definition.conversions.is_empty() || changed.iter().any(|field| compiled.plan(entity).watched.contains(field)))
        {
            return None;
        }
        if !faults.is_empty() || !leads.uploads.is_empty() || (old.is_some() && changed.is_empty()) {
            return None;
        }
        let statements = statements(compiled, self.store().dialect(), actor, &record, old.as_ref(), &changed)?;
        let kind = if old.is_none() { EventKind::Create } else { EventKind::Update };
        let left = setting.left(
            self.store().dialect(),
            &Trace { kind, record: &record, old: old.as_ref(), changed: &changed, by_script: &[] },
            options.source.as_str(),
            "[]",
        );
        let saved = Saved {
            id: record.id,
            version: record.version,
            created: old.is_none(),
            changed: changed.clone(),
            warnings: Vec::new(),
            stale: Vec::new(),
            replayed: false,
            written: options
                .shows_record
                .then(|| Arc::new(Written { catalog: compiled.catalog.clone(), entity, values: record.values.clone() })),
        };
        let is_wanted = !options.without_hooks && self.hooks().matches(&compiled.catalog, entity, HookPoint::AfterCommit);
        let places = leads.places.into_iter().map(|(_, to, id)| (to, id)).filter(|place| *place != (entity, record.id)).collect();
        let event = is_wanted.then(|| RecordEvent { kind, entity, id: record.id, version: record.version, old, record, changed });
        Some(Ready { catalog: compiled.catalog.clone(), entity, statements, places, left, event, saved })
    }

    /// Writes the batches of a feed in one unit of work, `step` records at a time, until it ends or others wait to write.
    /// Gives the number of records written; none when the first of them was prepared from something that is another by now.
    ///
    /// # Errors
    /// One of them is refused; then none of this unit is written.
    pub(crate) async fn write_feed(&self, actor: &Actor, source: Door, feed: Arc<impl Feed>, step: usize) -> Result<usize, RecordError> {
        let store = self.store().clone();
        self.bare_unit(actor, source, move |tx| {
            let (feed, store) = (feed.clone(), store.clone());
            Box::pin(async move { tx.write_steps(&*feed, step, || !store.has_waiting_writers()).await })
        })
        .await
    }

    /// The live record that holds these values of a unique, outside of any unit of work.
    pub(crate) async fn find_unique(
        &self,
        actor: &Actor,
        catalog: &Arc<Catalog>,
        entity: EntityIx,
        unique: &str,
        key: &[Value],
    ) -> Result<Option<Record>, RecordError> {
        let compiled = self.compiled(catalog);
        let definition = compiled.entity(entity);
        let found = super::bulk::find_unique(definition, unique)?;
        let dialect = self.store().dialect();
        let request = authorise_write(catalog, actor, Write { entity, kind: WriteKind::Load, fields: Vec::new() })?;
        let statement = compile::by_unique(catalog, dialect, &request, found, key);
        let Some(id) = self.store().query(&statement).await?.one_int().map(RecordId) else { return Ok(None) };
        let mut reader = self.reader(&compiled, actor, None);
        Ok(reader.load(entity, &[id], Lock::None).await?.pop().filter(|record| !record.is_deleted(definition)))
    }
}

impl ReadyBatch {
    /// Puts new records of one entity together; `None` when there is none.
    pub(crate) fn new(saves: Vec<Ready>) -> Option<Self> {
        let mut places: Vec<_> = saves.iter().flat_map(|save| save.places.iter().copied()).collect();
        places.sort_unstable();
        places.dedup();
        (!saves.is_empty()).then_some(Self { saves, places })
    }
}

/// Expressions that read nothing but the record itself.
fn is_own(needs: &Needs) -> bool {
    needs.paths.is_empty() && needs.children.is_empty() && needs.old_paths.is_empty()
}

fn statements(
    compiled: &Compiled,
    dialect: Dialect,
    actor: &Actor,
    record: &Record,
    old: Option<&Record>,
    changed: &[FieldIx],
) -> Option<Vec<Statement>> {
    let Some(old) = old else {
        let write = Write { entity: record.entity, kind: WriteKind::Create, fields: changed.to_vec() };
        let request = authorise_write(&compiled.catalog, actor, write).ok()?;
        return Some(compile::insert(&compiled.catalog, dialect, &request, &record.values, compiled.insert_text(record.entity)));
    };
    let plan = compiled.plan(record.entity);
    let stamps = [plan.version, plan.updated_at, plan.updated_by].into_iter().flatten();
    let changes: Vec<(FieldIx, Value)> = changed.iter().copied().chain(stamps).map(|ix| (ix, record.get(ix).clone())).collect();
    let write = Write { entity: record.entity, kind: WriteKind::Update, fields: changes.iter().map(|(ix, _)| *ix).collect() };
    let request = authorise_write(&compiled.catalog, actor, write).ok()?;
    let update =
        compile::update(&compiled.catalog, dialect, &request, record.id, Some(old.version), &changes, compiled.update_texts(record.entity));
    // Without a version of its own a row cannot tell that it changed.
    plan.version.and(update.row).map(|row| std::iter::once(row).chain(update.sides).collect())
}

/// Records asked for in one statement.
const MOST_ASKED: usize = 1_000;

impl RecordTx<'_> {
    /// Writes what was prepared; `None` (and nothing written) when it was prepared from something that is another by now.
    pub(super) async fn write_ready(&mut self, ready: &Ready) -> Result<Option<Saved>, RecordError> {
        if !Arc::ptr_eq(&ready.catalog, &self.scope.compiled.catalog) {
            return Ok(None);
        }
        let compiled = self.scope.compiled.clone();
        let mut places = ready.places.clone();
        places.sort_unstable();
        places.dedup();
        if !self.are_alive(&places).await? {
            return Ok(None);
        }
        let Some((row, sides)) = ready.statements.split_first() else { return Ok(None) };
        let touched = self.store.execute(row).await.map_err(|error| self.explain(&compiled, ready.entity, error))?;
        if touched == 0 {
            return Ok(None);
        }
        self.run_all(&compiled, ready.entity, sides).await?;
        self.write_left(&ready.left).await?;
        self.deliver(&compiled, ready).await?;
        Ok(Some(ready.saved.clone()))
    }

    /// Writes the batches of a feed in steps while `go_on` says so. Gives the number of records written.
    async fn write_steps(&mut self, feed: &impl Feed, step: usize, go_on: impl Fn() -> bool) -> Result<usize, RecordError> {
        let compiled = self.scope.compiled.clone();
        let (mut written, mut met) = (0, HashSet::new());
        for position in 0.. {
            let Some((batch, from)) = feed.batch(position).await else { break };
            let is_same = batch.saves.first().is_some_and(|first| Arc::ptr_eq(&first.catalog, &compiled.catalog));
            let places: Vec<(EntityIx, RecordId)> = batch.places.iter().copied().filter(|place| met.insert(*place)).collect();
            if !is_same || !self.are_alive(&places).await? {
                break;
            }
            for saves in batch.saves.get(from..).unwrap_or_default().chunks(step) {
                self.write_together(&compiled, saves).await?;
                written += saves.len();
                if !go_on() {
                    return Ok(written);
                }
            }
        }
        Ok(written)
    }

    async fn write_together(&mut self, compiled: &Arc<Compiled>, saves: &[Ready]) -> Result<(), RecordError> {
        let Some(entity) = saves.first().map(|save| save.entity) else { return Ok(()) };
        let rows: Vec<&Statement> = saves.iter().filter_map(|save| save.statements.first()).collect();
        self.store.insert_rows(&rows).await.map_err(|error| self.explain(compiled, entity, error))?;
        for save in saves.iter().filter(|save| save.statements.len() > 1) {
            self.run_all(compiled, entity, &save.statements[1..]).await?;
        }
        let entries: Vec<&Statement> = saves.iter().filter_map(|save| save.left.history.as_ref()).collect();
        self.store.insert_rows(&entries).await?;
        let events: Vec<&outbox::NewEvent> = saves.iter().map(|save| &save.left.event).collect();
        outbox::append_all(self.store, &events).await?;
        for save in saves {
            self.write_left_search(&save.left).await?;
            self.deliver(compiled, save).await?;
        }
        Ok(())
    }

    /// Whether these records are live. They are sorted by entity, each there once.
    async fn are_alive(&mut self, places: &[(EntityIx, RecordId)]) -> Result<bool, RecordError> {
        let compiled = self.scope.compiled.clone();
        for same in places.chunk_by(|(one, _), (other, _)| one == other) {
            let write = Write { entity: same[0].0, kind: WriteKind::Load, fields: Vec::new() };
            let request = authorise_write(&compiled.catalog, &self.scope.actor, write)?;
            for part in same.chunks(MOST_ASKED) {
                let ids: Vec<RecordId> = part.iter().map(|(_, id)| *id).collect();
                let statement = compile::live(&compiled.catalog, self.store.dialect(), &request, &ids);
                if self.store.query(&statement).await?.len() != ids.len() {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    async fn deliver(&mut self, compiled: &Arc<Compiled>, ready: &Ready) -> Result<(), RecordError> {
        let Some(event) = &ready.event else { return Ok(()) };
        let handlers = self.scope.hooks.deliveries(&compiled.catalog, event);
        self.enqueue_deliveries(compiled, event, handlers).await
    }
}
