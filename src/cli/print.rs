//! Results as text or JSON.

use std::io::{self, IsTerminal, Write};

use serde_json::{Value, json};

use super::Globals;
use crate::base::Explain;
use crate::schema::diagnostic::{self, Diagnostic};

/// Where results go.
#[derive(Debug, Clone, Copy)]
pub struct Printer {
    json: bool,
    quiet: bool,
}

impl Printer {
    pub fn new(globals: &Globals) -> Self {
        Self { json: globals.json, quiet: globals.quiet }
    }

    pub fn is_json(self) -> bool {
        self.json
    }

    /// A result: the JSON object, or the text.
    pub fn result(self, text: &str, object: &Value) {
        if self.json {
            out(&format!("{object:#}"));
        } else if !text.is_empty() {
            out(text.trim_end_matches('\n'));
        }
    }

    /// Something to know on the way, on standard error.
    pub fn note(self, text: &str) {
        if !self.quiet && !self.json {
            err(text);
        }
    }

    /// A refusal: what is wrong, what to do, its code.
    pub fn error(self, error: &(impl Explain + ?Sized)) {
        if self.json {
            out(&format!("{:#}", refusal(error)));
            return;
        }
        self.refused(error.code(), &error.to_string(), error.hint().as_deref());
    }

    /// A refusal by its parts.
    pub fn refused(self, code: &str, message: &str, hint: Option<&str>) {
        if self.json {
            out(&format!("{:#}", json!({"ok": false, "error": {"code": code, "message": message, "hint": hint, "details": null}})));
            return;
        }
        err(&format!("error: {message} [{code}]"));
        if let Some(hint) = hint {
            err(&format!("  hint: {hint}"));
        }
    }

    /// Faults of definitions with their places.
    pub fn diagnostics(self, diagnostics: &[Diagnostic]) {
        let faults = diagnostics.iter().filter(|diagnostic| diagnostic.is_error()).count();
        if self.json {
            out(&format!("{:#}", json!({"ok": faults == 0, "diagnostics": diagnostic::to_json(diagnostics)})));
            return;
        }
        err(diagnostic::render_text(diagnostics).trim_end_matches('\n'));
        if faults > 0 {
            err(&format!("\n{faults} {}", if faults == 1 { "fault" } else { "faults" }));
        }
    }
}

/// A refusal as `--json` shows it.
pub fn refusal(error: &(impl Explain + ?Sized)) -> Value {
    json!({"ok": false, "error": {"code": error.code(), "message": error.to_string(), "hint": error.hint(), "details": error.details()}})
}

fn out(text: &str) {
    // A reader that closed the pipe has read enough.
    let _ = writeln!(io::stdout().lock(), "{text}");
}

fn err(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Whether a person can be asked.
pub fn is_interactive() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks yes or no on the terminal; anything but yes is no.
pub fn confirm(question: &str) -> bool {
    let mut stderr = io::stderr().lock();
    let _ = write!(stderr, "{question} [y/N] ");
    let _ = stderr.flush();
    let mut answer = String::new();
    io::stdin().read_line(&mut answer).is_ok() && matches!(answer.trim().to_lowercase().as_str(), "y" | "yes" | "是" | "好")
}

/// A progress bar on a terminal, a line each five seconds elsewhere.
pub struct Bar {
    bar: Option<indicatif::ProgressBar>,
    watch: crate::base::Stopwatch,
    shown: std::sync::Mutex<u64>,
    quiet: bool,
}

impl Bar {
    pub fn new(total: u64, quiet: bool) -> Self {
        let bar = (!quiet && io::stderr().is_terminal()).then(|| {
            let bar = indicatif::ProgressBar::new(total);
            if let Ok(style) = indicatif::ProgressStyle::with_template("{bar:32} {pos}/{len} rows  {per_sec}  {eta} left  {msg}") {
                bar.set_style(style);
            }
            bar
        });
        Self { bar, watch: crate::base::Stopwatch::start(), shown: std::sync::Mutex::new(0), quiet }
    }

    pub fn set(&self, done: u64, total: u64, failed: u64) {
        if let Some(bar) = &self.bar {
            bar.set_length(total);
            bar.set_position(done);
            if failed > 0 {
                bar.set_message(format!("{failed} failed"));
            }
            return;
        }
        let seconds = self.watch.elapsed().as_secs();
        let mut shown = self.shown.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if !self.quiet && seconds >= *shown + 5 {
            *shown = seconds;
            err(&format!("{done} of {total} rows, {failed} failed"));
        }
    }

    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
