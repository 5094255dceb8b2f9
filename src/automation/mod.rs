//! Joins records and scripts: runs scripts on record events ([`Automation`] implements `record::RecordHooks`), after the
//! commit and on schedules ([`ScriptJobs`] implements `jobs::JobHandler`) and behind buttons.
//!
//! A script runs on a thread of its own pool; what it asks travels over a channel to the task that owns the unit of work
//! (`bridge`), so a script acts only inside that transaction and sees what it wrote. Automation keeps no handle to the
//! record service for hooks: each gets the unit of work as an argument.
//!
//! Declared automations: `starts` tells in the save which there are to begin, which writes one job beside the change;
//! `begin` looks at their conditions after the commit and writes down what runs and what does not; `run` does the steps
//! (`steps`), one transaction each together with how far the run has come.

mod answer;
mod assign;
mod begin;
mod bridge;
mod button;
mod cache;
mod condition;
mod email;
mod hooks;
mod jobs;
mod log;
mod notify;
pub mod overview;
mod rate;
pub mod received;
mod run;
mod starts;
mod steps;
mod timed;
mod translate;
mod webhook;

pub use bridge::Automation;
pub use button::{ButtonAnswer, run_button};
pub use email::Post;
pub use jobs::{SCRIPT, ScriptJobs};
pub use timed::may_reach;
