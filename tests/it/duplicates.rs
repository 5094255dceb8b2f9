//! Duplicates: found at every door, told as far as the asker may know, put together and taken apart again.

mod doors;
mod merges;
mod rules;
mod twins;
pub mod world;
