//! Requests whose statements are the same at any moment and for anybody.

use crate::base::{EntityIx, FieldIx};
use crate::expr::Typed;
use crate::query::{Item, ListRequest, Select, SortBy, SortKey};
use crate::schema::catalog::Catalog;
use crate::schema::moment::{depends_on_moment, field_depends_on_moment};

/// Neither the moment nor the actor nor a zone has a part in what is asked for.
pub(super) fn is_constant(catalog: &Catalog, asked: &ListRequest) -> bool {
    let is_constant = |typed: &Typed| !depends_on_moment(catalog, asked.entity, typed, false);
    asked.filter.as_ref().is_none_or(is_constant)
        && are_constant(catalog, asked.entity, &asked.sort)
        && is_constant_select(catalog, &asked.select)
}

fn are_constant(catalog: &Catalog, entity: EntityIx, sort: &[SortKey]) -> bool {
    sort.iter().all(|key| match &key.by {
        SortBy::Value(typed) => !depends_on_moment(catalog, entity, typed, false),
        _ => true,
    })
}

/// The same of what is selected.
pub(super) fn is_constant_select(catalog: &Catalog, select: &Select) -> bool {
    let entity = catalog.entity(select.entity);
    let is_constant = |field: FieldIx| !field_depends_on_moment(catalog, entity.ix, field);
    select.items.iter().all(|item| match item {
        Item::Field(field) => is_constant(*field),
        Item::Title => entity.title.parts.iter().all(|part| match part {
            crate::schema::catalog::TitlePart::Field(field) => is_constant(*field),
            crate::schema::catalog::TitlePart::Text(_) => true,
        }),
        Item::Own(_) => true,
        Item::Expand(expand) => {
            let to = expand.targets.first().map_or(entity.ix, |target| target.entity);
            expand.filter.as_ref().is_none_or(|filter| !depends_on_moment(catalog, to, filter, false))
                && are_constant(catalog, to, &expand.sort)
                && expand.targets.iter().all(|target| is_constant_select(catalog, target))
        }
    })
}
