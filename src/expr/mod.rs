//! The expression language: parse, type-check against a `Scope`, evaluate, print, tell its needs. Pure.

pub mod tree;

pub use tree::{Type, Typed};
