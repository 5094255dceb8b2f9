//! Who may see and do what: roles, at every door.

mod doors;
mod explain;
mod failures;
mod interference;
mod matrix;
pub mod world;
mod writes;
