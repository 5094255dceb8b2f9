//! The catalog as some roles see it. Positions stay, so that what was resolved with it fits the whole one; names that may
//! not be known are not in it, so that an unknown, a hidden and a missing name get one and the same answer.

use std::sync::Arc;

use crate::base::{EntityIx, FieldIx};
use crate::expr::{Needs, Typed, needs};
use crate::schema::catalog::{
    Actions, Allowed, Catalog, Conversion, CopiedRows, Entity, FieldType, GivenValue, Grant, Mapped, MappedValue,
};

use super::policy::{EntityRights, Policy};

pub(super) fn narrow(whole: &Arc<Catalog>, policy: &Policy) -> Arc<Catalog> {
    let nothing = EntityRights::default();
    let rights = |entity: EntityIx| policy.entity(entity).unwrap_or(&nothing);
    let mut seen = Catalog::clone(whole);
    seen.whole = Some(whole.clone());
    seen.described.clear();
    seen.roles.clear();
    let known: Vec<bool> = whole.entities.iter().map(|entity| rights(entity.ix).actions().is_any()).collect();
    let is_known = |entity: EntityIx| known.get(entity.0 as usize).copied().unwrap_or(false);
    seen.by_slug.retain(|_, entity| is_known(*entity));
    seen.by_prefix.retain(|_, entity| is_known(*entity));
    for app in &mut seen.apps {
        app.entities.retain(|entity| is_known(*entity));
    }
    seen.apps.retain(|app| !app.entities.is_empty());
    let mut hidden: Vec<Vec<bool>> = Vec::with_capacity(seen.entities.len());
    for entity in &mut seen.entities {
        let rights = rights(entity.ix);
        entity.may = rights.actions();
        hidden.push(fields(entity, rights, &is_known));
    }
    let is_hidden = |entity: EntityIx, field: FieldIx| hidden[entity.0 as usize].get(field.0 as usize).copied().unwrap_or(true);
    for entity in &mut seen.entities {
        arrange(entity, &is_hidden);
        entity.conversions.retain(|one| one.targets.iter().all(|target| target.is_optional || is_known(target.entity)));
    }
    Arc::new(seen)
}

/// Hides and locks fields; tells which are hidden.
fn fields(entity: &mut Entity, rights: &EntityRights, is_known: &dyn Fn(EntityIx) -> bool) -> Vec<bool> {
    let some = |field: FieldIx, list: fn(&Grant) -> &Vec<bool>, acts: &dyn Fn(&Grant) -> bool| {
        rights.grants.iter().any(|(_, grant)| acts(grant) && list(grant).get(field.0 as usize).copied().unwrap_or(false))
    };
    let writes = |grant: &Grant| grant.create != Allowed::None || grant.update != Allowed::None;
    let has_readers = rights.grants.iter().any(|(_, grant)| grant.read != Allowed::None);
    let knows = |grant: &Grant| !has_readers || grant.read != Allowed::None;
    let mut hidden = Vec::with_capacity(entity.fields.len());
    for field in &mut entity.fields {
        let leads_nowhere = match &field.ty {
            FieldType::Children { of, .. } => !is_known(*of),
            FieldType::Links { to, through, .. } => !is_known(*to) || !is_known(*through),
            _ => false,
        };
        let is_name = field.is_system && matches!(field.name.as_str(), "id" | "version");
        field.is_hidden = !is_name && (leads_nowhere || !some(field.ix, |grant| &grant.readable, &knows));
        if !some(field.ix, |grant| &grant.writable, &writes) {
            field.is_locked = true;
            field.read_only = true;
        }
        hidden.push(field.is_hidden);
    }
    let fields = &entity.fields;
    entity.by_name.retain(|_, field| fields.get(field.0 as usize).is_some_and(|field| !field.is_hidden));
    hidden
}

/// Takes what names a hidden field out of views, layouts and keys.
fn arrange(entity: &mut Entity, is_hidden: &dyn Fn(EntityIx, FieldIx) -> bool) {
    let ix = entity.ix;
    let is_open = |field: &FieldIx| !is_hidden(ix, *field);
    entity.uniques.retain(|unique| unique.fields.iter().all(is_open));
    entity.duplicates.retain(|rule| rule.matches.iter().all(|one| is_open(&one.field)));
    let reads = |condition: &Option<Typed>| condition.as_ref().is_none_or(|condition| reads_only(ix, condition, is_hidden));
    for approval in &mut entity.approvals {
        approval.fields.retain(is_open);
    }
    entity.pipelines.retain(|pipeline| is_open(&pipeline.field) && reads(&pipeline.when));
    entity.clocks.retain(|clock| clock.fields.all().iter().all(is_open) && clock.needs().fields.iter().all(is_open));
    for pipeline in &mut entity.pipelines {
        pipeline.amount = pipeline.amount.filter(is_open);
        pipeline.stages.iter_mut().for_each(|stage| stage.fields.retain(is_open));
    }
    entity.conversions.retain(|conversion| is_known_whole(ix, conversion, is_hidden));
    entity.views.retain(|view| view.filter.as_ref().is_none_or(|filter| reads_only(ix, filter, is_hidden)));
    for view in &mut entity.views {
        view.columns.retain(is_open);
        view.sort.retain(|(field, _)| is_open(field));
    }
    for layout in &mut entity.layouts {
        layout.header.retain(is_open);
        for tab in &mut layout.tabs {
            if tab.related.as_ref().is_some_and(|(field, _)| !is_open(field)) {
                tab.related = None;
            }
            if let Some((field, columns)) = &mut tab.related
                && let FieldType::Children { of, .. } | FieldType::Links { to: of, .. } = &entity.fields[field.0 as usize].ty
            {
                columns.retain(|column| !is_hidden(*of, *column));
            }
            for section in &mut tab.sections {
                section.fields.retain(|placed| is_open(&placed.field));
            }
            tab.sections.retain(|section| !section.fields.is_empty());
        }
        layout.tabs.retain(|tab| tab.related.is_some() || !tab.sections.is_empty());
    }
    if entity.may == Actions::NONE || !entity.may.read {
        entity.buttons.clear();
    }
}

/// Whether a conversion reads nothing hidden of the record it converts. What it may make is asked when it makes it.
fn is_known_whole(ix: EntityIx, conversion: &Conversion, is_hidden: &dyn Fn(EntityIx, FieldIx) -> bool) -> bool {
    let reads = |condition: &Option<Typed>| condition.as_ref().is_none_or(|condition| reads_only(ix, condition, is_hidden));
    let given = |of: EntityIx, value: &GivenValue| match value {
        GivenValue::Plain(_) => true,
        GivenValue::Expr(expr) => reads_only(of, expr, is_hidden),
    };
    let mapped = |of: EntityIx, values: &[Mapped]| {
        values.iter().all(|one| match &one.value {
            MappedValue::Copy(field) => !is_hidden(of, *field),
            MappedValue::Given(value) => given(of, value),
        })
    };
    let below =
        |rows: &CopiedRows| rows.when.as_ref().is_none_or(|when| reads_only(rows.of, when, is_hidden)) && mapped(rows.of, &rows.values);
    reads(&conversion.when)
        && conversion.set.iter().all(|one| given(ix, &one.value))
        && conversion.targets.iter().all(|target| reads(&target.when) && mapped(ix, &target.values) && target.rows.iter().all(below))
}

/// Whether an expression about an entity's records reads nothing hidden.
fn reads_only(entity: EntityIx, typed: &Typed, is_hidden: &dyn Fn(EntityIx, FieldIx) -> bool) -> bool {
    fn open(entity: EntityIx, needed: &Needs, is_hidden: &dyn Fn(EntityIx, FieldIx) -> bool) -> bool {
        needed.fields.iter().all(|field| !is_hidden(entity, *field))
            && needed.paths.iter().all(|path| path.hops.last().is_none_or(|hop| !is_hidden(hop.to, path.field)))
            && needed.children.iter().all(|child| {
                let owner = child.over.hops.last().map_or(entity, |hop| hop.to);
                !is_hidden(owner, child.over.field) && open(child.over.rows.entity(), &child.needs, is_hidden)
            })
    }
    open(entity, &needs(typed), is_hidden)
}
