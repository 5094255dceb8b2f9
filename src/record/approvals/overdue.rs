//! What becomes of requests as time goes by: those whose time is over, those whom nobody can decide any more.

use std::sync::Arc;

use serde_json::Value as Json;

use super::super::approvers::{Opened, Opening};
use super::super::approving::{Ending, holds_seen};
use super::super::error::RecordError;
use super::super::options::Source;
use super::super::service::Records;
use super::super::unit::RecordTx;
use super::{ATTEMPTS, Ground};
use crate::access::{Actor, ActorKind};
use crate::base::RecordId;
use crate::schema::catalog::{Need, OnTimeout};
use crate::store::approvals::{self, Part, Request};

/// The kind of job that looks after requests.
pub const APPROVAL: &str = "approval";

/// Requests looked after at once.
const PAGE: u32 = 200;

impl Records {
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
}

impl RecordTx<'_> {
    /// The record or the definition is gone: nothing can be decided.
    async fn drop_approval(&mut self, id: i64) -> Result<bool, RecordError> {
        match approvals::get_in(self.store, id).await? {
            Some(request) => self.close(&request, "void", 0, Some("definition")).await,
            None => Ok(false),
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
        let all = approval.steps[at].need == Need::All && request.level == 0;
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
}
