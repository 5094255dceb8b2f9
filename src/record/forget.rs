//! What is left of a person outside of the record's row, and goes when they are erased or deleted for good: former values
//! in the history, what was computed from them elsewhere, files, copies in the queue, the key of encrypted values.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::convert::link_id;
use super::erase::Erased;
use super::error::RecordError;
use super::hooks::Record;
use super::options::Source;
use super::plan::Compiled;
use super::service::Records;
use super::unit::RecordTx;
use super::witness::with_computed;
use crate::access::Actor;
use crate::base::{DateTime, EntityIx, FieldIx, RecordId, Value};
use crate::schema::catalog::{Entity, Field, FieldType, Via};
use crate::store::{approvals, erasures, files, history, holds, jobs, mails, matches, merges, registrations, stages, vault};

/// The kind of job that forgets records which were deleted for good; its payload is for [`Records::forget`].
pub const FORGET: &str = "forget";

/// Records of one such job.
const PER_JOB: usize = 500;
/// How long it waits while other work still tells of a record.
const LATER_US: i64 = 600 * 1_000_000;
/// Files are told in the history by ids with this prefix.
const FILE_PREFIX: &str = "file";

/// Its values are removed when the record's person is erased.
pub(super) fn is_personal(field: &Field) -> bool {
    !field.is_system && (field.class.is_some() || field.encrypted)
}

fn is_computed(field: &Field) -> bool {
    matches!(field.ty, FieldType::Formula { .. } | FieldType::Rollup { .. } | FieldType::Lookup { .. })
}

/// Whether values of a field leave the history of a person's record: what is computed may repeat what was removed, and what
/// is gone from the definitions has no class any more.
fn goes_with_person(field: Option<&Field>) -> bool {
    field.is_none_or(|field| is_personal(field) || is_computed(field))
}

pub(super) fn held_files(value: &Value) -> Vec<RecordId> {
    match value {
        Value::List(items) => items.iter().filter_map(link_id).collect(),
        _ => Vec::new(),
    }
}

/// What the history of a record tells of others.
#[derive(Debug, Default)]
struct Past {
    /// Files that fields held whose values go.
    files: BTreeSet<RecordId>,
    /// Records that links led to.
    links: BTreeMap<FieldIx, BTreeSet<RecordId>>,
}

impl Past {
    /// The changes of one save without the fields that go; `None` when there is nothing to take away.
    fn take(&mut self, entity: &Entity, changes_json: &str, goes: impl Fn(Option<&Field>) -> bool) -> Option<String> {
        let Ok(Json::Object(mut changes)) = crate::base::json::parse(changes_json.as_bytes()) else { return Some("{}".to_owned()) };
        let before = changes.len();
        changes.retain(|uid, pair| {
            let field = entity.fields.iter().find(|field| field.uid == *uid || field.name == *uid);
            let values = pair.as_array().into_iter().flatten().take(2);
            match field.map(|field| &field.ty) {
                Some(FieldType::Link { .. } | FieldType::User { .. } | FieldType::AnyLink { .. }) => {
                    let ids = values.filter_map(|value| Some(RecordId::parse(value.as_str()?)?.1));
                    self.links.entry(field.map_or(FieldIx(0), |field| field.ix)).or_default().extend(ids);
                }
                Some(FieldType::File { .. } | FieldType::Image { .. }) | None if goes(field) => {
                    let items = values.filter_map(Json::as_array).flatten();
                    let ids = items.filter_map(|item| RecordId::parse(item.get("id").unwrap_or(item).as_str()?));
                    self.files.extend(ids.filter(|(prefix, _)| *prefix == FILE_PREFIX).map(|(_, id)| id));
                }
                _ => {}
            }
            !goes(field)
        });
        (changes.len() < before).then(|| Json::Object(changes).to_string())
    }
}

/// The records whose stored values are computed from this one, and those that were while its links led to them.
fn owners(
    compiled: &Compiled,
    told: &HashSet<(EntityIx, FieldIx)>,
    entity: EntityIx,
    record: Option<&Record>,
    past: &Past,
) -> Vec<(EntityIx, RecordId)> {
    let mut found = Vec::new();
    for dependent in compiled.entity(entity).dependents.iter().filter(|dependent| told.contains(&(dependent.entity, dependent.field))) {
        let Via::ChildLink(link) = dependent.via else { continue };
        let now = record.and_then(|record| link_id(record.get(link)));
        let then = past.links.get(&link).into_iter().flatten().copied();
        found.extend(now.into_iter().chain(then).map(|id| (dependent.entity, id)));
    }
    found
}

/// A delivery without values of some fields; `None` where it has none.
fn delivery_without(payload: &str, names: &[&str]) -> Option<String> {
    let Ok(mut payload) = crate::base::json::parse(payload.as_bytes()) else { return None };
    let mut is_changed = false;
    for part in ["values", "old"] {
        if let Some(Json::Object(values)) = payload.get_mut(part) {
            for name in names {
                is_changed |= values.remove(*name).is_some();
            }
        }
    }
    is_changed.then(|| payload.to_string())
}

impl RecordTx<'_> {
    /// Removes what tells of a record outside of its row. `old`: as it was, unless it is gone.
    pub(super) async fn forget_traces(
        &mut self,
        compiled: &Arc<Compiled>,
        ix: EntityIx,
        id: RecordId,
        old: Option<&Record>,
        erased: &mut Erased,
    ) -> Result<(), RecordError> {
        let entity = compiled.entity(ix);
        let columns = entity
            .fields
            .iter()
            .flat_map(|field| field.columns.iter().map(|column| column.name.as_str()).chain(field.fold_column.as_deref()));
        let hidden = erasures::empty_hidden(self.store, &entity.uid, &entity.table, &columns.collect(), id.0).await?;
        let mut past = Past::default();
        history::rewrite(self.store, id, |changes| past.take(entity, changes, goes_with_person)).await?;
        stages::empty_reasons(self.store, id).await?;
        approvals::empty(self.store, id).await?;
        holds::empty(self.store, id).await?;
        registrations::empty(self.store, id).await?;
        merges::forget_values(self.store, id).await?;
        if old.is_none() {
            matches::forget(self.store, id).await?;
        }
        let told = with_computed(&compiled.catalog, is_personal);
        let from = owners(compiled, &told, ix, old, &past);
        self.forget_computed(compiled, &told, from).await?;
        past.files.extend(hidden.into_iter().map(RecordId));
        for file in past.files {
            erased.contents.extend(self.drop_file(file).await?);
        }
        self.forget_copies(id, &id.display(&entity.prefix)).await
    }

    /// What was computed from a person's values in other records leaves their history and the queue, and the row of those in
    /// the recycle bin, where nothing is computed anew. The rows of others were computed before.
    async fn forget_computed(
        &mut self,
        compiled: &Arc<Compiled>,
        told: &HashSet<(EntityIx, FieldIx)>,
        from: Vec<(EntityIx, RecordId)>,
    ) -> Result<(), RecordError> {
        let (mut open, mut seen) = (from, HashSet::new());
        while let Some((ix, id)) = open.pop() {
            if !seen.insert((ix, id)) {
                continue;
            }
            let entity = compiled.entity(ix);
            let goes = |field: &Field| is_computed(field) && told.contains(&(ix, field.ix));
            let record = self.load_one(ix, id).await?;
            if let Some(record) = record.as_ref().filter(|record| record.is_deleted(entity)) {
                let stored = entity.fields.iter().filter(|field| goes(field) && !field.columns.is_empty());
                let changes: Vec<(FieldIx, Value)> = stored.map(|field| (field.ix, Value::Null)).collect();
                let mut emptied = record.clone();
                changes.iter().for_each(|(field, _)| emptied.values[field.0 as usize] = Value::Null);
                let statements = self.update_statements(compiled, &emptied, &changes)?;
                self.run_all(compiled, ix, &statements).await?;
            }
            let mut past = Past::default();
            history::rewrite(self.store, id, |changes| past.take(entity, changes, |field| field.is_some_and(goes))).await?;
            let names: Vec<&str> = entity.fields.iter().filter(|field| goes(field)).map(|field| field.name.as_str()).collect();
            erasures::rewrite_jobs(self.store, id.0, |payload| delivery_without(payload, &names)).await?;
            open.extend(owners(compiled, told, ix, record.as_ref(), &past));
        }
        Ok(())
    }

    /// Copies elsewhere, and the key of those that are encrypted.
    pub(super) async fn forget_copies(&mut self, id: RecordId, shown: &str) -> Result<(), RecordError> {
        erasures::forget_copies(self.store, id.0, shown).await?;
        mails::forget(self.store, id.0).await?;
        self.scope.data_keys.remove(&id);
        vault::destroy(self.store, id.0).await?;
        Ok(())
    }

    /// Forgets a file that no record holds any more; gives the hash of its content.
    pub(super) async fn drop_file(&mut self, file: RecordId) -> Result<Option<String>, RecordError> {
        match files::is_held(self.store, file.0).await? {
            true => Ok(None),
            false => Ok(files::remove(self.store, file.0).await?),
        }
    }

    /// Queues the forgetting of those of these records that are gone for good and said something of a person. It is done
    /// once what was queued for them is done: that may want their values.
    pub(super) async fn forget_later(
        &mut self,
        compiled: &Compiled,
        gone: impl IntoIterator<Item = (EntityIx, RecordId)>,
        at: Option<DateTime>,
    ) -> Result<(), RecordError> {
        let of_people = |entity: &Entity| !entity.features.soft_delete && entity.fields.iter().any(is_personal);
        let gone = gone.into_iter().filter(|(ix, _)| of_people(compiled.entity(*ix)));
        let gone: Vec<Json> = gone.map(|(ix, id)| json!([compiled.entity(ix).uid, id.0])).collect();
        for part in gone.chunks(PER_JOB) {
            let payload_json = json!({ "records": part }).to_string();
            jobs::enqueue(self.store, &jobs::NewJob { handler: FORGET.to_owned(), payload_json, run_at: at, ..Default::default() }).await?;
        }
        Ok(())
    }

    async fn forget(&mut self, gone: &[(String, RecordId)]) -> Result<Erased, RecordError> {
        let compiled = self.scope.compiled.clone();
        let (mut erased, mut later) = (Erased::default(), Vec::new());
        for (uid, id) in gone {
            let Some(entity) = compiled.catalog.entities.iter().find(|entity| entity.uid == *uid) else {
                history::forget(self.store, *id).await?;
                stages::forget(self.store, *id).await?;
                approvals::forget(self.store, *id).await?;
                holds::forget(self.store, *id).await?;
                registrations::forget(self.store, *id).await?;
                matches::forget(self.store, *id).await?;
                self.forget_copies(*id, &id.to_string()).await?;
                continue;
            };
            // It is there again where a backup was put back.
            if self.load_one(entity.ix, *id).await?.is_some() {
                continue;
            }
            if erasures::has_work(self.store, id.0).await? {
                later.push((entity.ix, *id));
                continue;
            }
            self.forget_traces(&compiled, entity.ix, *id, None, &mut erased).await?;
            erased.records += 1;
        }
        let moment = DateTime(self.now().0.saturating_add(LATER_US));
        self.forget_later(&compiled, later, Some(moment)).await?;
        Ok(erased)
    }
}

impl Records {
    /// Removes what is left of records that were deleted for good: what a job of kind [`FORGET`] names.
    ///
    /// # Errors
    /// The database.
    pub async fn forget(&self, payload: &Json) -> Result<Erased, RecordError> {
        let gone = payload.get("records").and_then(Json::as_array).into_iter().flatten();
        let gone = gone.filter_map(|one| Some((one.get(0)?.as_str()?.to_owned(), RecordId(one.get(1)?.as_i64()?))));
        let gone: Arc<Vec<(String, RecordId)>> = Arc::new(gone.collect());
        let forgotten = self
            .unit(&Actor::system(), Source::System, Vec::new(), move |tx| {
                let gone = gone.clone();
                Box::pin(async move { tx.forget(&gone).await })
            })
            .await;
        let mut forgotten = forgotten?;
        self.delete_contents(&mut forgotten).await?;
        Ok(forgotten)
    }
}
