//! Registrations: claims on records that are filed, held against those of others, and protected for a while.

use crate::base::Labels;
use crate::expr::Typed;

/// A claim that can be filed on records of an entity.
#[derive(Debug, Clone)]
pub struct Registration {
    /// Unique in the entity.
    pub id: String,
    pub label: Labels,
    /// Records it can be filed on.
    pub when: Option<Typed>,
    /// Who files; empty is everybody who may change the record.
    pub roles: Vec<String>,
    /// Who decides where claims meet; administrators always may.
    pub arbiters: Vec<String>,
    /// Positions of the duplicate rules that say which records are the same; what they compare is locked.
    pub rules: Vec<usize>,
    pub protect_seconds: i64,
    /// How long before the end whoever filed is told.
    pub warn_seconds: Option<i64>,
    /// By how long it is extended, and how often.
    pub extend: Option<(i64, i64)>,
    /// A claim that meets another one is refused; otherwise somebody decides.
    pub refuses: bool,
    /// Every claim is decided by somebody.
    pub reviews: bool,
    /// Whoever is refused learns who was first, and until when.
    pub exposes: bool,
}
