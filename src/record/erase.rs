//! Erasing a person: the personal values of a record and of those that go with it leave the row, the history, the search
//! index, the files and the queue, and the key of its encrypted values is destroyed. What says nothing of a person stays:
//! the record with its id, amounts, dates, links.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::delete::equals;
use super::error::RecordError;
use super::forget::{held_files, is_personal};
use super::hooks::{EventKind, Record, RecordEvent};
use super::options::Source;
use super::plan::Compiled;
use super::service::Records;
use super::unit::RecordTx;
use crate::access::Actor;
use crate::base::{DateTime, EntityIx, FieldIx, RecordId, Value};
use crate::expr::Type;
use crate::query::Deleted;
use crate::schema::catalog::{Entity, OnDelete};
use crate::store::audit::{self, Entry};
use crate::store::{approvals, erasures, files, history, holds, jobs, matches, outbox, registrations, search, stages};

/// The kind of job that removes from the database's files what was deleted in it (`Store::scrub`).
pub const SCRUB: &str = "scrub";

/// Records erased together at most.
const MOST_RECORDS: usize = 5_000;
/// Records below one of these.
const MOST_BELOW: u32 = 5_000;

/// What an erasure did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Erased {
    /// Records with personal fields, the subject included.
    pub records: u64,
    /// Contents of files that nobody else has.
    pub files: u64,
    /// Hashes of contents to be removed once this is committed.
    pub(super) contents: BTreeSet<String>,
}

impl Records {
    /// Removes the personal values of a record, and of those that a delete of it would take along (links with
    /// `on_delete: cascade`). For administrators. It cannot be undone, and is done again when an older backup is put back.
    ///
    /// # Errors
    /// `REC040` for others; `REC002`; `REC013` where the entity has no personal field, or the person still signs in.
    pub async fn erase(&self, actor: &Actor, entity: EntityIx, id: RecordId) -> Result<Erased, RecordError> {
        let catalog = self.catalog();
        let Some(uid) = catalog.entities.get(entity.0 as usize).map(|entity| entity.uid.clone()) else {
            return Err(RecordError::NotFound { entity: String::new(), id: id.to_string() });
        };
        if !actor.is_administrator() {
            return Err(RecordError::Forbidden("only administrators erase".to_owned()));
        }
        self.erase_by_uid(actor, &uid, id, None).await
    }

    /// Erases again what an older backup brought back; gives how many records.
    ///
    /// # Errors
    /// The database, or the file that tells of them.
    pub async fn erase_again(&self) -> Result<u64, RecordError> {
        let mut done = 0;
        for erasure in erasures::forgotten(self.store()).await? {
            done += self.erase_by_uid(&Actor::system(), &erasure.entity_uid, RecordId(erasure.record), Some(erasure.at)).await?.records;
        }
        if done > 0 {
            self.store().scrub().await?;
        }
        erasures::tell(self.store()).await?;
        Ok(done)
    }

    async fn erase_by_uid(&self, actor: &Actor, uid: &str, id: RecordId, again: Option<DateTime>) -> Result<Erased, RecordError> {
        let uid = uid.to_owned();
        let erased = self.unit(actor, Source::System, Vec::new(), move |tx| {
            let uid = uid.clone();
            Box::pin(async move { tx.erase(&uid, id, again).await })
        });
        let mut erased = erased.await?;
        self.delete_contents(&mut erased).await?;
        erasures::tell(self.store()).await?;
        Ok(erased)
    }

    /// Removes the contents that nobody has any more, once that is committed.
    pub(super) async fn delete_contents(&self, erased: &mut Erased) -> Result<(), RecordError> {
        for content in std::mem::take(&mut erased.contents) {
            erased.files += u64::from(files::delete_content(self.store(), &content).await?);
        }
        Ok(())
    }
}

impl RecordTx<'_> {
    /// `again`: when it was erased, where a backup brought it back.
    async fn erase(&mut self, uid: &str, id: RecordId, again: Option<DateTime>) -> Result<Erased, RecordError> {
        let compiled = self.scope.compiled.clone();
        let mut erased = Erased::default();
        self.scope.erases = true;
        // Known from now on, also where the clock is behind or nothing is left to empty.
        if let Some(moment) = again {
            erasures::note(self.store, uid, id.0, moment).await?;
        }
        let Some(entity) = compiled.catalog.entities.iter().find(|entity| entity.uid == uid) else {
            // The entity is gone: what is left of the record is its past.
            self.forget_copies(id, &id.to_string()).await?;
            history::forget(self.store, id).await?;
            stages::forget(self.store, id).await?;
            approvals::forget(self.store, id).await?;
            holds::forget(self.store, id).await?;
            registrations::forget(self.store, id).await?;
            matches::forget(self.store, id).await?;
            let now = self.now();
            erasures::note(self.store, uid, id.0, now).await?;
            return Ok(erased);
        };
        let subject = self.load_one(entity.ix, id).await?;
        if again.is_none() {
            self.expect_erasable(&compiled, entity, id, subject.as_ref()).await?;
        }
        for (ix, record) in self.with_those_below(&compiled, entity.ix, id).await? {
            self.erase_one(&compiled, ix, record, &mut erased).await?;
        }
        if entity.id == "core.user" {
            erasures::forget_credentials(self.store, id.0).await?;
        }
        // Not by a key: a scrub that runs already has perhaps passed what this removes.
        if !jobs::waits(self.store, SCRUB).await? {
            let job = jobs::NewJob { handler: SCRUB.to_owned(), payload_json: "{}".to_owned(), ..Default::default() };
            jobs::enqueue(self.store, &job).await?;
        }
        let entry = Entry::new("record.erase").on(&entity.id, id.0).fact("records", erased.records).fact("again", again.is_some());
        audit::append(self.store, entry).await?;
        Ok(erased)
    }

    async fn expect_erasable(
        &mut self,
        compiled: &Compiled,
        entity: &Entity,
        id: RecordId,
        subject: Option<&Record>,
    ) -> Result<(), RecordError> {
        // What was deleted for good has perhaps left a past.
        if subject.is_none() && !history::is_known(self.store, &entity.uid, id).await? {
            return Err(RecordError::NotFound { entity: entity.slug.clone(), id: id.display(&entity.prefix) });
        }
        let refused = |message: String| Err(RecordError::State { message });
        if !entity.fields.iter().any(is_personal) {
            return refused(format!("no field of `{}` has a class: say in the definitions which ones are personal", entity.slug));
        }
        let Some(subject) = subject else { return Ok(()) };
        let active = entity.find_field("active").filter(|_| entity.id == "core.user").map(|field| field.ix);
        let is_active =
            active.is_some_and(|field| subject.get(field) == &Value::Bool(true)) && !subject.is_deleted(compiled.entity(entity.ix));
        if is_active {
            return refused("this person can still sign in: deactivate them first, and hand their records over".to_owned());
        }
        Ok(())
    }

    /// The record and all that cascades from it, whether live or in the recycle bin.
    async fn with_those_below(
        &mut self,
        compiled: &Arc<Compiled>,
        entity: EntityIx,
        id: RecordId,
    ) -> Result<Vec<(EntityIx, RecordId)>, RecordError> {
        let mut all = vec![(entity, id)];
        let mut at = 0;
        while let Some((entity, id)) = all.get(at).copied() {
            at += 1;
            let cascades: Vec<(EntityIx, FieldIx)> = compiled
                .plan(entity)
                .referenced
                .iter()
                .filter(|reference| reference.on_delete == OnDelete::Cascade)
                .map(|reference| (reference.entity, reference.field))
                .collect();
            for (below, field) in cascades {
                let points_here = equals(field, Type::Link(vec![entity]), Value::Link(id));
                let bin = if compiled.entity(below).features.soft_delete { Deleted::All } else { Deleted::Live };
                let found = self.ids_of(&Actor::system(), compiled, below, Some(points_here), None, bin, MOST_BELOW).await?;
                for one in found.into_iter().map(|id| (below, id)) {
                    if !all.contains(&one) {
                        all.push(one);
                    }
                }
                if all.len() > MOST_RECORDS {
                    return Err(RecordError::TooMany {
                        what: "records erased together".to_owned(),
                        got: all.len() as u64,
                        limit: MOST_RECORDS as u64,
                    });
                }
            }
        }
        Ok(all)
    }

    async fn erase_one(&mut self, compiled: &Arc<Compiled>, ix: EntityIx, id: RecordId, erased: &mut Erased) -> Result<(), RecordError> {
        let entity = compiled.entity(ix);
        let personal: Vec<FieldIx> = entity.fields.iter().filter(|field| is_personal(field)).map(|field| field.ix).collect();
        if personal.is_empty() {
            return Ok(());
        }
        let old = self.load_one(ix, id).await?;
        if let Some(old) = &old {
            self.empty(compiled, entity, old.clone(), &personal, erased).await?;
        }
        self.forget_traces(compiled, ix, id, old.as_ref(), erased).await?;
        let now = self.now();
        erasures::note(self.store, &entity.uid, id.0, now).await?;
        erased.records += 1;
        Ok(())
    }

    /// Empties the personal fields of a stored record, without asking its rules: nobody has to fill them any more.
    async fn empty(
        &mut self,
        compiled: &Arc<Compiled>,
        entity: &Entity,
        old: Record,
        personal: &[FieldIx],
        erased: &mut Erased,
    ) -> Result<(), RecordError> {
        let mut record = old.clone();
        for field in personal {
            record.values[field.0 as usize] = Value::Null;
        }
        let is_deleted = record.is_deleted(entity);
        let mut changes: Vec<(FieldIx, Value)> = personal.iter().map(|field| (*field, Value::Null)).collect();
        if is_deleted {
            // Nothing is computed in the recycle bin; who takes it out of there has it computed.
            for field in compiled.plan(entity.ix).computed.iter().filter(|field| !entity.field(**field).columns.is_empty()) {
                record.values[field.0 as usize] = Value::Null;
                changes.push((*field, Value::Null));
            }
        }
        self.touch(compiled, &mut record);
        changes.extend(self.stamps(compiled, &record));
        let statements = self.update_statements(compiled, &record, &changes)?;
        self.run_all(compiled, entity.ix, &statements).await?;
        for file in personal.iter().map(|field| old.get(*field)).flat_map(held_files) {
            erased.contents.extend(self.drop_file(file).await?);
        }
        if !entity.duplicates.is_empty() {
            self.write_matches(compiled, &record, false).await?;
        }
        match is_deleted {
            true => search::remove(self.store, record.id).await?,
            false => self.write_search(compiled, &record).await?,
        }
        self.note_erased(compiled, entity, &record, personal).await?;
        let (ix, id) = (record.entity, record.id);
        // Whatever is computed from it elsewhere, also of one in the recycle bin.
        let changed = entity.fields.iter().map(|field| field.ix).collect();
        let event = RecordEvent { kind: EventKind::Update, entity: ix, id, version: record.version, old: Some(old), record, changed };
        self.refresh_dependents(compiled, &event).await?;
        if !is_deleted && !compiled.plan(ix).computed.is_empty() {
            self.recalculate(compiled, ix, &[id]).await?;
        }
        Ok(())
    }

    /// That it happened: in the history, and in the feed so that others who keep copies hear of it.
    async fn note_erased(
        &mut self,
        compiled: &Compiled,
        entity: &Entity,
        record: &Record,
        personal: &[FieldIx],
    ) -> Result<(), RecordError> {
        self.scope.versions.insert((record.entity, record.id), record.version);
        let actor = self.scope.actor.user_id();
        if entity.features.history {
            let entry = history::Entry {
                record: record.id,
                version: record.version,
                entity_uid: entity.uid.clone(),
                action: "erase".to_owned(),
                at: self.now(),
                actor,
                actor_kind: self.scope.source.as_str().to_owned(),
                changes_json: "{}".to_owned(),
            };
            history::append(self.store, &entry).await?;
        }
        let changed: Vec<&str> = personal.iter().map(|field| entity.field(*field).uid.as_str()).collect();
        let event = outbox::NewEvent {
            entity_uid: entity.uid.clone(),
            record: record.id,
            version: record.version,
            event: EventKind::Update.as_str().to_owned(),
            changed_json: serde_json::json!(changed).to_string(),
            actor,
            chain_json: "[]".to_owned(),
            schema_version: compiled.catalog.version,
        };
        Ok(outbox::append(self.store, &event).await?)
    }
}
