//! The feed of all changes: read from the database once for all who follow it, told to each by the rights of now.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::error::RecordError;
use super::history::{ChangeEvent, ChangesPage};
use super::read::{Sight, field_of};
use super::service::Records;
use crate::access::Actor;
use crate::base::{EntityIx, RecordId};
use crate::schema::catalog::Catalog;
use crate::store::outbox;

/// A stretch of the feed as it lies in the database. What somebody may know of it says [`Records::told`].
#[derive(Debug, Clone, Default)]
pub struct Stretch {
    /// It holds every event after this position,
    after: i64,
    /// up to this one.
    to: i64,
    events: Vec<Arc<outbox::Event>>,
}

impl Stretch {
    /// An empty one, behind a position.
    pub fn at(position: i64) -> Self {
        Self { after: position, to: position, events: Vec::new() }
    }

    /// The position of its last event.
    pub fn to(&self) -> i64 {
        self.to
    }

    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    pub fn len(&self) -> usize {
        self.events.len()
    }

    /// Whether none of the events between a position and its end is missing.
    pub fn covers(&self, after: i64) -> bool {
        after >= self.after
    }

    /// With the stretch that comes behind it; the oldest events are forgotten where they are more than `most`.
    pub fn and(&self, next: &Self, most: usize) -> Self {
        let forgotten = (self.events.len() + next.events.len()).saturating_sub(most);
        let mut events: Vec<_> = self.events.iter().chain(&next.events).cloned().collect();
        let after = events.drain(..forgotten).next_back().map_or(self.after, |event| event.seq);
        Self { after, to: next.to.max(self.to), events }
    }
}

impl Records {
    /// The events after a position that are settled: no older one can come any more.
    ///
    /// # Errors
    /// The database.
    pub async fn stretch(&self, after: i64, limit: u32) -> Result<Stretch, RecordError> {
        let events = outbox::since(self.store(), after, limit).await?;
        let to = events.last().map_or(after, |event| event.seq);
        Ok(Stretch { after, to, events: events.into_iter().map(Arc::new).collect() })
    }

    /// All changes after `since`, a number the last answer gave; `None` begins with the oldest that is kept.
    ///
    /// # Errors
    /// `REC070` when events after `since` are no longer kept.
    pub async fn changes(&self, actor: &Actor, since: Option<i64>, limit: u32) -> Result<ChangesPage, RecordError> {
        if !actor.is_signed_in() {
            return Err(RecordError::Forbidden("nobody is signed in".to_owned()));
        }
        let limit = limit.clamp(1, 1_000);
        let after = since.unwrap_or(0).max(0);
        let stretch = self.stretch(after, limit + 1).await?;
        if since.is_some() {
            let oldest = outbox::pruned(self.store()).await?;
            if after < oldest {
                return Err(RecordError::NotKept { since: after, oldest });
            }
        }
        self.told(actor, &stretch, after, limit).await
    }

    /// What an actor may know of the events of a stretch after a position, at most `limit` of them looked at.
    ///
    /// # Errors
    /// The database.
    pub async fn told(&self, actor: &Actor, stretch: &Stretch, after: i64, limit: u32) -> Result<ChangesPage, RecordError> {
        let catalog = self.catalog();
        let waiting = &stretch.events[stretch.events.partition_point(|event| event.seq <= after)..];
        let found = &waiting[..waiting.len().min(limit as usize)];
        let next = found.last().map_or(after, |event| event.seq);
        let by_uid: HashMap<&str, EntityIx> = catalog.entities.iter().map(|entity| (entity.uid.as_str(), entity.ix)).collect();
        let sights = self.sights(actor, &catalog, &by_uid, found).await?;
        let events = found
            .iter()
            // What happened to entities that are gone now is of no use to anybody.
            .filter_map(|event| {
                let entity = *by_uid.get(event.entity_uid.as_str())?;
                let uids: Vec<String> = serde_json::from_str(&event.changed_json).unwrap_or_default();
                let definition = catalog.entity(entity);
                let sight = match &sights {
                    None => None,
                    Some(sights) => Some(sights.get(&entity).filter(|sight| sight.sees(event.record))?),
                };
                let changed = uids.iter().filter_map(|uid| field_of(definition, uid)).map(|field| field.name.clone());
                let changed = changed.filter(|name| sight.is_none_or(|sight| sight.shows(definition, event.record, name))).collect();
                Some(ChangeEvent {
                    seq: event.seq,
                    at: event.at,
                    kind: event.event.clone(),
                    entity,
                    id: event.record,
                    version: event.version,
                    changed,
                    by: (event.actor != 0).then_some(RecordId(event.actor)),
                })
            })
            .collect();
        Ok(ChangesPage { events, next, more: waiting.len() > found.len() })
    }

    /// Where the feed goes on with what happens from now on, 0 when nothing has happened yet.
    ///
    /// # Errors
    /// The database.
    pub async fn newest_change(&self) -> Result<i64, RecordError> {
        Ok(outbox::settled_seq(self.store()).await?)
    }

    /// Those of the records of these events that may be known of, by entity.
    async fn sights(
        &self,
        actor: &Actor,
        catalog: &Arc<Catalog>,
        by_uid: &HashMap<&str, EntityIx>,
        events: &[Arc<outbox::Event>],
    ) -> Result<Option<HashMap<EntityIx, Sight>>, RecordError> {
        if actor.standing(catalog)?.part().is_none() {
            return Ok(None);
        }
        let mut ids: HashMap<EntityIx, BTreeSet<RecordId>> = HashMap::new();
        for event in events {
            if let Some(entity) = by_uid.get(event.entity_uid.as_str()) {
                ids.entry(*entity).or_default().insert(event.record);
            }
        }
        let mut sights = HashMap::new();
        for (entity, ids) in ids {
            let ids: Vec<RecordId> = ids.into_iter().collect();
            if let Some(sight) = self.sight(actor, catalog, entity, &ids).await? {
                sights.insert(entity, sight);
            }
        }
        Ok(Some(sights))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::DateTime;

    fn stretch(after: i64, seqs: &[i64]) -> Stretch {
        let event = |seq: i64| {
            Arc::new(outbox::Event {
                seq,
                entity_uid: String::new(),
                record: RecordId(seq),
                version: 1,
                event: "create".into(),
                changed_json: "[]".into(),
                actor: 0,
                chain_json: "[]".into(),
                schema_version: 1,
                at: DateTime(0),
            })
        };
        Stretch { after, to: seqs.last().copied().unwrap_or(after), events: seqs.iter().map(|seq| event(*seq)).collect() }
    }

    #[test]
    fn a_stretch_grows_and_knows_what_it_has_forgotten() {
        let begin = Stretch::at(4);
        assert!(begin.is_empty() && begin.covers(4) && !begin.covers(3) && begin.to() == 4);
        let grown = begin.and(&stretch(4, &[5, 7, 8]), 10);
        assert!(grown.covers(4) && grown.to() == 8);
        let grown = grown.and(&stretch(8, &[9, 12]), 3);
        let seqs: Vec<i64> = grown.events.iter().map(|event| event.seq).collect();
        assert_eq!((seqs, grown.to()), (vec![8, 9, 12], 12));
        assert!(grown.covers(7) && !grown.covers(6), "the event 7 is not in it any more");
        let same = grown.and(&Stretch::at(12), 3);
        assert_eq!((same.to(), same.events.len()), (12, 3));
    }
}
