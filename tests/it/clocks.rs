//! Service clocks: working time, what starts, holds and stops them, what follows when they run out.

mod cases;
mod doors;
mod pages;
mod records;
mod triggers;
mod world;
