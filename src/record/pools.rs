//! Public pools. What a save means for them stands in `gate`, the one place every door passes; what people do with them in
//! `acts`, giving out in `hand_out`, what time does in `sweep`, what is shown in `seen`.

mod acts;
mod gate;
mod hand_out;
mod seen;
mod sweep;

pub use acts::MOST_CLAIMED;
pub use hand_out::MOST_HANDED_OUT;
pub use seen::{HeldRecord, Holding, PoolStanding};
pub use sweep::{POOLS, PoolsDone};

use super::error::{FieldFault, RecordError};
use super::hooks::Record;
use super::load::Reader;
use super::standing::roles_in;
use super::world::{Setting, World};
use crate::access::{ADMINISTRATOR, Actor, ActorKind};
use crate::base::{DateTime, RecordId, Value};
use crate::expr::needs::needs_of;
use crate::schema::catalog::{Entity, HoldCap, Pool};
use crate::store::compile::Lock;

/// Where a record stands: the pool it belongs to, and who holds it.
type Place = (usize, Option<RecordId>);

/// Why a record changes hands, where somebody said so.
#[derive(Debug, Clone)]
pub(super) struct Change {
    pub word: &'static str,
    pub reason: Option<String>,
}

/// Whether somebody may see what is in a pool and claim it.
pub fn may_claim(actor: &Actor, pool: &Pool) -> bool {
    pool.roles.is_empty() || may_manage(actor, pool) || actor.roles.iter().any(|role| pool.roles.contains(role))
}

/// Whether somebody hands out and takes back.
pub(super) fn may_manage(actor: &Actor, pool: &Pool) -> bool {
    actor.kind == ActorKind::System || actor.roles.iter().any(|role| role == ADMINISTRATOR || pool.managers.contains(role))
}

/// When a record goes back without anything being done; `None` where none does.
pub(super) fn due(pool: &Pool, active_at: DateTime, kept_until: DateTime) -> Option<DateTime> {
    let silent = later(active_at, pool.reclaim_seconds?);
    Some(silent.max(kept_until))
}

pub(super) fn later(at: DateTime, seconds: i64) -> DateTime {
    DateTime(at.0.saturating_add(seconds.saturating_mul(1_000_000)))
}

/// The answer of a record that is not in the pool: claimed meanwhile, of another pool, never there.
fn not_in_pool() -> RecordError {
    RecordError::fault(FieldFault::whole("pool_gone", "this record is not in the pool (any more)"))
}

impl Setting<'_> {
    /// The pool a record belongs to and who holds it; `None` where it belongs to none.
    fn place(&self, entity: &Entity, record: &Record) -> Option<Place> {
        if record.is_deleted(entity) {
            return None;
        }
        let world = World::default();
        let fits = |pool: &Pool| pool.when.as_ref().is_none_or(|when| self.holds(&world, when, record, None));
        let at = entity.pools.iter().position(fits)?;
        let owner = self.compiled.plan(record.entity).owner?;
        Some((at, super::convert::link_id(record.get(owner))))
    }
}

impl Reader<'_> {
    /// How many records of a pool somebody may hold; `None` is no limit.
    async fn cap_of(&mut self, pool: &Pool, person: RecordId, now: DateTime) -> Result<Option<i64>, RecordError> {
        Ok(self.caps_of(pool, &[person], now).await?.pop().and_then(|(_, cap)| cap))
    }

    /// [`Self::cap_of`] for several people: a fixed number of statements.
    async fn caps_of(&mut self, pool: &Pool, people: &[RecordId], now: DateTime) -> Result<Vec<(RecordId, Option<i64>)>, RecordError> {
        let is_plain = |cap: &HoldCap| cap.roles.is_empty() && cap.when.is_none();
        let first = pool.caps.first();
        if first.is_none_or(is_plain) {
            return Ok(people.iter().map(|person| (*person, first.map(|cap| cap.most))).collect());
        }
        let compiled = self.compiled.clone();
        let Some(users) = compiled.catalog.find_entity("core.user") else { return Ok(Vec::new()) };
        let found = self.load(users.ix, people, Lock::None).await?;
        let mut world = World::default();
        let needs = needs_of(pool.caps.iter().filter_map(|cap| cap.when.as_ref()));
        self.gather(&mut world, &found, &needs, false).await?;
        let setting = Setting::new(&compiled, now, self.actor);
        let mut caps = Vec::with_capacity(people.len());
        for person in people {
            let record = found.iter().find(|record| record.id == *person);
            // Somebody who is not there holds nothing.
            caps.push((*person, record.map_or(Some(0), |record| cap_in(&setting, &world, users, pool, record))));
        }
        Ok(caps)
    }
}

/// The first cap that fits a person; `None` where none does.
fn cap_in(setting: &Setting<'_>, world: &World, users: &Entity, pool: &Pool, person: &Record) -> Option<i64> {
    let value = |name: &str| users.find_field(name).map_or(Value::Null, |field| person.get(field.ix).clone());
    let roles = roles_in(users.find_field("roles").is_some(), &value);
    let fits = |cap: &&HoldCap| {
        let has_role = cap.roles.is_empty() || roles.iter().any(|role| cap.roles.contains(role));
        has_role && cap.when.as_ref().is_none_or(|when| setting.holds(world, when, person, None))
    };
    pool.caps.iter().find(fits).map(|cap| cap.most)
}
