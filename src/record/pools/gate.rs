//! What a written change means for pools: who holds the record from now on, and whether that may be. Every door that writes
//! a record leads through here, in the transaction of the change.
//!
//! What is written down about a hold is the truth, not what the values were before: a record that came to a pool by a change of
//! definitions is counted once it is touched or looked after, and never twice.

use super::super::convert::link_id;
use super::super::error::{FieldFault, RecordError};
use super::super::hooks::EventKind;
use super::super::options::{Source, WriteOptions};
use super::super::plan::Compiled;
use super::super::trace::Trace;
use super::super::unit::RecordTx;
use super::{Change, Place, later, may_claim, may_manage};
use crate::base::{DateTime, RecordId};
use crate::schema::catalog::{Entity, Pool};
use crate::store::holds::{self, Hold, Limits};

/// What is asked before a record changes hands.
struct Judged {
    /// Values are taken as they are: nothing is asked, not even the cap.
    is_system: bool,
    /// Protection, cool-down and the limit of a day do not stop this one.
    is_free: bool,
    /// A person at a form or a program of theirs.
    is_person: bool,
}

impl RecordTx<'_> {
    /// Writes down who holds a record after a change, and what the holder did.
    ///
    /// # Errors
    /// `Invalid` where somebody would hold too many, may not have it (again), or may not take it away.
    pub(in crate::record) async fn trace_hold(
        &mut self,
        compiled: &Compiled,
        change: &Trace<'_>,
        options: &WriteOptions,
    ) -> Result<(), RecordError> {
        let plan = compiled.plan(change.record.entity);
        if change.kind == EventKind::Create && !plan.counts_for.is_empty() {
            self.count_activity(compiled, change, options).await?;
        }
        let entity = compiled.entity(change.record.entity);
        if entity.pools.is_empty() {
            return Ok(());
        }
        if change.kind == EventKind::Update && !change.changed.iter().any(|field| plan.pool_fields.contains(field)) {
            return Ok(());
        }
        let place = if change.kind == EventKind::Delete { None } else { self.setting(compiled).place(entity, change.record) };
        let had = if change.kind == EventKind::Create { None } else { holds::get_in(self.store, change.record.id).await? };
        let wanted = place.and_then(|(at, person)| Some((at, person?)));
        let is_same = |had: &Hold| wanted.is_some_and(|(at, person)| had.person == person && had.pool == entity.pools[at].id);
        match &had {
            Some(had) if is_same(had) => {
                let counts = |at: usize| change.changed.iter().any(|field| entity.pools[at].counts_change(*field));
                if let Some((at, person)) = wanted
                    && self.is_activity(options)
                    && self.scope.actor.user == Some(person)
                    && counts(at)
                {
                    holds::touch(self.store, &entity.uid, &entity.pools[at].id, change.record.id, person).await?;
                }
                return Ok(());
            }
            None if wanted.is_none() => return Ok(()),
            _ => {}
        }
        let before = change.old.and_then(|old| self.setting(compiled).place(entity, old));
        self.expect_change_of_hands(entity, had.as_ref(), place, options)?;
        let claimed = had.is_none() && before.is_some_and(|(_, holder)| holder.is_none()) && change.kind == EventKind::Update;
        let (lost, got) = self.words(change, had.as_ref(), place, before);
        let reason = self.scope.changes_hands.as_ref().and_then(|change| change.reason.clone());
        if let Some(had) = &had {
            let by = self.scope.actor.user_id();
            holds::end(self.store, had.record, lost, by, reason.as_deref()).await?;
            holds::count_down(self.store, &had.entity, &had.pool, had.person).await?;
        }
        let Some((at, person)) = wanted else { return Ok(()) };
        let keeps = had.filter(|had| had.person == person);
        self.begin_hold(compiled, entity, (at, person), change.record.id, (got, claimed), keeps, options).await
    }

    /// Whether the one who may claim or return it may do so now.
    fn expect_change_of_hands(
        &self,
        entity: &Entity,
        had: Option<&Hold>,
        place: Option<Place>,
        options: &WriteOptions,
    ) -> Result<(), RecordError> {
        let (Some(had), Some((_, holder))) = (had, place) else { return Ok(()) };
        let Some(pool) = entity.pools.iter().find(|pool| pool.id == had.pool).filter(|_| holder != Some(had.person)) else { return Ok(()) };
        let judged = self.judged(pool, options);
        let is_own = self.scope.actor.user == Some(had.person);
        if !judged.is_free && !is_own && had.kept_until > self.now() {
            let message = "nobody takes this record away from whoever has just got it";
            return Err(self.refuse(entity, FieldFault::at("owner", "pool_protected", message), pool));
        }
        if judged.is_person && is_own && holder.is_none() && self.scope.changes_hands.is_none() {
            let message = "give it back with a reason: `POST …/return`, or `Give back` on its page";
            return Err(self.refuse(entity, FieldFault::at("owner", "pool_reason", message), pool));
        }
        Ok(())
    }

    /// Somebody holds a record from now on. `keeps` is what they held of it before, in another pool.
    #[expect(clippy::too_many_arguments, reason = "each is one part of one change of hands")]
    async fn begin_hold(
        &mut self,
        compiled: &Compiled,
        entity: &Entity,
        (at, person): (usize, RecordId),
        record: RecordId,
        (got, claimed): (&'static str, bool),
        keeps: Option<Hold>,
        options: &WriteOptions,
    ) -> Result<(), RecordError> {
        let pool = &entity.pools[at];
        let judged = self.judged(pool, options);
        let claims = claimed && self.scope.actor.user == Some(person);
        if claims && !judged.is_free && !may_claim(&self.scope.actor, pool) {
            return Err(self.refuse(entity, FieldFault::at("owner", "pool_role", "this is not for you to claim"), pool));
        }
        if !judged.is_free && keeps.is_none() && got != "made" {
            self.expect_cooled_down(entity, pool, record, person).await?;
        }
        let now = self.now();
        let cap = if judged.is_system { None } else { self.reader().cap_of(pool, person, now).await? };
        let today = now.date_in(&compiled.catalog.settings.time_zone).to_string();
        let per_day = pool.claims_per_day.filter(|_| !judged.is_free);
        let limits = Limits { cap, claiming: claims.then_some((&*today, per_day)), today: &today };
        if !holds::count_up(self.store, (&entity.uid, &pool.id), person, &limits).await? {
            let fault = self.limit_reached(entity, pool, person, cap, &today).await?;
            return Err(self.refuse(entity, fault, pool));
        }
        let protected = pool.protect_seconds.filter(|_| keeps.is_none()).map_or(now, |seconds| later(now, seconds));
        let hold = Hold {
            record,
            entity: entity.uid.clone(),
            pool: pool.id.clone(),
            person,
            since: now,
            active_at: now,
            kept_until: keeps.map_or(protected, |keeps| keeps.kept_until.max(now)),
            warned: false,
        };
        let by = self.scope.actor.user_id();
        Ok(holds::begin(self.store, &hold, got, by).await?)
    }

    async fn expect_cooled_down(&mut self, entity: &Entity, pool: &Pool, record: RecordId, person: RecordId) -> Result<(), RecordError> {
        let Some(seconds) = pool.cool_down_seconds else { return Ok(()) };
        let lost = holds::lost_in(self.store, &[record]).await?;
        let Some(until) = lost.iter().find(|(_, had, _)| *had == person).map(|(_, _, at)| later(*at, seconds)) else { return Ok(()) };
        if until <= self.now() {
            return Ok(());
        }
        let fault = match self.scope.actor.user == Some(person) {
            true => FieldFault::at("owner", "pool_cool_down", format!("you had this record; you may have it again from {until} on"))
                .with("until", until.to_string()),
            false => FieldFault::at("owner", "pool_refused", "this person may not have this record now"),
        };
        Err(self.refuse(entity, fault, pool))
    }

    /// Why somebody cannot hold one more. Only they themselves are told how many they hold.
    async fn limit_reached(
        &mut self,
        entity: &Entity,
        pool: &Pool,
        person: RecordId,
        cap: Option<i64>,
        today: &str,
    ) -> Result<FieldFault, RecordError> {
        if self.scope.actor.user != Some(person) {
            return Ok(FieldFault::at("owner", "pool_refused", "this person may not have this record now"));
        }
        let count = holds::count_in(self.store, (&entity.uid, &pool.id), person, today).await?;
        Ok(match cap {
            Some(cap) if count.held >= cap => {
                FieldFault::at("owner", "pool_cap", format!("you hold {} of {cap}: give one back first", count.held))
                    .with("held", count.held)
                    .with("cap", cap)
            }
            _ => FieldFault::at("owner", "pool_day", format!("you have claimed {} today, which is what one day allows", count.claimed))
                .with("claimed", count.claimed),
        })
    }

    fn judged(&self, pool: &Pool, options: &WriteOptions) -> Judged {
        let is_system = options.source == Source::System;
        let by_program = self.scope.depth > 0 || matches!(options.source, Source::Script | Source::Automation);
        Judged { is_system, is_free: is_system || by_program || may_manage(&self.scope.actor, pool), is_person: !is_system && !by_program }
    }

    fn refuse(&self, entity: &Entity, fault: FieldFault, pool: &Pool) -> RecordError {
        let label = pool.label.get(self.scope.actor.locale);
        RecordError::Invalid(self.keep_back(entity.ix, vec![fault.with("pool", pool.id.as_str()).with("label", label)]))
    }

    /// What is written down about how it was lost and how it was got.
    fn words(&self, change: &Trace<'_>, had: Option<&Hold>, place: Option<Place>, before: Option<Place>) -> (&'static str, &'static str) {
        let said = self.scope.changes_hands.as_ref().map(|change| change.word);
        let me = self.scope.actor.user;
        let holder = place.and_then(|(_, holder)| holder);
        let lost = match (change.kind, place, had) {
            (EventKind::Delete, ..) => "deleted",
            (_, None, _) => "left",
            (_, Some((_, Some(to))), Some(had)) if to == had.person => "left",
            (_, Some((_, Some(_))), _) => "handed_over",
            (_, Some((_, None)), Some(had)) => said.unwrap_or(if me == Some(had.person) { "returned" } else { "taken_back" }),
            (_, Some((_, None)), None) => "left",
        };
        let got = match change.kind {
            EventKind::Create => "made",
            EventKind::Restore => "restored",
            _ if said.is_some_and(|word| matches!(word, "claimed" | "handed_out")) => said.unwrap_or("claimed"),
            _ if had.is_none() && before.is_some_and(|(_, holder)| holder.is_none()) && holder == me => "claimed",
            _ if before.is_some_and(|(_, before)| before != holder) => "assigned",
            _ => "came",
        };
        (lost, got)
    }

    /// Whether what happens is something a person does.
    fn is_activity(&self, options: &WriteOptions) -> bool {
        self.scope.depth == 0 && matches!(options.source, Source::Api | Source::Form)
    }

    /// A new record that leads to one somebody holds.
    async fn count_activity(&mut self, compiled: &Compiled, change: &Trace<'_>, options: &WriteOptions) -> Result<(), RecordError> {
        let Some(me) = self.scope.actor.user.filter(|_| self.is_activity(options)) else { return Ok(()) };
        for (of, at, by) in &compiled.plan(change.record.entity).counts_for {
            if let Some(about) = link_id(change.record.get(*by)) {
                let entity = compiled.entity(*of);
                holds::touch(self.store, &entity.uid, &entity.pools[*at].id, about, me).await?;
            }
        }
        Ok(())
    }

    /// Brings what is written down in line with a record, whatever it says: used where definitions changed. Nothing is asked.
    pub(super) async fn settle_hold(
        &mut self,
        compiled: &Compiled,
        entity: &Entity,
        record: &super::super::hooks::Record,
        had: Option<&Hold>,
    ) -> Result<bool, RecordError> {
        let wanted = self.setting(compiled).place(entity, record).and_then(|(at, person)| Some((at, person?)));
        let is_same = match (had, wanted) {
            (None, None) => true,
            (Some(had), Some((at, person))) => had.person == person && had.pool == entity.pools[at].id,
            _ => false,
        };
        if is_same {
            return Ok(false);
        }
        if let Some(had) = had {
            holds::end(self.store, had.record, "left", 0, None).await?;
            holds::count_down(self.store, &had.entity, &had.pool, had.person).await?;
        }
        if let Some(wanted) = wanted {
            let options = WriteOptions::from(Source::System);
            self.begin_hold(compiled, entity, wanted, record.id, ("came", false), had.cloned(), &options).await?;
        }
        Ok(true)
    }

    /// Says why a record changes hands while `work` is done.
    pub(super) fn say_hands(&mut self, word: &'static str, reason: Option<String>) {
        self.scope.changes_hands = Some(Change { word, reason });
    }

    pub(super) fn said_hands(&mut self) {
        self.scope.changes_hands = None;
    }
}

/// The moment since which nothing may have been done for a record to go back now.
pub(super) fn silent_since(pool: &Pool, now: DateTime) -> Option<DateTime> {
    Some(later(now, -pool.reclaim_seconds?))
}
