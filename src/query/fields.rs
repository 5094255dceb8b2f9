//! The fields that the parts of a request outside of expressions name.

use crate::base::{EntityIx, FieldIx};
use crate::expr::{Path, Root, Type, Typed};
use crate::schema::catalog::{Catalog, Entity, Field, FieldType};
use crate::schema::expr_type;
use crate::schema::field_type::scalar_type;

/// The type of a field's value; `None` for composite, to-many and file fields.
pub fn value_type(catalog: &Catalog, field: &Field) -> Option<Type> {
    if field.is_secret() {
        return Some(Type::Secret);
    }
    if field.encrypted {
        let owner = owner_of(catalog, field).first().copied()?;
        return Some(Type::Sealed(owner, field.ix));
    }
    Some(match &field.ty {
        FieldType::Id => Type::Link(owner_of(catalog, field)),
        FieldType::MultiSelect { .. } | FieldType::Tags { .. } => Type::Set,
        FieldType::Link { to, .. } | FieldType::User { to, .. } => Type::Link(vec![*to]),
        FieldType::AnyLink { to, .. } => Type::Link(to.clone()),
        FieldType::Json { .. } => Type::Json,
        other => expr_type(scalar_type(other)?),
    })
}

/// The entity of an `id` field: the one that holds this very field.
fn owner_of(catalog: &Catalog, field: &Field) -> Vec<EntityIx> {
    let owner =
        catalog.entities.iter().find(|entity: &&Entity| entity.fields.get(field.ix.0 as usize).is_some_and(|own| std::ptr::eq(own, field)));
    owner.map(|entity| entity.ix).into_iter().collect()
}

/// The expression that reads one field of the record itself.
pub fn field_path(catalog: &Catalog, field: &Field, part: Option<&'static str>) -> Option<Typed> {
    let whole = value_type(catalog, field);
    let ty = match (part, &field.ty, whole) {
        (None, _, whole) => whole?,
        (Some("currency"), _, Some(Type::Money(_))) => Type::Text,
        (Some(_), _, Some(Type::Money(scale))) => Type::Decimal(scale),
        (Some(_), FieldType::Geo, _) => Type::Decimal(6),
        (Some(_), ..) => Type::Text,
    };
    let path = Path { root: Root::Record, hops: Vec::new(), field: field.ix, part };
    Some(Typed::new(ty, crate::expr::Node::Path(path), 0..0))
}

/// All field names of an entity that a person may write, for "did you mean".
pub(super) fn names(entity: &Entity) -> impl Iterator<Item = &str> {
    entity.known_fields().map(|field| field.name.as_str())
}

/// The position of a field by name.
pub(super) fn find(entity: &Entity, name: &str) -> Option<FieldIx> {
    entity.find_field(name).map(|field| field.ix)
}
