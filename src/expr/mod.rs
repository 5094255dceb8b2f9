//! The expression language: parse, type-check against a [`Scope`], evaluate, print, tell its needs. Pure:
//! an expression says what it needs, others load it; it knows neither the catalog nor a database.

pub mod ast;
pub mod check;
pub mod error;
pub mod eval;
pub mod function;
pub mod json;
pub mod lexer;
pub mod limits;
pub mod needs;
pub mod number;
pub mod parse;
pub mod print;
pub mod scope;
pub mod text;
pub mod through;
pub mod time;
pub mod tree;
pub mod zone;

pub use ast::Ast;
pub use check::{Expected, check, compile, compile_rollup};
pub use error::{ExprError, ExprErrorKind};
pub use eval::{EvalContext, Row, eval, holds};
pub use json::{from_json, to_json};
pub use limits::Limits;
pub use needs::{ChildNeed, Needs, needs};
pub use parse::{parse, parse_filter};
pub use print::print;
pub use scope::{FieldInfo, FieldKind, Scope};
pub use through::through;
pub use tree::{
    AggregateKind, ArithmeticOp, CompareOp, Function, HasKind, Hop, MatchKind, Mine, Node, Over, Path, QuantifierKind, Root, Rows, Span,
    Type, Typed,
};
pub use zone::Zone;
