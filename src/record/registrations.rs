//! Registrations as people meet them: filing a claim on a record, deciding where claims meet, extending, withdrawing, what time
//! does. What is the same is said by duplicate rules of the entity; of two who file in one moment the second sees the first's claim.

mod acts;
mod seen;
mod sweep;

pub use acts::{FileClaim, Filed};
pub use seen::{ClaimFilter, ClaimStanding, OfferedClaim, Rival};
pub use sweep::ClaimsDone;

use std::sync::Arc;

use super::error::{FieldFault, RecordError};
use super::hooks::Record;
use super::plan::Compiled;
use super::unit::RecordTx;
use super::world::{Setting, World};
use crate::access::{ADMINISTRATOR, Actor, ActorKind};
use crate::base::{DateTime, FieldIx, RecordId};
use crate::schema::catalog::{Catalog, Entity, Registration};
use crate::store::notifications::{self, PROGRAM, Said, Telling};
use crate::store::registrations::{self, Claim};

/// Whether somebody decides where claims meet.
pub(super) fn may_arbitrate(actor: &Actor, registration: &Registration) -> bool {
    actor.kind == ActorKind::System || actor.roles.iter().any(|role| role == ADMINISTRATOR || registration.arbiters.contains(role))
}

pub(super) fn may_file(actor: &Actor, registration: &Registration) -> bool {
    registration.roles.is_empty() || actor.roles.iter().any(|role| role == ADMINISTRATOR || registration.roles.contains(role))
}

/// Whether a claim is protected at a moment, also where nobody has noted yet that its time is over.
pub(super) fn is_protected(claim: &Claim, now: DateTime) -> bool {
    claim.state == "protected" && claim.until_at.is_some_and(|until| until > now)
}

impl Setting<'_> {
    /// How a record stands with a registration, and the claim that says so: `protected`, else what became of the newest claim,
    /// or `missing`.
    pub(super) fn claim_state(&self, world: &World, record: RecordId, registration: &Registration) -> (&'static str, Option<i64>) {
        let all = || world.claims.get(&record).into_iter().flatten().filter(|claim| claim.registration == registration.id);
        if let Some(claim) = all().find(|claim| is_protected(claim, self.now)) {
            return ("protected", Some(claim.id));
        }
        let Some(last) = all().next() else { return ("missing", None) };
        let state = match last.state.as_str() {
            "contested" => "contested",
            "refused" => "refused",
            "lost" => "lost",
            "protected" | "expired" => "expired",
            _ => "missing",
        };
        (state, Some(last.id))
    }
}

/// The definition of a claim.
pub(super) fn definition<'c>(catalog: &'c Catalog, claim: &Claim) -> Option<(&'c Entity, &'c Registration)> {
    let entity = catalog.entities.iter().find(|entity| entity.uid == claim.entity)?;
    Some((entity, entity.registrations.iter().find(|known| known.id == claim.registration)?))
}

fn fault(code: &str, message: impl Into<String>) -> RecordError {
    RecordError::fault(FieldFault::whole(code, message))
}

fn missing(id: i64) -> RecordError {
    RecordError::NotFound { entity: "registration".to_owned(), id: id.to_string() }
}

impl RecordTx<'_> {
    /// Claims on other records that these rules take for the same and that are protected now. Nobody else looks for the same ones
    /// until this unit ends.
    async fn rivals(
        &mut self,
        compiled: &Arc<Compiled>,
        entity: &Entity,
        registration: &Registration,
        record: &Record,
    ) -> Result<Vec<Claim>, RecordError> {
        let rules: Vec<_> = registration.rules.iter().map(|at| &entity.duplicates[*at]).collect();
        let others: Vec<RecordId> = self.all_alike(compiled, record, &rules).await?.iter().map(|other| other.id).collect();
        Ok(registrations::protected_in(self.store, &registration.id, &others).await?)
    }

    /// Faults for changed fields by which a claimed record is found: another customer would be protected by the same claim.
    pub(super) async fn expect_claim_kept(
        &mut self,
        compiled: &Arc<Compiled>,
        record: &Record,
        changed: &[FieldIx],
        faults: &mut Vec<FieldFault>,
    ) -> Result<(), RecordError> {
        let claimed = &compiled.plan(record.entity).claimed;
        if claimed.is_empty() || !changed.iter().any(|field| claimed.contains(field)) {
            return Ok(());
        }
        let entity = compiled.entity(record.entity);
        let now = self.now();
        for claim in registrations::live_in(self.store, record.id).await? {
            let Some(registration) = entity.registrations.iter().find(|known| known.id == claim.registration) else { continue };
            if may_arbitrate(&self.scope.actor, registration) || (claim.state == "protected" && !is_protected(&claim, now)) {
                continue;
            }
            let reads = |field: &&FieldIx| registration.rules.iter().any(|at| entity.duplicates[*at].reads(**field));
            for field in changed.iter().filter(reads) {
                let name = &entity.field(*field).name;
                let label = registration.label.get(self.scope.actor.locale);
                let message = format!("`{name}` is what `{label}` was filed for: it stays as it is while the claim runs");
                faults.push(FieldFault::at(name, "registration_locked", message).with("label", label));
            }
        }
        Ok(())
    }

    /// Claims on a record that goes are over.
    pub(super) async fn end_claims(&mut self, record: RecordId) -> Result<(), RecordError> {
        let by = self.scope.actor.user_id();
        for claim in registrations::live_in(self.store, record).await? {
            registrations::end(self.store, claim.id, "deleted", by, None).await?;
        }
        Ok(())
    }

    /// Tells people, or everybody with some roles, of a claim; whoever may not read the record is told nothing.
    async fn tell_of_claim(&mut self, claim: &Claim, people: Vec<i64>, roles: &[String], key: &str) -> Result<(), RecordError> {
        let telling = Telling {
            people,
            teams: Vec::new(),
            roles: roles.to_vec(),
            source: PROGRAM.to_owned(),
            said: Said::Message { key: key.to_owned(), facts: vec![("registration".to_owned(), claim.registration.clone())] },
            about: Some((claim.entity.clone(), claim.record.0)),
            step: None,
        };
        Ok(notifications::tell(self.store, &telling).await?)
    }
}
