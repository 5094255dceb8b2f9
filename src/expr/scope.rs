//! What a type-check asks of the definitions. Implemented by `schema`; nothing here knows the catalog.

use crate::base::{EntityIx, FieldIx};

use super::tree::{Rows, Type};

/// The names an expression may use. Entities are positions the implementer chose.
pub trait Scope {
    /// A field by its API name or alias.
    fn field(&self, entity: EntityIx, name: &str) -> Option<FieldInfo>;

    /// All field names of an entity, for "did you mean".
    fn field_names(&self, entity: EntityIx) -> Vec<String>;

    /// The entity's slug, for messages.
    fn entity_name(&self, entity: EntityIx) -> String;

    /// The entity of an id prefix (`deal_…`); `None` when no entity has it.
    fn entity_of_prefix(&self, prefix: &str) -> Option<EntityIx>;

    /// The entity of `me()`.
    fn user_entity(&self) -> Option<EntityIx>;

    /// The entity of `my_teams()`.
    fn team_entity(&self) -> Option<EntityIx> {
        None
    }

    /// The expression may say `my_teams()` and `my_reports()`: the rules of roles.
    fn has_mine(&self) -> bool {
        false
    }

    /// The expression may say `old.` and `changed(…)`: rules, scripts' `when`, not filters.
    fn has_old(&self) -> bool {
        false
    }
}

/// A field as expressions see it.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldInfo {
    pub ix: FieldIx,
    pub kind: FieldKind,
    /// Has a folded shadow column, so that `contains` and its like can search it.
    pub foldable: bool,
    /// `id`, `version`, `created_at` and so on. In rows of a `links` field the linked record's system fields are
    /// meant, not the junction's.
    pub is_system: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub enum FieldKind {
    /// A plain value; money too (its parts `amount`, `currency` and `base` come by themselves). Percent is `Decimal`,
    /// rating is `Int`, `id` is `Link` to its own entity, auto_number is `Text`. Formula, rollup and lookup say
    /// the type they return.
    Value(Type),
    /// The keys of a select, retired ones too.
    Select(Vec<String>),
    /// multi_select with its keys, tags without.
    Set(Option<Vec<String>>),
    /// link, user, any_link.
    Link(Vec<EntityIx>),
    /// A composite value of which only parts can be used: address, person_name, geo.
    Parts(Vec<(&'static str, Type)>),
    /// children, links.
    Many(Rows),
    /// Not usable but for `is null`: file and image.
    Opaque,
}
