//! Asking for a decision, deciding, handing on, taking back.

use std::sync::Arc;

use serde_json::Value as Json;

use super::super::approvers::{Look, Opened, Opening};
use super::super::approving::{Ending, decides_for, holds_seen, kept_values};
use super::super::error::{FieldFault, RecordError};
use super::super::options::{LONGEST_REASON, Source, is_reason};
use super::super::plan::Compiled;
use super::super::rights::refused;
use super::super::service::Records;
use super::super::unit::RecordTx;
use super::super::world::Setting;
use super::{ATTEMPTS, Ground, Went, fault, has_role, is_admin, missing};
use crate::access::{Action, Actor, RowRules};
use crate::base::{EntityIx, RecordId};
use crate::expr::needs;
use crate::schema::catalog::Catalog;
use crate::store::approvals::{self, Part, Request};
use crate::store::compile::Lock;

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

/// What is asked about.
struct Place {
    entity: EntityIx,
    record: RecordId,
    approval: usize,
    version: i64,
    run: Option<i64>,
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
            let ground = self.stand(&compiled, definition.ix, id).await?.ok_or_else(not_found)?;
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
            let ground = self.ground(id).await?.ok_or_else(|| missing(id))?;
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
            let ground = self.ground(id).await?.ok_or_else(|| missing(id))?;
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
            let ground = Arc::new(self.ground(id).await?.ok_or_else(|| missing(id))?);
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
            let is_open = approval.when.as_ref().is_none_or(|when| super::super::gates::reads_openly(rules, place.entity, &needs(when)));
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
        self.tell_deciders(&request, &[hand_on.to]).await?;
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
}
