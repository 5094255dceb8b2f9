//! What a request wants to see: fields, and records next to them.

use crate::base::{EntityIx, FieldIx};
use crate::expr::Typed;
use crate::schema::catalog::{Entity, FieldType};

use super::request::SortKey;

/// The fields of one entity's records, in the order asked for.
#[derive(Debug, Clone)]
pub struct Select {
    pub entity: EntityIx,
    pub items: Vec<Item>,
}

#[derive(Debug, Clone)]
pub enum Item {
    Field(FieldIx),
    /// `_title`: the record's title from the entity's title template.
    Title,
    /// In an expansion of a `links` field: an own field of the junction between the two records.
    Own(FieldIx),
    Expand(Box<Expand>),
}

/// Records a link, links, children or any_link field leads to, in place of their ids.
#[derive(Debug, Clone)]
pub struct Expand {
    /// The link, any_link, user, links or children field of the outer entity.
    pub field: FieldIx,
    /// One selection per target entity: more than one for any_link only.
    pub targets: Vec<Select>,
    /// To-many only: which of them.
    pub filter: Option<Typed>,
    /// To-many only; empty means the order of creation.
    pub sort: Vec<SortKey>,
    /// To-many only: rows below one record.
    pub limit: u32,
    /// True for children and links.
    pub many: bool,
}

impl Select {
    /// All fields selected at this level, without expansions.
    pub fn fields(&self) -> impl Iterator<Item = FieldIx> + '_ {
        self.items.iter().filter_map(|item| match item {
            Item::Field(field) => Some(*field),
            _ => None,
        })
    }
}

impl Expand {
    /// Stands for an expansion that was refused.
    pub(super) fn nothing(field: FieldIx) -> Self {
        Self { field, targets: Vec::new(), filter: None, sort: Vec::new(), limit: 1, many: false }
    }
}

impl Select {
    /// Rows that all expansions below `parents` records may bring at most.
    pub(super) fn most_rows(&self, parents: u64) -> u64 {
        let below = self.items.iter().map(|item| match item {
            Item::Expand(expand) => {
                let rows = if expand.many { parents.saturating_mul(u64::from(expand.limit)) } else { parents };
                let own = if expand.many { rows } else { 0 };
                expand.targets.iter().fold(own, |sum, target| sum.saturating_add(target.most_rows(rows)))
            }
            _ => 0,
        });
        below.fold(0, u64::saturating_add)
    }
}

/// What a request without `select` gets: every field but children.
pub fn default_select(entity: &Entity) -> Select {
    let items = entity.known_fields().filter(|field| !matches!(field.ty, FieldType::Children { .. })).map(|field| Item::Field(field.ix));
    Select { entity: entity.ix, items: items.collect() }
}

/// The default selection with the record's title: what the record page and hooks load.
pub fn full_select(entity: &Entity) -> Select {
    let mut select = default_select(entity);
    select.items.push(Item::Title);
    select
}
