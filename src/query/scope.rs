//! The names an expression may use, from the catalog.

use crate::base::{EntityIx, FieldIx};
use crate::expr::{FieldInfo, FieldKind, Path, Root, Rows, Scope, Type, Typed};
use crate::schema::catalog::{Catalog, Entity, Field, FieldType, Options, ScalarType};

/// A catalog as the scope of expressions about its records.
#[derive(Debug, Clone, Copy)]
pub struct CatalogScope<'a> {
    pub catalog: &'a Catalog,
    /// `old.` and `changed(…)` are allowed.
    pub has_old: bool,
}

impl<'a> CatalogScope<'a> {
    /// For filters: without `old`.
    pub fn new(catalog: &'a Catalog) -> Self {
        Self { catalog, has_old: false }
    }
}

impl Scope for CatalogScope<'_> {
    fn field(&self, entity: EntityIx, name: &str) -> Option<FieldInfo> {
        let field = self.catalog.entities.get(entity.0 as usize)?.find_field(name)?;
        Some(FieldInfo {
            ix: field.ix,
            kind: kind_of(self.catalog, field),
            foldable: field.fold_column.is_some(),
            is_system: field.is_system,
        })
    }

    fn field_names(&self, entity: EntityIx) -> Vec<String> {
        self.catalog.entity(entity).fields.iter().map(|field| field.name.clone()).collect()
    }

    fn entity_name(&self, entity: EntityIx) -> String {
        self.catalog.entity(entity).slug.clone()
    }

    fn entity_of_prefix(&self, prefix: &str) -> Option<EntityIx> {
        self.catalog.by_prefix.get(prefix).copied()
    }

    fn user_entity(&self) -> Option<EntityIx> {
        self.catalog.by_slug.get("user").copied()
    }

    fn has_old(&self) -> bool {
        self.has_old
    }
}

/// How expressions see a field.
pub fn kind_of(catalog: &Catalog, field: &Field) -> FieldKind {
    let keys = |options: &Options| options.list.options.iter().map(|option| option.key.clone()).collect();
    let text_parts = || field.columns.iter().map(|column| (column.part, Type::Text)).collect();
    match &field.ty {
        FieldType::Select(options) => FieldKind::Select(keys(options)),
        FieldType::MultiSelect { options, .. } => FieldKind::Set(Some(keys(options))),
        FieldType::Tags { .. } => FieldKind::Set(None),
        FieldType::Link { to, .. } | FieldType::User { to, .. } => FieldKind::Link(vec![*to]),
        FieldType::AnyLink { to, .. } => FieldKind::Link(to.clone()),
        FieldType::Links { to, through, near, far } => FieldKind::Many(Rows::Links { through: *through, near: *near, far: *far, to: *to }),
        FieldType::Children { of, by } => FieldKind::Many(Rows::Children { of: *of, by: *by }),
        FieldType::Address | FieldType::PersonName => FieldKind::Parts(text_parts()),
        FieldType::Geo => FieldKind::Parts(field.columns.iter().map(|column| (column.part, Type::Decimal(6))).collect()),
        FieldType::File { .. } | FieldType::Image { .. } => FieldKind::Opaque,
        _ => FieldKind::Value(value_type(catalog, field).unwrap_or(Type::Null)),
    }
}

/// The type of a field's value; `None` for composite, to-many and file fields.
pub fn value_type(catalog: &Catalog, field: &Field) -> Option<Type> {
    Some(match &field.ty {
        FieldType::Id => Type::Link(owner_of(catalog, field)),
        FieldType::Text { .. }
        | FieldType::LongText { .. }
        | FieldType::RichText { .. }
        | FieldType::Email
        | FieldType::Phone
        | FieldType::Url
        | FieldType::Color
        | FieldType::AutoNumber { .. }
        | FieldType::Select(_) => Type::Text,
        FieldType::Integer { .. } | FieldType::Rating { .. } => Type::Int,
        FieldType::Decimal { scale, .. } | FieldType::Percent { scale, .. } => Type::Decimal(*scale),
        FieldType::Money { scale, .. } => Type::Money(*scale),
        FieldType::Boolean => Type::Bool,
        FieldType::Date { .. } => Type::Date,
        FieldType::DateTime => Type::DateTime,
        FieldType::Time => Type::Time,
        FieldType::Duration { .. } => Type::Duration,
        FieldType::MultiSelect { .. } | FieldType::Tags { .. } => Type::Set,
        FieldType::Link { to, .. } | FieldType::User { to, .. } => Type::Link(vec![*to]),
        FieldType::AnyLink { to, .. } => Type::Link(to.clone()),
        FieldType::Json { .. } => Type::Json,
        FieldType::Formula { returns, .. } | FieldType::Rollup { returns, .. } | FieldType::Lookup { returns, .. } => scalar_type(*returns),
        FieldType::Links { .. }
        | FieldType::Children { .. }
        | FieldType::Address
        | FieldType::PersonName
        | FieldType::Geo
        | FieldType::File { .. }
        | FieldType::Image { .. } => return None,
    })
}

/// The entity of an `id` field: the one that holds this very field.
fn owner_of(catalog: &Catalog, field: &Field) -> Vec<EntityIx> {
    let owner =
        catalog.entities.iter().find(|entity: &&Entity| entity.fields.get(field.ix.0 as usize).is_some_and(|own| std::ptr::eq(own, field)));
    owner.map(|entity| entity.ix).into_iter().collect()
}

/// The expression type of a computed value.
pub fn scalar_type(scalar: ScalarType) -> Type {
    match scalar {
        ScalarType::Text => Type::Text,
        ScalarType::Integer => Type::Int,
        ScalarType::Decimal { scale } | ScalarType::Percent { scale } => Type::Decimal(scale),
        ScalarType::Money { scale } => Type::Money(scale),
        ScalarType::Boolean => Type::Bool,
        ScalarType::Date => Type::Date,
        ScalarType::DateTime => Type::DateTime,
        ScalarType::Time => Type::Time,
        ScalarType::Duration => Type::Duration,
    }
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
    entity.fields.iter().map(|field| field.name.as_str())
}

/// The position of a field by name.
pub(super) fn find(entity: &Entity, name: &str) -> Option<FieldIx> {
    entity.find_field(name).map(|field| field.ix)
}
