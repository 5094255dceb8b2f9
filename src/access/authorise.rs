//! The one choke point: a checked request and an actor become an authorised request, or a refusal.

use std::collections::HashMap;
use std::sync::Arc;

use crate::base::{EntityIx, FieldIx};
use crate::expr::Typed;
use crate::query::{AggregateRequest, GetRequest, ListRequest};
use crate::schema::catalog::Catalog;

use super::{AccessError, Actor};

/// A request that may be turned into SQL. Only this room makes one.
#[derive(Debug, Clone)]
pub struct Authorised<T> {
    request: T,
    rows: RowRules,
}

impl<T> Authorised<T> {
    pub fn request(&self) -> &T {
        &self.request
    }

    /// The conditions every record must meet, by entity, at every hop.
    pub fn rows(&self) -> &RowRules {
        &self.rows
    }
}

/// Per entity, which records the actor may see: a condition over the entity's own fields. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct RowRules(Option<Arc<HashMap<EntityIx, Typed>>>);

impl RowRules {
    /// The condition for an entity's records; `None` means all of them.
    pub fn of(&self, entity: EntityIx) -> Option<&Typed> {
        self.0.as_ref()?.get(&entity)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }
}

/// What a unit of work is about to do to an entity's records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    pub entity: EntityIx,
    pub kind: WriteKind,
    /// The fields a request sets; empty when the engine alone writes.
    pub fields: Vec<FieldIx>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WriteKind {
    Create,
    Update,
    Delete,
    Restore,
    /// Reading a record inside a unit of work, for update or for computing.
    Load,
}

/// # Errors
/// `ACL001` for an anonymous actor.
pub fn authorise_list<T: AsRef<ListRequest>>(catalog: &Catalog, actor: &Actor, request: T) -> Result<Authorised<T>, AccessError> {
    authorise(catalog, actor, request)
}

/// # Errors
/// `ACL001` for an anonymous actor.
pub fn authorise_get(catalog: &Catalog, actor: &Actor, request: GetRequest) -> Result<Authorised<GetRequest>, AccessError> {
    authorise(catalog, actor, request)
}

/// # Errors
/// `ACL001` for an anonymous actor.
pub fn authorise_aggregate(
    catalog: &Catalog,
    actor: &Actor,
    request: AggregateRequest,
) -> Result<Authorised<AggregateRequest>, AccessError> {
    authorise(catalog, actor, request)
}

/// # Errors
/// `ACL001` for an anonymous actor, `ACL002` for one who would give rights without having them, `ACL004` for one who has them
/// and proved who they are too long ago.
pub fn authorise_write(catalog: &Catalog, actor: &Actor, request: Write) -> Result<Authorised<Write>, AccessError> {
    if decides_who_signs_in(catalog, &request) && actor.is_signed_in() {
        if !actor.is_administrator() {
            return Err(AccessError::AdministratorsOnly);
        }
        if !actor.is_fresh {
            return Err(AccessError::StepUpNeeded);
        }
    }
    authorise(catalog, actor, request)
}

/// Fields of a person that say who signs in and with which rights.
const DECIDING: [&str; 4] = ["roles", "role", "active", "email"];

/// Whether a write makes or removes people, or changes who they are: whoever may do that has every right there is.
fn decides_who_signs_in(catalog: &Catalog, write: &Write) -> bool {
    let entity = catalog.entity(write.entity);
    if entity.id != "core.user" {
        return false;
    }
    match write.kind {
        WriteKind::Create | WriteKind::Delete | WriteKind::Restore => true,
        WriteKind::Update => write.fields.iter().any(|field| {
            entity.fields.get(field.0 as usize).is_some_and(|field| field.name == "deleted_at" || DECIDING.contains(&field.name.as_str()))
        }),
        WriteKind::Load => false,
    }
}

fn authorise<T>(_catalog: &Catalog, actor: &Actor, request: T) -> Result<Authorised<T>, AccessError> {
    if !actor.is_signed_in() {
        return Err(AccessError::NotSignedIn);
    }
    Ok(Authorised { request, rows: RowRules::default() })
}
