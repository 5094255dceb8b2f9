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
}

impl Grant {
    /// Everything, for an entity with so many fields.
    pub fn all(fields: usize) -> Self {
        let all = || Allowed::All;
        Self { read: all(), create: all(), update: all(), delete: all(), readable: vec![true; fields], writable: vec![true; fields] }
    }
}

impl Actions {
    pub const ALL: Actions = Actions { read: true, create: true, update: true, delete: true };
    pub const NONE: Actions = Actions { read: false, create: false, update: false, delete: false };

    pub fn is_any(self) -> bool {
        self != Actions::NONE
    }
}
