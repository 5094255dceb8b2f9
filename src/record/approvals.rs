//! Approvals as people meet them. What they do stands in `acts`, what they see in `seen`, what time does in `overdue`, who
//! stands in for whom in `stand_ins`. What requests lock and what follows from them stands in `approving`, who decides in
//! `approvers`.

mod acts;
mod overdue;
mod seen;
mod stand_ins;

use std::sync::Arc;

pub use acts::{Ask, Decision, HandOn};
pub use overdue::APPROVAL;
pub use seen::{ApprovalFilter, ApprovalStanding, Offered, SeenValue};
pub use stand_ins::NewStandIn;

use super::approvers::Look;
use super::error::{FieldFault, RecordError};
use super::hooks::Record;
use super::plan::Compiled;
use super::service::Records;
use super::unit::RecordTx;
use super::world::World;
use crate::access::{ADMINISTRATOR, Actor, ActorKind};
use crate::base::{EntityIx, RecordId};
use crate::schema::catalog::Approval;
use crate::store::approvals::{self, Request};
use crate::store::compile::Lock;

/// How often an act is tried when the record changes under it.
const ATTEMPTS: u32 = 5;

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

fn missing(id: i64) -> RecordError {
    RecordError::NotFound { entity: "approval".to_owned(), id: id.to_string() }
}

fn fault(code: &str, message: impl Into<String>) -> RecordError {
    RecordError::fault(FieldFault::whole(code, message))
}

fn is_admin(actor: &Actor) -> bool {
    actor.kind == ActorKind::System || actor.roles.iter().any(|role| role == ADMINISTRATOR)
}

/// Whether the actor is one of those who may ask; nobody named is everybody.
fn has_role(actor: &Actor, roles: &[String]) -> bool {
    roles.is_empty() || is_admin(actor) || actor.roles.iter().any(|role| roles.contains(role))
}

impl Records {
    /// A live record with what its approvals read.
    async fn stand(&self, compiled: &Arc<Compiled>, entity: EntityIx, id: RecordId) -> Result<Option<(Record, World)>, RecordError> {
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
        let Some((record, world)) = self.stand(&compiled, entity, request.record).await? else { return Ok(None) };
        Ok(Some(Ground { compiled, request, record, world, entity, approval }))
    }
}

impl RecordTx<'_> {
    /// The request and its record as they are now, locked; `None` where they are others than an act was worked out from.
    async fn regain(&mut self, ground: &Ground) -> Result<Option<(Request, Record)>, RecordError> {
        if !Arc::ptr_eq(self.catalog(), &ground.compiled.catalog) {
            return Ok(None);
        }
        if !self.readable(ground.entity, &[ground.request.record]).await?.contains(&ground.request.record) {
            return Err(missing(ground.request.id));
        }
        let record = self.load(ground.entity, &[ground.request.record], Lock::Change).await?.pop();
        let Some(record) = record.filter(|record| !record.is_deleted(ground.compiled.entity(ground.entity))) else {
            return Err(missing(ground.request.id));
        };
        let request = approvals::get_in(self.store, ground.request.id).await?.ok_or_else(|| missing(ground.request.id))?;
        if request.state != "running" {
            let message = format!("this is over: it is {}", request.state);
            return Err(RecordError::fault(FieldFault::whole("approval_over", message).with("state", request.state.as_str())));
        }
        let is_same = request == ground.request && record.version == ground.record.version;
        Ok(is_same.then_some((request, record)))
    }

    fn shown_person(&self, person: RecordId) -> String {
        person.display(self.scope.compiled.catalog.find_entity("core.user").map_or("", |people| people.prefix.as_str()))
    }
}
