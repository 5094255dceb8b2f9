//! One run of a script on the calling thread.

use super::compile::Compiled;
use super::error::ScriptError;
use super::host::ScriptHost;
use super::input::{Input, Outcome};

/// Runs a script to its end or to a limit. Call it on a [`super::Pool`] thread: it blocks, and it needs a deep stack.
///
/// # Errors
/// With the place in the script's file.
pub fn run(script: &Compiled, input: Input, host: Box<dyn ScriptHost>) -> Result<Outcome, ScriptError> {
    let _ = (script, input, host);
    unimplemented!("run")
}
