//! The one choke point: a checked request and an actor become an authorised request, or a refusal.

use crate::base::{EntityIx, FieldIx};
use crate::query::{AggregateRequest, GetRequest, ListRequest};
use crate::schema::catalog::{Catalog, FieldType};

use super::actor::Standing;
use super::policy::Action;
use super::rules::{Mask, RowRules};
use super::walk::{Asks, Groups, One, Walk};
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

    /// What every record and value must meet, by entity, at every hop.
    pub fn rows(&self) -> &RowRules {
        &self.rows
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
    /// Reading a record inside a unit of work, for update or for computing: the engine's own look, which no asker sees.
    Load,
}

/// # Errors
/// `ACL001` for an anonymous actor; what may not be known of is answered like what is not there.
pub fn authorise_list<T: AsRef<ListRequest>>(catalog: &Catalog, actor: &Actor, request: T) -> Result<Authorised<T>, AccessError> {
    let rows = rules_for(catalog, actor, request.entity(), |walk| request.walk(walk))?;
    Ok(Authorised { request, rows })
}

/// A list for taking records out: of those that may be read the ones that may be exported.
///
/// # Errors
/// As [`authorise_list`]; `ACL005` where no role lets records of the entity be exported.
pub fn authorise_export(catalog: &Catalog, actor: &Actor, request: ListRequest) -> Result<Authorised<ListRequest>, AccessError> {
    let entity = request.entity;
    let rows = rules_for(catalog, actor, entity, |walk| request.walk(walk))?;
    let rows = match actor.standing(catalog)?.part().map(|granted| granted.entity(entity).allowed(Action::Export)) {
        None | Some(Some(None)) => rows,
        Some(Some(Some(condition))) => rows.narrowed(entity, condition),
        Some(None) => {
            let slug = catalog.entity(entity).slug.clone();
            return Err(AccessError::NotAllowed { action: Action::Export.word(), entity: slug });
        }
    };
    Ok(Authorised { request, rows })
}

/// Bringing records of an entity in, found by the fields of `matched`. Record by record it is asked for besides what a write
/// asks for.
///
/// # Errors
/// As [`authorise_list`]; `ACL005` where no role lets records of the entity be imported.
pub fn authorise_import(catalog: &Catalog, actor: &Actor, entity: EntityIx, matched: &[FieldIx]) -> Result<(), AccessError> {
    let Standing::Part(granted) = actor.standing(catalog)? else { return Ok(()) };
    let definition = catalog.entity(entity);
    if !granted.entity(entity).actions().is_any() {
        return Err(AccessError::NoEntity { entity: definition.slug.clone() });
    }
    // Whether a value is there must not be found out by matching with it.
    if let Some(field) = matched.iter().find(|field| granted.rules().mask(entity, **field).is_some_and(Mask::is_never)) {
        return Err(AccessError::NoField { entity: definition.slug.clone(), field: definition.field(*field).name.clone() });
    }
    match granted.entity(entity).allowed(Action::Import) {
        Some(_) => Ok(()),
        None => Err(AccessError::NotAllowed { action: Action::Import.word(), entity: definition.slug.clone() }),
    }
}

/// # Errors
/// As [`authorise_list`].
pub fn authorise_get(catalog: &Catalog, actor: &Actor, request: GetRequest) -> Result<Authorised<GetRequest>, AccessError> {
    let rows = rules_for(catalog, actor, request.entity, |walk| One(&request).walk(walk))?;
    Ok(Authorised { request, rows })
}

/// # Errors
/// As [`authorise_list`].
pub fn authorise_aggregate(
    catalog: &Catalog,
    actor: &Actor,
    request: AggregateRequest,
) -> Result<Authorised<AggregateRequest>, AccessError> {
    let rows = rules_for(catalog, actor, request.entity, |walk| Groups(&request).walk(walk))?;
    Ok(Authorised { request, rows })
}

fn rules_for(
    catalog: &Catalog,
    actor: &Actor,
    entity: EntityIx,
    walk: impl FnOnce(&Walk<'_>) -> Result<(), AccessError>,
) -> Result<RowRules, AccessError> {
    match actor.standing(catalog)? {
        Standing::Everything => Ok(RowRules::default()),
        Standing::Part(granted) => {
            if !granted.entity(entity).actions().is_any() {
                return Err(AccessError::NoEntity { entity: catalog.entity(entity).slug.clone() });
            }
            walk(&Walk { catalog, rules: granted.rules() })?;
            Ok(granted.rules().clone())
        }
    }
}

/// The engine's own statements inside a unit of work. Whether the actor may do what leads to them is asked before, record by
/// record; here only what nobody but an administrator may touch is refused.
///
/// # Errors
/// `ACL001` for an anonymous actor, `ACL002` for one who would give rights without having them, `ACL004` for one who has them
/// and proved who they are too long ago.
pub fn authorise_write(catalog: &Catalog, actor: &Actor, request: Write) -> Result<Authorised<Write>, AccessError> {
    if !actor.is_signed_in() {
        return Err(AccessError::NotSignedIn);
    }
    if decides_who_may_what(catalog, &request) {
        if !actor.is_administrator() {
            return Err(AccessError::AdministratorsOnly);
        }
        if !actor.is_fresh {
            return Err(AccessError::StepUpNeeded);
        }
    }
    Ok(Authorised { request, rows: RowRules::default() })
}

/// Fields of a person that say who signs in and with which rights.
const DECIDING: [&str; 7] = ["roles", "role", "active", "email", "team", "teams", "manager"];

/// Whether a write makes or removes people, or changes who they are or what they belong to: whoever may do that has every
/// right there is.
fn decides_who_may_what(catalog: &Catalog, write: &Write) -> bool {
    if write.kind == WriteKind::Load {
        return false;
    }
    let entity = catalog.entity(write.entity);
    match entity.id.as_str() {
        "core.user" if write.kind == WriteKind::Update => write.fields.iter().any(|field| {
            entity.fields.get(field.0 as usize).is_some_and(|field| field.name == "deleted_at" || DECIDING.contains(&field.name.as_str()))
        }),
        "core.user" | "core.team" => true,
        _ => is_between_people_and_teams(catalog, write.entity),
    }
}

/// The rows that say who is in which team.
fn is_between_people_and_teams(catalog: &Catalog, junction: EntityIx) -> bool {
    if !catalog.entity(junction).is_junction {
        return false;
    }
    let sides = catalog.find_entity("core.user").into_iter().chain(catalog.find_entity("core.team"));
    sides.flat_map(|entity| &entity.fields).any(|field| matches!(field.ty, FieldType::Links { through, .. } if through == junction))
}
