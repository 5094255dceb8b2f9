//! Pipelines: stages, moves and gates, the same at every door.

mod access;
mod board;
mod definitions;
mod doors;
mod imports;
mod moves;
mod pages;
mod tasks;
pub mod world;
