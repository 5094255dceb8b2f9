//! What decides who sees a record: whoever may change the record by a share alone may not change that.

use std::collections::HashSet;

use crate::base::{EntityIx, FieldIx};
use crate::expr::{ChildNeed, Needs, Rows, needs};
use crate::schema::catalog::{Allowed, Catalog, FieldType};

use super::policy::Action;

/// What the rules of all roles read, of whomever they are: the people, teams and records a record is linked with, whatever
/// the rules for reading read besides, and the rows that name who takes part.
#[derive(Debug, Default)]
pub struct Deciding {
    fields: HashSet<(EntityIx, FieldIx)>,
    rows: HashSet<EntityIx>,
}

impl Deciding {
    pub(super) fn of(catalog: &Catalog) -> Self {
        let mut deciding = Self::default();
        for (entity, grant) in catalog.roles.iter().flat_map(|role| &role.grants) {
            for action in Action::ALL {
                if let Allowed::Where(condition) = action.of(grant) {
                    deciding.note(catalog, *entity, &needs(condition), action == Action::Read);
                }
            }
        }
        deciding
    }

    /// Whether some role's rule reads the field to say who sees or changes what.
    pub fn has(&self, entity: EntityIx, field: FieldIx) -> bool {
        self.fields.contains(&(entity, field))
    }

    /// Whether some role's rule asks for records of this entity below another: each of them may give somebody rights.
    pub fn has_rows(&self, entity: EntityIx) -> bool {
        self.rows.contains(&entity)
    }

    /// `whole`: every field that is read; otherwise the links.
    fn note(&mut self, catalog: &Catalog, entity: EntityIx, needed: &Needs, whole: bool) {
        for field in &needed.fields {
            self.note_field(catalog, entity, *field, whole);
        }
        for path in &needed.paths {
            let mut at = entity;
            for hop in &path.hops {
                self.note_field(catalog, at, hop.field, whole);
                at = hop.to;
            }
            self.note_field(catalog, at, path.field, whole);
        }
        for ChildNeed { over, needs } in &needed.children {
            let mut at = entity;
            for hop in &over.hops {
                self.note_field(catalog, at, hop.field, whole);
                at = hop.to;
            }
            let rows = over.rows.entity();
            self.rows.insert(rows);
            match &over.rows {
                Rows::Children { by, .. } => drop(self.fields.insert((rows, *by))),
                // Rows that are only between two records are written as the field that lists them.
                Rows::Links { near, far, .. } => self.fields.extend([(at, over.field), (rows, *near), (rows, *far)]),
            }
            self.note(catalog, rows, needs, true);
        }
    }

    fn note_field(&mut self, catalog: &Catalog, entity: EntityIx, field: FieldIx, whole: bool) {
        let definition = catalog.entity(entity).field(field);
        let names_records =
            matches!(definition.ty, FieldType::Link { .. } | FieldType::User { .. } | FieldType::AnyLink { .. } | FieldType::Links { .. });
        if names_records || whole {
            self.fields.insert((entity, field));
        }
    }
}
