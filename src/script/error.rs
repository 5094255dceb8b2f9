//! Why a run ended before its end.

use crate::base::Explain;

use super::host::HostError;

/// A script that failed, with the place in its file.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("script `{script}` failed at {file}:{line}:{column}: {message}")]
pub struct ScriptError {
    /// Full id, `crm.check_lines`.
    pub script: String,
    pub file: String,
    /// Counted from 1; 0 when the place is not known.
    pub line: u32,
    pub column: u32,
    pub message: String,
    pub cause: Cause,
}

/// The class of a failure.
#[derive(Debug, Clone, PartialEq)]
pub enum Cause {
    /// The script's own fault: a wrong type, an unknown property, `throw`.
    Runtime,
    /// A limit was reached; the word names it.
    Limit(&'static str),
    /// The host refused; its code.
    Host(HostError),
    /// The engine itself broke off; caught.
    Panic,
}

impl Explain for ScriptError {
    fn code(&self) -> &'static str {
        match self.cause {
            Cause::Runtime => "AUT201",
            Cause::Limit(_) => "AUT202",
            Cause::Host(_) => "AUT203",
            Cause::Panic => "AUT204",
        }
    }

    fn hint(&self) -> Option<String> {
        match &self.cause {
            Cause::Limit("operations" | "time") => {
                Some("the script may ask for more with `limits: {ops: …, ms: …}`; see docs/scripting.md".to_owned())
            }
            Cause::Limit(_) => Some("limits are listed in docs/scripting.md".to_owned()),
            Cause::Host(_) | Cause::Runtime => None,
            Cause::Panic => Some("report this script: the engine should have refused it with a message".to_owned()),
        }
    }

    fn details(&self) -> Option<serde_json::Value> {
        Some(serde_json::json!({"script": self.script, "file": self.file, "line": self.line, "column": self.column}))
    }
}
