//! What the web needs of rooms it must not know; `app` implements these doors.

use std::future::Future;
use std::pin::Pin;

use serde_json::Value;

use super::{Gauge, Problem};

type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, Problem>> + Send + 'a>>;

/// One definition file sent to the API: a path below the definitions folder and its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    pub path: String,
    pub text: String,
}

/// A fault of definitions is a [`Problem`] with code `DEF…` and one entry in `errors` for each diagnostic.
pub type DoorFault = Problem;

/// Check, plan and apply definitions. Implemented by `app` over `deploy`. Answers are JSON documents whose shape
/// `docs/api.md` gives. `files` empty means the server's own definitions folder.
pub trait DefinitionsDoor: Send + Sync {
    /// `{ok, diagnostics: […]}`.
    fn check(&self, files: Vec<SourceFile>) -> Answer<'_, Value>;

    /// `{id, base, target, changes: […], confirmations: […], text}`. Nothing is changed.
    fn plan(&self, files: Vec<SourceFile>) -> Answer<'_, Value>;

    /// Applies what `plan` would show now. `plan_id`, when given, must be that plan's id (else `DEP` stale plan, 409).
    /// `accept` holds confirmations such as `lossy:fld_s2`, `by` is the user's id. Gives `{version, changes, text}`.
    fn apply(&self, files: Vec<SourceFile>, plan_id: Option<String>, accept: Vec<String>, by: i64) -> Answer<'_, Value>;

    /// `[{version, digest, at, by, changes}]`, newest first.
    fn versions(&self) -> Answer<'_, Value>;

    /// Why the definitions on disk are not the ones in force, for a badge; `None` when they are.
    fn fault(&self) -> Option<String> {
        None
    }
}

/// Whether this process can serve, for `/readyz`. Implemented by `app`.
pub trait Readiness: Send + Sync {
    /// `Err` with a short reason when the database does not answer or the catalog could not be loaded.
    fn ready(&self) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send + '_>>;

    /// What the process and its database can be measured by, for `/metrics`; values of one name stand together.
    fn gauges(&self) -> Pin<Box<dyn Future<Output = Vec<Gauge>> + Send + '_>>;
}
