//! What an automation would have done: told from a copy, with nothing changed and nothing sent.

mod equal;
mod generated;
mod told;
