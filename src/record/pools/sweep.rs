//! What becomes of pools as time goes by: records without activity go back, whoever holds them is told before, those that wait
//! are handed out. Runs as a job; what is due is found by an index, some at once.

use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::super::error::RecordError;
use super::super::options::Source;
use super::super::service::Records;
use super::super::unit::RecordTx;
use super::acts::find;
use super::gate::silent_since;
use super::{due, later};
use crate::access::Actor;
use crate::base::{EntityIx, RecordId};
use crate::query::{Params, parse_list};
use crate::schema::catalog::{Catalog, Entity, Pool};
use crate::store::compile::Lock;
use crate::store::holds::{self, Hold};
use crate::store::notifications::{self, PROGRAM, Said, Telling};
use crate::store::settings;

/// The kind of job that looks after pools.
pub const POOLS: &str = "pools";

/// Records of one unit of work.
const STRIDE: u32 = 100;
/// Units of one pool in one run; the next run goes on.
const MOST_STRIDES: usize = 10_000;
/// Records handed out in one run.
const MOST_GIVEN: u32 = 10_000;
/// One whose rules keep it from going back is tried again after a day.
const AGAIN_SECONDS: i64 = 24 * 3600;

/// What one run did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PoolsDone {
    /// Records that came under a pool, or left it, by a change of definitions.
    pub settled: u64,
    pub reclaimed: u64,
    /// Kept from going back by rules of the definitions.
    pub refused: u64,
    pub warned: u64,
    pub handed_out: u64,
}

impl Records {
    /// Looks after all pools.
    ///
    /// # Errors
    /// The database.
    pub async fn look_after_pools(&self) -> Result<PoolsDone, RecordError> {
        let catalog = self.catalog();
        let mut done = PoolsDone::default();
        done.settled += self.dissolve_pools(&catalog).await?;
        for entity in catalog.entities.iter().filter(|entity| !entity.pools.is_empty()) {
            done.settled += self.settle_pools(&catalog, entity).await?;
            for pool in &entity.pools {
                self.reclaim(entity, pool, &mut done).await?;
                done.warned += self.warn_holders(entity, pool).await?;
                if pool.hand_out.is_some_and(|hand_out| hand_out.automatic) {
                    let given = self.hand_out(&Actor::system(), &catalog, entity.ix, &pool.id, MOST_GIVEN, Source::Automation).await?;
                    done.handed_out += u64::from(given);
                }
            }
        }
        Ok(done)
    }

    /// Ends what is held of pools that are no more.
    async fn dissolve_pools(&self, catalog: &Arc<Catalog>) -> Result<u64, RecordError> {
        let mut ended = 0;
        for (uid, pool) in holds::pools(self.store()).await? {
            if find(catalog, &uid, &pool).is_ok() {
                continue;
            }
            loop {
                let (uid, pool) = (uid.clone(), pool.clone());
                let some = self
                    .unit(&Actor::system(), Source::System, Vec::new(), move |tx| {
                        let (uid, pool) = (uid.clone(), pool.clone());
                        Box::pin(async move { Ok(holds::dissolve(tx.store, &uid, &pool, STRIDE).await?) })
                    })
                    .await?;
                ended += some as u64;
                if some < STRIDE as usize {
                    break;
                }
            }
        }
        Ok(ended)
    }

    /// Brings what is written down in line with all records of an entity, once after each change of what its pools are about.
    async fn settle_pools(&self, catalog: &Arc<Catalog>, entity: &Entity) -> Result<u64, RecordError> {
        let key = format!("pools:{}", entity.uid);
        let about: Vec<_> = entity.pools.iter().map(|pool| (&pool.id, &pool.when)).collect();
        let digest = crate::base::text::hex(&Sha256::digest(format!("{about:?}").as_bytes()));
        if settings::get(self.store(), &key).await?.is_some_and(|known| known == digest) {
            return Ok(0);
        }
        let (mut settled, mut cursor) = (0, None::<String>);
        for _ in 0..MOST_STRIDES {
            let mut params = vec![("sort", "id".to_owned()), ("select", "id".to_owned()), ("limit", STRIDE.to_string())];
            params.extend(cursor.take().map(|cursor| ("cursor", cursor)));
            let params = Params(params.into_iter().map(|(name, value)| (name.to_owned(), value)).collect());
            let request = parse_list(catalog, self.cursor_key(), entity.ix, &params).map_err(RecordError::Query)?;
            let page = self.list(&Actor::system(), catalog, request).await?;
            let ids: Arc<Vec<RecordId>> = Arc::new(page.iter().map(|row| row.id()).collect());
            let uid = entity.uid.clone();
            settled += self
                .unit(&Actor::system(), Source::System, Vec::new(), move |tx| {
                    let (uid, ids) = (uid.clone(), ids.clone());
                    Box::pin(async move { tx.settle_holds(&uid, &ids).await })
                })
                .await?;
            match page.next_cursor {
                Some(next) => cursor = Some(next),
                None => {
                    self.store().write(move |tx| Box::pin(async move { settings::set(tx, &key, &digest).await })).await?;
                    return Ok(settled);
                }
            }
        }
        Ok(settled)
    }

    async fn reclaim(&self, entity: &Entity, pool: &Pool, done: &mut PoolsDone) -> Result<(), RecordError> {
        for _ in 0..MOST_STRIDES {
            let now = self.clock().now();
            let Some(before) = silent_since(pool, now) else { return Ok(()) };
            let found = holds::silent(self.store(), (&entity.uid, &pool.id), before, now, STRIDE).await?;
            if found.is_empty() {
                return Ok(());
            }
            let (uid, id, found) = (entity.uid.clone(), pool.id.clone(), Arc::new(found));
            let (back, refused) = self
                .unit(&Actor::system(), Source::System, Vec::new(), move |tx| {
                    let (uid, id, found) = (uid.clone(), id.clone(), found.clone());
                    Box::pin(async move { tx.reclaim(&uid, &id, &found).await })
                })
                .await?;
            done.reclaimed += back;
            done.refused += refused;
        }
        Ok(())
    }

    async fn warn_holders(&self, entity: &Entity, pool: &Pool) -> Result<u64, RecordError> {
        let (Some(seconds), mut warned) = (pool.warn_seconds, 0) else { return Ok(0) };
        for _ in 0..MOST_STRIDES {
            let now = self.clock().now();
            let soon = later(now, seconds);
            let Some(before) = silent_since(pool, soon) else { return Ok(warned) };
            let found = holds::untold(self.store(), (&entity.uid, &pool.id), before, soon, STRIDE).await?;
            if found.is_empty() {
                return Ok(warned);
            }
            let found = Arc::new(found);
            warned += self
                .unit(&Actor::system(), Source::System, Vec::new(), move |tx| {
                    let found = found.clone();
                    Box::pin(async move { tx.warn_holders(&found).await })
                })
                .await?;
        }
        Ok(warned)
    }
}

impl RecordTx<'_> {
    async fn settle_holds(&mut self, uid: &str, ids: &[RecordId]) -> Result<u64, RecordError> {
        let compiled = self.scope.compiled.clone();
        let Some(entity) = compiled.catalog.entities.iter().find(|entity| entity.uid == uid) else { return Ok(0) };
        let records = self.load(entity.ix, ids, Lock::Change).await?;
        let known = holds::among_in(self.store, ids).await?;
        let mut settled = 0;
        for record in &records {
            let had = known.iter().find(|hold| hold.record == record.id);
            settled += u64::from(self.settle_hold(&compiled, entity, record, had).await?);
        }
        Ok(settled)
    }

    /// Gives how many went back, and how many could not.
    async fn reclaim(&mut self, uid: &str, pool: &str, found: &[Hold]) -> Result<(u64, u64), RecordError> {
        let compiled = self.scope.compiled.clone();
        let Ok((entity, at)) = find(&compiled.catalog, uid, pool) else { return Ok((0, 0)) };
        let (mut back, mut refused) = (0, 0);
        for known in found {
            self.begin_part().await?;
            let result = self.reclaim_one(entity.ix, &entity.pools[at], known).await;
            match self.end_part(result).await? {
                Ok(went) => back += u64::from(went),
                Err(error) => {
                    let code = crate::base::Explain::code(&error);
                    tracing::info!(pool, entity = %entity.id, record.id = known.record.0, code, "a record could not go back to its pool");
                    let until = later(self.now(), AGAIN_SECONDS);
                    holds::keep(self.store, known.record, until).await?;
                    refused += 1;
                }
            }
        }
        Ok((back, refused))
    }

    async fn reclaim_one(&mut self, entity: EntityIx, pool: &Pool, known: &Hold) -> Result<bool, RecordError> {
        let compiled = self.scope.compiled.clone();
        let record = self.load_one(entity, known.record).await?;
        let Some(hold) = holds::get_in(self.store, known.record).await? else { return Ok(false) };
        let is_due = due(pool, hold.active_at, hold.kept_until).is_some_and(|at| at <= self.now());
        if hold.person != known.person || !is_due {
            return Ok(false);
        }
        match record {
            Some(record) if !record.is_deleted(compiled.entity(entity)) => {
                self.change_hands(record, None, ("reclaimed", None), Source::System).await?;
                Ok(true)
            }
            // It is gone by a way that leads past records: what is written down follows.
            _ => {
                holds::end(self.store, known.record, "deleted", 0, None).await?;
                holds::count_down(self.store, &hold.entity, &hold.pool, hold.person).await?;
                Ok(false)
            }
        }
    }

    async fn warn_holders(&mut self, found: &[Hold]) -> Result<u64, RecordError> {
        let mut warned = 0;
        for hold in found {
            if !holds::warn(self.store, hold).await? {
                continue;
            }
            let telling = Telling {
                people: vec![hold.person.0],
                teams: Vec::new(),
                roles: Vec::new(),
                source: PROGRAM.to_owned(),
                said: Said::Message { key: "notification-pool-soon".to_owned(), facts: vec![("pool".to_owned(), hold.pool.clone())] },
                about: Some((hold.entity.clone(), hold.record.0)),
                step: None,
            };
            notifications::tell(self.store, &telling).await?;
            warned += 1;
        }
        Ok(warned)
    }
}
