//! What says something of a person, also once it is computed.

use super::{Catalog, Field, FieldType};
use crate::base::EntityIx;
use crate::expr::{Needs, Typed, needs};

impl Catalog {
    /// Whether a field of the entity says something of a person, or is computed from one that does.
    pub fn is_personal(&self, entity: EntityIx, field: &Field) -> bool {
        let computed = match &field.ty {
            FieldType::Formula { expr, .. } => self.reads_personal(entity, expr),
            FieldType::Rollup { aggregate, .. } => self.reads_personal(entity, aggregate),
            FieldType::Lookup { via, field: looked, .. } => match &self.entity(entity).field(*via).ty {
                FieldType::Link { to, .. } | FieldType::User { to, .. } => self.is_personal(*to, self.entity(*to).field(*looked)),
                _ => false,
            },
            _ => false,
        };
        computed || field.class.is_some() || field.encrypted
    }

    /// Whether an expression about a record of the entity reads such a field.
    pub fn reads_personal(&self, entity: EntityIx, expr: &Typed) -> bool {
        self.needs_personal(entity, &needs(expr))
    }

    fn needs_personal(&self, entity: EntityIx, needs: &Needs) -> bool {
        let own = |entity: EntityIx, field| self.is_personal(entity, self.entity(entity).field(field));
        needs.fields.iter().chain(&needs.old_fields).any(|field| own(entity, *field))
            || needs.paths.iter().chain(&needs.old_paths).any(|path| path.hops.last().is_some_and(|hop| own(hop.to, path.field)))
            || needs.children.iter().any(|child| self.needs_personal(child.over.rows.entity(), &child.needs))
    }
}
