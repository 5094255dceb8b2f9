//! What people see of pools: which there are for them, what is in one, what they hold, who held a record.

use std::sync::Arc;

use super::super::error::RecordError;
use super::super::row::Page;
use super::super::service::Records;
use super::acts::find;
use super::{due, may_claim, may_manage};
use crate::access::{Actor, pool_catalog};
use crate::base::{DateTime, EntityIx, RecordId};
use crate::query::{Deleted, GetRequest, Item, Params, Select, parse_list};
use crate::schema::catalog::{Catalog, Pool};
use crate::store::holds::{self, Hold, Past};

/// Records of one person that are shown.
const MOST_HELD: u32 = 500;
/// Holders of one record that are shown.
const MOST_PAST: u32 = 100;

/// A pool as somebody meets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolStanding {
    pub entity: EntityIx,
    /// Position in the pools of the entity.
    pub pool: usize,
    pub held: i64,
    pub cap: Option<i64>,
    pub claimed_today: i64,
    pub may_manage: bool,
}

/// A record somebody holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldRecord {
    pub record: RecordId,
    pub since: DateTime,
    pub active_at: DateTime,
    pub kept_until: DateTime,
    /// When it goes back unless something is done.
    pub due: Option<DateTime>,
}

/// How a record stands with its pool, and who held it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holding {
    /// Who holds it now, for which pool (its position).
    pub now: Option<(usize, RecordId, HeldRecord)>,
    pub past: Vec<Past>,
    /// The actor may give it back.
    pub may_give_back: bool,
}

fn held(pool: &Pool, hold: &Hold) -> HeldRecord {
    HeldRecord {
        record: hold.record,
        since: hold.since,
        active_at: hold.active_at,
        kept_until: hold.kept_until,
        due: due(pool, hold.active_at, hold.kept_until),
    }
}

impl Records {
    /// The pools somebody may claim from.
    ///
    /// # Errors
    /// The database.
    pub async fn pools(&self, actor: &Actor) -> Result<Vec<PoolStanding>, RecordError> {
        let catalog = self.catalog();
        let Some(me) = actor.user else { return Ok(Vec::new()) };
        let seen = actor.sees(&catalog);
        let mut found = Vec::new();
        for entity in catalog.entities.iter().filter(|entity| seen.by_slug.contains_key(&entity.slug)) {
            for (at, pool) in entity.pools.iter().enumerate().filter(|(_, pool)| may_claim(actor, pool)) {
                found.push(self.pool_standing(actor, &catalog, (entity.ix, at), pool, me).await?);
            }
        }
        Ok(found)
    }

    /// One pool, as far as the actor may see it.
    ///
    /// # Errors
    /// As for one that is not there where they may not.
    pub async fn pool(&self, actor: &Actor, catalog: &Arc<Catalog>, entity: EntityIx, pool: &str) -> Result<PoolStanding, RecordError> {
        let whole = catalog.whole();
        let (definition, at) = find(&whole, &whole.entity(entity).uid, pool)?;
        let known = &definition.pools[at];
        match actor.user.filter(|_| may_claim(actor, known)) {
            Some(me) => self.pool_standing(actor, &whole, (definition.ix, at), known, me).await,
            None => Err(RecordError::NotFound { entity: "pool".to_owned(), id: pool.to_owned() }),
        }
    }

    async fn pool_standing(
        &self,
        actor: &Actor,
        catalog: &Arc<Catalog>,
        (entity, at): (EntityIx, usize),
        pool: &Pool,
        me: RecordId,
    ) -> Result<PoolStanding, RecordError> {
        let today = self.clock().now().date_in(&catalog.settings.time_zone).to_string();
        let count = holds::count_of(self.store(), (&catalog.entity(entity).uid, &pool.id), me, &today).await?;
        let compiled = self.compiled(catalog);
        let system = Actor::system();
        let cap = self.reader(&compiled, &system, None).cap_of(pool, me, self.clock().now()).await?;
        Ok(PoolStanding { entity, pool: at, held: count.held, cap, claimed_today: count.claimed, may_manage: may_manage(actor, pool) })
    }

    /// What is in a pool: of each record what the pool shows, whoever may read more of it. `params` are `filter`, `sort`, `cursor`,
    /// `limit` and `count` of a list, which know no other fields.
    ///
    /// # Errors
    /// As [`Records::pool`]; faults of the parameters.
    pub async fn in_pool(
        &self,
        actor: &Actor,
        catalog: &Arc<Catalog>,
        entity: EntityIx,
        pool: &str,
        params: &Params,
    ) -> Result<Page, RecordError> {
        let whole = catalog.whole();
        let (definition, at) = find(&whole, &whole.entity(entity).uid, pool)?;
        let known = &definition.pools[at];
        if !may_claim(actor, known) {
            return Err(RecordError::NotFound { entity: "pool".to_owned(), id: pool.to_owned() });
        }
        let narrow = pool_catalog(&whole, entity, &known.show);
        let mut asked = params.clone();
        asked.0.retain(|(name, _)| matches!(name.as_str(), "filter" | "sort" | "cursor" | "limit" | "count"));
        let mut request = parse_list(&narrow, self.cursor_key(), entity, &asked).map_err(RecordError::Query)?;
        let id = definition.find_field("id").map(|field| Item::Field(field.ix));
        let items = id.into_iter().chain(known.show.iter().map(|field| Item::Field(*field))).collect();
        request.select = Select { entity, items };
        let open = std::iter::once(known.open.clone()).chain(request.filter.take()).collect();
        request.filter = Some(crate::expr::Typed::all_of(open));
        self.list(&Actor::system(), &whole, request).await
    }

    /// What the actor holds of a pool, that which goes back first before the others.
    ///
    /// # Errors
    /// As [`Records::pool`].
    pub async fn held(&self, actor: &Actor, catalog: &Arc<Catalog>, entity: EntityIx, pool: &str) -> Result<Vec<HeldRecord>, RecordError> {
        let whole = catalog.whole();
        let standing = self.pool(actor, catalog, entity, pool).await?;
        let Some(me) = actor.user else { return Ok(Vec::new()) };
        let (uid, known) = (&whole.entity(entity).uid, &whole.entity(entity).pools[standing.pool]);
        let found = holds::of_person(self.store(), uid, &known.id, me, MOST_HELD).await?;
        Ok(found.iter().map(|hold| held(known, hold)).collect())
    }

    /// How a record stands with its pool, and who held it.
    ///
    /// # Errors
    /// As for a record that is not there where the actor may not read it.
    pub async fn holding(&self, actor: &Actor, catalog: &Arc<Catalog>, entity: EntityIx, id: RecordId) -> Result<Holding, RecordError> {
        let whole = catalog.whole();
        let definition = whole.entity(entity);
        let own = definition.find_field("id").map(|field| Item::Field(field.ix));
        let select = Select { entity, items: own.into_iter().collect() };
        if self.get(actor, &whole, GetRequest { entity, id, select, deleted: Deleted::All }).await?.is_none() {
            return Err(RecordError::NotFound { entity: definition.slug.clone(), id: id.display(&definition.prefix) });
        }
        let hold = holds::get(self.store(), id).await?.filter(|hold| hold.entity == definition.uid);
        let now = hold.and_then(|hold| {
            let at = definition.pools.iter().position(|pool| pool.id == hold.pool)?;
            Some((at, hold.person, held(&definition.pools[at], &hold)))
        });
        let may_give_back = now
            .as_ref()
            .is_some_and(|(at, person, _)| !actor.only_looks && (actor.user == Some(*person) || may_manage(actor, &definition.pools[*at])));
        Ok(Holding { now, past: holds::past(self.store(), id, MOST_PAST).await?, may_give_back })
    }
}
