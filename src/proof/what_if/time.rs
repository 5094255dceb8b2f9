//! How time passes in the copy: from one thing that becomes due to the next. Looks for what was reached meanwhile (clocks that
//! ran out, a date that came near) are left out as long as they would find nothing, or a quiet month would be 43,200 of them
//! for all service clocks, and as many for each automation that begins with one.

use super::WhatIfError;
use super::ground::Ground;
use crate::automation::may_reach;
use crate::base::DateTime;
use crate::jobs::Look;
use crate::record::RecordError;
use crate::store::jobs;
use crate::store::schedules::{self, Schedule};

impl Ground {
    /// Lets time pass up to a moment: what becomes due on the way is done when it is due. False: the time that the answer may
    /// take was over before.
    pub(super) async fn pass_until(&self, moment: DateTime) -> Result<bool, WhatIfError> {
        loop {
            let ready = jobs::next_due(&self.store).await?;
            let mut planned = schedules::list(&self.store).await?;
            let others = planned.iter().filter(|one| self.look(one).is_none()).map(|one| one.next_at);
            let until = others.chain(ready).chain([moment]).min().unwrap_or(moment);
            if self.leave_out(&planned, until).await? {
                planned = schedules::list(&self.store).await?;
            }
            let due = planned.iter().map(|one| one.next_at).chain(ready).min();
            let Some(due) = due.filter(|due| *due <= moment) else { break };
            if self.is_over() {
                return Ok(false);
            }
            let is_late = due <= self.now();
            if !is_late {
                self.clock.set(due);
            }
            // What waits for another job, or is given up, is not done however often one looks.
            if self.runner.run_until_idle().await? == 0 && is_late {
                break;
            }
        }
        if moment > self.now() {
            self.clock.set(moment);
        }
        Ok(true)
    }

    fn look(&self, schedule: &Schedule) -> Option<&Look> {
        self.looks.iter().find(|look| look.id == schedule.id)
    }

    /// Leaves out looks that find nothing before anything else happens, which is not before `until`. Whether there were any.
    async fn leave_out(&self, planned: &[Schedule], until: DateTime) -> Result<bool, WhatIfError> {
        let mut first = until;
        let mut quiet = Vec::new();
        for schedule in planned.iter().filter(|schedule| schedule.next_at <= until) {
            let Some(look) = self.look(schedule) else { continue };
            // The only one until then is as soon done as left out.
            if look.next(schedule.next_at).is_none_or(|second| second > until) {
                first = first.min(schedule.next_at);
                continue;
            }
            quiet.push((look, schedule));
        }
        for (look, schedule) in &quiet {
            if self.is_over() {
                return Ok(false);
            }
            if let Some(found) = self.first_to_find(look, schedule, first).await? {
                first = first.min(found);
            }
        }
        let mut moved = Vec::new();
        for (look, schedule) in quiet {
            // Those up to the one that finds something, or up to then.
            let before = DateTime(first.0 - 1);
            let Some(last) = look.last(DateTime(schedule.next_at.0 - 1), before) else { continue };
            let Some(next_at) = look.next(last) else { continue };
            moved.push(Schedule { next_at, last_at: Some(last), ..schedule.clone() });
        }
        if moved.is_empty() {
            return Ok(false);
        }
        let write = self.store.write(move |tx| {
            let moved = moved.clone();
            Box::pin(async move {
                for schedule in &moved {
                    schedules::save(tx, schedule).await?;
                }
                Ok(())
            })
        });
        write.await.map(|()| true).map_err(|error: crate::store::StoreError| error.into())
    }

    /// The first time of a look up to `until` at which it may find something, as records are now.
    async fn first_to_find(&self, look: &Look, schedule: &Schedule, until: DateTime) -> Result<Option<DateTime>, WhatIfError> {
        let begin = DateTime(schedule.next_at.0 - 1);
        let Some(mut finds) = look.last(begin, until) else { return Ok(None) };
        let from = schedule.last_at.unwrap_or(schedule.next_at);
        if !self.may_find(look, from, finds).await? {
            return Ok(None);
        }
        let mut nothing = begin;
        loop {
            let middle = DateTime(nothing.0 + (finds.0 - nothing.0) / 2);
            let time = look.last(nothing, middle).or_else(|| look.next(nothing)).filter(|time| *time < finds);
            let Some(time) = time else { return Ok(Some(finds)) };
            match self.may_find(look, from, time).await? {
                true => finds = time,
                false => nothing = time,
            }
        }
    }

    async fn may_find(&self, look: &Look, from: DateTime, due: DateTime) -> Result<bool, RecordError> {
        match &look.automation {
            Some(automation) => may_reach(&self.records, automation, (from, due)).await,
            None => self.records.has_clock_over(due).await,
        }
    }
}
