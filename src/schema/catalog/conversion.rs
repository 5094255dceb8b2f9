//! What becomes of a record that is converted: a lead into an account, a contact and a deal.

use super::{Given, GivenValue};
use crate::base::{EntityIx, FieldIx, Labels};
use crate::expr::Typed;

/// A way in which records of an entity become others.
#[derive(Debug, Clone)]
pub struct Conversion {
    pub id: String,
    pub label: Labels,
    /// It is offered only where this holds.
    pub when: Option<Typed>,
    /// In the order in which they are made; later ones may link to earlier ones.
    pub targets: Vec<ConversionTarget>,
    /// Values that the record itself is given.
    pub set: Vec<Given>,
    /// Fields of the record itself that lead to what it became: positions in `targets`.
    pub links: Vec<(FieldIx, usize)>,
    pub carry: Vec<Carry>,
    /// The target that gets the shares of the record.
    pub shares: Option<usize>,
    /// Roles that may still change a converted record.
    pub editors: Vec<String>,
    /// The record goes on as it is: nothing is kept of the conversion but what it made.
    pub is_repeated: bool,
}

/// One record that is made, or found.
#[derive(Debug, Clone)]
pub struct ConversionTarget {
    pub id: String,
    pub label: Labels,
    pub entity: EntityIx,
    /// It is made only where this holds of the record that is converted.
    pub when: Option<Typed>,
    /// Whoever converts may leave it out.
    pub is_optional: bool,
    pub existing: Existing,
    /// What an existing record has not is filled in.
    pub fills: bool,
    pub values: Vec<Mapped>,
    pub links: Vec<(FieldIx, Origin)>,
    pub rows: Vec<CopiedRows>,
}

/// Records below the one that is converted, of which each becomes one below the target.
#[derive(Debug, Clone)]
pub struct CopiedRows {
    /// The entity of the records below, and their link to the one that is converted.
    pub of: EntityIx,
    pub by: FieldIx,
    /// The field of the target below which they are made, and the entity that stands there.
    pub into: FieldIx,
    pub to: EntityIx,
    /// Only those for which this holds.
    pub when: Option<Typed>,
    pub values: Vec<Mapped>,
}

/// What a link of a target leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The record that is converted.
    Record,
    /// Another target: its position.
    Target(usize),
}

/// Whether a record that is there may stand for the one that would be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    /// Whoever converts says so.
    Ask,
    /// The only one that looks the same is taken where nobody says otherwise.
    Use,
    Never,
}

impl Existing {
    pub fn word(self) -> &'static str {
        match self {
            Existing::Ask => "ask",
            Existing::Use => "use",
            Existing::Never => "never",
        }
    }
}

/// A field of a target and what it is given.
#[derive(Debug, Clone)]
pub struct Mapped {
    pub field: FieldIx,
    pub value: MappedValue,
}

#[derive(Debug, Clone)]
pub enum MappedValue {
    /// The value of a field of the record that is converted, as it is.
    Copy(FieldIx),
    Given(GivenValue),
}

/// Records that lead to the one that is converted, and lead to a target afterwards.
#[derive(Debug, Clone)]
pub struct Carry {
    pub entity: EntityIx,
    /// Leads to the record that is converted.
    pub field: FieldIx,
    /// Leads to the target then: the same field, or another.
    pub into: FieldIx,
    /// Positions of targets: the first that is there.
    pub to: Vec<usize>,
}
