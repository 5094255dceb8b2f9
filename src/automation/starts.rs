//! Which automations an event starts, answered from the catalog and the event alone: it is asked in every save.

use crate::base::{EntityIx, FieldIx};
use crate::record::{EventKind, Record};
use crate::schema::catalog::{Catalog, Start, SurveyFields};

/// Positions of the automations that this event starts, in the order of the definitions. Looks at nothing but those that
/// wait for such an event of this entity, or for one of the changed fields.
pub(super) fn started(
    catalog: &Catalog,
    entity: EntityIx,
    kind: EventKind,
    changed: &[FieldIx],
    old: Option<&Record>,
    record: &Record,
) -> Vec<usize> {
    let Some(starts) = catalog.automations.starts.get(&entity) else { return Vec::new() };
    let mut found = match kind {
        EventKind::Create => starts.created.clone(),
        EventKind::Delete => starts.deleted.clone(),
        EventKind::Update => {
            let watched = changed.iter().filter_map(|field| starts.by_field.get(field)).flatten();
            starts.updated.iter().chain(watched).copied().collect()
        }
        EventKind::Restore => Vec::new(),
    };
    found.sort_unstable();
    found.dedup();
    found.retain(|at| is_move(&catalog.automations.all[*at].start, old, record));
    found
}

/// Whether runs may wait for this event: for one of these fields, or until their record is gone.
pub(super) fn is_awaited(catalog: &Catalog, entity: EntityIx, kind: EventKind, changed: &[FieldIx]) -> bool {
    let Some(starts) = catalog.automations.starts.get(&entity) else { return false };
    match kind {
        EventKind::Delete => starts.has_waiting,
        _ => changed.iter().any(|field| starts.waited_for.contains(field)),
    }
}

/// Whether the record moved as the automation waits for; true for those that wait for something else.
fn is_move(start: &Start, old: Option<&Record>, record: &Record) -> bool {
    let (field, from, to) = match start {
        Start::Stage { field, from, to } => (field, from, to),
        Start::Answered(answered) => {
            let is = |record: &Record| record.get(answered.fields.state).as_text() == Some(SurveyFields::ANSWERED);
            let is_of = record.get(answered.fields.survey).as_text() == Some(&answered.survey);
            return is_of && is(record) && !old.is_some_and(is);
        }
        _ => return true,
    };
    let before = old.and_then(|old| old.get(*field).as_text());
    let Some(now) = record.get(*field).as_text().filter(|now| before != Some(*now)) else { return false };
    let leaves = from.is_empty() || before.is_some_and(|before| from.iter().any(|key| key == before));
    leaves && (to.is_empty() || to.iter().any(|key| key == now))
}
