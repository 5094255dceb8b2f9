//! The state of the run that is going on in this thread.
//!
//! Host functions are registered once on the shared engine, so they find their run here. A script runs on one thread from start to end.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

use rhai::{Dynamic, EvalAltResult, EvalContext, Position, VarDefInfo};

use super::host::{HostError, ScriptHost};
use super::input::{Context, Issue};
use super::limits::{ISSUES, Kind, Limits, MEMORY_BYTES, VARIABLES};
use super::memory;
use crate::base::clock::Stopwatch;
use crate::base::{Random, SeededRandom};
use crate::schema::catalog::Catalog;

/// What a thread knows of its run.
pub(super) struct Call {
    pub catalog: Arc<Catalog>,
    /// The script's package, whose names it uses.
    pub package: String,
    pub context: Context,
    pub kind: Kind,
    pub limits: Limits,
    pub host: Box<dyn ScriptHost>,
    pub rejects: Vec<Issue>,
    pub warnings: Vec<Issue>,
    pub operations: u64,
    pub host_calls: u32,
    rows_read: u32,
    rows_written: u32,
    log_lines: u32,
    /// Variables of each function on the stack, as far as known.
    variables: Vec<usize>,
    /// What they weigh, likewise.
    weights: Vec<usize>,
    accesses: u32,
    stopwatch: Stopwatch,
    random: SeededRandom,
    /// The first limit that was reached: later errors only follow from it.
    pub limit: Option<&'static str>,
    /// The first refusal of the host.
    pub refusal: Option<HostError>,
}

thread_local! {
    static CALL: RefCell<Option<Call>> = const { RefCell::new(None) };
}

/// The package of a script by its full id.
pub(super) fn package_of(script: &str) -> &str {
    script.split_once('.').map_or("", |(package, _)| package)
}

pub(super) type Failure = Box<EvalAltResult>;

impl Call {
    pub fn new(catalog: Arc<Catalog>, script: &str, context: Context, kind: Kind, limits: Limits, host: Box<dyn ScriptHost>) -> Self {
        let random = SeededRandom::new(context.seed);
        Self {
            catalog,
            package: package_of(script).to_owned(),
            context,
            kind,
            limits,
            host,
            rejects: Vec::new(),
            warnings: Vec::new(),
            operations: 0,
            host_calls: 0,
            rows_read: 0,
            rows_written: 0,
            log_lines: 0,
            variables: Vec::new(),
            weights: Vec::new(),
            accesses: 0,
            stopwatch: Stopwatch::start(),
            random,
            limit: None,
            refusal: None,
        }
    }

    fn is_late(&self) -> bool {
        self.stopwatch.elapsed() > Duration::from_millis(self.limits.wall_ms)
    }

    /// Asks the host, counting the call. `write` counts a written record.
    pub fn ask<T>(&mut self, writes: bool, question: impl FnOnce(&mut dyn ScriptHost) -> Result<T, HostError>) -> Result<T, Failure> {
        self.host_calls += 1;
        if self.host_calls > self.limits.host_calls {
            return Err(self.reach("host_calls", format!("the script made more than {} host calls", self.limits.host_calls)));
        }
        if writes {
            self.rows_written += 1;
            if self.rows_written > self.limits.rows_written {
                return Err(self.reach("rows_written", format!("the script wrote more than {} records", self.limits.rows_written)));
            }
        }
        if self.is_late() {
            return Err(self.time_is_up());
        }
        let answer = question(self.host.as_mut());
        if self.is_late() {
            return Err(self.time_is_up());
        }
        answer.map_err(|refusal| {
            let message = refusal.message.clone();
            self.refusal.get_or_insert(refusal);
            failure(message)
        })
    }

    /// Counts rows that were read.
    pub fn count_rows(&mut self, rows: usize) -> Result<(), Failure> {
        self.rows_read = self.rows_read.saturating_add(u32::try_from(rows).unwrap_or(u32::MAX));
        if self.rows_read > self.limits.rows_read {
            return Err(self.reach("rows_read", format!("the script read more than {} records", self.limits.rows_read)));
        }
        Ok(())
    }

    /// How many rows may still be read.
    pub fn rows_left(&self) -> u32 {
        self.limits.rows_read.saturating_sub(self.rows_read)
    }

    pub fn log(&mut self, message: &str) -> Result<(), Failure> {
        self.log_lines += 1;
        if self.log_lines > self.limits.log_lines {
            return Err(self.reach("log_lines", format!("the script logged more than {} lines", self.limits.log_lines)));
        }
        let short: String = message.chars().take(2_000).collect();
        self.host.log(&short);
        Ok(())
    }

    pub fn issue(&mut self, is_reject: bool, issue: Issue) -> Result<(), Failure> {
        if self.rejects.len() + self.warnings.len() >= ISSUES {
            return Err(self.reach("issues", format!("the script rejected or warned more than {ISSUES} times")));
        }
        if is_reject {
            self.rejects.push(issue)
        } else {
            self.warnings.push(issue)
        }
        Ok(())
    }

    pub fn random_u64(&self) -> u64 {
        self.random.next_u64()
    }

    fn time_is_up(&mut self) -> Failure {
        let message = format!("the script ran longer than {} ms", self.limits.wall_ms);
        self.reach("time", message)
    }

    fn reach(&mut self, limit: &'static str, message: String) -> Failure {
        self.limit.get_or_insert(limit);
        // Terminated, so that `try` in the script cannot catch it.
        Box::new(EvalAltResult::ErrorTerminated(message.into(), Position::NONE))
    }
}

/// An ordinary error of a host function: the script may catch it.
pub(super) fn failure(message: impl Into<String>) -> Failure {
    Box::new(EvalAltResult::ErrorRuntime(Dynamic::from(message.into()), Position::NONE))
}

/// Puts `call` in place, does `work`, takes the call back.
pub(super) fn within<T>(call: Call, work: impl FnOnce() -> T) -> (T, Option<Call>) {
    CALL.with(|place| place.borrow_mut().replace(call));
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
    let call = CALL.with(|place| place.try_borrow_mut().ok().and_then(|mut call| call.take()));
    match result {
        Ok(result) => (result, call),
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

/// Gives the running call to `work`.
///
/// # Errors
/// When no script runs (a host function called while constants are folded, say).
pub(super) fn with<T>(work: impl FnOnce(&mut Call) -> Result<T, Failure>) -> Result<T, Failure> {
    CALL.with(|place| match place.try_borrow_mut() {
        Ok(mut call) => match call.as_mut() {
            Some(call) => work(call),
            None => Err(failure("no script is running")),
        },
        Err(_) => Err(failure("a host function was called from within another")),
    })
}

/// Called by rhai for each operation; a text ends the run.
pub(super) fn progress(operations: u64) -> Option<String> {
    CALL.with(|place| {
        let mut call = place.try_borrow_mut().ok()?;
        let call = call.as_mut()?;
        call.operations = operations;
        if operations > call.limits.operations {
            call.limit.get_or_insert("operations");
            return Some(format!("the script used more than {} operations", call.limits.operations));
        }
        // One operation may copy ten thousand items: 32 of those still fit into the hundredth of a second one may be late.
        if operations.is_multiple_of(32) && call.is_late() {
            call.limit.get_or_insert("time");
            return Some(format!("the script ran longer than {} ms", call.limits.wall_ms));
        }
        None
    })
}

/// Called by rhai for each `let`: holds the variables of all functions on the stack together under the limit, since
/// rhai's own limit counts each function alone (32 levels of 128 large values would be too much memory).
pub(super) fn define_variable(
    is_runtime: bool,
    _: &VarDefInfo<'_>,
    context: &EvalContext<'_, '_, '_, '_, '_, '_>,
) -> Result<bool, Failure> {
    if !is_runtime {
        return Ok(true);
    }
    let level = context.call_level();
    let here = context.scope().len() + 1;
    CALL.with(|place| {
        let Ok(mut call) = place.try_borrow_mut() else { return Ok(true) };
        let Some(call) = call.as_mut() else { return Ok(true) };
        call.variables.resize(level + 1, 0);
        call.variables[level] = here;
        if call.variables.iter().sum::<usize>() > VARIABLES {
            return Err(call.reach("variables", format!("the script holds more than {VARIABLES} variables at once")));
        }
        Ok(true)
    })
}

/// Called by rhai for each use of a variable: weighs all variables of the stack from time to time.
pub(super) fn use_variable(context: &EvalContext<'_, '_, '_, '_, '_, '_>) -> Result<Option<Dynamic>, Failure> {
    CALL.with(|place| {
        let Ok(mut call) = place.try_borrow_mut() else { return Ok(None) };
        let Some(call) = call.as_mut() else { return Ok(None) };
        call.accesses = call.accesses.wrapping_add(1);
        if !call.accesses.is_multiple_of(16) {
            return Ok(None);
        }
        let level = context.call_level();
        call.weights.resize(level + 1, 0);
        call.weights[level] = memory::weigh_scope(context.scope(), MEMORY_BYTES);
        if call.weights.iter().sum::<usize>() > MEMORY_BYTES {
            return Err(call.reach("memory", format!("the script holds more than {} MB", MEMORY_BYTES / 1024 / 1024)));
        }
        Ok(None)
    })
}
