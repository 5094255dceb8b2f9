//! Approvals as people meet them: asking for a decision, deciding, handing it on, taking it back, standing in for one
//! another, and what becomes of requests as time goes by. What they lock and what follows stands in `approving`, who decides
//! in `approvers`.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde_json::Value as Json;

use super::approvers::{Look, Opened, Opening};
use super::approving::{Ending, decides_for, holds_seen, is_same, kept_values, seen_values, stands_for};
use super::error::{FieldFault, RecordError};
use super::hooks::Record;
use super::options::{LONGEST_REASON, Source, is_reason};
use super::plan::Compiled;
use super::rights::refused;
use super::service::Records;
use super::unit::RecordTx;
use super::world::{Setting, World};
use crate::access::{ADMINISTRATOR, Action, Actor, ActorKind, RowRules};
use crate::base::{DateTime, EntityIx, FieldIx, RecordId};
use crate::expr::needs;
use crate::schema::catalog::{Approval, Catalog, OnTimeout};
use crate::store::approvals::{self, Part, Request, StandIn, Wanted};
use crate::store::compile::Lock;

/// The kind of job that looks after requests: those whose time is over, those whom nobody can decide any more.
pub const APPROVAL: &str = "approval";

/// How often an act is tried when the record changes under it.
const ATTEMPTS: u32 = 5;
/// Requests looked after at once.
const PAGE: u32 = 200;
/// Longest time somebody stands in for another one.
const LONGEST_STAND_IN_US: i64 = 366 * 86_400 * 1_000_000;

/// A decision somebody asks for.
#[derive(Debug, Clone, Default)]
pub struct Ask {
    /// Id of the approval.
    pub approval: String,
    /// May be empty.
    pub comment: String,
    /// The run of an automation that waits for it.
    pub run: Option<i64>,
}

/// What somebody decides.
#[derive(Debug, Clone)]
pub struct Decision {
    pub approves: bool,
    /// May be empty for an approval.
    pub comment: String,
    /// For whom they stand in.
    pub on_behalf: Option<RecordId>,
}

/// A part that goes to somebody else.
#[derive(Debug, Clone)]
pub struct HandOn {
    pub to: RecordId,
    pub comment: String,
    /// Whose part it is; one's own when left out.
    pub from: Option<RecordId>,
}

/// Somebody who decides for another one.
#[derive(Debug, Clone, Copy)]
pub struct NewStandIn {
    pub person: RecordId,
    pub stand_in: RecordId,
    pub from_at: DateTime,
    pub until_at: DateTime,
}

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

/// How a record stands with an approval that a run of an automation waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ApprovalFor {
    /// It is to be asked for.
    Missing,
    Running,
    /// `approved`, `rejected`, `withdrawn`, `void`, or `not_needed`.
    Ended(String),
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

/// What an act was worked out from.
struct Ground {
    compiled: Arc<Compiled>,
    request: Request,
    record: Record,
    world: World,
    entity: EntityIx,
    approval: usize,
}

impl Ground {
    fn approval(&self) -> &Approval {
        &self.compiled.entity(self.entity).approvals[self.approval]
    }

    fn look<'a>(&'a self, actor: &'a Actor) -> Look<'a> {
        let asked_by = Some(RecordId(self.request.asked_by)).filter(|id| id.0 != 0);
        Look { compiled: &self.compiled, approval: self.approval(), record: &self.record, world: &self.world, actor, asked_by }
    }

    /// The position of the step it is in.
    fn step(&self) -> Option<usize> {
        self.approval().steps.iter().position(|step| step.id == self.request.step)
    }
}

/// How an act went, where it was not refused.
enum Went {
    Done,
    /// The record holds other values than were seen: the request is over.
    Void,
    /// The record, the request or the definitions changed meanwhile: once more.
    Again,
}

fn missing() -> RecordError {
    RecordError::NotFound { entity: "approval".to_owned(), id: "?".to_owned() }
}

fn fault(code: &str, message: impl Into<String>) -> RecordError {
    RecordError::fault(FieldFault::whole(code, message))
}

fn is_admin(actor: &Actor) -> bool {
    actor.kind == ActorKind::System || actor.roles.iter().any(|role| role == ADMINISTRATOR)
}

/// A comment that was written, or none.
fn comment(text: &str) -> Result<Option<String>, RecordError> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    if is_reason(text) {
        return Ok(Some(text.to_owned()));
    }
    let message = format!("a comment has at most {LONGEST_REASON} characters");
    Err(RecordError::fault(FieldFault::at("comment", "too_long", message).with("max", LONGEST_REASON)))
}

fn needs_comment() -> RecordError {
    RecordError::fault(FieldFault::at("comment", "approval_comment", "say why it is rejected"))
}

impl Records {
    /// Asks for a decision; gives the request's id.
    ///
    /// # Errors
    /// As for a record that is not there; `ACL005` for one who may not change it; faults where it is not needed, is under way
    /// already, or nobody could decide.
    pub async fn ask_approval(
        &self,
        actor: &Actor,
        catalog: &Arc<Catalog>,
        entity: EntityIx,
        id: RecordId,
        ask: Ask,
        source: Source,
    ) -> Result<i64, RecordError> {
        let uid = catalog.entity(entity).uid.clone();
        let slug = catalog.entity(entity).slug.clone();
        let written = comment(&ask.comment)?;
        for _ in 0..ATTEMPTS {
            let compiled = self.compiled(&self.catalog());
            let unknown = || RecordError::UnknownEntity { name: slug.clone(), near: None };
            let definition = compiled.catalog.entities.iter().find(|known| known.uid == uid).ok_or_else(unknown)?;
            let not_found = || RecordError::NotFound { entity: slug.clone(), id: id.display(&definition.prefix) };
            let Some(at) = definition.approvals.iter().position(|approval| approval.id == ask.approval) else {
                let known: Vec<&str> = definition.approvals.iter().map(|approval| approval.id.as_str()).collect();
                let message = format!("`{slug}` has no approval `{}`; there are: {}", ask.approval, known.join(", "));
                return Err(RecordError::fault(FieldFault::at("approval", "unknown_approval", message)));
            };
            let ground = self.stand(&compiled, definition.ix, at, id).await?.ok_or_else(not_found)?;
            let (record, world) = ground;
            let approval = &definition.approvals[at];
            let look = Look { compiled: &compiled, approval, record: &record, world: &world, actor, asked_by: actor.user };
            let opened = self.opening(&look, 0).await?;
            let is_needed = {
                let setting = Setting::new(&compiled, self.clock().now(), actor);
                approval.when.as_ref().is_none_or(|when| setting.holds(&world, when, &record, None))
            };
            let shared = Arc::new((opened, written.clone(), is_needed, record.version, compiled.clone()));
            let (ix, run) = (definition.ix, ask.run);
            let asked = self
                .unit(actor, source, Vec::new(), move |tx| {
                    let shared = shared.clone();
                    Box::pin(async move {
                        let (opened, comment, is_needed, version, compiled) = shared.as_ref();
                        let place = Place { entity: ix, record: id, approval: at, version: *version, run };
                        tx.ask_approval(compiled, place, opened, comment.clone(), *is_needed, source).await
                    })
                })
                .await?;
            if let Some(request) = asked {
                return Ok(request);
            }
        }
        Err(RecordError::Busy)
    }

    /// Decides for oneself, or for somebody one stands in for.
    ///
    /// # Errors
    /// As for a request that is not there where the record may not be read; `REC040` for one who is not asked; faults where
    /// it is over, one's own, or about other values by now; what the record's rules say to the values it is given.
    pub async fn decide_approval(&self, actor: &Actor, id: i64, decision: Decision, source: Source) -> Result<(), RecordError> {
        let written = comment(&decision.comment)?;
        for _ in 0..ATTEMPTS {
            let ground = self.ground(id).await?.ok_or_else(missing)?;
            let next = match ground.step() {
                Some(at) if decision.approves => self.opening(&ground.look(actor), at + 1).await?,
                _ => Ok(Opening { step: None, level: 0, need: 0, people: Vec::new(), unfit: Vec::new() }),
            };
            let shared = Arc::new((ground, next, decision.clone(), written.clone()));
            let went = self
                .unit(actor, source, Vec::new(), move |tx| {
                    let shared = shared.clone();
                    Box::pin(async move {
                        let (ground, next, decision, comment) = shared.as_ref();
                        tx.decide_approval(ground, next, decision, comment.as_deref(), source).await
                    })
                })
                .await?;
            match went {
                Went::Done => return Ok(()),
                Went::Void => return Err(fault("approval_values", "the record holds other values by now: it must be asked for anew")),
                Went::Again => {}
            }
        }
        Err(RecordError::Busy)
    }

    /// Gives a part to somebody else, who decides in place of the one it was.
    ///
    /// # Errors
    /// As [`Records::decide_approval`]; faults where the other one could not decide or is asked already.
    pub async fn hand_on_approval(&self, actor: &Actor, id: i64, hand_on: HandOn, source: Source) -> Result<(), RecordError> {
        let written = comment(&hand_on.comment)?;
        for _ in 0..ATTEMPTS {
            let ground = self.ground(id).await?.ok_or_else(missing)?;
            let (fit, _) = self.sorted(&ground.look(actor), vec![hand_on.to]).await?;
            let shared = Arc::new((ground, !fit.is_empty(), hand_on.clone(), written.clone()));
            let went = self
                .unit(actor, source, Vec::new(), move |tx| {
                    let shared = shared.clone();
                    Box::pin(async move {
                        let (ground, is_fit, hand_on, comment) = shared.as_ref();
                        tx.hand_on_approval(ground, hand_on, *is_fit, comment.as_deref()).await
                    })
                })
                .await?;
            if !matches!(went, Went::Again) {
                return Ok(());
            }
        }
        Err(RecordError::Busy)
    }

    /// Takes back what one asked for; administrators take back what anybody did.
    ///
    /// # Errors
    /// As [`Records::decide_approval`].
    pub async fn withdraw_approval(&self, actor: &Actor, id: i64, source: Source) -> Result<(), RecordError> {
        for _ in 0..ATTEMPTS {
            let ground = Arc::new(self.ground(id).await?.ok_or_else(missing)?);
            let went = self
                .unit(actor, source, Vec::new(), move |tx| {
                    let ground = ground.clone();
                    Box::pin(async move { tx.withdraw_approval(&ground, source).await })
                })
                .await?;
            if !matches!(went, Went::Again) {
                return Ok(());
            }
        }
        Err(RecordError::Busy)
    }

    /// What a job of kind [`APPROVAL`] names, or all that is not decided. Gives how many went on.
    ///
    /// # Errors
    /// The database, and what the record's rules say to the values a rejection gives it.
    pub async fn look_after_approvals(&self, payload: &Json) -> Result<usize, RecordError> {
        let mut done = 0;
        if let Some(id) = payload.get("request").and_then(Json::as_i64) {
            return Ok(usize::from(self.look_after(id).await?));
        }
        let mut after = 0;
        loop {
            let ids = approvals::running(self.store(), after, PAGE).await?;
            let Some(last) = ids.last().copied() else { return Ok(done) };
            for id in ids {
                match self.look_after(id).await {
                    Ok(went_on) => done += usize::from(went_on),
                    // One that cannot go on must not keep the others waiting.
                    Err(error) => tracing::warn!(request = id, error = %error, "an approval cannot go on"),
                }
            }
            after = last;
        }
    }

    async fn look_after(&self, id: i64) -> Result<bool, RecordError> {
        let actor = Actor { kind: ActorKind::Automation, ..Actor::system() };
        for _ in 0..ATTEMPTS {
            let Some(request) = approvals::get(self.store(), id).await?.filter(|request| request.state == "running") else {
                return Ok(false);
            };
            let Some(ground) = self.ground(id).await? else {
                return self.unit(&actor, Source::Automation, Vec::new(), move |tx| Box::pin(tx.drop_approval(id))).await;
            };
            if ground.request != request {
                continue;
            }
            let look = ground.look(&actor);
            let parts = approvals::parts(self.store(), &[id]).await?;
            let waiting = parts.iter().filter(|part| part.state == "waiting" && part.step == request.step).map(|part| part.person);
            let (_, unfit) = self.sorted(&look, waiting.collect()).await?;
            let is_late = request.due_at.is_some_and(|due| due <= self.clock().now());
            let Some(at) = ground.step() else {
                return self.unit(&actor, Source::Automation, Vec::new(), move |tx| Box::pin(tx.drop_approval(id))).await;
            };
            let step = &ground.approval().steps[at];
            let here: Vec<RecordId> = parts.iter().filter(|part| part.step == request.step).map(|part| part.person).collect();
            let (from, why) = if is_late { (request.level + 1, "escalated") } else { (request.level.max(1), "nobody") };
            let beyond = match is_late || !unfit.is_empty() {
                true => self.beyond(&look, step, from, why, &here).await?,
                false => (request.level, Vec::new()),
            };
            let next = self.opening(&look, at + 1).await?;
            let shared = Arc::new((ground, unfit, beyond, next, is_late));
            let went = self
                .unit(&actor, Source::Automation, Vec::new(), move |tx| {
                    let shared = shared.clone();
                    Box::pin(async move {
                        let (ground, unfit, beyond, next, is_late) = shared.as_ref();
                        tx.look_after_approval(ground, unfit, beyond, next, *is_late).await
                    })
                })
                .await?;
            match went {
                Some(went_on) => return Ok(went_on),
                None => continue,
            }
        }
        Err(RecordError::Busy)
    }

    /// A live record with what its approvals read.
    async fn stand(
        &self,
        compiled: &Arc<Compiled>,
        entity: EntityIx,
        _approval: usize,
        id: RecordId,
    ) -> Result<Option<(Record, World)>, RecordError> {
        let system = Actor::system();
        let definition = compiled.entity(entity);
        let mut reader = self.reader(compiled, &system, None);
        let found = reader.load(entity, &[id], Lock::None).await?.pop().filter(|record| !record.is_deleted(definition));
        let Some(record) = found else { return Ok(None) };
        let mut world = World::default();
        reader.gather(&mut world, std::slice::from_ref(&record), &compiled.plan(entity).approval_needs, false).await?;
        Ok(Some((record, world)))
    }

    /// A request with its record and definition; `None` where one of them is gone.
    async fn ground(&self, id: i64) -> Result<Option<Ground>, RecordError> {
        let Some(request) = approvals::get(self.store(), id).await? else { return Ok(None) };
        let compiled = self.compiled(&self.catalog());
        let Some(entity) = compiled.catalog.entities.iter().find(|entity| entity.uid == request.entity) else { return Ok(None) };
        let Some(approval) = entity.approvals.iter().position(|approval| approval.id == request.approval) else { return Ok(None) };
        let entity = entity.ix;
        let Some((record, world)) = self.stand(&compiled, entity, approval, request.record).await? else { return Ok(None) };
        Ok(Some(Ground { compiled, request, record, world, entity, approval }))
    }

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
        let (record, mut world) = self.stand(&compiled, entity, 0, id).await?.ok_or_else(not_found)?;
        let requests = approvals::of_record(self.store(), id).await?;
        let standings = self.standings(actor, requests.clone()).await?;
        world.approvals.insert(id, requests);
        let may_update = self.may(actor, catalog, entity, id).await?.update && !actor.only_looks;
        let granted = actor.standing(&compiled.catalog)?.part().cloned();
        let rules = granted.as_deref().map_or(RowRules::none(), |granted| granted.rules());
        let setting = Setting::new(&compiled, self.clock().now(), actor);
        let offered = definition.approvals.iter().enumerate().map(|(at, approval)| {
            let reads = |when| super::gates::reads_openly(rules, entity, &needs(when));
            let is_open = approval.when.as_ref().is_none_or(reads);
            let is_needed = !is_open || approval.when.as_ref().is_none_or(|when| setting.holds(&world, when, &record, None));
            // What was approved for other values tells of those.
            let reads_all = approval.fields.iter().all(|field| super::gates::is_open(rules, entity, *field));
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

    /// Who stands in for whom, as far as it concerns a person: themselves, or anybody for an administrator.
    ///
    /// # Errors
    /// `REC040` for somebody else's; the database.
    pub async fn stand_ins(&self, actor: &Actor, person: RecordId) -> Result<Vec<StandIn>, RecordError> {
        own_or_admin(actor, person)?;
        Ok(approvals::stand_ins(self.store(), person, self.clock().now()).await?)
    }

    /// Lets somebody decide for another one for some time.
    ///
    /// # Errors
    /// `REC040` for somebody else's; faults where the time is over or too long, or there is no such active person.
    pub async fn add_stand_in(&self, actor: &Actor, new: NewStandIn, source: Source) -> Result<StandIn, RecordError> {
        own_or_admin(actor, new.person)?;
        let now = self.clock().now();
        let at = |name: &str, code: &str, message: &str| Err(RecordError::fault(FieldFault::at(name, code, message)));
        if new.person == new.stand_in {
            return at("stand_in", "stand_in_self", "nobody stands in for themselves");
        }
        if new.until_at <= now || new.until_at <= new.from_at {
            return at("until", "stand_in_over", "the end lies before the beginning, or is over already");
        }
        if new.until_at.0.saturating_sub(new.from_at.0) > LONGEST_STAND_IN_US {
            return at("until", "stand_in_long", "somebody stands in for at most 366 days");
        }
        let reads = match self.catalog().find_entity("core.user") {
            Some(people) => self.reads(actor, &self.catalog(), people.ix, new.stand_in).await?,
            None => false,
        };
        if !reads || self.actor_of(new.stand_in).await?.is_none() || self.actor_of(new.person).await?.is_none() {
            return at("stand_in", "stand_in_unknown", "there is no such active person");
        }
        let by = actor.user_id();
        self.unit(actor, source, Vec::new(), move |tx| {
            Box::pin(async move {
                let known = approvals::stand_ins_in(tx.store, new.person).await?;
                if known.len() >= 100 {
                    return Err(fault("stand_in_many", "there are a hundred of them already: end some first"));
                }
                let NewStandIn { person, stand_in, from_at, until_at } = new;
                let one = StandIn { id: tx.mint().0, person, stand_in, from_at, until_at, made_by: by };
                approvals::add_stand_in(tx.store, &one).await?;
                tx.note_stand_in("stand_in.add", &one).await?;
                Ok(one)
            })
        })
        .await
    }

    /// Ends it before its time; `false` when there is none that the actor may end.
    ///
    /// # Errors
    /// The database.
    pub async fn end_stand_in(&self, actor: &Actor, id: i64, source: Source) -> Result<bool, RecordError> {
        self.unit(actor, source, Vec::new(), move |tx| {
            Box::pin(async move {
                let known = approvals::stand_in_of(tx.store, id).await?;
                let Some(known) = known.filter(|known| is_admin(tx.actor()) || tx.actor().user == Some(known.person)) else {
                    return Ok(false);
                };
                approvals::end_stand_in(tx.store, id).await?;
                tx.note_stand_in("stand_in.end", &known).await?;
                Ok(true)
            })
        })
        .await
    }
}

fn own_or_admin(actor: &Actor, person: RecordId) -> Result<(), RecordError> {
    match is_admin(actor) || actor.user == Some(person) {
        true => Ok(()),
        false => Err(RecordError::Forbidden("only an administrator says who stands in for somebody else".to_owned())),
    }
}

/// Whether the actor is one of those who may ask; nobody named is everybody.
fn has_role(actor: &Actor, roles: &[String]) -> bool {
    roles.is_empty() || is_admin(actor) || actor.roles.iter().any(|role| roles.contains(role))
}

/// What is asked about.
struct Place {
    entity: EntityIx,
    record: RecordId,
    approval: usize,
    version: i64,
    run: Option<i64>,
}

impl RecordTx<'_> {
    /// `None`: the record or the definitions changed meanwhile.
    async fn ask_approval(
        &mut self,
        compiled: &Arc<Compiled>,
        place: Place,
        opened: &Opened,
        comment: Option<String>,
        is_needed: bool,
        source: Source,
    ) -> Result<Option<i64>, RecordError> {
        if !Arc::ptr_eq(self.catalog(), &compiled.catalog) {
            return Ok(None);
        }
        let record = self.load_live(place.entity, place.record, Lock::Change).await?;
        self.expect_may(Action::Update, &record, None).await?;
        let entity = compiled.entity(place.entity);
        let approval = &entity.approvals[place.approval];
        if !has_role(&self.scope.actor, &approval.askers) {
            return Err(RecordError::Forbidden(format!("only {} may ask for `{}`", approval.askers.join(", "), approval.id)));
        }
        if record.version != place.version {
            return Ok(None);
        }
        if !is_needed {
            let granted = self.granted()?;
            let rules = granted.as_ref().map_or(RowRules::none(), |granted| granted.rules());
            let is_open = approval.when.as_ref().is_none_or(|when| super::gates::reads_openly(rules, place.entity, &needs(when)));
            let told = FieldFault::whole("approval_not_needed", format!("this {} needs no `{}`", entity.slug, approval.id));
            return Err(RecordError::fault(if is_open { told } else { refused() }));
        }
        if let Some(known) = approvals::running_in(self.store, record.id).await?.iter().find(|known| known.approval == approval.id) {
            let message = format!("`{}` is asked for already and not decided", approval.id);
            return Err(RecordError::fault(FieldFault::whole("approval_asked", message).with("request", known.id.to_string())));
        }
        let opening = opened.as_ref().map_err(|fault| RecordError::fault(fault.clone()))?;
        let seen = kept_values(&compiled.catalog, entity, approval, &record);
        let request = Request {
            id: self.mint().0,
            approval: approval.id.clone(),
            entity: entity.uid.clone(),
            record: record.id,
            state: "running".to_owned(),
            step: String::new(),
            level: 0,
            need: 0,
            asked_by: self.scope.actor.user_id(),
            asked_at: self.now(),
            comment,
            seen: Json::Object(seen).to_string(),
            due_at: None,
            ended_at: None,
            ended_by: 0,
            reason: None,
            run: place.run,
        };
        let id = request.id;
        if opening.step.is_none() {
            self.begin_approval(entity, approval, request.clone(), opening).await?;
            let ending = Ending { state: "approved", by: 0, reason: Some("nobody"), source, approval: Some(approval) };
            self.finish_approval(compiled, &request, record, ending).await?;
        } else {
            self.begin_approval(entity, approval, request, opening).await?;
        }
        Ok(Some(id))
    }

    /// What is known of an approval since a moment; what was approved before counts where the record holds the same values.
    ///
    /// # Errors
    /// The database; a fault where the definition is gone.
    pub async fn approval_for(&mut self, record: &Record, approval: &str, since: DateTime) -> Result<ApprovalFor, RecordError> {
        let compiled = self.scope.compiled.clone();
        let entity = compiled.entity(record.entity);
        let unknown = || RecordError::fault(FieldFault::whole("unknown_approval", format!("there is no approval `{approval}`")));
        let definition = entity.approvals.iter().find(|known| known.id == approval).ok_or_else(unknown)?;
        let found = approvals::of_record_in(self.store, record.id).await?;
        let mut own = found.iter().filter(|request| request.approval == approval);
        match own.next() {
            Some(last) if last.state == "running" => return Ok(ApprovalFor::Running),
            Some(last) if last.ended_at.is_some_and(|at| at >= since) => return Ok(ApprovalFor::Ended(last.state.clone())),
            _ => {}
        }
        let counts = |request: &&Request| {
            request.approval == approval
                && request.state == "approved"
                && holds_seen(&compiled.catalog, entity, definition, request, record)
        };
        if found.iter().any(|request| counts(&request)) {
            return Ok(ApprovalFor::Ended("approved".to_owned()));
        }
        match &definition.when {
            Some(when) if !self.holds(when, record, None).await? => Ok(ApprovalFor::Ended("not_needed".to_owned())),
            _ => Ok(ApprovalFor::Missing),
        }
    }

    /// The request and its record as they are now, locked; `None` where they are others than an act was worked out from.
    async fn regain(&mut self, ground: &Ground) -> Result<Option<(Request, Record)>, RecordError> {
        if !Arc::ptr_eq(self.catalog(), &ground.compiled.catalog) {
            return Ok(None);
        }
        if !self.readable(ground.entity, &[ground.request.record]).await?.contains(&ground.request.record) {
            return Err(missing());
        }
        let record = self.load(ground.entity, &[ground.request.record], Lock::Change).await?.pop();
        let Some(record) = record.filter(|record| !record.is_deleted(ground.compiled.entity(ground.entity))) else {
            return Err(missing());
        };
        let request = approvals::get_in(self.store, ground.request.id).await?.ok_or_else(missing)?;
        if request.state != "running" {
            let message = format!("this is over: it is {}", request.state);
            return Err(RecordError::fault(FieldFault::whole("approval_over", message).with("state", request.state.as_str())));
        }
        let is_same = request == ground.request && record.version == ground.record.version;
        Ok(is_same.then_some((request, record)))
    }

    async fn my_stands(&mut self, me: RecordId) -> Result<Vec<RecordId>, RecordError> {
        let now = self.now();
        Ok(stands_for(&approvals::stand_ins_in(self.store, me).await?, me, now))
    }

    async fn decide_approval(
        &mut self,
        ground: &Ground,
        next: &Opened,
        decision: &Decision,
        comment: Option<&str>,
        source: Source,
    ) -> Result<Went, RecordError> {
        let Some((request, record)) = self.regain(ground).await? else { return Ok(Went::Again) };
        let (compiled, approval) = (ground.compiled.clone(), ground.approval());
        let me = self.scope.actor.user.ok_or_else(|| RecordError::Forbidden("only people decide".to_owned()))?;
        let parts = approvals::parts_in(self.store, &[request.id]).await?;
        let others = self.my_stands(me).await?;
        let mine = decides_for(&request, &parts, approval, me, &others).map_err(|code| match code {
            "approval_own" => fault(code, "whoever asked does not decide: another one must"),
            "approval_decided" => fault(code, "you have decided in this step already: another one must too"),
            _ => RecordError::Forbidden("you are not asked to decide this".to_owned()),
        })?;
        let person = match decision.on_behalf {
            Some(person) if mine.contains(&person) => person,
            Some(_) => return Err(RecordError::Forbidden("you do not stand in for this person here".to_owned())),
            None => mine[0],
        };
        if !decision.approves && comment.is_none() {
            return Err(needs_comment());
        }
        let entity = compiled.entity(ground.entity);
        if !holds_seen(&compiled.catalog, entity, approval, &request, &record) {
            let ending = Ending { state: "void", by: 0, reason: Some("values"), source, approval: None };
            self.finish_approval(&compiled, &request, record, ending).await?;
            return Ok(Went::Void);
        }
        let Some(part) = parts.iter().find(|part| part.step == request.step && part.state == "waiting" && part.person == person) else {
            return Ok(Went::Again);
        };
        let state = if decision.approves { "approved" } else { "rejected" };
        if !approvals::settle(self.store, part.id, state, me.0, comment).await? {
            return Ok(Went::Again);
        }
        let version = record.version;
        if decision.approves {
            let before = parts.iter().filter(|part| part.step == request.step && part.state == "approved").count();
            if i64::try_from(before).unwrap_or(i64::MAX) + 1 >= request.need {
                self.advance_approval(&compiled, approval, &request, record, next, source).await?;
            }
        } else {
            let ending = Ending { state: "rejected", by: me.0, reason: None, source, approval: Some(approval) };
            self.finish_approval(&compiled, &request, record, ending).await?;
        }
        let behalf = (person != me).then(|| self.shown_person(person));
        let facts = [
            ("decision", Json::from(state)),
            ("step", Json::from(request.step.as_str())),
            ("version", Json::from(version)),
            ("for", Json::from(behalf)),
        ];
        self.note_approval(entity, &request, "approval.decide", &facts).await?;
        Ok(Went::Done)
    }

    async fn hand_on_approval(
        &mut self,
        ground: &Ground,
        hand_on: &HandOn,
        is_fit: bool,
        comment: Option<&str>,
    ) -> Result<Went, RecordError> {
        let Some((request, _)) = self.regain(ground).await? else { return Ok(Went::Again) };
        let me = self.scope.actor.user;
        let others = match me {
            Some(me) => self.my_stands(me).await?,
            None => Vec::new(),
        };
        let parts = approvals::parts_in(self.store, &[request.id]).await?;
        let here = || parts.iter().filter(|part| part.step == request.step);
        let is_mine = |person: RecordId| me == Some(person) || others.contains(&person);
        let wanted = |part: &&Part| match hand_on.from {
            Some(from) => part.person == from && (is_mine(from) || is_admin(&self.scope.actor)),
            None => is_mine(part.person),
        };
        let mut waiting: Vec<&Part> = here().filter(|part| part.state == "waiting").filter(wanted).collect();
        waiting.sort_by_key(|part| Some(part.person) != me);
        let Some(part) = waiting.first() else { return Err(RecordError::Forbidden("you are not asked to decide this".to_owned())) };
        let at = |code: &str, message: &str| Err(RecordError::fault(FieldFault::at("to", code, message)));
        // Whether somebody who may not be known of is there is not told either.
        let people = ground.compiled.catalog.find_entity("core.user").map(|people| people.ix);
        let is_known = match people {
            Some(people) => self.readable(people, &[hand_on.to]).await?.contains(&hand_on.to),
            None => false,
        };
        if !is_fit || !is_known {
            return at("approval_unfit", "this person cannot decide it: not active, not allowed to read the record, or the one who asked");
        }
        if here().any(|part| part.person == hand_on.to && matches!(part.state.as_str(), "waiting" | "approved")) {
            return at("approval_has_part", "this person is asked in this step already");
        }
        let by = self.scope.actor.user_id();
        if !approvals::settle(self.store, part.id, "handed_on", by, comment).await? {
            return Ok(Went::Again);
        }
        approvals::ask(self.store, request.id, &request.step, hand_on.to, "handed_on", part.person.0).await?;
        let facts = [
            ("from", Json::from(self.shown_person(part.person))),
            ("to", Json::from(self.shown_person(hand_on.to))),
            ("step", Json::from(request.step.as_str())),
        ];
        let entity = ground.compiled.entity(ground.entity);
        self.note_approval(entity, &request, "approval.hand_on", &facts).await?;
        Ok(Went::Done)
    }

    async fn withdraw_approval(&mut self, ground: &Ground, source: Source) -> Result<Went, RecordError> {
        let Some((request, record)) = self.regain(ground).await? else { return Ok(Went::Again) };
        let by = self.scope.actor.user_id();
        if (by == 0 || request.asked_by != by) && !is_admin(&self.scope.actor) {
            return Err(RecordError::Forbidden("only whoever asked takes it back, or an administrator".to_owned()));
        }
        let ending = Ending { state: "withdrawn", by, reason: None, source, approval: None };
        self.finish_approval(&ground.compiled, &request, record, ending).await?;
        Ok(Went::Done)
    }

    /// The record or the definition is gone: nothing can be decided.
    fn drop_approval(&mut self, id: i64) -> impl Future<Output = Result<bool, RecordError>> + Send + '_ {
        async move {
            match approvals::get_in(self.store, id).await? {
                Some(request) => self.close(&request, "void", 0, Some("definition")).await,
                None => Ok(false),
            }
        }
    }

    /// `None`: something changed meanwhile, once more.
    async fn look_after_approval(
        &mut self,
        ground: &Ground,
        unfit: &[RecordId],
        beyond: &(i64, Vec<(RecordId, &'static str)>),
        next: &Opened,
        is_late: bool,
    ) -> Result<Option<bool>, RecordError> {
        let (request, record) = match self.regain(ground).await {
            Ok(Some(found)) => found,
            Ok(None) => return Ok(None),
            Err(RecordError::Invalid(_) | RecordError::NotFound { .. }) => return Ok(Some(false)),
            Err(error) => return Err(error),
        };
        let compiled = ground.compiled.clone();
        let (entity, approval) = (compiled.entity(ground.entity), ground.approval());
        let Some(at) = ground.step() else { return Ok(Some(false)) };
        let source = Source::Automation;
        if !holds_seen(&compiled.catalog, entity, approval, &request, &record) {
            let ending = Ending { state: "void", by: 0, reason: Some("values"), source, approval: None };
            self.finish_approval(&compiled, &request, record, ending).await?;
            return Ok(Some(true));
        }
        if is_late && approval.steps[at].on_timeout == OnTimeout::Reject {
            let ending = Ending { state: "rejected", by: 0, reason: Some("time"), source, approval: Some(approval) };
            self.finish_approval(&compiled, &request, record, ending).await?;
            return Ok(Some(true));
        }
        if !is_late && unfit.is_empty() {
            return Ok(Some(false));
        }
        let parts = approvals::parts_in(self.store, &[request.id]).await?;
        let here: Vec<&Part> = parts.iter().filter(|part| part.step == request.step).collect();
        let waiting: Vec<&&Part> = here.iter().filter(|part| part.state == "waiting").collect();
        let count = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        let approved = count(here.iter().filter(|part| part.state == "approved").count());
        if is_late {
            let (level, people) = beyond;
            if people.is_empty() {
                // Nobody is left to ask: it stays with those who are.
                approvals::go_on(self.store, request.id, &request.step, *level, request.need, None).await?;
                return Ok(Some(true));
            }
            approvals::settle_rest(self.store, request.id, "late").await?;
            return self.pass_on(ground, &request, (*level, people), approved + 1).await.map(Some);
        }
        for part in waiting.iter().filter(|part| unfit.contains(&part.person)) {
            approvals::settle(self.store, part.id, "gone", 0, None).await?;
        }
        let gone = count(waiting.iter().filter(|part| unfit.contains(&part.person)).count());
        let left = count(waiting.len()) - gone;
        let all = approval.steps[at].need == crate::schema::catalog::Need::All && request.level == 0;
        let need = if all { (request.need - gone).max(1) } else { request.need };
        if approved >= need {
            self.advance_approval(&compiled, approval, &request, record, next, source).await?;
        } else if approved + left >= need {
            approvals::go_on(self.store, request.id, &request.step, request.level, need, request.due_at).await?;
        } else {
            let (level, people) = beyond;
            return self.pass_on(ground, &request, (*level, people), need).await.map(Some);
        }
        Ok(Some(true))
    }

    /// Asks others, who have as much time as the first had.
    async fn pass_on(
        &mut self,
        ground: &Ground,
        request: &Request,
        (level, people): (i64, &Vec<(RecordId, &'static str)>),
        need: i64,
    ) -> Result<bool, RecordError> {
        let opening = Opening { step: ground.step(), level, need, people: people.clone(), unfit: Vec::new() };
        let Some(at) = opening.step else { return Ok(false) };
        self.enter_step(ground.approval(), request, at, &opening).await?;
        let facts = [("state", Json::from("passed_on")), ("step", Json::from(request.step.as_str())), ("level", Json::from(level))];
        self.note_approval(ground.compiled.entity(ground.entity), request, "approval.hand_on", &facts).await?;
        Ok(true)
    }

    fn shown_person(&self, person: RecordId) -> String {
        person.display(self.scope.compiled.catalog.find_entity("core.user").map_or("", |people| people.prefix.as_str()))
    }

    async fn note_stand_in(&mut self, action: &'static str, one: &StandIn) -> Result<(), RecordError> {
        let entry = crate::store::audit::Entry::new(action)
            .on("core.user", one.person.0)
            .fact("stand_in", self.shown_person(one.stand_in))
            .fact("from", one.from_at.to_string())
            .fact("until", one.until_at.to_string());
        crate::store::audit::append(self.store, entry).await?;
        Ok(())
    }
}
