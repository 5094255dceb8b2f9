//! The metadata engine. It works on texts handed in: no IO, no SQL, no async.

pub mod catalog;
