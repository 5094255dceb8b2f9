//! A request that was read with one catalog and is run with another, because definitions changed meanwhile.

use std::sync::Arc;

use super::error::RecordError;
use super::input::{Input, Nested, NestedItem};
use super::plan::move_fields;
use super::read::same_entity;
use crate::base::{EntityIx, FieldIx};
use crate::schema::catalog::{Catalog, FieldType};

/// The way of a request from the catalog it was read with to the one it is run with.
pub(super) struct Moved {
    pub entity: EntityIx,
    pub is_same: bool,
    from: Arc<Catalog>,
    to: Arc<Catalog>,
    from_entity: EntityIx,
}

impl Moved {
    /// # Errors
    /// The entity is no longer there.
    pub fn new(from: &Arc<Catalog>, to: &Arc<Catalog>, entity: EntityIx) -> Result<Self, RecordError> {
        let is_same = Arc::ptr_eq(from, to);
        let moved = if is_same {
            entity
        } else {
            let old = from.entity(entity);
            same_entity(old, to).ok_or_else(|| RecordError::UnknownEntity { name: old.slug.clone(), near: None })?.ix
        };
        Ok(Self { entity: moved, is_same, from: from.clone(), to: to.clone(), from_entity: entity })
    }

    /// The input with the fields of the catalog it is run with.
    pub fn input(&self, input: &Input) -> Input {
        if self.is_same { input.clone() } else { move_input(&self.from, &self.to, self.from_entity, self.entity, input) }
    }

    /// [`Moved::input`] without a copy where nothing changed.
    pub fn shared(&self, input: &Arc<Input>) -> Arc<Input> {
        if self.is_same { input.clone() } else { Arc::new(self.input(input)) }
    }

    /// Fields of an answer, as the asker knows them.
    pub fn back(&self, changed: &mut Vec<FieldIx>) {
        if !self.is_same {
            let fields = move_fields(self.to.entity(self.entity), self.from.entity(self.from_entity));
            *changed = changed.iter().filter_map(|ix| fields.get(ix).copied()).collect();
        }
    }
}

/// An input of one catalog for another: fields by uid, else by name; what is gone is left out.
fn move_input(from: &Catalog, to: &Catalog, entity: EntityIx, moved: EntityIx, input: &Input) -> Input {
    let fields = move_fields(from.entity(entity), to.entity(moved));
    let below = |field: &FieldIx, catalog: &Catalog, entity: EntityIx| match &catalog.entity(entity).field(*field).ty {
        FieldType::Children { of, .. } => Some(*of),
        FieldType::Links { through, .. } => Some(*through),
        _ => None,
    };
    let children = input.children.iter().filter_map(|(field, nested)| {
        let target = *fields.get(field)?;
        let (old, new) = (below(field, from, entity)?, below(&target, to, moved)?);
        let items = nested.items.iter().map(|item| match item {
            NestedItem::Create(input) => NestedItem::Create(move_input(from, to, old, new, input)),
            NestedItem::Update { id, input } => NestedItem::Update { id: *id, input: move_input(from, to, old, new, input) },
            NestedItem::Remove(id) => NestedItem::Remove(*id),
        });
        Some((target, Nested { items: items.collect(), others: nested.others }))
    });
    Input {
        children: children.collect(),
        values: input.values.iter().filter_map(|(field, value)| Some((*fields.get(field)?, value.clone()))).collect(),
        partial: input.partial.iter().filter_map(|(field, json)| Some((*fields.get(field)?, json.clone()))).collect(),
        // Limits may be others now.
        is_checked: false,
    }
}
