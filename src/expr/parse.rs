//! Text to [`Ast`].
use super::{Ast, ExprError, Limits};

/// Parses an expression of a definition ([`Limits::DEFINITION`]).
pub fn parse(text: &str) -> Result<Ast, ExprError> {
    parse_within(text, &Limits::DEFINITION)
}

/// Parses a filter of a request ([`Limits::FILTER`]).
pub fn parse_filter(text: &str) -> Result<Ast, ExprError> {
    parse_within(text, &Limits::FILTER)
}

/// Parses within given limits.
pub fn parse_within(_text: &str, _limits: &Limits) -> Result<Ast, ExprError> {
    unimplemented!("parser")
}
