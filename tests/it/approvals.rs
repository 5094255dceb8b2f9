//! Approvals: who is asked, what is locked meanwhile, how a request goes on and what it means for a gate.

mod deciding;
mod definitions;
mod doors;
mod pages;
mod runs;
mod time;
pub mod world;
