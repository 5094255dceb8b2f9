//! What the records below a draft will look like, for hooks that run before anything is written.

use super::convert::link_id;
use super::hooks::{Draft, Record};
use super::input::{Input, Nested, NestedItem, Others};
use super::plan::Compiled;
use crate::base::{EntityIx, FieldIx, RecordId, Value};
use crate::schema::catalog::FieldType;

/// The rows that are there, changed as the request wants.
pub(super) fn children(compiled: &Compiled, draft: &Draft, field: FieldIx, there: Vec<Record>) -> Vec<Record> {
    let (rows, near, far) = match &compiled.entity(draft.entity).field(field).ty {
        FieldType::Children { of, by } => (*of, *by, None),
        FieldType::Links { through, near, far, .. } => (*through, *near, Some(*far)),
        _ => return there,
    };
    let listed;
    let nested = match draft.children.iter().find(|(ix, _)| *ix == field) {
        Some((_, nested)) => nested,
        None if far.is_some() && draft.old.as_ref().is_none_or(|old| old.get(field) != draft.get(field)) => {
            listed = whole_list(draft.get(field));
            &listed
        }
        None => return there,
    };
    let mut there = there;
    let mut out = Vec::new();
    for item in &nested.items {
        match item {
            NestedItem::Create(input) => out.push(laid_over(compiled, blank(compiled, rows, near, draft.id), input)),
            NestedItem::Update { id, input } => {
                let position = there.iter().position(|row| far.map_or(row.id == *id, |far| link_id(row.get(far)) == Some(*id)));
                let mut row = position.map_or_else(|| blank(compiled, rows, near, draft.id), |at| there.swap_remove(at));
                if let Some(far) = far {
                    row.values[far.0 as usize] = Value::Link(*id);
                }
                out.push(laid_over(compiled, row, input));
            }
            NestedItem::Remove(id) => there.retain(|row| far.map_or(row.id != *id, |far| link_id(row.get(far)) != Some(*id))),
        }
    }
    if nested.others == Others::Keep {
        out.extend(there);
    }
    out
}

fn whole_list(value: &Value) -> Nested {
    let items = match value {
        Value::List(items) => items.iter().filter_map(link_id).map(|id| NestedItem::Update { id, input: Input::default() }).collect(),
        _ => Vec::new(),
    };
    Nested { items, others: Others::Remove }
}

fn blank(compiled: &Compiled, entity: EntityIx, near: FieldIx, owner: RecordId) -> Record {
    let mut values = vec![Value::Null; compiled.entity(entity).fields.len()];
    values[near.0 as usize] = Value::Link(owner);
    Record { entity, id: RecordId(0), version: 0, values }
}

fn laid_over(compiled: &Compiled, mut row: Record, input: &Input) -> Record {
    let entity = compiled.entity(row.entity);
    for (ix, value) in &input.values {
        if entity.fields.len() > ix.0 as usize {
            row.values[ix.0 as usize] = value.clone();
        }
    }
    row
}
