//! What expressions may name: the fields of a catalog, as far as they are known. One scope for definitions and for
//! requests, so that both see the same.

use super::catalog::{Catalog, Field, FieldType, Options, ScalarType};
use super::field_type;
use crate::base::{EntityIx, FieldIx};
use crate::expr::{FieldInfo, FieldKind, Rows, Scope, Type};

/// The names of a catalog. `hidden` are computed fields whose type is not known yet.
#[derive(Debug, Clone, Copy)]
pub struct CatalogScope<'c> {
    pub catalog: &'c Catalog,
    /// `old.` and `changed(…)` are allowed.
    pub has_old: bool,
    /// For the rules of roles: `my_teams()` and `my_reports()` are known.
    pub has_mine: bool,
    pub hidden: &'c [(EntityIx, FieldIx)],
}

impl<'c> CatalogScope<'c> {
    /// For filters, formulas and other places without a former record.
    pub fn new(catalog: &'c Catalog) -> Self {
        Self { catalog, has_old: false, has_mine: false, hidden: &[] }
    }

    /// For rules and conditions of a change.
    pub fn with_old(catalog: &'c Catalog) -> Self {
        Self { catalog, has_old: true, has_mine: false, hidden: &[] }
    }
}

impl Scope for CatalogScope<'_> {
    fn field(&self, entity: EntityIx, name: &str) -> Option<FieldInfo> {
        let found = self.catalog.entities.get(entity.0 as usize)?.find_field(name)?;
        if self.hidden.contains(&(entity, found.ix)) {
            return None;
        }
        Some(FieldInfo { ix: found.ix, kind: kind(self.catalog, entity, found), foldable: found.is_foldable(), is_system: found.is_system })
    }

    fn field_names(&self, entity: EntityIx) -> Vec<String> {
        self.catalog.entity(entity).known_fields().map(|field| field.name.clone()).collect()
    }

    fn entity_name(&self, entity: EntityIx) -> String {
        self.catalog.entity(entity).slug.clone()
    }

    fn entity_of_prefix(&self, prefix: &str) -> Option<EntityIx> {
        self.catalog.by_prefix.get(prefix).copied()
    }

    fn user_entity(&self) -> Option<EntityIx> {
        // `me()` is somebody also where people may not be looked up.
        self.catalog.whole.as_deref().unwrap_or(self.catalog).find_entity("core.user").map(|entity| entity.ix)
    }

    fn team_entity(&self) -> Option<EntityIx> {
        self.catalog.find_entity("core.team").map(|entity| entity.ix)
    }

    fn has_mine(&self) -> bool {
        self.has_mine
    }

    fn has_old(&self) -> bool {
        self.has_old
    }
}

/// A scalar type in the words of expressions.
pub fn expr_type(ty: ScalarType) -> Type {
    match ty {
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

fn kind(catalog: &Catalog, entity: EntityIx, field: &Field) -> FieldKind {
    if field.is_secret() {
        return FieldKind::Value(Type::Secret);
    }
    if field.encrypted {
        return FieldKind::Value(Type::Sealed(entity, field.ix));
    }
    match &field.ty {
        FieldType::Id => FieldKind::Value(Type::Link(vec![entity])),
        FieldType::Select(options) => FieldKind::Select(keys(options)),
        FieldType::MultiSelect { options, .. } => FieldKind::Set(Some(keys(options))),
        FieldType::Tags { .. } => FieldKind::Set(None),
        FieldType::Link { to, .. } | FieldType::User { to, .. } => FieldKind::Link(vec![*to]),
        FieldType::AnyLink { to, .. } => FieldKind::Link(to.clone()),
        FieldType::Links { to, through, near, far } => FieldKind::Many(Rows::Links { through: *through, near: *near, far: *far, to: *to }),
        FieldType::Children { of, by } => FieldKind::Many(Rows::Children { of: *of, by: *by }),
        FieldType::Address => FieldKind::Parts(field_type::address::PARTS.iter().map(|part| (*part, Type::Text)).collect()),
        FieldType::PersonName => FieldKind::Parts(field_type::person_name::PARTS.iter().map(|part| (*part, Type::Text)).collect()),
        FieldType::Geo => {
            FieldKind::Parts(vec![("lat", Type::Decimal(field_type::geo::SCALE)), ("lon", Type::Decimal(field_type::geo::SCALE))])
        }
        FieldType::Json { .. } => FieldKind::Value(Type::Json),
        FieldType::File { .. } | FieldType::Image { .. } => FieldKind::Opaque,
        FieldType::Lookup { via, field: looked, returns } => lookup_kind(catalog, entity, *via, *looked, *returns),
        other => match field_type::scalar_type(other) {
            Some(ty) => FieldKind::Value(expr_type(ty)),
            None => FieldKind::Opaque,
        },
    }
}

/// A lookup of a select can be compared with its keys.
fn lookup_kind(catalog: &Catalog, entity: EntityIx, via: FieldIx, looked: FieldIx, returns: ScalarType) -> FieldKind {
    let target = match &catalog.entity(entity).field(via).ty {
        FieldType::Link { to, .. } | FieldType::User { to, .. } => Some(*to),
        _ => None,
    };
    match target.map(|target| &catalog.entity(target).field(looked).ty) {
        Some(FieldType::Select(options)) => FieldKind::Select(keys(options)),
        _ => FieldKind::Value(expr_type(returns)),
    }
}

fn keys(options: &Options) -> Vec<String> {
    options.list.options.iter().map(|option| option.key.clone()).collect()
}
