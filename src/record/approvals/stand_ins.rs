//! Who decides for somebody else, from when until when.

use super::super::approving::stands_for;
use super::super::error::{FieldFault, RecordError};
use super::super::options::Source;
use super::super::service::Records;
use super::super::unit::RecordTx;
use super::{fault, is_admin};
use crate::access::Actor;
use crate::base::{DateTime, RecordId};
use crate::store::approvals::{self, StandIn};
use crate::store::audit;

/// Longest time somebody stands in for another one.
const LONGEST_US: i64 = 366 * 86_400 * 1_000_000;

/// Somebody who decides for another one.
#[derive(Debug, Clone, Copy)]
pub struct NewStandIn {
    pub person: RecordId,
    pub stand_in: RecordId,
    pub from_at: DateTime,
    pub until_at: DateTime,
}

impl Records {
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
        if new.until_at.0.saturating_sub(new.from_at.0) > LONGEST_US {
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

impl RecordTx<'_> {
    pub(super) async fn my_stands(&mut self, me: RecordId) -> Result<Vec<RecordId>, RecordError> {
        let now = self.now();
        Ok(stands_for(&approvals::stand_ins_in(self.store, me).await?, me, now))
    }

    async fn note_stand_in(&mut self, action: &'static str, one: &StandIn) -> Result<(), RecordError> {
        let entry = audit::Entry::new(action)
            .on("core.user", one.person.0)
            .fact("stand_in", self.shown_person(one.stand_in))
            .fact("from", one.from_at.to_string())
            .fact("until", one.until_at.to_string());
        audit::append(self.store, entry).await?;
        Ok(())
    }
}
