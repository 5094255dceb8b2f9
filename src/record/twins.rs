//! Duplicates that are there already: a job looks through the records of an entity and notes pairs that are alike; they are
//! listed in groups to whoever may read them, and those of which somebody says that they are not the same are told no more.
//!
//! What was noted is a hint: each pair is held against the rules once more when it is listed, so that the list is true whatever
//! was changed since, and no save has to look after it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::duplicates::{likeness, title};
use super::error::{FieldFault, RecordError};
use super::hooks::Record;
use super::moved::Moved;
use super::options::Source;
use super::plan::Compiled;
use super::rights::Seen;
use super::service::Records;
use super::unit::RecordTx;
use crate::access::{Action, Actor};
use crate::base::{DateTime, EntityIx, RecordId};
use crate::schema::catalog::{Catalog, DuplicateRule, Entity};
use crate::store::alike::{self, Pair};
use crate::store::compile::Lock;
use crate::store::{jobs, measure};

/// The kind of job that looks through an entity.
pub const LOOK: &str = "find duplicates";
/// Records of one transaction: others write in between.
const CHUNK: u32 = 40;
/// Chunks of one job.
const CHUNKS: usize = 50;
/// A look that has not ended for so long is taken for lost.
const LOST_US: i64 = 24 * 3600 * 1_000_000;
/// Pairs read at once.
const WINDOW: u32 = 500;
/// Pairs that are looked at for a list.
const MOST_PAIRS: usize = 20_000;
/// Pairs that make a list.
const LISTED: usize = 1_000;
/// Records loaded at once.
const AT_ONCE: usize = 200;
/// Records of one group that are told.
const MOST_OF_GROUP: usize = 20;

/// Records that are alike.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// Oldest first.
    pub records: Vec<Twin>,
    /// Of the likest two.
    pub likeness: u8,
    /// Ids of the rules that found them.
    pub rules: Vec<String>,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Twin {
    pub id: RecordId,
    pub title: String,
    pub created_at: DateTime,
}

/// A page of groups.
#[derive(Debug, Clone, Default)]
pub struct Groups {
    pub groups: Vec<Group>,
    /// Where the next page begins.
    pub next: Option<usize>,
    /// None where nobody has looked through the entity yet.
    pub look: Option<alike::Look>,
}

impl Records {
    /// Has a job look through an entity. `false`: one goes on already.
    ///
    /// # Errors
    /// `ACL005` for those who may change no records of the entity.
    pub async fn look_for_twins(&self, actor: &Actor, catalog: &Arc<Catalog>, entity: EntityIx) -> Result<bool, RecordError> {
        let from = catalog.whole();
        self.unit(actor, Source::Api, Vec::new(), move |tx| {
            let from = from.clone();
            Box::pin(async move {
                let moved = Moved::new(&from, tx.catalog(), entity)?;
                tx.begin_look(moved.entity).await
            })
        })
        .await
    }

    /// Does what a job of kind [`LOOK`] asks for: a part of the records, and another job for the rest.
    ///
    /// # Errors
    /// The database; what was noted stays.
    pub async fn find_twins(&self, payload: &Json) -> Result<(), RecordError> {
        let uid = payload.get("entity").and_then(Json::as_str).unwrap_or_default().to_owned();
        let mut after = payload.get("after").and_then(Json::as_i64).unwrap_or(0);
        for chunk in 1..=CHUNKS {
            let uid = uid.clone();
            let goes_on_later = chunk == CHUNKS;
            let last = self
                .unit(&Actor::system(), Source::System, Vec::new(), move |tx| {
                    let uid = uid.clone();
                    Box::pin(async move { tx.look_at_some(&uid, after, goes_on_later).await })
                })
                .await?;
            match last {
                Some(last) => after = last.0,
                None => return Ok(()),
            }
        }
        Ok(())
    }

    /// The groups of records that were found alike, as far as the actor may read them, likest first.
    pub async fn twins(
        &self,
        actor: &Actor,
        catalog: &Arc<Catalog>,
        entity: EntityIx,
        offset: usize,
        limit: usize,
    ) -> Result<Groups, RecordError> {
        let compiled = self.compiled(&catalog.whole());
        let definition = compiled.entity(entity);
        let standing = actor.standing(&compiled.catalog)?;
        let granted = standing.part().cloned();
        let look = alike::look(self.store(), &definition.uid).await?;
        let mut found = Found { definition, records: HashMap::new(), pairs: Vec::new(), rules: BTreeMap::new() };
        let (mut last, mut looked_at) = (None, 0);
        while found.pairs.len() < LISTED && looked_at < MOST_PAIRS {
            let window = alike::list(self.store(), &definition.uid, last, WINDOW).await?;
            let count = window.len();
            last = window.last().copied();
            looked_at += count;
            let ids = ids_of(&window);
            let seen = match &granted {
                None => None,
                Some(granted) => Some(self.eyes(&compiled, granted, actor).seen(entity, &ids).await?),
            };
            let readable: Vec<RecordId> = ids.into_iter().filter(|id| seen.as_ref().is_none_or(|seen| seen.contains_key(id))).collect();
            let mut reader = self.reader(&compiled, actor, None);
            let mut records: HashMap<RecordId, Record> = HashMap::with_capacity(readable.len());
            for part in readable.chunks(AT_ONCE) {
                let loaded = reader.load(entity, part, Lock::None).await?;
                records.extend(loaded.into_iter().filter(|record| !record.is_deleted(definition)).map(|record| (record.id, record)));
            }
            found.keep(&compiled, &window, &records, seen.as_ref());
            if count < WINDOW as usize {
                break;
            }
        }
        // As what may be read says, whatever other rules found.
        found.pairs.sort_by_key(|pair| (std::cmp::Reverse(pair.likeness), pair.one, pair.other));
        let groups = together(&found.pairs);
        let next = (groups.len() > offset.saturating_add(limit)).then(|| offset + limit);
        let groups = groups.into_iter().skip(offset).take(limit).map(|ids| found.group(&compiled.catalog, &ids)).collect();
        Ok(Groups { groups, next, look })
    }

    /// Says of records that they are not the same (or takes that back): each with each of the others.
    ///
    /// # Errors
    /// As for records that are not there; `ACL005` for those that the actor may not change.
    pub async fn tell_twins_apart(
        &self,
        actor: &Actor,
        catalog: &Arc<Catalog>,
        entity: EntityIx,
        records: Vec<RecordId>,
        are_apart: bool,
    ) -> Result<(), RecordError> {
        let (from, records) = (catalog.whole(), Arc::new(records));
        self.unit(actor, Source::Api, Vec::new(), move |tx| {
            let (from, records) = (from.clone(), records.clone());
            Box::pin(async move {
                let moved = Moved::new(&from, tx.catalog(), entity)?;
                tx.tell_apart(moved.entity, &records, are_apart).await
            })
        })
        .await
    }
}

fn ids_of(pairs: &[Pair]) -> Vec<RecordId> {
    let ids: BTreeSet<RecordId> = pairs.iter().flat_map(|pair| [pair.one, pair.other]).collect();
    ids.into_iter().collect()
}

/// Records that hang together by pairs, in the order of the first of these.
fn together(pairs: &[Pair]) -> Vec<BTreeSet<RecordId>> {
    let mut groups: Vec<BTreeSet<RecordId>> = Vec::new();
    let mut place: HashMap<RecordId, usize> = HashMap::new();
    for pair in pairs {
        match (place.get(&pair.one).copied(), place.get(&pair.other).copied()) {
            (None, None) => {
                place.insert(pair.one, groups.len());
                place.insert(pair.other, groups.len());
                groups.push([pair.one, pair.other].into());
            }
            (Some(at), None) => {
                place.insert(pair.other, at);
                groups[at].insert(pair.other);
            }
            (None, Some(at)) => {
                place.insert(pair.one, at);
                groups[at].insert(pair.one);
            }
            (Some(one), Some(other)) if one != other => {
                let (stays, goes) = (one.min(other), one.max(other));
                let moved = std::mem::take(&mut groups[goes]);
                place.extend(moved.iter().map(|id| (*id, stays)));
                groups[stays].extend(moved);
            }
            _ => {}
        }
    }
    groups.retain(|group| !group.is_empty());
    groups
}

/// Pairs that are alike still, as far as somebody may read them.
struct Found<'a> {
    definition: &'a Entity,
    /// Without what may not be read.
    records: HashMap<RecordId, Record>,
    pairs: Vec<Pair>,
    /// By the first of a pair: positions of the rules that find it.
    rules: BTreeMap<RecordId, BTreeSet<usize>>,
}

impl Found<'_> {
    /// Holds pairs against the rules whose fields may be read in both records.
    fn keep(&mut self, compiled: &Compiled, pairs: &[Pair], records: &HashMap<RecordId, Record>, seen: Option<&HashMap<RecordId, Seen>>) {
        let is_told = |rule: &DuplicateRule, id: RecordId| {
            seen.is_none_or(|seen| seen.get(&id).is_some_and(|seen| !rule.matches.iter().any(|one| seen.hides(one.field))))
        };
        for pair in pairs {
            let (Some(one), Some(other)) = (records.get(&pair.one), records.get(&pair.other)) else { continue };
            let rules = self.definition.duplicates.iter().enumerate();
            let told = rules.filter(|(_, rule)| is_told(rule, pair.one) && is_told(rule, pair.other));
            let like: Vec<(usize, u8)> =
                told.filter_map(|(at, rule)| Some((at, likeness(&compiled.catalog, self.definition, rule, one, other)?))).collect();
            let Some(best) = like.iter().map(|(_, likeness)| *likeness).max() else { continue };
            self.pairs.push(Pair { likeness: best, ..*pair });
            self.rules.entry(pair.one).or_default().extend(like.iter().map(|(at, _)| *at));
            for record in [one, other] {
                let mut shown = record.clone();
                if let Some(seen) = seen.and_then(|seen| seen.get(&record.id)) {
                    seen.blank(&mut shown);
                }
                self.records.insert(record.id, shown);
            }
        }
    }

    fn group(&self, catalog: &Catalog, ids: &BTreeSet<RecordId>) -> Group {
        let best = self.pairs.iter().filter(|pair| ids.contains(&pair.one)).map(|pair| pair.likeness).max().unwrap_or(0);
        let rules: BTreeSet<usize> = ids.iter().filter_map(|id| self.rules.get(id)).flatten().copied().collect();
        let told = ids.iter().take(MOST_OF_GROUP).filter_map(|id| {
            let title = title(catalog, self.definition, self.records.get(id)?);
            Some(Twin { id: *id, title, created_at: DateTime(id.minted_ms().saturating_mul(1_000)) })
        });
        Group {
            records: told.collect(),
            likeness: best,
            rules: rules.into_iter().map(|at| self.definition.duplicates[at].id.clone()).collect(),
        }
    }
}

impl RecordTx<'_> {
    async fn begin_look(&mut self, entity: EntityIx) -> Result<bool, RecordError> {
        let compiled = self.scope.compiled.clone();
        let definition = compiled.entity(entity);
        if definition.duplicates.is_empty() {
            return Err(RecordError::State { message: format!("{} has no rules that tell duplicates", definition.slug) });
        }
        if let Some(granted) = self.granted()?
            && !granted.entity(entity).actions().update
        {
            return Err(crate::access::AccessError::NotAllowed { action: Action::Update.word(), entity: definition.slug.clone() }.into());
        }
        let since = DateTime(self.now().0 - LOST_US);
        if !alike::begin(self.store, &definition.uid, since, self.scope.actor.user_id()).await? {
            return Ok(false);
        }
        alike::clear(self.store, &definition.uid).await?;
        self.enqueue_look(&definition.uid, 0).await?;
        Ok(true)
    }

    async fn enqueue_look(&mut self, uid: &str, after: i64) -> Result<(), RecordError> {
        let payload = json!({ "entity": uid, "after": after });
        let job = jobs::NewJob {
            handler: LOOK.to_owned(),
            payload_json: payload.to_string(),
            key: Some(format!("{LOOK}/{uid}/{after}")),
            priority: jobs::Priority::Low,
            ..jobs::NewJob::default()
        };
        jobs::enqueue(self.store, &job).await?;
        Ok(())
    }

    /// Looks at the next records of an entity. Gives the last of them; none at the end.
    async fn look_at_some(&mut self, uid: &str, after: i64, goes_on_later: bool) -> Result<Option<RecordId>, RecordError> {
        let compiled = self.scope.compiled.clone();
        let Some(entity) = compiled.catalog.entities.iter().find(|entity| entity.uid == uid) else { return Ok(None) };
        let ids = measure::ids_after(self.store, &entity.table, after, CHUNK).await?;
        let Some(last) = ids.last().copied() else {
            alike::end(self.store, uid).await?;
            return Ok(None);
        };
        let rules: Vec<&DuplicateRule> = entity.duplicates.iter().collect();
        let mut pairs: BTreeMap<(RecordId, RecordId), u8> = BTreeMap::new();
        for record in self.load(entity.ix, &ids, Lock::None).await? {
            if record.is_deleted(entity) {
                continue;
            }
            for other in self.compared(&compiled, &record, &rules).await? {
                let best = rules.iter().filter_map(|rule| likeness(&compiled.catalog, entity, rule, &record, &other)).max();
                if let Some(best) = best {
                    let pair = Pair::of(record.id, other.id, best);
                    pairs.insert((pair.one, pair.other), best);
                }
            }
        }
        let pairs: Vec<Pair> = pairs.into_iter().map(|((one, other), likeness)| Pair { one, other, likeness }).collect();
        alike::put(self.store, uid, &pairs).await?;
        if goes_on_later {
            self.enqueue_look(uid, last.0).await?;
        }
        Ok(Some(last))
    }

    async fn tell_apart(&mut self, entity: EntityIx, records: &[RecordId], are_apart: bool) -> Result<(), RecordError> {
        let compiled = self.scope.compiled.clone();
        let definition = compiled.entity(entity);
        let ids: BTreeSet<RecordId> = records.iter().copied().collect();
        if ids.len() < 2 || ids.len() < records.len() || ids.len() > MOST_OF_GROUP {
            let message = format!("name 2 to {MOST_OF_GROUP} records, each once");
            return Err(RecordError::fault(FieldFault::at("records", "bad_records", message)));
        }
        let ids: Vec<RecordId> = ids.into_iter().collect();
        let found = self.load(entity, &ids, Lock::None).await?;
        for id in &ids {
            let missing = || RecordError::NotFound { entity: definition.slug.clone(), id: id.display(&definition.prefix) };
            let record = found.iter().find(|record| record.id == *id && !record.is_deleted(definition)).ok_or_else(missing)?;
            self.expect_may(Action::Update, record, None).await?;
        }
        let by = self.scope.actor.user_id();
        for (at, one) in ids.iter().enumerate() {
            for other in &ids[at + 1..] {
                match are_apart {
                    true => alike::part(self.store, (*one, *other), by).await?,
                    false => alike::rejoin(self.store, (*one, *other)).await?,
                }
            }
        }
        Ok(())
    }
}
