//! What holds for people (`core.user`) beyond their definition: somebody can always administer the workspace.

use super::error::{FieldFault, RecordError};
use super::hooks::{EventKind, Record, RecordEvent};
use super::unit::RecordTx;
use crate::access::{ADMINISTRATOR, Actor};
use crate::base::{RecordId, Value};
use crate::expr::{Expected, compile};
use crate::query::Deleted;
use crate::schema::CatalogScope;
use crate::schema::catalog::Entity;
use crate::store::compile::Lock;

/// More people than this need not be looked at to find one.
const LOOKED_AT: u32 = 100;

impl RecordTx<'_> {
    /// Called once a change is written, whatever door it came through.
    ///
    /// # Errors
    /// When the change took the last active administrator away.
    pub(super) async fn expect_administrator(&mut self, event: &RecordEvent) -> Result<(), RecordError> {
        let compiled = self.scope.compiled.clone();
        let entity = compiled.entity(event.entity);
        let (Some(old), true) = (&event.old, entity.id == "core.user") else { return Ok(()) };
        let goes = event.kind == EventKind::Delete;
        if !is_administrator(entity, old) || (!goes && is_administrator(entity, &event.record)) {
            return Ok(());
        }
        let scope = CatalogScope::new(&compiled.catalog);
        let condition = format!("roles has '{ADMINISTRATOR}' and (active is null or active = true)");
        let Ok(filter) = compile(&condition, &scope, entity.ix, &Expected::Condition) else { return Ok(()) };
        let mut ids = self.ids_of(&Actor::system(), &compiled, entity.ix, Some(filter), None, Deleted::Live, LOOKED_AT).await?;
        ids.retain(|id| *id != event.id);
        // Locked: two who leave at the same moment may not count on each other.
        let others = self.load(entity.ix, &ids, Lock::Change).await?;
        if others.iter().any(|other| !other.is_deleted(entity) && is_administrator(entity, other)) {
            return Ok(());
        }
        Err(refusal(entity, event.id, &event.record, goes))
    }
}

fn refusal(entity: &Entity, id: RecordId, record: &Record, goes: bool) -> RecordError {
    const WHAT_TO_DO: &str = "give another active person the role `admin` first";
    if goes {
        let shown = id.display(&entity.prefix);
        return RecordError::State { message: format!("`{shown}` is the last active administrator and cannot be deleted; {WHAT_TO_DO}") };
    }
    let (field, what) = if has_role(entity, record) { ("active", "must stay active") } else { ("roles", "must keep the role `admin`") };
    RecordError::fault(FieldFault::at(field, "last_administrator", format!("the last active administrator {what}; {WHAT_TO_DO}")))
}

fn is_administrator(entity: &Entity, person: &Record) -> bool {
    let active = entity.find_field("active").map(|field| person.get(field.ix));
    has_role(entity, person) && active != Some(&Value::Bool(false))
}

fn has_role(entity: &Entity, person: &Record) -> bool {
    match entity.find_field("roles").map(|field| person.get(field.ix)) {
        Some(Value::List(roles)) => roles.iter().any(|role| role.as_text() == Some(ADMINISTRATOR)),
        _ => false,
    }
}
