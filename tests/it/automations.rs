//! Automations: what starts them, what they do exactly once, what stops them, and what the log says of it.

mod choosing;
mod cost;
mod log;
mod mails;
mod received;
mod stops;
mod timed;
mod told;
mod triggers;
mod waits;
mod webhooks;
mod world;
