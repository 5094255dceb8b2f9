//! Positions in a catalog.

/// Position of an entity in `Catalog::entities`. Valid for that catalog only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EntityIx(pub u32);

/// Position of a field in its entity's `fields`. Valid for that catalog only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FieldIx(pub u32);
