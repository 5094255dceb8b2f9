//! Which scripts an event concerns.

use crate::base::{EntityIx, FieldIx};
use crate::record::HookPoint;
use crate::schema::catalog::{Catalog, Script, Trigger};

/// The scripts of an entity that run at a point, with their positions, in order of priority.
pub(super) fn at_point(catalog: &Catalog, entity: EntityIx, point: HookPoint) -> impl Iterator<Item = (usize, &Script)> {
    let wanted = move |trigger: &Trigger| {
        matches!(
            (trigger, point),
            (Trigger::BeforeSave, HookPoint::BeforeSave)
                | (Trigger::BeforeDelete, HookPoint::BeforeDelete)
                | (Trigger::AfterWrite, HookPoint::AfterWrite)
                | (Trigger::AfterCommit, HookPoint::AfterCommit)
        )
    };
    catalog.entity(entity).scripts.iter().map(|at| (*at, &catalog.scripts[*at])).filter(move |(_, script)| wanted(&script.trigger))
}

/// Whether one of the watched fields is among the changed ones; a script that watches nothing runs always.
pub(super) fn is_watched(script: &Script, changed: &[FieldIx]) -> bool {
    script.watch.is_empty() || script.watch.iter().any(|field| changed.contains(field))
}
