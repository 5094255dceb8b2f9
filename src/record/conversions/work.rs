//! One conversion while it is made: what became of its targets so far, and all that is wrong.

use std::sync::Arc;

use super::ConvertedTarget;
use crate::base::{EntityIx, FieldIx, Locale, RecordId, Value};
use crate::record::duplicates::Duplicates;
use crate::record::error::{FieldFault, RecordError, pointer};
use crate::record::hooks::Record;
use crate::record::input::Input;
use crate::record::options::WriteOptions;
use crate::record::plan::Compiled;
use crate::record::prepare::Given;
use crate::schema::catalog::{Catalog, Conversion, ConversionTarget, Entity, FieldType, Origin};
use crate::schema::field_type;

/// What has become of a target so far.
pub(super) enum Slot {
    Absent,
    Failed,
    There(ConvertedTarget),
}

/// A conversion while it is made.
pub(super) struct Work<'a> {
    pub compiled: &'a Arc<Compiled>,
    pub conversion: &'a Conversion,
    /// The record that is converted, as far as whoever converts may read it.
    pub record: &'a Record,
    /// How the records it writes are written.
    pub options: WriteOptions,
    /// In the order of the targets.
    pub slots: Vec<Slot>,
    pub warnings: Vec<String>,
    pub refusals: Refusals,
}

/// What is wrong, of all targets and the record itself.
#[derive(Default)]
pub(super) struct Refusals {
    pub faults: Vec<FieldFault>,
    /// With the entity's slug, and where they are told.
    alike: Vec<(String, String, Vec<Duplicates>)>,
}

/// Links of a target, by how they are written.
pub(super) struct Linked {
    pub given: Vec<Given>,
    pub lists: Vec<Given>,
    /// Names of fields whose target could not be made.
    pub lost: Vec<String>,
}

impl<'a> Work<'a> {
    pub fn new(compiled: &'a Arc<Compiled>, conversion: &'a Conversion, record: &'a Record, options: &WriteOptions) -> Self {
        let options = WriteOptions {
            source: options.source,
            without_hooks: options.without_hooks,
            allow_duplicates: options.allow_duplicates,
            override_reason: options.override_reason.clone(),
            ..WriteOptions::default()
        };
        Self { compiled, conversion, record, options, slots: Vec::new(), warnings: Vec::new(), refusals: Refusals::default() }
    }

    /// The records there are.
    pub fn targets(&self) -> Vec<ConvertedTarget> {
        self.slots.iter().filter_map(|slot| if let Slot::There(target) = slot { Some(target.clone()) } else { None }).collect()
    }

    /// The record of a target, where there is one.
    pub fn there(&self, at: usize) -> Option<&ConvertedTarget> {
        if let Some(Slot::There(target)) = self.slots.get(at) { Some(target) } else { None }
    }

    /// Where the faults of a target stand.
    pub fn place(target: &ConversionTarget) -> String {
        format!("/targets{}", pointer(&target.id))
    }

    /// Notes what is wrong with a target as a whole.
    pub fn refuse(&mut self, target: &ConversionTarget, code: &str, message: String) -> Slot {
        let fault = FieldFault::whole(code, message).with("target", target.id.as_str());
        self.refusals.faults.push(fault.below(&Self::place(target)));
        Slot::Failed
    }

    /// The links of a target to what is there already.
    pub fn linked(&self, target: &ConversionTarget) -> Linked {
        let definition = self.compiled.entity(target.entity);
        let mut found = Linked { given: Vec::new(), lists: Vec::new(), lost: Vec::new() };
        for (field, origin) in &target.links {
            let ty = &definition.field(*field).ty;
            let (entity, id) = match origin {
                Origin::Record => (self.record.entity, self.record.id),
                Origin::Target(at) => match &self.slots[*at] {
                    Slot::There(target) => (target.entity, target.record),
                    Slot::Absent => continue,
                    Slot::Failed => {
                        found.lost.push(definition.field(*field).name.clone());
                        continue;
                    }
                },
            };
            match link_value(self.compiled, ty, entity, id) {
                value @ Value::List(_) => found.lists.push((*field, value)),
                value => found.given.push((*field, value)),
            }
        }
        found
    }
}

impl Refusals {
    /// Keeps what can be told beside other faults; anything else ends the conversion. `lost` are fields whose link could not
    /// be made, which is told at what it leads to.
    pub fn keep(&mut self, error: RecordError, place: &str, lost: &[String]) -> Result<(), RecordError> {
        match error {
            RecordError::Invalid(faults) => {
                let is_lost = |fault: &FieldFault| fault.path.split('/').nth(1).is_some_and(|head| lost.iter().any(|name| name == head));
                self.faults.extend(faults.into_iter().filter(|fault| !is_lost(fault)).map(|fault| fault.below(place)));
            }
            RecordError::Duplicate { entity, found } => self.alike.push((entity, place.to_owned(), found)),
            error @ RecordError::Unique { .. } => self.faults.extend(error.faults().into_iter().map(|fault| fault.below(place))),
            other => return Err(other),
        }
        Ok(())
    }

    /// # Errors
    /// All that is wrong.
    pub fn settle(self) -> Result<(), RecordError> {
        let Self { mut faults, alike } = self;
        match (faults.is_empty(), alike.first()) {
            (true, None) => Ok(()),
            (true, Some((entity, ..))) => {
                let entity = entity.clone();
                Err(RecordError::Duplicate { entity, found: alike.into_iter().flat_map(|(.., found)| found).collect() })
            }
            (false, _) => {
                for (_, place, found) in &alike {
                    faults.extend(found.iter().map(|one| one.fault().below(place)));
                }
                Err(RecordError::Invalid(faults))
            }
        }
    }
}

/// A link as a field of this type holds it.
pub(super) fn link_value(compiled: &Compiled, ty: &FieldType, entity: EntityIx, id: RecordId) -> Value {
    match ty {
        FieldType::AnyLink { .. } => Value::Text(id.display(&compiled.entity(entity).prefix)),
        FieldType::Links { .. } => Value::List(vec![Value::Link(id)]),
        _ => Value::Link(id),
    }
}

/// A value of one field as the other holds it.
pub(super) fn copied(catalog: &Catalog, entity: &Entity, from: FieldIx, to: &FieldType, record: &Record) -> Value {
    let (field, value) = (entity.field(from), record.get(from));
    match (&field.ty, to, value) {
        (_, FieldType::PersonName, Value::Text(text)) => field_type::person_name::from_text(text),
        (FieldType::PersonName, FieldType::Text { .. } | FieldType::LongText { .. }, Value::Map(_)) => {
            Value::Text(field_type::to_text(catalog, field, value, Locale::En, &catalog.settings.time_zone))
        }
        _ => value.clone(),
    }
}

/// What whoever converts says goes before what the definition says.
pub(super) fn lay_over(input: &mut Input, own: &Input) {
    for (field, value) in &own.values {
        input.set(*field, value.clone());
        input.partial.retain(|(known, _)| known != field);
    }
    input.partial.extend(own.partial.iter().cloned());
    input.children.retain(|(known, _)| own.children.iter().all(|(field, _)| field != known));
    input.children.extend(own.children.iter().cloned());
    input.is_checked = false;
}
