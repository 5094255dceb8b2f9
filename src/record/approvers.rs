//! Who decides: the people a step of an approval names, as far as they can decide at all. Worked out before the unit of work
//! that asks them, which looks whether the record is still the one this was worked out from.
//!
//! Somebody can decide who may sign in, reads the record, and has not asked for it themselves (unless the definition lets
//! them). Where too few of those whom a step names can, it asks those it escalates to, and then administrators.

use std::sync::Arc;

use super::error::{FieldFault, RecordError};
use super::hooks::Record;
use super::plan::Compiled;
use super::service::Records;
use super::world::{Setting, World};
use crate::access::{ADMINISTRATOR, Actor};
use crate::base::{RecordId, Value};
use crate::expr::Type;
use crate::schema::catalog::{Approval, ApprovalStep, Need, Who};
use crate::store::people;

/// People one step asks.
const MOST: usize = 50;

/// What is looked at to find them.
pub(super) struct Look<'a> {
    pub compiled: &'a Arc<Compiled>,
    pub approval: &'a Approval,
    pub record: &'a Record,
    pub world: &'a World,
    pub actor: &'a Actor,
    pub asked_by: Option<RecordId>,
}

/// A step about to begin.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Opening {
    /// `None`: no step is left, it is approved.
    pub step: Option<usize>,
    pub level: i64,
    pub need: i64,
    /// Whom it asks, and why them.
    pub people: Vec<(RecordId, &'static str)>,
    /// Whom it names that cannot decide.
    pub unfit: Vec<RecordId>,
}

/// An [`Opening`], or why the step cannot begin.
pub(super) type Opened = Result<Opening, FieldFault>;

impl Records {
    /// The first step from `from` on that is needed, with the people it asks.
    pub(super) async fn opening(&self, look: &Look<'_>, from: usize) -> Result<Opened, RecordError> {
        let setting = Setting::new(look.compiled, self.clock().now(), look.actor);
        let is_needed = |step: &ApprovalStep| step.when.as_ref().is_none_or(|when| setting.holds(look.world, when, look.record, None));
        let Some(at) = (from..look.approval.steps.len()).find(|at| is_needed(&look.approval.steps[*at])) else {
            return Ok(Ok(Opening { step: None, level: 0, need: 0, people: Vec::new(), unfit: Vec::new() }));
        };
        let step = &look.approval.steps[at];
        let named = self.named(look, &step.who).await?;
        if named.len() > MOST {
            let message = format!("the step `{}` asks {} people or more; at most {MOST} can be asked", step.id, named.len());
            return Ok(Err(FieldFault::whole("approval_too_many", message).with("step", step.id.as_str()).with("limit", MOST)));
        }
        let (fit, unfit) = self.sorted(look, named).await?;
        let least = match step.need {
            Need::Of(number) => number as usize,
            Need::Any | Need::All => 1,
        };
        let mut people: Vec<(RecordId, &'static str)> = fit.into_iter().map(|person| (person, "named")).collect();
        if people.len() >= least {
            let need = if step.need == Need::All { people.len() } else { least };
            return Ok(Ok(Opening { step: Some(at), level: 0, need: count(need), people, unfit }));
        }
        for level in [1, 2] {
            self.call(look, step, level, "nobody", &mut people).await?;
            if people.len() >= least {
                return Ok(Ok(Opening { step: Some(at), level, need: count(least), people, unfit }));
            }
        }
        let label = step.label.get(look.actor.locale);
        let message = format!("the step `{label}` needs {least} who may decide, there are {}", people.len());
        let fault = FieldFault::whole("approval_nobody", message).with("step", step.id.as_str()).with("label", label);
        Ok(Err(fault.with("need", least).with("found", people.len())))
    }

    /// Who is asked beyond those that a step named: whom it escalates to (1), administrators (2).
    pub(super) async fn beyond(
        &self,
        look: &Look<'_>,
        step: &ApprovalStep,
        from: i64,
        why: &'static str,
        known: &[RecordId],
    ) -> Result<(i64, Vec<(RecordId, &'static str)>), RecordError> {
        for level in from..=2 {
            let mut people = Vec::new();
            self.call(look, step, level, why, &mut people).await?;
            people.retain(|(person, _)| !known.contains(person));
            if !people.is_empty() {
                return Ok((level, people));
            }
        }
        Ok((2, Vec::new()))
    }

    async fn call(
        &self,
        look: &Look<'_>,
        step: &ApprovalStep,
        level: i64,
        why: &'static str,
        into: &mut Vec<(RecordId, &'static str)>,
    ) -> Result<(), RecordError> {
        let found = match level {
            1 => self.named(look, &step.escalate).await?,
            _ => people::with_role(self.store(), &look.compiled.catalog, ADMINISTRATOR, count_u32(MOST)).await?,
        };
        let (fit, _) = self.sorted(look, found).await?;
        for person in fit.into_iter().take(MOST) {
            if !into.iter().any(|(known, _)| *known == person) {
                into.push((person, why));
            }
        }
        Ok(())
    }

    /// Everybody that a step names, each once; one more than may be asked at most.
    async fn named(&self, look: &Look<'_>, who: &Who) -> Result<Vec<RecordId>, RecordError> {
        let catalog = &look.compiled.catalog;
        let most = count_u32(MOST + 1);
        let mut found: Vec<RecordId> = Vec::new();
        for expr in &who.people {
            let value = Setting::new(look.compiled, self.clock().now(), look.actor).eval(look.world, expr, look.record, None);
            let Value::Link(id) = value else { continue };
            let is_team = matches!(&expr.ty, Type::Link(to) if to.iter().any(|ix| catalog.entity(*ix).id == "core.team"));
            match is_team {
                true => found.extend(people::in_team(self.store(), catalog, id, most).await?),
                false => found.push(id),
            }
        }
        for role in &who.roles {
            found.extend(people::with_role(self.store(), catalog, role, most).await?);
        }
        let mut seen = std::collections::HashSet::new();
        found.retain(|person| seen.insert(*person));
        Ok(found)
    }

    /// Those who can decide, and those who cannot.
    pub(super) async fn sorted(&self, look: &Look<'_>, people: Vec<RecordId>) -> Result<(Vec<RecordId>, Vec<RecordId>), RecordError> {
        let (mut fit, mut unfit) = (Vec::new(), Vec::new());
        for person in people {
            let is_asker = look.asked_by == Some(person) && !look.approval.may_own;
            match !is_asker && self.can_decide(look, person).await? {
                true => fit.push(person),
                false => unfit.push(person),
            }
        }
        Ok((fit, unfit))
    }

    /// Whether somebody may sign in and reads the record.
    async fn can_decide(&self, look: &Look<'_>, person: RecordId) -> Result<bool, RecordError> {
        let Some(actor) = self.actor_of(person).await? else { return Ok(false) };
        self.reads(&actor, &look.compiled.catalog, look.record.entity, look.record.id).await
    }
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn count_u32(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
