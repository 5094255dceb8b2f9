//! Whether a value is another one a moment later, or for another reader, though nothing was written: through `now()`, `me()`
//! and zones, also those of virtual fields that it reads.

use crate::base::{EntityIx, FieldIx};
use crate::expr::{ChildNeed, Needs, Typed, needs};
use crate::schema::catalog::{Catalog, FieldType};

/// Virtual fields may read virtual fields this deep; the catalog refuses circles.
const DEEPEST: u32 = 16;

/// Whether an expression about records of an entity depends on the moment, the zone or (unless `but_me`) the reader.
pub fn depends_on_moment(catalog: &Catalog, entity: EntityIx, typed: &Typed, but_me: bool) -> bool {
    Look { catalog, but_me }.any(entity, &needs(typed), 0)
}

/// The same of a field as it is read.
pub fn field_depends_on_moment(catalog: &Catalog, entity: EntityIx, field: FieldIx) -> bool {
    Look { catalog, but_me: false }.field(entity, field, 0)
}

struct Look<'c> {
    catalog: &'c Catalog,
    but_me: bool,
}

impl Look<'_> {
    fn any(&self, entity: EntityIx, needed: &Needs, depth: u32) -> bool {
        let own = needed.uses_now || needed.uses_zone || (needed.uses_me && !self.but_me);
        own || needed.fields.iter().any(|field| self.field(entity, *field, depth))
            || needed.paths.iter().any(|path| self.field(path.hops.last().map_or(entity, |hop| hop.to), path.field, depth))
            || needed.children.iter().any(|ChildNeed { over, needs }| self.any(over.rows.entity(), needs, depth))
    }

    fn field(&self, entity: EntityIx, field: FieldIx, depth: u32) -> bool {
        if depth > DEEPEST {
            return true;
        }
        let owner = self.catalog.entity(entity);
        let Some(field) = owner.fields.get(field.0 as usize) else { return false };
        match &field.ty {
            FieldType::Formula { expr: read, stored: false, .. } | FieldType::Rollup { aggregate: read, stored: false, .. } => {
                self.any(entity, &needs(read), depth + 1)
            }
            FieldType::Lookup { via, field: far, .. } => match owner.fields.get(via.0 as usize).map(|via| &via.ty) {
                Some(FieldType::Link { to, .. } | FieldType::User { to, .. }) => self.field(*to, *far, depth + 1),
                _ => false,
            },
            _ => false,
        }
    }
}
