//! The checked expression tree.

/// The static type of an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Type {
    Null,
    Bool,
}

/// A checked expression.
#[derive(Debug, Clone, PartialEq)]
pub struct Typed {
    pub ty: Type,
}
