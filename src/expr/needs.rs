//! What must be loaded before an expression can be evaluated.
use std::collections::BTreeSet;

use crate::base::FieldIx;

use super::Typed;
use super::tree::{Over, Path};

/// What an expression reads.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Needs {
    /// Fields of the record itself, links that paths start with included.
    pub fields: BTreeSet<FieldIx>,
    /// Paths that leave the record over links (at least one hop). Each once.
    pub paths: Vec<Path>,
    /// To-many fields with what is needed of each row.
    pub children: Vec<ChildNeed>,
    /// Fields of `old`.
    pub old_fields: BTreeSet<FieldIx>,
    /// Paths that leave `old` over links.
    pub old_paths: Vec<Path>,
    pub uses_old: bool,
    /// `now()` or `today()`: the value changes without any write.
    pub uses_now: bool,
    pub uses_me: bool,
    /// Dates of date-times: depends on the zone.
    pub uses_zone: bool,
}

/// The rows of a to-many field, needed with these fields.
#[derive(Debug, Clone, PartialEq)]
pub struct ChildNeed {
    pub over: Over,
    pub needs: Needs,
}

/// Collects the needs of one expression.
pub fn needs(_typed: &Typed) -> Needs {
    unimplemented!("needs")
}
