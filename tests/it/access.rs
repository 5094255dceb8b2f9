//! Who may see and do what: roles, at every door.

mod deal_team;
mod doors;
mod explain;
mod export;
mod failures;
mod interference;
mod matrix;
mod plans;
mod role_plans;
mod shares;
pub mod world;
mod writes;
