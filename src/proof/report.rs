//! What `relata test` says.

use std::fmt::Write;

use serde_json::{Value as Json, json};

/// The outcome of all cases.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Report {
    pub cases: usize,
    pub failures: Vec<Failure>,
    pub ms: u64,
}

/// A case that came out otherwise.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    pub file: String,
    pub line: u32,
    pub case: String,
    /// One for each expectation that was not met.
    pub faults: Vec<String>,
}

impl Report {
    pub(super) fn add(&mut self, ended: Result<(), Failure>) {
        self.cases += 1;
        self.failures.extend(ended.err());
    }

    pub fn is_ok(&self) -> bool {
        self.failures.is_empty()
    }

    /// For people.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for failure in &self.failures {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{}:{}: {}", failure.file, failure.line, failure.case);
            for fault in &failure.faults {
                let _ = writeln!(text, "    {}", fault.replace('\n', "\n    "));
            }
        }
        let cases = if self.cases == 1 { "1 case".to_owned() } else { format!("{} cases", self.cases) };
        let _ = match self.failures.len() {
            0 => writeln!(text, "{cases} passed in {} ms", self.ms),
            failed => writeln!(text, "{failed} of {cases} failed in {} ms", self.ms),
        };
        text
    }

    /// For programs.
    pub fn to_json(&self) -> Json {
        let failures = self
            .failures
            .iter()
            .map(|failure| json!({"file": failure.file, "line": failure.line, "case": failure.case, "faults": failure.faults}));
        json!({"ok": self.is_ok(), "cases": self.cases, "failed": self.failures.len(), "ms": self.ms, "failures": failures.collect::<Vec<_>>()})
    }
}
