//! Work that is done later: a durable queue, delivery of events after the commit, schedules.
//!
//! Rooms that can do work implement [`JobHandler`]; [`Runner`] claims jobs with leases, so that several processes share
//! the work and a job of a process that died is done by another. A job runs at least once; a handler whose effects are in
//! the database finishes it in the same transaction ([`JobContext::finish`]) and so exactly once. Knows nothing of
//! records or scripts.

pub mod cron;
pub mod endpoints;
pub mod handler;
pub mod mails;
pub mod overview;
pub mod runner;
pub mod webhooks;

mod schedule;
mod sent;

pub use crate::store::jobs::Priority;
pub use handler::{Job, JobContext, JobError, JobHandler, NewJob, Outcome, enqueue};
pub use runner::{Runner, RunnerOptions};
pub use schedule::{CLOCKS, Look, SCHEDULE, looks};
