//! Who may see and do what: roles, at every door.

mod applied;
mod deal_team;
mod definitions_page;
mod doors;
mod explain;
mod export;
mod failures;
mod import;
mod interference;
mod layers;
mod matrix;
mod plans;
mod role_plans;
mod search;
mod shares;
mod windows;
pub mod world;
mod writes;
mod zones;
