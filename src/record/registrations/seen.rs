//! Claims as people see them: those of a record, those somebody filed, those somebody is to decide about.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use super::super::error::RecordError;
use super::super::service::Records;
use super::super::world::World;
use super::{definition, is_protected, may_arbitrate, may_file};
use crate::access::Actor;
use crate::base::{DateTime, EntityIx, RecordId};
use crate::expr::needs::needs_of;
use crate::schema::catalog::Catalog;
use crate::store::compile::Lock;
use crate::store::registrations::{self, Claim};

/// Which claims somebody asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClaimFilter {
    /// They filed them.
    Filed,
    /// They decide about them.
    Contested,
}

/// A claim that one met, as far as it may be told of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rival {
    /// The record, for those who may read it.
    pub record: Option<RecordId>,
    /// Who filed it and until when it holds, for those who decide, and where the definitions say so.
    pub filer: Option<RecordId>,
    pub until_at: Option<DateTime>,
}

/// A claim as somebody sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimStanding {
    pub entity: EntityIx,
    /// Position in the registrations of the entity; `None` where the definitions have it no more.
    pub registration: Option<usize>,
    pub claim: Claim,
    /// What it is now: a protection whose time is over is `expired`.
    pub state: String,
    pub rivals: Vec<Rival>,
    pub may_decide: bool,
    pub may_extend: bool,
    pub may_withdraw: bool,
    /// Giving it up is taking it away: that wants a reason.
    pub is_others: bool,
}

/// A claim that can be filed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OfferedClaim {
    pub registration: usize,
}

impl Records {
    /// One claim; `None` where there is none, or its record may not be read.
    ///
    /// # Errors
    /// The database.
    pub async fn claim_of(&self, actor: &Actor, id: i64) -> Result<Option<ClaimStanding>, RecordError> {
        let found = registrations::get(self.store(), id).await?;
        Ok(self.claim_standings(actor, found.into_iter().collect()).await?.pop())
    }

    /// Claims, newest first, with what to ask on with.
    ///
    /// # Errors
    /// The database.
    pub async fn claims(
        &self,
        actor: &Actor,
        filter: ClaimFilter,
        before: Option<i64>,
        limit: u32,
    ) -> Result<(Vec<ClaimStanding>, Option<i64>), RecordError> {
        let Some(me) = actor.user else { return Ok((Vec::new(), None)) };
        let catalog = self.catalog();
        let mut found = match filter {
            ClaimFilter::Filed => registrations::filed_by(self.store(), me, before, limit + 1).await?,
            ClaimFilter::Contested => {
                let all = catalog.entities.iter().flat_map(|entity| entity.registrations.iter().map(move |one| (entity, one)));
                let own = all.filter(|(_, one)| may_arbitrate(actor, one));
                let own: Vec<(String, String)> = own.map(|(entity, one)| (entity.uid.clone(), one.id.clone())).collect();
                registrations::contested(self.store(), &own, before, limit + 1).await?
            }
        };
        let has_more = found.len() > limit as usize;
        found.truncate(limit as usize);
        let next = found.last().filter(|_| has_more).map(|claim| claim.id);
        Ok((self.claim_standings(actor, found).await?, next))
    }

    /// The claims on a record, newest first, and what can be filed.
    ///
    /// # Errors
    /// As for a record that is not there where it may not be read.
    pub async fn claims_of(
        &self,
        actor: &Actor,
        catalog: &Arc<Catalog>,
        entity: EntityIx,
        id: RecordId,
    ) -> Result<(Vec<ClaimStanding>, Vec<OfferedClaim>), RecordError> {
        let compiled = self.compiled(&catalog.whole());
        let definition = compiled.entity(entity);
        let not_found = || RecordError::NotFound { entity: definition.slug.clone(), id: id.display(&definition.prefix) };
        let sight = self.sight(actor, &compiled.catalog, entity, &[id]).await?;
        let system = Actor::system();
        let mut reader = self.reader(&compiled, &system, None);
        let record = reader.load(entity, &[id], Lock::None).await?.pop().filter(|record| !record.is_deleted(definition));
        let record = record.filter(|_| sight.is_none_or(|sight| sight.sees(id))).ok_or_else(not_found)?;
        let mut world = World::default();
        let needs = needs_of(definition.registrations.iter().filter_map(|one| one.when.as_ref()));
        reader.gather(&mut world, std::slice::from_ref(&record), &needs, false).await?;
        let claims = registrations::of_record(self.store(), id).await?;
        let now = self.clock().now();
        let is_live =
            |name: &str| claims.iter().any(|one| one.registration == name && (one.state == "contested" || is_protected(one, now)));
        let may_update = !actor.only_looks && actor.user.is_some() && self.may(actor, catalog, entity, id).await?.update;
        let setting = super::super::world::Setting::new(&compiled, now, actor);
        let offered = definition.registrations.iter().enumerate().filter(|(_, one)| {
            let fits = one.when.as_ref().is_none_or(|when| setting.holds(&world, when, &record, None));
            may_update && fits && may_file(actor, one) && !is_live(&one.id)
        });
        let offered = offered.map(|(registration, _)| OfferedClaim { registration }).collect();
        Ok((self.claim_standings(actor, claims).await?, offered))
    }

    /// Claims as an actor may see them; those on records they may not read are left out. A fixed number of statements for each
    /// entity.
    async fn claim_standings(&self, actor: &Actor, claims: Vec<Claim>) -> Result<Vec<ClaimStanding>, RecordError> {
        let catalog = self.catalog();
        let compiled = self.compiled(&catalog);
        let mut met: Vec<i64> = claims.iter().flat_map(|claim| claim.against.iter().copied()).collect();
        met.sort_unstable();
        met.dedup();
        let rivals: HashMap<i64, Claim> = match met.is_empty() {
            true => HashMap::new(),
            false => registrations::some(self.store(), &met).await?.into_iter().map(|claim| (claim.id, claim)).collect(),
        };
        let mut by_entity: BTreeMap<EntityIx, Vec<RecordId>> = BTreeMap::new();
        for claim in claims.iter().chain(rivals.values()) {
            if let Some(entity) = catalog.entities.iter().find(|entity| entity.uid == claim.entity) {
                by_entity.entry(entity.ix).or_default().push(claim.record);
            }
        }
        let system = Actor::system();
        let mut readable: HashSet<RecordId> = HashSet::new();
        for (entity, mut ids) in by_entity {
            ids.sort_unstable();
            ids.dedup();
            let found = self.reader(&compiled, &system, None).load(entity, &ids, Lock::None).await?;
            let sight = self.sight(actor, &catalog, entity, &ids).await?;
            let live = found.into_iter().filter(|record| !record.is_deleted(compiled.entity(entity)));
            readable.extend(live.filter(|record| sight.as_ref().is_none_or(|sight| sight.sees(record.id))).map(|record| record.id));
        }
        let now = self.clock().now();
        let mut standings = Vec::with_capacity(claims.len());
        for claim in claims {
            let Some(entity) = catalog.entities.iter().find(|entity| entity.uid == claim.entity) else { continue };
            if !readable.contains(&claim.record) {
                continue;
            }
            let known = definition(&catalog, &claim).map(|(_, known)| known);
            let acts = !actor.only_looks && actor.user.is_some();
            let arbitrates = known.is_some_and(|known| may_arbitrate(actor, known));
            let is_own = actor.user == Some(claim.filer);
            let told = arbitrates || known.is_some_and(|known| known.exposes && is_own);
            let is_live = is_protected(&claim, now);
            let rival = |rival: &Claim| Rival {
                record: Some(rival.record).filter(|record| readable.contains(record)),
                filer: Some(rival.filer).filter(|_| told),
                until_at: rival.until_at.filter(|_| told),
            };
            let state = if claim.state == "protected" && !is_live { "expired" } else { claim.state.as_str() }.to_owned();
            standings.push(ClaimStanding {
                entity: entity.ix,
                registration: known.and_then(|known| entity.registrations.iter().position(|one| one.id == known.id)),
                rivals: claim.against.iter().filter_map(|id| rivals.get(id)).map(rival).collect(),
                may_decide: acts && arbitrates && !is_own && state == "contested",
                may_extend: acts
                    && is_live
                    && (is_own || arbitrates)
                    && known.and_then(|known| known.extend).is_some_and(|(_, most)| claim.extended < most),
                may_withdraw: acts && (is_own || arbitrates) && (is_live || state == "contested"),
                is_others: !is_own,
                state,
                claim,
            });
        }
        Ok(standings)
    }
}
