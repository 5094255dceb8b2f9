//! Approvals inside a unit of work: what they lock, how they go on, what follows in the end. The record's row is locked first
//! in each of them, so of two who decide in the same moment the second sees what the first did.

use std::sync::Arc;

use serde_json::{Map, Value as Json};

use super::approvers::{Opened, Opening};
use super::error::{FieldFault, RecordError};
use super::hooks::Record;
use super::input::Input;
use super::options::{Source, WriteOptions};
use super::plan::Compiled;
use super::prepare::Target;
use super::unit::RecordTx;
use super::world::{Setting, World};
use crate::base::{DateTime, FieldIx, RecordId, Value};
use crate::schema::catalog::{Approval, Catalog, Entity, FieldType, Given, GivenValue};
use crate::schema::field_type;
use crate::store::approvals::{self, Part, Request, StandIn};
use crate::store::compile::Lock;
use crate::store::notifications::{self, PROGRAM, Said, Telling};
use crate::store::{audit, jobs, runs};

/// The values that are decided on, by uid of their fields.
pub(super) fn kept_values(catalog: &Catalog, entity: &Entity, approval: &Approval, record: &Record) -> Map<String, Json> {
    approval.fields.iter().map(|field| (entity.field(*field).uid.clone(), kept_value(catalog, entity, record, *field))).collect()
}

fn kept_value(catalog: &Catalog, entity: &Entity, record: &Record, field: FieldIx) -> Json {
    let mut value = field_type::to_json(catalog, entity.field(field), record.get(field));
    // What an amount is worth in the workspace's currency is no part of what was decided.
    if let (FieldType::Money { .. }, Json::Object(money)) = (&entity.field(field).ty, &mut value) {
        money.shift_remove("base");
    }
    value
}

/// The values as they were when somebody asked; none where they were erased.
pub(super) fn seen_values(request: &Request) -> Option<Map<String, Json>> {
    match crate::base::json::parse(request.seen.as_bytes()) {
        Ok(Json::Object(seen)) => Some(seen),
        _ => None,
    }
}

/// Whether a field still holds what was seen.
pub(super) fn is_same(catalog: &Catalog, entity: &Entity, seen: &Map<String, Json>, record: &Record, field: FieldIx) -> bool {
    seen.get(&entity.field(field).uid).is_some_and(|seen| *seen == kept_value(catalog, entity, record, field))
}

/// Whether the record holds just the values that were seen, in all fields that the approval decides on by now.
pub(super) fn holds_seen(catalog: &Catalog, entity: &Entity, approval: &Approval, request: &Request, record: &Record) -> bool {
    let Some(seen) = seen_values(request) else { return false };
    approval.fields.iter().all(|field| is_same(catalog, entity, &seen, record, *field))
}

/// For whom somebody may decide now: themselves, and those they stand in for. `stands_for` are the latter.
pub(super) fn decides_for(
    request: &Request,
    parts: &[Part],
    approval: &Approval,
    me: RecordId,
    stands_for: &[RecordId],
) -> Result<Vec<RecordId>, &'static str> {
    if request.state != "running" {
        return Err("approval_over");
    }
    let here = || parts.iter().filter(|part| part.step == request.step);
    let waits = |part: &&Part| part.state == "waiting" && (part.person == me || stands_for.contains(&part.person));
    let mut mine: Vec<RecordId> = here().filter(waits).map(|part| part.person).collect();
    if mine.is_empty() {
        return Err("approval_not_asked");
    }
    if request.asked_by == me.0 && !approval.may_own {
        return Err("approval_own");
    }
    // Two of three are two people, also where one stands in for another.
    if here().any(|part| part.state == "approved" && part.decided_by == me.0) {
        return Err("approval_decided");
    }
    mine.sort_by_key(|person| *person != me);
    Ok(mine)
}

/// The people somebody stands in for at a moment.
pub(super) fn stands_for(all: &[StandIn], me: RecordId, now: DateTime) -> Vec<RecordId> {
    let current = all.iter().filter(|one| one.stand_in == me && one.from_at <= now && one.until_at > now);
    current.map(|one| one.person).collect()
}

impl Setting<'_> {
    /// How a record stands with an approval, and the request that says so: `missing`, `running`, `rejected`, `void` (approved
    /// for other values) or `approved`.
    pub(super) fn approval_state(&self, world: &World, record: &Record, approval: &Approval) -> (&'static str, Option<i64>) {
        let (catalog, entity) = (&self.compiled.catalog, self.compiled.entity(record.entity));
        let all = || world.approvals.get(&record.id).into_iter().flatten().filter(|request| request.approval == approval.id);
        let counts = |request: &&Request| request.state == "approved" && holds_seen(catalog, entity, approval, request, record);
        if let Some(request) = all().find(counts) {
            return ("approved", Some(request.id));
        }
        match all().next() {
            Some(last) => {
                let state = match last.state.as_str() {
                    "running" => "running",
                    "rejected" => "rejected",
                    "approved" | "void" => "void",
                    _ => "missing",
                };
                (state, Some(last.id))
            }
            None => ("missing", None),
        }
    }
}

/// The time of a step that begins now. Administrators have no end: nobody is asked after them.
fn due_at(approval: &Approval, step: &str, level: i64, now: DateTime) -> Option<DateTime> {
    if level >= 2 {
        return None;
    }
    let seconds = approval.steps.iter().find(|known| known.id == step)?.due_seconds?;
    Some(DateTime(now.0.saturating_add(seconds.saturating_mul(1_000_000))))
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

/// How an approval ends.
pub(super) struct Ending<'a> {
    pub state: &'static str,
    pub by: i64,
    /// Why, where nobody decided it so.
    pub reason: Option<&'static str>,
    pub source: Source,
    pub approval: Option<&'a Approval>,
}

impl RecordTx<'_> {
    /// Faults for changed fields that an approval locks. Costs a statement where such a field changed, nothing else.
    pub(super) async fn expect_unlocked(
        &mut self,
        compiled: &Arc<Compiled>,
        record: &Record,
        changed: &[FieldIx],
        faults: &mut Vec<FieldFault>,
    ) -> Result<(), RecordError> {
        let watched = &compiled.plan(record.entity).watched;
        if watched.is_empty() || !changed.iter().any(|field| watched.contains(field)) {
            return Ok(());
        }
        let entity = compiled.entity(record.entity);
        for request in approvals::running_in(self.store, record.id).await? {
            let Some(approval) = entity.approvals.iter().find(|approval| approval.id == request.approval) else { continue };
            let locked: Vec<FieldIx> = changed.iter().copied().filter(|field| approval.fields.contains(field)).collect();
            if locked.is_empty() {
                continue;
            }
            let waiting = self.who_decides(compiled, &request).await?;
            let who = waiting.iter().map(|(_, name)| name.as_str()).filter(|name| !name.is_empty()).collect::<Vec<_>>().join(", ");
            let label = approval.label.get(self.scope.actor.locale);
            for field in locked {
                let name = &entity.field(field).name;
                let message = match who.as_str() {
                    "" => format!("`{name}` is locked while `{label}` is being decided"),
                    who => format!("`{name}` is locked while `{label}` is being decided by {who}"),
                };
                let ids: Vec<Json> = waiting.iter().map(|(id, _)| Json::from(id.as_str())).collect();
                let fault = FieldFault::at(name, "locked_by_approval", message).with("approval", approval.id.as_str());
                let fault = fault.with("label", label).with("request", request.id.to_string()).with("deciders", ids);
                faults.push(fault.with("who", if who.is_empty() { "?" } else { who.as_str() }));
            }
        }
        Ok(())
    }

    /// Ids of those who are to decide, with the names of those whom the actor may read.
    async fn who_decides(&mut self, compiled: &Arc<Compiled>, request: &Request) -> Result<Vec<(String, String)>, RecordError> {
        let parts = approvals::parts_in(self.store, &[request.id]).await?;
        let Some(people) = compiled.catalog.find_entity("core.user") else { return Ok(Vec::new()) };
        let waiting: Vec<RecordId> = parts.iter().filter(|part| part.state == "waiting").map(|part| part.person).collect();
        let readable = self.readable(people.ix, &waiting).await?;
        let known = self.load(people.ix, &waiting, Lock::None).await?;
        let name = people.find_field("name").map(|field| field.ix);
        let named = |id: &RecordId| {
            let person = known.iter().find(|person| person.id == *id && readable.contains(id));
            let text = person.zip(name).and_then(|(person, name)| person.get(name).as_text().map(str::to_owned));
            (id.display(&people.prefix), text.unwrap_or_default())
        };
        Ok(waiting.iter().map(named).collect())
    }

    /// What is not decided when a record goes is over; what was approved counts again where it comes back with the same values.
    pub(super) async fn end_approvals(&mut self, compiled: &Compiled, old: &Record) -> Result<(), RecordError> {
        let entity = compiled.entity(old.entity);
        if entity.approvals.is_empty() {
            return Ok(());
        }
        let by = self.scope.actor.user_id();
        for request in approvals::running_in(self.store, old.id).await? {
            self.close(&request, "void", by, Some("deleted")).await?;
            self.note_end(entity, &request, "void", Some("deleted")).await?;
        }
        if !entity.features.soft_delete {
            approvals::forget(self.store, old.id).await?;
        }
        Ok(())
    }

    /// Writes down a request that begins with this step.
    pub(super) async fn begin_approval(
        &mut self,
        entity: &Entity,
        approval: &Approval,
        mut request: Request,
        opening: &Opening,
    ) -> Result<(), RecordError> {
        let step = opening.step.map(|at| approval.steps[at].id.clone()).unwrap_or_default();
        request.step.clone_from(&step);
        request.level = opening.level;
        request.need = opening.need;
        request.due_at = due_at(approval, &step, opening.level, self.now());
        approvals::insert(self.store, &request).await?;
        self.call_people(&request, &step, opening).await?;
        self.remind(&request).await?;
        self.note_approval(entity, &request, "approval.ask", &[]).await
    }

    async fn call_people(&mut self, request: &Request, step: &str, opening: &Opening) -> Result<(), RecordError> {
        for person in &opening.unfit {
            approvals::ask(self.store, request.id, step, *person, "named", 0).await?;
        }
        if !opening.unfit.is_empty() {
            approvals::settle_rest(self.store, request.id, "gone").await?;
        }
        for (person, why) in &opening.people {
            approvals::ask(self.store, request.id, step, *person, why, 0).await?;
        }
        let people: Vec<RecordId> = opening.people.iter().map(|(person, _)| *person).collect();
        self.tell_deciders(request, &people).await
    }

    /// Tells people, and those who stand in for them now, that something waits for them.
    pub(super) async fn tell_deciders(&mut self, request: &Request, people: &[RecordId]) -> Result<(), RecordError> {
        if people.is_empty() {
            return Ok(());
        }
        let mut all: Vec<i64> = people.iter().map(|person| person.0).collect();
        all.extend(approvals::standing_in(self.store, people).await?);
        self.tell_of_approval(request, all, "notification-approval-asked").await
    }

    /// Tells people of a request; whoever may not read the record is told nothing.
    async fn tell_of_approval(&mut self, request: &Request, people: Vec<i64>, key: &str) -> Result<(), RecordError> {
        let telling = Telling {
            people,
            teams: Vec::new(),
            roles: Vec::new(),
            source: PROGRAM.to_owned(),
            said: Said::Message { key: key.to_owned(), facts: vec![("approval".to_owned(), request.approval.clone())] },
            about: Some((request.entity.clone(), request.record.0)),
            step: None,
        };
        Ok(notifications::tell(self.store, &telling).await?)
    }

    /// Has somebody look at the request when its time is over.
    async fn remind(&mut self, request: &Request) -> Result<(), RecordError> {
        if let Some(due) = request.due_at {
            let payload_json = serde_json::json!({ "request": request.id }).to_string();
            let job =
                jobs::NewJob { handler: super::approvals::APPROVAL.to_owned(), payload_json, run_at: Some(due), ..Default::default() };
            jobs::enqueue(self.store, &job).await?;
        }
        Ok(())
    }

    /// The step has what it needs: the next one begins, or it is approved.
    pub(super) async fn advance_approval(
        &mut self,
        compiled: &Arc<Compiled>,
        approval: &Approval,
        request: &Request,
        record: Record,
        next: &Opened,
        source: Source,
    ) -> Result<(), RecordError> {
        let opening = next.as_ref().map_err(|fault| RecordError::fault(fault.clone()))?;
        approvals::settle_rest(self.store, request.id, "over").await?;
        let Some(at) = opening.step else {
            let ending = Ending { state: "approved", by: self.scope.actor.user_id(), reason: None, source, approval: Some(approval) };
            return self.finish_approval(compiled, request, record, ending).await;
        };
        self.enter_step(approval, request, at, opening).await
    }

    pub(super) async fn enter_step(
        &mut self,
        approval: &Approval,
        request: &Request,
        at: usize,
        opening: &Opening,
    ) -> Result<(), RecordError> {
        let step = &approval.steps[at].id;
        let due = due_at(approval, step, opening.level, self.now());
        approvals::go_on(self.store, request.id, step, opening.level, opening.need, due).await?;
        self.call_people(request, step, opening).await?;
        self.remind(&Request { due_at: due, ..request.clone() }).await
    }

    /// Ends a request, and gives the record what the definition says of such an end.
    pub(super) async fn finish_approval(
        &mut self,
        compiled: &Arc<Compiled>,
        request: &Request,
        record: Record,
        ending: Ending<'_>,
    ) -> Result<(), RecordError> {
        let entity = compiled.entity(record.entity);
        if !self.close(request, ending.state, ending.by, ending.reason).await? {
            return Ok(());
        }
        let given = match (ending.state, ending.approval) {
            ("approved", Some(approval)) => approval.approved.as_slice(),
            ("rejected", Some(approval)) => approval.rejected.as_slice(),
            _ => &[],
        };
        self.give(compiled, record, given, ending.source).await?;
        self.note_end(entity, request, ending.state, ending.reason).await
    }

    /// Ends a request; whoever waits for it goes on. `false` when it had ended.
    pub(super) async fn close(&mut self, request: &Request, state: &str, by: i64, reason: Option<&str>) -> Result<bool, RecordError> {
        if !approvals::end(self.store, request.id, state, by, reason).await? {
            return Ok(false);
        }
        approvals::settle_rest(self.store, request.id, "over").await?;
        for run in runs::waiting(self.store, request.record.0).await? {
            jobs::rouse(self.store, run).await?;
        }
        let key = match state {
            "approved" => "notification-approval-approved",
            "rejected" => "notification-approval-rejected",
            _ => "notification-approval-over",
        };
        // Nobody is told what they did themselves.
        if request.asked_by != 0 && request.asked_by != by {
            self.tell_of_approval(request, vec![request.asked_by], key).await?;
        }
        Ok(true)
    }

    async fn note_end(&mut self, entity: &Entity, request: &Request, state: &str, reason: Option<&str>) -> Result<(), RecordError> {
        let facts = [("state", Json::from(state)), ("reason", Json::from(reason))];
        self.note_approval(entity, request, "approval.end", &facts).await
    }

    /// Values that the definition gives the record: the engine writes them, and rules and gates are asked as ever.
    async fn give(&mut self, compiled: &Arc<Compiled>, record: Record, given: &[Given], source: Source) -> Result<(), RecordError> {
        if given.is_empty() {
            return Ok(());
        }
        let mut values = Vec::with_capacity(given.len());
        for one in given {
            let value = match &one.value {
                GivenValue::Plain(value) => value.clone(),
                GivenValue::Expr(expr) => {
                    let value = self.value(expr, &record, None).await?;
                    match (&compiled.entity(record.entity).field(one.field).ty, &expr.ty, value) {
                        // A link to one of several entities names it by its prefix.
                        (FieldType::AnyLink { .. }, crate::expr::Type::Link(to), Value::Link(id)) if to.len() == 1 => {
                            Value::Text(id.display(&compiled.entity(to[0]).prefix))
                        }
                        (_, _, value) => value,
                    }
                }
            };
            values.push((one.field, value));
        }
        self.count_write()?;
        let options = WriteOptions::from(source);
        let prepared = self.prepare(record.entity, Target::Update(record), Input::default(), values, &options).await?;
        self.write(prepared, &options).await.map(|_| ())
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

    /// The audit of what was done with a request; values are told by the request itself.
    pub(super) async fn note_approval(
        &mut self,
        entity: &Entity,
        request: &Request,
        action: &'static str,
        facts: &[(&str, Json)],
    ) -> Result<(), RecordError> {
        let mut entry = audit::Entry::new(action).on(&entity.id, request.record.0).fact("approval", request.approval.as_str());
        entry = entry.fact("request", request.id.to_string());
        for (name, value) in facts.iter().filter(|(_, value)| !value.is_null()) {
            entry = entry.fact(name, value.clone());
        }
        audit::append(self.store, entry).await?;
        Ok(())
    }
}
