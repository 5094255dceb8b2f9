//! Work that is done later: a durable queue, delivery of events after the commit, schedules.
//!
//! Rooms that can do work implement [`JobHandler`]; [`Runner`] claims jobs with leases, so that several processes share
//! the work and a job of a process that died is done by another. A job runs at least once; its handler is given a key
//! to make that harmless. Knows nothing of records or scripts.

pub mod handler;
pub mod runner;

pub use handler::{Job, JobContext, JobError, JobHandler, NewJob, Outcome};
pub use runner::{Runner, RunnerOptions};
