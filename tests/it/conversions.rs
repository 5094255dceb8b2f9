//! A record becomes others, in one step or not at all.

mod choices;
mod pages;
mod rights;
mod rows;
mod shipped;
mod whole;
mod world;
