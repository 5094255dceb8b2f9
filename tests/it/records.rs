//! The record service over a real database, without HTTP: what a save does, keeps and refuses.

mod computed;
mod cost;
mod deleting;
mod fields;
mod hooks;
mod many;
mod reading;
mod saving;
mod together;
mod workspace;
