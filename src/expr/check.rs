//! [`Ast`] to [`Typed`]: resolves names and checks types.
use crate::base::{EntityIx, FieldIx};

use super::{Ast, ExprError, Scope, Type, Typed};

/// What the place of an expression needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    Any,
    /// A true or false: filters, rules, `required_if`.
    Condition,
    /// A value of this type. Numbers are brought to its scale (half-even); a date-time gives its date.
    Value(Type),
}

/// Checks a parsed expression about a record of `entity`.
pub fn check(_ast: &Ast, _scope: &dyn Scope, _entity: EntityIx, _expected: &Expected) -> Result<Typed, Vec<ExprError>> {
    unimplemented!("check")
}

/// Parses and checks.
pub fn compile(text: &str, scope: &dyn Scope, entity: EntityIx, expected: &Expected) -> Result<Typed, Vec<ExprError>> {
    let ast = super::parse(text).map_err(|error| vec![error])?;
    check(&ast, scope, entity, expected)
}

/// Parses and checks the aggregate of a rollup: `sum(total)`, `count()`, `max(due where done = false)`. Names are those
/// of the rows of the to-many field `of` of `entity`; the result is a [`super::Node::Aggregate`] about a record of `entity`.
pub fn compile_rollup(_text: &str, _scope: &dyn Scope, _entity: EntityIx, _of: &str, _expected: &Expected) -> Result<Typed, Vec<ExprError>> {
    let _: Option<FieldIx> = None;
    unimplemented!("rollup")
}
