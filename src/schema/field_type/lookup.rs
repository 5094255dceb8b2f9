//! `lookup`: the value of a field of a linked record, always read through the link.

pub use super::formula::read_only;
