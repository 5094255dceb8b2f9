//! Filing, deciding, extending, withdrawing.

use std::sync::Arc;

use super::super::error::{FieldFault, RecordError};
use super::super::options::{LONGEST_REASON, Source, is_reason};
use super::super::pools::later;
use super::super::service::Records;
use super::super::unit::RecordTx;
use super::{definition, fault, is_protected, may_arbitrate, may_file, missing};
use crate::access::{Action, Actor};
use crate::base::{EntityIx, RecordId};
use crate::schema::catalog::{Catalog, Entity, Registration};
use crate::store::audit;
use crate::store::compile::Lock;
use crate::store::registrations::{self, Claim};

/// A claim somebody files.
#[derive(Debug, Clone, Default)]
pub struct FileClaim {
    /// Id of the registration.
    pub registration: String,
    /// May be empty.
    pub comment: String,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filed {
    pub id: i64,
    /// `protected`, `contested` or `refused`.
    pub state: &'static str,
}

/// A text that was written, or none.
fn written(text: &str, field: &str) -> Result<Option<String>, RecordError> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    if is_reason(text) {
        return Ok(Some(text.to_owned()));
    }
    let message = format!("it has at most {LONGEST_REASON} characters");
    Err(RecordError::fault(FieldFault::at(field, "too_long", message).with("max", LONGEST_REASON)))
}

fn reason(text: &str) -> Result<String, RecordError> {
    let needed = || RecordError::fault(FieldFault::at("reason", "registration_reason", "say why"));
    written(text, "reason")?.ok_or_else(needed)
}

impl Records {
    /// Files a claim on a record.
    ///
    /// # Errors
    /// As for a record that is not there where it may not be read; `ACL005` for one who may not change it; faults where the record
    /// cannot be claimed, or is claimed already.
    pub async fn file_claim(
        &self,
        actor: &Actor,
        catalog: &Arc<Catalog>,
        entity: EntityIx,
        id: RecordId,
        new: FileClaim,
        source: Source,
    ) -> Result<Filed, RecordError> {
        let uid = catalog.entity(entity).uid.clone();
        let comment = written(&new.comment, "comment")?;
        let registration = new.registration;
        self.unit(actor, source, Vec::new(), move |tx| {
            let (uid, registration, comment) = (uid.clone(), registration.clone(), comment.clone());
            Box::pin(async move { tx.file_claim(&uid, &registration, id, comment).await })
        })
        .await
    }

    /// Decides about a claim that met another one: it is protected, and those it met are lost; or it is refused.
    ///
    /// # Errors
    /// As for a claim that is not there where the record may not be read; `REC040` for one who does not decide; faults where it is
    /// decided, one's own, or has no reason.
    pub async fn decide_claim(&self, actor: &Actor, id: i64, grants: bool, why: &str, source: Source) -> Result<(), RecordError> {
        let why = reason(why)?;
        self.unit(actor, source, Vec::new(), move |tx| {
            let why = why.clone();
            Box::pin(async move { tx.decide_claim(id, grants, why).await })
        })
        .await
    }

    /// Protects a claim for longer, as often as the definitions allow.
    ///
    /// # Errors
    /// As [`Records::decide_claim`]; faults where it is over or was extended often enough.
    pub async fn extend_claim(&self, actor: &Actor, id: i64, source: Source) -> Result<(), RecordError> {
        self.unit(actor, source, Vec::new(), move |tx| Box::pin(async move { tx.extend_claim(id).await })).await
    }

    /// Gives a claim up: whoever filed it; those who decide take anybody's away, with a reason.
    ///
    /// # Errors
    /// As [`Records::decide_claim`].
    pub async fn withdraw_claim(&self, actor: &Actor, id: i64, why: &str, source: Source) -> Result<(), RecordError> {
        let why = written(why, "reason")?;
        self.unit(actor, source, Vec::new(), move |tx| {
            let why = why.clone();
            Box::pin(async move { tx.withdraw_claim(id, why).await })
        })
        .await
    }
}

impl RecordTx<'_> {
    async fn file_claim(&mut self, uid: &str, registration: &str, id: RecordId, comment: Option<String>) -> Result<Filed, RecordError> {
        let compiled = self.scope.compiled.clone();
        let unknown = || RecordError::UnknownEntity { name: uid.to_owned(), near: None };
        let entity = compiled.catalog.entities.iter().find(|known| known.uid == uid).ok_or_else(unknown)?;
        let record = self.load_live(entity.ix, id, Lock::Change).await?;
        self.expect_may(Action::Update, &record, None).await?;
        let Some(known) = entity.registrations.iter().find(|known| known.id == registration) else {
            let ids: Vec<&str> = entity.registrations.iter().map(|known| known.id.as_str()).collect();
            let message = format!("`{}` has no registration `{registration}`; there are: {}", entity.slug, ids.join(", "));
            return Err(RecordError::fault(FieldFault::at("registration", "unknown_registration", message)));
        };
        let filer = self.scope.actor.user.ok_or_else(|| RecordError::Forbidden("only people file claims".to_owned()))?;
        if !may_file(&self.scope.actor, known) {
            return Err(RecordError::Forbidden(format!("only {} may file `{}`", known.roles.join(", "), known.id)));
        }
        if let Some(when) = &known.when
            && !self.holds(when, &record, None).await?
        {
            return Err(fault("registration_not_here", format!("this {} is none that `{}` is filed for", entity.slug, known.id)));
        }
        let now = self.now();
        for own in registrations::live_in(self.store, id).await?.into_iter().filter(|own| own.registration == known.id) {
            if own.state == "contested" || is_protected(&own, now) {
                let message = format!("`{}` is filed for this record already", known.id);
                return Err(RecordError::fault(
                    FieldFault::whole("registration_filed", message).with("label", known.label.get(self.scope.actor.locale)),
                ));
            }
            // Its time is over, and nobody noted it yet.
            registrations::end(self.store, own.id, "expired", 0, None).await?;
        }
        let rivals = self.rivals(&compiled, entity, known, &record).await?;
        let state = match (rivals.is_empty(), known.refuses, known.reviews) {
            (true, _, false) => "protected",
            (false, true, _) => "refused",
            _ => "contested",
        };
        let claim = Claim {
            id: self.mint().0,
            registration: known.id.clone(),
            entity: entity.uid.clone(),
            record: id,
            filer,
            state: state.to_owned(),
            filed_at: now,
            until_at: (state == "protected").then(|| later(now, known.protect_seconds)),
            extended: 0,
            against: rivals.iter().map(|rival| rival.id).collect(),
            comment,
            ended_at: (state == "refused").then_some(now),
            ended_by: 0,
            reason: None,
            warned: false,
        };
        registrations::insert(self.store, &claim).await?;
        if state == "contested" {
            self.tell_of_claim(&claim, Vec::new(), &known.arbiters, "notification-registration-contested").await?;
        }
        self.note_claim(entity, &claim, "registration.file", state, &[]).await?;
        Ok(Filed { id: claim.id, state })
    }

    async fn decide_claim(&mut self, id: i64, grants: bool, why: String) -> Result<(), RecordError> {
        let compiled = self.scope.compiled.clone();
        let (claim, at) = self.claim(id).await?;
        let (entity, known) = (compiled.entity(at), definition(&compiled.catalog, &claim).ok_or_else(|| missing(id))?.1);
        if !may_arbitrate(&self.scope.actor, known) {
            return Err(RecordError::Forbidden("you do not decide about this".to_owned()));
        }
        if claim.state != "contested" {
            return Err(fault("registration_over", format!("this is decided: it is {}", claim.state)));
        }
        let by = self.scope.actor.user_id();
        if by != 0 && by == claim.filer.0 {
            return Err(fault("registration_own", "whoever filed it does not decide"));
        }
        if !grants {
            registrations::end(self.store, id, "refused", by, Some(&why)).await?;
            self.tell_of_claim(&claim, vec![claim.filer.0], &[], "notification-registration-refused").await?;
            return self.note_claim(entity, &claim, "registration.decide", "refused", &[]).await;
        }
        let record = self.load_live(at, claim.record, Lock::Change).await?;
        let rivals = self.rivals(&compiled, entity, known, &record).await?;
        for rival in &rivals {
            registrations::end(self.store, rival.id, "lost", by, Some(&why)).await?;
            self.tell_of_claim(rival, vec![rival.filer.0], &[], "notification-registration-lost").await?;
        }
        let until = later(self.now(), known.protect_seconds);
        registrations::protect(self.store, id, until, by, Some(&why)).await?;
        self.tell_of_claim(&claim, vec![claim.filer.0], &[], "notification-registration-granted").await?;
        let lost: Vec<i64> = rivals.iter().map(|rival| rival.id).collect();
        self.note_claim(entity, &claim, "registration.decide", "protected", &lost).await
    }

    async fn extend_claim(&mut self, id: i64) -> Result<(), RecordError> {
        let compiled = self.scope.compiled.clone();
        let (claim, at) = self.claim(id).await?;
        let (entity, known) = (compiled.entity(at), definition(&compiled.catalog, &claim).ok_or_else(|| missing(id))?.1);
        if self.scope.actor.user != Some(claim.filer) && !may_arbitrate(&self.scope.actor, known) {
            return Err(RecordError::Forbidden("only whoever filed it extends it, or one who decides".to_owned()));
        }
        let now = self.now();
        let Some(until) = claim.until_at.filter(|_| is_protected(&claim, now)) else {
            return Err(fault("registration_over", "this is not protected any more"));
        };
        let Some((seconds, most)) = known.extend.filter(|(_, most)| claim.extended < *most) else {
            return Err(RecordError::fault(
                FieldFault::whole("registration_extended", "it was extended as often as it may be").with("count", claim.extended),
            ));
        };
        registrations::extend(self.store, id, later(until, seconds)).await?;
        self.note_claim(entity, &claim, "registration.extend", "protected", &[most - claim.extended - 1]).await
    }

    async fn withdraw_claim(&mut self, id: i64, why: Option<String>) -> Result<(), RecordError> {
        let compiled = self.scope.compiled.clone();
        let (claim, at) = self.claim(id).await?;
        let (entity, known) = (compiled.entity(at), definition(&compiled.catalog, &claim).ok_or_else(|| missing(id))?.1);
        let is_own = self.scope.actor.user == Some(claim.filer);
        if !is_own && !may_arbitrate(&self.scope.actor, known) {
            return Err(RecordError::Forbidden("only whoever filed it gives it up, or one who decides".to_owned()));
        }
        if !is_own && why.is_none() {
            return Err(RecordError::fault(FieldFault::at("reason", "registration_reason", "say why")));
        }
        let state = if is_own { "withdrawn" } else { "lost" };
        if !registrations::end(self.store, id, state, self.scope.actor.user_id(), why.as_deref()).await? {
            return Err(fault("registration_over", format!("this is over: it is {}", claim.state)));
        }
        if !is_own {
            self.tell_of_claim(&claim, vec![claim.filer.0], &[], "notification-registration-lost").await?;
        }
        self.note_claim(entity, &claim, "registration.withdraw", state, &[]).await
    }

    /// A claim on a record that the actor reads, its row locked.
    async fn claim(&mut self, id: i64) -> Result<(Claim, EntityIx), RecordError> {
        let compiled = self.scope.compiled.clone();
        let known = registrations::get_in(self.store, id).await?.ok_or_else(|| missing(id))?;
        let (entity, _): (&Entity, &Registration) = definition(&compiled.catalog, &known).ok_or_else(|| missing(id))?;
        if !self.readable(entity.ix, &[known.record]).await?.contains(&known.record) {
            return Err(missing(id));
        }
        self.load_live(entity.ix, known.record, Lock::Change).await.map_err(|_| missing(id))?;
        // As it is now that the row is locked.
        let claim = registrations::get_in(self.store, id).await?.ok_or_else(|| missing(id))?;
        Ok((claim, entity.ix))
    }

    async fn note_claim(
        &mut self,
        entity: &Entity,
        claim: &Claim,
        action: &'static str,
        state: &str,
        more: &[i64],
    ) -> Result<(), RecordError> {
        let mut entry = audit::Entry::new(action).on(&entity.id, claim.record.0).fact("registration", claim.registration.as_str());
        entry = entry.fact("claim", claim.id.to_string()).fact("state", state);
        if !more.is_empty() {
            let name = if action == "registration.extend" { "left" } else { "lost" };
            entry = entry.fact(name, more.iter().map(i64::to_string).collect::<Vec<_>>().join(", "));
        }
        audit::append(self.store, entry).await?;
        Ok(())
    }
}
