//! Requests as somebody may see them, and what can be asked about a record.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde_json::Value as Json;

use super::super::approving::{decides_for, is_same, seen_values, stands_for};
use super::super::error::RecordError;
use super::super::gates::{is_open, reads_openly};
use super::super::hooks::Record;
use super::super::service::Records;
use super::super::world::Setting;
use super::{has_role, is_admin};
use crate::access::{Actor, RowRules};
use crate::base::{EntityIx, FieldIx, RecordId};
use crate::expr::needs;
use crate::schema::catalog::Catalog;
use crate::store::approvals::{self, Part, Request, Wanted};
use crate::store::compile::Lock;

/// Which requests are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApprovalFilter {
    /// The actor is to decide, or may for another one.
    Waiting,
    Asked,
    Decided,
}

/// A value that is decided on.
#[derive(Debug, Clone, PartialEq)]
pub struct SeenValue {
    pub field: FieldIx,
    pub value: Json,
    /// The record holds it still.
    pub is_same: bool,
}

/// A request as somebody may see it.
#[derive(Debug, Clone)]
pub struct ApprovalStanding {
    pub request: Request,
    /// Everybody who was asked, in order.
    pub parts: Vec<Part>,
    pub entity: EntityIx,
    /// Position in the entity's approvals; `None` where the definition is gone.
    pub approval: Option<usize>,
    pub values: Vec<SeenValue>,
    /// There are values the actor may not see.
    pub hides_values: bool,
    /// For whom the actor may decide: themselves first.
    pub decides_for: Vec<RecordId>,
    /// Whose parts the actor may hand on.
    pub hands_on: Vec<RecordId>,
    pub may_withdraw: bool,
}

impl ApprovalStanding {
    /// It was approved, and as far as the actor may know the record holds what was approved.
    pub fn counts(&self) -> bool {
        self.request.state == "approved" && self.values.iter().all(|value| value.is_same)
    }
}

/// An approval that can be asked for about a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offered {
    /// Position in the entity's approvals.
    pub approval: usize,
    /// `not_needed`, `missing`, `running`, `rejected`, `void` or `approved`.
    pub state: &'static str,
    pub may_ask: bool,
}

impl Records {
    /// One request; `None` where there is none, or its record may not be read.
    ///
    /// # Errors
    /// The database.
    pub async fn approval(&self, actor: &Actor, id: i64) -> Result<Option<ApprovalStanding>, RecordError> {
        let Some(request) = approvals::get(self.store(), id).await? else { return Ok(None) };
        Ok(self.standings(actor, vec![request]).await?.pop())
    }

    /// The requests the actor has to do with, newest first, and whether there are more before the last.
    ///
    /// # Errors
    /// The database.
    pub async fn approvals(
        &self,
        actor: &Actor,
        filter: ApprovalFilter,
        before: Option<i64>,
        limit: u32,
    ) -> Result<(Vec<ApprovalStanding>, Option<i64>), RecordError> {
        let Some(me) = actor.user else { return Ok((Vec::new(), None)) };
        let wanted = match filter {
            ApprovalFilter::Asked => Wanted::AskedBy(me),
            ApprovalFilter::Decided => Wanted::DecidedBy(me),
            ApprovalFilter::Waiting => {
                let now = self.clock().now();
                let mut people = stands_for(&approvals::stand_ins(self.store(), me, now).await?, me, now);
                people.push(me);
                Wanted::Waiting(people)
            }
        };
        let mut found = approvals::list(self.store(), &wanted, before, limit + 1).await?;
        let has_more = found.len() > limit as usize;
        found.truncate(limit as usize);
        let next = found.last().filter(|_| has_more).map(|request| request.id);
        Ok((self.standings(actor, found).await?, next))
    }

    /// What was asked about a record, newest first, and what can be asked.
    ///
    /// # Errors
    /// As for a record that is not there where it may not be read; the database.
    pub async fn approvals_of(
        &self,
        actor: &Actor,
        catalog: &Arc<Catalog>,
        entity: EntityIx,
        id: RecordId,
    ) -> Result<(Vec<ApprovalStanding>, Vec<Offered>), RecordError> {
        let compiled = self.compiled(&catalog.whole());
        let definition = compiled.entity(entity);
        let not_found = || RecordError::NotFound { entity: definition.slug.clone(), id: id.display(&definition.prefix) };
        if !self.reads(actor, catalog, entity, id).await? {
            return Err(not_found());
        }
        if definition.approvals.is_empty() {
            return Ok((Vec::new(), Vec::new()));
        }
        let (record, mut world) = self.stand(&compiled, entity, id).await?.ok_or_else(not_found)?;
        let requests = approvals::of_record(self.store(), id).await?;
        let standings = self.standings(actor, requests.clone()).await?;
        world.approvals.insert(id, requests);
        let may_update = self.may(actor, catalog, entity, id).await?.update && !actor.only_looks;
        let granted = actor.standing(&compiled.catalog)?.part().cloned();
        let rules = granted.as_deref().map_or(RowRules::none(), |granted| granted.rules());
        let setting = Setting::new(&compiled, self.clock().now(), actor);
        let offered = definition.approvals.iter().enumerate().map(|(at, approval)| {
            let reads = |when| reads_openly(rules, entity, &needs(when));
            let opens = approval.when.as_ref().is_none_or(reads);
            let is_needed = !opens || approval.when.as_ref().is_none_or(|when| setting.holds(&world, when, &record, None));
            // What was approved for other values tells of those.
            let reads_all = approval.fields.iter().all(|field| is_open(rules, entity, *field));
            let state = match setting.approval_state(&world, &record, approval).0 {
                _ if !is_needed => "not_needed",
                "void" if !reads_all => "approved",
                state => state,
            };
            let may = has_role(actor, &approval.askers) && is_needed && may_update;
            Offered { approval: at, state, may_ask: may && !matches!(state, "running" | "approved") }
        });
        Ok((standings, offered.collect()))
    }

    /// Requests as an actor may see them; those about records they may not read are left out. A fixed number of statements
    /// for each entity.
    async fn standings(&self, actor: &Actor, requests: Vec<Request>) -> Result<Vec<ApprovalStanding>, RecordError> {
        let catalog = self.catalog();
        let compiled = self.compiled(&catalog);
        let system = Actor::system();
        let mut by_entity: BTreeMap<EntityIx, Vec<RecordId>> = BTreeMap::new();
        let of = |request: &Request| catalog.entities.iter().find(|entity| entity.uid == request.entity);
        for request in &requests {
            if let Some(entity) = of(request) {
                by_entity.entry(entity.ix).or_default().push(request.record);
            }
        }
        let mut records: HashMap<RecordId, Record> = HashMap::new();
        let mut sights = HashMap::new();
        for (entity, mut ids) in by_entity {
            ids.sort_unstable();
            ids.dedup();
            let found = self.reader(&compiled, &system, None).load(entity, &ids, Lock::None).await?;
            let live = found.into_iter().filter(|record| !record.is_deleted(compiled.entity(entity)));
            records.extend(live.map(|record| (record.id, record)));
            sights.insert(entity, self.sight(actor, &catalog, entity, &ids).await?);
        }
        let ids: Vec<i64> = requests.iter().map(|request| request.id).collect();
        let mut parts: HashMap<i64, Vec<Part>> = HashMap::new();
        if !ids.is_empty() {
            for part in approvals::parts(self.store(), &ids).await? {
                parts.entry(part.request).or_default().push(part);
            }
        }
        let now = self.clock().now();
        let for_others = match actor.user {
            Some(me) => stands_for(&approvals::stand_ins(self.store(), me, now).await?, me, now),
            None => Vec::new(),
        };
        let mut standings = Vec::with_capacity(requests.len());
        for request in requests {
            let Some(entity) = of(&request) else { continue };
            let Some(record) = records.get(&request.record) else { continue };
            let sight = sights.get(&entity.ix).and_then(Option::as_ref);
            if sight.is_some_and(|sight| !sight.sees(record.id)) {
                continue;
            }
            let at = entity.approvals.iter().position(|approval| approval.id == request.approval);
            let seen = seen_values(&request).unwrap_or_default();
            let kept = || entity.fields.iter().filter(|field| seen.contains_key(&field.uid));
            let shows = |name: &str| sight.is_none_or(|sight| sight.shows(entity, record.id, name));
            let values = kept().filter(|field| shows(&field.name)).map(|field| SeenValue {
                field: field.ix,
                value: seen.get(&field.uid).cloned().unwrap_or_default(),
                is_same: is_same(&catalog, entity, &seen, record, field.ix),
            });
            let values: Vec<SeenValue> = values.collect();
            let parts = parts.remove(&request.id).unwrap_or_default();
            let is_running = request.state == "running" && !actor.only_looks;
            let approval = at.map(|at| &entity.approvals[at]);
            let decides = match (approval, actor.user) {
                (Some(approval), Some(me)) if is_running => decides_for(&request, &parts, approval, me, &for_others).unwrap_or_default(),
                _ => Vec::new(),
            };
            let is_mine = |person: RecordId| actor.user == Some(person) || for_others.contains(&person) || is_admin(actor);
            let waiting = parts.iter().filter(|part| part.state == "waiting" && is_running);
            standings.push(ApprovalStanding {
                hides_values: values.len() < kept().count(),
                hands_on: waiting.map(|part| part.person).filter(|person| is_mine(*person)).collect(),
                may_withdraw: is_running && (actor.user.is_some_and(|me| me.0 == request.asked_by) || is_admin(actor)),
                decides_for: decides,
                entity: entity.ix,
                approval: at,
                values,
                parts,
                request,
            });
        }
        Ok(standings)
    }
}
