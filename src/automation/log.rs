//! What the log of a run keeps of values: nothing that says something of a person, and nothing that is long.

use serde_json::{Value as Json, json};

use crate::base::{EntityIx, Value};
use crate::expr::{Needs, Typed, needs};
use crate::schema::catalog::{Catalog, Field, FieldType, Given, GivenValue};
use crate::schema::field_type;

/// Longest value in the log, in bytes of its JSON.
const LONGEST: usize = 2_000;

/// A value that a step gives to a field of the first entity; expressions are about a record of the second.
pub(super) fn value(catalog: &Catalog, (to, from): (EntityIx, EntityIx), given: &Given, value: &Value) -> Json {
    let field = catalog.entity(to).field(given.field);
    let is_read = match &given.value {
        GivenValue::Plain(_) => false,
        GivenValue::Expr(expr) => reads_personal(catalog, from, expr),
    };
    if is_read || is_personal(catalog, to, field) {
        return Json::from("(personal)");
    }
    short(field_type::to_json(catalog, field, value))
}

/// The value itself, or how long it is.
pub(super) fn short(value: Json) -> Json {
    let length = value.to_string().len();
    if length > LONGEST { json!({ "bytes": length }) } else { value }
}

fn is_personal(catalog: &Catalog, entity: EntityIx, field: &Field) -> bool {
    let computed = match &field.ty {
        FieldType::Formula { expr, .. } => reads_personal(catalog, entity, expr),
        FieldType::Rollup { aggregate, .. } => reads_personal(catalog, entity, aggregate),
        FieldType::Lookup { via, field: looked, .. } => match &catalog.entity(entity).field(*via).ty {
            FieldType::Link { to, .. } | FieldType::User { to, .. } => is_personal(catalog, *to, catalog.entity(*to).field(*looked)),
            _ => false,
        },
        _ => false,
    };
    computed || field.class.is_some() || field.encrypted
}

fn reads_personal(catalog: &Catalog, entity: EntityIx, expr: &Typed) -> bool {
    needs_personal(catalog, entity, &needs(expr))
}

fn needs_personal(catalog: &Catalog, entity: EntityIx, needs: &Needs) -> bool {
    let own = |entity: EntityIx, field| is_personal(catalog, entity, catalog.entity(entity).field(field));
    needs.fields.iter().chain(&needs.old_fields).any(|field| own(entity, *field))
        || needs.paths.iter().chain(&needs.old_paths).any(|path| path.hops.last().is_some_and(|hop| own(hop.to, path.field)))
        || needs.children.iter().any(|child| needs_personal(catalog, child.over.rows.entity(), &child.needs))
}
