//! Claiming records of a pool, and giving them back.

use std::sync::Arc;

use super::super::error::{FieldFault, RecordError};
use super::super::hooks::Record;
use super::super::input::Input;
use super::super::options::{LONGEST_REASON, Source, WriteOptions, is_reason};
use super::super::prepare::Target;
use super::super::service::Records;
use super::super::unit::RecordTx;
use super::{may_claim, may_manage, not_in_pool};
use crate::access::{Action, Actor};
use crate::base::{EntityIx, RecordId, Value};
use crate::schema::catalog::{Catalog, Entity, Pool};
use crate::store::compile::Lock;
use crate::store::{audit, holds};

/// Records claimed at once.
pub const MOST_CLAIMED: usize = 100;

/// How claiming one record went.
pub type Claimed = (RecordId, Result<(), RecordError>);

/// The pool of this id, in the entity of this uid as it is now.
pub(super) fn find<'c>(catalog: &'c Catalog, uid: &str, pool: &str) -> Result<(&'c Entity, usize), RecordError> {
    let gone = || RecordError::NotFound { entity: "pool".to_owned(), id: pool.to_owned() };
    let entity = catalog.entities.iter().find(|entity| entity.uid == uid).ok_or_else(gone)?;
    let at = entity.pools.iter().position(|known| known.id == pool).ok_or_else(gone)?;
    Ok((entity, at))
}

impl Records {
    /// Claims records for the actor, each on its own: one that cannot be claimed does not keep the others from it.
    ///
    /// # Errors
    /// As for a pool that is not there where the actor may not see it; more than [`MOST_CLAIMED`].
    pub async fn claim(
        &self,
        actor: &Actor,
        catalog: &Arc<Catalog>,
        entity: EntityIx,
        pool: &str,
        ids: Vec<RecordId>,
        source: Source,
    ) -> Result<Vec<Claimed>, RecordError> {
        if ids.len() > MOST_CLAIMED {
            let what = "records claimed at once".to_owned();
            return Err(RecordError::TooMany { what, got: ids.len() as u64, limit: MOST_CLAIMED as u64 });
        }
        let (uid, pool) = (catalog.entity(entity).uid.clone(), pool.to_owned());
        let mut ids = ids;
        // In one order, so that two who claim the same ones wait for each other instead of standing in each other's way.
        ids.sort_unstable();
        ids.dedup();
        self.unit(actor, source, Vec::new(), move |tx| {
            let (uid, pool, ids) = (uid.clone(), pool.clone(), ids.clone());
            Box::pin(async move {
                let compiled = tx.scope.compiled.clone();
                let (definition, at) = find(&compiled.catalog, &uid, &pool)?;
                if !may_claim(&tx.scope.actor, &definition.pools[at]) {
                    return Err(RecordError::NotFound { entity: "pool".to_owned(), id: pool });
                }
                let mut claimed = Vec::with_capacity(ids.len());
                for id in ids {
                    tx.begin_part().await?;
                    let result = tx.claim_one(definition.ix, at, id, source).await;
                    claimed.push((id, tx.end_part(result).await?));
                }
                Ok(claimed)
            })
        })
        .await
    }

    /// Gives a record back to its pool, with a reason: one's own, or anybody's by a manager of the pool.
    ///
    /// # Errors
    /// As for a record that is not there where the actor may not read it; faults where nobody holds it or there is no reason.
    pub async fn give_back(
        &self,
        actor: &Actor,
        catalog: &Arc<Catalog>,
        entity: EntityIx,
        id: RecordId,
        reason: &str,
        source: Source,
    ) -> Result<(), RecordError> {
        let reason = reason.trim().to_owned();
        if !is_reason(&reason) {
            let message = format!("say why it is given back, in at most {LONGEST_REASON} characters");
            return Err(RecordError::fault(FieldFault::at("reason", "pool_why", message).with("max", LONGEST_REASON)));
        }
        let uid = catalog.entity(entity).uid.clone();
        self.unit(actor, source, Vec::new(), move |tx| {
            let (uid, reason) = (uid.clone(), reason.clone());
            Box::pin(async move {
                let compiled = tx.scope.compiled.clone();
                let unknown = || RecordError::UnknownEntity { name: uid.clone(), near: None };
                let definition = compiled.catalog.entities.iter().find(|entity| entity.uid == uid).ok_or_else(unknown)?;
                tx.give_back(definition, id, reason, source).await
            })
        })
        .await
    }
}

impl RecordTx<'_> {
    async fn claim_one(&mut self, entity: EntityIx, at: usize, id: RecordId, source: Source) -> Result<(), RecordError> {
        let me = self.scope.actor.user.ok_or_else(|| RecordError::Forbidden("only people claim records".to_owned()))?;
        let record = self.in_pool(entity, at, id).await?.ok_or_else(not_in_pool)?;
        self.change_hands(record, Some(me), ("claimed", None), source).await
    }

    /// A record that is in a pool now, locked.
    pub(super) async fn in_pool(&mut self, entity: EntityIx, at: usize, id: RecordId) -> Result<Option<Record>, RecordError> {
        let compiled = self.scope.compiled.clone();
        let record = self.load_one(entity, id).await?;
        let setting = self.setting(&compiled);
        let is_in = |record: &Record| setting.place(compiled.entity(entity), record) == Some((at, None));
        Ok(record.filter(is_in))
    }

    async fn give_back(&mut self, entity: &Entity, id: RecordId, reason: String, source: Source) -> Result<(), RecordError> {
        let record = self.load_live(entity.ix, id, Lock::Change).await?;
        let hold = holds::get_in(self.store, id).await?.filter(|hold| hold.entity == entity.uid);
        let pool = hold.as_ref().and_then(|hold| entity.pools.iter().find(|pool| pool.id == hold.pool));
        let is_own = hold.as_ref().is_some_and(|hold| self.scope.actor.user == Some(hold.person));
        let manages = pool.is_some_and(|pool| may_manage(&self.scope.actor, pool));
        if !is_own && !self.readable(entity.ix, &[id]).await?.contains(&id) {
            return Err(RecordError::NotFound { entity: entity.slug.clone(), id: id.display(&entity.prefix) });
        }
        let (Some(_), Some(pool)) = (hold, pool) else {
            return Err(RecordError::fault(FieldFault::whole("pool_not_held", "nobody holds this record for a pool")));
        };
        if !is_own && !manages {
            return Err(RecordError::Forbidden("only whoever holds it gives it back, or a manager of the pool".to_owned()));
        }
        self.expect_may(Action::Update, &record, None).await?;
        if !is_own {
            self.note_pool(entity, pool, "pool.take_back", id).await?;
        }
        self.change_hands(record, None, (if is_own { "returned" } else { "taken_back" }, Some(reason)), source).await
    }

    /// Writes another owner: the engine does, and rules, scripts and gates are asked as ever.
    pub(super) async fn change_hands(
        &mut self,
        record: Record,
        to: Option<RecordId>,
        (word, reason): (&'static str, Option<String>),
        source: Source,
    ) -> Result<(), RecordError> {
        let compiled = self.scope.compiled.clone();
        let Some(owner) = compiled.plan(record.entity).owner else { return Err(not_in_pool()) };
        self.count_write()?;
        let options = WriteOptions::from(source);
        let given = vec![(owner, to.map_or(Value::Null, Value::Link))];
        self.say_hands(word, reason);
        let result = match self.prepare(record.entity, Target::Update(record), Input::default(), given, &options).await {
            Ok(prepared) => self.write(prepared, &options).await.map(|_| ()),
            Err(error) => Err(error),
        };
        self.said_hands();
        result
    }

    pub(super) async fn note_pool(&mut self, entity: &Entity, pool: &Pool, action: &'static str, id: RecordId) -> Result<(), RecordError> {
        let entry = audit::Entry::new(action).on(&entity.id, id.0).fact("pool", pool.id.as_str());
        audit::append(self.store, entry).await?;
        Ok(())
    }
}
