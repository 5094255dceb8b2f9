//! Public pools: who sees and claims what, caps and cool-downs at every door, what time does, and a year of it.

mod claiming;
mod doors;
mod pages;
mod simulation;
mod time;
mod world;
