//! The only room that knows rhai: engine, limits, values, and the [`ScriptHost`] trait.
//!
//! A script file holds `fn run(rec, old, ctx)`. [`compile`] checks it against the catalog and tells every fault with its
//! place; [`run`] runs it on the calling thread (see [`Pool`]) inside limits. What a script asks of the world goes through
//! [`ScriptHost`]; this room knows neither records' rules nor the database.

mod api;
mod call;
mod check;
mod compile;
mod embedded;
mod engine;
mod error;
mod functions;
mod host;
mod input;
mod limits;
mod memory;
mod pool;
mod run;
mod syntax;
#[cfg(test)]
mod tests;
mod text;
mod types;
mod value;

pub use api::{ApiFunction, Kinds, api, api_json};
pub use compile::{Compiled, ScriptFault, ScriptSource, compile, compile_all};
pub use embedded::place_in;
pub use engine::Engine;
pub use error::{Cause, ScriptError};
pub use host::{Aggregate, Find, HostError, NoHost, ScriptHost};
pub use input::{Context, Input, Issue, Outcome, RecordData};
pub use limits::{Kind, Limits};
pub use pool::Pool;
pub use run::run;
pub use text::bind_filter;
