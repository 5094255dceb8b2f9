//! [`Ast`] to normalised text.
use super::Ast;

/// The normalised text; parsing it gives the same tree.
pub fn print(_ast: &Ast) -> String {
    unimplemented!("print")
}
