//! A record as a script sees it: its fields are properties, read when asked for, converted and checked when assigned.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rhai::{Array, Dynamic, Engine, ImmutableString};

use super::super::call::{self, Failure, failure};
use super::super::input::RecordData;
use super::super::value;
use crate::base::{EntityIx, FieldIx, RecordId, Value};
use crate::schema::catalog::{Catalog, Entity, Field, FieldType};

/// A handle to a record; clones are the same record.
#[derive(Debug, Clone)]
pub(in crate::script) struct Record(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    catalog: Arc<Catalog>,
    entity: EntityIx,
    standing: Standing,
    state: Mutex<State>,
}

/// What a script may do with a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::script) enum Standing {
    /// `rec` of a before_save: fields may be assigned.
    Open,
    /// `rec` at another moment, and records found: `update` changes them.
    Stored,
    /// `old`.
    Former,
    /// `old` of a create: all fields are absent.
    Absent,
}

#[derive(Debug)]
struct State {
    id: Option<RecordId>,
    values: Vec<Value>,
    children: Vec<(FieldIx, Vec<Record>)>,
    /// Fields assigned so far with what they held before.
    before: Vec<(FieldIx, Value)>,
}

impl Record {
    pub fn new(catalog: &Arc<Catalog>, data: RecordData, standing: Standing) -> Self {
        let children = data
            .children
            .into_iter()
            .map(|(field, items)| (field, items.into_iter().map(|item| Self::new(catalog, item, Standing::Stored)).collect()))
            .collect();
        let state = State { id: data.id, values: data.values, children, before: Vec::new() };
        Self(Arc::new(Inner { catalog: Arc::clone(catalog), entity: data.entity, standing, state: Mutex::new(state) }))
    }

    /// The former record of a create.
    pub fn absent(catalog: &Arc<Catalog>, entity: EntityIx) -> Self {
        Self::new(catalog, RecordData { entity, id: None, values: Vec::new(), children: Vec::new() }, Standing::Absent)
    }

    pub fn entity(&self) -> &Entity {
        self.0.catalog.entity(self.0.entity)
    }

    pub fn id(&self) -> Option<RecordId> {
        self.state().id
    }

    /// `deal_…`, empty for a record that is not written yet.
    pub fn id_text(&self) -> String {
        self.id().map_or_else(String::new, |id| id.display(&self.entity().prefix))
    }

    /// The fields that now hold something else than at the start.
    pub fn changed(&self) -> Vec<(FieldIx, Value)> {
        let state = self.state();
        state
            .before
            .iter()
            .filter(|(ix, before)| state.values[ix.0 as usize] != *before)
            .map(|(ix, _)| (*ix, state.values[ix.0 as usize].clone()))
            .collect()
    }

    /// A field's raw value.
    pub fn value(&self, ix: FieldIx) -> Value {
        self.state().values.get(ix.0 as usize).cloned().unwrap_or_default()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn field(&self, name: &str) -> Result<&Field, Failure> {
        self.entity().find_field(name).ok_or_else(|| failure(format!("`{}` has no field `{name}`", self.entity().slug)))
    }

    fn get(&self, name: &str) -> Result<Dynamic, Failure> {
        let field = self.field(name)?;
        if self.0.standing == Standing::Absent {
            return Ok(Dynamic::UNIT);
        }
        if field.is_system && field.name == "id" {
            return Ok(self.id().map_or(Dynamic::UNIT, |_| self.id_text().into()));
        }
        match &field.ty {
            FieldType::Children { .. } => {
                let items = self.children(field)?;
                Ok(Dynamic::from_array(items.into_iter().map(Dynamic::from).collect()))
            }
            // Below a links field stand the records of the junction; a script sees the ids they lead to.
            FieldType::Links { through, far, .. } if self.value(field.ix).is_null() => {
                let far = self.0.catalog.entity(*through).field(*far);
                let items = self.children(field)?;
                Ok(Dynamic::from_array(
                    items.iter().map(|item| value::to_dynamic(&self.0.catalog, far, &item.value(far.ix))).collect::<Array>(),
                ))
            }
            _ => Ok(value::to_dynamic(&self.0.catalog, field, &self.value(field.ix))),
        }
    }

    /// Nested records: those that came with the write, else those stored.
    fn children(&self, field: &Field) -> Result<Vec<Record>, Failure> {
        let id = {
            let state = self.state();
            if let Some((_, items)) = state.children.iter().find(|(ix, _)| *ix == field.ix) {
                return Ok(items.clone());
            }
            state.id
        };
        let Some(id) = id else { return Ok(Vec::new()) };
        let found = call::with(|call| {
            let found = call.ask(false, |host| host.children(self.0.entity, id, field.ix))?;
            call.count_rows(found.len())?;
            Ok(found)
        })?;
        let items: Vec<Record> = found.into_iter().map(|data| Record::new(&self.0.catalog, data, Standing::Stored)).collect();
        self.state().children.push((field.ix, items.clone()));
        Ok(items)
    }

    fn set(&self, name: &str, new: Dynamic) -> Result<(), Failure> {
        let field = self.field(name)?;
        let current = self.value(field.ix);
        let fitting = value::from_dynamic(&self.0.catalog, field, &new, &current);
        // rhai writes a property back after a method was called on it (`old.tags.len()`): the same value is no change.
        if matches!(&fitting, Ok(value) if *value == current)
            || matches!(field.ty, FieldType::Children { .. }) && new.is_array() && self.0.standing != Standing::Open
        {
            return Ok(());
        }
        match self.0.standing {
            Standing::Open => {}
            Standing::Former | Standing::Absent => return Err(failure("`old` is the former record: it cannot be changed")),
            Standing::Stored => {
                return Err(failure(format!(
                    "this {} is read only here: change it with `update(record, #{{{name}: …}})`",
                    self.entity().slug
                )));
            }
        }
        if field.read_only && field.name != "owner" {
            return Err(failure(format!("`{name}` is computed or kept by the system: it cannot be set")));
        }
        if matches!(field.ty, FieldType::Children { .. }) {
            return Err(failure(format!("`{name}` holds other records: they are changed one by one, in an after_write script")));
        }
        let value = fitting?;
        let mut state = self.state();
        let place = field.ix.0 as usize;
        if state.values.len() <= place {
            state.values.resize(place + 1, Value::Null);
        }
        let before = std::mem::replace(&mut state.values[place], value);
        if !state.before.iter().any(|(ix, _)| *ix == field.ix) {
            state.before.push((field.ix, before));
        }
        Ok(())
    }
}

pub(super) fn register(engine: &mut Engine) {
    engine.register_type_with_name::<Record>("record");
    engine
        .register_indexer_get(|record: &mut Record, name: ImmutableString| record.get(&name))
        .register_indexer_set(|record: &mut Record, name: ImmutableString, new: Dynamic| record.set(&name, new))
        // rhai gives every value a `tag`; a field of that name comes first.
        .register_get("tag", |record: &mut Record| record.get("tag"))
        .register_set("tag", |record: &mut Record, new: Dynamic| record.set("tag", new))
        .register_fn("to_string", |record: Record| record.id_text())
        .register_fn("to_debug", |record: Record| record.id_text())
        .register_fn("==", |a: Record, b: Record| Arc::ptr_eq(&a.0, &b.0) || a.id().is_some() && a.id() == b.id())
        .register_fn("!=", |a: Record, b: Record| !(Arc::ptr_eq(&a.0, &b.0) || a.id().is_some() && a.id() == b.id()))
        .register_fn("==", |record: Record, (): ()| record.0.standing == Standing::Absent)
        .register_fn("!=", |record: Record, (): ()| record.0.standing != Standing::Absent)
        .register_fn("entity", |record: Record| record.entity().slug.clone())
        .register_fn("changed", |record: Record, old: Record, name: &str| -> Result<bool, Failure> {
            let field = record.field(name)?.ix;
            Ok(record.value(field) != old.value(field))
        });
}
