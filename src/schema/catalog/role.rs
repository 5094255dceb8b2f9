//! Roles: what a group of people may do with records.

use std::collections::BTreeMap;

use crate::base::{EntityIx, Labels};
use crate::expr::Typed;

/// What a group of people may do with records. What a role does not name, it does not allow.
#[derive(Debug, Clone)]
pub struct Role {
    /// The key of the option in `core.user.roles`.
    pub id: String,
    pub label: Labels,
    pub grants: BTreeMap<EntityIx, Grant>,
}

/// What a role may do with the records of one entity.
#[derive(Debug, Clone, PartialEq)]
pub struct Grant {
    pub read: Allowed,
    pub create: Allowed,
    pub update: Allowed,
    pub delete: Allowed,
    /// To give others a share in a record.
    pub share: Allowed,
    /// To take records out many at once.
    pub export: Allowed,
    /// To bring records in many at once.
    pub import: Allowed,
    /// To see and end what others share, and to ask why others may do what.
    pub admin: Allowed,
    /// Fields that may be read and written, by position; the record's own id and version are always read.
    pub readable: Vec<bool>,
    pub writable: Vec<bool>,
}

/// Which records an action is allowed for.
#[derive(Debug, Clone, PartialEq)]
pub enum Allowed {
    None,
    All,
    /// Those for which this holds. It is evaluated with all rights: it is the administrator's own statement.
    Where(Typed),
}

/// What can be done with records of an entity at all, by some role of the asker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Actions {
    pub read: bool,
    pub create: bool,
    pub update: bool,
    pub delete: bool,
    pub share: bool,
    pub export: bool,
    pub import: bool,
    pub admin: bool,
}

impl Grant {
    /// Everything, for an entity with so many fields.
    pub fn all(fields: usize) -> Self {
        Self { readable: vec![true; fields], writable: vec![true; fields], ..Self::of(|| Allowed::All) }
    }

    /// The same for every action, and no field.
    pub fn of(each: impl Fn() -> Allowed) -> Self {
        Self {
            read: each(),
            create: each(),
            update: each(),
            delete: each(),
            share: each(),
            export: each(),
            import: each(),
            admin: each(),
            readable: Vec::new(),
            writable: Vec::new(),
        }
    }
}

impl Actions {
    pub const ALL: Actions = Actions::each(true);
    pub const NONE: Actions = Actions::each(false);

    const fn each(holds: bool) -> Self {
        Self { read: holds, create: holds, update: holds, delete: holds, share: holds, export: holds, import: holds, admin: holds }
    }

    pub fn is_any(self) -> bool {
        self != Actions::NONE
    }
}
